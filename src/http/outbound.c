#include "http/outbound.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/secret.h"
#include "http/outbound_conn.h"
#include "http/outbound_request.h"
#include "http/scan.h"
#include "http/tls_filter.h"

/* What a zero of the config means. Node and uvicorn keep idle connections for five seconds: ours
 * end before theirs. */
enum {
    MAX_CONNECTIONS = 1024,
    CONNECT_MS = 5000,
    HEAD_MS = 60000,
    IDLE_MS = 4000,
    NAME_MAX_BYTES = 253, /* RFC 1035 section 2.3.4, as text */
};

static void set_defaults(http_outbound_config_t *c)
{
    c->max_connections = c->max_connections ? c->max_connections : MAX_CONNECTIONS;
    c->max_idle = c->max_idle ? c->max_idle : c->max_connections;
    c->connect_ms = c->connect_ms ? c->connect_ms : CONNECT_MS;
    c->head_ms = c->head_ms ? c->head_ms : HEAD_MS;
    c->idle_ms = c->idle_ms ? c->idle_ms : IDLE_MS;
    c->max_head = c->max_head ? c->max_head : LIMIT_HTTP_HEAD_BYTES;
}

/* Calls. */

void http_outbound_call_forget(http_outbound_call_t *call)
{
    /* Requests carry credentials. */
    if (call->out)
        secret_wipe(call->out, call->out_n);
    free(call->out);
    call->out = NULL;
}

void http_outbound_call_free(http_outbound_call_t *call)
{
    if (!http_link_none(&call->link))
        call->owner->dues--;
    http_link_drop(&call->link);
    http_outbound_call_forget(call);
    free(call);
}

static void tell_due(uv_timer_t *soon);

void http_outbound_call_due(http_outbound_call_t *call)
{
    http_outbound_t *o = call->owner;
    if (!http_link_none(&call->link) || o->ended)
        return;
    http_link_add(&o->due, &call->link);
    if (o->dues++ == 0)
        uv_timer_start(&o->soon, tell_due, 0, 0);
}

void http_outbound_call_fail(http_outbound_call_t *call, http_outbound_end_t how)
{
    if (call->conn)
        call->conn->call = NULL;
    call->conn = NULL;
    call->how = how;
    http_outbound_call_due(call);
}

static void tell_end(http_outbound_call_t *call, http_outbound_end_t how)
{
    http_outbound_events_t events = call->events;
    http_outbound_call_free(call);
    events.end(events.ctx, how);
}

static http_outbound_call_t *first_due(http_outbound_t *o)
{
    http_outbound_call_t *call = (http_outbound_call_t *)o->due.next;
    http_link_drop(&call->link);
    o->dues--;
    return call;
}

/* What becomes due meanwhile is told in the next turn. */
static void tell_due(uv_timer_t *soon)
{
    http_outbound_t *o = soon->data;
    for (unsigned n = o->dues; n && !http_link_none(&o->due); n--) {
        http_outbound_call_t *call = first_due(o);
        if (call->conn)
            http_outbound_conn_go_on(call->conn);
        else
            tell_end(call, call->how);
    }
    if (o->dues && !o->ended)
        uv_timer_start(&o->soon, tell_due, 0, 0);
}

/* The worker. */

void http_outbound_tick(http_worker_t *w)
{
    int64_t now = http_worker_now_ms(w);
    for (http_outbound_t *o = w->outbounds; o; o = o->next) {
        http_link_t *lists[] = {&o->timed, &o->idle};
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
            for (http_link_t *l = lists[i]->next, *next; l != lists[i]; l = next) {
                next = l->next;
                http_outbound_conn_tick((http_outbound_conn_t *)l, now);
            }
        }
    }
}

static void on_closed(uv_handle_t *handle)
{
    http_outbound_t *o = handle->data;
    o->closed = true;
    if (!o->freed)
        return;
    free(o->host);
    free(o);
}

static http_outbound_conn_t *any_conn(http_outbound_t *o)
{
    http_link_t *lists[] = {&o->timed, &o->quiet, &o->idle};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (!http_link_none(lists[i]))
            return (http_outbound_conn_t *)lists[i]->next;
    }
    return NULL;
}

/* Ends everything; the handle closes from the loop. */
static void end(http_outbound_t *o)
{
    http_outbound_conn_t *c;
    if (o->ended)
        return;
    o->ended = true;
    while ((c = any_conn(o))) {
        http_outbound_call_t *call = c->call;
        c->call = NULL;
        http_outbound_conn_close(c);
        if (call)
            tell_end(call, HTTP_OUT_ENDED);
    }
    while (!http_link_none(&o->due))
        tell_end(first_due(o), HTTP_OUT_ENDED);
    *(o->prev ? &o->prev->next : &o->loop->outbounds) = o->next;
    if (o->next)
        o->next->prev = o->prev;
    uv_close((uv_handle_t *)&o->soon, on_closed);
}

void http_outbound_end_all(http_worker_t *w)
{
    while (w->outbounds)
        end(w->outbounds);
}

/* The Host field, from the configuration only: brackets around an IPv6 address, no default port. */
static void write_host(http_outbound_t *o)
{
    bool six = o->to.literal.family == 6;
    uint16_t usual = o->config.tls ? 443 : 80;
    int n = snprintf(o->host_field, sizeof o->host_field, "%s%s%s", six ? "[" : "", o->host,
                     six ? "]" : "");
    if (o->to.port != usual)
        snprintf(o->host_field + n, sizeof o->host_field - (size_t)n, ":%u", (unsigned)o->to.port);
}

static bool is_host(str_t host)
{
    http_addr_t literal;
    if (http_addr_parse(host, &literal) == RC_OK)
        return true;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool fine =
            (HTTP_BYTES[(uint8_t)c] & HTTP_C_TOKEN) && (HTTP_BYTES[(uint8_t)c] & HTTP_C_HOST);
        if (!fine || c == '%')
            return false;
    }
    return host.n && host.n <= NAME_MAX_BYTES;
}

static void join_worker(http_outbound_t *o)
{
    http_worker_t *w = o->loop;
    o->next = w->outbounds;
    if (o->next)
        o->next->prev = o;
    w->outbounds = o;
}

rc_t http_outbound_new(http_worker_t *loop, const http_outbound_config_t *config,
                       http_outbound_t **out)
{
    if (!is_host(config->host))
        return RC_MALFORMED;
    http_outbound_t *o = calloc(1, sizeof *o);
    char *host = malloc(config->host.n + 1);
    if (!o || !host) {
        free(o);
        free(host);
        return RC_MEMORY;
    }
    memcpy(host, config->host.p, config->host.n);
    host[config->host.n] = '\0';
    o->host = host;
    o->loop = loop;
    o->config = *config;
    set_defaults(&o->config);
    o->to = (http_dial_to_t){.loop = &loop->loop, .host = host, .port = config->port};
    if (http_addr_parse(config->host, &o->to.literal) != RC_OK)
        o->to.literal = (http_addr_t){0};
    write_host(o);
    http_link_t *lists[] = {&o->timed, &o->quiet, &o->idle, &o->due};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        http_link_init(lists[i]);
    o->soon.data = o;
    uv_timer_init(&loop->loop, &o->soon); /* cannot fail: it only fills in the handle */
    join_worker(o);
    *out = o;
    return RC_OK;
}

void http_outbound_free(http_outbound_t *o)
{
    if (!o)
        return;
    end(o);
    o->freed = true;
    if (o->closed)
        on_closed((uv_handle_t *)&o->soon);
}

/* In the socket, or out of it and not decrypted yet: whoever asks from within an end is in the
 * middle of a read. */
static bool has_news(const http_outbound_conn_t *c)
{
    bool within = c->owner->config.tls && http_tls_has_news(c->wire);
    return within || http_tcp_has_news(c->tcp);
}

/* The kept connection that was used last: the others may age. One that has something to say, or has
 * been closed, says nothing that we want to hear; over TLS that may be a mere ticket, which costs a
 * connection and no more. */
static http_outbound_conn_t *take_idle(http_outbound_t *o)
{
    while (!http_link_none(&o->idle)) {
        http_outbound_conn_t *c = (http_outbound_conn_t *)o->idle.prev;
        if (http_worker_now_ms(o->loop) < c->deadline_ms && !has_news(c))
            return c;
        http_outbound_conn_close(c);
    }
    return NULL;
}

static rc_t place(http_outbound_t *o, http_outbound_call_t *call)
{
    http_outbound_conn_t *c = take_idle(o);
    if (c) {
        http_outbound_conn_take(c, call);
        return RC_OK;
    }
    if (o->conns >= o->config.max_connections) {
        http_outbound_call_fail(call, HTTP_OUT_BUSY);
        return RC_OK;
    }
    rc_t rc = http_outbound_conn_new(call);
    if (rc != RC_IO)
        return rc;
    http_outbound_call_fail(call, HTTP_OUT_UNREACHABLE);
    return RC_OK;
}

rc_t http_outbound_start(http_outbound_t *o, const http_outbound_request_t *request,
                         http_outbound_events_t events, http_outbound_call_t **out)
{
    if (o->ended)
        return RC_IO;
    http_outbound_call_t *call = calloc(1, sizeof *call);
    if (!call)
        return RC_MEMORY;
    http_link_init(&call->link);
    call->owner = o;
    call->events = events;
    call->method = request->method;
    call->may_repeat = http_outbound_may_repeat(request);
    rc_t rc = http_outbound_write(request, str_c(o->host_field), &call->out, &call->out_n);
    if (rc == RC_OK)
        rc = place(o, call);
    if (rc != RC_OK) {
        http_outbound_call_free(call);
        return rc;
    }
    *out = call;
    return RC_OK;
}

void http_outbound_pause(http_outbound_call_t *call)
{
    call->paused = true;
    if (call->conn)
        http_outbound_conn_paused(call->conn);
}

void http_outbound_resume(http_outbound_call_t *call)
{
    if (!call->paused)
        return;
    call->paused = false;
    http_outbound_call_due(call);
}

void http_outbound_cancel(http_outbound_call_t *call)
{
    http_outbound_conn_t *c = call->conn;
    if (c) {
        c->call = NULL;
        http_outbound_conn_close(c);
    }
    http_outbound_call_free(call);
}
