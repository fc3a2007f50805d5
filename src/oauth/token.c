#include "oauth/token.h"

#include "core/json.h"
#include "core/limits.h"
#include "oauth/event.h"
#include "oauth/grant.h"
#include "oauth/handle.h"
#include "oauth/method.h"
#include "oauth/resource.h"

static const struct {
    uint32_t bit;
    str_t handle; /* the parameter whose hash finds the record; unset: none */
    rc_t (*decide)(arena_t *a, const oauth_token_facts_t *facts, oauth_token_verdict_t *out);
} GRANTS[] = {
    {GRANT_AUTHORIZATION_CODE, STR_INIT("code"), oauth_grant_code},
    {GRANT_REFRESH_TOKEN, STR_INIT("refresh_token"), oauth_grant_refresh},
    {GRANT_CLIENT_CREDENTIALS, {NULL, 0}, oauth_grant_client_credentials},
    {GRANT_DEVICE_CODE, STR_INIT("device_code"), oauth_grant_device},
    {GRANT_TOKEN_EXCHANGE, {NULL, 0}, oauth_grant_exchange},
    {GRANT_JWT_BEARER, {NULL, 0}, oauth_grant_jwt_bearer},
};

enum { N_GRANTS = sizeof GRANTS / sizeof GRANTS[0] };

_Static_assert((int)N_GRANTS == (int)OAUTH_GRANTS,
               "each grant of the table that metadata reads is decided");

static size_t index_of(uint32_t bit)
{
    size_t i = 0;
    while (i < N_GRANTS && GRANTS[i].bit != bit)
        i++;
    return i;
}

/* The handle itself is not kept, only its hash. */
static void read_handle(const form_t *form, size_t grant, oauth_token_request_t *out)
{
    str_t handle;
    if (!str_is_set(GRANTS[grant].handle))
        return;
    form_found_t found = form_get(form, GRANTS[grant].handle, &handle);
    if (found == FORM_REPEATED)
        out->reason = OAUTH_PARAMETER_REPEATED;
    out->has_hash = found == FORM_ONCE;
    if (out->has_hash)
        out->hash = oauth_handle_hash(handle);
}

static bool read_texts(const form_t *form, oauth_token_request_t *out)
{
    const struct {
        str_t name, *value;
    } TEXTS[] = {
        {STR("redirect_uri"), &out->redirect_uri},
        {STR("code_verifier"), &out->code_verifier},
        {STR("scope"), &out->scope},
        {STR("subject_token"), &out->exchange.subject_token},
        {STR("subject_token_type"), &out->exchange.subject_token_type},
        {STR("actor_token"), &out->exchange.actor_token},
        {STR("actor_token_type"), &out->exchange.actor_token_type},
        {STR("requested_token_type"), &out->exchange.requested_token_type},
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        if (form_get(form, TEXTS[i].name, TEXTS[i].value) == FORM_REPEATED)
            return false;
    return true;
}

rc_t oauth_token_read(arena_t *a, const form_t *form, oauth_token_request_t *out)
{
    str_t grant;
    *out = (oauth_token_request_t){0};
    form_found_t found = form_get(form, STR("grant_type"), &grant);
    if (found != FORM_ONCE) {
        out->reason = found == FORM_REPEATED ? OAUTH_PARAMETER_REPEATED : OAUTH_GRANT_TYPE_MISSING;
        return RC_OK;
    }
    out->grant = oauth_grant_parse(grant);
    if (out->grant == 0) {
        out->reason = OAUTH_GRANT_TYPE_UNSUPPORTED;
        return RC_OK;
    }
    read_handle(form, index_of(out->grant), out);
    if (!read_texts(form, out))
        out->reason = OAUTH_PARAMETER_REPEATED;
    TRY(form_get_all(a, form, STR("audience"), &out->exchange.audiences));
    return form_get_all(a, form, STR("resource"), &out->resources);
}

static bool is_workload(const oauth_token_facts_t *f)
{
    const oauth_bearer_t *bearer = f->request->bearer;
    return f->request->grant == GRANT_JWT_BEARER && bearer && bearer->is_workload;
}

/* Who asks, and whether it may ask for this at all. A workload is no client: its assertion says who
 * it is. */
static oauth_reason_t check_client(const oauth_token_facts_t *f)
{
    if (is_workload(f) && f->claim->reason == OAUTH_CLIENT_AUTH_MISSING)
        return oauth_bearer_verdict(f->request->bearer);
    if (f->claim->reason != OAUTH_FINE)
        return f->claim->reason;
    oauth_reason_t reason = oauth_client_auth_check(f->claim, f->client, f->now);
    if (reason != OAUTH_FINE)
        return reason;
    if (f->request->reason != OAUTH_FINE)
        return f->request->reason;
    if (f->request->bearer && f->request->bearer->reason == OAUTH_GRANT_TYPE_UNSUPPORTED)
        return OAUTH_GRANT_TYPE_UNSUPPORTED;
    uint32_t confidential = GRANT_CLIENT_CREDENTIALS | GRANT_TOKEN_EXCHANGE;
    if (f->request->grant & confidential && f->client->auth == CLIENT_AUTH_NONE)
        return OAUTH_GRANT_CONFIDENTIAL_ONLY;
    return oauth_client_grants(f->settings, f->client) & f->request->grant
               ? OAUTH_FINE
               : OAUTH_GRANT_NOT_REGISTERED;
}

str_t oauth_token_jkt(const oauth_token_facts_t *facts)
{
    return facts->proof ? facts->proof->jkt : STR_UNSET;
}

static oauth_reason_t check_proof(const oauth_token_facts_t *f)
{
    if (f->proof && f->proof->reason != OAUTH_FINE)
        return f->proof->reason;
    if (str_is_set(oauth_token_jkt(f)))
        return oauth_dpop_check_use(f->proof, &f->seen);
    bool needed = f->client->dpop_bound || f->settings->dpop == OAUTH_DPOP_REQUIRED;
    return needed ? OAUTH_DPOP_MISSING : OAUTH_FINE;
}

/* What holds for every grant: a resource that wants bound tokens gets no others, and a proof counts
 * once. */
static rc_t bind(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    const resource_t *resource = oauth_resource_find(f->resources, out->event.resource);
    if (str_is_set(oauth_token_jkt(f)))
        return oauth_dpop_spend(a, f->proof, &f->seen, f->now, &out->effects);
    if (!resource || !resource->dpop_required)
        return RC_OK;
    out->reason = OAUTH_DPOP_MISSING;
    out->effects.n = 0;
    out->claims = out->access_token = out->refresh_token = out->event.token = STR_UNSET;
    return RC_OK;
}

static rc_t write_refusal(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    out->status = oauth_reason_status(out->reason);
    out->www_authenticate = oauth_client_auth_challenge(f->claim, out->reason);
    return oauth_reason_json(a, out->reason, out->description, &out->body);
}

/* Puts the reason on the event that the grant has begun. */
static void finish_event(const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    audit_event_t verdict = oauth_event(out->event.kind, out->reason);
    out->event.allowed = verdict.allowed;
    out->event.reason = verdict.reason;
    if (!verdict.allowed || !str_is_set(out->event.detail))
        out->event.detail = verdict.allowed ? oauth_grant_name(f->request->grant) : verdict.detail;
    out->event.client = f->client ? f->client->id : f->claim->client_id;
}

static rc_t decide(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    if (out->reason == OAUTH_FINE)
        out->reason = check_proof(f);
    if (out->reason == OAUTH_FINE)
        TRY(GRANTS[index_of(f->request->grant)].decide(a, f, out));
    if (out->reason == OAUTH_FINE)
        TRY(bind(a, f, out));
    finish_event(f, out);
    return out->reason == OAUTH_FINE ? RC_OK : write_refusal(a, f, out);
}

rc_t oauth_token_decide(arena_t *a, const oauth_token_facts_t *facts, oauth_token_verdict_t *out)
{
    oauth_token_facts_t f = *facts;
    *out = (oauth_token_verdict_t){.event.kind = AUDIT_TOKEN, .status = 200};
    out->reason = check_client(facts);
    if (out->reason == OAUTH_FINE && is_workload(facts))
        f.client = &facts->request->bearer->client;
    return decide(a, &f, out);
}

rc_t oauth_token_answer(arena_t *a, const oauth_token_verdict_t *verdict, str_t access_token,
                        str_t *body)
{
    buf_t b = buf_new(a, LIMIT_ANSWER_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("access_token"), access_token);
    json_member_str(&w, STR("token_type"), str_is_set(verdict->jkt) ? STR("DPoP") : STR("Bearer"));
    json_member_str(&w, STR("issued_token_type"), verdict->issued_token_type);
    json_member_int(&w, STR("expires_in"), verdict->expires_in);
    json_member_str(&w, STR("refresh_token"), verdict->refresh_token);
    json_member_str(&w, STR("scope"), verdict->scope);
    json_end_object(&w);
    return buf_done(&b, body);
}
