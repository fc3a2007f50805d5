#include "mcp_server/tasks.h"

#include "mcp_server/mcp_server_test_world.h"
#include "mcp_server/task_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define EXTENSION "\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}"

static void with_tasks(server_world_t *w)
{
    w->declared = STR("{\"elicitation\":{}," EXTENSION "}");
}

static void assert_refused(const test_answer_t *a, mcp_error_t e)
{
    assert_int_equal(a->verdict.error, e);
    assert_int_equal(test_code(a), mcp_error_row(e)->code);
    assert_int_equal(a->status, mcp_error_row(e)->status);
}

static str_t start(server_world_t *w, const char *params)
{
    test_answer_t a = S(w, "tools/call", params);
    assert_str(test_text(&a, "result.resultType"), "task");
    return test_text(&a, "result.taskId");
}

static test_answer_t ask(server_world_t *w, const char *method, str_t id)
{
    return S(w, method, arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\"}", STR_ARG(id)).p);
}

/* Until it is so. */
static test_answer_t wait_for(server_world_t *w, str_t id, const char *status)
{
    for (;;) {
        test_answer_t a = ask(w, "tasks/get", id);
        if (str_eq(test_text(&a, "result.status"), str_c(status)))
            return a;
        str_t now = test_text(&a, "result.status");
        if (!str_eq(now, STR("working")) && !str_eq(now, STR("input_required")))
            fail_msg("%" PRIstr, STR_ARG(a.root->raw));
        test_running_t nothing = test_general(w);
        test_is_quiet(w, &nothing);
        test_end(&nothing);
    }
}

static void task_is_worked_and_completed(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    atomic_store(&w->go_on, false);
    test_answer_t a = S(w, "tools/call", "{\"name\":\"job\",\"task\":{\"ttl\":1}}");
    assert_str(test_text(&a, "result.resultType"), "task");
    assert_str(test_text(&a, "result.status"), "working");
    assert_str(test_text(&a, "result.createdAt"), "2026-09-21T14:13:20Z");
    assert_str(test_text(&a, "result.lastUpdatedAt"), "2026-09-21T14:13:20Z");
    assert_str(test_at(&a, "result.ttlMs")->raw, "900000");
    assert_str(test_at(&a, "result.pollIntervalMs")->raw, "1000");
    assert_null(test_at(&a, "result.task"));
    assert_null(test_at(&a, "result.requestState"));
    str_t id = test_text(&a, "result.taskId");
    assert_int_equal(id.n, MCP_TASK_TEXT);
    a = ask(w, "tasks/get", id);
    assert_str(test_text(&a, "result.resultType"), "complete");
    assert_str(test_text(&a, "result.status"), "working");
    assert_null(test_at(&a, "result.result"));
    atomic_store(&w->go_on, true);
    a = wait_for(w, id, "completed");
    assert_str(test_text(&a, "result.result.content.0.text"), "waited");
    assert_null(test_at(&a, "result.error"));
}

static void clients_without_tasks_get_results(void **state)
{
    server_world_t *w = *state;
    atomic_store(&w->go_on, true);
    test_answer_t a = S(w, "tools/call", "{\"name\":\"job\"}");
    assert_str(test_text(&a, "result.content.0.text"), "waited");
    a = H(w, "tools/call", "{\"name\":\"job\"}");
    assert_str(test_text(&a, "result.content.0.text"), "waited");
    task_is_worked_and_completed(state);
}

static void missing_capability(void **state)
{
    server_world_t *w = *state;
    static const char *const METHODS[] = {"tasks/get", "tasks/update", "tasks/cancel"};
    for (size_t i = 0; i < 3; i++) {
        test_answer_t a = ask(w, METHODS[i], STR("x"));
        assert_refused(&a, MCP_ERROR_MISSING_CAPABILITY);
        const json_t *needed = test_at(&a, "error.data.requiredCapabilities.extensions");
        assert_non_null(json_get(needed, STR("io.modelcontextprotocol/tasks")));
    }
    test_answer_t a = S(w, "tools/call", "{\"name\":\"job_only\"}");
    assert_refused(&a, MCP_ERROR_MISSING_CAPABILITY);
    a = H(w, "tools/call", "{\"name\":\"job_only\"}");
    assert_refused(&a, MCP_ERROR_TASKS_NEEDED);
    a = S(w, "subscriptions/listen", "{\"notifications\":{\"taskIds\":[]}}");
    assert_refused(&a, MCP_ERROR_MISSING_CAPABILITY);
    task_is_worked_and_completed(state);
}

static void unknown_task(void **state)
{
    server_world_t *w = *state;
    static const char *const METHODS[] = {"tasks/get", "tasks/cancel"};
    with_tasks(w);
    for (size_t i = 0; i < 2; i++) {
        test_answer_t a = ask(w, METHODS[i], STR("lost"));
        assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
        a = S(w, METHODS[i], "{}");
        assert_refused(&a, MCP_ERROR_BAD_TASK_ID);
    }
    test_answer_t a = S(w, "tasks/update", "{\"taskId\":\"lost\",\"inputResponses\":{}}");
    assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
    task_is_worked_and_completed(state);
}

/* An id is its principal's alone, whatever else the others have in common. */
static void task_of_another_principal(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    str_t id = start(w, "{\"name\":\"job\"}");
    mcp_caller_t alice = w->who;
    str_t *const parts[] = {&w->who.subject, &w->who.client, &w->who.issuer};
    for (size_t i = 0; i < 3; i++) {
        *parts[i] = STR("other");
        test_answer_t a = ask(w, "tasks/get", id);
        assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
        a = ask(w, "tasks/cancel", id);
        assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
        w->who = alice;
    }
    test_answer_t a = ask(w, "tasks/get", id);
    assert_str(test_text(&a, "result.status"), "working");
}

static void cancelled_task_stays_so(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    str_t id = start(w, "{\"name\":\"job\"}");
    for (int i = 0; i < 2; i++) { /* again is no error */
        test_answer_t a = ask(w, "tasks/cancel", id);
        assert_str(test_text(&a, "result.resultType"), "complete");
        assert_null(test_at(&a, "result.taskId"));
        a = ask(w, "tasks/get", id);
        assert_str(test_text(&a, "result.status"), "cancelled");
    }
    atomic_store(&w->go_on, true);
    id = start(w, "{\"name\":\"job\"}");
    wait_for(w, id, "completed");
    test_answer_t a = ask(w, "tasks/cancel", id);
    assert_non_null(test_at(&a, "result"));
    a = ask(w, "tasks/get", id);
    assert_str(test_text(&a, "result.status"), "completed");
}

static void task_asks_its_client(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    str_t id = start(w, "{\"name\":\"job_only\"}");
    test_answer_t a = wait_for(w, id, "input_required");
    assert_str(test_text(&a, "result.inputRequests.size.method"), "elicitation/create");
    static const char *const BAD[] = {"", ",\"inputResponses\":1", ",\"inputResponses\":[]",
                                      ",\"inputResponses\":{\"size\":1}"};
    for (size_t i = 0; i < 4; i++) {
        a = S(w, "tasks/update",
              arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\"%s}", STR_ARG(id), BAD[i]).p);
        assert_refused(&a, MCP_ERROR_BAD_INPUT_RESPONSES);
    }
    a = S(w, "tasks/update",
          arena_printf(w->a,
                       "{\"taskId\":\"%" PRIstr "\",\"inputResponses\":{\"lost\":{},\"size\":{"
                       "\"action\":\"accept\",\"content\":{\"size\":\"small\"}}}}",
                       STR_ARG(id))
              .p);
    assert_str(test_text(&a, "result.resultType"), "complete");
    assert_null(test_at(&a, "result.status"));
    a = wait_for(w, id, "completed");
    assert_str(test_text(&a, "result.result.content.0.text"), "small");
    assert_null(test_at(&a, "result.inputRequests"));
    a = S(w, "tasks/update",
          arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\",\"inputResponses\":{\"size\":{}}}",
                       STR_ARG(id))
              .p);
    assert_non_null(test_at(&a, "result")); /* too late is no error */
}

static void answer(server_world_t *w, str_t id, const char *responses)
{
    test_answer_t a = S(w, "tasks/update",
                        arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\",\"inputResponses\":{%s}}",
                                     STR_ARG(id), responses)
                            .p);
    assert_non_null(test_at(&a, "result"));
}

/* Clients answer a key once: what is asked anew has another one. */
static void keys_are_used_once_in_a_task(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    str_t id = start(w, "{\"name\":\"job_only\"}");
    test_answer_t a = wait_for(w, id, "input_required");
    assert_non_null(test_at(&a, "result.inputRequests.size"));
    answer(w, id, "\"size\":{\"action\":\"accept\",\"content\":{\"size\":1}}");
    do
        a = wait_for(w, id, "input_required");
    while (test_at(&a, "result.inputRequests.size"));
    assert_int_equal(test_at(&a, "result.inputRequests")->count, 1);
    assert_non_null(test_at(&a, "result.inputRequests.size~1"));
    answer(w, id, "\"size\":{\"action\":\"accept\",\"content\":{\"size\":\"old\"}}");
    answer(w, id, "\"size~1\":{\"action\":\"accept\",\"content\":{\"size\":\"new\"}}");
    a = wait_for(w, id, "completed");
    assert_str(test_text(&a, "result.result.content.0.text"), "new");
}

/* What has ended is kept for its time; who lets a question wait as long has gone. */
static void tasks_are_forgotten_in_time(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    atomic_store(&w->go_on, true);
    str_t done = start(w, "{\"name\":\"job\"}");
    wait_for(w, done, "completed");
    str_t asks = start(w, "{\"name\":\"job_only\"}");
    wait_for(w, asks, "input_required");
    atomic_store(&w->go_on, false);
    str_t works = start(w, "{\"name\":\"job\"}");
    w->clock.ms += 899999;
    test_answer_t a = ask(w, "tasks/get", done);
    assert_str(test_at(&a, "result.ttlMs")->raw, "900000");
    a = ask(w, "tasks/get", works);
    assert_str(test_at(&a, "result.ttlMs")->raw, "1799999");
    w->clock.ms++;
    a = ask(w, "tasks/get", done);
    assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
    a = ask(w, "tasks/get", asks);
    assert_refused(&a, MCP_ERROR_UNKNOWN_TASK);
    a = ask(w, "tasks/get", works);
    assert_str(test_text(&a, "result.status"), "working");
    start(w, "{\"name\":\"job\"}"); /* which sweeps */
}

/* Where there is no room the call is an ordinary one. */
static void too_many_tasks_are_none(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    str_t first = STR_UNSET;
    atomic_store(&w->go_on, true);
    for (int i = 0; i < MCP_TASKS_PER_PRINCIPAL; i++) {
        str_t id = start(w, "{\"name\":\"job\"}");
        first = first.p ? first : id;
    }
    test_answer_t a = S(w, "tools/call", "{\"name\":\"job\"}");
    assert_str(test_text(&a, "result.resultType"), "complete");
    assert_str(test_text(&a, "result.content.0.text"), "waited");
    w->who.subject = STR("bob");
    start(w, "{\"name\":\"job\"}");
    w->who.subject = STR("alice");
    wait_for(w, first, "completed");
}

static void listeners_hear_of_tasks(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    str_t id = start(w, "{\"name\":\"job\"}");
    test_running_t r = test_begin(
        w, MCP_ERA_STATELESS, "subscriptions/listen",
        arena_printf(w->a, "{\"notifications\":{\"taskIds\":[\"%" PRIstr "\",\"lost\"]}}",
                     STR_ARG(id))
            .p);
    const json_t *m = test_next(w, &r);
    const json_t *ids = json_path(m, STR("params.notifications.taskIds"));
    assert_int_equal(ids->count, 1);
    start(w, "{\"name\":\"job\"}"); /* another one is not told of */
    assert_true(test_is_quiet(w, &r));
    ask(w, "tasks/cancel", id);
    m = test_next(w, &r);
    assert_str(json_get_str(m, STR("method")), "notifications/tasks");
    const json_t *params = json_get(m, STR("params"));
    assert_true(str_eq(json_get_str(params, STR("taskId")), id));
    assert_str(json_get_str(params, STR("status")), "cancelled");
    assert_non_null(
        json_get(json_get(params, STR("_meta")), STR("io.modelcontextprotocol/subscriptionId")));
    mcp_call_cancel(r.call);
    test_end(&r);
}

/* The object of its own, without a life behind it. */
static void a_terminal_state_stays(void **state)
{
    server_world_t *w = *state;
    const mcp_principal_t who = {STR("i"), STR("s"), STR("c")};
    warder_mcp_call_t *call = mcp_call_new(w->m);
    mcp_task_t *task;
    char room[1024];
    assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &task), RC_OK);
    mcp_task_say(w->m->tasks, task, STR("half"));
    mcp_task_say(w->m->tasks, task, STR("\xff"));
    mcp_task_set(w->m->tasks, task, MCP_TASK_FAILED, STR("{\"code\":-32603}"));
    mcp_task_set(w->m->tasks, task, MCP_TASK_COMPLETED, STR("{}"));
    mcp_task_say(w->m->tasks, task, STR("late"));
    buf_t b = buf_fixed(room, sizeof room);
    json_writer_t writer = json_writer(&b);
    json_begin_object(&writer);
    mcp_task_write(w->m->tasks, task, MCP_TASK_WHOLE, &writer);
    json_end_object(&writer);
    assert_int_equal(b.failed, RC_OK);
    assert_true(str_contains(buf_str(&b), STR("\"status\":\"failed\",\"statusMessage\":\"half\"")));
    assert_true(str_contains(buf_str(&b), STR("\"error\":{\"code\":-32603}")));
    assert_false(str_contains(buf_str(&b), STR("result")));
    mcp_call_drop(call);
}

/* As large as a function may say it. */
static void large_results_are_shown_whole(void **state)
{
    server_world_t *w = *state;
    with_tasks(w);
    mcp_principal_t who = mcp_caller_principal(&w->who);
    warder_mcp_call_t *call = mcp_call_new(w->m);
    call->op.era = MCP_ERA_STATELESS;
    assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &call->task), RC_OK);
    char *body = malloc(MCP_SAID_BYTES + 1);
    memset(body, 'x', MCP_SAID_BYTES);
    memcpy(body, "{\"a\":\"", 6);
    memcpy(body + MCP_SAID_BYTES - 2, "\"}", 2);
    mcp_task_set(w->m->tasks, call->task, MCP_TASK_COMPLETED, str_of(body, MCP_SAID_BYTES));
    free(body);
    test_answer_t a = ask(w, "tasks/get", str_of(call->task, MCP_TASK_TEXT));
    assert_int_equal(test_text(&a, "result.result.a").n, MCP_SAID_BYTES - 8);
    mcp_call_drop(call);
}

static str_t shown(server_world_t *w, mcp_task_t *task, const mcp_principal_t *who)
{
    str_t out = STR_UNSET;
    buf_t b = buf_new(w->a, MCP_SAID_BYTES + 4096);
    json_writer_t writer = json_writer(&b);
    json_begin_object(&writer);
    assert_true(
        mcp_task_show(w->m->tasks, str_of(task, MCP_TASK_TEXT), who, MCP_TASK_WHOLE, &writer));
    json_end_object(&writer);
    assert_int_equal(buf_done(&b, &out), RC_OK);
    return out;
}

/* Each may be as large as an answer, and a hundred of them are kept. */
static void too_many_bytes_of_results_are_not_kept(void **state)
{
    enum { BODY = 4 << 20, FIT = MCP_TASK_BYTES_PER_SUBJECT / BODY };
    server_world_t *w = *state;
    const mcp_principal_t alice = {STR("i"), STR("a"), STR("c")},
                          bob = {STR("i"), STR("b"), STR("c")};
    warder_mcp_call_t *call = mcp_call_new(w->m);
    mcp_task_t *task[FIT + 3];
    char *body = malloc(BODY);
    memset(body, ' ', BODY);
    memcpy(body, "{\"kept\":1}", 10);
    for (size_t i = 0; i <= FIT; i++) {
        assert_int_equal(mcp_task_open(w->m->tasks, call, &alice, &task[i]), RC_OK);
        mcp_task_set(w->m->tasks, task[i], MCP_TASK_COMPLETED, str_of(body, BODY));
    }
    assert_true(str_contains(shown(w, task[FIT - 1], &alice), STR("{\"kept\":1}")));
    assert_true(str_contains(shown(w, task[FIT], &alice), STR("\"status\":\"failed\"")));
    assert_true(str_contains(shown(w, task[FIT], &alice), STR("too large beside")));
    assert_int_equal(mcp_task_open(w->m->tasks, call, &bob, &task[FIT + 1]), RC_OK);
    mcp_task_set(w->m->tasks, task[FIT + 1], MCP_TASK_COMPLETED, str_of(body, BODY));
    assert_true(str_contains(shown(w, task[FIT + 1], &bob), STR("{\"kept\":1}")));
    assert_int_equal(mcp_task_open(w->m->tasks, call, &alice, &task[FIT + 2]), RC_OK);
    mcp_task_set(w->m->tasks, task[FIT + 2], MCP_TASK_COMPLETED, STR("{\"small\":1}"));
    assert_true(str_contains(shown(w, task[FIT + 2], &alice), STR("{\"small\":1}")));
    free(body);
    mcp_call_drop(call);
}

/* One who registers clients has no more of them for it, and takes nothing from others. */
static void clients_of_one_subject_share_its_tasks(void **state)
{
    server_world_t *w = *state;
    warder_mcp_call_t *call = mcp_call_new(w->m);
    mcp_principal_t who = {STR("i"), STR("alice"), STR_UNSET};
    mcp_task_t *task, *first = NULL;
    for (int i = 0; i < MCP_TASKS_PER_SUBJECT; i++) {
        who.client = arena_printf(w->a, "c%d", i / MCP_TASKS_PER_PRINCIPAL);
        assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &task), RC_OK);
        first = first ? first : task;
    }
    who.client = STR("one more");
    assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &task), RC_BUSY);
    who.issuer = STR("j");
    assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &task), RC_OK);
    who = (mcp_principal_t){STR("i"), STR("bob"), STR("one more")};
    assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &task), RC_OK);
    /* What is forgotten counts no more. */
    mcp_task_set(w->m->tasks, first, MCP_TASK_COMPLETED, STR("{}"));
    w->clock.ms += w->m->tasks->config.kept_ms;
    who.subject = STR("alice");
    assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &task), RC_OK);
    assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &task), RC_BUSY);
    mcp_call_drop(call);
}

enum { LUMP = 7 << 20, LUMPS = 9 }; /* of one subject; five have more than all may */

static mcp_task_t *keep_lump(server_world_t *w, warder_mcp_call_t *call, const mcp_principal_t *who,
                             str_t body)
{
    mcp_task_t *task;
    assert_int_equal(mcp_task_open(w->m->tasks, call, who, &task), RC_OK);
    mcp_task_set(w->m->tasks, task, MCP_TASK_COMPLETED, body);
    w->clock.ms++;
    return task;
}

static bool is_known(server_world_t *w, mcp_task_t *task, const mcp_principal_t *who)
{
    warder_mcp_call_t *call = NULL;
    bool known = mcp_task_call(w->m->tasks, mcp_task_id(task), who, &call);
    if (call)
        mcp_call_drop(call);
    return known;
}

/* Over the bound of all results the oldest go, of who has most; what works and what others have
 * stays. */
static void results_of_all_are_bounded(void **state)
{
    server_world_t *w = *state;
    warder_mcp_call_t *call = mcp_call_new(w->m);
    mcp_principal_t small = {STR("i"), STR("small"), STR("c")}, who = small;
    char *text = malloc(LUMP);
    memset(text, ' ', LUMP);
    memcpy(text, "{\"kept\":1}", 10);
    str_t body = str_of(text, LUMP);
    mcp_task_t *first = NULL, *works, *last = NULL, *kept = keep_lump(w, call, &small, STR("{}"));
    for (size_t i = 0; i < 5; i++) {
        who.subject = arena_printf(w->a, "s%zu", i);
        if (i == 0)
            assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &works), RC_OK);
        for (size_t k = 0; k < LUMPS - (i > 0); k++) {
            last = keep_lump(w, call, &who, body);
            first = first ? first : last;
            assert_true(w->m->tasks->bytes <= MCP_TASK_BYTES);
        }
    }
    const mcp_principal_t most = {STR("i"), STR("s0"), STR("c")};
    assert_false(is_known(w, first, &most));
    assert_true(is_known(w, works, &most));
    assert_true(is_known(w, kept, &small));
    assert_true(str_contains(shown(w, last, &who), STR("{\"kept\":1}")));
    free(text);
    mcp_call_drop(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(task_is_worked_and_completed),
        SERVER_TEST(clients_without_tasks_get_results),
        SERVER_TEST(missing_capability),
        SERVER_TEST(unknown_task),
        SERVER_TEST(task_of_another_principal),
        SERVER_TEST(cancelled_task_stays_so),
        SERVER_TEST(task_asks_its_client),
        SERVER_TEST(keys_are_used_once_in_a_task),
        SERVER_TEST(tasks_are_forgotten_in_time),
        SERVER_TEST(too_many_tasks_are_none),
        SERVER_TEST(listeners_hear_of_tasks),
        SERVER_TEST(a_terminal_state_stays),
        SERVER_TEST(large_results_are_shown_whole),
        SERVER_TEST(too_many_bytes_of_results_are_not_kept),
        SERVER_TEST(clients_of_one_subject_share_its_tasks),
        SERVER_TEST(results_of_all_are_bounded),
    };
    return cmocka_run_group_tests_name("tasks", tests, NULL, NULL);
}
