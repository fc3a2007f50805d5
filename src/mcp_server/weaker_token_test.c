/* A token of the same principal that covers less than the one a call began with: of what needs more
 * it neither sees nor moves anything. */

#include "mcp_server/mcp_server_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#define FORM   "{\"type\":\"object\",\"properties\":{}}"
#define ACCEPT "{\"action\":\"accept\",\"content\":{}}"

static warder_mcp_next_t ask(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    if (!warder_mcp_elicit(call, "sure", "Sure?", FORM))
        return WARDER_MCP_ASK;
    warder_mcp_text(call, "the secret");
    return WARDER_MCP_DONE;
}

static const warder_mcp_tool_t TOOLS[] = {
    {.name = "guarded",
     .description = "Asks, and tells a secret",
     .scope = "admin",
     .flags = WARDER_MCP_TASK,
     .run = ask},
};

static int setup(void **state)
{
    char why[256] = "";
    int rc = server_world_setup(state);
    server_world_t *w = *state;
    w->declared = STR("{\"elicitation\":{},\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}");
    w->who.scope = STR("news:read admin");
    if (rc == 0 && !warder_mcp_set_tools(w->m, TOOLS, 1, why, sizeof why))
        fail_msg("%s", why);
    return rc;
}

static void assert_needs_admin(const test_answer_t *a)
{
    assert_int_equal(a->verdict.kind, MCP_SCOPE);
    assert_int_equal(a->verdict.error, MCP_ERROR_INSUFFICIENT_SCOPE);
    assert_str(a->verdict.needed, "admin");
    assert_false(str_contains(a->root->raw, STR("secret")));
}

static str_t task_with(server_world_t *w, str_t id, const char *more)
{
    return arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\"%s}", STR_ARG(id), more);
}

static str_t begin_task(server_world_t *w)
{
    test_answer_t a = S(w, "tools/call", "{\"name\":\"guarded\"}");
    assert_str(test_text(&a, "result.resultType"), "task");
    return test_text(&a, "result.taskId");
}

/* With a token that may look. */
static void wait_for(server_world_t *w, str_t id, const char *status)
{
    str_t now = STR_UNSET;
    for (int i = 0; i < 20000; i++) {
        test_answer_t a = S(w, "tasks/get", task_with(w, id, "").p);
        now = test_text(&a, "result.status");
        if (str_eq(now, str_c(status)))
            return;
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
    fail_msg("%" PRIstr, STR_ARG(now));
}

static void tasks_need_the_scope_of_their_tool(void **state)
{
    server_world_t *w = *state;
    str_t id = begin_task(w);
    wait_for(w, id, "input_required");
    w->who.scope = STR("news:read");
    test_answer_t a = S(w, "tasks/get", task_with(w, id, "").p);
    assert_needs_admin(&a);
    a = S(w, "tasks/update", task_with(w, id, ",\"inputResponses\":{\"sure\":" ACCEPT "}").p);
    assert_needs_admin(&a);
    a = S(w, "tasks/cancel", task_with(w, id, "").p);
    assert_needs_admin(&a);
    w->who.scope = STR("news:read admin");
    wait_for(w, id, "input_required");
    a = S(w, "tasks/update", task_with(w, id, ",\"inputResponses\":{\"sure\":" ACCEPT "}").p);
    assert_int_equal(a.verdict.kind, MCP_ANSWERED);
    wait_for(w, id, "completed");
    w->who.scope = STR("news:read");
    a = S(w, "tasks/get", task_with(w, id, "").p);
    assert_needs_admin(&a); /* the result is kept, and so is its need */
}

static void another_principal_learns_nothing_of_a_tasks_need(void **state)
{
    server_world_t *w = *state;
    str_t id = begin_task(w);
    w->who.subject = STR("bob");
    w->who.scope = STR("news:read");
    test_answer_t a = S(w, "tasks/get", task_with(w, id, "").p);
    assert_int_equal(a.verdict.error, MCP_ERROR_UNKNOWN_TASK);
}

static void tasks_are_not_listened_to_without_the_scope_of_their_tool(void **state)
{
    server_world_t *w = *state;
    str_t id = begin_task(w);
    str_t filter =
        arena_printf(w->a, "{\"notifications\":{\"taskIds\":[\"%" PRIstr "\"]}}", STR_ARG(id));
    w->who.scope = STR("news:read");
    test_running_t weak = test_begin(w, MCP_ERA_STATELESS, "subscriptions/listen", filter.p);
    const json_t *ack = test_next(w, &weak);
    assert_null(json_path(ack, STR("params.notifications.taskIds")));
    mcp_call_cancel(weak.call);
    test_end(&weak);
    w->who.scope = STR("news:read admin");
    test_running_t strong = test_begin(w, MCP_ERA_STATELESS, "subscriptions/listen", filter.p);
    ack = test_next(w, &strong);
    assert_non_null(json_path(ack, STR("params.notifications.taskIds.0")));
    mcp_call_cancel(strong.call);
    test_end(&strong);
}

static test_answer_t respond(server_world_t *w, const json_t *question)
{
    return test_line(
        w, arena_printf(w->a, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIstr ",\"result\":" ACCEPT "}",
                        STR_ARG(json_get(question, STR("id"))->raw)));
}

static void answers_need_the_scope_of_what_asked(void **state)
{
    server_world_t *w = *state;
    test_running_t r = test_begin(w, MCP_ERA_HANDSHAKE, "tools/call", "{\"name\":\"guarded\"}");
    const json_t *question = test_next(w, &r);
    assert_str(json_get_str(question, STR("method")), "elicitation/create");
    w->who.scope = STR("news:read");
    test_answer_t a = respond(w, question);
    assert_needs_admin(&a);
    assert_true(test_is_quiet(w, &r));
    w->who.scope = STR("news:read admin");
    a = respond(w, question);
    assert_int_equal(a.verdict.kind, MCP_ACCEPTED);
    const json_t *answer = test_next(w, &r);
    assert_str(json_path(answer, STR("result.content.0.text"))->str, "the secret");
    test_end(&r);
}

#define WEAKER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, server_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WEAKER_TEST(tasks_need_the_scope_of_their_tool),
        WEAKER_TEST(another_principal_learns_nothing_of_a_tasks_need),
        WEAKER_TEST(tasks_are_not_listened_to_without_the_scope_of_their_tool),
        WEAKER_TEST(answers_need_the_scope_of_what_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
