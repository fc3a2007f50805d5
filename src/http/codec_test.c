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
    {"absolute form", "GET http://a.test/a?b HTTP/1.1\r\n" HOST "\r\n", 0},
    {"absolute form, no path", "GET https://A.TEST HTTP/1.1\r\n" HOST "\r\n", 0},
    {"absolute form, query only", "GET https://a.test?a HTTP/1.1\r\n" HOST "\r\n", 0},
    {"absolute form and another host", "GET http://evil.test/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"absolute form and another port", "GET http://a.test:1/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"absolute form without host", "GET http://a.test/ HTTP/1.1\r\n\r\n", 400},
    {"absolute form in http/1.0", "GET http://a.test/ HTTP/1.0\r\n\r\n", 0},
    {"absolute form with two authorities", "GET http://a.test,b/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"absolute form with userinfo", "GET http://u@evil.test/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"absolute form without slashes", "GET http:a.test HTTP/1.1\r\n" HOST "\r\n", 400},
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
    {"host with port", "GET / HTTP/1.1\r\nHost: a.test:8080\r\n\r\n", 0},
    {"ipv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
    {"host with a list", "GET / HTTP/1.1\r\nHost: a.test,b.test\r\n\r\n", 400},
    {"host with userinfo", "GET / HTTP/1.1\r\nHost: u@a.test\r\n\r\n", 400},
    {"host with a word for a port", "GET / HTTP/1.1\r\nHost: a.test:x\r\n\r\n", 400},
    {"host with a port too high", "GET / HTTP/1.1\r\nHost: a.test:65536\r\n\r\n", 400},
    {"host with two ports", "GET / HTTP/1.1\r\nHost: a.test:1:2\r\n\r\n", 400},
    {"host of a port only", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},
    {"ipv6 host without brackets", "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 400},
    {"ipv6 host left open", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
    {"ipv4 host in brackets", "GET / HTTP/1.1\r\nHost: [1.2.3.4]\r\n\r\n", 400},
    {"junk behind an ipv6 host", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", 400},
    {"host with a cut escape", "GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", 400},
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
    {"http/0.9", "GET /\r\n\r\n", 400},
    {"http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501},
    {"trace", "TRACE / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"upgrade is not taken up",
     "GET / HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", 0},
    {"length with leading zero", "POST / HTTP/1.1\r\n" HOST "Content-Length: 05\r\n\r\n", 0},
    {"minus zero length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -0\r\n\r\n", 400},
    {"length with a space", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5 5\r\n\r\n", 400},
    {"length list of two values", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 6\r\n\r\n", 400},
    {"different lengths",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", 400},
    {"length behind chunked",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {"two codings",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 400},
    {"identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501},
    {"chunked with a parameter", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;a\r\n\r\n",
     501},
    {"folded coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n", 400},
    {"space before the colon of a coding",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n", 400},
    {"space before the name", "POST / HTTP/1.1\r\n" HOST " Transfer-Encoding: chunked\r\n\r\n",
     400},
    {"bare cr before a coding",
     "POST / HTTP/1.1\r\n" HOST "A: b\rTransfer-Encoding: chunked\r\n\r\n", 400},
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

/* Every case is a refusal named after its reason, or a request that must pass.
 * attack case: GWH-001, GWH-003, GWH-005 (at the level of the codec) */
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

/* attack case: META-002 (the authority of absolute-form goes nowhere), GWH-005 */
static void absolute_form_leaves_only_path_and_query(void **state)
{
    static http_codec_t c;
    static const struct {
        const char *bytes;
        str_t path, query;
    } rows[] = {
        {"GET http://a.test/a?b HTTP/1.1\r\n" HOST "\r\n", STR_INIT("/a"), STR_INIT("b")},
        {"GET http://a.test HTTP/1.1\r\n" HOST "\r\n", STR_INIT("/"), {NULL, 0}},
        {"GET HTTP://a.test?x HTTP/1.1\r\n" HOST "\r\n", STR_INIT("/"), STR_INIT("x")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str_t bytes = str_c(rows[i].bytes);
        assert_int_equal(parse_split(&c, bytes, bytes.n), HTTP_STEP_DONE);
        assert_true(str_eq(c.head.path, rows[i].path));
        assert_true(str_eq(c.head.query, rows[i].query));
        assert_true(str_eq(c.head.host, STR("a.test")));
    }
}

static void a_nul_anywhere_is_refused(void **state)
{
    static http_codec_t c;
    str_t good = STR("GET /a?b HTTP/1.1\r\nHost: a.test\r\nA: b\r\n\r\n");
    char text[64];
    for (size_t at = 0; at < good.n; at++) {
        memcpy(text, good.p, good.n);
        text[at] = 0;
        assert_int_equal(parse_split(&c, str_of(text, good.n), good.n), HTTP_STEP_BAD);
        assert_int_equal(c.status, 400);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_cases_end_as_the_table_says),
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(a_head_is_taken_apart),
        cmocka_unit_test(absolute_form_leaves_only_path_and_query),
        cmocka_unit_test(a_nul_anywhere_is_refused),
        cmocka_unit_test(a_target_beyond_the_limit_is_414),
        cmocka_unit_test(a_head_beyond_the_limit_is_431),
        cmocka_unit_test(fields_beyond_the_count_are_431),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
