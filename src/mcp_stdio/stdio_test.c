/* A client of each era on a pair of pipes, and hosts that behave badly. */
#include "mcp_stdio/line.h"
#include "mcp_stdio/stdio_test_world.h"

#include <stdio.h>
#include <unistd.h>

static str_t id_of(const json_t *message)
{
    const json_t *id = json_get(message, STR("id"));
    return id ? id->raw : STR_UNSET;
}

static int64_t error_of(const json_t *message)
{
    int64_t code = 0;
    json_get_i64(json_get(message, STR("error")), STR("code"), &code);
    return code;
}

static str_t text_of(const json_t *message)
{
    return json_get_str(json_path(message, STR("result.content.0")), STR("text"));
}

static void assert_said(stdio_world_t *w, const char *id, const char *text)
{
    const json_t *answer = stdio_hear(w);
    assert_str(id_of(answer), str_c(id));
    assert_str(text_of(answer), str_c(text));
}

/* The control behind refusals. */
static void assert_serves(stdio_world_t *w)
{
    stdio_say(w, STDIO_CALL_NEW("\"control\"", "hello", ""));
    assert_said(w, "\"control\"", "hello");
}

static void handshake_era(void **state)
{
    stdio_world_t *w = *state;
    stdio_initialize(w);
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}");
    const json_t *list = json_path(stdio_hear(w), STR("result.tools"));
    assert_int_equal(list->count, 7);
    stdio_say(w, STDIO_CALL("3", "hello", ""));
    assert_said(w, "3", "hello");
    stdio_say(w, STDIO_CALL("4", "soon", ""));
    assert_said(w, "4", "soon");
    assert_int_equal(stdio_end(w), RC_OK);
    assert_true(stdio_is_at_end(w));
}

static void stateless_era(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w,
              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" STDIO_META
              "}}}");
    const json_t *versions = json_path(stdio_hear(w), STR("result.supportedVersions"));
    assert_true(str_contains(versions->raw, STR("2026-07-28")));
    stdio_say(w, STDIO_CALL_NEW("2", "soon", ""));
    const json_t *answer = stdio_hear(w);
    assert_str(json_get_str(json_get(answer, STR("result")), STR("resultType")), STR("complete"));
    assert_str(text_of(answer), STR("soon"));
}

static void both_eras_on_one_stream(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, STDIO_CALL_NEW("1", "hello", ""));
    assert_said(w, "1", "hello");
    stdio_initialize(w);
    stdio_say(w, STDIO_CALL("2", "hello", ""));
    assert_said(w, "2", "hello");
    stdio_say(w, STDIO_CALL_NEW("3", "hello", ""));
    assert_said(w, "3", "hello");
}

static void answers_come_when_they_are_ready(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, STDIO_CALL_NEW("1", "soon", ""));
    stdio_say(w, STDIO_CALL_NEW("2", "hello", ""));
    assert_said(w, "2", "hello");
    assert_said(w, "1", "soon");
}

static void cancel(stdio_world_t *w, const char *call, const char *id)
{
    stdio_say(w, call);
    stdio_wait(&SLOW_RUNS);
    stdio_say(w,
              arena_printf(w->a,
                           "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
                           "{\"requestId\":%s}}",
                           id)
                  .p);
}

static void cancelled_in_the_handshake_era(void **state)
{
    stdio_world_t *w = *state;
    stdio_initialize(w);
    cancel(w, STDIO_CALL("7", "slow", ""), "7");
    stdio_wait(&SLOW_CANCELLED);
    assert_true(stdio_is_quiet(w));
    stdio_say(w, STDIO_CALL("7", "hello", "")); /* the id is free again */
    assert_said(w, "7", "hello");
}

static void cancelled_in_the_stateless_era(void **state)
{
    stdio_world_t *w = *state;
    cancel(w, STDIO_CALL_NEW("\"a\"", "slow", ""), "\"a\"");
    stdio_wait(&SLOW_CANCELLED);
    assert_true(stdio_is_quiet(w));
    assert_serves(w);
}

static void cancel_of_another_id_does_nothing(void **state)
{
    stdio_world_t *w = *state;
    cancel(w, STDIO_CALL_NEW("1", "soon", ""), "\"1\"");
    assert_said(w, "1", "soon");
}

static void progress_and_messages_come_before_the_answer(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, STDIO_CALL_NEW("1", "steps", ""));
    assert_said(w, "1", "there"); /* nobody asked for more */
    stdio_say(w, STDIO_CALL("2", "steps",
                            "," STDIO_META ",\"progressToken\":\"p\","
                            "\"io.modelcontextprotocol/logLevel\":\"info\"}"));
    for (int i = 1; i <= 3; i++) {
        const json_t *step = stdio_hear(w);
        assert_str(json_get_str(step, STR("method")), STR("notifications/progress"));
        assert_str(json_get_str(json_get(step, STR("params")), STR("progressToken")), STR("p"));
    }
    const json_t *message = stdio_hear(w);
    assert_str(json_get_str(message, STR("method")), STR("notifications/message"));
    assert_said(w, "2", "there");
}

static void question_in_the_handshake_era(void **state)
{
    stdio_world_t *w = *state;
    stdio_initialize(w);
    stdio_say(w, STDIO_CALL("5", "ask", ""));
    const json_t *question = stdio_hear(w);
    assert_str(json_get_str(question, STR("method")), STR("elicitation/create"));
    stdio_say(w, STDIO_CALL("6", "hello", "")); /* nobody else waits */
    assert_said(w, "6", "hello");
    stdio_say(w, arena_printf(w->a,
                              "{\"jsonrpc\":\"2.0\",\"id\":%" PRIstr ",\"result\":{\"action\":"
                              "\"accept\",\"content\":{\"day\":\"Monday\"}}}",
                              STR_ARG(id_of(question)))
                     .p);
    assert_said(w, "5", "On Monday.");
}

static void question_in_the_stateless_era(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, STDIO_CALL_NEW("1", "ask", ""));
    const json_t *result = json_get(stdio_hear(w), STR("result"));
    assert_str(json_get_str(result, STR("resultType")), STR("input_required"));
    assert_non_null(json_get(json_get(result, STR("inputRequests")), STR("day")));
    const json_t *sealed = json_get(result, STR("requestState"));
    assert_non_null(sealed);
    stdio_say(w, arena_printf(w->a,
                              "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{"
                              "\"name\":\"ask\",\"requestState\":%" PRIstr ",\"inputResponses\":{"
                              "\"day\":{\"action\":\"accept\",\"content\":{\"day\":\"Sunday\"}}},"
                              "%s}}}",
                              STR_ARG(sealed->raw), STDIO_META)
                     .p);
    assert_said(w, "2", "On Sunday.");
}

static void changed_tools_are_told(void **state)
{
    stdio_world_t *w = *state;
    stdio_initialize(w);
    stdio_say(w, STDIO_CALL("2", "hello", ""));
    assert_said(w, "2", "hello");
    warder_mcp_tools_changed(w->m);
    assert_str(json_get_str(stdio_hear(w), STR("method")), STR("notifications/tools/list_changed"));
}

static void subscription_is_told_and_ends_with_the_stream(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"subscriptions/listen\",\"params\":{"
                 "\"notifications\":{\"toolsListChanged\":true}," STDIO_META "}}}");
    assert_str(json_get_str(stdio_hear(w), STR("method")),
               STR("notifications/subscriptions/acknowledged"));
    warder_mcp_tools_changed(w->m);
    const json_t *told = stdio_hear(w);
    assert_str(json_get_str(told, STR("method")), STR("notifications/tools/list_changed"));
    assert_true(str_contains(told->raw, STR("subscriptionId\":9")));
    assert_int_equal(stdio_end(w), RC_OK);
    assert_str(json_get_str(stdio_hear(w), STR("method")), STR("notifications/cancelled"));
    assert_str(id_of(stdio_hear(w)), STR("9"));
    assert_true(stdio_is_at_end(w));
}

/* --- what is refused --- */

static void malformed_json_is_answered_without_an_id(void **state)
{
    static const char *const BAD[] = {"{", "nonsense", "{\"a\":\"\xff\"}", "{} {}"};
    stdio_world_t *w = *state;
    for (size_t i = 0; i < ROWS(BAD); i++) {
        stdio_say(w, BAD[i]);
        const json_t *answer = stdio_hear(w);
        assert_int_equal(error_of(answer), -32700);
        assert_false(str_is_set(id_of(answer)));
    }
    assert_true(stdio_write(w, STR("{\"jsonrpc\":\"2.0\",\"id\":1\0}\n")));
    assert_int_equal(error_of(stdio_hear(w)), -32700);
    assert_serves(w);
}

static void batch_is_refused(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]");
    assert_int_equal(error_of(stdio_hear(w)), -32600);
    assert_serves(w);
}

static void line_that_is_too_long(void **state)
{
    stdio_world_t *w = *state;
    char *text = arena_alloc(w->a, MCP_LINE_BYTES + 3);
    memset(text, ' ', MCP_LINE_BYTES + 2);
    text[MCP_LINE_BYTES + 1] = '\n';
    assert_true(stdio_write(w, str_of(text, MCP_LINE_BYTES + 2)));
    const json_t *answer = stdio_hear(w);
    assert_int_equal(error_of(answer), -32600);
    assert_false(str_is_set(id_of(answer)));
    memcpy(text, "{\"method\":\"ping\",\"id\":42}", 26);
    assert_true(stdio_write(w, str_of(text, MCP_LINE_BYTES + 2)));
    answer = stdio_hear(w);
    assert_int_equal(error_of(answer), -32600);
    assert_true(str_eq(id_of(answer), STR("42")));
    assert_serves(w);
}

/* It fits the line, and not what is read of one. */
static void message_of_too_many_values(void **state)
{
    static const char FRONT[] = "{\"method\":\"ping\",\"params\":{\"a\":[1";
    static const char BACK[] = "]},\"id\":\"many\"}\n";
    stdio_world_t *w = *state;
    size_t head = sizeof FRONT - 1, n = 2 * (MCP_MESSAGE_NODES + 1);
    char *text = arena_alloc(w->a, head + n + sizeof BACK);
    memcpy(text, FRONT, head);
    for (size_t i = 0; i < n; i += 2)
        memcpy(text + head + i, ",1", 2);
    memcpy(text + head + n, BACK, sizeof BACK - 1);
    assert_true(stdio_write(w, str_of(text, head + n + sizeof BACK - 1)));
    const json_t *answer = stdio_hear(w);
    assert_int_equal(error_of(answer), -32600);
    assert_true(str_eq(id_of(answer), STR("\"many\"")));
    assert_serves(w);
}

static void notifications_and_responses_are_never_answered(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unknown\"}");
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"method\":\"tools/list\"}");
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}");
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}");
    assert_serves(w);
}

static void initialize_comes_once(void **state)
{
    stdio_world_t *w = *state;
    stdio_initialize(w);
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"initialize\",\"params\":{"
                 "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
                 "\"clientInfo\":{\"name\":\"test\",\"version\":\"1\"}}}");
    assert_int_equal(error_of(stdio_hear(w)), -32600);
    assert_serves(w);
}

static void calls_before_initialize(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, STDIO_CALL("1", "hello", ""));
    assert_int_equal(error_of(stdio_hear(w)), -32600);
    stdio_say(w, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
    assert_non_null(json_get(stdio_hear(w), STR("result")));
    stdio_initialize(w);
    stdio_say(w, STDIO_CALL("3", "hello", ""));
    assert_said(w, "3", "hello");
}

static void too_many_requests_at_once_are_refused(void **state)
{
    stdio_world_t *w = *state;
    for (int i = 0; i < MCP_STDIO_OPEN; i++)
        stdio_say(w, arena_printf(w->a, STDIO_CALL_NEW("%d", "put_off", ""), i).p);
    assert_true(stdio_is_quiet(w));
    stdio_say(w, STDIO_CALL_NEW("\"more\"", "hello", ""));
    const json_t *answer = stdio_hear(w);
    assert_str(id_of(answer), STR("\"more\""));
    assert_int_equal(error_of(answer), -32603);
    stdio_finish_all();
    for (int i = 0; i < MCP_STDIO_OPEN; i++)
        assert_str(text_of(stdio_hear(w)), STR("late"));
    assert_serves(w);
}

static void initialize_that_says_too_much(void **state)
{
    stdio_world_t *w = *state;
    char *text = arena_alloc(w->a, MCP_CAPABILITIES_BYTES + 1);
    memset(text, 'x', MCP_CAPABILITIES_BYTES);
    stdio_say(w, arena_printf(w->a,
                              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
                              "\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{"
                              "\"experimental\":{\"%s\":{}}},\"clientInfo\":{\"name\":\"t\","
                              "\"version\":\"1\"}}}",
                              text)
                     .p);
    assert_int_equal(error_of(stdio_hear(w)), -32600);
    stdio_initialize(w);
    stdio_say(w, STDIO_CALL("2", "hello", ""));
    assert_said(w, "2", "hello");
}

/* --- hosts --- */

static void lines_end_as_the_host_likes(void **state)
{
    stdio_world_t *w = *state;
    assert_true(stdio_write(w, STR("\r\n\n" STDIO_CALL_NEW("1", "hello", "") "\r\n")));
    assert_said(w, "1", "hello");
    assert_true(stdio_write(w, STR(STDIO_CALL_NEW("2", "hello", ""))));
    assert_int_equal(stdio_end(w), RC_OK);
    assert_said(w, "2", "hello");
}

static void message_in_pieces(void **state)
{
    stdio_world_t *w = *state;
    str_t text = STR(STDIO_CALL_NEW("1", "hello", "") "\n");
    for (size_t i = 0; i < text.n; i++)
        assert_true(stdio_write(w, str_first(str_skip(text, i), 1)));
    assert_said(w, "1", "hello");
}

static void what_runs_at_the_end_has_a_moment(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, STDIO_CALL_NEW("1", "soon", ""));
    assert_int_equal(stdio_end(w), RC_OK);
    assert_said(w, "1", "soon");
    assert_true(stdio_is_at_end(w));
}

static void what_runs_longer_is_cancelled(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, STDIO_CALL_NEW("1", "slow", ""));
    stdio_wait(&SLOW_RUNS);
    assert_int_equal(stdio_end(w), RC_OK);
    assert_true(atomic_load(&SLOW_CANCELLED));
    assert_true(stdio_is_at_end(w));
}

/* Calls until the server takes no more; how many it took. */
static int call_until_full(stdio_world_t *w, int max)
{
    int n = 0;
    while (n < max) {
        str_t call = arena_printf(w->a, STDIO_CALL_NEW("%d", "big", "") "\n", n);
        if (!stdio_write_soon(w, call))
            return n;
        n++;
    }
    return n;
}

static void host_that_does_not_read_is_not_read_from(void **state)
{
    enum { MANY = 50000 };
    stdio_world_t *w = *state;
    int n = call_until_full(w, MANY), whole = 0;
    assert_in_range(n, 1, MANY - 1);
    /* It goes on where it was: each call is answered, those that were too many as such. */
    for (int i = 0; i < n; i++) {
        const json_t *answer = stdio_hear(w);
        whole += text_of(answer).n == STDIO_BIG_BYTES;
        assert_true(text_of(answer).n == STDIO_BIG_BYTES || error_of(answer) == -32603);
        arena_reset(w->a);
    }
    assert_true(whole > 0);
}

static void host_that_is_gone_ends_it(void **state)
{
    stdio_world_t *w = *state;
    stdio_say(w, STDIO_CALL_NEW("1", "slow", ""));
    stdio_wait(&SLOW_RUNS);
    close(w->from);
    w->from = -1;
    stdio_say(w, STDIO_CALL_NEW("2", "hello", ""));
    stdio_wait(&SLOW_CANCELLED); /* with the input still open */
    assert_int_equal(stdio_end(w), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STDIO_TEST(handshake_era),
        STDIO_TEST(stateless_era),
        STDIO_TEST(both_eras_on_one_stream),
        STDIO_TEST(answers_come_when_they_are_ready),
        STDIO_TEST(cancelled_in_the_handshake_era),
        STDIO_TEST(cancelled_in_the_stateless_era),
        STDIO_TEST(cancel_of_another_id_does_nothing),
        STDIO_TEST(progress_and_messages_come_before_the_answer),
        STDIO_TEST(question_in_the_handshake_era),
        STDIO_TEST(question_in_the_stateless_era),
        STDIO_TEST(changed_tools_are_told),
        STDIO_TEST(subscription_is_told_and_ends_with_the_stream),
        STDIO_TEST(malformed_json_is_answered_without_an_id),
        STDIO_TEST(batch_is_refused),
        STDIO_TEST(line_that_is_too_long),
        STDIO_TEST(message_of_too_many_values),
        STDIO_TEST(notifications_and_responses_are_never_answered),
        STDIO_TEST(initialize_comes_once),
        STDIO_TEST(calls_before_initialize),
        STDIO_TEST(too_many_requests_at_once_are_refused),
        STDIO_TEST(initialize_that_says_too_much),
        STDIO_TEST(lines_end_as_the_host_likes),
        STDIO_TEST(message_in_pieces),
        STDIO_TEST(what_runs_at_the_end_has_a_moment),
        STDIO_TEST(what_runs_longer_is_cancelled),
        STDIO_TEST(host_that_does_not_read_is_not_read_from),
        STDIO_TEST(host_that_is_gone_ends_it),
    };
    return cmocka_run_group_tests_name("stdio", tests, NULL, NULL);
}
