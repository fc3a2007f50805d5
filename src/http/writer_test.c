#include "http/http_test_wire.h"

static char out[LIMIT_HTTP_REPLY_HEAD_BYTES];

static http_answer_head_t plain(void)
{
    return (http_answer_head_t){.status = 200, .date = STR("D"), .length = 5};
}

static str_t written(const http_answer_head_t *h)
{
    size_t n = 0;
    assert_int_equal(http_writer_head(h, out, sizeof out, &n), RC_OK);
    return str_of(out, n);
}

static void a_head_is_written(void **state)
{
    http_answer_head_t h = plain();
    assert_text(written(&h), "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n"
                             "X-Content-Type-Options: nosniff\r\n\r\n");
    h.status = 404;
    h.end = HTTP_END_CHUNKED;
    h.close = h.no_store = h.cors = true;
    h.headers = HTTP_HEADERS({STR("Cache-Control"), STR("public")}, {STR("A"), STR("b\tc")},
                             {STR("Unset"), STR_UNSET}, {STR("Empty"), STR("")});
    assert_text(written(&h),
                "HTTP/1.1 404 Not Found\r\nDate: D\r\nTransfer-Encoding: chunked\r\n"
                "X-Content-Type-Options: nosniff\r\nConnection: close\r\n"
                "Cache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\n"
                "Access-Control-Expose-Headers: WWW-Authenticate, Mcp-Session-Id, "
                "MCP-Protocol-Version, DPoP-Nonce, Retry-After\r\nA: b\tc\r\nEmpty: \r\n\r\n");
}

static void no_length_where_there_is_no_body(void **state)
{
    http_answer_head_t h = plain();
    h.end = HTTP_END_NONE;
    assert_false(str_contains(written(&h), STR("Content-Length")));
    h.end = HTTP_END_CLOSE;
    assert_false(str_contains(written(&h), STR("Content-Length")));
    assert_false(str_contains(written(&h), STR("Transfer-Encoding")));
    h.end = HTTP_END_LENGTH;
    h.length = UINT64_MAX;
    assert_true(str_contains(written(&h), STR("Content-Length: 18446744073709551615\r\n")));
}

/* attack case: CHL-003 (no value can open a second field) */
static void fields_that_could_split_are_refused(void **state)
{
    static const struct {
        const char *why;
        http_header_t field;
    } rows[] = {
        {"CR LF", {STR_INIT("A"), STR_INIT("b\r\nSet-Cookie: c")}},
        {"LF", {STR_INIT("A"), STR_INIT("b\nc")}},
        {"CR", {STR_INIT("A"), STR_INIT("b\rc")}},
        {"CR at the end", {STR_INIT("A"), STR_INIT("b\r")}},
        {"NUL", {STR_INIT("A"), STR_INIT("b\0c")}},
        {"control byte", {STR_INIT("A"), STR_INIT("aaaaaaaaaaaaaaaaaaaaaaaa\x1b")}},
        {"delete byte", {STR_INIT("A"), STR_INIT("\x7f")}},
        {"non-ASCII that truncates to CR LF",
         {STR_INIT("A"), STR_INIT("\xe5\x98\x8a\xe5\x98\x8d")}},
        {"non-ASCII", {STR_INIT("A"), STR_INIT("\xc3\xa9")}},
        {"empty name", {STR_INIT(""), STR_INIT("b")}},
        {"colon in name", {STR_INIT("A:"), STR_INIT("b")}},
        {"space in name", {STR_INIT("A b"), STR_INIT("c")}},
        {"line in name", {STR_INIT("A\r\nB"), STR_INIT("c")}},
        {"frames by length", {STR_INIT("content-length"), STR_INIT("0")}},
        {"frames by coding", {STR_INIT("Transfer-Encoding"), STR_INIT("chunked")}},
        {"closes", {STR_INIT("CONNECTION"), STR_INIT("close")}},
        {"trails", {STR_INIT("Trailer"), STR_INIT("x")}},
        {"dates", {STR_INIT("date"), STR_INIT("x")}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_answer_head_t h = plain();
        size_t n = 0;
        h.headers = (http_headers_t){&rows[i].field, 1};
        if (http_writer_head(&h, out, sizeof out, &n) != RC_MALFORMED)
            fail_msg("%s is written", rows[i].why);
    }
}

static void a_head_beyond_its_room_is_refused(void **state)
{
    http_answer_head_t h = plain();
    h.headers = HTTP_HEADERS({STR("A"), STR("b")});
    size_t whole = written(&h).n, n;
    for (size_t cap = 0; cap < whole; cap++)
        assert_int_equal(http_writer_head(&h, out, cap, &n), RC_LIMIT);
    assert_int_equal(http_writer_head(&h, out, whole, &n), RC_OK);
}

static void dates_are_imf_fixdates(void **state)
{
    char date[HTTP_DATE_TEXT];
    http_writer_date(784111777, date);
    assert_text(str_of(date, sizeof date), "Sun, 06 Nov 1994 08:49:37 GMT");
    http_writer_date(0, date);
    assert_text(str_of(date, sizeof date), "Thu, 01 Jan 1970 00:00:00 GMT");
    http_writer_date(1709164800, date);
    assert_text(str_of(date, sizeof date), "Thu, 29 Feb 2024 00:00:00 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_written),
        cmocka_unit_test(no_length_where_there_is_no_body),
        cmocka_unit_test(fields_that_could_split_are_refused),
        cmocka_unit_test(a_head_beyond_its_room_is_refused),
        cmocka_unit_test(dates_are_imf_fixdates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
