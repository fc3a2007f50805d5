#include "core/buf.h"
#include "core/json.h"
#include "core/limits.h"
#include "oauth/grant.h"
#include "oauth/mint.h"
#include "oauth/resource.h"
#include "oauth/scope.h"

static const str_t ACCESS_TOKEN = STR_INIT("urn:ietf:params:oauth:token-type:access_token");

static oauth_reason_t check_form(const oauth_exchange_request_t *r)
{
    if (!str_is_set(r->subject_token) || !str_is_set(r->subject_token_type))
        return OAUTH_EXCHANGE_SUBJECT_MISSING;
    if (str_is_set(r->actor_token) != str_is_set(r->actor_token_type))
        return OAUTH_EXCHANGE_ACTOR_INCOMPLETE;
    const str_t types[] = {r->subject_token_type, r->actor_token_type, r->requested_token_type};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_is_set(types[i]) && !str_eq(types[i], ACCESS_TOKEN))
            return OAUTH_EXCHANGE_TOKEN_TYPE;
    return OAUTH_FINE;
}

/* How many act for the subject already. What we wrote is what we read: no depth of the reader's. */
static rc_t count_actors(arena_t *a, str_t act, size_t *out)
{
    static const json_limits_t LIMITS = {LIMIT_TOKEN_CLAIMS_BYTES, LIMIT_JWT_DEPTH,
                                         LIMIT_JWT_NODES};
    const json_t *json;
    *out = 0;
    if (!str_is_set(act))
        return RC_OK;
    TRY(json_parse(a, act, &LIMITS, &json));
    for (; json_is(json, JSON_OBJECT); json = json_get(json, STR("act")))
        ++*out;
    return RC_OK;
}

/* The token was sent to this client, as the server of its resource; who only saw it gains nothing
 * here. An actor token says who acts where it is not the client itself: it must be the client's
 * own. */
static rc_t check_tokens(arena_t *a, const oauth_token_facts_t *f, oauth_reason_t *reason)
{
    size_t actors;
    *reason = OAUTH_EXCHANGE_SUBJECT_INVALID;
    if (!oauth_own_access_lives(&f->subject, f->now))
        return RC_OK;
    *reason = OAUTH_EXCHANGE_SUBJECT_NOT_YOURS;
    if (!str_list_has(f->client->resources, f->subject.access->resource))
        return RC_OK;
    /* Nobody knows any longer which scopes were its own, so may_have would take them for others. */
    *reason = OAUTH_RESOURCE_WITHDRAWN;
    if (!oauth_resource_find(f->resources, f->subject.access->resource))
        return RC_OK;
    *reason = OAUTH_EXCHANGE_ACTOR_INVALID;
    if (str_is_set(f->request->exchange.actor_token) &&
        (!oauth_own_access_lives(&f->actor, f->now) || str_is_set(f->actor.access->act) ||
         !str_eq(f->actor.access->client_id, f->client->id)))
        return RC_OK;
    TRY(count_actors(a, f->subject.access->act, &actors));
    *reason = actors < LIMIT_ACT_DEPTH ? OAUTH_FINE : OAUTH_EXCHANGE_TOO_DEEP;
    return RC_OK;
}

/* `resource` and `audience` say the same here: our resources have no other names. */
static rc_t choose_target(arena_t *a, const oauth_token_facts_t *f, const resource_t **target,
                          oauth_token_verdict_t *out)
{
    const str_list_t *lists[] = {&f->request->resources, &f->request->exchange.audiences};
    str_t *v = ARENA_ARRAY(a, lists[0]->n + lists[1]->n + 1, str_t);
    oauth_resource_verdict_t found;
    size_t n = 0;
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < lists[i]->n; k++)
            v[n++] = lists[i]->v[k];
    if (n == 0 && f->client->exchange_to.n == 1)
        v[n++] = f->client->exchange_to.v[0];
    TRY(oauth_resource_resolve(a, f->resources, (str_list_t){v, n}, &found));
    *target = found.resource;
    out->reason = found.reason;
    if (out->reason == OAUTH_FINE && !str_list_has(f->client->exchange_to, found.resource->uri))
        out->reason = OAUTH_EXCHANGE_TARGET;
    return RC_OK;
}

static bool has_scope(const resource_t *resource, str_t token)
{
    for (size_t i = 0; resource && i < resource->n_scopes; i++)
        if (oauth_scope_token_covers(resource->scopes[i].name, token))
            return true;
    return false;
}

/* What the subject token holds goes with it. A scope that only the target knows cannot stand in the
 * subject token: there the administrator's list for the client decides, and without one nothing
 * does. */
static bool may_have(const oauth_token_facts_t *f, str_t token)
{
    const access_token_t *subject = f->subject.access;
    if (has_scope(oauth_resource_find(f->resources, subject->resource), token))
        return oauth_scope_covers(subject->scope, token);
    return str_is_set(f->client->scope) && oauth_scope_covers(f->client->scope, token);
}

static rc_t filter(arena_t *a, const oauth_token_facts_t *f, str_t candidates, str_t *out)
{
    str_t token;
    buf_t b = buf_new(a, LIMIT_SCOPE_BYTES);
    *out = STR_UNSET;
    while (oauth_scope_next(&candidates, &token)) {
        if (!may_have(f, token))
            continue;
        if (b.n > 0)
            buf_char(&b, ' ');
        buf_put(&b, token);
    }
    TRY(b.failed);
    return b.n > 0 ? buf_done(&b, out) : RC_OK;
}

/* At most what the target has and the client is registered for (oauth_resource_scope). */
static rc_t choose_scope(arena_t *a, const oauth_token_facts_t *f, const resource_t *target,
                         str_t *scope, oauth_token_verdict_t *out)
{
    str_t asked, allowed, candidates;
    rc_t rc = oauth_scope_parse(a, f->request->scope, &asked);
    if (rc == RC_MALFORMED || rc == RC_LIMIT) {
        out->reason = rc == RC_LIMIT ? OAUTH_SCOPE_TOO_LONG : OAUTH_SCOPE_MALFORMED;
        return RC_OK;
    }
    TRY(rc);
    TRY(oauth_resource_scope(a, target, f->client, &allowed));
    candidates = allowed;
    if (str_is_set(asked))
        TRY(oauth_scope_narrow(a, asked, allowed, &candidates));
    TRY(filter(a, f, candidates, scope));
    if (!str_is_set(*scope) && target->n_scopes > 0)
        out->reason = OAUTH_SCOPE_EMPTY;
    return RC_OK;
}

/* The newest actor outside, those before it within (RFC 8693 section 4.1). */
static rc_t write_act(arena_t *a, const oauth_token_facts_t *f, str_t *out)
{
    str_t before = f->subject.access->act;
    bool named = str_is_set(f->request->exchange.actor_token);
    buf_t b = buf_new(a, LIMIT_TOKEN_CLAIMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("sub"), named ? f->actor.access->sub : f->client->id);
    json_member_str(&w, STR("client_id"), f->client->id);
    if (str_is_set(before)) {
        json_key(&w, STR("act"));
        json_raw(&w, before);
    }
    json_end_object(&w);
    return buf_done(&b, out);
}

static rc_t issue(arena_t *a, const oauth_token_facts_t *f, const resource_t *target, str_t scope,
                  oauth_token_verdict_t *out)
{
    const access_token_t *subject = f->subject.access;
    oauth_mint_t what = {.sub = subject->sub,
                         .resource = target->uri,
                         .scope = scope,
                         .family_id = subject->family_id,
                         .auth_time = subject->auth_time,
                         .acr = subject->acr,
                         .ends_at = subject->expires_at};
    TRY(write_act(a, f, &what.act));
    out->issued_token_type = ACCESS_TOKEN;
    out->event.detail =
        arena_printf(a, "token %" PRIstr " of client %" PRIstr " was exchanged for this one",
                     STR_ARG(subject->jti), STR_ARG(subject->client_id));
    if (!str_is_set(out->event.detail))
        return RC_MEMORY;
    return oauth_mint_access(a, f, &what, out);
}

rc_t oauth_grant_exchange(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    str_t scope;
    const resource_t *target;
    if (f->subject.family) {
        out->event.user = f->subject.family->user_id;
        out->event.family = f->subject.family->id;
    }
    out->reason = check_form(&f->request->exchange);
    if (out->reason == OAUTH_FINE)
        TRY(check_tokens(a, f, &out->reason));
    if (out->reason == OAUTH_FINE)
        TRY(choose_target(a, f, &target, out));
    if (out->reason == OAUTH_FINE)
        TRY(choose_scope(a, f, target, &scope, out));
    return out->reason == OAUTH_FINE ? issue(a, f, target, scope, out) : RC_OK;
}
