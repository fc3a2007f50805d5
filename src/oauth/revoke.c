#include "oauth/revoke.h"

#include "oauth/event.h"
#include "oauth/mint.h"

/* Clocks of resource servers differ: they may take a token for a minute longer (rs.h: leeway_s). */
enum { LEEWAY_S = 120 };

/* Who was issued the token; unset: nobody. An exchanged one is its service's, not the client's that
 * the grant belongs to. */
static str_t holder(const oauth_own_facts_t *t)
{
    if (t->access)
        return t->access->client_id;
    return t->refresh && t->family ? t->family->client_id : STR_UNSET;
}

static oauth_reason_t check(const oauth_revoke_facts_t *f)
{
    if (f->claim->reason != OAUTH_FINE)
        return f->claim->reason;
    oauth_reason_t reason = oauth_client_auth_check(f->claim, f->client, f->now);
    if (reason != OAUTH_FINE)
        return reason;
    if (f->query->reason != OAUTH_FINE)
        return f->query->reason;
    str_t client = holder(&f->token);
    return str_is_set(client) && !str_eq(client, f->client->id) ? OAUTH_TOKEN_OTHER_CLIENT
                                                                : OAUTH_FINE;
}

static void set_event(const oauth_revoke_facts_t *f, oauth_revoke_verdict_t *out)
{
    const oauth_own_facts_t *t = &f->token;
    out->event = oauth_event(AUDIT_REVOKE, out->reason);
    out->event.client = f->claim->client_id;
    if (out->reason == OAUTH_FINE && !str_is_set(holder(t)))
        out->event.detail = STR("unknown token: nothing to revoke");
    if (t->access) {
        out->event.token = t->access->jti;
        out->event.family = t->access->family_id;
        out->event.resource = t->access->resource;
    }
    if (!t->family)
        return;
    out->event.user = t->family->user_id;
    out->event.family = t->family->id;
    out->event.resource = t->family->resource;
}

static rc_t end_access(arena_t *a, const access_token_t *t, int64_t now, effects_t *effects)
{
    if (now >= t->expires_at + LEEWAY_S)
        return RC_OK;
    revoked_t *r = ARENA_NEW(a, revoked_t);
    if (!r)
        return RC_MEMORY;
    *r = (revoked_t){
        .kind = REVOKED_TOKEN, .key = t->jti, .at = now, .expires_at = t->expires_at + LEEWAY_S};
    effects_add(effects, EFFECT_REVOCATION_PUT, now)->u.revoked = r;
    return RC_OK;
}

static rc_t end_token(arena_t *a, const oauth_revoke_facts_t *f, oauth_revoke_verdict_t *out)
{
    const oauth_own_facts_t *t = &f->token;
    if (t->refresh)
        return oauth_mint_revoke(a, t->family, OAUTH_REVOKED_BY_CLIENT, f->now, &out->effects);
    /* Once is enough: a client in a loop must not make the list grow. */
    return t->access && t->revoked == 0 ? end_access(a, t->access, f->now, &out->effects) : RC_OK;
}

rc_t oauth_revoke_decide(arena_t *a, const oauth_revoke_facts_t *facts, oauth_revoke_verdict_t *out)
{
    *out = (oauth_revoke_verdict_t){.reason = check(facts), .body = STR("")};
    out->status = oauth_reason_status(out->reason);
    set_event(facts, out);
    if (out->reason == OAUTH_FINE)
        return end_token(a, facts, out);
    /* As for a token that nobody knows: whose it is, or that it lives, is not the caller's to
     * learn, and there is nothing that a client could do about it (RFC 7009 section 2.2). */
    if (out->reason == OAUTH_TOKEN_OTHER_CLIENT) {
        out->status = 200;
        return RC_OK;
    }
    out->www_authenticate = oauth_client_auth_challenge(facts->claim, out->reason);
    return oauth_reason_json(a, out->reason, STR_UNSET, &out->body);
}
