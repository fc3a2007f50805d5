/* The phase that reads a body: framed by length or in chunks. */
#include "http/conn.h"

/* Takes body bytes out of the block, to the call's own memory. */
static bool keep_body(http_conn_t *c, str_t data)
{
    http_bytes_t *body = &c->call->body;
    rc_t rc = http_bytes_room(body, data.n, http_dispatch_body_limit(c));
    if (rc != RC_OK) {
        if (rc == RC_LIMIT)
            http_dispatch_refuse(c, 413, STR("the body is longer than this address takes"));
        else
            http_dispatch_refuse(c, 503, STR("out of memory"));
        return false;
    }
    if (data.n)
        memcpy(body->p + body->n, data.p, data.n);
    body->n += data.n;
    return true;
}

/* Drops what was eaten from the body part of the block; the head in front of it stays. */
static void eat(http_conn_t *c, str_t rest)
{
    memmove(c->block->in + c->used, rest.p, rest.n);
    c->have = c->used + rest.n;
}

static bool body_complete(http_conn_t *c)
{
    http_bytes_t *body = &c->call->body;
    if (body->n)
        c->call->x.body = str_of(body->p, body->n);
    c->phase = HTTP_PHASE_READY;
    return true;
}

/* More is to come, but not from a client that has ended its side: the exchange ends unanswered. */
static bool wait_or_end(http_conn_t *c)
{
    if (!c->ended)
        return false;
    c->close = true;
    c->phase = HTTP_PHASE_DONE;
    return true;
}

static bool run_chunked(http_conn_t *c)
{
    http_block_t *b = c->block;
    str_t in = str_of(b->in + c->used, c->have - c->used), data;
    http_step_t step;
    do {
        step = http_chunked_next(&b->chunked, &in, &data);
        if (step == HTTP_STEP_BAD) {
            http_dispatch_refuse(c, b->chunked.status, STR("the chunked body is malformed"));
            return true;
        }
        if (!keep_body(c, data))
            return true;
    } while (step == HTTP_STEP_MORE && in.n);
    eat(c, in);
    if (step == HTTP_STEP_DONE)
        return body_complete(c);
    return wait_or_end(c);
}

/* A body that fits behind its head stays there, and is never copied. */
static bool run_length(http_conn_t *c)
{
    http_block_t *b = c->block;
    size_t length = (size_t)b->codec.head.length, there = c->have - c->used;
    if (length <= HTTP_BLOCK_IN - c->used) {
        if (there < length)
            return wait_or_end(c);
        c->call->x.body = str_of(b->in + c->used, length);
        c->used += length;
        c->phase = HTTP_PHASE_READY;
        return true;
    }
    str_t in = str_of(b->in + c->used, there);
    size_t need = length - c->call->body.n;
    if (!keep_body(c, str_first(in, need)))
        return true;
    eat(c, str_skip(in, need));
    if (c->call->body.n == length)
        return body_complete(c);
    return wait_or_end(c);
}

bool http_body_run(http_conn_t *c)
{
    bool chunked = c->block->codec.head.frame == HTTP_FRAME_CHUNKED;
    bool on = chunked ? run_chunked(c) : run_length(c);
    http_conn_read_on(c);
    return on;
}
