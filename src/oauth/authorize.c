#include "oauth/authorize.h"

#include "oauth/acr.h"
#include "oauth/authorize_answer.h"
#include "oauth/device.h"
#include "oauth/handle.h"
#include "oauth/prompt.h"
#include "oauth/pushed.h"
#include "oauth/redirect_uri.h"
#include "oauth/resource.h"
#include "oauth/scope.h"

static bool same_hash(const hash_t *a, const hash_t *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* Whether the person typed the password for this very request. A session that was sent away to do
 * so has not, were it begun in the same second. */
static bool logged_in_for_it(const oauth_authorize_facts_t *facts)
{
    const interaction_t *i = facts->interaction;
    if (!i || facts->session->auth_time < i->created_at)
        return false;
    return i->state != INTERACTION_LOGIN || !same_hash(&i->session_id, &facts->session->id);
}

/* Whether the way in which the person signed in is one that the client demands. */
static bool meets_acr(const oauth_authorize_facts_t *facts, const authz_request_t *request)
{
    return !str_is_set(request->acr_values) ||
           oauth_acr_meets(facts->session->acr, request->acr_values);
}

/* Whether the person must type the password now. max_age=0 is prompt=login (OpenID Connect Core
 * section 3.1.2.1), also within the second of the last time. */
static bool must_login(const oauth_authorize_facts_t *facts, const authz_request_t *request)
{
    if (!oauth_authorize_user(facts))
        return true;
    if (logged_in_for_it(facts))
        return false;
    return oauth_prompt_read(request->prompt).login || request->max_age == 0 ||
           !meets_acr(facts, request) ||
           (request->max_age > 0 && facts->now - facts->session->auth_time > request->max_age);
}

/* Whether what was approved before is all that is asked now. A device is always asked for: the
 * person must see its code, and nothing else says where the access goes (RFC 8628 section 5.4). A
 * client on the person's own machine
 * is always asked for: anybody can pretend to be it (OAuth 2.1 section 7.3.1, RFC 8252
 * section 8.6). */
static bool is_approved(const oauth_authorize_facts_t *facts, const authz_request_t *request)
{
    const consent_t *c = facts->consent;
    if (!c || facts->client->type == CLIENT_NATIVE || oauth_device_is_for(request) ||
        oauth_redirect_uri_kind(request->redirect_uri) != OAUTH_REDIRECT_HTTPS)
        return false;
    return same_hash(&c->document, &facts->client->document) &&
           str_eq(c->user_id, facts->session->user_id) &&
           str_eq(c->client_id, request->client_id) && str_eq(c->resource, request->resource) &&
           str_eq(c->redirect_uri, request->redirect_uri) &&
           oauth_scope_covers(c->scope, request->scope);
}

/* A copy of the interaction to go on with, or a new one. */
static rc_t take_interaction(arena_t *a, const oauth_authorize_facts_t *facts,
                             const authz_request_t *request, interaction_t **out, str_t *handle)
{
    interaction_t *i = *out = ARENA_NEW(a, interaction_t);
    if (!i)
        return RC_MEMORY;
    if (facts->interaction) {
        *i = *facts->interaction;
        *handle = facts->handle;
        return RC_OK;
    }
    TRY(oauth_handle_new(a, facts->random, OAUTH_HANDLE_INTERACTION, handle));
    *i = (interaction_t){
        .id = oauth_handle_hash(*handle),
        .request = *request,
        .created_at = facts->now,
        .expires_at = facts->now + facts->settings->interaction_lifetime,
    };
    return RC_OK;
}

static void put_interaction(const oauth_authorize_facts_t *facts, const interaction_t *next,
                            effects_t *effects)
{
    const interaction_t *before = facts->interaction;
    if (!before) {
        effect_t *insert = effects_add(effects, EFFECT_INTERACTION_INSERT, facts->now);
        insert->u.interaction = next;
        insert->quota.max_interactions = facts->settings->max_interactions;
        return;
    }
    if (before->state == next->state && same_hash(&before->session_id, &next->session_id) &&
        str_eq(before->request.scope, next->request.scope))
        return;
    effect_t *update = effects_add(effects, EFFECT_INTERACTION_UPDATE, facts->now);
    update->u.interaction = next;
    update->expect_interaction = before->state;
}

/* A request for more is widened by what was approved before, for all to see: clients that step up
 * ask for the new scope only and would lose the old one. A request for less stays as it is. */
static rc_t keep_consented(arena_t *a, const oauth_authorize_facts_t *facts, str_t *scope)
{
    str_t allowed, kept;
    const consent_t *consent = facts->consent;
    const resource_t *resource =
        consent ? oauth_resource_find(facts->resources, consent->resource) : NULL;
    if (!facts->settings->keep_consented || !resource || oauth_scope_covers(consent->scope, *scope))
        return RC_OK;
    TRY(oauth_resource_scope(a, resource, facts->client, &allowed));
    TRY(oauth_scope_narrow(a, consent->scope, allowed, &kept));
    return oauth_scope_union(a, *scope, kept, scope);
}

static rc_t show_login(arena_t *a, const oauth_authorize_facts_t *facts,
                       const authz_request_t *request, oauth_authorize_verdict_t *out)
{
    interaction_t *next;
    *out = (oauth_authorize_verdict_t){.kind = OAUTH_AUTHORIZE_LOGIN};
    TRY(take_interaction(a, facts, request, &next, &out->handle));
    next->state = INTERACTION_LOGIN;
    next->session_id = oauth_authorize_user(facts) ? facts->session->id : (hash_t){{0}};
    out->interaction = next;
    put_interaction(facts, next, &out->effects);
    return RC_OK;
}

static rc_t show_consent(arena_t *a, const oauth_authorize_facts_t *facts,
                         const authz_request_t *request, oauth_authorize_verdict_t *out)
{
    interaction_t *next;
    *out = (oauth_authorize_verdict_t){.kind = OAUTH_AUTHORIZE_CONSENT};
    TRY(take_interaction(a, facts, request, &next, &out->handle));
    TRY(keep_consented(a, facts, &next->request.scope));
    next->state = INTERACTION_CONSENT;
    next->session_id = facts->session->id;
    out->interaction = next;
    put_interaction(facts, next, &out->effects);
    return RC_OK;
}

/* The interaction that waited, if one did, is over. */
static rc_t end_interaction(arena_t *a, const oauth_authorize_facts_t *facts, effects_t *effects)
{
    if (!facts->interaction)
        return RC_OK;
    interaction_t *done = ARENA_NEW(a, interaction_t);
    if (!done)
        return RC_MEMORY;
    *done = *facts->interaction;
    done->state = INTERACTION_DONE;
    done->decided_at = facts->now;
    put_interaction(facts, done, effects);
    return RC_OK;
}

/* Withdrawn or forgotten at this very moment, it would leave a grant that nobody can see. */
static void need_consent(const oauth_authorize_facts_t *facts, effects_t *effects)
{
    effects_add(effects, EFFECT_CONSENT_USE, facts->now)->u.consent = facts->consent;
}

static rc_t issue_silently(arena_t *a, const oauth_authorize_facts_t *facts,
                           const authz_request_t *request, oauth_authorize_verdict_t *out)
{
    str_t code;
    TRY(oauth_handle_new(a, facts->random, OAUTH_HANDLE_CODE, &code));
    TRY(oauth_answer_code(a, facts, request, code, out));
    TRY(end_interaction(a, facts, &out->effects));
    TRY(oauth_answer_issue(a, facts, request, code, AUDIT_AUTHORIZE, out));
    need_consent(facts, &out->effects);
    return RC_OK;
}

static oauth_reason_t check_interaction(const oauth_authorize_facts_t *facts)
{
    const interaction_t *i = facts->interaction;
    if (str_is_set(facts->handle) && (!i || i->state == INTERACTION_DONE))
        return OAUTH_INTERACTION_UNKNOWN;
    if (!facts->client)
        return facts->client_reason != OAUTH_FINE ? facts->client_reason
                                                  : OAUTH_CLIENT_NOT_REGISTERED;
    if (!i)
        return OAUTH_FINE;
    if (facts->now >= i->expires_at)
        return OAUTH_INTERACTION_EXPIRED;
    oauth_reason_t reason = oauth_answer_may_go(facts, &i->request);
    if (reason != OAUTH_FINE)
        return reason;
    if (i->state == INTERACTION_CONSENT && oauth_authorize_user(facts) &&
        !same_hash(&i->session_id, &facts->session->id))
        return OAUTH_INTERACTION_OTHER_SESSION;
    reason = oauth_pushed_check_open(facts, &i->request);
    return reason == OAUTH_FINE ? oauth_device_check_open(facts, &i->request) : reason;
}

rc_t oauth_authorize_next(arena_t *a, const oauth_authorize_facts_t *facts,
                          const authz_request_t *request, oauth_authorize_verdict_t *out)
{
    oauth_reason_t reason = check_interaction(facts);
    if (reason != OAUTH_FINE) {
        oauth_answer_page(facts, reason, STR_UNSET, out);
        return RC_OK;
    }
    oauth_prompt_t prompt = oauth_prompt_read(request->prompt);
    if (must_login(facts, request)) {
        if (prompt.none)
            return oauth_answer_error(a, facts, request, OAUTH_LOGIN_REQUIRED, STR_UNSET, out);
        return show_login(a, facts, request, out);
    }
    if (!meets_acr(facts, request))
        return oauth_answer_error(a, facts, request, OAUTH_ACR_UNMET, STR_UNSET, out);
    if (is_approved(facts, request) && !prompt.consent)
        return issue_silently(a, facts, request, out);
    if (prompt.none)
        return oauth_answer_error(a, facts, request, OAUTH_CONSENT_REQUIRED, STR_UNSET, out);
    return show_consent(a, facts, request, out);
}

rc_t oauth_authorize_release(arena_t *a, const interaction_t *interaction, const session_t *before,
                             int64_t now, effects_t *effects)
{
    if (!before || interaction->state != INTERACTION_CONSENT ||
        !same_hash(&interaction->session_id, &before->id))
        return RC_OK;
    interaction_t *next = ARENA_NEW(a, interaction_t);
    if (!next)
        return RC_MEMORY;
    *next = *interaction;
    next->state = INTERACTION_LOGIN;
    next->session_id = (hash_t){{0}};
    effect_t *update = effects_add(effects, EFFECT_INTERACTION_UPDATE, now);
    update->u.interaction = next;
    update->expect_interaction = INTERACTION_CONSENT;
    return RC_OK;
}
