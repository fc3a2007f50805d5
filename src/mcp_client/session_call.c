#include "mcp_client/session_state.h"

#include <time.h>

enum {
    LOOK_MS = 50, /* how soon a call sees that it is to end */
    SCRATCH_BYTES = LIMIT_MCP_CLIENT_MESSAGE_ARENA_BYTES,
    HEADER_MISMATCH = -32020,
    REFUSED_BY_PROGRAM = -1, /* as the specification's example for a person who rejects sampling */
};

static int64_t now_ms(void)
{
    return clock_micros() / 1000;
}

/* ---- waiting ---- */

static session_wait_t *find(mcp_client_t *c, uint64_t tag)
{
    session_wait_t *w = c->waits;
    while (w && w->tag != tag)
        w = w->next;
    return w && !w->done ? w : NULL;
}

static void enter(mcp_client_t *c, session_wait_t *w)
{
    pthread_mutex_lock(&c->lock);
    w->tag = ++c->last_tag;
    w->next = c->waits;
    c->waits = w;
    pthread_mutex_unlock(&c->lock);
}

static void leave(mcp_client_t *c, session_wait_t *w)
{
    pthread_mutex_lock(&c->lock);
    session_wait_t **at = &c->waits;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    pthread_mutex_unlock(&c->lock);
}

static str_t copy(session_wait_t *w, str_t s)
{
    str_t out = arena_dup(w->a, s);
    if (s.p && !out.p)
        w->rc = RC_MEMORY;
    return out;
}

static void take_error(session_wait_t *w, const json_t *error)
{
    const json_t *data = json_get(error, STR("data"));
    w->why.is_rpc_error = true;
    (void)json_get_i64(error, STR("code"), &w->why.code);
    w->why.message = copy(w, json_get_str(error, STR("message")));
    w->why.data = data ? copy(w, data->raw) : STR_UNSET;
}

void session_on_answer(mcp_client_t *c, uint64_t tag, const mcp_message_t *m)
{
    pthread_mutex_lock(&c->lock);
    session_wait_t *w = find(c, tag);
    if (w) {
        const json_t *result = json_get(m->root, STR("result"));
        w->done = true;
        if (result)
            w->result = copy(w, result->raw);
        else
            take_error(w, json_get(m->root, STR("error")));
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
}

void session_on_failed(void *ctx, uint64_t tag, const mcp_link_failure_t *why)
{
    mcp_client_t *c = ctx;
    pthread_mutex_lock(&c->lock);
    session_wait_t *w = find(c, tag);
    if (w) {
        w->done = true;
        w->why.link = *why;
        w->why.link.detail = copy(w, why->detail);
        w->why.link.failure.detail = copy(w, why->failure.detail);
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
}

static bool is_set(const _Atomic(bool) *flag)
{
    return flag && *flag;
}

/* Whether it is time to give up, and how. */
static bool gives_up(const mcp_client_t *c, const session_request_t *r, session_wait_t *w)
{
    bool late = r->due && now_ms() >= r->due;
    bool stopped = is_set(r->cancel) || is_set(c->config.stop);
    w->why.link.end = late ? MCP_LINK_TIMEOUT : MCP_LINK_STOPPED;
    return late || stopped;
}

static void look_again(mcp_client_t *c, const session_request_t *r)
{
    bool flagged = r->cancel || c->config.stop;
    int64_t at = flagged ? now_ms() + LOOK_MS : r->due;
    if (flagged && r->due && r->due < at)
        at = r->due;
    const struct timespec when = {at / 1000, at % 1000 * 1000000};
    if (at)
        pthread_cond_timedwait(&c->changed, &c->lock, &when);
    else
        pthread_cond_wait(&c->changed, &c->lock);
}

/* False: given up. */
static bool wait_for(mcp_client_t *c, const session_request_t *r, session_wait_t *w)
{
    bool up = false;
    pthread_mutex_lock(&c->lock);
    while (!w->done && !(up = gives_up(c, r, w)))
        look_again(c, r);
    pthread_mutex_unlock(&c->lock);
    return !up;
}

/* Of the handshake era the server is told; else it sees its stream close. */
static void give_up(mcp_client_t *c, const session_request_t *r, uint64_t tag)
{
    arena_t *a = arena_new(SCRATCH_BYTES);
    bool told = r->version && r->version->era == MCP_ERA_HANDSHAKE;
    str_t params =
        a && told ? arena_printf(a, "{\"requestId\":%llu}", (unsigned long long)tag) : STR_UNSET;
    if (params.p)
        (void)!mcp_client_notify(c, STR("notifications/cancelled"), params);
    mcp_link_cancel(c->link, tag);
    arena_free(a);
}

/* While a session is made, no request goes out that would be of none. */
static void enter_sending(mcp_client_t *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->opening)
        pthread_cond_wait(&c->changed, &c->lock);
    c->sending++;
    pthread_mutex_unlock(&c->lock);
}

static void leave_sending(mcp_client_t *c)
{
    pthread_mutex_lock(&c->lock);
    if (--c->sending == 0)
        pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static rc_t send_in_session(mcp_client_t *c, mcp_link_message_t *m, const session_request_t *r)
{
    if (!r->version || r->version->era != MCP_ERA_HANDSHAKE)
        return session_send(c, m, r);
    enter_sending(c);
    rc_t rc = session_send(c, m, r);
    leave_sending(c);
    return rc;
}

static rc_t send_one(mcp_client_t *c, const session_request_t *r, uint64_t tag)
{
    str_t json;
    arena_t *a = arena_new(SCRATCH_BYTES);
    rc_t rc = a ? session_write(a, c, r, tag, &json) : RC_MEMORY;
    mcp_link_message_t m = {.version = r->version, .tag = tag, .probe = r->probe};
    if (rc == RC_OK) {
        m.json = json;
        rc = send_in_session(c, &m, r);
    }
    arena_free(a);
    return rc;
}

rc_t session_ask(mcp_client_t *c, arena_t *a, const session_request_t *r, str_t *result,
                 mcp_client_failure_t *why)
{
    session_wait_t w = {.a = a, .rc = RC_OK};
    enter(c, &w);
    rc_t rc = send_one(c, r, w.tag);
    if (rc == RC_OK && !wait_for(c, r, &w))
        give_up(c, r, w.tag);
    leave(c, &w);
    if (rc != RC_OK || w.rc != RC_OK)
        return rc != RC_OK ? rc : w.rc;
    *result = w.result;
    *why = w.why;
    return w.done && w.result.p ? RC_OK : RC_NOT_FOUND;
}

/* ---- sessions that get lost ---- */

/* Makes a new session, unless another thread has. */
static rc_t open_again(mcp_client_t *c, arena_t *a, uint64_t opened, mcp_client_failure_t *why)
{
    pthread_mutex_lock(&c->lock);
    while (c->opening)
        pthread_cond_wait(&c->changed, &c->lock);
    bool mine = c->opened == opened;
    c->opening = mine;
    while (mine && c->sending > 0)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
    if (!mine)
        return RC_OK;
    rc_t rc = session_initialize(c, a, why);
    pthread_mutex_lock(&c->lock);
    c->opening = false;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

static uint64_t opened(mcp_client_t *c, const mcp_version_t **version)
{
    pthread_mutex_lock(&c->lock);
    uint64_t n = c->opened;
    *version = c->version;
    pthread_mutex_unlock(&c->lock);
    return n;
}

static bool is_lost(rc_t rc, const mcp_client_failure_t *why)
{
    return rc == RC_NOT_FOUND && !why->is_rpc_error && why->link.end == MCP_LINK_LOST;
}

/* The fields of a tool have changed since it was listed (MCP 2026-07-28, Streamable HTTP, "Client
 * Behavior"). */
static bool is_outdated(rc_t rc, const session_request_t *r, const mcp_client_failure_t *why)
{
    return rc == RC_NOT_FOUND && why->is_rpc_error && why->code == HEADER_MISMATCH &&
           r->version->era == MCP_ERA_STATELESS && str_eq(r->method, STR("tools/call"));
}

static rc_t list_again(mcp_client_t *c)
{
    const json_t *tools;
    mcp_client_failure_t why;
    arena_t *a = arena_new(2 * (size_t)SCRATCH_BYTES);
    rc_t rc = a ? mcp_client_tools(c, a, &tools, &why) : RC_MEMORY;
    arena_free(a);
    return rc;
}

/* Once more, where that may help. */
static rc_t ask_twice(mcp_client_t *c, arena_t *a, session_request_t *r, str_t *result,
                      mcp_client_failure_t *why)
{
    uint64_t session = opened(c, &r->version);
    rc_t rc = session_ask(c, a, r, result, why);
    if (is_lost(rc, why))
        TRY(open_again(c, a, session, why));
    else if (!is_outdated(rc, r, why) || list_again(c) != RC_OK)
        return rc;
    (void)opened(c, &r->version);
    return session_ask(c, a, r, result, why);
}

/* ---- input_required ---- */

static rc_t malformed(mcp_client_failure_t *why, str_t detail)
{
    *why = (mcp_client_failure_t){.link = {.end = MCP_LINK_MALFORMED, .detail = detail}};
    return RC_NOT_FOUND;
}

static rc_t answer_all(mcp_client_t *c, arena_t *a, const json_t *requests, buf_t *b)
{
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    for (const json_t *q = json_is(requests, JSON_OBJECT) ? requests->child : NULL; q;
         q = q->next) {
        str_t result;
        str_t method = json_get_str(q, STR("method"));
        if (!session_answer(c, a, method, json_get(q, STR("params")), &result))
            return RC_NOT_FOUND;
        json_key(&w, q->key);
        json_raw(&w, result);
    }
    json_end_object(&w);
    return RC_OK;
}

/* What goes along with the retry (MCP 2026-07-28, Multi Round-Trip Requests). */
static rc_t gather(mcp_client_t *c, arena_t *a, const json_t *result, session_request_t *r,
                   mcp_client_failure_t *why)
{
    const json_t *requests = json_get(result, STR("inputRequests"));
    const json_t *state = json_get(result, STR("requestState"));
    if (!requests && !state)
        return malformed(why, STR("input is required, but none is named"));
    buf_t b = buf_new(a, LIMIT_MCP_CLIENT_MESSAGE_BYTES);
    r->state = state ? state->raw : STR_UNSET;
    r->responses = STR_UNSET;
    if (!requests)
        return RC_OK;
    rc_t rc = answer_all(c, a, requests, &b);
    if (rc == RC_NOT_FOUND)
        *why = (mcp_client_failure_t){.is_rpc_error = true,
                                      .code = REFUSED_BY_PROGRAM,
                                      .message = STR("what the server asked was refused")};
    return rc == RC_OK ? buf_done(&b, &r->responses) : rc;
}

typedef enum { RESULT_WHOLE, RESULT_ASKS, RESULT_STRANGE } kind_t;

/* A type of an extension counts only where one was declared (2026-07-28, Base Protocol,
 * "ResultType"). */
static kind_t kind_of(const mcp_client_t *c, const session_request_t *r, const json_t *result)
{
    str_t type = json_get_str(result, STR("resultType"));
    if (r->version->era == MCP_ERA_HANDSHAKE || !json_get(result, STR("resultType")))
        return RESULT_WHOLE;
    if (str_eq(type, STR("input_required")))
        return RESULT_ASKS;
    bool known = str_eq(type, STR("complete")) || (type.p && c->config.extensions.p);
    return known ? RESULT_WHOLE : RESULT_STRANGE;
}

static rc_t ask_in_rounds(mcp_client_t *c, arena_t *a, session_request_t *r, str_t *result,
                          mcp_client_failure_t *why)
{
    for (unsigned round = 0; round < LIMIT_MCP_CLIENT_ROUNDS; round++) {
        const json_t *root = NULL;
        TRY(ask_twice(c, a, r, result, why));
        if (r->version->era == MCP_ERA_STATELESS)
            TRY(mcp_link_parse(a, *result, &root));
        kind_t kind = kind_of(c, r, root);
        if (kind == RESULT_WHOLE)
            return RC_OK;
        if (kind == RESULT_STRANGE)
            return malformed(why, STR("the result is of a type that nobody declared"));
        TRY(gather(c, a, root, r, why));
    }
    return malformed(why, STR("the server asks again and again"));
}

rc_t mcp_client_request(mcp_client_t *c, arena_t *a, str_t method, str_t params,
                        const mcp_client_options_t *options, str_t *result,
                        mcp_client_failure_t *why)
{
    *why = (mcp_client_failure_t){0};
    *result = STR_UNSET;
    session_request_t r = {.method = method,
                           .params = params,
                           .progress = options && options->progress,
                           .cancel = options ? options->cancel : NULL,
                           .due = c->config.call_ms > 0 ? now_ms() + c->config.call_ms : 0};
    rc_t rc = ask_in_rounds(c, a, &r, result, why);
    if (rc != RC_OK)
        *result = STR_UNSET;
    return rc;
}

rc_t mcp_client_notify(mcp_client_t *c, str_t method, str_t params)
{
    const mcp_version_t *version;
    (void)opened(c, &version);
    arena_t *a = arena_new(SCRATCH_BYTES);
    str_t json = a ? session_write_notification(a, method, params) : STR_UNSET;
    const mcp_link_message_t m = {.json = json, .version = version};
    rc_t rc = json.p ? mcp_link_send(c->link, &m) : RC_MEMORY;
    arena_free(a);
    return rc;
}
