/* Reading an answer: each phase returns whether there is another one to run. */
#include <stdlib.h>

#include "http/outbound_conn.h"

/* 1xx answers before the one that counts; a server sends one or two. */
enum { INTERIM_MAX = 8 };

static bool refuse(http_outbound_conn_t *c)
{
    http_outbound_conn_fail(c, HTTP_OUT_MALFORMED);
    return false;
}

/* Keeps the beginning of a head until its end comes. */
static bool keep_part(http_outbound_conn_t *c)
{
    size_t cap = c->owner->config.max_head;
    http_outbound_part_t *part = malloc(sizeof *part + cap);
    if (!part) {
        http_outbound_conn_fail(c, HTTP_OUT_BROKEN);
        return false;
    }
    http_response_init(&part->response, c->call->method, cap);
    part->cap = cap;
    part->have = 0;
    c->part = part;
    return true;
}

static http_step_t read_part(http_outbound_conn_t *c, http_response_t **out)
{
    http_outbound_part_t *part = c->part;
    str_t piece = str_first(c->in, part->cap - part->have);
    size_t before = part->have;
    memcpy(part->bytes + before, piece.p, piece.n);
    part->have += piece.n;
    *out = &part->response;
    http_step_t step = http_response_head(&part->response, part->bytes, part->have);
    size_t used = step == HTTP_STEP_DONE ? part->response.fields.pos - before : piece.n;
    c->in = str_skip(c->in, used);
    return step;
}

/* The head in one piece, or what has come of it. */
static http_step_t read_head(http_outbound_conn_t *c, http_response_t **out)
{
    http_response_t *r = &c->owner->response;
    if (c->in.n == 0)
        return HTTP_STEP_MORE;
    if (c->part)
        return read_part(c, out);
    http_response_init(r, c->call->method, c->owner->config.max_head);
    http_step_t step = http_response_head(r, c->in.p, c->in.n);
    *out = r;
    if (step == HTTP_STEP_MORE && keep_part(c))
        return read_part(c, out);
    if (step == HTTP_STEP_DONE)
        c->in = str_skip(c->in, r->fields.pos);
    return step;
}

static bool is_event_stream(const http_response_head_t *h)
{
    http_headers_t all = {h->headers, h->header_count};
    str_t type = http_headers_get(all, STR("content-type"));
    str_t name = str_first(type, str_find(type, ';', 0));
    return str_eq_nocase(str_trim(name, " \t"), STR("text/event-stream"));
}

static void tell_head(http_outbound_conn_t *c, const http_response_head_t *h)
{
    http_outbound_call_t *call = c->call;
    c->phase = HTTP_OUT_BODY;
    c->body = http_response_body(h);
    c->close = h->close;
    c->keep_s = h->keep_s;
    c->quiet = is_event_stream(h);
    http_outbound_conn_deadline(c, c->quiet ? 0 : c->owner->config.body_ms);
    http_outbound_head_t head = {
        h->status, {h->headers, h->header_count}, h->has_length, h->length};
    call->events.head(call->events.ctx, &head);
}

static bool run_head(http_outbound_conn_t *c)
{
    http_response_t *r = NULL;
    http_step_t step = read_head(c, &r);
    if (step == HTTP_STEP_MORE)
        return false;
    if (step == HTTP_STEP_BAD)
        return refuse(c);
    bool interim = r->head.status < 200;
    if (interim && ++c->call->interim > INTERIM_MAX)
        return refuse(c);
    http_outbound_part_t *part = c->part;
    c->part = NULL;
    if (!interim)
        tell_head(c, &r->head);
    free(part);
    return true;
}

/* Servers that write head and body apart, and wait in between for the acknowledgement of the first
 * (RFC 896), would wait 40 ms for ours, which has nothing to travel with. Once an answer. */
static void hurry(http_outbound_conn_t *c)
{
    if (!c->call || c->hurried)
        return;
    c->hurried = true;
    http_tcp_acknowledge(c->tcp);
}

static bool run_body(http_outbound_conn_t *c)
{
    http_outbound_call_t *call = c->call;
    str_t data;
    http_step_t step = http_response_next(&c->body, &c->in, &data);
    if (step == HTTP_STEP_BAD)
        return refuse(c);
    if (step == HTTP_STEP_DONE)
        c->phase = HTTP_OUT_LAST;
    if (data.n)
        call->events.data(call->events.ctx, data);
    if (step == HTTP_STEP_MORE && c->in.n == 0)
        hurry(c);
    return step == HTTP_STEP_DONE || c->in.n > 0;
}

/* Bytes behind an answer that nobody asked for are the beginning of somebody else's: such a
 * connection is not kept (response queue poisoning). */
static bool is_sound(const http_outbound_conn_t *c)
{
    const http_outbound_t *o = c->owner;
    return !c->close && !c->sending && c->in.n == 0 && !o->ended && o->idles < o->config.max_idle;
}

/* A second less than the peer says, so that it does not close while a request is on its way. */
static int64_t keep_ms(const http_outbound_conn_t *c)
{
    int64_t mine = c->owner->config.idle_ms, theirs = ((int64_t)c->keep_s - 1) * 1000;
    return c->keep_s && theirs < mine ? theirs : mine;
}

static void keep(http_outbound_conn_t *c)
{
    http_outbound_t *o = c->owner;
    if (!is_sound(c) || keep_ms(c) <= 0) {
        http_outbound_conn_close(c);
        return;
    }
    c->phase = HTTP_OUT_IDLE;
    c->deadline_ms = http_worker_now_ms(o->loop) + keep_ms(c);
    http_link_drop(&c->link);
    http_link_add(&o->idle, &c->link);
    o->idles++;
    c->wire->ops->resume(c->wire);
}

static bool run_last(http_outbound_conn_t *c)
{
    http_outbound_call_t *call = c->call;
    http_outbound_events_t events = call->events;
    c->call = NULL;
    keep(c);
    http_outbound_call_free(call);
    events.end(events.ctx, HTTP_OUT_DONE);
    return false;
}

static bool wait_for_others(http_outbound_conn_t *c)
{
    return false;
}

static bool (*const PHASES[])(http_outbound_conn_t *) = {
    [HTTP_OUT_DIAL] = wait_for_others, [HTTP_OUT_HEAD] = run_head,
    [HTTP_OUT_BODY] = run_body,        [HTTP_OUT_LAST] = run_last,
    [HTTP_OUT_IDLE] = wait_for_others, [HTTP_OUT_CLOSED] = wait_for_others,
};

/* What the reader has not taken waits on the heap: the owner's buffer is for the next read. */
static void hold(http_outbound_conn_t *c)
{
    /* What waits already is read to its end before anything else comes. */
    if (!c->call || c->in.n == 0 || c->held)
        return;
    char *held = malloc(c->in.n);
    if (!held) {
        http_outbound_conn_fail(c, HTTP_OUT_BROKEN);
        return;
    }
    memcpy(held, c->in.p, c->in.n);
    c->held = held;
    c->in = str_of(held, c->in.n);
}

/* Runs the phases as far as they go, and frees the connection at its end. */
void http_outbound_answer_run(http_outbound_conn_t *c)
{
    bool was = c->running;
    c->running = true;
    while (c->call && !c->call->paused && PHASES[c->phase](c)) {
    }
    hold(c);
    c->running = was;
    if (c->phase == HTTP_OUT_CLOSED && !was)
        free(c);
}
