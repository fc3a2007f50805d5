#include "http/agent.h"

#include <pthread.h>

#include "core/buf.h"
#include "core/limits.h"

str_t http_agent_end_name(http_agent_end_t end)
{
    static const str_t NAMES[] = {
        [HTTP_AGENT_DONE] = STR_INIT("done"),
        [HTTP_AGENT_BAD_URL] = STR_INIT("bad_url"),
        [HTTP_AGENT_OUT_OF_REACH] = STR_INIT("out_of_reach"),
        [HTTP_AGENT_NO_NAME] = STR_INIT("no_name"),
        [HTTP_AGENT_REFUSED] = STR_INIT("refused"),
        [HTTP_AGENT_TLS] = STR_INIT("tls"),
        [HTTP_AGENT_TOO_LONG] = STR_INIT("too_long"),
        [HTTP_AGENT_TIMEOUT] = STR_INIT("timeout"),
        [HTTP_AGENT_BROKEN] = STR_INIT("broken"),
        [HTTP_AGENT_CANCELLED] = STR_INIT("cancelled"),
    };
    return NAMES[end];
}

/* Whoever waits for an answer, which the agent's thread writes into the arena meanwhile. */
typedef struct {
    http_agent_t *agent;
    arena_t *arena;
    http_answer_t *out;
    buf_t body;
    uint64_t call;
    rc_t rc;
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool has_ended;
    bool first_event, has_event;
} waiter_t;

static rc_t copy_headers(arena_t *a, http_headers_t from, http_headers_t *out)
{
    http_header_t *v = ARENA_ARRAY(a, from.n + 1, http_header_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < from.n; i++) {
        v[i] = (http_header_t){arena_dup(a, from.v[i].name), arena_dup(a, from.v[i].value)};
        if (!str_is_set(v[i].name) || !str_is_set(v[i].value))
            return RC_MEMORY;
    }
    *out = (http_headers_t){v, from.n};
    return RC_OK;
}

static void on_head(void *ctx, const http_agent_head_t *head)
{
    waiter_t *w = ctx;
    w->out->status = head->status;
    w->rc = copy_headers(w->arena, head->headers, &w->out->headers);
}

/* An event ends with an empty line (HTML Living Standard, section 9.2.6). */
static bool has_event(const waiter_t *w)
{
    str_t type = http_headers_get(w->out->headers, STR("Content-Type"));
    str_t body = buf_str(&w->body);
    bool events =
        str_eq_nocase(str_first(type, sizeof "text/event-stream" - 1), STR("text/event-stream"));
    return events && (str_contains(body, STR("\n\n")) || str_contains(body, STR("\r\n\r\n")));
}

static bool on_data(void *ctx, str_t bytes)
{
    waiter_t *w = ctx;
    buf_put(&w->body, bytes);
    w->has_event = w->first_event && w->body.failed == RC_OK && has_event(w);
    if (w->body.failed != RC_OK || w->has_event)
        http_agent_cancel(w->agent, w->call);
    return true;
}

static void on_end(void *ctx, http_agent_end_t end, str_t why)
{
    waiter_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    w->out->end = end;
    w->out->why = arena_dup(w->arena, why);
    w->has_ended = true;
    pthread_cond_signal(&w->came);
    pthread_mutex_unlock(&w->lock); /* the last look at what is the waiter's */
}

/* Half an answer is none. Where it only goes on too long, its head is whole. */
static void forget_what_came(http_answer_t *out)
{
    http_answer_t left = {.end = out->end, .why = out->why};
    if (out->end == HTTP_AGENT_TOO_LONG) {
        left.status = out->status;
        left.headers = out->headers;
    }
    *out = left;
}

static rc_t wait_for(waiter_t *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->has_ended)
        pthread_cond_wait(&w->came, &w->lock);
    pthread_mutex_unlock(&w->lock);
    TRY(w->rc);
    TRY(w->body.failed);
    if (w->has_event)
        w->out->end = HTTP_AGENT_DONE;
    if (w->out->end != HTTP_AGENT_DONE) {
        forget_what_came(w->out);
        return str_is_set(w->out->why) ? RC_OK : RC_MEMORY;
    }
    TRY(buf_done(&w->body, &w->out->body));
    if (!str_is_set(w->out->body))
        w->out->body = STR("");
    return RC_OK;
}

static rc_t agent_ask(void *ctx, arena_t *a, const http_agent_request_t *request,
                      http_answer_t *out)
{
    waiter_t w = {
        .agent = ctx,
        .arena = a,
        .out = out,
        .body = buf_new(a, SIZE_MAX),
        .first_event = request->first_event,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .came = PTHREAD_COND_INITIALIZER,
    };
    http_agent_request_t whole = *request;
    http_agent_events_t events = {on_head, on_data, on_end, &w};
    *out = (http_answer_t){.end = HTTP_AGENT_CANCELLED, .why = STR("")};
    if (whole.total_ms == 0)
        whole.total_ms = LIMIT_HTTP_AGENT_MS;
    rc_t rc = http_agent_start(w.agent, &whole, events, &w.call);
    if (rc == RC_OK)
        rc = wait_for(&w);
    pthread_cond_destroy(&w.came);
    pthread_mutex_destroy(&w.lock);
    return rc;
}

http_ask_port_t http_agent_ask(http_agent_t *agent)
{
    return (http_ask_port_t){agent_ask, agent};
}
