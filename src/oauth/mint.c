#include "oauth/mint.h"

#include "core/json.h"
#include "core/limits.h"
#include "oauth/handle.h"
#include "oauth/resource.h"

static rc_t make_jti(arena_t *a, const oauth_token_facts_t *facts, str_t family_id, str_t *out)
{
    str_t own;
    TRY(oauth_handle_new(a, facts->random, OAUTH_HANDLE_JTI, &own));
    *out = own;
    if (str_is_set(family_id))
        *out = arena_printf(a, "%" PRIstr ".%" PRIstr, STR_ARG(family_id), STR_ARG(own));
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

/* RFC 9449 section 6.1 */
static void write_confirmation(json_writer_t *w, str_t jkt)
{
    if (!str_is_set(jkt))
        return;
    json_key(w, STR("cnf"));
    json_begin_object(w);
    json_member_str(w, STR("jkt"), jkt);
    json_end_object(w);
}

/* The resource decides how long its tokens live; whatever they are made of, no longer. */
static int64_t end_of(const oauth_token_facts_t *facts, const resource_t *resource,
                      const oauth_mint_t *what)
{
    int64_t life = resource ? resource->access_token_lifetime : 0;
    if (life <= 0)
        life = facts->settings->access_token_lifetime;
    if (life > MODEL_ACCESS_TOKEN_MAX_S)
        life = MODEL_ACCESS_TOKEN_MAX_S;
    bool sooner = what->ends_at != 0 && what->ends_at < facts->now + life;
    return sooner ? what->ends_at : facts->now + life;
}

/* The groups of whoever the token is about, as they are now (RFC 9068 section 2.2.3.1): they are
 * read anew with each token. */
static str_list_t groups_of(const oauth_token_facts_t *facts, str_t sub)
{
    const user_t *const KNOWN[] = {facts->owner, facts->subject.owner};
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (KNOWN[i] && str_eq(KNOWN[i]->id, sub))
            return KNOWN[i]->groups;
    return (str_list_t){0};
}

static rc_t write_claims(arena_t *a, const oauth_token_facts_t *facts, const access_token_t *t,
                         str_t *out)
{
    const str_list_t groups = groups_of(facts, t->sub);
    buf_t b = buf_new(a, LIMIT_TOKEN_CLAIMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("iss"), facts->settings->issuer);
    json_member_str(&w, STR("sub"), t->sub);
    json_member_str(&w, STR("aud"), t->resource);
    json_member_int(&w, STR("exp"), t->expires_at);
    json_member_int(&w, STR("iat"), t->created_at);
    json_member_str(&w, STR("jti"), t->jti);
    json_member_str(&w, STR("client_id"), t->client_id);
    json_member_str(&w, STR("scope"), t->scope);
    if (t->auth_time != 0)
        json_member_int(&w, STR("auth_time"), t->auth_time);
    json_member_str(&w, STR("acr"), t->acr);
    if (groups.n > 0)
        json_member_strs(&w, STR("groups"), groups);
    write_confirmation(&w, t->jkt);
    if (str_is_set(t->act)) {
        json_key(&w, STR("act"));
        json_raw(&w, t->act);
    }
    json_end_object(&w);
    return buf_done(&b, out);
}

oauth_mint_t oauth_mint_of(const family_t *family, str_t scope)
{
    return (oauth_mint_t){
        .sub = family->user_id,
        .resource = family->resource,
        .scope = scope,
        .family_id = family->id,
        .acr = family->acr,
        .auth_time = family->auth_time,
    };
}

static rc_t make_opaque(arena_t *a, const oauth_token_facts_t *facts, access_token_t *t,
                        oauth_token_verdict_t *out)
{
    TRY(oauth_handle_new(a, facts->random, OAUTH_HANDLE_ACCESS, &out->access_token));
    t->id = oauth_handle_hash(out->access_token);
    effects_add(&out->effects, EFFECT_ACCESS_TOKEN_INSERT, facts->now)->u.access_token = t;
    return RC_OK;
}

static rc_t make_access(arena_t *a, const oauth_token_facts_t *facts, const oauth_mint_t *what,
                        access_token_t **out)
{
    const resource_t *resource = oauth_resource_find(facts->resources, what->resource);
    access_token_t *t = *out = ARENA_NEW(a, access_token_t);
    if (!t)
        return RC_MEMORY;
    *t = (access_token_t){
        .family_id = what->family_id,
        .client_id = facts->client->id,
        .sub = what->sub,
        .scope = what->scope,
        .resource = what->resource,
        .jkt = oauth_token_jkt(facts),
        .act = what->act,
        .acr = what->acr,
        .auth_time = what->auth_time,
        .created_at = facts->now,
        .expires_at = end_of(facts, resource, what),
    };
    return make_jti(a, facts, what->family_id, &t->jti);
}

rc_t oauth_mint_access(arena_t *a, const oauth_token_facts_t *facts, const oauth_mint_t *what,
                       oauth_token_verdict_t *out)
{
    access_token_t *t;
    const resource_t *resource = oauth_resource_find(facts->resources, what->resource);
    TRY(make_access(a, facts, what, &t));
    if (resource && resource->token_format == TOKEN_OPAQUE)
        TRY(make_opaque(a, facts, t, out));
    else
        TRY(write_claims(a, facts, t, &out->claims));
    out->jkt = t->jkt;
    out->scope = what->scope;
    out->expires_in = t->expires_at - facts->now;
    out->event.resource = what->resource;
    out->event.scope = what->scope;
    out->event.family = what->family_id;
    out->event.token = t->jti;
    return RC_OK;
}

int64_t oauth_mint_refresh_end(const oauth_token_facts_t *facts, const family_t *family)
{
    int64_t idle_end = facts->now + facts->settings->refresh_token_idle;
    return idle_end < family->expires_at ? idle_end : family->expires_at;
}

rc_t oauth_mint_refresh(arena_t *a, const oauth_token_facts_t *facts, const family_t *family,
                        const hash_t *parent, oauth_token_verdict_t *out)
{
    refresh_t *r = ARENA_NEW(a, refresh_t);
    if (!r)
        return RC_MEMORY;
    TRY(oauth_handle_new(a, facts->random, OAUTH_HANDLE_REFRESH, &out->refresh_token));
    *r = (refresh_t){
        .id = oauth_handle_hash(out->refresh_token),
        .family_id = family->id,
        .created_at = facts->now,
        .expires_at = oauth_mint_refresh_end(facts, family),
    };
    if (parent)
        r->parent = *parent;
    effects_add(&out->effects, EFFECT_REFRESH_INSERT, facts->now)->u.refresh = r;
    return RC_OK;
}

/* Refresh tokens of clients that cannot authenticate are bound to the key of the first request
 * (RFC 9449 section 5). */
static str_t family_jkt(const oauth_token_facts_t *facts)
{
    return facts->client->auth == CLIENT_AUTH_NONE ? oauth_token_jkt(facts) : STR_UNSET;
}

rc_t oauth_mint_family(arena_t *a, const oauth_token_facts_t *facts, const family_t *grant,
                       oauth_token_verdict_t *out)
{
    family_t *family = ARENA_NEW(a, family_t);
    if (!family)
        return RC_MEMORY;
    *family = *grant;
    family->client_id = facts->client->id;
    family->created_at = facts->now;
    family->expires_at = facts->now + facts->settings->refresh_token_lifetime;
    family->jkt = family_jkt(facts);
    effects_add(&out->effects, EFFECT_FAMILY_INSERT, facts->now)->u.family = family;
    if (facts->client->grants & GRANT_REFRESH_TOKEN)
        TRY(oauth_mint_refresh(a, facts, family, NULL, out));
    const oauth_mint_t what = oauth_mint_of(family, family->scope);
    return oauth_mint_access(a, facts, &what, out);
}

rc_t oauth_mint_revoke(arena_t *a, const family_t *family, oauth_reason_t why, int64_t now,
                       effects_t *effects)
{
    if (!family || family->revoked_at != 0)
        return RC_OK;
    family_t *revoked = ARENA_NEW(a, family_t);
    if (!revoked)
        return RC_MEMORY;
    *revoked = *family;
    revoked->revoked_at = now;
    revoked->revoked_reason = oauth_reason_name(why);
    effects_add(effects, EFFECT_FAMILY_REVOKE, now)->u.family = revoked;
    return RC_OK;
}

rc_t oauth_mint_check_use(arena_t *a, const oauth_token_facts_t *facts, str_t resource,
                          oauth_token_verdict_t *out)
{
    oauth_resource_verdict_t asked;
    out->reason = OAUTH_USER_GONE;
    if (!facts->owner || facts->owner->disabled)
        return RC_OK;
    out->reason = OAUTH_RESOURCE_WITHDRAWN;
    if (!oauth_resource_find(facts->resources, resource))
        return RC_OK;
    out->reason = OAUTH_FINE;
    if (facts->request->resources.n == 0)
        return RC_OK;
    TRY(oauth_resource_resolve(a, facts->resources, facts->request->resources, &asked));
    out->reason = asked.reason;
    out->description = asked.description;
    if (asked.reason == OAUTH_FINE && !str_eq(asked.resource->uri, resource))
        out->reason = OAUTH_RESOURCE_NOT_GRANTED;
    return RC_OK;
}
