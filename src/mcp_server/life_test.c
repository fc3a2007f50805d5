/* The life of calls: what functions say on return, how calls end, and who hears of it. */
#include "mcp_server/life_test_world.h"

#include <stdio.h>
#include <time.h>

/* The table */

static const char *const STATES[] = {"new",     "active", "early", "later",
                                     "waiting", "ending", "ended"};
static const char *const EVENTS[] = {"begins",   "returns", "puts_off", "finishes", "asks",
                                     "answered", "breaks",  "cancels",  "recorded"};

static void test_each_state_knows_its_events(void **state)
{
    static const char WANTED[] =
        "new: begins>active cancels>new\n"
        "active: returns>ending puts_off>later finishes>early asks>waiting cancels>active\n"
        "early: returns>ending puts_off>active asks>waiting cancels>early\n"
        "later: finishes>active cancels>later\n"
        "waiting: answered>active breaks>ending cancels>ending\n"
        "ending: recorded>ended\n"
        "ended:\n";
    char text[2048];
    buf_t b = buf_fixed(text, sizeof text);
    (void)state;
    for (unsigned s = 0; s < MCP_CALL_STATES; s++) {
        buf_fmt(&b, "%s:", STATES[s]);
        for (unsigned e = 0; e < MCP_CALL_EVENTS; e++) {
            mcp_call_state_t next;
            bool moves = mcp_call_step(s, e, &next);
            assert_true(moves || next == s);
            if (moves)
                buf_fmt(&b, " %s>%s", EVENTS[e], STATES[next]);
        }
        buf_char(&b, '\n');
    }
    assert_str(buf_str(&b), str_c(WANTED));
}

/* Returns */

static void test_what_was_said_is_the_answer(void **state)
{
    life_world_t *w = *state;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
    assert_int_equal(q.out.status, 200);
    assert_int_equal(life_int(&q, "id"), 1);
    assert_text(life_text(&q, "result.content.0.text"), "ok");
    assert_string_equal(life_reason(w, 1), "ok");
    life_end_ask(&q);
}

static void test_a_quick_function_answers_within_the_call(void **state)
{
    life_world_t *w = *state;
    asked_t q = life_call(w, HAND, "quick", "");
    assert_false(life_is_quiet(&q));
    assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&q);
}

static warder_mcp_next_t break_down(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, "half");
    return WARDER_MCP_FAIL;
}

static void test_internal_error(void **state)
{
    life_world_t *w = *state;
    w->script = break_down;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(life_int(&q, "error.code"), -32603);
    assert_int_equal(q.out.status, 200);
    assert_string_equal(life_reason(w, 1), "internal_error");
    life_end_ask(&q);
}

static warder_mcp_next_t err(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_error(call, "no such ticker");
    return WARDER_MCP_DONE;
}

static void test_tool_error(void **state)
{
    life_world_t *w = *state;
    w->script = err;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_true(json_is(json_path(q.json, STR("result.isError")), JSON_TRUE));
    assert_string_equal(life_reason(w, 1), "tool_error");
    assert_true(w->last.allowed);
    life_end_ask(&q);
}

static warder_mcp_next_t protocol_error(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_protocol_error(call, 7, "Nothing here.", "{\"a\":1}");
    return WARDER_MCP_DONE;
}

static void test_protocol_error(void **state)
{
    life_world_t *w = *state;
    w->script = protocol_error;
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(life_int(&q, "error.code"), 7);
    assert_text(life_text(&q, "error.message"), "Nothing here.");
    assert_int_equal(life_int(&q, "error.data.a"), 1);
    assert_string_equal(life_reason(w, 1), "protocol_error");
    life_end_ask(&q);
}

static warder_mcp_next_t need(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, "secret");
    warder_mcp_need_scope(call, "watchlist:write");
    return WARDER_MCP_DONE;
}

static void test_insufficient_scope(void **state)
{
    life_world_t *w = *state;
    w->script = need;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(q.out.status, 403);
    assert_text(q.out.needed, "watchlist:write");
    assert_false(str_contains(q.out.text, STR("secret")));
    assert_text(life_text(&q, "error.message"), "This needs the scope watchlist:write.");
    assert_string_equal(life_reason(w, 1), "insufficient_scope");
    assert_false(w->last.allowed);
    life_end_ask(&q);
}

static warder_mcp_next_t need_and_ask(warder_mcp_call_t *call, void *ctx)
{
    warder_mcp_elicit(call, "f", "?", "{\"type\":\"object\",\"properties\":{}}");
    need(call, ctx);
    return WARDER_MCP_ASK;
}

/* Whatever else was said: nobody is asked for what the token does not cover. */
static void test_insufficient_scope_of_a_function_that_asks(void **state)
{
    static const mcp_era_t ERAS[] = {HAND, LESS};
    life_world_t *w = *state;
    w->script = need_and_ask;
    for (size_t i = 0; i < 2; i++) {
        asked_t q = life_call(w, ERAS[i], "t", "");
        assert_true(life_next(&q));
        assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
        assert_int_equal(q.out.status, 403);
        assert_text(q.out.needed, "watchlist:write");
        life_end_ask(&q);
    }
}

static void test_the_event_says_who_what_and_how_long(void **state)
{
    life_world_t *w = *state;
    w->trail = TRAIL_HELD;
    asked_t q = life_ask(w, HAND, "resources/read", "\"uri\":\"test://r\"");
    life_reason(w, 1);
    assert_int_equal(w->last.kind, AUDIT_TOOL_CALL);
    assert_text(w->last.object, "test://r");
    assert_false(str_is_set(w->last.tool));
    assert_text(w->last.method, "resources/read");
    assert_text(w->last.user, "alice");
    assert_text(w->last.resource, "https://rs.test/mcp");
    assert_true(w->last.duration_us > 0);
    w->held(w->held_arg, true);
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.contents.0.text"), "ok");
    life_end_ask(&q);
}

/* The trail */

static void test_no_answer_before_the_trail_is_durable(void **state)
{
    life_world_t *w = *state;
    w->trail = TRAIL_HELD;
    asked_t q = life_call(w, HAND, "t", "");
    life_reason(w, 1);
    assert_true(life_is_quiet(&q));
    w->held(w->held_arg, true);
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.content.0.text"), "ok");
    life_end_ask(&q);
}

static void test_not_recorded(void **state)
{
    life_world_t *w = *state;
    w->trail = TRAIL_BROKEN;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(q.out.status, 503);
    assert_int_equal(q.out.retry_after_s, 1);
    assert_int_equal(life_int(&q, "error.code"), -32603);
    assert_false(str_contains(q.out.text, STR("ok")));
    life_end_ask(&q);
}

/* Later */

static warder_mcp_next_t put_off(warder_mcp_call_t *call, void *ctx)
{
    (void)call;
    (void)ctx;
    return WARDER_MCP_LATER;
}

static void test_put_off_and_finished(void **state)
{
    life_world_t *w = *state;
    w->script = put_off;
    asked_t q = life_call(w, HAND, "t", "");
    life_until(&q, MCP_CALL_LATER);
    assert_true(life_is_quiet(&q));
    warder_mcp_text(q.call, "at last");
    warder_mcp_finish(q.call, WARDER_MCP_DONE);
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.content.0.text"), "at last");
    warder_mcp_finish(q.call, WARDER_MCP_DONE); /* once too often */
    assert_int_equal(w->events, 1);
    life_end_ask(&q);
}

static warder_mcp_next_t finish_early(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, "early");
    warder_mcp_finish(call, WARDER_MCP_DONE);
    return WARDER_MCP_LATER;
}

static void test_finished_before_it_has_returned(void **state)
{
    life_world_t *w = *state;
    w->script = finish_early;
    asked_t q = life_call(w, HAND, "quick", "");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.content.0.text"), "early");
    life_end_ask(&q);
}

static void test_finished_with_nonsense_is_a_failure(void **state)
{
    life_world_t *w = *state;
    w->script = put_off;
    asked_t q = life_call(w, HAND, "quick", "");
    warder_mcp_finish(q.call, WARDER_MCP_LATER);
    assert_true(life_next(&q));
    assert_int_equal(life_int(&q, "error.code"), -32603);
    life_end_ask(&q);
}

/* Refusals at the beginning */

static warder_mcp_next_t wait_for_cancel(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, warder_mcp_sleep(call, 60000) ? "slept" : "woken");
    return WARDER_MCP_DONE;
}

static void test_busy(void **state)
{
    life_world_t *w = *state;
    asked_t q[8];
    size_t n = 0, runs = 0;
    w->script = wait_for_cancel;
    for (; n < 8; n++) {
        q[n] = life_call(w, HAND, "t", "");
        if (q[n].verdict.kind != MCP_RUNNING)
            break;
    }
    assert_in_range(n, 4, 6); /* 2 threads, 4 that wait */
    assert_int_equal(q[n].verdict.status, 503);
    assert_int_equal(q[n].verdict.error, MCP_ERROR_BUSY);
    for (; runs <= n; runs++) {
        mcp_call_cancel(q[runs].call);
        life_end_ask(&q[runs]);
    }
    life_reason(w, n);
    w->script = wait_for_cancel;
    asked_t again = life_call(w, HAND, "t", ""); /* there is room again */
    assert_int_equal(again.verdict.kind, MCP_RUNNING);
    life_end_ask(&again);
}

static void test_duplicate_id(void **state)
{
    life_world_t *w = *state;
    w->script = put_off;
    asked_t q = life_call(w, HAND, "quick", "");
    w->id--;
    asked_t twin = life_call(w, HAND, "quick", "");
    assert_int_equal(twin.verdict.error, MCP_ERROR_DUPLICATE_ID);
    assert_int_equal(twin.verdict.status, 400);
    life_end_ask(&twin);
    warder_mcp_finish(q.call, WARDER_MCP_DONE);
    assert_true(life_next(&q));
    w->id--;
    asked_t next = life_call(w, HAND, "quick", ""); /* after the answer it is free */
    assert_int_equal(next.verdict.kind, MCP_RUNNING);
    warder_mcp_finish(next.call, WARDER_MCP_DONE);
    life_end_ask(&next);
    life_end_ask(&q);
}

/* Cancelling */

static void test_cancelled_sleeper_wakes(void **state)
{
    life_world_t *w = *state;
    w->script = wait_for_cancel;
    asked_t q = life_call(w, HAND, "t", "");
    life_tell(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                 "\"params\":{\"requestId\":1}}");
    assert_false(life_next(&q)); /* the stream ends */
    assert_string_equal(life_reason(w, 1), "cancelled");
    assert_true(life_is_quiet(&q));
    life_end_ask(&q);
}

static void test_cancelled_while_put_off_ends_with_finish(void **state)
{
    life_world_t *w = *state;
    w->script = put_off;
    asked_t q = life_call(w, HAND, "quick", "");
    mcp_call_cancel(q.call);
    assert_false(life_next(&q));
    assert_true(warder_mcp_cancelled(q.call));
    assert_int_equal(w->events, 0);
    warder_mcp_finish(q.call, WARDER_MCP_DONE);
    assert_string_equal(life_reason(w, 1), "cancelled");
    life_end_ask(&q);
}

static void test_cancelled_behind_its_end_is_nothing(void **state)
{
    life_world_t *w = *state;
    w->trail = TRAIL_HELD;
    asked_t q = life_call(w, HAND, "quick", "");
    mcp_call_cancel(q.call); /* its answer is made */
    w->held(w->held_arg, true);
    assert_true(life_next(&q));
    mcp_call_cancel(q.call);
    assert_string_equal(life_reason(w, 1), "ok");
    assert_int_equal(w->events, 1);
    life_end_ask(&q);
}

static void test_cancelled_before_it_runs_never_runs(void **state)
{
    life_world_t *w = *state;
    asked_t q[3];
    w->script = wait_for_cancel;
    for (size_t i = 0; i < 3; i++)
        q[i] = life_call(w, HAND, "t", "");
    while (atomic_load(&w->runs) < 2)
        continue;
    mcp_call_cancel(q[2].call);
    mcp_call_cancel(q[0].call);
    mcp_call_cancel(q[1].call);
    life_reason(w, 3);
    assert_int_equal(atomic_load(&w->runs), 2);
    for (size_t i = 0; i < 3; i++)
        life_end_ask(&q[i]);
}

static void test_another_sessions_cancel_is_nothing(void **state)
{
    life_world_t *w = *state;
    mcp_session_t *own = w->session;
    w->script = put_off;
    asked_t q = life_call(w, HAND, "quick", "");
    w->session = mcp_session_local(clock_fake(&w->clock));
    life_tell(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                 "\"params\":{\"requestId\":1}}");
    assert_false(warder_mcp_cancelled(q.call));
    mcp_session_drop(w->session);
    w->session = own;
    warder_mcp_finish(q.call, WARDER_MCP_DONE);
    life_end_ask(&q);
}

static void test_the_end_of_a_session_cancels_its_calls(void **state)
{
    life_world_t *w = *state;
    w->script = wait_for_cancel;
    asked_t q = life_call(w, HAND, "t", "");
    mcp_session_end(w->session);
    assert_false(life_next(&q));
    assert_string_equal(life_reason(w, 1), "cancelled");
    life_end_ask(&q);
}

/* While it runs */

static warder_mcp_next_t tell_progress(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_progress(call, 0, 0, NULL);
    warder_mcp_progress(call, 0, 100, "again"); /* does not grow */
    warder_mcp_progress(call, 50, 100, "half");
    warder_mcp_progress(call, 49, 100, "back");
    warder_mcp_progress(call, 1.0 / 0.0, 100, "never");
    return WARDER_MCP_DONE;
}

/* It comes back with each message. */
static void test_a_long_progress_token_is_none(void **state)
{
    life_world_t *w = *state;
    w->script = tell_progress;
    w->meta = arena_printf(w->a, ",\"progressToken\":\"%0*d\"", MCP_ID_BYTES, 1);
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&q);
}

static void test_progress_grows(void **state)
{
    life_world_t *w = *state;
    w->script = tell_progress;
    w->meta = STR(",\"progressToken\":\"p1\"");
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "method"), "notifications/progress");
    assert_text(life_text(&q, "params.progressToken"), "p1");
    assert_null(json_path(q.json, STR("params.total")));
    assert_true(life_next(&q));
    assert_int_equal(life_int(&q, "params.progress"), 50);
    assert_int_equal(life_int(&q, "params.total"), 100);
    assert_text(life_text(&q, "params.message"), "half");
    assert_true(life_next(&q));
    assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&q);
}

static void test_nobody_who_did_not_ask_hears_of_progress(void **state)
{
    life_world_t *w = *state;
    w->script = tell_progress;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&q);
}

static warder_mcp_next_t tell_log(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_log(call, WARDER_MCP_INFO, "db", "low");
    warder_mcp_log(call, WARDER_MCP_ERROR, NULL, "high");
    warder_mcp_log(call, (warder_mcp_level_t)8, NULL, "none");
    warder_mcp_log(call, WARDER_MCP_ERROR, NULL, "\xff");
    return WARDER_MCP_DONE;
}

static void test_log_in_the_handshake_era(void **state)
{
    life_world_t *w = *state;
    w->script = tell_log;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "method"), "notifications/message");
    assert_text(life_text(&q, "params.level"), "info");
    assert_text(life_text(&q, "params.logger"), "db");
    assert_text(life_text(&q, "params.data"), "low");
    assert_true(life_next(&q));
    assert_true(life_next(&q));
    assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&q);
    mcp_session_set_level(w->session, WARDER_MCP_ERROR);
    asked_t r = life_call(w, HAND, "t", "");
    assert_true(life_next(&r));
    assert_text(life_text(&r, "params.data"), "high");
    life_end_ask(&r);
}

static void test_log_in_the_stateless_era_is_for_who_asks(void **state)
{
    life_world_t *w = *state;
    w->script = tell_log;
    asked_t q = life_call(w, LESS, "t", "");
    assert_true(life_next(&q));
    assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&q);
    w->meta = STR(",\"io.modelcontextprotocol/logLevel\":\"warning\"");
    asked_t r = life_call(w, LESS, "t", "");
    assert_true(life_next(&r));
    assert_text(life_text(&r, "params.level"), "error");
    assert_true(life_next(&r));
    assert_int_equal(r.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&r);
}

static warder_mcp_next_t let_go(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_let_go(call);
    return WARDER_MCP_DONE;
}

static void test_let_go_where_the_client_can_come_back(void **state)
{
    life_world_t *w = *state;
    w->script = let_go;
    asked_t q = life_call(w, HAND, "t", "");
    while (life_is_quiet(&q))
        continue;
    assert_int_equal(q.out.kind, MCP_OUT_LET_GO);
    assert_true(life_next(&q));
    assert_int_equal(q.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&q);
    mcp_session_t *s = w->session;
    w->session = NULL; /* so that its outbox is not kept */
    asked_t r = life_call(w, LESS, "t", "");
    assert_true(life_next(&r));
    assert_int_equal(r.out.kind, MCP_OUT_ANSWER);
    life_end_ask(&r);
    w->session = s;
}

static warder_mcp_next_t sleep_short(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    warder_mcp_text(call, warder_mcp_sleep(call, 2) && warder_mcp_sleep(call, -5) ? "slept" : "no");
    return WARDER_MCP_DONE;
}

static void test_sleep_ends(void **state)
{
    life_world_t *w = *state;
    w->script = sleep_short;
    asked_t q = life_call(w, HAND, "t", "");
    assert_true(life_next(&q));
    assert_text(life_text(&q, "result.content.0.text"), "slept");
    life_end_ask(&q);
}

/* The end of the server */

static void test_stopping_cancels_and_waits(void **state)
{
    life_world_t *w = *state;
    asked_t q[4];
    w->script = wait_for_cancel;
    for (size_t i = 0; i < 4; i++)
        q[i] = life_call(w, HAND, "t", "");
    assert_true(mcp_calls_stop(w->m));
    assert_int_equal(w->events, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(w->reasons[i], "cancelled");
    asked_t late = life_call(w, HAND, "quick", "");
    assert_int_equal(late.verdict.error, MCP_ERROR_BUSY);
    life_end_ask(&late);
    for (size_t i = 0; i < 4; i++)
        life_end_ask(&q[i]);
}

static warder_mcp_next_t spin_until_told(warder_mcp_call_t *call, void *ctx)
{
    const life_world_t *w = ctx;
    while (!atomic_load((atomic_bool *)w->note))
        warder_mcp_sleep(call, 1);
    return WARDER_MCP_DONE;
}

static void *tell_soon(void *told)
{
    static const struct timespec SOON = {0, 50000000};
    nanosleep(&SOON, NULL);
    atomic_store((atomic_bool *)told, true);
    return NULL;
}

static void test_what_never_runs_ends_too(void **state)
{
    life_world_t *w = *state;
    atomic_bool told = false;
    pthread_t teller;
    asked_t q[4];
    w->note = &told;
    w->script = spin_until_told;
    for (size_t i = 0; i < 4; i++)
        q[i] = life_call(w, HAND, "t", "");
    while (atomic_load(&w->runs) < 2)
        continue;
    pthread_create(&teller, NULL, tell_soon, &told);
    http_pool_free(w->m->pool); /* while two wait for a thread */
    w->m->pool = NULL;
    pthread_join(teller, NULL);
    assert_int_equal(atomic_load(&w->runs), 2);
    assert_int_equal(w->events, 4);
    assert_string_equal(life_reason(w, 4), "cancelled");
    for (size_t i = 0; i < 4; i++)
        life_end_ask(&q[i]);
}

/* The transport's loop is gone before the call ends: nothing waits for it. */
static void test_a_loop_that_is_gone_holds_up_nothing(void **state)
{
    life_world_t *w = *state;
    w->script = put_off;
    asked_t q = life_call(w, HAND, "quick", "");
    w->loop.gone = true;
    warder_mcp_finish(q.call, WARDER_MCP_DONE);
    assert_string_equal(life_reason(w, 1), "ok");
    life_until(&q, MCP_CALL_ENDED);
    life_end_ask(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_state_knows_its_events),
        LIFE_TEST(test_what_was_said_is_the_answer),
        LIFE_TEST(test_a_quick_function_answers_within_the_call),
        LIFE_TEST(test_internal_error),
        LIFE_TEST(test_tool_error),
        LIFE_TEST(test_protocol_error),
        LIFE_TEST(test_insufficient_scope),
        LIFE_TEST(test_insufficient_scope_of_a_function_that_asks),
        LIFE_TEST(test_the_event_says_who_what_and_how_long),
        LIFE_TEST(test_no_answer_before_the_trail_is_durable),
        LIFE_TEST(test_not_recorded),
        LIFE_TEST(test_put_off_and_finished),
        LIFE_TEST(test_finished_before_it_has_returned),
        LIFE_TEST(test_finished_with_nonsense_is_a_failure),
        LIFE_TEST(test_busy),
        LIFE_TEST(test_duplicate_id),
        LIFE_TEST(test_cancelled_sleeper_wakes),
        LIFE_TEST(test_cancelled_while_put_off_ends_with_finish),
        LIFE_TEST(test_cancelled_behind_its_end_is_nothing),
        LIFE_TEST(test_cancelled_before_it_runs_never_runs),
        LIFE_TEST(test_another_sessions_cancel_is_nothing),
        LIFE_TEST(test_the_end_of_a_session_cancels_its_calls),
        LIFE_TEST(test_a_long_progress_token_is_none),
        LIFE_TEST(test_progress_grows),
        LIFE_TEST(test_nobody_who_did_not_ask_hears_of_progress),
        LIFE_TEST(test_log_in_the_handshake_era),
        LIFE_TEST(test_log_in_the_stateless_era_is_for_who_asks),
        LIFE_TEST(test_let_go_where_the_client_can_come_back),
        LIFE_TEST(test_sleep_ends),
        LIFE_TEST(test_stopping_cancels_and_waits),
        LIFE_TEST(test_what_never_runs_ends_too),
        LIFE_TEST(test_a_loop_that_is_gone_holds_up_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
