/* What an upstream says of its tools: pins, fields that repeat arguments, and arguments in the
 * trail. */
#include "proxy/relay_test_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define JSON "Content-Type: application/json\r\n"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"
#define TOOL(name, text)                                                                           \
    "{\"name\":\"" name "\",\"description\":\"" text "\",\"inputSchema\":{\"type\":\"object\"}}"
#define TOOLS(...) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[" __VA_ARGS__ "]}}"

static char folder[] = "/tmp/warder-pins-XXXXXX";

static int setup_pins(void **state)
{
    str_t why;
    relay_world_setup(state);
    relay_world_t *f = *state;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    pins_config_t config = {str_c(folder), NULL, f->g->config.clock};
    assert_int_equal(pins_new(f->a, &config, &f->g->pins, &why), RC_OK);
    return 0;
}

static int teardown_pins(void **state)
{
    char command[64];
    relay_world_teardown(state);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static str_t list_tools(relay_world_t *f, const char *answer)
{
    relay_ask(f, "POST", ALICE POSTED, LIST);
    http_direct_answer_t r = relay_answer(f, 200, JSON, answer);
    assert_int_equal(r.status, 200);
    return r.body;
}

static unsigned definitions(const relay_world_t *f, const char *reason)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->n_events; i++)
        n += f->events[i].kind == AUDIT_DEFINITION && strcmp(f->events[i].reason, reason) == 0;
    return n;
}

static void a_changed_tool_is_told_and_shown(void **state)
{
    relay_world_t *f = *state;
    list_tools(f, TOOLS(TOOL("echo", "old")));
    assert_true(str_contains(list_tools(f, TOOLS(TOOL("echo", "new"))), STR("echo")));
    assert_int_equal(definitions(f, "definition_changed"), 1);
    list_tools(f, TOOLS(TOOL("echo", "new")));
    assert_int_equal(definitions(f, "definition_changed"), 1);
    relay_control(f);
}

static void a_changed_tool_is_withheld_and_not_called(void **state)
{
    relay_world_t *f = *state;
    f->conf.pins = CONF_PINS_WITHHOLD;
    list_tools(f, TOOLS(TOOL("echo", "old") "," TOOL("other", "x")));
    str_t shown = list_tools(f, TOOLS(TOOL("echo", "new") "," TOOL("other", "x")));
    assert_false(str_contains(shown, STR("\"echo\"")));
    assert_true(str_contains(shown, STR("\"other\"")));
    unsigned starts = f->starts;
    http_direct_answer_t r = relay_ask(f, "POST", ALICE POSTED, CALL("1", "echo"));
    assert_int_equal(r.status, 403);
    assert_int_equal(f->starts, starts);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "definition_unapproved");
    relay_ask(f, "POST", ALICE POSTED, CALL("1", "other"));
    r = relay_answer(f, 200, JSON, RESULT("1"));
    assert_int_equal(r.status, 200);
    list_tools(f, TOOLS(TOOL("echo", "old") "," TOOL("other", "x")));
    relay_control(f);
}

static void news_that_cannot_be_told_hold_the_list(void **state)
{
    relay_world_t *f = *state;
    list_tools(f, TOOLS(TOOL("echo", "old")));
    relay_ask(f, "POST", ALICE POSTED, LIST);
    f->trail_rc = RC_IO;
    http_direct_answer_t r = relay_answer(f, 200, JSON, TOOLS(TOOL("echo", "new")));
    assert_int_equal(r.status, 503);
    f->trail_rc = RC_OK;
    relay_control(f);
}

#define REGION(name, type)                                                                         \
    "{\"name\":\"" name "\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"region\":{"     \
    "\"type\":\"" type "\",\"x-mcp-header\":\"Region\"}}}}"
#define REGION_CALL                                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"sql\","        \
    "\"arguments\":{\"region\":\"eu\"}," META "}}"

static void repeated_arguments_must_agree(void **state)
{
    relay_world_t *f = *state;
    list_tools(f, TOOLS(REGION("sql", "string")));
    http_direct_answer_t r =
        relay_ask(f, "POST", ALICE MODERN_HEAD("tools/call") "Mcp-Name: sql\r\n", REGION_CALL);
    assert_int_equal(r.status, 400);
    relay_assert_last(f, AUDIT_CALL_BEGIN, false, "header_mismatch");
    assert_true(str_contains(r.body, STR("-32020")));
    r = relay_ask(f, "POST",
                  ALICE MODERN_HEAD("tools/call") "Mcp-Name: sql\r\nMcp-Param-Region: us\r\n",
                  REGION_CALL);
    assert_int_equal(r.status, 400);
    relay_ask(f, "POST",
              ALICE MODERN_HEAD("tools/call") "Mcp-Name: sql\r\nMcp-Param-Region: eu\r\n",
              REGION_CALL);
    assert_non_null(strstr(f->headers, "Mcp-Param-Region: eu\n"));
    r = relay_answer(f, 200, JSON, RESULT("1"));
    assert_int_equal(r.status, 200);
}

static void a_tool_whose_fields_cannot_be_checked_is_not_offered(void **state)
{
    relay_world_t *f = *state;
    str_t shown = list_tools(f, TOOLS(REGION("sql", "number") "," TOOL("echo", "x")));
    assert_false(str_contains(shown, STR("\"sql\"")));
    assert_true(str_contains(shown, STR("\"echo\"")));
}

int main(void)
{
#define PINS_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_pins, teardown_pins)
    const struct CMUnitTest tests[] = {
        PINS_TEST(a_changed_tool_is_told_and_shown),
        PINS_TEST(a_changed_tool_is_withheld_and_not_called),
        PINS_TEST(news_that_cannot_be_told_hold_the_list),
        RELAY_TEST(repeated_arguments_must_agree),
        RELAY_TEST(a_tool_whose_fields_cannot_be_checked_is_not_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
