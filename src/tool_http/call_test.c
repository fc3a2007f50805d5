#include "tool_http/mcp_http_test_world.h"

static void call_is_answered_and_audited(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"hi\"}"));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"text\":\"hi\"")));
    assert_int_equal(f->trail.n, 1);
    assert_last_event(f, AUDIT_TOOL_CALL, true, "ok");
    assert_string_equal(f->trail.user[0], "alice");
    assert_string_equal(f->trail.tool[0], "echo");
}

static void tool_error_is_a_result(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"bad\"}"));
    assert_int_equal(r.status, 200);
    assert_true(str_contains(r.body, STR("\"isError\":true")));
    assert_last_event(f, AUDIT_TOOL_CALL, true, "tool_error");
}

static void machine_failure_is_500(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"fail\"}"));
    assert_int_equal(r.status, 500);
    assert_last_event(f, AUDIT_TOOL_CALL, false, "internal_error");
    mcp_control(f);
}

/* attack case: CHL-002 */
static void insufficient_scope(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", "Authorization: Bearer alice/other\r\n", CALL(""));
    assert_int_equal(r.status, 403);
    str_t c = http_headers_get(r.headers, STR("WWW-Authenticate"));
    assert_true(str_contains(c, STR("error=\"insufficient_scope\", scope=\"news:read\"")));
    assert_last_event(f, AUDIT_TOOL_CALL, false, "insufficient_scope");
    assert_string_equal(f->trail.tool[0], "echo");
    assert_int_equal(f->runs, 0);
    mcp_control(f);
}

static void busy_tool_says_when_to_come_again(void **state)
{
    mcp_world_t *f = *state;
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(",\"arguments\":{\"text\":\"busy\"}"));
    assert_int_equal(r.status, 503);
    assert_true(str_eq(http_headers_get(r.headers, STR("Retry-After")), STR("1")));
    assert_last_event(f, AUDIT_TOOL_CALL, false, "busy");
    mcp_control(f);
}

static void too_many_calls(void **state)
{
    mcp_world_t *f = *state;
    for (unsigned i = 0; i < CALLS_PER_MINUTE; i++)
        assert_int_equal(mcp_send(f, "POST", ALICE, CALL("")).status, 200);
    http_direct_answer_t r = mcp_send(f, "POST", ALICE, CALL(""));
    assert_int_equal(r.status, 429);
    assert_true(str_eq(http_headers_get(r.headers, STR("Retry-After")), STR("5")));
    assert_last_event(f, AUDIT_TOOL_CALL, false, "too_many_calls");
    assert_int_equal(f->runs, CALLS_PER_MINUTE);
    assert_int_equal(mcp_send(f, "POST", ALICE, PING).status, 200);
    assert_int_equal(mcp_send(f, "POST", BOB, CALL("")).status, 200);
    f->clock.ms += 5000;
    mcp_control(f);
}

static void broken_audit_holds_the_answer_back(void **state)
{
    mcp_world_t *f = *state;
    f->trail.broken = true;
    assert_int_equal(mcp_send(f, "POST", ALICE, CALL("")).status, 503);
    assert_int_equal(mcp_send(f, "POST", "", CALL("")).status, 503);
    f->trail.broken = false;
    mcp_control(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MCP_TEST(call_is_answered_and_audited),
        MCP_TEST(tool_error_is_a_result),
        MCP_TEST(machine_failure_is_500),
        MCP_TEST(insufficient_scope),
        MCP_TEST(busy_tool_says_when_to_come_again),
        MCP_TEST(too_many_calls),
        MCP_TEST(broken_audit_holds_the_answer_back),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
