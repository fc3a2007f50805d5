/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "http/codec.h"

typedef struct {
    const char *name;
    const char *bytes;
    int status; /* 0: accepted */
} head_case_t;

#define HOST "Host: a.test\r\n"

static const head_case_t CASES[] = {
    {"plain", "GET / HTTP/1.1\r\n" HOST "\r\n", 0},
    {"query", "GET /a/b?c=d&e=%20 HTTP/1.1\r\n" HOST "\r\n", 0},
    {"query with what browsers send raw", "GET /?a[]={b}|c^`\\ HTTP/1.1\r\n" HOST "\r\n", 0},
    {"empty line first", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 0},
    {"two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"http/1.0 without host", "GET / HTTP/1.0\r\n\r\n", 0},
    {"absolute form", "GET http://evil.test/a?b HTTP/1.1\r\n" HOST "\r\n", 0},
    {"absolute form, no path", "GET https://evil.test HTTP/1.1\r\n" HOST "\r\n", 0},
    {"absolute form, query only", "GET https://evil.test?a HTTP/1.1\r\n" HOST "\r\n", 0},
    {"absolute form with userinfo", "GET http://u@evil.test/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"absolute form, other scheme", "GET ftp://evil.test/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"absolute form without authority", "GET http:///a HTTP/1.1\r\n" HOST "\r\n", 400},
    {"options star", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0},
    {"get star", "GET * HTTP/1.1\r\n" HOST "\r\n", 400},
    {"authority form", "CONNECT a.test:80 HTTP/1.1\r\n" HOST "\r\n", 501},
    {"unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"lower-case method", "get / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"method is no token", "G@T / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"no method", " / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"tab for a space", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"space behind the version", "GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
    {"fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400},
    {"raw non-ascii path", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"bad escape", "GET /%g0 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"cut escape", "GET /%2 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"bracket in path", "GET /[a] HTTP/1.1\r\n" HOST "\r\n", 400},
    {"http/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", 505},
    {"http/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", 505},
    {"lower-case version", "GET / http/1.1\r\n" HOST "\r\n", 400},
    {"no version", "GET /\r\n" HOST "\r\n", 400},
    {"bare lf in line", "GET / HTTP/1.1\n" HOST "\r\n", 400},
    {"bare lf in field", "GET / HTTP/1.1\r\nHost: a.test\n\r\n", 400},
    {"bare cr in field", "GET / HTTP/1.1\r\nHost: a\r.test\r\n\r\n", 400},
    {"bare lf at the end", "GET / HTTP/1.1\r\n" HOST "\n", 400},
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"two hosts, other case", "GET / HTTP/1.1\r\n" HOST "hOST: b.test\r\n\r\n", 400},
    {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"host with space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"obs-fold", "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400},
    {"first field folded", "GET / HTTP/1.1\r\n " HOST "\r\n", 400},
    {"space before colon", "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400},
    {"no colon", "GET / HTTP/1.1\r\n" HOST "A\r\n\r\n", 400},
    {"empty name", "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400},
    {"control byte", "GET / HTTP/1.1\r\n" HOST "A: b\x01\r\n\r\n", 400},
    {"delete byte", "GET / HTTP/1.1\r\n" HOST "A: aaaaaaaaaaaaaaaaaa\x7f\r\n\r\n", 400},
    {"tab in value", "GET / HTTP/1.1\r\n" HOST "A:\tb\tc\t\r\n\r\n", 0},
    {"utf-8 in value", "GET / HTTP/1.1\r\n" HOST "A: \xc3\xa9\r\n\r\n", 0},
    {"length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", 0},
    {"equal lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
     400},
    {"length list", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n", 400},
    {"length with sign", "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n", 400},
    {"negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400},
    {"hex length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n", 400},
    {"empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
    {"overflowing length",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n", 400},
    {"chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 0},
    {"chunked and length",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"chunked twice",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"chunked not last", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n",
     400},
    {"chunked chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n",
     400},
    {"gzip", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501},
    {"gzip, chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"Chunked spelled otherwise", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n",
     501},
    {"vertical tab chunked",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
     "chunked\r\n\r\n",
     400},
    {"empty coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n", 400},
    {"chunked in http/1.0", "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400},
    {"expect", "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n", 0},
    {"unknown expect", "POST / HTTP/1.1\r\n" HOST "Expect: magic\r\n\r\n", 417},
    {"tls hello", "\x16\x03\x01\x02", 400},
};

/* Parses `bytes` in two pieces cut at `split`, or byte by byte with split = SIZE_MAX. */
static http_step_t parse_split(http_codec_t *c, str_t bytes, size_t split)
{
    http_step_t step = HTTP_STEP_MORE;
    http_codec_init(c);
    if (split != SIZE_MAX) {
        step = http_codec_head(c, bytes.p, split);
        return step == HTTP_STEP_MORE ? http_codec_head(c, bytes.p, bytes.n) : step;
    }
    for (size_t n = 0; n <= bytes.n && step == HTTP_STEP_MORE; n++)
        step = http_codec_head(c, bytes.p, n);
    return step;
}

static void assert_same(const http_codec_t *a, const http_codec_t *b)
{
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->pos, b->pos);
    assert_int_equal(a->head.header_count, b->head.header_count);
    assert_int_equal(a->head.method, b->head.method);
    assert_int_equal(a->head.frame, b->head.frame);
    assert_int_equal(a->head.length, b->head.length);
    assert_int_equal(a->head.close, b->head.close);
    assert_true(str_eq(a->head.path, b->head.path));
    assert_true(str_eq(a->head.query, b->head.query));
    for (size_t i = 0; i < a->head.header_count; i++) {
        assert_true(str_eq(a->head.headers[i].name, b->head.headers[i].name));
        assert_true(str_eq(a->head.headers[i].value, b->head.headers[i].value));
    }
}

/* Every case is a refusal named after its reason, or a request that must pass. */
static void head_cases_end_as_the_table_says(void **state)
{
    static http_codec_t c;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        str_t bytes = str_c(CASES[i].bytes);
        http_step_t step = parse_split(&c, bytes, bytes.n);
        int status = step == HTTP_STEP_BAD ? c.status : step == HTTP_STEP_DONE ? 0 : -1;
        if (status != CASES[i].status)
            print_message("%s: %d, %s\n", CASES[i].name, status, c.why.p ? c.why.p : "");
        assert_int_equal(status, CASES[i].status);
        if (step == HTTP_STEP_DONE)
            assert_int_equal(c.pos, bytes.n);
    }
}

static void every_split_gives_the_same(void **state)
{
    static http_codec_t whole, cut;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        str_t bytes = str_c(CASES[i].bytes);
        http_step_t step = parse_split(&whole, bytes, bytes.n);
        for (size_t split = 0; split < bytes.n; split++) {
            assert_int_equal(parse_split(&cut, bytes, split), step);
            assert_same(&whole, &cut);
        }
        assert_int_equal(parse_split(&cut, bytes, SIZE_MAX), step);
        assert_same(&whole, &cut);
    }
}

static void a_head_is_taken_apart(void **state)
{
    static http_codec_t c;
    str_t bytes = STR("POST /a%20b?q=1 HTTP/1.1\r\nHost: a.test:81\r\nConnection: x, Close\r\n"
                      "Content-Length: 12\r\nX-Y: \t v w \t\r\nexpect: 100-continue\r\n\r\nbody");
    assert_int_equal(parse_split(&c, bytes, bytes.n), HTTP_STEP_DONE);
    assert_int_equal(c.pos, bytes.n - 4);
    const http_head_t *h = &c.head;
    assert_int_equal(h->method, HTTP_POST);
    assert_true(str_eq(h->target, STR("/a%20b?q=1")));
    assert_true(str_eq(h->path, STR("/a%20b")));
    assert_true(str_eq(h->query, STR("q=1")));
    assert_true(str_eq(h->host, STR("a.test:81")));
    assert_int_equal(h->frame, HTTP_FRAME_LENGTH);
    assert_int_equal(h->length, 12);
    assert_true(h->close);
    assert_true(h->expect_continue);
    assert_int_equal(h->header_count, 5);
    http_headers_t fields = {h->headers, h->header_count};
    assert_true(str_eq(http_headers_get(fields, STR("x-y")), STR("v w")));
    assert_false(str_is_set(http_headers_get(fields, STR("x-z"))));
}

/* attack case: META-002 (the authority of absolute-form goes nowhere) */
static void absolute_form_leaves_only_path_and_query(void **state)
{
    static http_codec_t c;
    static const struct {
        const char *bytes;
        str_t path, query;
    } rows[] = {
        {"GET http://evil.test/a?b HTTP/1.1\r\n" HOST "\r\n", STR_INIT("/a"), STR_INIT("b")},
        {"GET http://evil.test HTTP/1.1\r\n" HOST "\r\n", STR_INIT("/"), {NULL, 0}},
        {"GET HTTP://evil.test?x HTTP/1.1\r\n" HOST "\r\n", STR_INIT("/"), STR_INIT("x")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str_t bytes = str_c(rows[i].bytes);
        assert_int_equal(parse_split(&c, bytes, bytes.n), HTTP_STEP_DONE);
        assert_true(str_eq(c.head.path, rows[i].path));
        assert_true(str_eq(c.head.query, rows[i].query));
        assert_true(str_eq(c.head.host, STR("a.test")));
    }
}

/* A head of `before` + fill bytes of 'a' + `after`, parsed whole and split around the limit. */
static int long_head(const char *before, size_t fill, const char *after)
{
    static http_codec_t c, cut;
    size_t n = strlen(before) + fill + strlen(after);
    char *p = malloc(n + 1);
    assert_non_null(p);
    memcpy(p, before, strlen(before));
    memset(p + strlen(before), 'a', fill);
    memcpy(p + strlen(before) + fill, after, strlen(after) + 1);
    http_step_t step = parse_split(&c, str_of(p, n), n);
    for (size_t split = n > 40 ? n - 40 : 0; split < n; split++) {
        assert_int_equal(parse_split(&cut, str_of(p, n), split), step);
        assert_int_equal(cut.status, c.status);
    }
    free(p);
    assert_int_not_equal(step, HTTP_STEP_MORE);
    return step == HTTP_STEP_DONE ? 0 : c.status;
}

static void a_target_beyond_the_limit_is_414(void **state)
{
    const char *after = " HTTP/1.1\r\n" HOST "\r\n";
    assert_int_equal(long_head("GET /", LIMIT_HTTP_LINE_BYTES, after), 414);
    assert_int_equal(long_head("GET /", LIMIT_HTTP_LINE_BYTES - 16, after), 0);
    assert_int_equal(long_head("GET /", LIMIT_HTTP_LINE_BYTES - 15, after), 414);
}

static void a_head_beyond_the_limit_is_431(void **state)
{
    const char *before = "GET / HTTP/1.1\r\n" HOST "A: ", *after = "\r\n\r\n";
    size_t rest = strlen(before) + strlen(after);
    assert_int_equal(long_head(before, LIMIT_HTTP_HEAD_BYTES - rest, after), 0);
    assert_int_equal(long_head(before, LIMIT_HTTP_HEAD_BYTES - rest + 1, after), 431);
    assert_int_equal(long_head(before, LIMIT_HTTP_HEAD_BYTES * 2, after), 431);
}

static int many_fields(size_t n)
{
    static http_codec_t c;
    static char text[LIMIT_HTTP_HEAD_BYTES];
    size_t at = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST);
    for (size_t i = 1; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "A%zu: b\r\n", i);
    at += (size_t)snprintf(text + at, sizeof text - at, "\r\n");
    return parse_split(&c, str_of(text, at), at) == HTTP_STEP_DONE ? 0 : c.status;
}

static void fields_beyond_the_count_are_431(void **state)
{
    assert_int_equal(many_fields(LIMIT_HTTP_HEADERS), 0);
    assert_int_equal(many_fields(LIMIT_HTTP_HEADERS + 1), 431);
}

/* Decodes in pieces of `step` bytes; joins the data into `out`. */
static http_step_t unchunk(str_t in, size_t step, char *out, size_t *n, size_t *left)
{
    http_chunked_t c = {0};
    http_step_t result = HTTP_STEP_MORE;
    *n = 0;
    while (in.n && result == HTTP_STEP_MORE) {
        str_t piece = str_first(in, step), data;
        in = str_skip(in, piece.n);
        do {
            result = http_chunked_next(&c, &piece, &data);
            if (result == HTTP_STEP_BAD)
                return result;
            memcpy(out + *n, data.p, data.n);
            *n += data.n;
        } while (result == HTTP_STEP_MORE && piece.n);
        *left = piece.n + in.n;
    }
    return result;
}

static void chunks_are_joined_at_any_split(void **state)
{
    str_t in = STR("4\r\nWiki\r\n0000000A;x=\"y\"\r\n0123456789\r\n0\r\nA: b\r\nC:\r\n\r\nrest");
    char out[64];
    size_t n, left;
    for (size_t step = 1; step <= in.n; step++) {
        assert_int_equal(unchunk(in, step, out, &n, &left), HTTP_STEP_DONE);
        assert_true(str_eq(str_of(out, n), STR("Wiki0123456789")));
        assert_int_equal(left, 4);
    }
}

static void bad_chunks_are_refused(void **state)
{
    static const char *const rows[] = {
        "\r\n",          "g\r\n",         "-1\r\n",       " 4\r\n",         "4 \r\n",
        "0x4\r\n",       "4\nWiki",       "4\r\nWikix",   "4\r\nWiki\n",    "4\r\rWiki",
        "000000004\r\n", ";a\r\n",        "4;a\nb\r\n",   "0\r\n x: y\r\n", "0\r\nx\r\n\r\n",
        "0\r\n\n",       "0\r\nx:\x01\r", "0\r\n: y\r\n", "100000000\r\n",  "4\r\nWiki\r\nZ",
    };
    char out[64];
    size_t n, left;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step < 8; step++)
            assert_int_equal(unchunk(str_c(rows[i]), step, out, &n, &left), HTTP_STEP_BAD);
    }
    assert_int_equal(unchunk(STR("0\r\n\r\n"), 1, out, &n, &left), HTTP_STEP_DONE);
}

static void trailers_beyond_the_limit_are_431(void **state)
{
    http_chunked_t c = {0};
    str_t in = STR("0\r\nA: "), data, pad = STR("aaaaaaaaaaaaaaaa");
    assert_int_equal(http_chunked_next(&c, &in, &data), HTTP_STEP_MORE);
    http_step_t step = HTTP_STEP_MORE;
    size_t sent = 0;
    for (; step == HTTP_STEP_MORE && sent < 2 * LIMIT_HTTP_TRAILER_BYTES; sent += pad.n) {
        str_t piece = pad;
        step = http_chunked_next(&c, &piece, &data);
    }
    assert_int_equal(step, HTTP_STEP_BAD);
    assert_int_equal(c.status, 431);
}

static void extensions_beyond_the_limit_are_400(void **state)
{
    http_chunked_t c = {0};
    static char text[LIMIT_HTTP_CHUNK_LINE_BYTES + 8];
    memset(text, 'a', sizeof text);
    memcpy(text, "1;", 2);
    str_t in = str_of(text, sizeof text), data;
    assert_int_equal(http_chunked_next(&c, &in, &data), HTTP_STEP_BAD);
    assert_int_equal(c.status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_cases_end_as_the_table_says),
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(a_head_is_taken_apart),
        cmocka_unit_test(absolute_form_leaves_only_path_and_query),
        cmocka_unit_test(a_target_beyond_the_limit_is_414),
        cmocka_unit_test(a_head_beyond_the_limit_is_431),
        cmocka_unit_test(fields_beyond_the_count_are_431),
        cmocka_unit_test(chunks_are_joined_at_any_split),
        cmocka_unit_test(bad_chunks_are_refused),
        cmocka_unit_test(trailers_beyond_the_limit_are_431),
        cmocka_unit_test(extensions_beyond_the_limit_are_400),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
