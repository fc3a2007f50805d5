#include "http/outbound_conn.h"

#include <stdlib.h>

#include "http/tls_filter.h"

static int64_t now_of(const http_outbound_conn_t *c)
{
    return http_worker_now_ms(c->owner->loop);
}

void http_outbound_conn_deadline(http_outbound_conn_t *c, int64_t after_ms)
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

/* TLS says goodbye where nothing is cut short. */
static void hang_up(http_outbound_conn_t *c)
{
    http_wire_t *wire = c->wire;
    c->wire = NULL;
    if (c->phase == HTTP_OUT_IDLE)
        wire->ops->close(wire);
    else
        wire->ops->abort(wire);
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
        hang_up(c);
    drop_held(c);
    drop_part(c);
    c->phase = HTTP_OUT_CLOSED;
    if (!c->running)
        free(c);
}

void http_outbound_conn_fail(http_outbound_conn_t *c, http_outbound_end_t how)
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
        http_outbound_conn_fail(c, HTTP_OUT_BROKEN);
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

/* The time that a phase may take from now on; none while the reader pauses. */
static void renew_deadline(http_outbound_conn_t *c)
{
    const http_outbound_config_t *config = &c->owner->config;
    int64_t ms = c->phase == HTTP_OUT_HEAD                ? config->head_ms
                 : c->phase == HTTP_OUT_BODY && !c->quiet ? config->body_ms
                                                          : 0;
    if (c->phase != HTTP_OUT_DIAL)
        http_outbound_conn_deadline(c, c->call->paused ? 0 : ms);
}

static void send_request(http_outbound_conn_t *c)
{
    http_outbound_call_t *call = c->call;
    struct iovec v = {call->out, call->out_n};
    c->phase = HTTP_OUT_HEAD;
    renew_deadline(c);
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
    c->heard = c->hurried = c->close = c->quiet = false;
    send_request(c);
}

void http_outbound_conn_paused(http_outbound_conn_t *c)
{
    renew_deadline(c);
}

void http_outbound_conn_go_on(http_outbound_conn_t *c)
{
    renew_deadline(c);
    c->running = true;
    http_outbound_answer_run(c);
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
    http_outbound_answer_run(c);
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
    http_outbound_answer_run(c);
}

static void conn_gone(http_sink_t *s)
{
    http_outbound_conn_t *c = of_sink(s);
    c->wire = NULL;
    /* Within the handshake nothing of the request has left. */
    if (c->phase == HTTP_OUT_DIAL)
        http_outbound_conn_fail(c, HTTP_OUT_UNREACHABLE);
    else
        lose(c, false);
}

static const http_sink_ops_t SINK = {conn_space, conn_room,  conn_filled,
                                     conn_sent,  conn_ended, conn_gone};

static void on_greeted(void *ctx, str_t fault)
{
    http_outbound_conn_t *c = ctx;
    const http_outbound_t *o = c->owner;
    if (str_is_set(fault))
        LOG(o->loop->hub.log, LOG_WARN, "upstream refused", LOG_S("host", str_c(o->host)),
            LOG_S("why", fault));
    else
        send_request(c);
}

/* TLS between the socket and us; the request is sent once the peer is known. */
static bool greet(http_outbound_conn_t *c, http_tcp_t *tcp)
{
    const http_outbound_t *o = c->owner;
    http_tls_later_t later = {http_worker_defer, o->loop};
    http_tls_filter_t *f =
        http_tls_connect(o->config.tls, &tcp->wire, later, (http_tls_handshake_t){on_greeted, c});
    if (!f) {
        http_tcp_shut(tcp);
        return false;
    }
    http_tls_set_above(f, &c->sink);
    tcp->sink = http_tls_sink(f);
    c->wire = http_tls_wire(f);
    http_tcp_read(tcp);
    return http_tls_begin(f);
}

static void on_dialed(void *ctx, http_tcp_t *tcp)
{
    http_outbound_conn_t *c = ctx;
    c->dial = NULL;
    c->tcp = tcp;
    if (tcp && !c->owner->config.tls) {
        c->wire = &tcp->wire;
        tcp->sink = &c->sink;
        http_tcp_read(tcp);
        send_request(c);
    } else if (!tcp || !greet(c, tcp)) {
        http_outbound_conn_fail(c, HTTP_OUT_UNREACHABLE);
    }
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
    http_outbound_conn_deadline(c, o->config.connect_ms);
    return RC_OK;
}

void http_outbound_conn_tick(http_outbound_conn_t *c, int64_t now_ms)
{
    bool late = c->dial ? !http_dial_tick(c->dial, now_ms) : now_ms >= c->deadline_ms;
    if (late)
        http_outbound_conn_fail(c, c->phase == HTTP_OUT_DIAL ? HTTP_OUT_UNREACHABLE
                                                             : HTTP_OUT_TIMEOUT);
}
