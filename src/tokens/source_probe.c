/* A sign-in before anything was refused: the endpoint is asked without a token, as its challenge
 * tells where to go. */
#include "tokens/source_object.h"

enum { ANSWER_BYTES = 65536 };

/* The first requests of both eras (MCP 2025-11-25, "Initialization"; 2026-07-28, "Discovery"). */
static const char INITIALIZE[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
    "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"warder\",\"version\":\"1\"}}}";
static const char DISCOVER[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{\"_meta\":{"
    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"warder\",\"version\":\"1\"},"
    "\"io.modelcontextprotocol/clientCapabilities\":{}}}}";

typedef struct {
    const char *body, *version, *method;
} probe_t;
/* The last one is the stream of 2024-11-05 (MCP 2025-11-25, Transports, "Backwards Compatibility").
 */
static const probe_t PROBES[] = {{INITIALIZE, "2025-11-25", NULL},
                                 {DISCOVER, "2026-07-28", "server/discover"},
                                 {NULL, NULL, NULL}};
enum { STREAM_MS = 5000 };

static client_reason_t ask_for_stream(source_round_t *r, http_answer_t *answer)
{
    http_agent_request_t q = {
        .method = STR("GET"),
        .url = r->s->config.url,
        .headers = HTTP_HEADERS({STR("Accept"), STR("text/event-stream")}),
        .max_body = ANSWER_BYTES,
        .total_ms = STREAM_MS,
        .first_event = true,
    };
    GO(source_ask(r, &q, answer));
    return CLIENT_FINE; /* one that brings nothing asks for no token either */
}

static client_reason_t ask(source_round_t *r, const probe_t *p, http_answer_t *answer)
{
    if (!p->body)
        return ask_for_stream(r, answer);
    const http_header_t fields[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Accept"), STR("application/json, text/event-stream")},
        {STR("MCP-Protocol-Version"), str_c(p->version)},
        {STR("Mcp-Method"), str_c(p->method)},
    };
    http_agent_request_t q = {.method = STR("POST"),
                              .url = r->s->config.url,
                              .headers = {fields, p->method ? 4 : 3},
                              .body = str_c(p->body),
                              .max_body = ANSWER_BYTES};
    GO(source_ask(r, &q, answer));
    /* Only the head counts: a stream may go on, and so may the page of a refusal. A head that is
     * itself too long has no status. */
    if (answer->end == HTTP_AGENT_TOO_LONG && answer->status != 0)
        answer->end = HTTP_AGENT_DONE;
    return source_reached(r, q.url, answer);
}

/* A session that came of it is not left behind. */
static void end_session(source_round_t *r, const http_answer_t *answer)
{
    str_t id = http_headers_get(answer->headers, STR("Mcp-Session-Id"));
    if (!str_is_set(id))
        return;
    http_agent_request_t q = {.method = STR("DELETE"),
                              .url = r->s->config.url,
                              .headers = HTTP_HEADERS({STR("Mcp-Session-Id"), id})};
    http_answer_t gone;
    client_failure_t before = r->why;
    if (source_ask(r, &q, &gone) != CLIENT_FINE)
        r->why = before;
}

static client_reason_t read_challenge(source_round_t *r, const http_answer_t *answer)
{
    str_list_t values;
    client_challenges_t all;
    rc_t rc = http_headers_all(r->a, answer->headers, STR("WWW-Authenticate"), &values);
    GO(source_rc(r, rc));
    GO(source_rc(r, client_challenges_read(r->a, values, &all)));
    r->challenged = true;
    return source_rc(r, client_challenge_pick(r->a, &all, &r->challenge));
}

static bool is_no_post(int status)
{
    return status == 400 || status == 404 || status == 405;
}

/* *open: no token is needed. */
static client_reason_t probe(source_round_t *r, bool *open)
{
    *open = true;
    int first = 0;
    for (size_t i = 0; i < sizeof PROBES / sizeof PROBES[0]; i++) {
        http_answer_t answer;
        if (!PROBES[i].body && !is_no_post(first))
            break;
        GO(ask(r, &PROBES[i], &answer));
        first = i == 0 ? answer.status : first;
        if (answer.status == 401 || answer.status == 403) {
            *open = false;
            return read_challenge(r, &answer);
        }
        end_session(r, &answer);
        if (answer.status / 100 == 2)
            break;
    }
    return CLIENT_FINE;
}

static client_reason_t sign_in(source_round_t *r, bool anew)
{
    tokens_source_t *s = r->s;
    bool took = false, open = false;
    r->wished = true;
    s->signing_in.failures = s->refreshing.failures = 0;
    GO(source_reload(r, &took));
    const source_held_t *h = &s->held;
    if (!anew && h->a && !source_ends_soon(s, &h->record))
        return CLIENT_FINE;
    r->seen = h->a ? h->record.generation : 0;
    if (!anew && h->a && str_is_set(h->record.token.refresh_token.hidden) && s->place.a &&
        source_refresh(r) == CLIENT_FINE)
        return CLIENT_FINE;
    GO(source_running(r));
    GO(probe(r, &open));
    r->anew = anew;
    return open ? CLIENT_FINE : source_sign_in(r);
}

tokens_verdict_t tokens_source_sign_in(tokens_source_t *s, arena_t *a, bool anew,
                                       client_failure_t *why)
{
    *why = (client_failure_t){.reason = CLIENT_FINE};
    if (s->config.way == TOKENS_GIVEN || s->config.way == TOKENS_NONE)
        return TOKENS_AGAIN;
    if (source_enter_at_last(s) == SOURCE_STOPPED) {
        why->reason = CLIENT_STOPPED;
        return TOKENS_GIVE_UP;
    }
    source_round_t r;
    client_reason_t reason = CLIENT_MACHINE;
    if (source_round_begin(s, &r) == RC_OK)
        reason = sign_in(&r, anew);
    client_failure_t failure = source_round_end(&r, a);
    if (reason != CLIENT_FINE)
        *why = (client_failure_t){reason, failure.detail};
    source_leave_with(s, why->reason, why->detail);
    return why->reason == CLIENT_FINE ? TOKENS_AGAIN : TOKENS_GIVE_UP;
}
