#include "oauth/grant.h"
#include "oauth/mint.h"
#include "oauth/resource.h"
#include "oauth/scope.h"

static oauth_reason_t check_binding(const oauth_token_facts_t *f)
{
    if (!f->request->has_hash)
        return OAUTH_REFRESH_MISSING;
    if (!f->refresh || !f->family)
        return OAUTH_REFRESH_UNKNOWN;
    if (!str_eq(f->family->client_id, f->client->id))
        return OAUTH_REFRESH_OTHER_CLIENT;
    if (str_is_set(f->family->jkt) && !str_is_set(oauth_token_jkt(f)))
        return OAUTH_DPOP_MISSING;
    if (str_is_set(f->family->jkt) && !str_eq(f->family->jkt, oauth_token_jkt(f)))
        return OAUTH_REFRESH_OTHER_KEY;
    return f->family->revoked_at != 0 ? OAUTH_REFRESH_REVOKED : OAUTH_FINE;
}

/* Clients refresh from several processes at once, and lose answers on the way. Within the grace
 * time a rotated token therefore makes another live pair beside the first, and kills nothing; after
 * it, somebody else has a copy. */
static oauth_reason_t check_rotation(const oauth_token_facts_t *f)
{
    const refresh_t *r = f->refresh;
    if (r->rotated_at == 0)
        return OAUTH_FINE;
    int64_t grace = f->settings->refresh_grace;
    if (grace == 0 || f->now - r->rotated_at > grace)
        return OAUTH_REFRESH_REUSED;
    return r->uses < OAUTH_REFRESH_SIBLINGS_MAX ? OAUTH_FINE : OAUTH_REFRESH_STORM;
}

static oauth_reason_t check_life(const oauth_token_facts_t *f)
{
    if (f->now >= f->family->expires_at)
        return OAUTH_REFRESH_GRANT_ENDED;
    return f->now >= f->refresh->expires_at ? OAUTH_REFRESH_EXPIRED : OAUTH_FINE;
}

/* The scope of the new access token: what was asked of what was granted and is still to be had.
 * Asking for more does not widen, and does not fail: clients repeat their first request here, also
 * one that held nothing but scopes of OpenID Connect. The grant itself keeps its scope. */
static rc_t narrow(arena_t *a, const oauth_token_facts_t *f, str_t *scope,
                   oauth_token_verdict_t *out)
{
    str_t allowed, granted, asked;
    const resource_t *resource = oauth_resource_find(f->resources, f->family->resource);
    TRY(oauth_resource_scope(a, resource, f->client, &allowed));
    TRY(oauth_scope_narrow(a, f->family->scope, allowed, &granted));
    *scope = granted;
    if (!str_is_set(f->request->scope))
        return RC_OK;
    rc_t rc = oauth_scope_parse(a, f->request->scope, &asked);
    if (rc == RC_MALFORMED || rc == RC_LIMIT) {
        out->reason = rc == RC_LIMIT ? OAUTH_SCOPE_TOO_LONG : OAUTH_SCOPE_MALFORMED;
        return RC_OK;
    }
    TRY(rc);
    TRY(oauth_scope_narrow(a, asked, granted, scope));
    if (!str_is_set(*scope) && oauth_scope_is_habit(asked))
        *scope = granted;
    else if (!str_is_set(*scope))
        out->reason = OAUTH_SCOPE_EMPTY;
    return RC_OK;
}

/* A refresh token that is of use with its key only need not rotate: whoever copies it holds nothing
 * (OAuth 2.1 section 4.3.1). One that was rotated under another setting stays in that order. */
static bool must_rotate(const oauth_token_facts_t *f)
{
    return !str_is_set(f->family->jkt) || f->settings->refresh_rotate_bound ||
           f->refresh->rotated_at != 0;
}

static rc_t keep(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    refresh_t *r = ARENA_NEW(a, refresh_t);
    if (!r)
        return RC_MEMORY;
    *r = *f->refresh;
    r->expires_at = oauth_mint_refresh_end(f, f->family);
    effects_add(&out->effects, EFFECT_REFRESH_USE, f->now)->u.refresh = r;
    return RC_OK;
}

static rc_t rotate(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    effects_add(&out->effects, EFFECT_REFRESH_ROTATE, f->now)->u.refresh = f->refresh;
    return oauth_mint_refresh(a, f, f->family, &f->refresh->id, out);
}

static rc_t issue(arena_t *a, const oauth_token_facts_t *f, str_t scope, oauth_token_verdict_t *out)
{
    const family_t *family = f->family;
    TRY(must_rotate(f) ? rotate(a, f, out) : keep(a, f, out));
    const oauth_mint_t what = oauth_mint_of(family, scope);
    return oauth_mint_access(a, f, &what, out);
}

static rc_t refuse_reuse(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    out->event.kind = AUDIT_REFRESH_REUSE;
    return oauth_mint_revoke(a, f->family, OAUTH_REFRESH_REUSED, f->now, &out->effects);
}

rc_t oauth_grant_refresh(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    str_t scope;
    out->reason = check_binding(f);
    if (f->family) {
        out->event.user = f->family->user_id;
        out->event.family = f->family->id;
    }
    if (out->reason == OAUTH_FINE)
        out->reason = check_rotation(f);
    if (out->reason == OAUTH_REFRESH_REUSED)
        return refuse_reuse(a, f, out);
    if (out->reason == OAUTH_FINE)
        out->reason = check_life(f);
    if (out->reason == OAUTH_FINE)
        TRY(oauth_mint_check_use(a, f, f->family->resource, out));
    if (out->reason == OAUTH_FINE)
        TRY(narrow(a, f, &scope, out));
    return out->reason == OAUTH_FINE ? issue(a, f, scope, out) : RC_OK;
}
