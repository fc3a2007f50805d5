#include "tool_http/mcp_http_test_world.h"

static void handshake_gives_a_session(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    http_direct_answer_t r =
        mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    assert_int_equal(r.status, 202);
    assert_int_equal(r.body.n, 0);
    r = mcp_send(f, "POST", h, PING);
    assert_true(str_eq(r.body, STR("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}")));
    r = mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/list\"}");
    assert_true(str_contains(r.body, STR("\"name\":\"echo\"")));
    assert_int_equal(f->trail.n, 0);
}

static void unsupported_protocol_version(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE "MCP-Protocol-Version: 2026-07-28\r\n",
                 "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"server/discover\"}");
    assert_int_equal(r.status, 400);
    assert_int_equal(mcp_error_code(f, &r), -32022);
    assert_true(str_contains(r.body, STR("\"supported\":[\"2025-11-25\"")));
    assert_true(str_contains(r.body, STR("\"id\":9")));
    mcp_control(f);
}

/* 2025-11-25 "Protocol Version Header", on every method. */
static void protocol_version_of_any_request(void **state)
{
    mcp_world_t *f = *state;
    static const char *const METHODS[] = {"POST", "GET", "DELETE"};
    static const char *const BAD[] = {"2024-11-05", "", "x", "2025-11-25, 2025-06-18"};
    static const char *const GOOD[] = {"2025-11-25", "2025-06-18", "2025-03-26"};
    str_t s = mcp_session_of(f, ALICE);
    for (size_t i = 0; i < 12; i++) {
        str_t h = arena_printf(f->a, "%sMCP-Protocol-Version: %s\r\n",
                               mcp_with_session(f, ALICE, s), BAD[i % 4]);
        assert_int_equal(mcp_send(f, METHODS[i / 4], h.p, i < 4 ? PING : "").status, 400);
        assert_last_event(f, AUDIT_ACCESS, false, "unsupported_protocol_version");
    }
    for (size_t i = 0; i < 3; i++) {
        str_t h = arena_printf(f->a, "%sMCP-Protocol-Version: %s\r\n",
                               mcp_with_session(f, ALICE, s), GOOD[i]);
        assert_int_equal(mcp_send(f, "POST", h.p, PING).status, 200);
    }
}

static void negotiated_version(void **state)
{
    mcp_world_t *f = *state;
    static const char *const ROWS[][2] = {{"2025-11-25", "2025-11-25"},
                                          {"2025-06-18", "2025-06-18"},
                                          {"2025-03-26", "2025-03-26"},
                                          {"2024-11-05", "2025-11-25"},
                                          {"2099-01-01", "2025-11-25"}};
    for (size_t i = 0; i < 5; i++) {
        str_t body = arena_printf(f->a,
                                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
                                  "\"params\":{\"protocolVersion\":\"%s\"}}",
                                  ROWS[i][0]);
        http_direct_answer_t r = mcp_send(f, "POST", ALICE, body.p);
        assert_int_equal(r.status, 200);
        str_t says = arena_printf(f->a, "\"protocolVersion\":\"%s\"", ROWS[i][1]);
        assert_true(str_contains(r.body, says));
    }
}

#define CANCELLED(params)                                                                          \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":" params "}"

/* What has no answer has none: 202 without a body, or an error without an id. */
static void notifications_and_responses(void **state)
{
    mcp_world_t *f = *state;
    static const char *const TAKEN[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        CANCELLED("{\"requestId\":99}"),
        CANCELLED("{}"),
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/nobody_knows\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":1,\"message\":\"m\"}}",
    };
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++) {
        http_direct_answer_t r = mcp_send(f, "POST", ALICE, TAKEN[i]);
        assert_int_equal(r.status, 202);
        assert_int_equal(r.body.n, 0);
    }
    http_direct_answer_t r = mcp_send(
        f, "POST", ALICE, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":7}");
    assert_int_equal(r.status, 400);
    assert_int_equal(mcp_error_code(f, &r), -32600);
    assert_false(str_contains(r.body, STR("\"id\"")));
    mcp_control(f);
}

static void invalid_cursor(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE,
                                      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
                                      "\"params\":{\"cursor\":\"x\"}}");
    assert_int_equal(r.status, 200);
    assert_int_equal(mcp_error_code(f, &r), -32602);
    r = mcp_send(f, "POST", ALICE,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{}}");
    assert_false(str_contains(r.body, STR("nextCursor"))); /* one page */
    assert_true(str_contains(r.body, STR("\"tools\":[{")));
}

static void transport_rules(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, "[" PING "]");
    assert_int_equal(r.status, 400);
    assert_false(str_contains(r.body, STR("\"id\"")));
    assert_last_event(f, AUDIT_ACCESS, false, "batch_refused");
    r = mcp_raw(f, "POST /mcp HTTP/1.1\r\nHost: rs.test\r\n" ALICE
                   "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(r.status, 415);
    r = mcp_raw(f, "POST /mcp HTTP/1.1\r\nHost: rs.test\r\n" ALICE "Accept: text/html\r\n"
                   "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(r.status, 406);
    assert_int_equal(mcp_send(f, "PUT", ALICE, "").status, 405);
    assert_int_equal(mcp_send(f, "HEAD", ALICE, "").status, 405);
    mcp_control(f);
}

static void unknown_method_and_tool_are_rpc_errors(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r =
        mcp_send(f, "POST", ALICE, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}");
    assert_int_equal(r.status, 200);
    assert_int_equal(mcp_error_code(f, &r), -32601);
    r = mcp_send(
        f, "POST", ALICE,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}");
    assert_int_equal(r.status, 200);
    assert_int_equal(mcp_error_code(f, &r), -32602);
    assert_last_event(f, AUDIT_TOOL_CALL, false, "unknown_tool");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(handshake_gives_a_session),
        MCP_TEST(unsupported_protocol_version),
        MCP_TEST(protocol_version_of_any_request),
        MCP_TEST(negotiated_version),
        MCP_TEST(notifications_and_responses),
        MCP_TEST(invalid_cursor),
        MCP_TEST(transport_rules),
        MCP_TEST(unknown_method_and_tool_are_rpc_errors),
    };
    return cmocka_run_group_tests_name("post", tests, NULL, NULL);
}
