#include "http/conn.h"

#include <stdlib.h>

#include "core/secret.h"

rc_t http_bytes_room(http_bytes_t *b, size_t more, size_t max)
{
    if (more > max || b->n > max - more)
        return RC_LIMIT;
    if (b->cap - b->n >= more)
        return RC_OK;
    size_t cap = b->cap ? b->cap : 1024;
    while (cap < b->n + more)
        cap *= 2;
    char *p = realloc(b->p, cap);
    if (!p)
        return RC_MEMORY;
    b->p = p;
    b->cap = cap;
    return RC_OK;
}

void http_bytes_free(http_bytes_t *b)
{
    free(b->p);
    *b = (http_bytes_t){0};
}

void http_conn_deadline(http_conn_t *c, int64_t after_ms)
{
    c->deadline_ms = after_ms ? http_hub_now(c->hub) + after_ms : 0;
    http_hub_due(c->hub, c->deadline_ms);
}

void http_conn_lose(http_conn_t *c)
{
    bool called = c->phase >= HTTP_PHASE_READY && c->phase <= HTTP_PHASE_STREAM;
    http_hub_busy(c->hub, c);
    if (c->wire)
        c->wire->ops->abort(c->wire);
    c->wire = NULL;
    c->pending = false;
    c->deadline_ms = 0;
    if (!called) {
        c->phase = HTTP_PHASE_DONE;
        return;
    }
    http_call_t *call = c->call;
    if (call->answered) {
        c->phase = HTTP_PHASE_DONE;
        return;
    }
    if (call->told)
        return;
    call->told = true;
    if (call->on_gone)
        call->on_gone(call->gone_ctx, &call->x);
    else if (call->wants_room && call->events.writable)
        call->events.writable(call->events.ctx, &call->x);
}

bool http_conn_send(http_conn_t *c, const struct iovec *v, unsigned n)
{
    if (!c->wire)
        return true;
    http_send_t sent = c->wire->ops->send(c->wire, v, n);
    if (sent == HTTP_DEAD)
        http_conn_lose(c);
    if (sent != HTTP_PENDING)
        return true;
    c->pending = true;
    c->unsent = c->wire->ops->unsent(c->wire);
    http_conn_deadline(c, c->hub->times.write_ms);
    return false;
}

bool http_conn_is_last(const http_conn_t *c)
{
    return c->close || c->hub->draining || (c->ended && c->have == c->used);
}

/* Says goodbye on the wire; false, for phases to return. */
static bool end(http_conn_t *c)
{
    http_hub_busy(c->hub, c);
    if (c->wire)
        c->wire->ops->close(c->wire);
    c->wire = NULL;
    c->phase = HTTP_PHASE_ENDED;
    return false;
}

/* Heads and bodies carry tokens and passwords: nothing of them stays in a free block. */
void http_conn_give_block(http_conn_t *c)
{
    secret_wipe(c->block->in, c->have);
    c->have = 0;
    http_hub_give_block(c->hub, c->block);
    c->block = NULL;
}

void http_conn_read_on(http_conn_t *c)
{
    if (c->wire && !c->ended)
        c->wire->ops->resume(c->wire);
}

/* Ready for the next request; the bytes behind the last one go to the front. */
static void rewind_block(http_conn_t *c)
{
    http_block_t *b = c->block;
    if (!b)
        return;
    c->have -= c->used;
    if (c->have)
        memmove(b->in, b->in + c->used, c->have);
    secret_wipe(b->in + c->have, c->used);
    c->used = 0;
    http_codec_init(&b->codec);
}

/* HEAD: bytes to a request head. */
static bool run_head(http_conn_t *c)
{
    if (c->have == 0) {
        if (c->block)
            http_conn_give_block(c);
        if (c->ended || c->hub->draining || !c->wire)
            return end(c);
        http_hub_idle(c->hub, c);
        return false;
    }
    http_codec_t *codec = &c->block->codec;
    switch (http_codec_head(codec, c->block->in, c->have)) {
    case HTTP_STEP_DONE:
        c->used = codec->pos;
        http_dispatch_head(c);
        return true;
    case HTTP_STEP_BAD:
        http_dispatch_refuse(c, codec->status, codec->why);
        return true;
    default:
        return c->ended ? end(c) : false;
    }
}

/* Nobody is there to hear an answer: none is made. */
static bool forget(http_conn_t *c)
{
    http_link_drop(&c->turn);
    c->phase = HTTP_PHASE_DONE;
    return true;
}

static bool run_ready(http_conn_t *c)
{
    bool waits = !http_link_none(&c->turn);
    c->deadline_ms = 0;
    if (!c->wire)
        return forget(c);
    if (waits)
        return false;
    if (c->ready_ms == 0 && http_hub_must_wait(c->hub)) {
        c->ready_ms = http_hub_now(c->hub);
        http_link_add(&c->hub->waiting, &c->turn);
        return false;
    }
    c->phase = HTTP_PHASE_HANDLING;
    http_dispatch_ready(c);
    return c->phase != HTTP_PHASE_HANDLING;
}

static bool wait_for_others(http_conn_t *c)
{
    return false;
}

static void end_call(http_conn_t *c)
{
    http_call_t *call = c->call;
    c->call = NULL;
    http_hub_give_arena(c->hub, call->x.arena);
    if (call->body.p)
        secret_wipe(call->body.p, call->body.cap);
    http_bytes_free(&call->body);
    http_bytes_free(&call->flight);
    http_bytes_free(&call->queue);
    http_hub_give_call(c->hub, call);
}

/* DONE: the exchange ends, the connection goes on or not. */
static bool run_done(http_conn_t *c)
{
    bool called = c->call != NULL;
    if (called)
        end_call(c);
    if (!c->wire || c->close || !called)
        return end(c);
    rewind_block(c);
    c->phase = HTTP_PHASE_HEAD;
    http_conn_deadline(c, c->have ? c->hub->times.header_ms : c->hub->times.idle_ms);
    http_conn_read_on(c);
    return true;
}

static bool (*const PHASES[])(http_conn_t *c) = {
    [HTTP_PHASE_HEAD] = run_head,          [HTTP_PHASE_BODY] = http_body_run,
    [HTTP_PHASE_READY] = run_ready,        [HTTP_PHASE_HANDLING] = wait_for_others,
    [HTTP_PHASE_STREAM] = wait_for_others, [HTTP_PHASE_WRITING] = wait_for_others,
    [HTTP_PHASE_DONE] = run_done,          [HTTP_PHASE_ENDED] = wait_for_others,
};

void http_conn_free(http_conn_t *c)
{
    http_hub_t *h = c->hub;
    *(c->prev ? &c->prev->next : &h->conns) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    h->conn_count--;
    free(c);
}

void http_conn_run(http_conn_t *c)
{
    if (c->running)
        return;
    c->running = true;
    while (PHASES[c->phase](c)) {
    }
    c->running = false;
    if (c->phase != HTTP_PHASE_ENDED)
        return;
    if (c->block)
        http_conn_give_block(c);
    if (!c->hub->walking)
        http_conn_free(c);
}

/* What the wire calls. */

static bool is_slim(const http_conn_t *c)
{
    return c->call && c->call->slim;
}

/* Bytes behind the request of a slim stream. They are read so that its client's end is seen, and
 * dropped: the connection ends with the stream. Who goes on sending does not speak HTTP. */
static void spill(http_conn_t *c, size_t n)
{
    c->close = true;
    c->call->spilled += n;
    if (c->call->spilled > HTTP_BLOCK_IN)
        http_conn_cut(c, 0);
}

static void *conn_space(http_sink_t *s, size_t *n)
{
    http_conn_t *c = (http_conn_t *)s;
    if (is_slim(c)) {
        *n = sizeof c->hub->waste;
        return c->hub->waste;
    }
    *n = 0;
    if (!c->block) {
        c->block = http_hub_block(c->hub);
        if (!c->block)
            return NULL;
        http_codec_init(&c->block->codec);
    }
    *n = HTTP_BLOCK_IN - c->have;
    return c->block->in + c->have;
}

/* An idle connection has no block, and room for a whole one. */
static void conn_room(http_sink_t *s, size_t *n)
{
    *n = HTTP_BLOCK_IN - ((http_conn_t *)s)->have;
}

static void conn_filled(http_sink_t *s, size_t n)
{
    http_conn_t *c = (http_conn_t *)s;
    if (is_slim(c)) {
        spill(c, n);
        return;
    }
    bool first = c->phase == HTTP_PHASE_HEAD && c->have == 0;
    c->have += n;
    if (first) {
        http_hub_busy(c->hub, c);
        http_conn_deadline(c, c->hub->times.header_ms);
    }
    http_conn_run(c);
}

static void conn_sent(http_sink_t *s)
{
    http_conn_t *c = (http_conn_t *)s;
    c->pending = false;
    c->deadline_ms = 0;
    /* Callbacks of a stream may end it: the connection is freed only by the run below. */
    c->running = true;
    if (c->phase == HTTP_PHASE_STREAM || c->call->flight.n)
        http_stream_sent(c->call);
    else
        c->phase = HTTP_PHASE_DONE;
    c->running = false;
    http_conn_run(c);
}

static void conn_ended(http_sink_t *s)
{
    http_conn_t *c = (http_conn_t *)s;
    c->ended = true;
    /* Who ends a stream's connection on its side has stopped to listen; who does it after plain
     * requests still wants all their answers. */
    if (c->phase == HTTP_PHASE_STREAM && !c->call->answered) {
        http_conn_cut(c, 0);
        return;
    }
    http_conn_run(c);
}

static void conn_gone(http_sink_t *s)
{
    http_conn_t *c = (http_conn_t *)s;
    c->wire = NULL;
    http_conn_cut(c, 0);
}

static const http_sink_ops_t SINK = {conn_space, conn_room,  conn_filled,
                                     conn_sent,  conn_ended, conn_gone};

http_conn_t *http_conn_open(http_hub_t *hub, http_wire_t *wire, http_addr_t peer, bool tls)
{
    http_conn_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->sink.ops = &SINK;
    c->wire = wire;
    c->hub = hub;
    c->peer = peer;
    c->tls = tls;
    http_link_init(&c->turn);
    c->next = hub->conns;
    if (c->next)
        c->next->prev = c;
    hub->conns = c;
    hub->conn_count++;
    http_hub_idle(hub, c);
    c->close = hub->draining;
    http_conn_deadline(c, hub->draining ? hub->grace_ms : hub->times.header_ms);
    return c;
}

void http_conn_cut(http_conn_t *c, int64_t now_ms)
{
    bool was = c->running;
    c->running = true;
    http_conn_lose(c);
    c->running = was;
    http_conn_run(c);
}

void http_conn_drain(http_conn_t *c, int64_t now_ms)
{
    c->close = true;
    if (c->phase != HTTP_PHASE_HEAD || c->have)
        return;
    /* Its next request may be under way: who closes now cuts it. */
    if (c->hub->grace_ms) {
        http_conn_deadline(c, c->hub->grace_ms);
        return;
    }
    end(c);
    http_conn_run(c);
}

/* A pending send is cut only when the client took nothing since the last look. */
static bool made_progress(http_conn_t *c)
{
    if (!c->pending || !c->wire)
        return false;
    size_t unsent = c->wire->ops->unsent(c->wire);
    bool progress = unsent < c->unsent;
    c->unsent = unsent;
    return progress;
}

void http_conn_tick(http_conn_t *c, int64_t now_ms)
{
    if (c->deadline_ms == 0 || now_ms < c->deadline_ms) {
        http_hub_due(c->hub, c->deadline_ms);
        return;
    }
    if (made_progress(c)) {
        http_conn_deadline(c, c->hub->times.write_ms);
        return;
    }
    bool reading = (c->phase == HTTP_PHASE_HEAD && c->have) || c->phase == HTTP_PHASE_BODY;
    c->deadline_ms = 0;
    c->running = true;
    if (reading)
        http_dispatch_refuse(c, 408, STR("the request did not arrive in time"));
    else if (c->phase == HTTP_PHASE_HEAD)
        end(c);
    else
        http_conn_lose(c);
    c->running = false;
    http_conn_run(c);
}
