#include "mcp/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { TEXT_BYTES = 65536 };

/* All events of a stream, each in one line of a form of its own. */
static str_t events_of(arena_t *a, str_t stream, size_t piece)
{
    buf_t b = buf_new(a, TEXT_BYTES);
    mcp_sse_t s = {0};
    mcp_sse_event_t e;
    rc_t rc;
    mcp_sse_step_t step = MCP_SSE_MORE;
    while (stream.n > 0 && step != MCP_SSE_BAD) {
        str_t in = str_first(stream, piece);
        stream = str_skip(stream, piece);
        while ((step = mcp_sse_next(&s, &in, &e, &rc)) == MCP_SSE_EVENT)
            buf_fmt(&b, "[%.*s|%s%.*s|%s%.*s|%lld]", STR_ARG(e.event), e.id.p ? "" : "-",
                    STR_ARG(e.id), e.data.p ? "" : "-", STR_ARG(e.data), (long long)e.retry_ms);
        assert_int_equal(rc, RC_OK);
    }
    if (step == MCP_SSE_BAD)
        buf_put(&b, STR("BAD"));
    mcp_sse_free(&s);
    str_t out;
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out.p ? out : STR("");
}

static void expect(str_t stream, const char *want)
{
    arena_t *a = arena_new(8 << 20);
    for (size_t piece = 1; piece <= stream.n; piece++) {
        str_t got = events_of(a, stream, piece);
        if (!str_eq(got, str_c(want)))
            fail_msg("pieces of %zu: %.*s instead of %s", piece, STR_ARG(got), want);
    }
    arena_free(a);
}

static void fields_are_read(void **state)
{
    (void)state;
    expect(STR("event: message\nid: 7\nretry: 250\ndata: {}\n\n"), "[message|7|{}|250]");
    expect(STR("data:x\n\ndata: y\n\n"), "[|-|x|-1][|-|y|-1]");
    expect(STR("data:  two spaces\n\n"), "[|-| two spaces|-1]");
    expect(STR("data: a:b: c\n\n"), "[|-|a:b: c|-1]");
}

static void data_lines_are_joined(void **state)
{
    (void)state;
    expect(STR("data: a\ndata: b\n\n"), "[|-|a\nb|-1]");
    expect(STR("data: a\nid: 1\nevent: e\ndata: b\nid: 22\ndata: c\n\n"), "[e|22|a\nb\nc|-1]");
    expect(STR("data\ndata\n\n"), "[|-|\n|-1]");
    expect(STR("data:\n\n"), "[|-||-1]");
}

static void every_line_end_is_one(void **state)
{
    (void)state;
    expect(STR("data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n"), "[|-|a\nb|-1][|-|c|-1]");
    expect(STR("data: a\rdata: b\r\rdata: c\r\r"), "[|-|a\nb|-1][|-|c|-1]");
    expect(STR("data: a\n\rdata: b\r\n\ndata: c\r\r\n"), "[|-|a|-1][|-|b|-1][|-|c|-1]");
}

static void comments_and_unknown_names_are_dropped(void **state)
{
    (void)state;
    expect(STR(":\n\n: hello\n\n"), "");
    expect(STR("data: a\n: no\ndata: b\n:\n\n"), "[|-|a\nb|-1]");
    expect(STR("foo: bar\n\nDATA: x\n\ndata : x\n\ndata: y\n\n"), "[|-|y|-1]");
}

static void events_without_data_are_events(void **state)
{
    (void)state;
    expect(STR("id: 1\n\n"), "[|1|-|-1]");
    expect(STR("id: 1\ndata:\n\n"), "[|1||-1]");
    expect(STR("retry: 5\n\n"), "[|-|-|5]");
    expect(STR("id\n\n"), "[||-|-1]");
}

static void fields_that_the_standard_ignores(void **state)
{
    (void)state;
    expect(STR("id: a\0b\ndata: x\n\n"), "[|-|x|-1]");
    expect(STR("id: ok\nid: a\0b\ndata: x\n\n"), "[|ok|x|-1]");
    expect(STR("retry: 1s\nretry: -1\nretry:\nretry: 99999999999999\ndata: x\n\n"), "[|-|x|-1]");
    expect(STR("event: a\nevent:\ndata: x\n\n"), "[|-|x|-1]");
}

static void a_byte_order_mark_comes_first_only(void **state)
{
    (void)state;
    expect(STR("\xef\xbb\xbf"
               "data: x\n\n"),
           "[|-|x|-1]");
    expect(STR("\xef\xbb\xbf:\n\ndata: x\n\n"), "[|-|x|-1]");
    expect(STR("\xef\xbb\xbf\xef\xbb\xbf"
               "data: x\n\ndata: y\n\n"),
           "[|-|y|-1]");
    expect(STR("data: x\n\n\xef\xbb\xbf"
               "data: y\n\n"),
           "[|-|x|-1]");
}

static void an_event_without_its_empty_line_is_dropped(void **state)
{
    (void)state;
    expect(STR("data: x\n\ndata: y\n"), "[|-|x|-1]");
    expect(STR("data: x"), "");
}

static void what_is_not_utf8_ends_the_stream(void **state)
{
    (void)state;
    expect(STR("data: x\n\ndata: \xff\n\ndata: y\n\n"), "[|-|x|-1]BAD");
    expect(STR("data: \xc3\n\n"), "BAD");
    expect(STR("data: \xc3\xa9\n\n"), "[|-|\xc3\xa9|-1]");
    expect(STR("\xef\xbbx\n\n"), "BAD");
}

static mcp_sse_step_t feed(mcp_sse_t *s, str_t in, mcp_sse_event_t *e)
{
    rc_t rc;
    mcp_sse_step_t step = mcp_sse_next(s, &in, e, &rc);
    assert_int_equal(rc, RC_OK);
    return step;
}

static void what_is_too_long_ends_the_stream(void **state)
{
    (void)state;
    enum { PIECE = 1 << 16 };
    static char piece[PIECE];
    memset(piece, 'x', PIECE);
    mcp_sse_event_t e;
    mcp_sse_t s = {0};
    size_t fed = 0;
    assert_int_equal(feed(&s, STR("data: "), &e), MCP_SSE_MORE);
    while (feed(&s, str_of(piece, PIECE), &e) == MCP_SSE_MORE)
        fed += PIECE;
    assert_in_range(fed, MCP_SSE_EVENT_BYTES - 2 * PIECE, MCP_SSE_EVENT_BYTES);
    assert_int_equal(feed(&s, STR("\n\ndata: y\n\n"), &e), MCP_SSE_BAD);
    assert_null(s.p);
    s = (mcp_sse_t){0};
    assert_int_equal(feed(&s, STR("id: "), &e), MCP_SSE_MORE);
    assert_int_equal(feed(&s, str_of(piece, MCP_SSE_ID_BYTES), &e), MCP_SSE_MORE);
    assert_int_equal(feed(&s, STR("\n\n"), &e), MCP_SSE_EVENT);
    assert_int_equal(feed(&s, STR("id: "), &e), MCP_SSE_MORE);
    assert_int_equal(feed(&s, str_of(piece, MCP_SSE_ID_BYTES + 1), &e), MCP_SSE_MORE);
    assert_int_equal(feed(&s, STR("\n\n"), &e), MCP_SSE_BAD);
    mcp_sse_free(&s);
}

static void an_idle_stream_holds_no_memory(void **state)
{
    (void)state;
    mcp_sse_t s = {0};
    mcp_sse_event_t e;
    assert_int_equal(feed(&s, STR("data: x\r\n\r"), &e), MCP_SSE_EVENT);
    assert_true(str_eq(e.data, STR("x")));
    assert_int_equal(feed(&s, STR("\n: still here\r\n"), &e), MCP_SSE_MORE);
    assert_null(s.p);
    mcp_sse_free(&s);
}

static str_t written(arena_t *a, mcp_sse_event_t e)
{
    str_t out;
    buf_t b = buf_new(a, TEXT_BYTES);
    mcp_sse_write(&b, &e);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

/* Some clients end a line at each of these, and would read the rest as a line of its own. */
static void line_ends_of_others_are_escaped(void **state)
{
    static const struct {
        const char *data, *written;
    } ROWS_OF[] = {
        {"\"a\xe2\x80\xa8\xe2\x80\xa8"
         "data: b\"",
         "data: \"a\\u2028\\u2028data: b\"\n\n"},
        {"\"\xe2\x80\xa9\xc2\x85\"", "data: \"\\u2029\\u0085\"\n\n"},
        {"\x0b\x0c\x1c\x1d\x1e\n\t\x1f",
         "data: \\u000b\\u000c\\u001c\\u001d\\u001e\ndata: \t\x1f\n\n"},
        {"\"\xc2\x86\xe2\x80\xa7\xc3\xa9\"", "data: \"\xc2\x86\xe2\x80\xa7\xc3\xa9\"\n\n"},
    };
    arena_t *a = arena_new(1 << 20);
    (void)state;
    for (size_t i = 0; i < sizeof ROWS_OF / sizeof *ROWS_OF; i++) {
        mcp_sse_event_t e = {.data = str_c(ROWS_OF[i].data), .retry_ms = -1};
        assert_true(str_eq(written(a, e), str_c(ROWS_OF[i].written)));
    }
    assert_int_equal(mcp_sse_growth(STR("a\xe2\x80\xa8z\xc2\x85\x0b")), 3 + 4 + 5);
    assert_int_equal(mcp_sse_growth(STR("\xe2\x80\xa7\xc2")), 0);
    char room[4 + 6 + 6];
    buf_t line = buf_fixed(room, sizeof room);
    mcp_sse_write_line(&line, STR("{}\xc2\x85 \n\xe2\x80\xa8"));
    assert_true(str_eq(buf_str(&line), STR("{}\\u0085 \n\\u2028")));
    assert_int_equal(line.failed, RC_OK);
    assert_false(written(a, (mcp_sse_event_t){.data = STR("a\xe2\x80"), .retry_ms = -1}).p);
    arena_free(a);
}

static void events_are_written(void **state)
{
    (void)state;
    arena_t *a = arena_new(1 << 20);
    assert_true(str_eq(written(a, (mcp_sse_event_t){STR("message"), STR("1"), STR("a\nb"), 5}),
                       STR("event: message\nid: 1\nretry: 5\ndata: a\ndata: b\n\n")));
    assert_true(
        str_eq(written(a, (mcp_sse_event_t){.data = STR(""), .retry_ms = -1}), STR("data: \n\n")));
    assert_true(
        str_eq(written(a, (mcp_sse_event_t){.id = STR(""), .retry_ms = -1}), STR("id: \n\n")));
    expect(mcp_sse_keep_alive(), "");
    arena_free(a);
}

static void what_would_split_an_event_is_not_written(void **state)
{
    (void)state;
    static const mcp_sse_event_t BAD[] = {
        {.data = STR_INIT("a\rb"), .retry_ms = -1},
        {.data = STR_INIT("\xff"), .retry_ms = -1},
        {.id = STR_INIT("a\nb"), .retry_ms = -1},
        {.id = STR_INIT("a\rb"), .retry_ms = -1},
        {.id = STR_INIT("a\0b"), .retry_ms = -1},
        {.event = STR_INIT("x\n\ndata: y"), .retry_ms = -1},
    };
    arena_t *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_false(str_is_set(written(a, BAD[i])));
    assert_true(str_is_set(written(a, (mcp_sse_event_t){.data = STR("a"), .retry_ms = -1})));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(data_lines_are_joined),
        cmocka_unit_test(every_line_end_is_one),
        cmocka_unit_test(comments_and_unknown_names_are_dropped),
        cmocka_unit_test(events_without_data_are_events),
        cmocka_unit_test(fields_that_the_standard_ignores),
        cmocka_unit_test(a_byte_order_mark_comes_first_only),
        cmocka_unit_test(an_event_without_its_empty_line_is_dropped),
        cmocka_unit_test(what_is_not_utf8_ends_the_stream),
        cmocka_unit_test(what_is_too_long_ends_the_stream),
        cmocka_unit_test(an_idle_stream_holds_no_memory),
        cmocka_unit_test(line_ends_of_others_are_escaped),
        cmocka_unit_test(events_are_written),
        cmocka_unit_test(what_would_split_an_event_is_not_written),
    };
    return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}
