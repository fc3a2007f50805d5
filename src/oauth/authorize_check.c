#include "core/buf.h"
#include "core/limits.h"
#include "core/num.h"
#include "oauth/acr.h"
#include "oauth/authorize_answer.h"
#include "oauth/dpop.h"
#include "oauth/pkce.h"
#include "oauth/prompt.h"
#include "oauth/redirect_uri.h"
#include "oauth/resource.h"
#include "oauth/scope.h"

/* The parameters that are known; all others are ignored (RFC 6749 section 3.1). */
enum parameter {
    CLIENT_ID,
    REDIRECT_URI,
    STATE,
    RESPONSE_TYPE,
    RESPONSE_MODE,
    REQUEST,
    REQUEST_URI,
    CODE_CHALLENGE,
    CODE_CHALLENGE_METHOD,
    SCOPE,
    PROMPT,
    MAX_AGE,
    ACR_VALUES,
    NONCE,
    DPOP_JKT,
    N_PARAMETERS
};

static const struct {
    str_t name;
    size_t max;
} PARAMETERS[N_PARAMETERS] = {
    [CLIENT_ID] = {STR_INIT("client_id"), LIMIT_CLIENT_ID_BYTES},
    [REDIRECT_URI] = {STR_INIT("redirect_uri"), LIMIT_REDIRECT_URI_BYTES},
    [STATE] = {STR_INIT("state"), LIMIT_STATE_BYTES},
    [RESPONSE_TYPE] = {STR_INIT("response_type"), LIMIT_PARAMETER_BYTES},
    [RESPONSE_MODE] = {STR_INIT("response_mode"), LIMIT_PARAMETER_BYTES},
    [REQUEST] = {STR_INIT("request"), SIZE_MAX},
    [REQUEST_URI] = {STR_INIT("request_uri"), SIZE_MAX},
    [CODE_CHALLENGE] = {STR_INIT("code_challenge"), LIMIT_PARAMETER_BYTES},
    [CODE_CHALLENGE_METHOD] = {STR_INIT("code_challenge_method"), LIMIT_PARAMETER_BYTES},
    [SCOPE] = {STR_INIT("scope"), SIZE_MAX}, /* LIMIT_SCOPE_BYTES, with a reason of its own */
    [PROMPT] = {STR_INIT("prompt"), LIMIT_PARAMETER_BYTES},
    [MAX_AGE] = {STR_INIT("max_age"), LIMIT_PARAMETER_BYTES},
    [ACR_VALUES] = {STR_INIT("acr_values"), LIMIT_PARAMETER_BYTES},
    [NONCE] = {STR_INIT("nonce"), LIMIT_NONCE_BYTES},
    [DPOP_JKT] = {STR_INIT("dpop_jkt"), LIMIT_PARAMETER_BYTES},
};

typedef struct {
    arena_t *a;
    const oauth_authorize_facts_t *facts;
    const form_t *form;
    str_t value[N_PARAMETERS]; /* unset when absent or repeated */
    bool repeated[N_PARAMETERS];
    authz_request_t *request;
    oauth_reason_t reason;
    str_t description;
} check_t;

static void read_all(check_t *c)
{
    for (size_t i = 0; i < N_PARAMETERS; i++)
        c->repeated[i] = form_get(c->form, PARAMETERS[i].name, &c->value[i]) == FORM_REPEATED;
}

/* Stage A: who asks, and where the answer may go. */

static oauth_reason_t check_client(const oauth_authorize_facts_t *facts)
{
    const client_t *client = facts->client;
    if (!client && facts->client_reason != OAUTH_FINE)
        return facts->client_reason;
    if (!client || (client->expires_at != 0 && facts->now >= client->expires_at))
        return OAUTH_CLIENT_NOT_REGISTERED;
    return OAUTH_FINE;
}

static oauth_reason_t check_redirect_uri(check_t *c)
{
    if (c->repeated[REDIRECT_URI])
        return OAUTH_PARAMETER_REPEATED;
    c->request->redirect_uri_given = str_is_set(c->value[REDIRECT_URI]);
    oauth_reason_t reason = oauth_redirect_uri_choose_for(c->facts->client, c->value[REDIRECT_URI],
                                                          &c->request->redirect_uri);
    return reason == OAUTH_FINE ? oauth_answer_check_policy(c->facts, c->request->redirect_uri)
                                : reason;
}

static oauth_reason_t check_state(check_t *c)
{
    if (c->value[STATE].n > PARAMETERS[STATE].max)
        return OAUTH_STATE_TOO_LONG;
    c->request->state = c->value[STATE];
    return OAUTH_FINE;
}

static oauth_reason_t check_stage_a(check_t *c)
{
    oauth_reason_t reason = check_client(c->facts);
    if (reason != OAUTH_FINE)
        return reason;
    c->request->client_id = c->facts->client->id;
    reason = check_redirect_uri(c);
    return reason == OAUTH_FINE ? check_state(c) : reason;
}

/* Stage B: everything else, in this order. */

static rc_t check_repeats(check_t *c)
{
    for (size_t i = 0; i < N_PARAMETERS; i++)
        if (c->repeated[i])
            c->reason = OAUTH_PARAMETER_REPEATED;
    return RC_OK;
}

static rc_t check_lengths(check_t *c)
{
    for (size_t i = 0; i < N_PARAMETERS; i++)
        if (c->value[i].n > PARAMETERS[i].max)
            c->reason = OAUTH_PARAMETER_TOO_LONG;
    c->request->nonce = c->value[NONCE];
    return RC_OK;
}

static rc_t check_request_objects(check_t *c)
{
    if (str_is_set(c->value[REQUEST]))
        c->reason = OAUTH_REQUEST_NOT_SUPPORTED;
    else if (str_is_set(c->value[REQUEST_URI]))
        c->reason = OAUTH_REQUEST_URI_NOT_SUPPORTED;
    return RC_OK;
}

static rc_t check_response_type(check_t *c)
{
    if (!str_is_set(c->value[RESPONSE_TYPE]))
        c->reason = OAUTH_RESPONSE_TYPE_MISSING;
    else if (!str_eq(c->value[RESPONSE_TYPE], STR("code")))
        c->reason = OAUTH_RESPONSE_TYPE_UNSUPPORTED;
    else if (!(c->facts->client->grants & GRANT_AUTHORIZATION_CODE))
        c->reason = OAUTH_GRANT_NOT_REGISTERED;
    return RC_OK;
}

static rc_t check_response_mode(check_t *c)
{
    str_t mode = c->value[RESPONSE_MODE];
    if (str_is_set(mode) && !str_eq(mode, STR("query")))
        c->reason = OAUTH_RESPONSE_MODE_UNSUPPORTED;
    return RC_OK;
}

static rc_t check_pkce(check_t *c)
{
    c->request->code_challenge = c->value[CODE_CHALLENGE];
    c->reason =
        oauth_pkce_check_challenge(c->value[CODE_CHALLENGE], c->value[CODE_CHALLENGE_METHOD]);
    return RC_OK;
}

/* The key that must redeem the code (RFC 9449 section 10). */
static rc_t check_dpop_jkt(check_t *c)
{
    str_t jkt = c->value[DPOP_JKT];
    if (c->facts->settings->dpop == OAUTH_DPOP_OFF || !str_is_set(jkt))
        return RC_OK;
    c->request->dpop_jkt = jkt;
    if (!oauth_dpop_is_jkt(jkt))
        c->reason = OAUTH_DPOP_JKT_MALFORMED;
    return RC_OK;
}

static rc_t check_prompt(check_t *c)
{
    c->request->prompt = c->value[PROMPT];
    oauth_prompt_t prompt = oauth_prompt_read(c->value[PROMPT]);
    if (prompt.none && prompt.others)
        c->reason = OAUTH_PROMPT_CONFLICT;
    return RC_OK;
}

static rc_t check_acr(check_t *c)
{
    c->request->acr_values = c->value[ACR_VALUES];
    if (str_is_set(c->value[ACR_VALUES]) && !oauth_acr_is_offered(c->value[ACR_VALUES]))
        c->reason = OAUTH_ACR_UNMET;
    return RC_OK;
}

static rc_t check_max_age(check_t *c)
{
    c->request->max_age = -1;
    str_t text = c->value[MAX_AGE];
    if (str_is_set(text) && !num_i64(text, 0, INT32_MAX, &c->request->max_age))
        c->reason = OAUTH_MAX_AGE_MALFORMED;
    return RC_OK;
}

/* The scope to ask for: what was asked and can be had. Where nothing of it can, and where nothing
 * was asked, the default of the resource (RFC 6749 section 3.3): clients ask for the scopes of
 * OpenID Connect by habit, and a person sees on the consent page what it comes to. */
static rc_t choose_scope(check_t *c, const resource_t *resource, str_t asked)
{
    str_t allowed;
    TRY(oauth_resource_scope(c->a, resource, c->facts->client, &allowed));
    TRY(oauth_scope_narrow(c->a, asked, allowed, &c->request->scope));
    if (!str_is_set(c->request->scope))
        TRY(oauth_scope_narrow(c->a, resource->default_scope, allowed, &c->request->scope));
    if (!str_is_set(c->request->scope) && resource->n_scopes > 0)
        c->reason = OAUTH_SCOPE_EMPTY;
    return RC_OK;
}

static rc_t check_scope(check_t *c, const resource_t *resource)
{
    str_t asked;
    rc_t rc = oauth_scope_parse(c->a, c->value[SCOPE], &asked);
    if (rc == RC_MALFORMED)
        c->reason = OAUTH_SCOPE_MALFORMED;
    if (rc == RC_LIMIT)
        c->reason = OAUTH_SCOPE_TOO_LONG;
    if (c->reason != OAUTH_FINE)
        return RC_OK;
    TRY(rc);
    return choose_scope(c, resource, asked);
}

static rc_t check_target(check_t *c)
{
    str_list_t values;
    oauth_resource_verdict_t target;
    TRY(form_get_all(c->a, c->form, STR("resource"), &values));
    TRY(oauth_resource_resolve(c->a, c->facts->resources, values, &target));
    c->reason = target.reason;
    c->description = target.description;
    if (target.reason != OAUTH_FINE)
        return RC_OK;
    c->request->resource = target.resource->uri;
    return check_scope(c, target.resource);
}

static rc_t (*const STAGE_B[])(check_t *c) = {
    check_repeats,       check_lengths, check_request_objects, check_response_type,
    check_response_mode, check_pkce,    check_dpop_jkt,        check_prompt,
    check_max_age,       check_acr,     check_target,
};

static rc_t check_stage_b(check_t *c)
{
    for (size_t i = 0; c->reason == OAUTH_FINE && i < sizeof STAGE_B / sizeof STAGE_B[0]; i++)
        TRY(STAGE_B[i](c));
    return RC_OK;
}

/* The trail names the URI that was tried, not only that one was. */
static str_t detail_of(const check_t *c, oauth_reason_t reason)
{
    if (reason != OAUTH_REDIRECT_URI_NOT_REGISTERED)
        return STR_UNSET;
    return arena_printf(c->a, "not registered: %" PRIstr,
                        STR_ARG(str_first(c->value[REDIRECT_URI], LIMIT_REDIRECT_URI_BYTES)));
}

/* A loopback URI that is refused for its path alone: whoever wrote the client sees both. */
static str_t both_paths(const check_t *c, oauth_reason_t reason)
{
    str_t registered = c->request->redirect_uri;
    if (reason != OAUTH_REDIRECT_URI_NOT_REGISTERED || !str_is_set(registered))
        return STR_UNSET;
    c->request->redirect_uri = STR_UNSET; /* nothing goes there */
    return arena_printf(c->a,
                        "The client asked to be answered at %" PRIstr ", and has %" PRIstr
                        " registered: the paths differ",
                        STR_ARG(c->value[REDIRECT_URI]), STR_ARG(registered));
}

static check_t begin(arena_t *a, const oauth_authorize_facts_t *facts, const form_t *form,
                     authz_request_t *request)
{
    check_t c = {.a = a, .facts = facts, .form = form, .request = request};
    *request = (authz_request_t){.max_age = -1};
    read_all(&c);
    return c;
}

rc_t oauth_authorize_judge(arena_t *a, const oauth_authorize_facts_t *facts, const form_t *form,
                           authz_request_t *request, oauth_authorize_finding_t *out)
{
    check_t c = begin(a, facts, form, request);
    oauth_reason_t reason = check_stage_a(&c);
    *out = (oauth_authorize_finding_t){
        .reason = reason,
        .description = both_paths(&c, reason),
        .detail = detail_of(&c, reason),
    };
    if (reason != OAUTH_FINE)
        return RC_OK;
    TRY(check_stage_b(&c));
    *out = (oauth_authorize_finding_t){c.reason, true, c.description, STR_UNSET};
    return RC_OK;
}

rc_t oauth_authorize_judge_target(arena_t *a, const oauth_authorize_facts_t *facts,
                                  const form_t *form, authz_request_t *request,
                                  oauth_authorize_finding_t *out)
{
    check_t c = begin(a, facts, form, request);
    request->client_id = facts->client->id;
    TRY(check_repeats(&c));
    if (c.reason == OAUTH_FINE)
        TRY(check_target(&c));
    *out = (oauth_authorize_finding_t){.reason = c.reason, .description = c.description};
    return RC_OK;
}

static void put_parameter(buf_t *b, str_t name, str_t value)
{
    if (!str_is_set(value))
        return;
    if (b->n > 0)
        buf_char(b, '&');
    buf_put(b, name);
    buf_char(b, '=');
    buf_form(b, value);
}

rc_t oauth_authorize_form(arena_t *a, const form_t *form, str_t *out)
{
    str_t value;
    str_list_t resources;
    buf_t b = buf_new(a, LIMIT_FORM_BYTES);
    for (size_t i = 0; i < N_PARAMETERS; i++)
        if (i != CLIENT_ID && form_get(form, PARAMETERS[i].name, &value) == FORM_ONCE)
            put_parameter(&b, PARAMETERS[i].name, value);
    TRY(form_get_all(a, form, STR("resource"), &resources));
    for (size_t i = 0; i < resources.n; i++)
        put_parameter(&b, STR("resource"), resources.v[i]);
    return buf_done(&b, out);
}
