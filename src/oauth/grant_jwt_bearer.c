#include "core/buf.h"
#include "core/limits.h"
#include "oauth/bearer.h"
#include "oauth/grant.h"
#include "oauth/handle.h"
#include "oauth/method.h"
#include "oauth/mint.h"
#include "oauth/resource.h"
#include "oauth/scope.h"

static void refuse(oauth_token_verdict_t *out, oauth_reason_t reason)
{
    out->reason = reason;
}

/* What was asked of what may be had; nothing asked: `otherwise`. */
static rc_t narrow(arena_t *a, str_t asked, str_t allowed, str_t otherwise, str_t *out)
{
    bool any = str_is_set(asked) && !oauth_scope_is_habit(asked);
    return oauth_scope_narrow(a, any ? asked : otherwise, allowed, out);
}

static rc_t parse_scope(arena_t *a, str_t text, str_t *out, oauth_token_verdict_t *verdict)
{
    rc_t rc = oauth_scope_parse(a, text, out);
    if (rc != RC_MALFORMED && rc != RC_LIMIT)
        return rc;
    refuse(verdict, rc == RC_LIMIT ? OAUTH_SCOPE_TOO_LONG : OAUTH_SCOPE_MALFORMED);
    return RC_OK;
}

/* ---- people: ID-JAG ---- */

/* Bound pair: the audience is this server, the resource one that it serves. */
static rc_t find_resource(arena_t *a, const oauth_token_facts_t *f, const resource_t **resource,
                          oauth_token_verdict_t *out)
{
    const oauth_bearer_t *bearer = f->request->bearer;
    str_t named = json_get_str(bearer->assertion->claims.all, STR("resource"));
    oauth_resource_verdict_t target = {.reason = OAUTH_BEARER_RESOURCE};
    if (named.n > 0)
        TRY(oauth_resource_resolve(a, f->resources, (str_list_t){&named, 1}, &target));
    *resource = target.resource;
    str_list_t bound = bearer->issuer->resources;
    if (target.reason != OAUTH_FINE || (bound.n > 0 && !str_list_has(bound, target.resource->uri)))
        refuse(out, OAUTH_BEARER_RESOURCE);
    return RC_OK;
}

/* EM-5: the request may ask for less than the assertion says, never for more; and neither gets more
 * than its issuer may give. */
static rc_t choose_scope(arena_t *a, const oauth_token_facts_t *f, const resource_t *resource,
                         str_t *scope, oauth_token_verdict_t *out)
{
    const oauth_bearer_t *bearer = f->request->bearer;
    str_t asked, said, allowed, bounded;
    TRY(parse_scope(a, f->request->scope, &asked, out));
    if (out->reason == OAUTH_FINE)
        TRY(parse_scope(a, bearer->assertion->claims.scope, &said, out));
    if (out->reason != OAUTH_FINE)
        return RC_OK;
    TRY(oauth_resource_scope(a, resource, f->client, &allowed));
    bounded = allowed;
    if (str_is_set(bearer->issuer->scope))
        TRY(oauth_scope_narrow(a, allowed, bearer->issuer->scope, &bounded));
    TRY(narrow(a, said, bounded, resource->default_scope, scope));
    TRY(narrow(a, asked, *scope, *scope, scope));
    if (!str_is_set(*scope) && resource->n_scopes > 0)
        refuse(out, OAUTH_SCOPE_EMPTY);
    return RC_OK;
}

/* EM-9: bound to a key, it is for who holds the key. Other ways to bind are not supported, and what
 * is not understood is not ignored (RFC 7800 section 3.1). */
static oauth_reason_t check_key(const oauth_token_facts_t *f)
{
    const json_t *cnf = f->request->bearer->assertion->claims.cnf;
    str_t jkt = json_get_str(cnf, STR("jkt"));
    if (!cnf)
        return OAUTH_FINE;
    if (!str_is_set(jkt) || cnf->count != 1)
        return OAUTH_BEARER_OTHER_KEY;
    if (!str_is_set(oauth_token_jkt(f)))
        return OAUTH_DPOP_MISSING;
    return str_eq(jkt, oauth_token_jkt(f)) ? OAUTH_FINE : OAUTH_BEARER_OTHER_KEY;
}

static oauth_reason_t check_person(const oauth_token_facts_t *f)
{
    const jwt_claims_t *claims = &f->request->bearer->assertion->claims;
    if (!str_eq(claims->client_id, f->client->id))
        return OAUTH_BEARER_CLIENT;
    if (f->owner && f->owner->disabled)
        return OAUTH_USER_GONE;
    return check_key(f);
}

/* The person exists here from the first use on: so that there is somebody to disable. There is no
 * password, and the name is the id, which nobody chooses. */
static rc_t add_person(arena_t *a, const oauth_token_facts_t *f, effects_t *effects)
{
    const oauth_bearer_t *bearer = f->request->bearer;
    user_t *user = ARENA_NEW(a, user_t);
    if (!user)
        return RC_MEMORY;
    *user = (user_t){
        .id = bearer->subject,
        .name = bearer->subject,
        .created_at = f->now,
        .issuer = bearer->issuer->issuer,
        .subject = bearer->assertion->claims.sub,
    };
    effects_add(effects, EFFECT_USER_INSERT, f->now)->u.user = user;
    return RC_OK;
}

/* It has no refresh token (EM-6): the identity provider stays asked. The family is there to be
 * revoked. */
static rc_t add_family(arena_t *a, const oauth_token_facts_t *f, const oauth_mint_t *what,
                       effects_t *effects)
{
    family_t *family = ARENA_NEW(a, family_t);
    if (!family)
        return RC_MEMORY;
    *family = (family_t){
        .id = what->family_id,
        .client_id = f->client->id,
        .user_id = what->sub,
        .scope = what->scope,
        .resource = what->resource,
        .created_at = f->now,
        .expires_at = f->now + MODEL_ACCESS_TOKEN_MAX_S,
    };
    effects_add(effects, EFFECT_FAMILY_INSERT, f->now)->u.family = family;
    return RC_OK;
}

static void add_spend(const oauth_token_facts_t *f, effects_t *effects)
{
    const oauth_bearer_t *bearer = f->request->bearer;
    if (bearer->spend)
        oauth_spent_add(&f->seen, bearer->spend, f->now, effects);
}

static rc_t admit_person(arena_t *a, const oauth_token_facts_t *f, const resource_t *resource,
                         str_t scope, oauth_token_verdict_t *out)
{
    oauth_mint_t what = {
        .sub = f->request->bearer->subject, .resource = resource->uri, .scope = scope};
    TRY(oauth_handle_new(a, f->random, OAUTH_HANDLE_FAMILY, &what.family_id));
    if (!f->owner)
        TRY(add_person(a, f, &out->effects));
    TRY(add_family(a, f, &what, &out->effects));
    if (f->client->expires_at != 0)
        effects_add(&out->effects, EFFECT_CLIENT_KEEP, f->now)->u.key = f->client->id;
    add_spend(f, &out->effects);
    return oauth_mint_access(a, f, &what, out);
}

static rc_t for_person(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    str_t scope;
    const resource_t *resource = NULL;
    out->reason = check_person(f);
    if (out->reason == OAUTH_FINE)
        TRY(find_resource(a, f, &resource, out));
    if (out->reason == OAUTH_FINE && f->request->resources.n > 0) {
        oauth_resource_verdict_t asked;
        TRY(oauth_resource_resolve(a, f->resources, f->request->resources, &asked));
        out->reason = asked.reason;
        if (asked.reason == OAUTH_FINE && asked.resource != resource)
            out->reason = OAUTH_RESOURCE_NOT_GRANTED;
    }
    if (out->reason == OAUTH_FINE)
        TRY(choose_scope(a, f, resource, &scope, out));
    return out->reason == OAUTH_FINE ? admit_person(a, f, resource, scope, out) : RC_OK;
}

/* ---- workloads ---- */

/* Asked for none, a rule with one resource means that one. */
static rc_t choose_resource(arena_t *a, const oauth_token_facts_t *f, const resource_t **resource,
                            oauth_token_verdict_t *out)
{
    oauth_resource_verdict_t target;
    str_list_t values = f->request->resources, own = f->request->bearer->rule->resources;
    TRY(oauth_resource_resolve(a, f->resources, values.n == 0 && own.n == 1 ? own : values,
                               &target));
    out->reason = target.reason;
    out->description = target.description;
    *resource = target.resource;
    if (target.reason == OAUTH_FINE && !str_list_has(own, target.resource->uri))
        refuse(out, OAUTH_WORKLOAD_RESOURCE);
    return RC_OK;
}

static rc_t for_workload(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    const oauth_bearer_t *bearer = f->request->bearer;
    const resource_t *resource;
    str_t asked = STR_UNSET, allowed, scope = STR_UNSET;
    TRY(choose_resource(a, f, &resource, out));
    if (out->reason == OAUTH_FINE)
        TRY(parse_scope(a, f->request->scope, &asked, out));
    if (out->reason != OAUTH_FINE)
        return RC_OK;
    if (str_is_set(f->client->scope)) {
        TRY(oauth_resource_scope(a, resource, f->client, &allowed));
        TRY(narrow(a, asked, allowed, allowed, &scope));
    }
    if (!str_is_set(scope) && resource->n_scopes > 0) {
        refuse(out, OAUTH_SCOPE_EMPTY);
        return RC_OK;
    }
    add_spend(f, &out->effects);
    const oauth_mint_t what = {.sub = bearer->subject, .resource = resource->uri, .scope = scope};
    return oauth_mint_access(a, f, &what, out);
}

/* The trail says who it was where they come from: their id here tells nobody. */
static rc_t name_in_event(arena_t *a, const oauth_bearer_t *bearer, oauth_token_verdict_t *out)
{
    const jwt_claims_t *claims = &bearer->assertion->claims;
    buf_t b = buf_new(a, LIMIT_JWS_BYTES * 2);
    buf_put(&b, oauth_grant_name(GRANT_JWT_BEARER));
    buf_put(&b, STR(" for "));
    buf_put(&b, claims->sub);
    buf_put(&b, STR(" of "));
    buf_put(&b, claims->iss);
    out->event.user = bearer->subject;
    return buf_done(&b, &out->event.detail);
}

rc_t oauth_grant_jwt_bearer(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    const oauth_bearer_t *bearer = f->request->bearer;
    out->reason = oauth_bearer_verdict(bearer);
    if (out->reason != OAUTH_FINE)
        return RC_OK;
    TRY(name_in_event(a, bearer, out));
    return bearer->is_workload ? for_workload(a, f, out) : for_person(a, f, out);
}
