/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/limits.h"
#include "http/outbound_request.h"

static void assert_written(const http_outbound_request_t *r, const char *want)
{
    char *out;
    size_t n;
    assert_int_equal(http_outbound_write(r, STR("h:1"), &out, &n), RC_OK);
    assert_true(str_eq(str_of(out, n), str_c(want)));
    free(out);
}

static void requests_are_written_as_the_table_says(void **state)
{
    const http_headers_t two =
        HTTP_HEADERS({STR("Accept"), STR("a/b")}, {STR("None"), STR_UNSET}, {STR("X"), STR("")});
    const struct {
        http_outbound_request_t r;
        const char *want;
    } rows[] = {
        {{HTTP_GET, STR("/"), HTTP_NO_HEADERS, STR_UNSET}, "GET / HTTP/1.1\r\nHost: h:1\r\n\r\n"},
        {{HTTP_GET, STR("/a%20b?c=d"), two, STR_UNSET},
         "GET /a%20b?c=d HTTP/1.1\r\nHost: h:1\r\nAccept: a/b\r\nX: \r\n\r\n"},
        {{HTTP_POST, STR("/"), HTTP_NO_HEADERS, STR("{}")},
         "POST / HTTP/1.1\r\nHost: h:1\r\nContent-Length: 2\r\n\r\n{}"},
        {{HTTP_POST, STR("/"), HTTP_NO_HEADERS, STR_UNSET},
         "POST / HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n\r\n"},
        {{HTTP_DELETE, STR("/"), HTTP_NO_HEADERS, STR_UNSET},
         "DELETE / HTTP/1.1\r\nHost: h:1\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_written(&rows[i].r, rows[i].want);
}

static rc_t write_one(str_t target, str_t name, str_t value)
{
    char *out = NULL;
    size_t n;
    http_outbound_request_t r = {HTTP_POST, target, HTTP_HEADERS({name, value}), STR("{}")};
    rc_t rc = http_outbound_write(&r, STR("h"), &out, &n);
    if (rc == RC_OK)
        free(out);
    return rc;
}

static void fields_that_split_or_frame_are_refused(void **state)
{
    static const struct {
        const char *why;
        str_t name, value;
    } rows[] = {
        {"cr and lf", STR_INIT("A"), STR_INIT("b\r\nC: d")},
        {"lf", STR_INIT("A"), STR_INIT("b\nC: d")},
        {"cr", STR_INIT("A"), STR_INIT("b\rc")},
        {"nul", STR_INIT("A"), STR_INIT("b\0c")},
        {"control byte", STR_INIT("A"), STR_INIT("b\x01")},
        {"name beyond ascii", STR_INIT("A\xc3\xa9"), STR_INIT("b")},
        {"empty name", STR_INIT(""), STR_INIT("b")},
        {"name with a colon", STR_INIT("A:"), STR_INIT("b")},
        {"name with a space", STR_INIT("A "), STR_INIT("b")},
        {"name with lf", STR_INIT("A\nB"), STR_INIT("b")},
        {"second host", STR_INIT("Host"), STR_INIT("evil.test")},
        {"length", STR_INIT("content-length"), STR_INIT("1")},
        {"coding", STR_INIT("Transfer-Encoding"), STR_INIT("chunked")},
        {"connection", STR_INIT("Connection"), STR_INIT("close")},
        {"trailer", STR_INIT("Trailer"), STR_INIT("x")},
        {"te", STR_INIT("TE"), STR_INIT("trailers")},
        {"upgrade", STR_INIT("Upgrade"), STR_INIT("h2c")},
        {"keep-alive", STR_INIT("Keep-Alive"), STR_INIT("timeout=1")},
        {"proxy-connection", STR_INIT("Proxy-Connection"), STR_INIT("close")},
        {"expect", STR_INIT("Expect"), STR_INIT("100-continue")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rc_t rc = write_one(STR("/"), rows[i].name, rows[i].value);
        if (rc != RC_MALFORMED)
            print_message("%s\n", rows[i].why);
        assert_int_equal(rc, RC_MALFORMED);
    }
    assert_int_equal(write_one(STR("/"), STR("Authorization"), STR("Bearer a\tb")), RC_OK);
}

static void targets_not_in_origin_form_are_refused(void **state)
{
    static const char *const rows[] = {
        "", "*", "a", "http://evil.test/", "/a b", "/a\r\nX: y", "/a#b", "/%", "/%g0", "/\xc3\xa9",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(write_one(str_c(rows[i]), STR("A"), STR("b")), RC_MALFORMED);
    assert_int_equal(write_one(STR_UNSET, STR("A"), STR("b")), RC_MALFORMED);
    assert_int_equal(write_one(STR("/a/b?c"), STR("A"), STR("b")), RC_OK);
}

static void a_head_beyond_the_limit_is_not_sent(void **state)
{
    static char value[LIMIT_HTTP_HEAD_BYTES];
    memset(value, 'a', sizeof value);
    assert_int_equal(write_one(STR("/"), STR("A"), str_of(value, sizeof value)), RC_LIMIT);
    assert_int_equal(write_one(STR("/"), STR("A"), str_of(value, sizeof value - 200)), RC_OK);
}

static void only_methods_that_promise_it_may_be_repeated(void **state)
{
    static const struct {
        http_method_t method;
        bool again, may;
    } rows[] = {
        {HTTP_GET, false, true},     {HTTP_HEAD, false, true},  {HTTP_PUT, false, true},
        {HTTP_DELETE, false, true},  {HTTP_POST, false, false}, {HTTP_PATCH, false, false},
        {HTTP_OPTIONS, false, true}, {HTTP_POST, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_outbound_request_t r = {.method = rows[i].method, .again = rows[i].again};
        assert_int_equal(http_outbound_may_repeat(&r), rows[i].may);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_written_as_the_table_says),
        cmocka_unit_test(fields_that_split_or_frame_are_refused),
        cmocka_unit_test(targets_not_in_origin_form_are_refused),
        cmocka_unit_test(a_head_beyond_the_limit_is_not_sent),
        cmocka_unit_test(only_methods_that_promise_it_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
