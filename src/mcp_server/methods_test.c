#include "mcp_server/mcp_server_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void a_tool_is_called_in_both_eras(void **state)
{
    server_world_t *w = *state;
    const char *params = "{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":2}}";
    test_answer_t a = H(w, "tools/call", params);
    assert_int_equal(a.status, 200);
    assert_str(test_text(&a, "result.content.0.text"), "3");
    assert_null(test_at(&a, "result.resultType"));
    a = S(w, "tools/call", params);
    assert_str(test_text(&a, "result.content.0.text"), "3");
    assert_str(test_text(&a, "result.resultType"), "complete");
    assert_non_null(
        json_get(json_get(test_at(&a, "result._meta"), STR("io.modelcontextprotocol/serverInfo")),
                 STR("version")));
    assert_string_equal(test_last_reason(w), "ok");
}

static void control(server_world_t *w)
{
    a_tool_is_called_in_both_eras((void **)&w);
}

/* attack case: GWM-011 */
static void unknown_method(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = H(w, "tools/lost", "{}");
    assert_int_equal(test_code(&a), -32601);
    assert_int_equal(a.status, 200);
    a = S(w, "tools/lost", "{}");
    assert_int_equal(test_code(&a), -32601);
    assert_int_equal(a.status, 404);
    assert_int_equal(a.verdict.error, MCP_ERROR_NO_SUCH_METHOD);
    control(w);
}

/* Methods of one era are none in the other one. */
static void methods_belong_to_their_era(void **state)
{
    server_world_t *w = *state;
    static const char *const STATELESS[] = {"server/discover", "subscriptions/listen",
                                            "tasks/update"};
    static const char *const GONE[] = {"tasks/list",       "tasks/result", "ping",
                                       "logging/setLevel", "initialize",   "resources/subscribe"};
    for (size_t i = 0; i < sizeof STATELESS / sizeof *STATELESS; i++) {
        test_answer_t a = H(w, STATELESS[i], "{\"taskId\":\"x\"}");
        assert_int_equal(test_code(&a), -32601);
    }
    for (size_t i = 0; i < sizeof GONE / sizeof *GONE; i++) {
        test_answer_t a = S(w, GONE[i], "{\"taskId\":\"x\"}");
        assert_int_equal(test_code(&a), -32601);
        assert_int_equal(a.status, 404);
    }
    control(w);
}

static void not_initialized(void **state)
{
    server_world_t *w = *state;
    mcp_session_t *begun = w->session;
    w->session = mcp_session_local(clock_fake(&w->clock));
    static const char *const EARLY[] = {"tools/list", "tools/call", "logging/setLevel"};
    for (size_t i = 0; i < 3; i++) {
        test_answer_t a = H(w, EARLY[i], "{\"name\":\"add\",\"level\":\"info\"}");
        assert_int_equal(a.verdict.error, MCP_ERROR_NOT_INITIALIZED);
        assert_str(test_text(&a, "error.message"), "Send initialize first.");
    }
    test_answer_t a = H(w, "ping", "{}");
    assert_int_equal(test_at(&a, "result")->count, 0);
    a = S(w, "tools/list", "{}"); /* the stateless era needs none */
    assert_non_null(test_at(&a, "result.tools"));
    mcp_session_drop(w->session);
    w->session = begun;
    control(w);
}

static void capabilities_are_those_of_the_tables(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = S(w, "server/discover", "{}");
    assert_str(test_text(&a, "result.supportedVersions.0"), "2026-07-28");
    assert_str(test_text(&a, "result.supportedVersions.3"), "2025-03-26");
    assert_non_null(test_at(&a, "result.capabilities.tools.listChanged"));
    assert_non_null(test_at(&a, "result.capabilities.resources.subscribe"));
    assert_non_null(test_at(&a, "result.capabilities.prompts"));
    assert_non_null(test_at(&a, "result.capabilities.completions"));
    assert_non_null(test_at(&a, "result.capabilities.logging"));
    const json_t *extensions = test_at(&a, "result.capabilities.extensions");
    assert_non_null(json_get(extensions, STR("io.modelcontextprotocol/tasks")));
    assert_str(test_text(&a, "result.instructions"), "Be kind.");
    assert_str(test_text(&a, "result.cacheScope"), "public");
    assert_str(test_at(&a, "result.ttlMs")->raw, "60000");
    const json_t *info =
        json_get(test_at(&a, "result._meta"), STR("io.modelcontextprotocol/serverInfo"));
    assert_str(json_get_str(info, STR("websiteUrl")), "https://test.example");
}

static void capabilities_of_nothing_are_none(void **state)
{
    server_world_t *w = *state;
    warder_mcp_t *full = w->m;
    warder_mcp_config_t c = {.name = "bare", .version = "1"};
    w->m = warder_mcp_new(&c, NULL, 0);
    mcp_world_ports_t ports = {.clock = clock_fake(&w->clock), .random = random_fake(&w->random)};
    mcp_server_wire(w->m, &ports);
    assert_int_equal(mcp_server_start(w->m), RC_OK);
    test_answer_t a = S(w, "server/discover", "{}");
    assert_null(test_at(&a, "result.capabilities.tools"));
    assert_null(test_at(&a, "result.capabilities.resources"));
    assert_null(test_at(&a, "result.capabilities.prompts"));
    assert_null(test_at(&a, "result.capabilities.completions"));
    static const char *const METHODS[] = {
        "tools/list",     "tools/call",   "resources/list", "resources/templates/list",
        "resources/read", "prompts/list", "prompts/get",    "completion/complete"};
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        a = S(
            w, METHODS[i],
            "{\"name\":\"add\",\"uri\":\"a:b\",\"ref\":{\"type\":\"ref/prompt\",\"name\":\"a\"}}");
        assert_int_equal(test_code(&a), -32601);
    }
    mcp_server_stop(w->m);
    warder_mcp_free(w->m);
    w->m = full;
    control(w);
}

static void initialize_negotiates_and_opens(void **state)
{
    server_world_t *w = *state;
    mcp_session_t *begun = w->session;
    w->session = NULL;
    test_answer_t a =
        H(w, "initialize", "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{}}");
    assert_true(a.verdict.opens);
    assert_str(test_text(&a, "result.protocolVersion"), "2025-06-18");
    assert_str(test_text(&a, "result.serverInfo.name"), "test");
    assert_str(test_text(&a, "result.serverInfo.title"), "Test");
    assert_non_null(test_at(&a, "result.capabilities.tools"));
    assert_null(test_at(&a, "result.capabilities.extensions"));
    assert_null(test_at(&a, "result._meta"));
    a = H(w, "initialize", "{}");
    assert_false(a.verdict.opens);
    w->session = begun;
}

static void initialized_twice(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = H(w, "initialize", "{\"protocolVersion\":\"2025-06-18\"}");
    assert_int_equal(a.verdict.error, MCP_ERROR_INITIALIZED_TWICE);
    assert_false(a.verdict.opens);
    control(w);
}

static void unread_message_is_refused_with_its_data(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = test_line(
        w, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
               "\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\"}}}"));
    assert_int_equal(test_code(&a), -32022);
    assert_int_equal(a.status, 400);
    assert_str(test_text(&a, "error.data.supported.0"), "2026-07-28");
    assert_str(test_text(&a, "error.data.requested"), "1900-01-01");
    a = test_line(w, STR("{"));
    assert_int_equal(test_code(&a), -32700);
    assert_null(test_at(&a, "id"));
    control(w);
}

static void what_is_no_request_is_accepted(void **state)
{
    server_world_t *w = *state;
    static const char *const LINES[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/roots/list_changed\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}",
        ("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
         "\"params\":{\"requestId\":99}}"),
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}",
    };
    for (int with_session = 1; with_session >= 0; with_session--) {
        mcp_session_t *kept = w->session;
        w->session = with_session ? kept : NULL;
        for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
            test_answer_t a = test_line(w, str_c(LINES[i]));
            assert_int_equal(a.verdict.kind, MCP_ACCEPTED);
            assert_int_equal(a.status, 202);
            assert_null(a.root);
        }
        w->session = kept;
    }
    control(w);
}

static void cancelled_call_ends_without_an_answer(void **state)
{
    server_world_t *w = *state;
    test_running_t r = test_begin(w, MCP_ERA_HANDSHAKE, "tools/call", "{\"name\":\"waits\"}");
    assert_int_equal(r.verdict.kind, MCP_RUNNING);
    test_line(w, arena_printf(w->a,
                              "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                              "\"params\":{\"requestId\":%u}}",
                              w->id));
    assert_null(test_next(w, &r));
    test_end(&r);
    control(w);
}

/* However little is left of a call's memory, it is answered or refused, and nothing is lost. */
static void little_memory_is_an_error(void **state)
{
    server_world_t *w = *state;
    static const struct {
        const char *method, *params;
    } ROWS[] = {
        {"tools/list", "{}"},
        {"tools/call", "{\"name\":\"add\",\"arguments\":{\"a\":1}}"},
        {"tools/call", "{\"name\":\"lost\"}"},
        {"resources/read", "{\"uri\":\"test://items/1\"}"},
        {"resources/read", "{\"uri\":\"test://lost\"}"},
        {"prompts/get", "{\"name\":\"greet\"}"},
        {"completion/complete", "{\"ref\":{\"type\":\"ref/prompt\",\"name\":\"plain\"},"
                                "\"argument\":{\"name\":\"a\",\"value\":\"\"}}"},
        {"server/discover", "{}"},
        {"tasks/get", "{\"taskId\":\"x\"}"},
    };
    bool served = false, refused = false;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        for (w->room = 8; w->room < 16 << 10; w->room += w->room / 4 + 8) {
            test_running_t r = test_begin(w, MCP_ERA_STATELESS, ROWS[i].method, ROWS[i].params);
            refused |= r.verdict.error == MCP_ERROR_INTERNAL;
            served |= r.verdict.body.p && r.verdict.error == MCP_NO_ERROR;
            mcp_call_cancel(r.call);
            test_end(&r);
        }
    }
    w->room = 0;
    assert_true(served && refused);
    control(w);
}

static void events_say_who_and_where(void **state)
{
    server_world_t *w = *state;
    audit_event_t e = mcp_server_event(w->m, &w->who, AUDIT_ACCESS, false, STR("x"));
    assert_str(e.user, "alice");
    assert_str(e.client, "c1");
    assert_str(e.issuer, "https://as.test");
    assert_str(e.resource, "https://rs.test/mcp");
    assert_str(e.reason, "x");
    assert_false(e.allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_tool_is_called_in_both_eras),
        SERVER_TEST(unknown_method),
        SERVER_TEST(methods_belong_to_their_era),
        SERVER_TEST(not_initialized),
        SERVER_TEST(capabilities_are_those_of_the_tables),
        SERVER_TEST(capabilities_of_nothing_are_none),
        SERVER_TEST(initialize_negotiates_and_opens),
        SERVER_TEST(initialized_twice),
        SERVER_TEST(unread_message_is_refused_with_its_data),
        SERVER_TEST(what_is_no_request_is_accepted),
        SERVER_TEST(cancelled_call_ends_without_an_answer),
        SERVER_TEST(little_memory_is_an_error),
        SERVER_TEST(events_say_who_and_where),
    };
    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
