/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "http/response.h"

#define OK "HTTP/1.1 200 OK\r\n"

enum { NONE = HTTP_FRAME_NONE, LENGTH, CHUNKED, CLOSE, REFUSED };

typedef struct {
    const char *name;
    const char *bytes;
    int frame; /* or REFUSED */
    http_method_t method;
} head_case_t;

/* Every case is a refusal named after its reason, or an answer that must pass. */
static const head_case_t CASES[] = {
    {"length", OK "Content-Length: 5\r\n\r\n", LENGTH},
    {"length of zero", OK "Content-Length: 0\r\n\r\n", LENGTH},
    {"length with leading zero", OK "Content-Length: 05\r\n\r\n", LENGTH},
    {"chunked", OK "Transfer-Encoding: chunked\r\n\r\n", CHUNKED},
    {"to the end, as it says", OK "Connection: close\r\n\r\n", CLOSE},
    {"to the end, in a list", OK "Connection: x, Close\r\n\r\n", CLOSE},
    {"to the end in http/1.0", "HTTP/1.0 200 OK\r\n\r\n", CLOSE},
    {"length in http/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", LENGTH},
    {"no phrase", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", LENGTH},
    {"no phrase and no space", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", LENGTH},
    {"utf-8 in the phrase", "HTTP/1.1 200 \xc3\xa9\r\nContent-Length: 1\r\n\r\n", LENGTH},
    {"tab in a value", OK "A:\tb\tc\t\r\nContent-Length: 1\r\n\r\n", LENGTH},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", NONE},
    {"no content with a length of zero", "HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n", NONE},
    {"not modified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", NONE},
    {"not modified, chunked", "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n", NONE},
    {"head with length", OK "Content-Length: 9\r\n\r\n", NONE, HTTP_HEAD},
    {"head, chunked", OK "Transfer-Encoding: chunked\r\n\r\n", NONE, HTTP_HEAD},
    {"head without length", OK "\r\n", NONE, HTTP_HEAD},
    {"continue", "HTTP/1.1 100 Continue\r\n\r\n", NONE},
    {"early hints", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", NONE},
    {"two connection fields", OK "Connection: a\r\nConnection: close\r\n\r\n", CLOSE},

    {"five connection fields that name others",
     OK "Content-Length: 1\r\nConnection: a\r\nConnection: b\r\nConnection: c\r\n"
        "Connection: d\r\nConnection: e\r\n\r\n",
     REFUSED},
    {"neither length nor coding nor close", OK "\r\n", REFUSED},
    {"keep-alive without a length", OK "Connection: keep-alive\r\n\r\n", REFUSED},
    {"length and chunked", OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSED},
    {"chunked and length", OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", REFUSED},
    {"length and chunked to head", OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     REFUSED, HTTP_HEAD},
    {"equal lengths", OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", REFUSED},
    {"different lengths", OK "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", REFUSED},
    {"length list", OK "Content-Length: 5, 5\r\n\r\n", REFUSED},
    {"length with sign", OK "Content-Length: +5\r\n\r\n", REFUSED},
    {"negative length", OK "Content-Length: -1\r\n\r\n", REFUSED},
    {"minus zero length", OK "Content-Length: -0\r\n\r\n", REFUSED},
    {"hex length", OK "Content-Length: 0x5\r\n\r\n", REFUSED},
    {"empty length", OK "Content-Length:\r\n\r\n", REFUSED},
    {"length with a space", OK "Content-Length: 5 5\r\n\r\n", REFUSED},
    {"overflowing length", OK "Content-Length: 18446744073709551617\r\n\r\n", REFUSED},
    {"length beyond any file", OK "Content-Length: 9223372036854775808\r\n\r\n", REFUSED},
    {"chunked twice", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     REFUSED},
    {"chunked chunked", OK "Transfer-Encoding: chunked, chunked\r\n\r\n", REFUSED},
    {"chunked not last", OK "Transfer-Encoding: chunked, gzip\r\n\r\n", REFUSED},
    {"gzip", OK "Transfer-Encoding: gzip\r\nConnection: close\r\n\r\n", REFUSED},
    {"gzip, chunked", OK "Transfer-Encoding: gzip, chunked\r\n\r\n", REFUSED},
    {"identity", OK "Transfer-Encoding: identity\r\nConnection: close\r\n\r\n", REFUSED},
    {"empty coding", OK "Transfer-Encoding:\r\nConnection: close\r\n\r\n", REFUSED},
    {"chunked spelled otherwise", OK "Transfer-Encoding: Chunked\r\n\r\n", REFUSED},
    {"chunked with a parameter", OK "Transfer-Encoding: chunked;a\r\n\r\n", REFUSED},
    {"vertical tab chunked",
     OK "Transfer-Encoding: \x0b"
        "chunked\r\n\r\n",
     REFUSED},
    {"chunked in http/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSED},
    {"no content with a length", "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n", REFUSED},
    {"no content, chunked", "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSED},
    {"continue with a length", "HTTP/1.1 100 X\r\nContent-Length: 5\r\n\r\n", REFUSED},
    {"continue, chunked", "HTTP/1.1 100 X\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSED},
    {"switching protocols", "HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n", REFUSED},
    {"http/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"http/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"lower-case version", "http/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"http/0.9", "hello\r\n\r\n", REFUSED},
    {"shoutcast", "ICY 200 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"two spaces", "HTTP/1.1  200 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"tab for a space", "HTTP/1.1\t200 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"status with sign", "HTTP/1.1 +20 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"status above 599", "HTTP/1.1 600 OK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"no status", "HTTP/1.1\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"empty line first", "\r\n" OK "Content-Length: 1\r\n\r\n", REFUSED},
    {"bare lf in the line", "HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\n", REFUSED},
    {"bare cr in the line", "HTTP/1.1 200 O\rK\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"control byte in the phrase", "HTTP/1.1 200 O\x01\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"bare lf in a field", OK "Content-Length: 1\n\r\n", REFUSED},
    {"bare cr in a field", OK "A: b\rc\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"bare cr before a coding", OK "A: b\rTransfer-Encoding: chunked\r\n\r\n", REFUSED},
    {"bare lf at the end", OK "Content-Length: 1\r\n\n", REFUSED},
    {"obs-fold", OK "A: b\r\n c\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"folded coding", OK "Transfer-Encoding:\r\n chunked\r\n\r\n", REFUSED},
    {"first field folded", OK " A: b\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"space before the colon", OK "Content-Length : 1\r\n\r\n", REFUSED},
    {"no colon", OK "A\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"empty name", OK ": b\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"name that is no token", OK "A@: b\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"control byte in a value", OK "A: b\x01\r\nContent-Length: 1\r\n\r\n", REFUSED},
    {"tls alert", "\x15\x03\x01", REFUSED},
    {"ssh banner", "SSH-2.0-x\r\n", REFUSED},
};

enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

/* Parses `bytes` in two pieces cut at `split`, or byte by byte with split = SIZE_MAX. */
static http_step_t parse_split(http_response_t *r, http_method_t method, str_t bytes, size_t split)
{
    http_step_t step = HTTP_STEP_MORE;
    http_response_init(r, method, LIMIT_HTTP_HEAD_BYTES);
    if (split != SIZE_MAX) {
        step = http_response_head(r, bytes.p, split);
        return step == HTTP_STEP_MORE ? http_response_head(r, bytes.p, bytes.n) : step;
    }
    for (size_t n = 0; n <= bytes.n && step == HTTP_STEP_MORE; n++)
        step = http_response_head(r, bytes.p, n);
    return step;
}

static http_step_t parse(http_response_t *r, str_t bytes)
{
    return parse_split(r, HTTP_POST, bytes, bytes.n);
}

static void assert_same(const http_response_t *a, const http_response_t *b)
{
    assert_int_equal(a->fields.pos, b->fields.pos);
    assert_true(str_eq(a->why, b->why));
    assert_int_equal(a->head.status, b->head.status);
    assert_int_equal(a->head.frame, b->head.frame);
    assert_int_equal(a->head.length, b->head.length);
    assert_int_equal(a->head.close, b->head.close);
    assert_int_equal(a->head.header_count, b->head.header_count);
    for (size_t i = 0; i < a->head.header_count; i++) {
        assert_true(str_eq(a->head.headers[i].name, b->head.headers[i].name));
        assert_true(str_eq(a->head.headers[i].value, b->head.headers[i].value));
    }
}

/* attack case: GWH-021 (at the level of the codec) */
static void head_cases_end_as_the_table_says(void **state)
{
    static http_response_t r;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        str_t bytes = str_c(CASES[i].bytes);
        http_step_t step = parse_split(&r, CASES[i].method, bytes, bytes.n);
        int got = step == HTTP_STEP_DONE ? (int)r.head.frame : step == HTTP_STEP_BAD ? REFUSED : -1;
        if (got != CASES[i].frame)
            print_message("%s: %d, %s\n", CASES[i].name, got, r.why.p ? r.why.p : "");
        assert_int_equal(got, CASES[i].frame);
        assert_int_equal(step == HTTP_STEP_BAD, str_is_set(r.why));
        if (step == HTTP_STEP_DONE)
            assert_int_equal(r.fields.pos, bytes.n);
    }
}

static void every_split_gives_the_same(void **state)
{
    static http_response_t whole, cut;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        str_t bytes = str_c(CASES[i].bytes);
        http_method_t method = CASES[i].method;
        http_step_t step = parse_split(&whole, method, bytes, bytes.n);
        for (size_t split = 0; split < bytes.n; split++) {
            assert_int_equal(parse_split(&cut, method, bytes, split), step);
            assert_same(&whole, &cut);
        }
        assert_int_equal(parse_split(&cut, method, bytes, SIZE_MAX), step);
        assert_same(&whole, &cut);
    }
}

static void a_nul_anywhere_is_refused(void **state)
{
    static http_response_t r;
    str_t good = STR("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 1\r\n\r\n");
    char text[64];
    for (size_t at = 0; at < good.n; at++) {
        memcpy(text, good.p, good.n);
        text[at] = 0;
        assert_int_equal(parse(&r, str_of(text, good.n)), HTTP_STEP_BAD);
    }
    assert_int_equal(parse(&r, good), HTTP_STEP_DONE);
}

static void fields_of_the_connection_are_left_out(void **state)
{
    static http_response_t r;
    str_t bytes =
        STR("HTTP/1.1 200 OK\r\nX-Named: 1\r\nContent-Type: a/b\r\nKeep-Alive: timeout=5\r\n"
            "Connection: keep-alive, x-named\r\nTE: trailers\r\nTrailer: T\r\n"
            "Upgrade: h2c\r\nProxy-Connection: close\r\nContent-Length: 3\r\n"
            "Set-Cookie: a=b\r\nConnection: OTHER\r\nother: 2\r\n\r\n");
    assert_int_equal(parse(&r, bytes), HTTP_STEP_DONE);
    assert_int_equal(r.head.header_count, 2);
    assert_true(str_eq(r.head.headers[0].name, STR("Content-Type")));
    assert_true(str_eq(r.head.headers[1].name, STR("Set-Cookie")));
    assert_int_equal(r.head.keep_s, 5);
    assert_false(r.head.close);
    assert_true(r.head.has_length);
    assert_int_equal(r.head.length, 3);
}

static void a_head_tells_the_length_of_what_does_not_come(void **state)
{
    static http_response_t r;
    str_t bytes = STR("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    assert_int_equal(parse_split(&r, HTTP_HEAD, bytes, bytes.n), HTTP_STEP_DONE);
    assert_true(r.head.has_length);
    assert_int_equal(r.head.length, 3);
    http_response_body_t body = http_response_body(&r.head);
    str_t in = STR("abc"), data;
    assert_int_equal(http_response_next(&body, &in, &data), HTTP_STEP_DONE);
    assert_int_equal(in.n, 3);
}

static void hints_that_are_no_numbers_say_nothing(void **state)
{
    static http_response_t r;
    static const struct {
        const char *value;
        uint32_t keep_s;
    } rows[] = {
        {"timeout=5", 5},  {"max=3, timeout=72", 72},
        {"timeout=-1", 0}, {"timeout=99999", 0},
        {"timeout", 0},    {"", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        snprintf(text, sizeof text, OK "Content-Length: 0\r\nKeep-Alive: %s\r\n\r\n",
                 rows[i].value);
        assert_int_equal(parse(&r, str_c(text)), HTTP_STEP_DONE);
        assert_int_equal(r.head.keep_s, rows[i].keep_s);
    }
}

/* A head of `before` + fill bytes of 'a' + `after`, whole and split around the limit. */
static http_step_t long_head(const char *before, size_t fill, const char *after)
{
    static http_response_t whole, cut;
    size_t n = strlen(before) + fill + strlen(after);
    char *p = malloc(n + 1);
    assert_non_null(p);
    memcpy(p, before, strlen(before));
    memset(p + strlen(before), 'a', fill);
    memcpy(p + strlen(before) + fill, after, strlen(after) + 1);
    http_step_t step = parse(&whole, str_of(p, n));
    for (size_t split = n > 40 ? n - 40 : 0; split < n; split++) {
        assert_int_equal(parse_split(&cut, HTTP_POST, str_of(p, n), split), step);
        assert_true(str_eq(cut.why, whole.why));
    }
    free(p);
    return step;
}

static void a_head_beyond_the_limit_is_refused(void **state)
{
    const char *before = OK "Content-Length: 0\r\nA: ", *after = "\r\n\r\n";
    size_t rest = strlen(before) + strlen(after);
    assert_int_equal(long_head(before, LIMIT_HTTP_HEAD_BYTES - rest, after), HTTP_STEP_DONE);
    assert_int_equal(long_head(before, LIMIT_HTTP_HEAD_BYTES - rest + 1, after), HTTP_STEP_BAD);
    assert_int_equal(long_head(before, LIMIT_HTTP_HEAD_BYTES * 2, after), HTTP_STEP_BAD);
    assert_int_equal(long_head("HTTP/1.1 200 ", LIMIT_HTTP_HEAD_BYTES, ""), HTTP_STEP_BAD);
    assert_int_equal(long_head("HTTP/1.1 200 ", LIMIT_HTTP_HEAD_BYTES - 14, ""), HTTP_STEP_MORE);
}

static http_step_t many_fields(size_t n)
{
    static http_response_t r;
    static char text[LIMIT_HTTP_HEAD_BYTES];
    size_t at = (size_t)snprintf(text, sizeof text, OK "Content-Length: 0\r\n");
    for (size_t i = 1; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "A%zu: b\r\n", i);
    at += (size_t)snprintf(text + at, sizeof text - at, "\r\n");
    return parse(&r, str_of(text, at));
}

static void fields_beyond_the_count_are_refused(void **state)
{
    assert_int_equal(many_fields(LIMIT_HTTP_HEADERS), HTTP_STEP_DONE);
    assert_int_equal(many_fields(LIMIT_HTTP_HEADERS + 1), HTTP_STEP_BAD);
}

static void a_body_of_length_ends_where_it_ends(void **state)
{
    http_response_body_t body = {.frame = HTTP_FRAME_LENGTH, .left = 5};
    str_t in = STR("abc"), data;
    assert_int_equal(http_response_next(&body, &in, &data), HTTP_STEP_MORE);
    assert_true(str_eq(data, STR("abc")));
    in = STR("deHTTP/1.1 200 OK");
    assert_int_equal(http_response_next(&body, &in, &data), HTTP_STEP_DONE);
    assert_true(str_eq(data, STR("de")));
    assert_true(str_eq(in, STR("HTTP/1.1 200 OK")));
}

static void a_body_to_the_end_has_no_other_end(void **state)
{
    http_response_body_t body = {.frame = HTTP_FRAME_CLOSE};
    str_t in = STR("0\r\n\r\n"), data;
    assert_int_equal(http_response_next(&body, &in, &data), HTTP_STEP_MORE);
    assert_true(str_eq(data, STR("0\r\n\r\n")));
    assert_int_equal(in.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_cases_end_as_the_table_says),
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(a_nul_anywhere_is_refused),
        cmocka_unit_test(fields_of_the_connection_are_left_out),
        cmocka_unit_test(a_head_tells_the_length_of_what_does_not_come),
        cmocka_unit_test(hints_that_are_no_numbers_say_nothing),
        cmocka_unit_test(a_head_beyond_the_limit_is_refused),
        cmocka_unit_test(fields_beyond_the_count_are_refused),
        cmocka_unit_test(a_body_of_length_ends_where_it_ends),
        cmocka_unit_test(a_body_to_the_end_has_no_other_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
