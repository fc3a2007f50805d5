#include "mcp_http/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/limits.h"
#include "http/media.h"

#define COUNT(v) (sizeof(v) / sizeof *(v))
#define NONE                                                                                       \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

/* Up to four fields, for a row of a table. */
typedef struct {
    const char *name, *value;
} field_t;
enum { FIELDS = 4 };

static http_headers_t headers_of(const field_t f[FIELDS], http_header_t v[FIELDS])
{
    size_t n = 0;
    while (n < FIELDS && f[n].name) {
        v[n] = (http_header_t){str_c(f[n].name), str_c(f[n].value)};
        n++;
    }
    return (http_headers_t){v, n};
}

/* TR-2, TL-13 */
static void place(void **state)
{
    (void)state;
    static const str_t ORIGINS[] = {STR_INIT("https://app.test")}, HOSTS[] = {STR_INIT("own.test")};
    const mcp_place_t place = {STR("rs.test"), {HOSTS, 1}, {ORIGINS, 1}};
    static const struct {
        field_t f[FIELDS];
        mcp_error_t e;
    } ROWS[] = {
        {{{"Host", "rs.test"}}, MCP_NO_ERROR},
        {{{"Host", "RS.test:443"}}, MCP_NO_ERROR},
        {{{"Host", "own.test"}}, MCP_NO_ERROR},
        {{{"Host", "localhost:1"}}, MCP_NO_ERROR},
        {{{"Host", "127.0.0.1:1"}}, MCP_NO_ERROR},
        {{{"Host", "[::1]:1"}}, MCP_NO_ERROR},
        {{{"Host", "evil.test"}}, MCP_ERROR_FOREIGN_HOST},
        {{{"Host", "rs.test.evil.test"}}, MCP_ERROR_FOREIGN_HOST},
        {{{"Host", ""}}, MCP_ERROR_FOREIGN_HOST},
        {{{"Host", "rs.test"}, {"Origin", "https://app.test"}}, MCP_NO_ERROR},
        {{{"Host", "rs.test"}, {"Origin", "http://localhost:6274"}}, MCP_NO_ERROR},
        {{{"Host", "rs.test"}, {"Origin", "https://evil.test"}}, MCP_ERROR_FOREIGN_ORIGIN},
        {{{"Host", "rs.test"}, {"Origin", "null"}}, MCP_ERROR_FOREIGN_ORIGIN},
        {{{"Host", "rs.test"}, {"Origin", ""}}, MCP_ERROR_FOREIGN_ORIGIN},
        {{{"Host", "rs.test"}, {"Origin", "https://app.test"}, {"origin", "https://app.test"}},
         MCP_ERROR_FOREIGN_ORIGIN},
        {{{"Host", "evil.test"}, {"Origin", "https://app.test"}}, MCP_ERROR_FOREIGN_HOST},
    };
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        http_header_t v[FIELDS];
        assert_int_equal(mcp_rule_place(headers_of(ROWS[i].f, v), &place), ROWS[i].e);
    }
}

/* TR-4 */
static void accept_of_a_post(void **state)
{
    (void)state;
    static const struct {
        field_t f[FIELDS];
        mcp_error_t e;
        bool stream;
    } ROWS[] = {
        {{NONE}, MCP_NO_ERROR, true},
        {{{"Accept", "*/*"}}, MCP_NO_ERROR, true},
        {{{"Accept", "application/json, text/event-stream"}}, MCP_NO_ERROR, true},
        {{{"Accept", "application/json"}, {"Accept", "text/event-stream"}}, MCP_NO_ERROR, true},
        {{{"Accept", "application/json"}}, MCP_NO_ERROR, false},
        {{{"Accept", "application/json, text/event-stream;q=0"}}, MCP_NO_ERROR, false},
        {{{"Accept", "text/event-stream"}}, MCP_ERROR_NOT_ACCEPTABLE, true},
        {{{"Accept", "text/html"}}, MCP_ERROR_NOT_ACCEPTABLE, false},
    };
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        http_header_t v[FIELDS];
        bool stream;
        assert_int_equal(mcp_rule_post(headers_of(ROWS[i].f, v), HTTP_BODY_JSON, &stream),
                         ROWS[i].e);
        assert_int_equal(stream, ROWS[i].stream);
    }
    bool stream;
    assert_int_equal(mcp_rule_post(HTTP_NO_HEADERS, 0, &stream), MCP_ERROR_NOT_JSON);
    assert_int_equal(mcp_rule_post(HTTP_NO_HEADERS, HTTP_BODY_FORM, &stream), MCP_ERROR_NOT_JSON);
}

/* TL-1, TL-4, TL-5, TL-10 */
static void bare_requests(void **state)
{
    (void)state;
#define S                                                                                          \
    {                                                                                              \
        "Mcp-Session-Id", "abc"                                                                    \
    }
#define E                                                                                          \
    {                                                                                              \
        "Accept", "text/event-stream"                                                              \
    }
    static const struct {
        http_method_t method;
        field_t f[FIELDS];
        mcp_bare_kind_t kind;
        mcp_error_t e;
    } ROWS[] = {
        {HTTP_GET, {S, E}, MCP_BARE_LISTEN, MCP_NO_ERROR},
        {HTTP_GET, {S}, MCP_BARE_LISTEN, MCP_NO_ERROR},
        {HTTP_GET, {S, E, {"Last-Event-ID", ""}}, MCP_BARE_LISTEN, MCP_NO_ERROR},
        {HTTP_GET, {S, E, {"Last-Event-ID", "3-4"}}, MCP_BARE_RESUME, MCP_NO_ERROR},
        {HTTP_GET,
         {S, E, {"Last-Event-ID", "3-4"}, {"last-event-id", "3-4"}},
         MCP_BARE_REFUSED,
         MCP_ERROR_BAD_EVENT_ID},
        {HTTP_GET, {E}, MCP_BARE_REFUSED, MCP_ERROR_SESSION_NEEDED},
        {HTTP_GET, {S, S, E}, MCP_BARE_REFUSED, MCP_ERROR_REPEATED_HEADER},
        {HTTP_GET, {{"Mcp-Session-Id", "a b"}, E}, MCP_BARE_REFUSED, MCP_ERROR_BAD_SESSION_ID},
        {HTTP_GET, {{"Mcp-Session-Id", ""}, E}, MCP_BARE_REFUSED, MCP_ERROR_BAD_SESSION_ID},
        {HTTP_GET, {S, {"Accept", "application/json"}}, MCP_BARE_REFUSED, MCP_ERROR_NOT_ACCEPTABLE},
        {HTTP_DELETE, {S}, MCP_BARE_END, MCP_NO_ERROR},
        {HTTP_DELETE, {S, {"Accept", "text/html"}}, MCP_BARE_END, MCP_NO_ERROR},
        {HTTP_DELETE, {NONE}, MCP_BARE_REFUSED, MCP_ERROR_SESSION_NEEDED},
    };
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        http_header_t v[FIELDS];
        mcp_bare_t b = mcp_rule_bare(ROWS[i].method, headers_of(ROWS[i].f, v));
        assert_int_equal(b.kind, ROWS[i].kind);
        if (b.kind == MCP_BARE_REFUSED)
            assert_int_equal(b.error, ROWS[i].e);
        else
            assert_true(str_eq(b.session, STR("abc")));
        if (b.kind == MCP_BARE_RESUME)
            assert_true(str_eq(b.event, STR("3-4")));
    }
}

/* TL-11 */
static void who_is_told_to_come_back(void **state)
{
    (void)state;
    mcp_versions_t all = mcp_versions();
    for (size_t i = 0; i < all.n; i++)
        assert_int_equal(mcp_rule_polls(&all.v[i]), str_eq(all.v[i].name, STR("2025-11-25")));
    assert_false(mcp_rule_polls(NULL));
}

static void way_of_the_next_message(void **state)
{
    (void)state;
    enum { NO, YES };
    static const struct {
        mcp_out_kind_t kind;
        const char *text, *needed;
        bool begun, stream, let_go, asks;
        mcp_way_t way;
    } ROWS[] = {
        {MCP_OUT_ANSWER, "{}", NULL, NO, YES, NO, NO, MCP_WAY_JSON},
        {MCP_OUT_ANSWER, "{}", NULL, NO, NO, NO, NO, MCP_WAY_JSON},
        {MCP_OUT_ANSWER, "", "a", NO, YES, NO, NO, MCP_WAY_JSON},
        {MCP_OUT_ANSWER, "{}", NULL, YES, YES, NO, NO, MCP_WAY_EVENT},
        {MCP_OUT_ANSWER, "{}", "a", YES, YES, NO, NO, MCP_WAY_EVENT},
        {MCP_OUT_ANSWER, "", NULL, NO, YES, NO, NO, MCP_WAY_END},
        {MCP_OUT_ANSWER, "", NULL, YES, YES, NO, NO, MCP_WAY_END},
        {MCP_OUT_MESSAGE, "{}", NULL, NO, YES, NO, NO, MCP_WAY_EVENT},
        {MCP_OUT_MESSAGE, "{}", NULL, YES, YES, NO, NO, MCP_WAY_EVENT},
        {MCP_OUT_MESSAGE, "{}", NULL, NO, NO, NO, NO, MCP_WAY_DROP},
        {MCP_OUT_MESSAGE, "{}", NULL, NO, NO, NO, YES, MCP_WAY_REFUSE},
        {MCP_OUT_LET_GO, "", NULL, NO, YES, YES, NO, MCP_WAY_LET_GO},
        {MCP_OUT_LET_GO, "", NULL, YES, YES, YES, NO, MCP_WAY_LET_GO},
        {MCP_OUT_LET_GO, "", NULL, NO, YES, NO, NO, MCP_WAY_DROP},
        {MCP_OUT_LET_GO, "", NULL, NO, NO, YES, NO, MCP_WAY_DROP},
    };
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        const mcp_stream_facts_t s = {ROWS[i].begun, ROWS[i].stream, ROWS[i].let_go, ROWS[i].asks};
        const mcp_out_t out = {
            .kind = ROWS[i].kind, .text = str_c(ROWS[i].text), .needed = str_c(ROWS[i].needed)};
        assert_int_equal(mcp_rule_way(&s, &out), ROWS[i].way);
    }
}

static void what_an_open_exchange_does_each_second(void **state)
{
    (void)state;
    enum { NO, YES, ALIVE = LIMIT_MCP_KEEPALIVE_MS, LAST = MCP_LAST_WORDS_MS };
    static const struct {
        bool begun, stream, listens, ended;
        int64_t silent_ms, draining_ms;
        mcp_open_t what;
    } ROWS[] = {
        {NO, YES, NO, NO, MCP_QUIET_MS - 1, -1, MCP_OPEN_STAYS},
        {NO, YES, NO, NO, MCP_QUIET_MS, -1, MCP_OPEN_BEGINS},
        {NO, NO, NO, NO, 10 * MCP_QUIET_MS, -1, MCP_OPEN_STAYS},
        {NO, YES, NO, YES, 0, -1, MCP_OPEN_STAYS},
        {YES, YES, NO, NO, ALIVE - 1, -1, MCP_OPEN_STAYS},
        {YES, YES, NO, NO, ALIVE, -1, MCP_OPEN_SPEAKS},
        {YES, YES, YES, NO, ALIVE, -1, MCP_OPEN_SPEAKS},
        {YES, YES, NO, YES, 0, -1, MCP_OPEN_ENDS},
        {YES, YES, YES, YES, 0, -1, MCP_OPEN_ENDS},
        {YES, YES, NO, NO, 0, LAST, MCP_OPEN_STAYS},
        {YES, YES, YES, NO, 0, LAST - 1, MCP_OPEN_STAYS},
        {YES, YES, YES, NO, 0, LAST, MCP_OPEN_ENDS},
        {NO, YES, YES, NO, 0, LAST, MCP_OPEN_ENDS},
    };
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        const mcp_open_facts_t o = {ROWS[i].begun, ROWS[i].stream,    ROWS[i].listens,
                                    ROWS[i].ended, ROWS[i].silent_ms, ROWS[i].draining_ms};
        assert_int_equal(mcp_rule_open(&o), ROWS[i].what);
    }
}

static void event_ids_name_stream_and_number(void **state)
{
    (void)state;
    char out[MCP_EVENT_ID_TEXT];
    assert_true(str_eq(mcp_event_id(out, 0, 1), STR("0-1")));
    assert_true(str_eq(mcp_event_id(out, UINT64_MAX, UINT64_MAX),
                       STR("18446744073709551615-18446744073709551615")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place),
        cmocka_unit_test(accept_of_a_post),
        cmocka_unit_test(bare_requests),
        cmocka_unit_test(who_is_told_to_come_back),
        cmocka_unit_test(way_of_the_next_message),
        cmocka_unit_test(what_an_open_exchange_does_each_second),
        cmocka_unit_test(event_ids_name_stream_and_number),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
