#include "mcp_http/mcp_http_test_world.h"

static void stream_idles_until_it_is_drained(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    http_direct_reset(f->d);
    http_direct_send(f->d, arena_printf(f->a,
                                        "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: "
                                        "text/event-stream\r\n%s\r\n",
                                        h));
    str_t out = http_direct_output(f->d);
    assert_true(str_starts(out, STR("HTTP/1.1 200")));
    assert_true(str_contains(out, STR("text/event-stream")));
    assert_true(str_contains(out, STR(": open")));
    mcp_http_worker_drain(f->m, f->worker);
    assert_true(str_ends(http_direct_output(f->d), STR("0\r\n\r\n")));
}

static void stream_of_a_client_that_goes_away_ends(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    str_t get = arena_printf(f->a,
                             "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/event-stream\r\n"
                             "%s\r\n",
                             h);
    for (int i = 0; i < 10; i++) { /* more than one session may hold at a time */
        http_direct_reset(f->d);
        http_direct_send(f->d, get);
        assert_true(str_starts(http_direct_output(f->d), STR("HTTP/1.1 200")));
        http_direct_hang_up(f->d);
    }
}

static void stream_rules(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    assert_int_equal(mcp_send(f, "GET", ALICE, "").status, 400);
    assert_last_event(f, AUDIT_ACCESS, false, "session_missing");
    http_direct_answer_t r = mcp_raw(
        f,
        arena_printf(f->a, "GET /mcp HTTP/1.1\r\nHost: rs.test\r\nAccept: text/html\r\n%s\r\n", h)
            .p);
    assert_int_equal(r.status, 406);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(stream_idles_until_it_is_drained),
        MCP_TEST(stream_of_a_client_that_goes_away_ends),
        MCP_TEST(stream_rules),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
