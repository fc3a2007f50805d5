#include <stdio.h>

#include "core/secret.h"
#include "http/conn.h"

/* Room in a piece of the queue for the size line and the end of a chunk. */
enum { CHUNK_FRAME = 16 };

static void append(http_bytes_t *b, str_t s)
{
    if (s.n)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

/* A slim stream keeps no buffers while nothing is under way. */
static void slim_down(http_call_t *call)
{
    if (!call->slim || call->flight.n || call->queue.n)
        return;
    http_bytes_free(&call->flight);
    http_bytes_free(&call->queue);
}

/* Sends what waits, unless a piece is under way: queue and flight change places, so that bytes
 * under way never move. */
static void flush(http_call_t *call)
{
    http_conn_t *c = call->conn;
    while (!c->pending && call->queue.n && c->wire) {
        http_bytes_t piece = call->queue;
        call->queue = call->flight;
        call->queue.n = 0;
        call->flight = piece;
        struct iovec v = {piece.p, piece.n};
        if (http_conn_send(c, &v, 1))
            call->flight.n = 0;
    }
    slim_down(call);
}

/* flush for a caller who learns of a lost client by RC_IO, and must not be told twice. */
static rc_t flush_for(http_call_t *call)
{
    bool told = call->told;
    call->told = true;
    flush(call);
    if (!call->conn->wire)
        return RC_IO;
    call->told = told;
    return RC_OK;
}

/* The writer's answer went out whole: the exchange is over. */
static void settle(http_call_t *call)
{
    http_conn_t *c = call->conn;
    bool written = !c->wire || (!c->pending && call->queue.n == 0);
    if (call->answered)
        c->phase = written ? HTTP_PHASE_DONE : HTTP_PHASE_STREAM;
}

void http_stream_sent(http_call_t *call)
{
    call->flight.n = 0;
    flush(call);
    settle(call);
    size_t waiting = call->flight.n + call->queue.n;
    if (!call->wants_room || call->answered || !call->conn->wire ||
        waiting > LIMIT_HTTP_STREAM_BYTES / 2)
        return;
    call->wants_room = false;
    if (call->events.writable)
        call->events.writable(call->events.ctx, &call->x);
}

static http_end_t stream_end_of(const http_call_t *call)
{
    return call->conn->block->codec.head.minor == 0 ? HTTP_END_CLOSE : HTTP_END_CHUNKED;
}

rc_t http_stream_begin(http_exchange_t *x, int status, http_headers_t headers,
                       http_stream_events_t events)
{
    http_call_t *call = http_call_of(x);
    http_conn_t *c = call->conn;
    const http_route_t *route = x->route;
    size_t n = 0;
    if (!c->wire)
        return RC_IO;
    http_answer_head_t h = {
        .status = status,
        .headers = headers,
        .end = stream_end_of(call),
        .date = http_hub_date(c->hub),
        .close = http_conn_is_last(c) || stream_end_of(call) == HTTP_END_CLOSE,
        .cors = route && route->cors == HTTP_CORS_PUBLIC,
        .no_store = route && (route->flags & HTTP_ROUTE_NO_STORE),
    };
    TRY(http_writer_head(&h, c->block->out, LIMIT_HTTP_REPLY_HEAD_BYTES, &n));
    TRY(http_bytes_room(&call->queue, n, LIMIT_HTTP_REPLY_HEAD_BYTES));
    append(&call->queue, str_of(c->block->out, n));
    c->close = h.close;
    c->phase = HTTP_PHASE_STREAM;
    call->events = events;
    call->stream_end = h.end;
    http_call_count(call, status);
    return flush_for(call);
}

rc_t http_stream_write(http_exchange_t *x, str_t bytes)
{
    http_call_t *call = http_call_of(x);
    char size[CHUNK_FRAME];
    if (!call->conn->wire)
        return RC_IO;
    if (bytes.n == 0 || x->method == HTTP_HEAD)
        return RC_OK;
    if (bytes.n > LIMIT_HTTP_STREAM_BYTES)
        return RC_LIMIT;
    size_t waiting = call->flight.n + call->queue.n;
    if (waiting && waiting + bytes.n > LIMIT_HTTP_STREAM_BYTES) {
        call->wants_room = true;
        return RC_BUSY;
    }
    TRY(http_bytes_room(&call->queue, bytes.n + 2 * CHUNK_FRAME, 2 * LIMIT_HTTP_STREAM_BYTES));
    bool chunked = call->stream_end == HTTP_END_CHUNKED;
    int n = chunked ? snprintf(size, sizeof size, "%zx\r\n", bytes.n) : 0;
    append(&call->queue, str_of(size, (size_t)n));
    append(&call->queue, bytes);
    append(&call->queue, chunked ? STR("\r\n") : STR(""));
    return flush_for(call);
}

void http_stream_slim(http_exchange_t *x)
{
    http_call_t *call = http_call_of(x);
    http_conn_t *c = call->conn;
    if (call->slim)
        return;
    call->slim = true;
    /* What came behind the request is lost with the block: this is the last answer. */
    c->close |= c->have > c->used;
    call->spilled = c->have - c->used;
    x->target = x->path = x->raw_path = x->rest = x->query = x->body = STR_UNSET;
    x->headers = HTTP_NO_HEADERS;
    if (call->body.p)
        secret_wipe(call->body.p, call->body.cap);
    http_bytes_free(&call->body);
    http_conn_give_block(c);
    c->used = 0;
    http_hub_give_arena(c->hub, x->arena);
    x->arena = NULL;
    slim_down(call);
    /* A full block has stopped the reading. */
    http_conn_read_on(c);
}

size_t http_stream_unsent(const http_exchange_t *x)
{
    const http_call_t *call = (const http_call_t *)x;
    const http_conn_t *c = call->conn;
    if (!c->wire)
        return 0;
    return call->queue.n + (c->pending ? c->wire->ops->unsent(c->wire) : 0);
}

void http_stream_end(http_exchange_t *x)
{
    http_call_t *call = http_call_of(x);
    http_conn_t *c = call->conn;
    call->answered = true;
    if (c->wire && call->stream_end == HTTP_END_CHUNKED && x->method != HTTP_HEAD) {
        if (http_bytes_room(&call->queue, 5, 2 * LIMIT_HTTP_STREAM_BYTES + 5) == RC_OK)
            append(&call->queue, STR("0\r\n\r\n"));
        else
            c->close = true;
        flush(call);
    }
    c->phase = HTTP_PHASE_STREAM;
    settle(call);
    http_conn_run(c);
}

void http_stream_abort(http_exchange_t *x)
{
    http_call_t *call = http_call_of(x);
    http_conn_t *c = call->conn;
    call->answered = true;
    if (c->wire)
        c->wire->ops->abort(c->wire);
    c->wire = NULL;
    c->pending = false;
    c->phase = HTTP_PHASE_DONE;
    http_conn_run(c);
}
