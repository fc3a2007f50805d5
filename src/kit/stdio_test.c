/* A program that a host starts, whose function and whose child print where they must not. */
#include "core/core_test_child.h"
#include "core/core_test_util.h"

#include "kit/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static warder_mcp_next_t noisy(warder_mcp_call_t *call, void *ctx)
{
    printf("stray\n");
    (void)fflush(stdout);
    int child = system("echo child; cat");
    warder_mcp_textf(call, "%s %d", warder_mcp_subject(call), child);
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "noisy", .description = "Prints", .scope = "noise:make", .run = noisy}};

static int serve(void)
{
    char why[256] = "";
    const warder_mcp_config_t config = {
        .name = "test", .version = "1", .tools = TOOLS, .tool_count = 1};
    warder_mcp_t *m = warder_mcp_new(&config, why, sizeof why);
    int code = m ? warder_mcp_serve_stdio(m, why, sizeof why) : 99;
    fprintf(stderr, "%s", why);
    printf("after\n");
    warder_mcp_free(m);
    return code;
}

static int serve_without_input(void)
{
    close(0);
    return serve();
}

#define INITIALIZE                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}\n"     \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n"
#define CALL                                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"noisy\"}}\n"

static void only_messages_are_on_the_channel(void **state)
{
    test_child_t r = test_child_run(serve, STR(INITIALIZE CALL));
    str_t rest = str_c(r.out), line;
    assert_int_equal(WEXITSTATUS(r.status), KIT_DONE);
    assert_true(str_split(&rest, '\n', &line));
    assert_true(str_contains(line, STR("\"protocolVersion\":\"2025-11-25\"")));
    assert_true(str_split(&rest, '\n', &line));
    assert_true(
        str_contains(line, STR("\"text\":\" 0\""))); /* nobody's name; the child read nothing */
    assert_str(rest, STR("after\n"));
    assert_non_null(strstr(r.err, "stray\n"));
    assert_non_null(strstr(r.err, "child\n"));
}

static void without_standard_input_it_is_refused(void **state)
{
    test_child_t r = test_child_run(serve_without_input, STR(""));
    assert_int_equal(WEXITSTATUS(r.status), KIT_FAILED);
    assert_non_null(strstr(r.err, "standard input and output are not open"));
    assert_string_equal(r.out, "after\n");
}

static void input_that_ends_at_once(void **state)
{
    test_child_t r = test_child_run(serve, STR(""));
    assert_int_equal(WEXITSTATUS(r.status), KIT_DONE);
    assert_string_equal(r.out, "after\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_messages_are_on_the_channel),
        cmocka_unit_test(without_standard_input_it_is_refused),
        cmocka_unit_test(input_that_ends_at_once),
    };
    return cmocka_run_group_tests_name("kit_stdio", tests, NULL, NULL);
}
