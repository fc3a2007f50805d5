#include "core/core_test_util.h"

#include "mcp_stdio/line.h"

#include <stdio.h>

static void note(buf_t *out, mcp_line_step_t step, str_t line)
{
    assert_int_not_equal(step, MCP_LINE_LOST);
    bool whole = step == MCP_LINE_WHOLE;
    buf_char(out, whole ? '[' : 'L');
    buf_put(out, line.p ? line : STR(""));
    if (whole)
        buf_char(out, ']');
}

/* What came out, one step behind the other: lines in brackets, L and its id for one that was too
 * long. */
static str_t lines_of(arena_t *a, str_t in, size_t step)
{
    mcp_line_t l = {0};
    mcp_line_step_t got;
    str_t line;
    buf_t out = buf_new(a, TEST_ARENA_BYTES);
    while (in.n) {
        str_t piece = test_exact(a, str_first(in, step));
        in = str_skip(in, step);
        while ((got = mcp_line_next(&l, &piece, &line)) != MCP_LINE_MORE)
            note(&out, got, line);
    }
    got = mcp_line_last(&l, &line);
    if (got != MCP_LINE_MORE)
        note(&out, got, line);
    mcp_line_clear(&l);
    return buf_str(&out);
}

static void lines_at_any_split(void **state)
{
    str_t in = STR("{\"a\":1}\n\n{\"b\":2}\r\n\r\n \n{\"c\":\r3}\nrest");
    for (size_t step = 1; step <= in.n; step++)
        assert_str(lines_of(*state, in, step), STR("[{\"a\":1}][{\"b\":2}][ ][{\"c\":\r3}][rest]"));
}

static void nul_and_bad_utf8_are_bytes_of_a_line(void **state)
{
    assert_str(lines_of(*state, STR("a\0b\n\xff\n"), 3), STR("[a\0b][\xff]"));
}

static void nothing_is_no_line(void **state)
{
    assert_true(str_is_empty(lines_of(*state, STR("\n\r\n\n"), 1)));
    assert_str(lines_of(*state, STR("x\n\r"), 1), STR("[x]"));
}

/* n bytes and an end, then a short line. */
static str_t long_input(arena_t *a, size_t n, const char *end)
{
    char *p = arena_alloc(a, n + 8);
    assert_non_null(p);
    memset(p, 'x', n);
    int more = snprintf(p + n, 8, "%sok\n", end);
    return str_of(p, n + (size_t)more);
}

static void line_of_the_greatest_length_is_taken(void **state)
{
    static const char *const ENDS[] = {"\n", "\r\n"};
    for (size_t i = 0; i < ROWS(ENDS); i++) {
        str_t in = long_input(*state, MCP_LINE_BYTES, ENDS[i]);
        str_t out = lines_of(*state, in, in.n);
        assert_int_equal(out.n, MCP_LINE_BYTES + 2 + 4);
        out = lines_of(*state, in, 65536);
        assert_int_equal(out.n, MCP_LINE_BYTES + 2 + 4);
        assert_true(str_ends(out, STR("[ok]")));
    }
}

static void line_that_is_too_long_is_skipped_to_its_end(void **state)
{
    static const size_t STEPS[] = {4096, 65536, MCP_LINE_BYTES, 1 << 30};
    static const size_t MORE[] = {1, 2, 3 * MCP_LINE_BYTES};
    for (size_t i = 0; i < ROWS(STEPS); i++) {
        for (size_t k = 0; k < ROWS(MORE); k++) {
            str_t in = long_input(*state, MCP_LINE_BYTES + MORE[k], "\n");
            assert_str(lines_of(*state, in, STEPS[i]), STR("L[ok]"));
        }
        arena_reset(*state);
    }
    assert_str(lines_of(*state, long_input(*state, MCP_LINE_BYTES + 1, "\r\n"), 4096),
               STR("L[ok]"));
}

/* A message of n bytes more than may be, with its id in front or behind. */
static str_t long_request(arena_t *a, size_t n, const char *front, const char *back)
{
    size_t head = strlen(front), tail = strlen(back);
    char *p = arena_alloc(a, MCP_LINE_BYTES + n + head + tail);
    memcpy(p, front, head);
    memset(p + head, 'x', MCP_LINE_BYTES + n);
    memcpy(p + head + MCP_LINE_BYTES + n, back, tail);
    return str_of(p, MCP_LINE_BYTES + n + head + tail);
}

static void the_id_of_a_line_that_is_too_long_is_known(void **state)
{
    static const struct {
        const char *front, *back, *want;
    } CASES[] = {
        {"{\"id\":7,\"method\":\"m\",\"params\":{\"a\":\"", "\"}}\n{\"a\":1}\n", "L7[{\"a\":1}]"},
        {"{\"method\":\"m\",\"params\":{\"a\":\"", "\"},\"id\":\"b\"}\r\nok\n", "L\"b\"[ok]"},
        {"{\"id\":7,\"result\":{\"a\":\"", "\"}}\nok\n", "L[ok]"},
        {"{\"id\":7,\"method\":\"m\",\"a\":\"", "\nok\n", "L[ok]"},
        {"{\"id\":7,\"method\":\"m\",\"a\":\"", "\"}", "L7"},
    };
    static const size_t STEPS[] = {4096, 65537, MCP_LINE_BYTES + 3, 1 << 30},
                        MORE[] = {0, 1, 100000};
    for (size_t i = 0; i < ROWS(CASES); i++) {
        for (size_t k = 0; k < ROWS(STEPS) * ROWS(MORE); k++) {
            str_t in = long_request(*state, MORE[k % ROWS(MORE)], CASES[i].front, CASES[i].back);
            str_t out = lines_of(*state, in, STEPS[k / ROWS(MORE)]);
            if (!str_eq(out, str_c(CASES[i].want)))
                fail_msg("%zu %zu: %.*s", i, k, STR_ARG(out));
            arena_reset(*state);
        }
    }
}

static void lines_may_be_longer_where_it_is_said(void **state)
{
    mcp_line_t l = {.most = 3 * MCP_LINE_BYTES};
    str_t in = long_input(*state, 3 * MCP_LINE_BYTES, "\n"), line;
    assert_int_equal(mcp_line_next(&l, &in, &line), MCP_LINE_WHOLE);
    assert_int_equal(line.n, 3 * MCP_LINE_BYTES);
    in = long_input(*state, 3 * MCP_LINE_BYTES + 1, "\n");
    assert_int_equal(mcp_line_next(&l, &in, &line), MCP_LINE_TOO_LONG);
    assert_int_equal(mcp_line_next(&l, &in, &line), MCP_LINE_WHOLE);
    mcp_line_clear(&l);
}

static void end_of_a_line_that_was_given_up_is_no_line(void **state)
{
    str_t in = long_input(*state, 2 * MCP_LINE_BYTES, "");
    in.n -= 1;
    assert_str(lines_of(*state, in, 4096), STR("L"));
}

static void long_line_does_not_keep_its_memory(void **state)
{
    mcp_line_t l = {0};
    str_t in = long_input(*state, 2 * MCP_LINE_KEPT_BYTES, "\n"), line;
    str_t first = str_first(in, in.n - 4), rest = str_skip(in, in.n - 4);
    assert_int_equal(mcp_line_next(&l, &first, &line), MCP_LINE_MORE);
    assert_true(l.cap > MCP_LINE_KEPT_BYTES);
    assert_int_equal(mcp_line_next(&l, &rest, &line), MCP_LINE_WHOLE);
    assert_int_equal(mcp_line_next(&l, &rest, &line), MCP_LINE_WHOLE);
    assert_true(l.cap <= MCP_LINE_KEPT_BYTES);
    mcp_line_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(lines_at_any_split),
        ARENA_TEST(nul_and_bad_utf8_are_bytes_of_a_line),
        ARENA_TEST(nothing_is_no_line),
        ARENA_TEST(line_of_the_greatest_length_is_taken),
        ARENA_TEST(line_that_is_too_long_is_skipped_to_its_end),
        ARENA_TEST(the_id_of_a_line_that_is_too_long_is_known),
        ARENA_TEST(lines_may_be_longer_where_it_is_said),
        ARENA_TEST(end_of_a_line_that_was_given_up_is_no_line),
        ARENA_TEST(long_line_does_not_keep_its_memory),
    };
    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
