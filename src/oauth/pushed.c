#include "oauth/pushed.h"

#include "core/json.h"
#include "core/limits.h"
#include "oauth/event.h"
#include "oauth/handle.h"

static const hash_t NONE = {{0}};

bool oauth_pushed_is(const authz_request_t *request)
{
    return memcmp(&request->pushed, &NONE, sizeof NONE) != 0;
}

oauth_reason_t oauth_pushed_check(const oauth_authorize_facts_t *facts)
{
    const pushed_t *pushed = facts->pushed;
    if (!facts->client)
        return OAUTH_CLIENT_NOT_REGISTERED;
    if (!pushed)
        return OAUTH_PUSHED_UNKNOWN;
    if (!str_eq(pushed->client_id, facts->client->id))
        return OAUTH_PUSHED_OTHER_CLIENT;
    return facts->now >= pushed->created_at + facts->settings->pushed_lifetime
               ? OAUTH_PUSHED_EXPIRED
               : OAUTH_FINE;
}

oauth_reason_t oauth_pushed_check_open(const oauth_authorize_facts_t *facts,
                                       const authz_request_t *request)
{
    return oauth_pushed_is(request) && !facts->pushed ? OAUTH_PUSHED_UNKNOWN : OAUTH_FINE;
}

void oauth_pushed_end(const authz_request_t *request, int64_t now, effects_t *effects)
{
    if (oauth_pushed_is(request))
        effects_add(effects, EFFECT_PUSHED_CONSUME, now)->u.hash = &request->pushed;
}

static oauth_reason_t check_client(const oauth_pushed_facts_t *f)
{
    if (f->claim->reason != OAUTH_FINE)
        return f->claim->reason;
    oauth_reason_t reason = oauth_client_auth_check(f->claim, f->client, f->now);
    if (reason != OAUTH_FINE)
        return reason;
    str_t uri;
    if (form_get(f->form, STR("request_uri"), &uri) != FORM_ABSENT)
        return OAUTH_PUSHED_REQUEST_URI;
    return oauth_dpop_check_optional(f->proof, &f->seen);
}

static str_t jkt_of(const oauth_pushed_facts_t *f)
{
    return f->proof ? f->proof->jkt : STR_UNSET;
}

/* The authorization endpoint's checks, long before the browser comes. */
static rc_t judge(arena_t *a, const oauth_pushed_facts_t *f, authz_request_t *request,
                  oauth_authorize_finding_t *out)
{
    const oauth_authorize_facts_t facts = {
        .settings = f->settings,
        .random = f->random,
        .now = f->now,
        .resources = f->resources,
        .client = f->client,
    };
    return oauth_authorize_judge(a, &facts, f->form, request, out);
}

/* Its row outlives its request_uri: it is what the decision of the person ends. */
static rc_t keep(arena_t *a, const oauth_pushed_facts_t *f, str_t handle, effects_t *effects)
{
    pushed_t *pushed = ARENA_NEW(a, pushed_t);
    if (!pushed)
        return RC_MEMORY;
    *pushed = (pushed_t){
        .id = oauth_handle_hash(handle),
        .client_id = f->client->id,
        .dpop_jkt = jkt_of(f),
        .created_at = f->now,
        .expires_at = f->now + f->settings->pushed_lifetime + f->settings->interaction_lifetime,
    };
    TRY(oauth_authorize_form(a, f->form, &pushed->form));
    effect_t *insert = effects_add(effects, EFFECT_PUSHED_INSERT, f->now);
    insert->u.pushed = pushed;
    insert->quota.max_rows = f->settings->max_pushed;
    return str_is_set(pushed->dpop_jkt) ? oauth_dpop_spend(a, f->proof, &f->seen, f->now, effects)
                                        : RC_OK;
}

static rc_t accept(arena_t *a, const oauth_pushed_facts_t *f, oauth_pushed_verdict_t *out)
{
    str_t handle, uri;
    TRY(oauth_handle_new(a, f->random, OAUTH_HANDLE_PUSHED, &handle));
    TRY(keep(a, f, handle, &out->effects));
    uri = arena_printf(a, OAUTH_PUSHED_URN "%" PRIstr, STR_ARG(handle));
    if (!str_is_set(uri))
        return RC_MEMORY;
    buf_t b = buf_new(a, LIMIT_ANSWER_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("request_uri"), uri);
    json_member_int(&w, STR("expires_in"), f->settings->pushed_lifetime);
    json_end_object(&w);
    out->status = 201;
    return buf_done(&b, &out->body);
}

static rc_t refuse(arena_t *a, const oauth_pushed_facts_t *f, str_t description,
                   oauth_pushed_verdict_t *out)
{
    out->status = oauth_reason_status(out->reason);
    out->www_authenticate = oauth_client_auth_challenge(f->claim, out->reason);
    return oauth_reason_json(a, out->reason, description, &out->body);
}

rc_t oauth_pushed_decide(arena_t *a, const oauth_pushed_facts_t *f, oauth_pushed_verdict_t *out)
{
    authz_request_t request = {0};
    oauth_authorize_finding_t found = {.reason = check_client(f)};
    if (found.reason == OAUTH_FINE)
        TRY(judge(a, f, &request, &found));
    /* The key is named in one way only (RFC 9449 section 10.1). */
    if (found.reason == OAUTH_FINE && str_is_set(request.dpop_jkt) && str_is_set(jkt_of(f)) &&
        !str_eq(request.dpop_jkt, jkt_of(f)))
        found.reason = OAUTH_DPOP_JKT_OTHER;
    if (found.reason == OAUTH_FINE && f->full)
        found.reason = OAUTH_PUSHED_FULL;
    *out = (oauth_pushed_verdict_t){.reason = found.reason};
    out->event = oauth_event(AUDIT_PUSHED, found.reason);
    out->event.client = f->claim->client_id;
    out->event.resource = request.resource;
    out->event.scope = request.scope;
    if (str_is_set(found.detail))
        out->event.detail = found.detail;
    return found.reason == OAUTH_FINE ? accept(a, f, out) : refuse(a, f, found.description, out);
}
