#include "http/outbound_conn.h"

#include <stdlib.h>

/* 1xx answers before the one that counts; a server sends one or two. */
enum { INTERIM_MAX = 8 };

void http_link_init(http_link_t *l)
{
    l->prev = l->next = l;
}

void http_link_add(http_link_t *list, http_link_t *l)
{
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

void http_link_drop(http_link_t *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    http_link_init(l);
}

bool http_link_none(const http_link_t *list)
{
    return list->next == list;
}

static int64_t now_of(const http_outbound_conn_t *c)
{
    return http_worker_now_ms(c->owner->loop);
}

/* Only what has a deadline is looked at by the tick: ten thousand idle streams cost it nothing. */
static void set_deadline(http_outbound_conn_t *c, int64_t after_ms)
{
    c->deadline_ms = after_ms ? now_of(c) + after_ms : 0;
    http_link_drop(&c->link);
    http_link_add(after_ms ? &c->owner->timed : &c->owner->quiet, &c->link);
}

static void drop_held(http_outbound_conn_t *c)
{
    free(c->held);
    c->held = NULL;
}

static void drop_part(http_outbound_conn_t *c)
{
    free(c->part);
    c->part = NULL;
}

void http_outbound_conn_close(http_outbound_conn_t *c)
{
    if (c->phase == HTTP_OUT_CLOSED)
        return;
    c->owner->conns--;
    c->owner->idles -= c->phase == HTTP_OUT_IDLE;
    http_link_drop(&c->link);
    http_dial_drop(c->dial);
    c->dial = NULL;
    if (c->wire)
        c->wire->ops->abort(c->wire);
    c->wire = NULL;
    drop_held(c);
    drop_part(c);
    c->phase = HTTP_OUT_CLOSED;
    if (!c->running)
        free(c);
}

/* The connection is of no use any more; a call on it ends so. */
static void fail(http_outbound_conn_t *c, http_outbound_end_t how)
{
    if (c->call)
        http_outbound_call_fail(c->call, how);
    http_outbound_conn_close(c);
}

/* The wire is lost. A kept connection that the peer had closed already has no fault of its own: the
 * request goes once to a fresh one, unless it may have had an effect. */
static void lose(http_outbound_conn_t *c, bool unread)
{
    http_outbound_call_t *call = c->call;
    bool repeat =
        call && c->phase == HTTP_OUT_HEAD && c->kept && !c->heard && (unread || call->may_repeat);
    if (!repeat) {
        fail(c, HTTP_OUT_BROKEN);
        return;
    }
    c->call = NULL;
    call->conn = NULL;
    http_outbound_conn_close(c);
    if (http_outbound_conn_new(call) != RC_OK)
        http_outbound_call_fail(call, HTTP_OUT_UNREACHABLE);
}

/* A fresh connection will not be tried again, so its request need not be kept. */
static void forget_request(http_outbound_conn_t *c)
{
    if (!c->sending && (c->heard || !c->kept))
        http_outbound_call_forget(c->call);
}

static void send_request(http_outbound_conn_t *c)
{
    http_outbound_call_t *call = c->call;
    struct iovec v = {call->out, call->out_n};
    c->phase = HTTP_OUT_HEAD;
    set_deadline(c, c->owner->config.head_ms);
    http_send_t sent = c->wire->ops->send(c->wire, &v, 1);
    if (sent == HTTP_DEAD) {
        lose(c, true);
        return;
    }
    c->sending = sent == HTTP_PENDING;
    forget_request(c);
}

void http_outbound_conn_take(http_outbound_conn_t *c, http_outbound_call_t *call)
{
    c->owner->idles--;
    c->call = call;
    call->conn = c;
    c->kept = true;
    c->heard = c->close = c->quiet = false;
    send_request(c);
}

/* Reading the answer. Each phase returns whether there is another one to run. */

static bool refuse(http_outbound_conn_t *c)
{
    fail(c, HTTP_OUT_MALFORMED);
    return false;
}

/* Keeps the beginning of a head until its end comes. */
static bool keep_part(http_outbound_conn_t *c)
{
    size_t cap = c->owner->config.max_head;
    http_outbound_part_t *part = malloc(sizeof *part + cap);
    if (!part)
        return false;
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
    if (step == HTTP_STEP_MORE)
        return keep_part(c) ? read_part(c, out) : HTTP_STEP_BAD;
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
    set_deadline(c, c->quiet ? 0 : c->owner->config.body_ms);
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
    c->deadline_ms = now_of(c) + keep_ms(c);
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
    if (!c->call || c->in.n == 0)
        return;
    char *held = malloc(c->in.n);
    if (!held) {
        fail(c, HTTP_OUT_BROKEN);
        return;
    }
    memcpy(held, c->in.p, c->in.n);
    drop_held(c);
    c->held = held;
    c->in = str_of(held, c->in.n);
}

/* Runs the phases as far as they go, and frees the connection at its end. */
static void run(http_outbound_conn_t *c)
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

/* The time that a phase may take from now on; none while the reader pauses. */
static void renew_deadline(http_outbound_conn_t *c)
{
    const http_outbound_config_t *config = &c->owner->config;
    bool paused = c->call->paused;
    if (c->phase == HTTP_OUT_HEAD)
        set_deadline(c, paused ? 0 : config->head_ms);
    if (c->phase == HTTP_OUT_BODY)
        set_deadline(c, paused || c->quiet ? 0 : config->body_ms);
}

void http_outbound_conn_paused(http_outbound_conn_t *c)
{
    renew_deadline(c);
}

void http_outbound_conn_go_on(http_outbound_conn_t *c)
{
    renew_deadline(c);
    c->running = true;
    run(c);
    c->running = false;
    if (c->phase == HTTP_OUT_CLOSED) {
        free(c);
        return;
    }
    if (c->in.n == 0)
        drop_held(c);
    if (c->wire)
        c->wire->ops->resume(c->wire);
}

/* What the wire calls. */

static http_outbound_conn_t *of_sink(http_sink_t *s)
{
    return (http_outbound_conn_t *)((char *)s - offsetof(http_outbound_conn_t, sink));
}

static void conn_room(http_sink_t *s, size_t *n)
{
    http_outbound_conn_t *c = of_sink(s);
    bool paused = c->call && (c->call->paused || c->in.n);
    *n = paused ? 0 : HTTP_OUT_READ_BYTES;
}

static void *conn_space(http_sink_t *s, size_t *n)
{
    conn_room(s, n);
    return of_sink(s)->owner->read;
}

static void conn_filled(http_sink_t *s, size_t n)
{
    http_outbound_conn_t *c = of_sink(s);
    /* Nobody asked: whatever this is, it answers no request of ours. */
    if (!c->call) {
        http_outbound_conn_close(c);
        return;
    }
    c->heard = true;
    c->in = str_of(c->owner->read, n);
    if (c->phase == HTTP_OUT_BODY)
        renew_deadline(c);
    else
        forget_request(c);
    run(c);
}

static void conn_sent(http_sink_t *s)
{
    http_outbound_conn_t *c = of_sink(s);
    c->sending = false;
    if (c->call)
        forget_request(c);
}

static void conn_ended(http_sink_t *s)
{
    http_outbound_conn_t *c = of_sink(s);
    c->close = true;
    if (c->phase == HTTP_OUT_LAST)
        return;
    if (c->phase != HTTP_OUT_BODY || c->body.frame != HTTP_FRAME_CLOSE) {
        lose(c, false);
        return;
    }
    c->phase = HTTP_OUT_LAST;
    run(c);
}

static void conn_gone(http_sink_t *s)
{
    http_outbound_conn_t *c = of_sink(s);
    c->wire = NULL;
    lose(c, false);
}

static const http_sink_ops_t SINK = {conn_space, conn_room,  conn_filled,
                                     conn_sent,  conn_ended, conn_gone};

static void on_dialed(void *ctx, http_tcp_t *tcp)
{
    http_outbound_conn_t *c = ctx;
    c->dial = NULL;
    if (!tcp) {
        fail(c, HTTP_OUT_UNREACHABLE);
        return;
    }
    c->tcp = tcp;
    c->wire = &tcp->wire;
    tcp->sink = &c->sink;
    http_tcp_read(tcp);
    send_request(c);
}

rc_t http_outbound_conn_new(http_outbound_call_t *call)
{
    http_outbound_t *o = call->owner;
    http_outbound_conn_t *c = calloc(1, sizeof *c);
    if (!c)
        return RC_MEMORY;
    c->sink.ops = &SINK;
    c->owner = o;
    int64_t until_ms = http_worker_now_ms(o->loop) + o->config.connect_ms;
    rc_t rc = http_dial_start(&o->to, until_ms, on_dialed, c, &c->dial);
    if (rc != RC_OK) {
        free(c);
        return rc;
    }
    c->call = call;
    call->conn = c;
    o->conns++;
    http_link_init(&c->link);
    set_deadline(c, 1);
    return RC_OK;
}

void http_outbound_conn_tick(http_outbound_conn_t *c, int64_t now_ms)
{
    if (c->dial) {
        if (!http_dial_tick(c->dial, now_ms))
            fail(c, HTTP_OUT_UNREACHABLE);
        return;
    }
    if (now_ms >= c->deadline_ms)
        fail(c, HTTP_OUT_TIMEOUT);
}
