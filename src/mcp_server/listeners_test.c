/* Threads that tell, come, go and end at once; what each does by itself is in watching_test.c and
 * tasks_test.c. */
#include "mcp_server/listeners.h"

#include "mcp_server/mcp_server_test_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROUNDS = 300, TELLERS = 2 };

#ifdef __SANITIZE_THREAD__
#define TIMES 1
#else
#define TIMES 3
#endif

static void *tell(void *arg)
{
    server_world_t *w = arg;
    while (!atomic_load(&w->go_on)) {
        warder_mcp_tools_changed(w->m);
        warder_mcp_resource_updated(w->m, "test://static");
    }
    return NULL;
}

/* Tables shrink and grow, while others tell and ask. */
static void *change_tables(void *arg)
{
    server_world_t *w = arg;
    warder_mcp_config_t c = test_config();
    for (size_t n = 1; !atomic_load(&w->go_on); n = n % c.tool_count + 1) {
        if (!warder_mcp_set_tools(w->m, c.tools, n, NULL, 0) ||
            !warder_mcp_set_resources(w->m, c.resources, n % c.resource_count + 1, NULL, 0) ||
            !warder_mcp_set_prompts(w->m, c.prompts, n % c.prompt_count + 1, NULL, 0) ||
            !*warder_mcp_scopes(w->m))
            abort();
    }
    return NULL;
}

typedef struct {
    pthread_t v[2 * TELLERS];
} threads_t;

static threads_t start_tellers(server_world_t *w)
{
    threads_t t;
    for (int i = 0; i < TELLERS; i++)
        assert_int_equal(pthread_create(&t.v[i], NULL, tell, w), 0);
    for (int i = TELLERS; i < 2 * TELLERS; i++)
        assert_int_equal(pthread_create(&t.v[i], NULL, change_tables, w), 0);
    return t;
}

static void join_tellers(server_world_t *w, threads_t *t)
{
    atomic_store(&w->go_on, true);
    for (int i = 0; i < 2 * TELLERS; i++)
        pthread_join(t->v[i], NULL);
}

static test_running_t listen_to_all(server_world_t *w)
{
    return test_begin(w, MCP_ERA_STATELESS, "subscriptions/listen",
                      "{\"notifications\":{\"toolsListChanged\":true,\"resourceSubscriptions\":["
                      "\"test://static\"]}}");
}

/* The first of a subscription is always its acknowledgment, whoever tells meanwhile, and nothing
 * comes once it was cancelled. */
static void listeners_come_and_go_while_others_tell(void **state)
{
    server_world_t *w = *state;
    threads_t t = start_tellers(w);
    for (int i = 0; i < ROUNDS * TIMES; i++) {
        mcp_out_t out;
        test_running_t r = listen_to_all(w);
        const json_t *m = test_next(w, &r);
        assert_str(json_get_str(m, STR("method")), "notifications/subscriptions/acknowledged");
        if (i % 2)
            assert_non_null(test_next(w, &r));
        mcp_call_cancel(r.call);
        while (mcp_reader_take(r.reader, &out) && out.kind != MCP_OUT_ANSWER)
            ;
        assert_false(mcp_reader_take(r.reader, &out));
        test_end(&r);
        if (i % 16 == 0)
            arena_reset(w->a);
    }
    join_tellers(w, &t);
    assert_false(mcp_listeners_any(w->m->listeners, MCP_CHANGED_TOOLS, STR_UNSET));
}

/* The answer of a subscription is there, or its stream ended, whoever of the two was first. */
static void a_server_stops_while_others_tell(void **state)
{
    server_world_t *w = *state;
    threads_t t = start_tellers(w);
    test_running_t all[16];
    for (int i = 0; i < 16; i++) {
        all[i] = listen_to_all(w);
        test_next(w, &all[i]);
    }
    mcp_server_stop(w->m);
    join_tellers(w, &t);
    for (int i = 0; i < 16; i++) {
        const json_t *m = test_next(w, &all[i]);
        while (json_get(m, STR("method")))
            m = test_next(w, &all[i]);
        assert_non_null(json_get(m, STR("result")));
        test_end(&all[i]);
    }
}

/* ---- tasks ---- */

static void *cancel_calls(void *arg)
{
    test_running_t *r = arg;
    mcp_call_cancel(r->call);
    return NULL;
}

/* Two who cancel the same subscription finish it once. */
static void two_cancel_at_once(void **state)
{
    server_world_t *w = *state;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t other;
        test_running_t r = listen_to_all(w);
        assert_int_equal(pthread_create(&other, NULL, cancel_calls, &r), 0);
        mcp_call_cancel(r.call);
        pthread_join(other, NULL);
        test_end(&r);
    }
    assert_false(mcp_listeners_any(w->m->listeners, MCP_CHANGED_TOOLS, STR_UNSET));
}

static void *say_much(void *arg)
{
    warder_mcp_call_t *call = arg;
    for (int i = 0; i < ROUNDS; i++) {
        mcp_task_say(call->m->tasks, call->task, STR("on it"));
        mcp_task_set(call->m->tasks, call->task, MCP_TASK_INPUT, STR("{\"k\":{}}"));
        mcp_task_set(call->m->tasks, call->task, MCP_TASK_WORKING, STR_UNSET);
    }
    mcp_task_set(call->m->tasks, call->task, MCP_TASK_COMPLETED, STR("{}"));
    return NULL;
}

/* One works, one looks, one cancels: what was terminal first stays. */
static void tasks_change_while_others_look(void **state)
{
    server_world_t *w = *state;
    w->declared = STR("{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}");
    for (int i = 0; i < 16 * TIMES; i++) {
        pthread_t worker;
        mcp_principal_t who = mcp_caller_principal(&w->who);
        warder_mcp_call_t *call = mcp_call_new(w->m), *held;
        call->op.era = MCP_ERA_STATELESS;
        assert_int_equal(mcp_task_open(w->m->tasks, call, &who, &call->task), RC_OK);
        str_t id = str_of(call->task, MCP_TASK_TEXT);
        assert_int_equal(pthread_create(&worker, NULL, say_much, call), 0);
        test_answer_t a = {.root = NULL};
        for (int k = 0; k < 20; k++)
            a = S(w, "tasks/get",
                  arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\"}", STR_ARG(id)).p);
        assert_true(test_text(&a, "result.status").n > 0);
        assert_true(mcp_task_cancel(w->m->tasks, id, &who, &held));
        if (held)
            mcp_call_drop(held);
        a = S(w, "tasks/get", arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\"}", STR_ARG(id)).p);
        str_t first = test_text(&a, "result.status");
        pthread_join(worker, NULL);
        a = S(w, "tasks/get", arena_printf(w->a, "{\"taskId\":\"%" PRIstr "\"}", STR_ARG(id)).p);
        assert_true(str_eq(test_text(&a, "result.status"), first));
        mcp_call_drop(call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(listeners_come_and_go_while_others_tell),
        SERVER_TEST(a_server_stops_while_others_tell),
        SERVER_TEST(two_cancel_at_once),
        SERVER_TEST(tasks_change_while_others_look),
    };
    return cmocka_run_group_tests_name("listeners", tests, NULL, NULL);
}
