#include "mcp_http/stream.h"

#include "core/limits.h"

#include <stdlib.h>

int64_t mcp_stream_now_ms(const mcp_stream_t *s)
{
    const clock_port_t *c = &s->h->config.clock;
    return c->mono_ms(c->ctx);
}

/* Making. */

static const size_t NAMES[] = {
    offsetof(mcp_access_t, issuer),   offsetof(mcp_access_t, subject),
    offsetof(mcp_access_t, client),   offsetof(mcp_access_t, scope),
    offsetof(mcp_access_t, token_id), offsetof(mcp_access_t, key),
};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

static str_t *name_of(const mcp_access_t *who, size_t i)
{
    return (str_t *)((uintptr_t)who + NAMES[i]);
}

static size_t names_size(const mcp_request_t *r)
{
    size_t n = r->operation.message.id.n + 1;
    for (size_t i = 0; i < NAME_COUNT; i++)
        n += name_of(&r->who, i)->n + 1;
    return n;
}

/* With a NUL behind it. */
static str_t copy_name(char **to, str_t name)
{
    char *p = *to;
    if (!name.p)
        return STR_UNSET;
    if (name.n)
        memcpy(p, name.p, name.n);
    p[name.n] = '\0';
    *to += name.n + 1;
    return str_of(p, name.n);
}

/* What says who it is outlives the arena of a stream that idles. */
static void copy_names(mcp_stream_t *s, const mcp_request_t *r)
{
    char *to = (char *)(s + 1);
    s->who = (mcp_access_t){
        .allowed = true, .expires_at = r->who.expires_at, .issued_at = r->who.issued_at};
    for (size_t i = 0; i < NAME_COUNT; i++)
        *name_of(&s->who, i) = copy_name(&to, *name_of(&r->who, i));
    s->id = copy_name(&to, r->operation.message.id);
}

static mcp_stream_t *stream_new(const mcp_request_t *r, mcp_outbox_t *o)
{
    mcp_stream_t *s = calloc(1, sizeof *s + names_size(r));
    if (!s)
        return NULL;
    s->x = r->x;
    s->h = r->h;
    s->worker = r->worker;
    s->outbox = o;
    s->session = r->session ? mcp_session_hold(r->session) : NULL;
    s->nonce = r->who.nonce;
    copy_names(s, r);
    s->silent_ms = mcp_stream_now_ms(s);
    s->next = s->worker->streams;
    s->link = &s->worker->streams;
    if (s->next)
        s->next->link = &s->next;
    s->worker->streams = s;
    return s;
}

/* Ending. */

http_exchange_t *mcp_stream_free(mcp_stream_t *s)
{
    http_exchange_t *x = s->x;
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    http_exchange_on_gone(x, NULL, NULL);
    /* What was not sent whole is sent again to whoever comes back. */
    if (s->sending)
        mcp_reader_untake(s->reader);
    mcp_reader_detach(s->reader);
    mcp_outbox_drop(s->outbox);
    if (s->session)
        mcp_session_drop(s->session);
    if (s->call)
        mcp_call_drop(s->call);
    free(s->escaped);
    free(s);
    return x;
}

/* The stream is freed first: it has no use for what the end of the call puts out. */
static http_exchange_t *free_with_call(mcp_stream_t *s, bool cancel)
{
    warder_mcp_call_t *call = s->call ? mcp_call_hold(s->call) : NULL;
    http_exchange_t *x = mcp_stream_free(s);
    if (call && cancel)
        mcp_call_cancel(call);
    if (call)
        mcp_call_drop(call);
    return x;
}

static void end_exchange(http_exchange_t *x, bool begun)
{
    if (begun)
        http_stream_end(x);
    else
        http_reply(x, 202, HTTP_NO_HEADERS, STR(""));
}

/* A call whose request stands for itself ends with its stream (2026-07-28, Streamable HTTP,
 * "Cancellation"); in the handshake era it goes on, and its answer waits. */
void mcp_stream_end(mcp_stream_t *s)
{
    bool begun = s->begun;
    bool cancel = s->stateless && !mcp_outbox_ended(s->outbox);
    end_exchange(free_with_call(s, cancel), begun);
}

void mcp_stream_lost(mcp_stream_t *s)
{
    bool begun = s->begun;
    end_exchange(free_with_call(s, s->stateless), begun);
}

/* Nobody learns what becomes of the call. */
void mcp_stream_refuse(mcp_stream_t *s, mcp_error_t e)
{
    str_t nonce = s->nonce;
    const mcp_error_row_t *row = mcp_error_row(e);
    str_t body = mcp_error(s->x->arena, s->id, e, STR_UNSET, STR_UNSET);
    http_exchange_t *x = free_with_call(s, true);
    http_reply(x, row->status,
               HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                            {STR("DPoP-Nonce"), nonce},
                            {STR("Retry-After"), mcp_http_retry_after(x->arena, row->status, 0)}),
               body);
}

static void on_gone(void *ctx, http_exchange_t *x)
{
    (void)x;
    mcp_stream_lost(ctx);
}

/* Beginning. */

static void on_wake(void *ctx)
{
    mcp_stream_pump(ctx);
}

static mcp_error_t error_of_attach(rc_t rc)
{
    return rc == RC_NOT_FOUND ? MCP_ERROR_BAD_EVENT_ID : MCP_ERROR_BUSY;
}

/* A GET has its stream at once: what there is to say may come in hours. */
static void start(mcp_stream_t *s, uint64_t after)
{
    mcp_reading_t how = {s->worker->back, on_wake, s, after};
    rc_t rc = mcp_outbox_attach(s->outbox, &how, &s->reader);
    if (rc != RC_OK) {
        mcp_stream_refuse(s, error_of_attach(rc));
        return;
    }
    http_exchange_on_gone(s->x, on_gone, s);
    if (!s->is_get || mcp_stream_begin(s))
        mcp_stream_pump(s);
}

static bool is_listen(const mcp_request_t *r)
{
    return str_eq(r->operation.message.method, STR("subscriptions/listen"));
}

void mcp_stream_of_call(mcp_request_t *r)
{
    mcp_stream_t *s = stream_new(r, r->outbox);
    if (!s) {
        mcp_call_cancel(r->call);
        mcp_outbox_drop(r->outbox);
        mcp_http_refuse(r, MCP_ERROR_BUSY);
        return;
    }
    s->takes_stream = r->takes_stream;
    s->listens = is_listen(r);
    s->call = mcp_call_hold(r->call);
    s->stateless = r->operation.era == MCP_ERA_STATELESS;
    start(s, MCP_OUTBOX_UNTAKEN);
}

void mcp_stream_of_get(mcp_request_t *r, mcp_outbox_t *o, uint64_t stream, uint64_t after)
{
    mcp_stream_t *s = stream_new(r, o);
    if (!s) {
        mcp_outbox_drop(o);
        mcp_http_refuse(r, MCP_ERROR_BUSY);
        return;
    }
    s->is_get = s->takes_stream = s->has_ids = true;
    s->polls = mcp_rule_polls(mcp_session_version(s->session));
    s->listens = stream == 0;
    s->number = stream;
    start(s, after);
}

/* Once a second. */

/* A session is in use while somebody waits within it. */
static bool session_is_gone(const mcp_stream_t *s)
{
    return s->session && !mcp_session_is_alive(s->session);
}

static bool has_ended(const mcp_stream_t *s)
{
    const mcp_access_port_t *p = &s->h->access;
    if (session_is_gone(s) || clock_seconds(&s->h->config.clock) >= s->who.expires_at)
        return true;
    /* Its token may be revoked while nobody sends anything. */
    return p->lives && !p->lives(p->ctx, s->x, &s->who);
}

static mcp_open_t what_now(const mcp_stream_t *s)
{
    int64_t now = mcp_stream_now_ms(s);
    mcp_open_facts_t facts = {
        .begun = s->begun,
        .takes_stream = s->takes_stream,
        .listens = s->listens,
        .ended = has_ended(s),
        .silent_ms = now - s->silent_ms,
        .draining_ms = s->worker->draining ? now - s->worker->drain_ms : -1,
    };
    return mcp_rule_open(&facts);
}

/* A comment for a client that reads slowly would only wait; the time limit of writes cuts it. What
 * a full queue of the loop has kept from us is looked at, too (mcp_server/outbox.h). */
static void keep_alive(mcp_stream_t *s)
{
    s->silent_ms = mcp_stream_now_ms(s);
    if (s->sending)
        return;
    if (mcp_stream_say(s, STR(": keep-alive\n\n")))
        http_stream_slim(s->x);
}

static void tick(mcp_stream_t *s)
{
    /* A full queue of the loop may have kept a wake from us (mcp_server/outbox.h). */
    if (!mcp_stream_pump(s))
        return;
    switch (what_now(s)) {
    case MCP_OPEN_STAYS:
        return;
    case MCP_OPEN_BEGINS:
        mcp_stream_begin(s);
        return;
    case MCP_OPEN_SPEAKS:
        keep_alive(s);
        return;
    case MCP_OPEN_ENDS:
        mcp_stream_end(s);
    }
}

/* One of the workers does for all what the server and the sessions have to do. */
static bool sweeps(const mcp_worker_t *w)
{
    return !w->loop || http_worker_index(w->loop) == 0;
}

void mcp_streams_tick(void *worker)
{
    mcp_worker_t *w = worker;
    if (sweeps(w)) {
        mcp_server_tick(w->h->mcp);
        mcp_sessions_sweep(w->h->sessions);
    }
    for (mcp_stream_t *s = w->streams, *next; s; s = next) {
        next = s->next;
        tick(s);
    }
}

/* Calls may end, and subscriptions get their completion; a stream of what may come ends at once. */
void mcp_streams_drain(mcp_worker_t *w)
{
    w->draining = true;
    w->drain_ms = w->h->config.clock.mono_ms(w->h->config.clock.ctx);
    for (mcp_stream_t *s = w->streams, *next; s; s = next) {
        next = s->next;
        if (s->is_get && s->listens && s->begun)
            mcp_stream_end(s);
    }
}
