/* Tasks as 2025-11-25 has them: augmented calls of tools, and tasks/get, list, cancel and result.
 */
#include "mcp_server/tasks.h"

#include "mcp_server/mcp_server_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define RELATED "io.modelcontextprotocol/related-task"

static void assert_refused(const test_answer_t *a, mcp_error_t e)
{
    assert_int_equal(a->verdict.error, e);
    assert_int_equal(test_code(a), mcp_error_row(e)->code);
}

static str_t start(server_world_t *w, const char *params)
{
    test_answer_t a = H(w, "tools/call", params);
    assert_str(test_text(&a, "result.task.status"), "working");
    return test_text(&a, "result.task.taskId");
}

static const char *by_id(server_world_t *w, str_t id)
{
    return arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\"}", STR_ARG(id)).p;
}

static test_answer_t ask(server_world_t *w, const char *method, str_t id)
{
    return H(w, method, by_id(w, id));
}

/* Until it is so. */
static test_answer_t wait_for(server_world_t *w, str_t id, const char *status)
{
    for (;;) {
        test_answer_t a = ask(w, "tasks/get", id);
        str_t now = test_text(&a, "result.status");
        if (str_eq(now, str_c(status)))
            return a;
        if (!str_eq(now, STR("working")) && !str_eq(now, STR("input_required")))
            fail_msg("%" PRIstr, STR_ARG(a.root->raw));
    }
}

static void assert_related(const json_t *holder, str_t id)
{
    const json_t *meta = json_get(json_get(holder, STR("_meta")), STR(RELATED));
    assert_true(str_eq(json_get_str(meta, STR("taskId")), id));
}

static mcp_session_t *session_of(server_world_t *w, const char *version)
{
    mcp_session_t *s = mcp_session_local(clock_fake(&w->clock));
    const mcp_version_t *v = mcp_version_find(mcp_versions(), str_c(version));
    assert_int_equal(mcp_session_begin(s, v, STR("{}")), RC_OK);
    return s;
}

/* ---- what is offered ---- */

static void the_server_says_which_calls_may_be_tasks(void **state)
{
    server_world_t *w = *state;
    mcp_session_t *begun = w->session;
    w->session = mcp_session_local(clock_fake(&w->clock));
    test_answer_t a = H(w, "initialize",
                        "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
                        "\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}");
    assert_str(test_at(&a, "result.capabilities.tasks")->raw,
               "{\"list\":{},\"cancel\":{},\"requests\":{\"tools\":{\"call\":{}}}}");
    mcp_session_drop(w->session);
    w->session = begun;
    a = H(w, "tools/list", "{}");
    for (const json_t *t = test_at(&a, "result.tools")->child; t; t = t->next) {
        str_t name = json_get_str(t, STR("name")),
              support = json_get_str(json_get(t, STR("execution")), STR("taskSupport"));
        bool job = str_eq(name, STR("job")), only = str_eq(name, STR("job_only"));
        assert_true(str_eq(support, job ? STR("optional") : only ? STR("required") : STR_UNSET));
    }
    test_answer_t b = S(w, "tools/list", "{}");
    for (const json_t *t = test_at(&a, "result.tools")->child,
                      *u = test_at(&b, "result.tools")->child;
         t; t = t->next, u = u->next)
        assert_true(str_eq(t->raw, u->raw)); /* the same definition in each revision */
}

/* They are one principal, and would see each other's. */
static void clients_that_nobody_can_tell_apart_get_no_list(void **state)
{
    server_world_t *w = *state;
    mcp_session_t *begun = w->session;
    w->who = (mcp_caller_t){.everything = true};
    test_answer_t a = H(w, "tasks/list", "{}");
    assert_non_null(test_at(&a, "result.tasks")); /* alone on a standard stream */
    w->session = NULL;
    w->id = 100;
    a = test_line(w, STR("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"initialize\",\"params\":{"
                         "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
                         "\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}}}"));
    assert_str(test_at(&a, "result.capabilities.tasks")->raw,
               "{\"cancel\":{},\"requests\":{\"tools\":{\"call\":{}}}}");
    a = H(w, "tasks/list", "{}");
    assert_int_equal(test_code(&a), -32601);
    w->session = begun;
}

static void older_revisions_have_no_tasks(void **state)
{
    server_world_t *w = *state;
    static const char *const METHODS[] = {"tasks/get", "tasks/list", "tasks/cancel", "tasks/result",
                                          "tasks/update"};
    mcp_session_t *begun = w->session;
    w->session = session_of(w, "2025-06-18");
    atomic_store(&w->go_on, true);
    test_answer_t a = H(w, "tools/call", "{\"name\":\"job\",\"task\":{}}");
    assert_str(test_text(&a, "result.content.0.text"), "waited");
    assert_null(test_at(&a, "result._meta"));
    a = H(w, "tools/call", "{\"name\":\"job_only\",\"task\":{}}");
    assert_refused(&a, MCP_ERROR_TASKS_NEEDED);
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        a = H(w, METHODS[i], "{\"taskId\":\"x\"}");
        assert_int_equal(test_code(&a), -32601);
    }
    mcp_session_drop(w->session);
    w->session = begun;
}

static void tools_say_whether_they_are_tasks(void **state)
{
    server_world_t *w = *state;
    atomic_store(&w->go_on, true);
    test_answer_t a = H(w, "tools/call", "{\"name\":\"job\"}");
    assert_str(test_text(&a, "result.content.0.text"), "waited");
    assert_null(test_at(&a, "result._meta"));
    a = H(w, "tools/call", "{\"name\":\"job_only\"}");
    assert_refused(&a, MCP_ERROR_TASKS_NEEDED);
    a = H(w, "tools/call", "{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":2},\"task\":{}}");
    assert_refused(&a, MCP_ERROR_TASKS_FORBIDDEN);
}

static void bad_task(void **state)
{
    server_world_t *w = *state;
    static const char *const BAD[] = {"1",           "[]", "\"x\"", "null", "{\"ttl\":\"1\"}",
                                      "{\"ttl\":-1}"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        test_answer_t a =
            H(w, "tools/call", arena_printf(w->a, "{\"name\":\"job\",\"task\":%s}", BAD[i]).p);
        assert_refused(&a, MCP_ERROR_BAD_TASK);
    }
}

/* ---- the life of one ---- */

static void a_call_becomes_a_task_and_its_result_comes_apart(void **state)
{
    server_world_t *w = *state;
    test_answer_t a = H(w, "tools/call", "{\"name\":\"job\",\"task\":{\"ttl\":60000}}");
    assert_str(test_text(&a, "result.task.status"), "working");
    assert_str(test_text(&a, "result.task.createdAt"), "2026-09-21T14:13:20Z");
    assert_str(test_text(&a, "result.task.lastUpdatedAt"), "2026-09-21T14:13:20Z");
    assert_str(test_at(&a, "result.task.ttl")->raw, "60000");
    assert_str(test_at(&a, "result.task.pollInterval")->raw, "1000");
    assert_null(test_at(&a, "result.task.ttlMs"));
    assert_null(test_at(&a, "result.resultType"));
    assert_null(test_at(&a, "result.content"));
    str_t id = test_text(&a, "result.task.taskId");
    a = ask(w, "tasks/get", id);
    assert_true(str_eq(test_text(&a, "result.taskId"), id));
    assert_null(test_at(&a, "result._meta"));
    test_running_t waiting = test_begin(w, MCP_ERA_HANDSHAKE, "tasks/result", by_id(w, id));
    assert_true(test_is_quiet(w, &waiting));
    atomic_store(&w->go_on, true);
    const json_t *m = test_next(w, &waiting);
    assert_str(json_path(m, STR("result.content.0.text"))->str, "waited");
    assert_related(json_get(m, STR("result")), id);
    test_end(&waiting);
    wait_for(w, id, "completed");
    a = ask(w, "tasks/result", id);
    assert_str(test_text(&a, "result.content.0.text"), "waited");
    assert_related(test_at(&a, "result"), id);
}

static void a_result_that_is_an_error_is_a_failed_task(void **state)
{
    server_world_t *w = *state;
    atomic_store(&w->go_on, true);
    str_t id = start(w, "{\"name\":\"job\",\"arguments\":{\"fails\":true},\"task\":{}}");
    wait_for(w, id, "failed");
    test_answer_t a = ask(w, "tasks/result", id);
    assert_str(test_at(&a, "result.isError")->raw, "true");
    assert_related(test_at(&a, "result"), id);
    id = start(w, "{\"name\":\"job\",\"arguments\":{\"breaks\":true},\"task\":{}}");
    wait_for(w, id, "failed");
    a = ask(w, "tasks/result", id);
    assert_int_equal(test_code(&a), -32050);
    assert_str(test_text(&a, "error.message"), "It broke");
    assert_null(test_at(&a, "result"));
}

static void a_cancelled_task_stays_so(void **state)
{
    server_world_t *w = *state;
    str_t id = start(w, "{\"name\":\"job\",\"task\":{}}");
    test_running_t waiting = test_begin(w, MCP_ERA_HANDSHAKE, "tasks/result", by_id(w, id));
    test_answer_t a = ask(w, "tasks/cancel", id);
    assert_str(test_text(&a, "result.status"), "cancelled");
    assert_true(str_eq(test_text(&a, "result.taskId"), id));
    const json_t *m = test_next(w, &waiting);
    assert_str(json_path(m, STR("error.message"))->str, "The task was cancelled.");
    test_end(&waiting);
    a = ask(w, "tasks/cancel", id);
    assert_refused(&a, MCP_ERROR_TASK_ENDED);
    atomic_store(&w->go_on, true);
    a = ask(w, "tasks/get", id);
    assert_str(test_text(&a, "result.status"), "cancelled");
    a = ask(w, "tasks/result", id);
    assert_int_equal(test_code(&a), mcp_error_row(MCP_ERROR_TASK_CANCELLED)->code);
}

/* Its stream has ended: the question comes on the session's own. */
static void a_task_asks_its_client(void **state)
{
    server_world_t *w = *state;
    test_running_t general = test_general(w);
    str_t id = start(w, "{\"name\":\"job_only\",\"task\":{}}");
    const json_t *m = test_next(w, &general);
    assert_str(json_get_str(m, STR("method")), "elicitation/create");
    assert_str(json_path(m, STR("params.message"))->str, "Which size?");
    assert_related(json_get(m, STR("params")), id);
    wait_for(w, id, "input_required");
    test_line(w, arena_printf(w->a,
                              "{\"jsonrpc\":\"2.0\",\"id\":%" PRIstr
                              ",\"result\":{\"action\":\"accept\",\"content\":{\"size\":\"L\"}}}",
                              STR_ARG(json_get(m, STR("id"))->raw)));
    wait_for(w, id, "completed");
    test_answer_t a = ask(w, "tasks/result", id);
    assert_str(test_text(&a, "result.content.0.text"), "L");
    test_end(&general);
}

/* A request of the protocol ends a wait, and not the task. */
static void who_waits_may_go_away(void **state)
{
    server_world_t *w = *state;
    str_t id = start(w, "{\"name\":\"job\",\"task\":{}}");
    test_running_t waiting = test_begin(w, MCP_ERA_HANDSHAKE, "tasks/result", by_id(w, id));
    test_line(w, arena_printf(w->a,
                              "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                              "\"params\":{\"requestId\":%u}}",
                              w->id));
    assert_null(test_next(w, &waiting));
    test_end(&waiting);
    test_answer_t a = ask(w, "tasks/get", id);
    assert_str(test_text(&a, "result.status"), "working");
    atomic_store(&w->go_on, true);
    wait_for(w, id, "completed");
}

static void too_many_wait_for_one_task(void **state)
{
    server_world_t *w = *state;
    test_running_t waiting[MCP_TASK_WAITERS];
    str_t id = start(w, "{\"name\":\"job\",\"task\":{}}");
    for (size_t i = 0; i < MCP_TASK_WAITERS; i++)
        waiting[i] = test_begin(w, MCP_ERA_HANDSHAKE, "tasks/result", by_id(w, id));
    test_answer_t a = ask(w, "tasks/result", id);
    assert_int_equal(test_code(&a), mcp_error_row(MCP_ERROR_TOO_MUCH_WATCHED)->code);
    atomic_store(&w->go_on, true);
    for (size_t i = 0; i < MCP_TASK_WAITERS; i++) {
        assert_non_null(json_get(test_next(w, &waiting[i]), STR("result")));
        test_end(&waiting[i]);
    }
}

static void a_task_is_kept_as_long_as_it_says(void **state)
{
    server_world_t *w = *state;
    static const struct {
        const char *asked, *kept;
    } CASES[] = {
        {"{}", "900000"},         {"{\"ttl\":0}", "900000"},    {"{\"ttl\":null}", "900000"},
        {"{\"ttl\":1}", "10000"}, {"{\"ttl\":20000}", "20000"}, {"{\"ttl\":1e300}", "900000"}};
    atomic_store(&w->go_on, true);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        str_t id = start(w, arena_printf(w->a, "{\"name\":\"job\",\"task\":%s}", CASES[i].asked).p);
        test_answer_t a = wait_for(w, id, "completed");
        assert_true(str_eq(test_at(&a, "result.ttl")->raw, str_c(CASES[i].kept)));
    }
    str_t id = start(w, "{\"name\":\"job\",\"task\":{\"ttl\":20000}}");
    wait_for(w, id, "completed");
    w->clock.ms += 20000;
    test_answer_t a = ask(w, "tasks/result", id);
    assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
}

/* A question that nobody answers is forgotten in its time; so is who waits. */
static void who_waits_for_a_forgotten_task_is_told(void **state)
{
    server_world_t *w = *state;
    str_t id = start(w, "{\"name\":\"job_only\",\"task\":{\"ttl\":20000}}");
    wait_for(w, id, "input_required");
    test_running_t waiting = test_begin(w, MCP_ERA_HANDSHAKE, "tasks/result", by_id(w, id));
    w->clock.ms += 20000;
    mcp_server_tick(w->m);
    assert_non_null(json_get(test_next(w, &waiting), STR("error")));
    test_end(&waiting);
}

static void too_many_tasks(void **state)
{
    server_world_t *w = *state;
    for (int i = 0; i < MCP_TASKS_PER_PRINCIPAL; i++)
        start(w, "{\"name\":\"job_only\",\"task\":{}}");
    test_answer_t a = H(w, "tools/call", "{\"name\":\"job\",\"task\":{}}");
    assert_refused(&a, MCP_ERROR_TOO_MANY_TASKS);
    w->who.subject = STR("bob");
    start(w, "{\"name\":\"job_only\",\"task\":{}}");
}

/* ---- whose it is ---- */

static void task_of_another_principal(void **state)
{
    server_world_t *w = *state;
    static const char *const METHODS[] = {"tasks/get", "tasks/cancel", "tasks/result"};
    mcp_caller_t alice = w->who;
    str_t id = start(w, "{\"name\":\"job\",\"task\":{}}");
    str_t *const parts[] = {&w->who.subject, &w->who.client, &w->who.issuer};
    for (size_t i = 0; i < 3; i++) {
        *parts[i] = STR("other");
        for (size_t k = 0; k < 3; k++) {
            test_answer_t a = ask(w, METHODS[k], id);
            assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
        }
        test_answer_t a = H(w, "tasks/list", "{}");
        assert_int_equal(test_at(&a, "result.tasks")->count, 0);
        w->who = alice;
    }
    test_answer_t a = H(w, "tasks/list", "{}");
    assert_int_equal(test_at(&a, "result.tasks")->count, 1);
    assert_true(str_eq(test_text(&a, "result.tasks.0.taskId"), id));
    assert_str(test_text(&a, "result.tasks.0.status"), "working");
    a = H(w, "tasks/list", "{\"cursor\":\"x\"}");
    assert_refused(&a, MCP_ERROR_BAD_CURSOR);
}

/* Each era sees what it can handle. */
static void eras_do_not_see_each_others(void **state)
{
    server_world_t *w = *state;
    w->declared = STR("{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}");
    str_t plain = start(w, "{\"name\":\"job\",\"task\":{}}");
    test_answer_t a = S(w, "tools/call", "{\"name\":\"job\"}");
    str_t extended = test_text(&a, "result.taskId");
    a = S(w, "tasks/get", by_id(w, plain));
    assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
    a = ask(w, "tasks/get", extended);
    assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
    a = H(w, "tasks/list", "{}");
    assert_int_equal(test_at(&a, "result.tasks")->count, 1);
    a = S(w, "tasks/list", "{}");
    assert_int_equal(test_code(&a), -32601);
}

static void what_does_not_fit_becomes_no_task(void **state)
{
    server_world_t *w = *state;
    test_answer_t a =
        H(w, "tools/call", "{\"name\":\"job\",\"arguments\":{\"fails\":1},\"task\":{}}");
    assert_refused(&a, MCP_ERROR_INVALID_ARGUMENTS);
    a = ask(w, "tasks/get", STR("x"));
    assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
    a = H(w, "tasks/get", "{\"taskId\":1}");
    assert_refused(&a, MCP_ERROR_BAD_TASK_ID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(the_server_says_which_calls_may_be_tasks),
        SERVER_TEST(clients_that_nobody_can_tell_apart_get_no_list),
        SERVER_TEST(older_revisions_have_no_tasks),
        SERVER_TEST(tools_say_whether_they_are_tasks),
        SERVER_TEST(bad_task),
        SERVER_TEST(a_call_becomes_a_task_and_its_result_comes_apart),
        SERVER_TEST(a_result_that_is_an_error_is_a_failed_task),
        SERVER_TEST(a_cancelled_task_stays_so),
        SERVER_TEST(a_task_asks_its_client),
        SERVER_TEST(who_waits_may_go_away),
        SERVER_TEST(too_many_wait_for_one_task),
        SERVER_TEST(a_task_is_kept_as_long_as_it_says),
        SERVER_TEST(who_waits_for_a_forgotten_task_is_told),
        SERVER_TEST(too_many_tasks),
        SERVER_TEST(task_of_another_principal),
        SERVER_TEST(eras_do_not_see_each_others),
        SERVER_TEST(what_does_not_fit_becomes_no_task),
    };
    return cmocka_run_group_tests_name("plain_tasks", tests, NULL, NULL);
}
