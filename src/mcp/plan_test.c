#include "mcp/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const mcp_tool_t ECHO = {.name = STR_INIT("echo"), .title = STR_INIT("Echo")};
static const mcp_tool_t *const TOOLS[] = {&ECHO};

static int setup(void **state)
{
    *state = arena_new(1 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static mcp_plan_t plan(void **state, const char *method, const char *params)
{
    mcp_message_t m;
    rc_t rc;
    str_t body = arena_printf(
        *state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    assert_int_equal(mcp_message_parse(*state, body, &m, &rc), MCP_NO_ERROR);
    return mcp_plan(&m, TOOLS, 1);
}

static void refused(void **state, const char *method, const char *params, mcp_error_t want)
{
    mcp_plan_t p = plan(state, method, params);
    assert_int_equal(p.action, MCP_DO_REFUSE);
    assert_int_equal(p.error, want);
}

static void initialize_negotiates(void **state)
{
    mcp_plan_t p = plan(state, "initialize", "{\"protocolVersion\":\"2025-06-18\"}");
    assert_int_equal(p.action, MCP_DO_INITIALIZE);
    assert_true(str_eq(p.version->name, STR("2025-06-18")));
    refused(state, "initialize", "{}", MCP_ERROR_BAD_INITIALIZE);
    refused(state, "initialize", "{\"protocolVersion\":1}", MCP_ERROR_BAD_INITIALIZE);
}

static void methods_are_planned(void **state)
{
    assert_int_equal(plan(state, "ping", "{}").action, MCP_DO_PING);
    assert_int_equal(plan(state, "tools/list", "{}").action, MCP_DO_LIST);
    mcp_plan_t p = plan(state, "tools/call", "{\"name\":\"echo\",\"arguments\":{\"a\":1}}");
    assert_int_equal(p.action, MCP_DO_CALL);
    assert_ptr_equal(p.tool, &ECHO);
    assert_int_equal(p.arguments->count, 1);
}

static void call_without_arguments_is_fine(void **state)
{
    mcp_plan_t p = plan(state, "tools/call", "{\"name\":\"echo\"}");
    assert_int_equal(p.action, MCP_DO_CALL);
    assert_null(p.arguments);
}

static void malformed_params(void **state)
{
    refused(state, "tools/call", "{}", MCP_ERROR_BAD_NAME);
    refused(state, "tools/call", "{\"name\":1}", MCP_ERROR_BAD_NAME);
    refused(state, "tools/call", "{\"name\":\"echo\",\"arguments\":[]}", MCP_ERROR_BAD_ARGUMENTS);
    refused(state, "tools/call", "{\"name\":\"echo\",\"arguments\":null}", MCP_ERROR_BAD_ARGUMENTS);
    refused(state, "tools/list", "{\"cursor\":\"x\"}", MCP_ERROR_BAD_CURSOR);
}

/* attack case: GWM-004 */
static void unknown_tool(void **state)
{
    static const char *const BAD[] = {"Echo", "echo ", "ech\\u006f\\u0000", "ec", "\\uff45cho", ""};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        str_t params = arena_printf(*state, "{\"name\":\"%s\"}", BAD[i]);
        refused(state, "tools/call", params.p, MCP_ERROR_UNKNOWN_TOOL);
    }
    /* An escape is the same string, and the same tool. */
    assert_ptr_equal(plan(state, "tools/call", "{\"name\":\"ech\\u006f\"}").tool, &ECHO);
}

/* attack case: GWM-011 */
static void unknown_method(void **state)
{
    refused(state, "tools/callx", "{}", MCP_ERROR_UNKNOWN_METHOD);
    refused(state, "TOOLS/CALL", "{}", MCP_ERROR_UNKNOWN_METHOD);
    refused(state, "server/discover", "{}", MCP_ERROR_UNKNOWN_METHOD);
}

static void newer_revision_is_told_what_is_spoken(void **state)
{
    mcp_plan_t p = plan(state, "server/discover",
                        "{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}");
    assert_int_equal(p.error, MCP_ERROR_UNSUPPORTED_VERSION);
    assert_int_equal(mcp_error_row(p.error)->code, -32022);
    assert_int_equal(mcp_error_row(p.error)->status, 400);
    const json_t *data;
    mcp_versions_t spoken = mcp_versions_handshake();
    str_t text = mcp_unsupported_data(*state, spoken, p.asked_version);
    assert_int_equal(json_parse(*state, text, NULL, &data), RC_OK);
    assert_true(str_eq(json_get(data, STR("supported"))->child->str, STR("2025-11-25")));
    assert_true(str_eq(json_get_str(data, STR("requested")), STR("2026-07-28")));
    assert_true(str_is_set(mcp_unsupported_data(*state, spoken, STR("\xff\"\n"))));
}

static void notifications_and_responses_are_accepted(void **state)
{
    static const char *const V[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}"};
    for (size_t i = 0; i < sizeof V / sizeof *V; i++) {
        mcp_message_t m;
        rc_t rc;
        assert_int_equal(mcp_message_parse(*state, str_c(V[i]), &m, &rc), MCP_NO_ERROR);
        assert_int_equal(mcp_plan(&m, TOOLS, 1).action, MCP_DO_ACCEPT);
    }
}

#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAN_TEST(initialize_negotiates),
        PLAN_TEST(methods_are_planned),
        PLAN_TEST(call_without_arguments_is_fine),
        PLAN_TEST(malformed_params),
        PLAN_TEST(unknown_tool),
        PLAN_TEST(unknown_method),
        PLAN_TEST(newer_revision_is_told_what_is_spoken),
        PLAN_TEST(notifications_and_responses_are_accepted),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
