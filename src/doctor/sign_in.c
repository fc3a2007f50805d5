#include "doctor/sign_in.h"

#include "client/url_rule.h"
#include "core/json.h"
#include "core/limits.h"
#include "doctor/plan.h"
#include "mcp/sse.h"

enum { MILLIS = 10000 };

/* The doctor between the source of tokens and the world. */
typedef struct {
    arena_t *a;
    const doctor_config_t *config;
    const doctor_probe_t *probe;
    doctor_facts_t *f;
    doctor_secrets_t *secrets;
    tokens_source_t *source;
    bool nobody; /* a person is not asked again: what follows must go by itself */
    str_t page;  /* the authorization request that was opened; unset: none was */
    str_t session, version;
} signing_t;

/* Requests of the source, counted like all others, its secrets remembered. */
static rc_t ask_counted(void *ctx, arena_t *a, const http_agent_request_t *request,
                        http_answer_t *out)
{
    signing_t *s = ctx;
    if (s->f->requests >= s->f->budget) {
        *out = (http_answer_t){.end = HTTP_AGENT_CANCELLED, .why = STR("the budget is used up")};
        return RC_OK;
    }
    s->f->requests++;
    TRY(s->probe->http.ask(s->probe->http.ctx, a, request, out));
    doctor_secrets_learn(s->a, s->secrets, request, out);
    return RC_OK;
}

static bool open_page(void *ctx, str_t url)
{
    signing_t *s = ctx;
    const tokens_person_t *person = &s->config->tokens.person;
    if (s->nobody || !person->open)
        return false;
    s->page = arena_dup(s->a, url);
    return person->open(person->ctx, url);
}

static bool show_code(void *ctx, str_t user_code, str_t uri, str_t uri_complete)
{
    signing_t *s = ctx;
    const tokens_person_t *person = &s->config->tokens.person;
    if (s->nobody || !person->code)
        return false;
    doctor_secrets_add(s->a, s->secrets, user_code);
    return person->code(person->ctx, user_code, uri, uri_complete);
}

static void says(void *ctx, str_t sentence)
{
    signing_t *s = ctx;
    if (s->probe->says)
        s->probe->says(s->probe->ctx, sentence);
}

static tokens_config_t source_config(signing_t *s, tokens_memory_t *memory)
{
    tokens_config_t t = s->config->tokens;
    t.url = s->config->url;
    t.reach = s->config->reach;
    t.http = (http_ask_port_t){ask_counted, s};
    t.keep = tokens_memory_keep(memory);
    t.clock = s->config->clock;
    t.random = s->config->random;
    t.person = (tokens_person_t){.open = open_page, .code = show_code, .says = says, .ctx = s};
    return t;
}

/* What an event stream or a body holds as the answer to a request. */
static bool has_result(arena_t *a, str_t body)
{
    const json_t *json;
    mcp_sse_t reader = {0};
    mcp_sse_event_t event;
    rc_t rc = RC_OK;
    bool found = false;
    if (json_parse(a, body, NULL, &json) == RC_OK)
        return json_is(json_get(json, STR("result")), JSON_OBJECT);
    while (!found && mcp_sse_next(&reader, &body, &event, &rc) == MCP_SSE_EVENT)
        found = str_is_set(event.data) && json_parse(a, event.data, NULL, &json) == RC_OK &&
                json_is(json_get(json, STR("result")), JSON_OBJECT);
    mcp_sse_free(&reader);
    return found;
}

static rc_t ask_once(signing_t *s, doctor_ask_t ask, str_t method, str_t body, http_answer_t *out)
{
    tokens_headers_t token;
    TRY(tokens_source_headers(s->source, s->a, STR("POST"), STR_UNSET, &token));
    const http_header_t fields[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Accept"), STR("application/json, text/event-stream")},
        {STR("Authorization"), token.authorization},
        {STR("DPoP"), token.dpop},
        {STR("MCP-Protocol-Version"), s->version},
        {STR("Mcp-Session-Id"), s->session},
    };
    http_header_t set[sizeof fields / sizeof *fields];
    size_t n = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (str_is_set(fields[i].value))
            set[n++] = fields[i];
    const http_agent_request_t request = {.method = method,
                                          .url = s->f->url,
                                          .headers = {set, n},
                                          .body = body,
                                          .reach = client_url_reach(s->f->url, s->config->reach),
                                          .max_body = LIMIT_HTTP_FETCH_BYTES,
                                          .head_ms = MILLIS,
                                          .total_ms = MILLIS};
    if (str_is_set(token.authorization))
        doctor_secrets_add(
            s->a, s->secrets,
            str_skip(token.authorization, str_find(token.authorization, ' ', 0) + 1));
    s->f->at[ask].method = method;
    s->f->at[ask].url = s->f->url;
    return ask_counted(s, s->a, &request, out);
}

/* One request with the token, once more with a nonce where one is asked for. Only the status is
 * remembered: servers repeat tokens in what they answer. */
static rc_t ask_signed(signing_t *s, doctor_ask_t ask, str_t body, http_answer_t *answer)
{
    TRY(ask_once(s, ask, STR("POST"), body, answer));
    str_t nonce = http_headers_get(answer->headers, STR("DPoP-Nonce"));
    if (answer->end == HTTP_AGENT_DONE && str_is_set(nonce)) {
        tokens_source_nonce(s->source, nonce);
        if (answer->status == 401)
            TRY(ask_once(s, ask, STR("POST"), body, answer));
    }
    const http_answer_t bare = {.end = answer->end, .status = answer->status};
    return doctor_facts_took(s->a, s->f, ask, &bare);
}

static bool went_well(const http_answer_t *answer)
{
    return answer->end == HTTP_AGENT_DONE && answer->status >= 200 && answer->status < 300;
}

/* initialize, and in its session tools/list. */
static rc_t use_token(signing_t *s)
{
    http_answer_t answer;
    TRY(ask_signed(s, DOCTOR_ASK_SIGNED_INITIALIZE, doctor_body_initialize(), &answer));
    if (went_well(&answer)) {
        str_t id = http_headers_get(answer.headers, STR("Mcp-Session-Id"));
        tokens_source_went_well(s->source, STR("initialize"));
        s->session = str_is_set(id) ? arena_dup(s->a, id) : STR_UNSET;
        doctor_secrets_add(s->a, s->secrets, s->session);
    }
    s->version = STR("2025-11-25");
    TRY(ask_once(s, DOCTOR_ASK_SIGNED_LIST, STR("POST"),
                 STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), &answer));
    TRY(ask_signed(s, DOCTOR_ASK_SIGNED_LIST, doctor_body_list(), &answer));
    s->f->sign.lists_tools = went_well(&answer) && has_result(s->a, answer.body);
    return RC_OK;
}

/* A session is not left behind. */
static rc_t end_session(signing_t *s)
{
    http_answer_t answer;
    if (!str_is_set(s->session))
        return RC_OK;
    const doctor_exchange_t before = s->f->at[DOCTOR_ASK_SIGNED_LIST];
    rc_t rc = ask_once(s, DOCTOR_ASK_SIGNED_LIST, STR("DELETE"), STR_UNSET, &answer);
    s->f->at[DOCTOR_ASK_SIGNED_LIST] = before;
    s->session = STR_UNSET;
    return rc;
}

/* As if the token had ended: only a refresh may bring another one. */
static rc_t try_refresh(signing_t *s)
{
    tokens_headers_t token;
    client_failure_t why;
    http_answer_t answer;
    doctor_signed_t *sign = &s->f->sign;
    static const str_t ENDED[] = {STR_INIT("Bearer error=\"invalid_token\"")};
    if (!sign->has_refresh || doctor_status(s->f, DOCTOR_ASK_SIGNED_INITIALIZE) != 200)
        return RC_OK;
    TRY(tokens_source_headers(s->source, s->a, STR("POST"), STR_UNSET, &token));
    const tokens_refusal_t ended = {.status = 401,
                                    .challenges = {ENDED, 1},
                                    .generation = token.generation,
                                    .operation = STR("initialize")};
    s->nobody = true;
    sign->refresh_tried = s->f->requests < s->f->budget;
    sign->refreshed = tokens_source_refused(s->source, s->a, &ended, &why) == TOKENS_AGAIN;
    if (!sign->refreshed)
        return RC_OK;
    s->version = STR_UNSET;
    TRY(ask_signed(s, DOCTOR_ASK_REFRESHED, doctor_body_initialize(), &answer));
    str_t id = http_headers_get(answer.headers, STR("Mcp-Session-Id"));
    s->session = str_is_set(id) ? arena_dup(s->a, id) : STR_UNSET;
    s->version = STR("2025-11-25");
    return end_session(s);
}

static rc_t ask_page(signing_t *s, doctor_ask_t ask, str_t url)
{
    http_agent_request_t request = {.method = STR("GET"),
                                    .url = url,
                                    .headers = HTTP_HEADERS({STR("Accept"), STR("text/html")})};
    return doctor_probe_ask(s->a, s->probe, s->f, ask, &request);
}

/* Without cookies, so nobody is signed in there, and nothing comes of it. */
static rc_t try_ports(signing_t *s)
{
    str_t other = doctor_other_port(s->a, s->page);
    if (!str_is_set(other))
        return RC_OK;
    TRY(ask_page(s, DOCTOR_ASK_PORT_SAME, s->page));
    return ask_page(s, DOCTOR_ASK_PORT_OTHER, other);
}

static rc_t learn_state(signing_t *s)
{
    tokens_state_t state;
    doctor_signed_t *sign = &s->f->sign;
    rc_t rc = tokens_source_state(s->source, s->a, &state);
    if (rc != RC_OK || !state.kept)
        return rc == RC_MEMORY ? rc : RC_OK;
    doctor_secrets_add(s->a, s->secrets, state.token.hidden);
    sign->signed_in = true;
    sign->issuer = state.issuer;
    sign->resource = state.resource;
    sign->has_refresh = state.has_refresh;
    if (state.expires_at > 0)
        sign->life_s = state.expires_at - clock_seconds(&s->config->clock);
    return doctor_read_claims(s->a, state.claims, sign);
}

static rc_t sign_in(signing_t *s)
{
    doctor_signed_t *sign = &s->f->sign;
    sign->tried = true;
    if (tokens_source_sign_in(s->source, s->a, true, &sign->failure) != TOKENS_AGAIN)
        return RC_OK;
    TRY(learn_state(s));
    if (!sign->signed_in)
        return RC_OK;
    TRY(use_token(s));
    TRY(end_session(s));
    TRY(try_refresh(s));
    return try_ports(s);
}

rc_t doctor_sign_in(arena_t *a, const doctor_config_t *config, const doctor_probe_t *probe,
                    doctor_facts_t *f, doctor_secrets_t *secrets)
{
    tokens_memory_t *memory;
    client_failure_t why;
    signing_t s = {.a = a, .config = config, .probe = probe, .f = f, .secrets = secrets};
    TRY(tokens_memory_new(&memory));
    tokens_config_t t = source_config(&s, memory);
    rc_t rc = tokens_source_new(&t, &s.source);
    if (rc == RC_OK)
        rc = sign_in(&s);
    /* What was granted for this look is taken back. */
    if (rc == RC_OK)
        (void)tokens_source_sign_out(s.source, a, &why);
    if (s.source)
        tokens_source_stop(s.source);
    tokens_source_free(s.source);
    tokens_memory_free(memory);
    return rc;
}
