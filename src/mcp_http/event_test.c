#include "mcp_http/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mcp/sse.h"

enum { LONG_BYTES = 3 * MCP_PIECE_BYTES + 17, OUT_BYTES = LONG_BYTES + 1024 };

/* All pieces one behind the other. */
static str_t whole(mcp_event_t *e, char out[OUT_BYTES])
{
    size_t n = 0;
    char piece[MCP_PIECE_BYTES];
    while (!mcp_event_is_sent(e)) {
        str_t p = mcp_event_piece(e, piece);
        assert_true(p.n > 0 && n + p.n <= OUT_BYTES);
        memcpy(out + n, p.p, p.n);
        n += p.n;
        mcp_event_took(e, p.n);
    }
    assert_int_equal(mcp_event_piece(e, piece).n, 0);
    return str_of(out, n);
}

static mcp_sse_event_t only_event(mcp_sse_t *reader, str_t bytes)
{
    rc_t rc;
    mcp_sse_event_t e;
    assert_int_equal(mcp_sse_next(reader, &bytes, &e, &rc), MCP_SSE_EVENT);
    assert_int_equal(bytes.n, 0);
    return e;
}

static void small_event_is_one_piece(void **state)
{
    (void)state;
    char out[MCP_PIECE_BYTES];
    mcp_event_t e = mcp_event(STR("3-4"), STR("{\"a\":1}"));
    assert_true(str_eq(mcp_event_piece(&e, out), STR("id: 3-4\ndata: {\"a\":1}\n\n")));
    e = mcp_event(STR_UNSET, STR("{}"));
    assert_true(str_eq(mcp_event_piece(&e, out), STR("data: {}\n\n")));
}

static void piece_that_was_not_taken_comes_again(void **state)
{
    (void)state;
    char out[MCP_PIECE_BYTES];
    mcp_event_t e = mcp_event(STR_UNSET, STR("{}"));
    mcp_event_piece(&e, out);
    assert_true(str_eq(mcp_event_piece(&e, out), STR("data: {}\n\n")));
    mcp_event_took(&e, 3);
    assert_true(str_eq(mcp_event_piece(&e, out), STR("a: {}\n\n")));
}

/* Messages of every length around the ends of pieces come out whole. */
static void long_event_in_pieces(void **state)
{
    (void)state;
    static char text[LONG_BYTES], out[OUT_BYTES];
    static const size_t AROUND[] = {MCP_PIECE_BYTES, 2 * MCP_PIECE_BYTES, LONG_BYTES - 20};
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < 60; i++) {
        size_t n = AROUND[i / 20] + i % 20 - (i < 40 ? 15 : 0);
        mcp_event_t e = mcp_event(STR("1-2"), str_of(text, n));
        mcp_sse_t reader = {0};
        mcp_sse_event_t read = only_event(&reader, whole(&e, out));
        assert_true(str_eq(read.data, str_of(text, n)));
        assert_true(str_eq(read.id, STR("1-2")));
        mcp_sse_free(&reader);
    }
}

/* JSON that an owner wrote over several lines is one line on the wire. */
static void line_ends_become_spaces(void **state)
{
    (void)state;
    static char out[OUT_BYTES];
    mcp_event_t e = mcp_event(STR("1-2"), STR("{\r\n\"a\":\n1\r}"));
    mcp_sse_t reader = {0};
    mcp_sse_event_t read = only_event(&reader, whole(&e, out));
    assert_true(str_eq(read.data, STR("{  \"a\": 1 }")));
    mcp_sse_free(&reader);
}

/* TL-11 */
static void primer_has_an_id_and_no_data(void **state)
{
    (void)state;
    char out[MCP_PIECE_BYTES];
    assert_true(str_eq(mcp_event_primer(out, STR("7-0")), STR("id: 7-0\nretry: 500\ndata: \n\n")));
    assert_true(str_eq(mcp_event_retry(out), STR("retry: 500\n\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_event_is_one_piece),
        cmocka_unit_test(piece_that_was_not_taken_comes_again),
        cmocka_unit_test(long_event_in_pieces),
        cmocka_unit_test(line_ends_become_spaces),
        cmocka_unit_test(primer_has_an_id_and_no_data),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
