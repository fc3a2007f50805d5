#include "oauth/consent.h"

#include "oauth/authorize_answer.h"
#include "oauth/device.h"
#include "oauth/handle.h"
#include "oauth/pushed.h"
#include "oauth/redirect_uri.h"
#include "oauth/scope.h"

static oauth_reason_t check_owner(const oauth_authorize_facts_t *facts)
{
    const interaction_t *i = facts->interaction;
    if (!i)
        return OAUTH_INTERACTION_UNKNOWN;
    if (i->state == INTERACTION_LOGIN)
        return OAUTH_INTERACTION_STATE;
    if (!oauth_authorize_user(facts) ||
        memcmp(i->session_id.b, facts->session->id.b, sizeof i->session_id.b) != 0)
        return OAUTH_INTERACTION_OTHER_SESSION;
    return OAUTH_FINE;
}

static oauth_reason_t check(const oauth_authorize_facts_t *facts)
{
    const interaction_t *i = facts->interaction;
    oauth_reason_t reason = check_owner(facts);
    if (reason != OAUTH_FINE)
        return reason;
    if (i->state == INTERACTION_DONE)
        return i->decision != DECISION_NONE &&
                       facts->now - i->decided_at <= facts->settings->decision_replay
                   ? OAUTH_FINE
                   : OAUTH_INTERACTION_UNKNOWN;
    if (facts->now >= i->expires_at)
        return OAUTH_INTERACTION_EXPIRED;
    if (!facts->client && facts->client_reason != OAUTH_FINE)
        return facts->client_reason;
    if (!facts->client)
        return OAUTH_CLIENT_NOT_REGISTERED;
    reason = oauth_answer_may_go(facts, &i->request);
    if (reason != OAUTH_FINE)
        return reason;
    reason = oauth_pushed_check_open(facts, &i->request);
    return reason == OAUTH_FINE ? oauth_device_check_open(facts, &i->request) : reason;
}

/* Puts the decision on the interaction; two clicks race for this effect. */
static rc_t add_decision(arena_t *a, const oauth_authorize_facts_t *facts, decision_t decision,
                         effects_t *effects)
{
    interaction_t *done = ARENA_NEW(a, interaction_t);
    if (!done)
        return RC_MEMORY;
    *done = *facts->interaction;
    done->state = INTERACTION_DONE;
    done->decision = decision;
    done->decided_at = facts->now;
    if (decision == DECISION_APPROVED)
        done->granted_scope = done->request.scope;
    effect_t *update = effects_add(effects, EFFECT_INTERACTION_UPDATE, facts->now);
    update->u.interaction = done;
    update->expect_interaction = INTERACTION_CONSENT;
    return RC_OK;
}

bool oauth_consent_is_of(const consent_t *consent, const client_t *client)
{
    return consent && memcmp(&consent->document, &client->document, sizeof client->document) == 0;
}

/* Remembered for this redirect URI. */
static rc_t add_consent(arena_t *a, const oauth_authorize_facts_t *facts, effects_t *effects)
{
    const authz_request_t *request = &facts->interaction->request;
    const consent_t *before = facts->consent;
    consent_t *consent = ARENA_NEW(a, consent_t);
    if (!consent)
        return RC_MEMORY;
    *consent = (consent_t){
        .user_id = facts->session->user_id,
        .client_id = request->client_id,
        .resource = request->resource,
        .scope = request->scope,
        .granted_at = facts->now,
        .used_at = facts->now,
        .document = facts->client->document,
    };
    TRY(oauth_redirect_uri_key(a, request->redirect_uri, &consent->redirect_uri));
    if (oauth_consent_is_of(before, facts->client) &&
        str_eq(before->redirect_uri, consent->redirect_uri))
        TRY(oauth_scope_union(a, before->scope, request->scope, &consent->scope));
    effects_add(effects, EFFECT_CONSENT_PUT, facts->now)->u.consent = consent;
    return RC_OK;
}

/* The client as it was approved, for the account page and for whoever looks later. */
static rc_t keep_document(arena_t *a, const oauth_authorize_facts_t *facts, effects_t *effects)
{
    if (facts->client->origin != CLIENT_BY_DOCUMENT)
        return RC_OK;
    client_t *snapshot = ARENA_NEW(a, client_t);
    if (!snapshot)
        return RC_MEMORY;
    *snapshot = *facts->client;
    snapshot->used_at = facts->now;
    if (snapshot->created_at == 0)
        snapshot->created_at = facts->now;
    effects_add(effects, EFFECT_CLIENT_PUT, facts->now)->u.client = snapshot;
    return RC_OK;
}

static rc_t deny(arena_t *a, const oauth_authorize_facts_t *facts, oauth_authorize_verdict_t *out)
{
    const interaction_t *i = facts->interaction;
    if (oauth_device_is_for(&i->request))
        oauth_device_answer(facts, &i->request, OAUTH_ACCESS_DENIED, out);
    else
        TRY(oauth_answer_error(a, facts, &i->request, OAUTH_ACCESS_DENIED, STR_UNSET, out));
    out->event.kind = AUDIT_CONSENT;
    if (i->state == INTERACTION_DONE) {
        out->has_event = false;
        return RC_OK;
    }
    oauth_pushed_end(&i->request, facts->now, &out->effects);
    TRY(add_decision(a, facts, DECISION_DENIED, &out->effects));
    return oauth_device_is_for(&i->request) ? oauth_device_deny(a, facts, &out->effects) : RC_OK;
}

/* The device learns of it when it asks the next time. */
static rc_t approve_device(arena_t *a, const oauth_authorize_facts_t *facts,
                           oauth_authorize_verdict_t *out)
{
    const interaction_t *i = facts->interaction;
    oauth_device_answer(facts, &i->request, OAUTH_FINE, out);
    if (i->state == INTERACTION_DONE)
        return RC_OK;
    TRY(add_decision(a, facts, DECISION_APPROVED, &out->effects));
    TRY(add_consent(a, facts, &out->effects));
    TRY(keep_document(a, facts, &out->effects));
    return oauth_device_approve(a, facts, &i->request, out);
}

static rc_t approve(arena_t *a, const oauth_authorize_facts_t *facts, str_t derive_key,
                    oauth_authorize_verdict_t *out)
{
    str_t code;
    const interaction_t *i = facts->interaction;
    if (oauth_device_is_for(&i->request))
        return approve_device(a, facts, out);
    TRY(oauth_handle_derive(a, derive_key, OAUTH_HANDLE_CODE, facts->handle, &code));
    TRY(oauth_answer_code(a, facts, &i->request, code, out));
    if (i->state == INTERACTION_DONE)
        return RC_OK;
    TRY(add_decision(a, facts, DECISION_APPROVED, &out->effects));
    TRY(add_consent(a, facts, &out->effects));
    TRY(keep_document(a, facts, &out->effects));
    return oauth_answer_issue(a, facts, &i->request, code, AUDIT_CONSENT, out);
}

/* The document may have changed while the person read the page. */
static bool saw_it(const oauth_authorize_facts_t *facts, const oauth_decision_t *decision)
{
    return memcmp(facts->client->document.b, decision->seen.b, sizeof decision->seen.b) == 0;
}

rc_t oauth_consent_decide(arena_t *a, const oauth_authorize_facts_t *facts,
                          const oauth_decision_t *decision, oauth_authorize_verdict_t *out)
{
    oauth_reason_t reason = check(facts);
    if (reason != OAUTH_FINE) {
        oauth_answer_page(facts, reason, STR_UNSET, out);
        out->event.kind = AUDIT_CONSENT;
        return RC_OK;
    }
    const interaction_t *i = facts->interaction;
    if (decision->approve && i->state != INTERACTION_DONE && !saw_it(facts, decision))
        return oauth_authorize_next(a, facts, &i->request, out);
    bool approved =
        i->state == INTERACTION_DONE ? i->decision == DECISION_APPROVED : decision->approve;
    return approved ? approve(a, facts, decision->derive_key, out) : deny(a, facts, out);
}
