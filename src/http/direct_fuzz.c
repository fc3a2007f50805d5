/* Bytes of a client into a whole connection with a small application. Whatever comes: every answer
 * is well-formed, none follows one that closes, the connection is closed when an answer said so,
 * and bytes that come one by one are answered alike. */
#include <stdlib.h>

#include "core/buf.h"
#include "core/num.h"
#include "http/direct.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void show(http_exchange_t *x)
{
    check(x->path.n && x->path.p[0] == '/' && !str_contains(x->path, STR("/../")));
    check(!memchr(x->path.p, 0, x->path.n) && str_is_utf8(x->path));
    /* Marked, so that no body looks like the next answer. */
    buf_t b = buf_new(x->arena, 256);
    buf_put(&b, STR("body "));
    buf_put(&b, x->body);
    http_reply(x, 200, HTTP_HEADERS({STR("X-Path"), x->raw_path}), buf_str(&b));
}

static void stream(http_exchange_t *x)
{
    http_stream_events_t none = {0};
    if (http_stream_begin(x, 200, HTTP_NO_HEADERS, none) != RC_OK ||
        http_stream_write(x, STR("one")) != RC_OK)
        http_stream_abort(x);
    else
        http_stream_end(x);
}

static void cached(http_exchange_t *x)
{
    http_reply_cached(x, STR("\"1\""), HTTP_NO_HEADERS, STR("cached"));
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/a"), HTTP_M(GET), show, .cors = HTTP_CORS_PUBLIC, .flags = HTTP_ROUTE_PREFIX},
    {STR_INIT("/f"), HTTP_M(POST), show, 64, HTTP_BODY_FORM, .flags = HTTP_ROUTE_NO_STORE},
    {STR_INIT("/b"), HTTP_M(POST), show, 100, .flags = HTTP_ROUTE_ANY_TYPE},
    {STR_INIT("/s"), HTTP_M(GET), stream},
    {STR_INIT("/e"), HTTP_M(GET), cached},
};
static const http_app_t APP = {.routes = {ROUTES, sizeof ROUTES / sizeof *ROUTES}};

/* The end of the chunked body of `stream`, which is always the same, or of none (HEAD). */
static size_t body_length(const http_direct_answer_t *a, str_t rest)
{
    uint64_t length = 0;
    str_t chunks = STR("3\r\none\r\n0\r\n\r\n");
    if (http_headers_has_token(a->headers, STR("transfer-encoding"), STR("chunked")))
        return str_starts(rest, chunks) ? chunks.n : 0;
    str_t declared = http_headers_get(a->headers, STR("content-length"));
    check(!str_is_set(declared) || num_u64(declared, SIZE_MAX, &length));
    bool there = rest.n >= length && !str_starts(rest, STR("HTTP/1.1 "));
    return there ? (size_t)length : 0;
}

static size_t head_length(str_t s)
{
    size_t n = 4;
    while (n <= s.n && memcmp(s.p + n - 4, "\r\n\r\n", 4) != 0)
        n++;
    check(n <= s.n);
    return n;
}

static bool has_chunks(str_t out)
{
    return str_contains(out, STR("Transfer-Encoding: chunked\r\n"));
}

/* One answer in front of *out. An answer to HEAD has a length and no body, so one whose body is
 * not there is followed by the next answer or by nothing. */
static bool take_answer(arena_t *a, str_t *out)
{
    http_direct_answer_t answer;
    size_t n = head_length(*out);
    str_t head = str_first(*out, n), rest = str_skip(*out, n);
    bool chunked = has_chunks(head);
    check(http_direct_parse(
              a, chunked && !str_starts(rest, STR("3\r\n")) ? STR("HTTP/1.1 200 OK\r\n\r\n") : *out,
              &answer) == RC_OK);
    check(answer.status >= 100 && answer.status <= 599);
    bool closes = http_headers_has_token(answer.headers, STR("connection"), STR("close"));
    *out = closes && !chunked ? str_skip(rest, rest.n) : str_skip(rest, body_length(&answer, rest));
    return closes;
}

static void check_output(arena_t *a, str_t out, bool closed)
{
    bool closing = false;
    while (out.n) {
        check(!closing && str_starts(out, STR("HTTP/1.1 ")));
        closing = take_answer(a, &out);
    }
    check(!closing || closed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    http_direct_t *whole = http_direct_new(&APP, NULL), *cut = http_direct_new(&APP, NULL);
    arena_t *a = arena_new(64 << 20);
    check(whole && cut && a);
    http_direct_send(whole, str_of(data, size));
    for (size_t i = 0; i < size; i++)
        http_direct_send(cut, str_of(data + i, 1));
    check_output(a, http_direct_output(whole), http_direct_closed(whole));
    check(http_direct_closed(whole) == http_direct_closed(cut));
    /* Whether a body was there yet decides on a 100 (Continue), which is all that may differ. */
    if (!str_contains(http_direct_output(cut), STR("HTTP/1.1 100 ")))
        check(str_eq(http_direct_output(whole), http_direct_output(cut)));
    arena_free(a);
    http_direct_free(whole);
    http_direct_free(cut);
    return 0;
}
