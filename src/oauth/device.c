#include "oauth/device.h"

#include "core/json.h"
#include "core/limits.h"
#include "oauth/authorize_answer.h"
#include "oauth/event.h"
#include "oauth/handle.h"
#include "oauth/metadata.h"
#include "oauth/user_code.h"

static oauth_reason_t check_client(const oauth_device_facts_t *f)
{
    if (f->claim->reason != OAUTH_FINE)
        return f->claim->reason;
    oauth_reason_t reason = oauth_client_auth_check(f->claim, f->client, f->now);
    if (reason != OAUTH_FINE)
        return reason;
    return oauth_client_grants(f->settings, f->client) & GRANT_DEVICE_CODE
               ? oauth_dpop_check_optional(f->proof, &f->seen)
               : OAUTH_GRANT_NOT_REGISTERED;
}

static rc_t judge(arena_t *a, const oauth_device_facts_t *f, authz_request_t *request,
                  oauth_authorize_finding_t *out)
{
    const oauth_authorize_facts_t facts = {
        .settings = f->settings,
        .random = f->random,
        .now = f->now,
        .resources = f->resources,
        .client = f->client,
    };
    return oauth_authorize_judge_target(a, &facts, f->form, request, out);
}

static rc_t write_body(arena_t *a, const oauth_device_facts_t *f, str_t device_code,
                       str_t user_code, str_t *out)
{
    str_t shown = oauth_user_code_show(a, user_code);
    str_t page = arena_printf(a, "%" PRIstr OAUTH_PATH_DEVICE, STR_ARG(f->settings->issuer));
    str_t complete =
        arena_printf(a, "%" PRIstr "?user_code=%" PRIstr, STR_ARG(page), STR_ARG(shown));
    if (!str_is_set(shown) || !str_is_set(page) || !str_is_set(complete))
        return RC_MEMORY;
    buf_t b = buf_new(a, LIMIT_ANSWER_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("device_code"), device_code);
    json_member_str(&w, STR("user_code"), shown);
    json_member_str(&w, STR("verification_uri"), page);
    json_member_str(&w, STR("verification_uri_complete"), complete);
    json_member_int(&w, STR("expires_in"), f->settings->device_lifetime);
    json_member_int(&w, STR("interval"), f->settings->device_interval);
    json_end_object(&w);
    return buf_done(&b, out);
}

static rc_t keep(arena_t *a, const oauth_device_facts_t *f, const authz_request_t *request,
                 str_t device_code, oauth_device_verdict_t *out)
{
    device_t *device = ARENA_NEW(a, device_t);
    if (!device)
        return RC_MEMORY;
    *device = (device_t){
        .id = oauth_handle_hash(device_code),
        .state = DEVICE_PENDING,
        .client_id = f->client->id,
        .scope = request->scope,
        .resource = request->resource,
        .dpop_jkt = f->proof ? f->proof->jkt : STR_UNSET,
        .created_at = f->now,
        .expires_at = f->now + f->settings->device_lifetime,
        .interval_s = f->settings->device_interval,
    };
    TRY(oauth_user_code_new(a, f->random, &device->user_code));
    effect_t *insert = effects_add(&out->effects, EFFECT_DEVICE_INSERT, f->now);
    insert->u.device = device;
    insert->quota.max_rows = f->settings->max_devices;
    if (str_is_set(device->dpop_jkt))
        TRY(oauth_dpop_spend(a, f->proof, &f->seen, f->now, &out->effects));
    return write_body(a, f, device_code, device->user_code, &out->body);
}

static rc_t refuse(arena_t *a, const oauth_device_facts_t *f, str_t description,
                   oauth_device_verdict_t *out)
{
    out->status = oauth_reason_status(out->reason);
    out->www_authenticate = oauth_client_auth_challenge(f->claim, out->reason);
    return oauth_reason_json(a, out->reason, description, &out->body);
}

rc_t oauth_device_decide(arena_t *a, const oauth_device_facts_t *f, oauth_device_verdict_t *out)
{
    str_t device_code;
    authz_request_t request = {0};
    oauth_authorize_finding_t found = {.reason = check_client(f)};
    if (found.reason == OAUTH_FINE)
        TRY(judge(a, f, &request, &found));
    if (found.reason == OAUTH_FINE && f->full)
        found.reason = OAUTH_DEVICE_FULL;
    *out = (oauth_device_verdict_t){.reason = found.reason, .status = 200};
    out->event = oauth_event(AUDIT_DEVICE, found.reason);
    out->event.client = f->claim->client_id;
    out->event.resource = request.resource;
    out->event.scope = request.scope;
    if (found.reason != OAUTH_FINE)
        return refuse(a, f, found.description, out);
    TRY(oauth_handle_new(a, f->random, OAUTH_HANDLE_DEVICE, &device_code));
    return keep(a, f, &request, device_code, out);
}

static bool waits(const device_t *device, int64_t now)
{
    return device && device->state == DEVICE_PENDING && now < device->expires_at;
}

oauth_reason_t oauth_device_open(const device_t *device, int64_t now, authz_request_t *request)
{
    *request = (authz_request_t){.max_age = -1};
    if (!waits(device, now))
        return OAUTH_USER_CODE_UNKNOWN;
    request->client_id = device->client_id;
    request->scope = device->scope;
    request->resource = device->resource;
    request->dpop_jkt = device->dpop_jkt;
    request->device = device->id;
    return OAUTH_FINE;
}

audit_event_t oauth_device_event(oauth_reason_t reason, const user_t *user, str_t client)
{
    audit_event_t event = oauth_event(AUDIT_DEVICE, reason);
    event.user = user ? user->id : STR_UNSET;
    event.client = client;
    return event;
}

bool oauth_device_is_for(const authz_request_t *request)
{
    static const hash_t NONE = {{0}};
    return memcmp(&request->device, &NONE, sizeof NONE) != 0;
}

oauth_reason_t oauth_device_check_open(const oauth_authorize_facts_t *facts,
                                       const authz_request_t *request)
{
    return oauth_device_is_for(request) && !waits(facts->device, facts->now) ? OAUTH_DEVICE_GONE
                                                                             : OAUTH_FINE;
}

void oauth_device_answer(const oauth_authorize_facts_t *facts, const authz_request_t *request,
                         oauth_reason_t reason, oauth_authorize_verdict_t *out)
{
    oauth_answer_page(facts, reason, STR_UNSET, out);
    out->kind = OAUTH_AUTHORIZE_DEVICE;
    out->has_event = reason != OAUTH_FINE;
    out->event.resource = request->resource;
    out->event.scope = request->scope;
}

/* A copy of the device that waits, decided. */
static rc_t decide(arena_t *a, const oauth_authorize_facts_t *facts, device_state_t state,
                   effects_t *effects, device_t **out)
{
    device_t *device = *out = ARENA_NEW(a, device_t);
    if (!device)
        return RC_MEMORY;
    *device = *facts->device;
    device->state = state;
    effects_add(effects, EFFECT_DEVICE_DECIDE, facts->now)->u.device = device;
    return RC_OK;
}

rc_t oauth_device_approve(arena_t *a, const oauth_authorize_facts_t *facts,
                          const authz_request_t *request, oauth_authorize_verdict_t *out)
{
    device_t *device;
    TRY(decide(a, facts, DEVICE_APPROVED, &out->effects, &device));
    TRY(oauth_handle_new(a, facts->random, OAUTH_HANDLE_FAMILY, &device->family_id));
    device->user_id = facts->session->user_id;
    device->scope = request->scope;
    device->auth_time = facts->session->auth_time;
    device->acr = facts->session->acr;
    return oauth_answer_granted(a, facts, request, device->family_id, AUDIT_CONSENT, out);
}

rc_t oauth_device_deny(arena_t *a, const oauth_authorize_facts_t *facts, effects_t *effects)
{
    device_t *device;
    return decide(a, facts, DEVICE_DENIED, effects, &device);
}
