#include "oauth/authorize_answer.h"

#include "oauth/event.h"
#include "oauth/handle.h"
#include "oauth/pushed.h"
#include "oauth/redirect_uri.h"

const user_t *oauth_authorize_user(const oauth_authorize_facts_t *facts)
{
    if (!facts->session || !facts->user || facts->user->disabled)
        return NULL;
    return str_eq(facts->session->user_id, facts->user->id) ? facts->user : NULL;
}

oauth_reason_t oauth_answer_check_policy(const oauth_authorize_facts_t *facts, str_t redirect_uri)
{
    oauth_redirect_kind_t kind;
    if (facts->client->origin == CLIENT_BY_ADMIN)
        return OAUTH_FINE;
    return oauth_redirect_uri_check(redirect_uri, &facts->settings->redirects, &kind);
}

oauth_reason_t oauth_answer_may_go(const oauth_authorize_facts_t *facts,
                                   const authz_request_t *request)
{
    str_t chosen;
    if (request->redirect_uri.n == 0)
        return OAUTH_FINE; /* a device is answered elsewhere */
    oauth_reason_t reason =
        oauth_redirect_uri_choose_for(facts->client, request->redirect_uri, &chosen);
    return reason == OAUTH_FINE ? oauth_answer_check_policy(facts, request->redirect_uri) : reason;
}

static void set_event(const oauth_authorize_facts_t *facts, audit_kind_t kind,
                      oauth_reason_t reason, oauth_authorize_verdict_t *out)
{
    const user_t *user = oauth_authorize_user(facts);
    out->has_event = true;
    out->event = oauth_event(kind, reason);
    if (user)
        out->event.user = user->id;
    if (facts->client)
        out->event.client = facts->client->id;
}

void oauth_answer_page(const oauth_authorize_facts_t *facts, oauth_reason_t reason, str_t detail,
                       oauth_authorize_verdict_t *out)
{
    *out = (oauth_authorize_verdict_t){
        .kind = OAUTH_AUTHORIZE_PAGE,
        .reason = reason,
        .description = oauth_reason_description(reason),
    };
    set_event(facts, AUDIT_AUTHORIZE, reason, out);
    if (str_is_set(detail))
        out->event.detail = detail;
}

/* Whoever is signed in asked for it, and an administrator vouches for the clients he made; a
 * stranger's client gets no visitors that merely followed a link here (RFC 9700 section 4.11.2). */
static bool may_redirect(const oauth_authorize_facts_t *facts)
{
    return oauth_authorize_user(facts) != NULL || facts->client->origin == CLIENT_BY_ADMIN;
}

rc_t oauth_answer_error(arena_t *a, const oauth_authorize_facts_t *facts,
                        const authz_request_t *request, oauth_reason_t reason, str_t description,
                        oauth_authorize_verdict_t *out)
{
    oauth_answer_page(facts, reason, STR_UNSET, out);
    if (str_is_set(description))
        out->description = description;
    if (may_redirect(facts))
        out->kind = OAUTH_AUTHORIZE_REDIRECT;
    out->event.resource = request->resource;
    out->event.scope = request->scope;
    const oauth_redirect_answer_t answer = {
        .error = oauth_reason_error(reason),
        .error_description = out->description,
        .state = request->state,
        .iss = facts->settings->issuer,
    };
    return oauth_redirect_uri_answer(a, request->redirect_uri, &answer, &out->redirect);
}

rc_t oauth_answer_code(arena_t *a, const oauth_authorize_facts_t *facts,
                       const authz_request_t *request, str_t code, oauth_authorize_verdict_t *out)
{
    *out = (oauth_authorize_verdict_t){.kind = OAUTH_AUTHORIZE_REDIRECT};
    const oauth_redirect_answer_t answer = {
        .code = code,
        .state = request->state,
        .iss = facts->settings->issuer,
    };
    return oauth_redirect_uri_answer(a, request->redirect_uri, &answer, &out->redirect);
}

/* The code remembers the request without what only the redirect needs. The grant gets its id now,
 * so that a replay of the code can revoke it. */
static rc_t make_code(arena_t *a, const oauth_authorize_facts_t *facts,
                      const authz_request_t *request, str_t code, code_t **out)
{
    code_t *record = *out = ARENA_NEW(a, code_t);
    if (!record)
        return RC_MEMORY;
    *record = (code_t){
        .id = oauth_handle_hash(code),
        .user_id = facts->session->user_id,
        .request = *request,
        .auth_time = facts->session->auth_time,
        .acr = facts->session->acr,
        .created_at = facts->now,
        .expires_at = facts->now + facts->settings->code_lifetime,
    };
    record->request.state = record->request.nonce = record->request.prompt = STR_UNSET;
    return oauth_handle_new(a, facts->random, OAUTH_HANDLE_FAMILY, &record->family_id);
}

static rc_t put_client(arena_t *a, const oauth_authorize_facts_t *facts, effects_t *effects)
{
    client_t *client = ARENA_NEW(a, client_t);
    if (!client)
        return RC_MEMORY;
    *client = *facts->client;
    client->used_at = facts->now;
    effects_add(effects, EFFECT_CLIENT_PUT, facts->now)->u.client = client;
    return RC_OK;
}

/* From now on the client is in use: one that has no row yet gets it. That of a document is written
 * when it is approved, as it was shown. */
static rc_t keep_client(arena_t *a, const oauth_authorize_facts_t *facts, effects_t *effects)
{
    const client_t *client = facts->client;
    if (client->origin == CLIENT_BY_DOCUMENT)
        return RC_OK;
    if (!client->stored)
        return put_client(a, facts, effects);
    if (client->expires_at != 0)
        effects_add(effects, EFFECT_CLIENT_KEEP, facts->now)->u.key = client->id;
    return RC_OK;
}

rc_t oauth_answer_issue(arena_t *a, const oauth_authorize_facts_t *facts,
                        const authz_request_t *request, str_t code, audit_kind_t kind,
                        oauth_authorize_verdict_t *out)
{
    code_t *record;
    TRY(make_code(a, facts, request, code, &record));
    effects_add(&out->effects, EFFECT_CODE_INSERT, facts->now)->u.code = record;
    oauth_pushed_end(request, facts->now, &out->effects);
    TRY(oauth_answer_granted(a, facts, request, record->family_id, kind, out));
    return RC_OK;
}

/* A password that is changed, an account that is disabled, a login that ends at this very moment
 * end the session: its row, there when the grant is written, proves that none of it came first. */
static void need_session(const oauth_authorize_facts_t *facts, effects_t *effects)
{
    effects_add(effects, EFFECT_SESSION_TOUCH, facts->now)->u.session = facts->session;
}

rc_t oauth_answer_granted(arena_t *a, const oauth_authorize_facts_t *facts,
                          const authz_request_t *request, str_t family_id, audit_kind_t kind,
                          oauth_authorize_verdict_t *out)
{
    need_session(facts, &out->effects);
    TRY(keep_client(a, facts, &out->effects));
    set_event(facts, kind, OAUTH_FINE, out);
    out->event.resource = request->resource;
    out->event.scope = request->scope;
    out->event.family = family_id;
    return RC_OK;
}
