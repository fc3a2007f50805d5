#include "core/url.h"
#include "http/conn.h"
#include "http/cors.h"
#include "http/overload.h"

enum { RETRY_AFTER_S = 1 };

static void give_to(http_call_t *call, const http_hosted_t *hosted)
{
    call->app = hosted->app;
    call->x.app = hosted->app->ctx;
    call->x.worker = hosted->worker;
}

/* An exchange with nothing in it but what every answer needs. */
static bool begin_call(http_conn_t *c)
{
    http_call_t *call = http_hub_call(c->hub);
    c->call = call;
    if (!call)
        return false;
    call->conn = c;
    call->began_us = c->hub->counters ? clock_micros() : 0;
    http_exchange_t *x = &call->x;
    x->arena = http_hub_arena(c->hub);
    give_to(call, &c->hub->apps[0]);
    x->loop = c->hub->loop;
    x->target = x->path = x->raw_path = x->rest = x->body = STR("");
    x->client = (http_client_t){c->peer, c->tls};
    if (!x->arena || http_hub_id(c->hub, call->id) != RC_OK)
        return false;
    x->request_id = str_of(call->id, sizeof call->id);
    return true;
}

/* No memory or no randomness: nothing can be said safely. */
static void give_up(http_conn_t *c)
{
    c->close = true;
    if (c->wire)
        c->wire->ops->abort(c->wire);
    c->wire = NULL;
    c->phase = HTTP_PHASE_DONE;
}

void http_dispatch_refuse(http_conn_t *c, int status, str_t why)
{
    c->close = true;
    if (!c->call && !begin_call(c)) {
        give_up(c);
        return;
    }
    c->phase = HTTP_PHASE_HANDLING;
    http_reply_error(&c->call->x, status, why);
}

static void fill_client(http_conn_t *c, http_call_t *call)
{
    http_exchange_t *x = &call->x;
    x->client = http_forwarded_client(&c->hub->proxies, &c->peer, c->tls, x->headers);
    x->client_text = http_addr_text(&x->client.addr, call->client_text);
    x->rate_key = http_addr_rate_key(&x->client.addr, call->rate_key);
}

/* "." and ".." mean one thing to a proxy and another to a table of routes. */
static bool has_dot_segment(str_t path)
{
    str_t segment;
    while (str_split(&path, '/', &segment)) {
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return true;
    }
    return false;
}

/* An encoded slash, backslash or control byte is two paths at once. */
static bool is_clear_path(str_t raw, str_t decoded)
{
    size_t raw_slashes = 0, slashes = 0;
    for (size_t i = 0; i < raw.n; i++)
        raw_slashes += raw.p[i] == '/';
    for (size_t i = 0; i < decoded.n; i++) {
        uint8_t byte = (uint8_t)decoded.p[i];
        slashes += byte == '/';
        if (byte < 0x20 || byte == 0x7f || byte == '\\')
            return false;
    }
    return raw_slashes == slashes;
}

static bool fill_path(http_exchange_t *x)
{
    x->path = x->raw_path;
    if (memchr(x->raw_path.p, '%', x->raw_path.n)) {
        if (url_path_decode(x->arena, x->raw_path, &x->path) != RC_OK ||
            !is_clear_path(x->raw_path, x->path))
            return false;
    }
    return !has_dot_segment(x->path);
}

static void fill_head(http_call_t *call, const http_head_t *head)
{
    http_exchange_t *x = &call->x;
    x->method = head->method;
    x->target = head->target;
    x->raw_path = head->path;
    x->query = head->query;
    x->headers = (http_headers_t){head->headers, head->header_count};
}

/* Preflight and plain OPTIONS, from the table, before any hook (Fetch standard: a preflight never
 * carries credentials). */
static void reply_options(http_exchange_t *x, unsigned allowed)
{
    char text[HTTP_ALLOW_TEXT];
    str_t allow = http_router_allow_text(allowed, text);
    bool cors = x->route && x->route->cors == HTTP_CORS_PUBLIC;
    http_reply(x, 204,
               HTTP_HEADERS({STR("Allow"), allow},
                            {STR("Access-Control-Allow-Methods"), cors ? allow : STR_UNSET},
                            {STR("Access-Control-Allow-Headers"),
                             cors ? http_cors_allow_headers(x->arena, x->headers) : STR_UNSET},
                            {STR("Access-Control-Max-Age"), cors ? STR("7200") : STR_UNSET}),
               STR(""));
}

/* Whether the route takes this kind of body. Answers if not. */
static bool check_body(http_call_t *call, const http_head_t *head)
{
    http_exchange_t *x = &call->x;
    if (head->frame == HTTP_FRAME_NONE || (head->frame == HTTP_FRAME_LENGTH && !head->length))
        return true;
    int status = 0;
    str_t why = STR("the Content-Type is not one this address takes");
    if (head->frame == HTTP_FRAME_LENGTH && head->length > x->route->body_limit) {
        status = 413;
        why = STR("the body is longer than this address takes");
    } else if (http_headers_count(x->headers, STR("content-type")) > 1) {
        status = 400;
        why = STR("more than one Content-Type");
    } else if (str_is_set(http_header(x, STR("content-encoding")))) {
        status = 415;
        why = STR("no Content-Encoding is taken");
    } else if (!(x->route->flags & HTTP_ROUTE_ANY_TYPE) && !(x->media & x->route->bodies)) {
        status = 415;
    }
    if (status)
        http_reply_error(x, status, why);
    return status == 0;
}

static void reply_unmatched(http_exchange_t *x, const http_match_t *m)
{
    if (m->kind == HTTP_MATCH_OPTIONS)
        reply_options(x, m->allowed);
    else if (m->kind == HTTP_MATCH_NOT_FOUND)
        http_reply_error(x, 404, STR("there is nothing at this address"));
    else
        http_reply_error(x, 405, STR("this address does not take this method"));
}

/* Gives the exchange to the first application that knows its path, whatever the method: one that
 * answers 405 there must not be overruled by the next one's 200. */
static http_match_t choose(http_call_t *call, const http_hub_t *hub)
{
    http_exchange_t *x = &call->x;
    for (size_t i = 0; i < hub->app_count; i++) {
        const http_hosted_t *hosted = &hub->apps[i];
        http_match_t match = http_router_match(&hosted->app->routes, x->method, x->path);
        if (match.kind == HTTP_MATCH_NOT_FOUND ||
            (hosted->app->claims && !hosted->app->claims(hosted->worker, x->path)))
            continue;
        give_to(call, hosted);
        x->route = match.route;
        return match;
    }
    return (http_match_t){HTTP_MATCH_NOT_FOUND, NULL, 0};
}

/* True: the request has a handler, its body may come. False: it is answered, or will be. */
static bool admit(http_conn_t *c, http_call_t *call, const http_head_t *head)
{
    http_exchange_t *x = &call->x;
    if (str_eq(x->raw_path, STR("*"))) {
        reply_options(x, (1u << HTTP_METHOD_COUNT) - 1);
        return false;
    }
    if (!fill_path(x)) {
        c->close = true;
        http_reply_error(x, 400, STR("the path is ambiguous"));
        return false;
    }
    http_match_t match = choose(call, c->hub);
    if (match.kind != HTTP_MATCH_FOUND) {
        reply_unmatched(x, &match);
        return false;
    }
    x->rest = http_router_rest(x->route, x->path);
    x->media = http_media_body(http_header(x, STR("content-type")));
    if (!check_body(call, head))
        return false;
    return !call->app->admit || call->app->admit(x);
}

void http_dispatch_head(http_conn_t *c)
{
    static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    http_block_t *b = c->block;
    const http_head_t *head = &b->codec.head;
    bool has_body = head->frame == HTTP_FRAME_CHUNKED || head->length > 0;
    if (!begin_call(c)) {
        give_up(c);
        return;
    }
    fill_head(c->call, head);
    fill_client(c, c->call);
    /* An answer before the body leaves bytes on the way that nobody reads: it ends the connection.
     */
    c->close |= head->close || has_body;
    c->phase = HTTP_PHASE_HANDLING;
    c->deadline_ms = 0;
    if (!admit(c, c->call, head))
        return;
    c->close = head->close || c->hub->draining;
    c->phase = has_body ? HTTP_PHASE_BODY : HTTP_PHASE_READY;
    memset(&b->chunked, 0, sizeof b->chunked);
    http_conn_deadline(c, has_body ? c->hub->times.body_ms : 0);
    if (!has_body || !head->expect_continue || c->have > c->used)
        return;
    struct iovec v = {go_on, sizeof go_on - 1};
    if (!http_conn_send(c, &v, 1))
        http_conn_lose(c);
}

static bool is_late(http_conn_t *c)
{
    int64_t waited = c->ready_ms ? http_hub_now(c->hub) - c->ready_ms : 0;
    c->ready_ms = 0;
    return http_overload_is_late(waited);
}

static void turn_away(const http_conn_t *c)
{
    if (c->hub->counters)
        counter_add(c->hub->counters, COUNTER_LATE, 1);
    http_reply_retry(&c->call->x, 503, RETRY_AFTER_S,
                     STR("the server has too much to do; try again in a moment"));
}

void http_dispatch_ready(http_conn_t *c)
{
    http_exchange_t *x = &c->call->x;
    const http_app_t *app = c->call->app;
    bool late = is_late(c);
    if (late && !(x->route->flags & HTTP_ROUTE_ALWAYS)) {
        turn_away(c);
        return;
    }
    if (app->guard && !app->guard(x))
        return;
    x->route->handler(x);
}

size_t http_dispatch_body_limit(const http_conn_t *c)
{
    return c->call->x.route->body_limit;
}
