/* The GET stream: this server has nothing to say on its own, so the stream idles with comments
 * until the client goes, the session or the token ends, or the server drains. */
#include "tool_http/request.h"

#include "core/limits.h"

struct mcp_stream {
    mcp_stream_t *next, **link; /* in mcp_worker_t.streams */
    mcp_request_t *r;
    http_timer_t *timer;
    unsigned ticks;
};

enum { TICK_MS = 1000 };

static void stream_end(mcp_stream_t *s)
{
    mcp_request_t *r = s->r;
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    http_timer_stop(s->timer);
    http_exchange_on_gone(r->x, NULL, NULL);
    sessions_stream_close(r->m->sessions, r->session);
    http_stream_end(r->x);
}

static bool token_expired(const mcp_request_t *r)
{
    return clock_seconds(&r->m->config.clock) >= r->who.expires_at;
}

/* Its token may be revoked while nobody sends anything. */
static bool token_revoked(const mcp_request_t *r)
{
    const mcp_access_port_t *p = &r->m->access;
    return p->lives && !p->lives(p->ctx, r->x, &r->who);
}

static void on_tick(void *arg)
{
    mcp_stream_t *s = arg;
    if (http_exchange_is_gone(s->r->x) || token_expired(s->r) || token_revoked(s->r) ||
        !sessions_stream_alive(s->r->m->sessions, s->r->session)) {
        stream_end(s);
        return;
    }
    if (++s->ticks % (LIMIT_MCP_KEEPALIVE_MS / TICK_MS) != 0)
        return;
    /* A client that does not read is cut by the write time limit, and a full queue needs no
     * comment; one that is gone has called on_gone, and s may be no more. */
    rc_t ignored = http_stream_write(s->r->x, STR(": keep-alive\n\n"));
    (void)ignored;
}

static void on_gone(void *ctx, http_exchange_t *x)
{
    (void)x;
    stream_end(ctx);
}

static void link_stream(mcp_worker_t *w, mcp_stream_t *s)
{
    s->next = w->streams;
    s->link = &w->streams;
    if (s->next)
        s->next->link = &s->next;
    w->streams = s;
}

static void stream_open(mcp_request_t *r, mcp_stream_t *s)
{
    http_stream_events_t none = {NULL, NULL};
    s->r = r;
    link_stream(r->x->worker, s);
    rc_t rc = http_stream_begin(r->x, 200,
                                HTTP_HEADERS({STR("Content-Type"), STR("text/event-stream")},
                                             {STR("X-Accel-Buffering"), STR("no")},
                                             {STR("DPoP-Nonce"), r->who.nonce}),
                                none);
    if (rc == RC_OK && r->x->loop)
        s->timer = http_timer_start(r->x->loop, TICK_MS, TICK_MS, on_tick, s);
    if (rc == RC_OK)
        rc = http_stream_write(r->x, STR(": open\n\n"));
    if (rc != RC_OK || (r->x->loop && !s->timer)) {
        stream_end(s);
        return;
    }
    http_exchange_on_gone(r->x, on_gone, s);
}

static mcp_error_t check(mcp_request_t *r)
{
    if (!http_media_accepts(http_header(r->x, STR("Accept")), STR("text/event-stream")))
        return MCP_ERROR_NOT_ACCEPTABLE;
    return r->session.p ? MCP_NO_ERROR : MCP_ERROR_SESSION_NEEDED;
}

void mcp_stream_get(mcp_request_t *r)
{
    principal_t who = mcp_principal(r);
    const mcp_worker_t *w = r->x->worker;
    mcp_stream_t *s = ARENA_NEW(r->x->arena, mcp_stream_t);
    mcp_error_t e = !s || w->draining ? MCP_ERROR_BUSY : check(r);
    if (e != MCP_NO_ERROR) {
        mcp_refuse(r, e);
        return;
    }
    rc_t rc = sessions_stream_open(r->m->sessions, r->session, &who);
    if (rc == RC_OK)
        stream_open(r, s);
    else
        mcp_refuse(r, rc == RC_LIMIT ? MCP_ERROR_TOO_MANY_STREAMS : MCP_ERROR_UNKNOWN_SESSION);
}

void mcp_stream_drain(mcp_worker_t *w)
{
    w->draining = true;
    while (w->streams)
        stream_end(w->streams);
}
