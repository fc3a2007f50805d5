#include "doctor/facts.h"

#include "http/addr.h"

static const doctor_ask_row_t ASKS[DOCTOR_ASK_COUNT] = {
#define ASK(name, id, phase, what)                                                                 \
    [DOCTOR_ASK_##name] = {STR_INIT(id), STR_INIT(what), DOCTOR_PHASE_##phase},
#include "doctor/asks.def"
#undef ASK
};

const doctor_ask_row_t *doctor_ask_row(doctor_ask_t ask)
{
    return &ASKS[ask];
}

static const struct {
    str_t id, title;
} PHASES[DOCTOR_PHASE_COUNT] = {
#define DOCTOR_PHASE(name, id, title) [DOCTOR_PHASE_##name] = {STR_INIT(id), STR_INIT(title)},
    DOCTOR_PHASE_TABLE(DOCTOR_PHASE)
#undef DOCTOR_PHASE
};

str_t doctor_phase_id(doctor_phase_t phase)
{
    return PHASES[phase].id;
}

str_t doctor_phase_title(doctor_phase_t phase)
{
    return PHASES[phase].title;
}

rc_t doctor_facts_begin(str_t url, unsigned budget, doctor_facts_t *out)
{
    *out = (doctor_facts_t){.url = url,
                            .budget = budget,
                            .refused_at = DOCTOR_ASK_COUNT,
                            .resource_at = DOCTOR_ASK_COUNT,
                            .server_at = DOCTOR_ASK_COUNT};
    TRY(url_parse(url, &out->parts));
    bool usable = url_is_http(&out->parts) && !str_is_set(out->parts.userinfo) &&
                  !str_is_set(out->parts.fragment);
    return usable ? RC_OK : RC_MALFORMED;
}

int doctor_status(const doctor_facts_t *f, doctor_ask_t ask)
{
    return doctor_answered(f, ask) ? f->at[ask].answer.status : 0;
}

/* Clients go by the head of a refusal, and read no page that comes with it, however long. */
static bool is_told_by_head(const http_answer_t *answer)
{
    return answer->end == HTTP_AGENT_TOO_LONG && (answer->status == 401 || answer->status == 403);
}

bool doctor_answered(const doctor_facts_t *f, doctor_ask_t ask)
{
    const http_answer_t *answer = &f->at[ask].answer;
    return f->at[ask].asked && (answer->end == HTTP_AGENT_DONE || is_told_by_head(answer));
}

const json_t *doctor_json(const doctor_facts_t *f, doctor_ask_t ask)
{
    return f->at[ask].json;
}

str_t doctor_header(const doctor_facts_t *f, doctor_ask_t ask, str_t name)
{
    return doctor_answered(f, ask) ? http_headers_get(f->at[ask].answer.headers, name) : STR_UNSET;
}

bool doctor_reached(const doctor_facts_t *f)
{
    return doctor_answered(f, DOCTOR_ASK_INITIALIZE);
}

bool doctor_is_open(const doctor_facts_t *f)
{
    int status = doctor_status(f, DOCTOR_ASK_INITIALIZE);
    return status >= 200 && status < 300 && !f->resource && f->refused_at == DOCTOR_ASK_COUNT;
}

bool doctor_is_loopback(str_t url)
{
    url_t u;
    return url_parse(url, &u) == RC_OK && str_is_set(u.host) && http_host_is_here(u.host);
}

str_t doctor_origin(arena_t *a, str_t url)
{
    url_t u;
    str_t origin = STR_UNSET;
    if (!str_is_set(url) || url_parse(url, &u) != RC_OK || !url_is_http(&u))
        return STR_UNSET;
    return url_origin(a, &u, &origin) == RC_OK ? origin : STR_UNSET;
}

static rc_t learn_refusal(arena_t *a, doctor_facts_t *f, doctor_ask_t ask)
{
    str_list_t values;
    if (f->refused_at != DOCTOR_ASK_COUNT || doctor_status(f, ask) != 401)
        return RC_OK;
    f->refused_at = ask;
    TRY(http_headers_all(a, f->at[ask].answer.headers, STR("WWW-Authenticate"), &values));
    TRY(client_challenges_read(a, values, &f->challenges));
    return client_challenge_pick(a, &f->challenges, &f->challenge);
}

/* The metadata of an authorization server in place of the resource's is no document about one. */
static bool is_of_server(const json_t *json)
{
    return json_get(json, STR("issuer")) && !json_get(json, STR("resource"));
}

static void learn_resource(doctor_facts_t *f, doctor_ask_t ask)
{
    if (f->resource || !f->at[ask].json || is_of_server(f->at[ask].json))
        return;
    f->resource = f->at[ask].json;
    f->resource_at = ask;
    const json_t *servers = json_get(f->resource, STR("authorization_servers"));
    if (!json_is(servers, JSON_ARRAY))
        return;
    f->n_issuers = servers->count;
    if (json_is(servers->child, JSON_STRING))
        f->issuer = servers->child->str;
}

static void learn_server(doctor_facts_t *f, doctor_ask_t ask)
{
    if (f->server || !f->at[ask].json)
        return;
    f->server = f->at[ask].json;
    f->server_at = ask;
}

/* What kind of document an answer may be. */
static rc_t learn(arena_t *a, doctor_facts_t *f, doctor_ask_t ask)
{
    switch (ask) {
    case DOCTOR_ASK_INITIALIZE:
    case DOCTOR_ASK_DISCOVER:
    case DOCTOR_ASK_LIST:
        return learn_refusal(a, f, ask);
    case DOCTOR_ASK_PRM_CHALLENGE:
    case DOCTOR_ASK_PRM_PATH:
    case DOCTOR_ASK_PRM_ROOT:
        learn_resource(f, ask);
        return RC_OK;
    case DOCTOR_ASK_AS_RFC8414:
    case DOCTOR_ASK_AS_OIDC_INSERTED:
    case DOCTOR_ASK_AS_OIDC:
    case DOCTOR_ASK_AS_ROOT:
    case DOCTOR_ASK_AS_ORIGIN:
        learn_server(f, ask);
        return RC_OK;
    default:
        return RC_OK;
    }
}

rc_t doctor_facts_took(arena_t *a, doctor_facts_t *f, doctor_ask_t ask, const http_answer_t *answer)
{
    doctor_exchange_t *x = &f->at[ask];
    const json_t *json = NULL;
    x->asked = true;
    x->answer = *answer;
    if (answer->end == HTTP_AGENT_DONE && answer->status == 200) {
        rc_t rc = json_parse(a, answer->body, NULL, &json);
        if (rc == RC_MEMORY)
            return rc;
        x->json = json_is(json, JSON_OBJECT) ? json : NULL;
    }
    return learn(a, f, ask);
}
