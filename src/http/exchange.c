#include "http/exchange.h"

#include "core/json.h"
#include "http/conn.h"

str_t http_header(const http_exchange_t *x, str_t name)
{
    return http_headers_get(x->headers, name);
}

void http_exchange_on_gone(http_exchange_t *x, void (*gone)(void *ctx, http_exchange_t *x),
                           void *ctx)
{
    http_call_t *call = http_call_of(x);
    call->on_gone = gone;
    call->gone_ctx = ctx;
}

bool http_exchange_is_gone(const http_exchange_t *x)
{
    return ((const http_call_t *)x)->conn->wire == NULL;
}

/* The phase after an answer: freed by the run that the caller is in, or that begins here. */
static void finish(http_conn_t *c, bool written)
{
    c->phase = written ? HTTP_PHASE_DONE : HTTP_PHASE_WRITING;
    http_conn_run(c);
}

static http_answer_head_t answer_head(http_call_t *call, int status, http_headers_t headers)
{
    const http_route_t *route = call->x.route;
    http_conn_t *c = call->conn;
    return (http_answer_head_t){
        .status = status,
        .headers = headers,
        .date = http_hub_date(c->hub),
        .close = http_conn_is_last(c),
        .cors = route && route->cors == HTTP_CORS_PUBLIC,
        .no_store = route && (route->flags & HTTP_ROUTE_NO_STORE),
    };
}

/* An answer whose head cannot be written becomes a bare 500: half of it would be a forgery. */
static size_t write_head(http_call_t *call, http_answer_head_t *h)
{
    char *out = call->conn->block->out;
    size_t n = 0;
    rc_t rc = http_writer_head(h, out, LIMIT_HTTP_REPLY_HEAD_BYTES, &n);
    if (rc == RC_OK)
        return n;
    LOG(call->conn->hub->log, LOG_ERROR, "answer head refused", LOG_S("why", str_c(rc_name(rc))),
        LOG_S("request_id", call->x.request_id), LOG_S("path", call->x.path));
    h->status = 500;
    h->headers = HTTP_NO_HEADERS;
    h->end = HTTP_END_LENGTH;
    h->length = 0;
    rc = http_writer_head(h, out, LIMIT_HTTP_REPLY_HEAD_BYTES, &n);
    return rc == RC_OK ? n : 0;
}

void http_call_count(const http_call_t *call, int status)
{
    counter_block_t *counters = call->conn->hub->counters;
    const http_route_t *route = call->x.route;
    if (!counters)
        return;
    str_t label = str_is_set(call->x.label) ? call->x.label : route ? route->path : STR("");
    counter_request(counters, label, status);
    counter_time(counters, HISTOGRAM_REQUEST, clock_micros() - call->began_us);
}

void http_reply(http_exchange_t *x, int status, http_headers_t headers, str_t body)
{
    http_call_t *call = http_call_of(x);
    http_conn_t *c = call->conn;
    /* A second answer behind a begun stream would be read as part of it. */
    if (c->phase == HTTP_PHASE_STREAM) {
        http_stream_abort(x);
        return;
    }
    http_answer_head_t h = answer_head(call, status, headers);
    h.end = status < 200 || status == 204 || status == 304 ? HTTP_END_NONE : HTTP_END_LENGTH;
    h.length = body.n;
    call->answered = true;
    c->close = h.close;
    http_call_count(call, status);
    size_t n = write_head(call, &h);
    bool with_body = x->method != HTTP_HEAD && h.end == HTTP_END_LENGTH && h.length;
    struct iovec v[2] = {{c->block->out, n}, {(void *)(uintptr_t)body.p, body.n}};
    finish(c, http_conn_send(c, v, with_body ? 2 : 1));
}

void http_reply_json(http_exchange_t *x, int status, str_t body)
{
    http_reply(x, status, HTTP_HEADERS({STR("Content-Type"), STR("application/json")}), body);
}

/* The usual word for a status in the errors of OAuth endpoints (RFC 6749 section 5.2). */
static str_t error_word(int status)
{
    switch (status) {
    case 401:
        return STR("invalid_token");
    case 403:
        return STR("access_denied");
    case 404:
        return STR("not_found");
    case 429:
        return STR("too_many_requests");
    case 503:
        return STR("temporarily_unavailable");
    default:
        return status >= 500 ? STR("server_error") : STR("invalid_request");
    }
}

static str_t error_body(http_exchange_t *x, int status, str_t sentence)
{
    buf_t b = buf_new(x->arena, 1024);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("error"), error_word(status));
    json_member_str(&w, STR("error_description"), sentence);
    json_end_object(&w);
    str_t body;
    return buf_done(&b, &body) == RC_OK ? body : STR("{\"error\":\"server_error\"}");
}

static bool wants_page(const http_exchange_t *x)
{
    if (x->route)
        return x->route->flags & HTTP_ROUTE_PAGE;
    str_t accept = http_header(x, STR("accept"));
    return str_is_set(accept) && str_contains(accept, STR("text/html")) &&
           http_media_accepts(accept, STR("text/html"));
}

static void plain_error(http_exchange_t *x, int status, str_t retry_after, str_t sentence)
{
    char text[HTTP_ALLOW_TEXT];
    str_t allow = STR_UNSET;
    if (status == 405 && x->route) {
        const http_app_t *app = http_call_of(x)->app;
        http_match_t m = http_router_match(&app->routes, x->method, x->path);
        allow = http_router_allow_text(m.allowed, text);
    }
    http_reply(x, status,
               HTTP_HEADERS({STR("Content-Type"), STR("application/json")}, {STR("Allow"), allow},
                            {STR("Retry-After"), retry_after}),
               error_body(x, status, sentence));
}

void http_reply_error(http_exchange_t *x, int status, str_t sentence)
{
    const http_app_t *app = http_call_of(x)->app;
    if (app->page_error && wants_page(x) && status != 405)
        app->page_error(x, status, sentence);
    else
        plain_error(x, status, STR_UNSET, sentence);
}

void http_reply_retry(http_exchange_t *x, int status, uint32_t after_s, str_t sentence)
{
    char digits[16];
    buf_t b = buf_fixed(digits, sizeof digits);
    buf_u64(&b, after_s ? after_s : 1);
    plain_error(x, status, buf_str(&b), sentence);
}

/* Weak comparison with each tag of a list, or "*" (RFC 9110 section 13.1.2). Tags may hold commas,
 * so the list is read from quote to quote. */
static bool names_etag(str_t list, str_t etag)
{
    str_t opaque = str_starts(etag, STR("W/")) ? str_skip(etag, 2) : etag;
    if (str_eq(list, STR("*")))
        return true;
    for (size_t from = str_find(list, '"', 0), to; from < list.n;
         from = str_find(list, '"', to + 1)) {
        to = str_find(list, '"', from + 1);
        if (str_eq(str_skip(str_first(list, to + 1), from), opaque))
            return true;
    }
    return false;
}

static bool has_etag(const http_exchange_t *x, str_t etag)
{
    size_t at = 0;
    str_t list;
    while (http_headers_next(x->headers, STR("if-none-match"), &at, &list)) {
        if (names_etag(list, etag))
            return true;
    }
    return false;
}

void http_reply_cached(http_exchange_t *x, str_t etag, http_headers_t headers, str_t body)
{
    http_header_t *all = ARENA_ARRAY(x->arena, headers.n + 1, http_header_t);
    if (!all) {
        http_reply_error(x, 503, STR("out of memory"));
        return;
    }
    if (headers.n)
        memcpy(all, headers.v, headers.n * sizeof *all);
    all[headers.n] = (http_header_t){STR("ETag"), etag};
    http_headers_t with = {all, headers.n + 1};
    bool same = has_etag(x, etag);
    http_reply(x, same ? 304 : 200, with, same ? STR("") : body);
}
