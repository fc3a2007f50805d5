/* POSTs of the handshake era (2025-11-25, Transports). */
#include "mcp_http/mcp_http_test_world.h"

/* TL-2, TL-3, TL-8 */
static void handshake_gives_a_session(void **state)
{
    mcp_world_t *f = *state;
    str_t id = mcp_session_of(f, ALICE);
    for (size_t i = 0; i < id.n; i++)
        assert_in_range((unsigned char)id.p[i], 0x21, 0x7e);
    const char *h = mcp_with_session(f, ALICE, id);
    http_direct_answer_t r =
        mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
    assert_int_equal(r.status, 202);
    assert_int_equal(r.body.n, 0);
    r = mcp_send(f, "POST", h, PING);
    assert_true(str_eq(r.body, STR("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}")));
    r = mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/list\"}");
    assert_true(str_contains(r.body, STR("\"name\":\"echo\"")));
    assert_int_equal(mcp_trail_count(f), 0);
}

/* What initialize names as its session is not looked for: it opens a new one. */
static void initialize_opens_a_new_session(void **state)
{
    mcp_world_t *f = *state;
    str_t first = mcp_session_of(f, ALICE);
    str_t second = mcp_session_of(f, mcp_with_session(f, ALICE, first));
    assert_false(str_eq(first, second));
    assert_int_equal(mcp_send(f, "POST", mcp_with_session(f, ALICE, first), PING).status, 200);
    assert_int_equal(mcp_send(f, "POST", mcp_with_session(f, ALICE, second), PING).status, 200);
}

/* TL-6, on every method. */
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
        http_direct_answer_t r = mcp_send(f, METHODS[i / 4], h.p, i < 4 ? PING : "");
        assert_int_equal(r.status, 400);
        assert_int_equal(mcp_error_code(f, &r), -32022);
        assert_true(str_contains(r.body, STR("\"supported\":[\"2026-07-28\"")));
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
                                  "\"params\":{\"protocolVersion\":\"%s\",\"capabilities\":{},"
                                  "\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}",
                                  ROWS[i][0]);
        http_direct_answer_t r = mcp_send(f, "POST", ALICE, body.p);
        assert_int_equal(r.status, 200);
        str_t says = arena_printf(f->a, "\"protocolVersion\":\"%s\"", ROWS[i][1]);
        assert_true(str_contains(r.body, says));
    }
}

#define CANCELLED(params)                                                                          \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":" params "}"

/* TL-8: what has no answer has none: 202 without a body, or an error without an id. */
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
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++) {
        http_direct_answer_t r = mcp_send(f, "POST", h, TAKEN[i]);
        assert_int_equal(r.status, 202);
        assert_int_equal(r.body.n, 0);
    }
    http_direct_answer_t r =
        mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":7}");
    assert_int_equal(r.status, 400);
    assert_int_equal(mcp_error_code(f, &r), -32600);
    assert_false(str_contains(r.body, STR("\"id\"")));
    mcp_control(f);
}

static void transport_rules(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, "[" PING "]");
    assert_int_equal(r.status, 400);
    assert_false(str_contains(r.body, STR("\"id\"")));
    assert_last_event(f, AUDIT_ACCESS, false, "batch_refused");
    r = mcp_send(f, "POST", ALICE, "");
    assert_int_equal(r.status, 415);
    r = mcp_raw(f, "POST /mcp HTTP/1.1\r\nHost: rs.test\r\n" ALICE
                   "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(r.status, 415);
    assert_last_event(f, AUDIT_ACCESS, false, "unsupported_media_type");
    r = mcp_raw(f, "POST /mcp HTTP/1.1\r\nHost: rs.test\r\n" ALICE "Accept: text/html\r\n"
                   "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    assert_int_equal(r.status, 406);
    assert_last_event(f, AUDIT_ACCESS, false, "not_acceptable");
    mcp_control(f);
}

static void body_over_the_limit_is_413(void **state)
{
    mcp_world_t *f = *state;
    str_t head = arena_printf(f->a,
                              "POST /mcp HTTP/1.1\r\nHost: rs.test\r\n" ALICE
                              "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                              MCP_MESSAGE_BYTES + 1);
    assert_int_equal(mcp_raw(f, head.p).status, 413);
    mcp_control(f);
}

static void unknown_method_and_tool_are_rpc_errors(void **state)
{
    mcp_world_t *f = *state;
    const char *h = mcp_with_session(f, ALICE, mcp_session_of(f, ALICE));
    http_direct_answer_t r =
        mcp_send(f, "POST", h, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no/such\"}");
    assert_int_equal(r.status, 200);
    assert_int_equal(mcp_error_code(f, &r), -32601);
    r = mcp_send(f, "POST", h, TOOL("x", ""));
    assert_int_equal(r.status, 200);
    assert_int_equal(mcp_error_code(f, &r), -32602);
    assert_last_event(f, AUDIT_TOOL_CALL, false, "unknown_tool");
    mcp_control(f);
}

/* TL-15: capabilities are remembered, within bounds. */
static void capabilities_over_the_limit_open_no_session(void **state)
{
    mcp_world_t *f = *state;
    char filler[MCP_CAPABILITIES_BYTES + 1];
    memset(filler, 'x', sizeof filler);
    filler[sizeof filler - 1] = '\0';
    str_t body =
        arena_printf(f->a,
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
                     "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"experimental\":"
                     "{\"x\":{\"y\":\"%s\"}}},\"clientInfo\":{\"name\":\"c\",\"version\":"
                     "\"1\"}}}",
                     filler);
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, body.p);
    assert_int_equal(r.status, 413);
    assert_false(http_headers_get(r.headers, STR("Mcp-Session-Id")).p);
    mcp_session_of(f, ALICE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(handshake_gives_a_session),
        MCP_TEST(initialize_opens_a_new_session),
        MCP_TEST(protocol_version_of_any_request),
        MCP_TEST(negotiated_version),
        MCP_TEST(notifications_and_responses),
        MCP_TEST(transport_rules),
        MCP_TEST(body_over_the_limit_is_413),
        MCP_TEST(unknown_method_and_tool_are_rpc_errors),
        MCP_TEST(capabilities_over_the_limit_open_no_session),
    };
    return cmocka_run_group_tests_name("post", tests, NULL, NULL);
}
