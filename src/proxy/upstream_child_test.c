/* One child for each session, in the handshake era. */
#include "proxy/child_test_play.h"
#include "proxy/child_test_world.h"

#include <stdio.h>

#define RPC(id, method, params)                                                                    \
    ("{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}")
#define ASK(...) ((child_ask_test_t){__VA_ARGS__})

static int setup(void **state)
{
    *state = child_world_new((child_world_options_t){.mode = "legacy"});
    return 0;
}

static int teardown(void **state)
{
    child_world_free(*state);
    return 0;
}

static void a_session_has_a_child_of_its_own(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    assert_int_equal(strlen(a), 32);
    assert_string_not_equal(a, b);
    child_answer_t *x = child_world_ask(
        w, ASK(.session = a, .body = RPC("7", "echo", "{\"text\": \"1\\u0000 \xc3\xa9\"}")));
    child_answer_t *y = child_world_ask(
        w, ASK(.who = "bob", .session = b, .worker = 1, .body = RPC("7", "echo", "{}")));
    assert_int_equal(x->status, 200);
    assert_string_equal(x->type, "application/json");
    assert_non_null(strstr(x->body, "\"id\":7,\"result\""));
    assert_non_null(strstr(x->body, "\"got\":{\"text\": \"1\\u0000 \xc3\xa9\"}"));
    assert_null(strstr(x->body, "\"id\":7,\"got\"")); /* the child saw another id */
    assert_int_not_equal(child_world_number(x, "pid"), child_world_number(y, "pid"));
}

static void lines_of_a_body_become_one(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    child_answer_t *x = child_world_ask(
        w, ASK(.session = s, .body = "{\r\n\"jsonrpc\":\"2.0\",\n\"id\":\"a\\nb\",\n"
                                     "\"method\":\"echo\",\"params\":{\n}\r\n}"));
    assert_int_equal(x->status, 200);
    assert_non_null(strstr(x->body, "\"id\":\"a\\nb\""));
}

static void unknown_session(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, "alice");
    const char *body = RPC("1", "echo", "{}");
    assert_int_equal(child_world_ask(w, ASK(.session = "f00", .body = body))->status, 404);
    assert_int_equal(child_world_ask(w, ASK(.who = "bob", .session = s, .body = body))->status,
                     404);
    assert_int_equal(child_world_ask(w, ASK(.who = "bob", .session = s))->status, 404);
    assert_int_equal(child_world_ask(w, ASK(.who = "bob", .session = s, .delete = true))->status,
                     404);
    assert_int_equal(child_world_ask(w, ASK(.session = s, .body = body))->status, 200);
}

static void session_missing(void **state)
{
    child_world_t *w = *state;
    child_answer_t *x = child_world_ask(w, ASK(.body = RPC("1", "echo", "{}")));
    assert_int_equal(x->status, 400);
    assert_int_equal(child_world_ask(w, ASK(.body = NULL))->status, 400);
}

static void delete_ends_session_and_child(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    long pid = child_world_number(
        child_world_ask(w, ASK(.session = s, .body = RPC("1", "echo", "{}"))), "pid");
    child_answer_t *get = child_world_send(w, ASK(.session = s));
    child_answer_t *held = child_world_send(w, ASK(.session = s, .body = RPC("2", "hold", "{}")));
    assert_int_equal(child_world_ask(w, ASK(.session = s, .delete = true))->status, 200);
    child_world_end(w, get);
    child_world_end(w, held);
    assert_int_equal(get->how, HTTP_OUT_DONE);
    assert_int_equal(held->how, HTTP_OUT_LOST);
    assert_int_equal(child_world_ask(w, ASK(.session = s, .body = RPC("1", "echo", "{}")))->status,
                     404);
    assert_true(child_world_gone(pid));
    assert_true(child_world_wait_trail(w, "child_session_ended", 1));
}

static void progress_makes_a_stream(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    child_answer_t *x = child_world_ask(
        w, ASK(.session = s,
               .body = RPC("\"r\"", "progress", "{\"_meta\":{\"progressToken\":\"mine\"}}")));
    assert_int_equal(x->status, 200);
    assert_string_equal(x->type, "text/event-stream");
    assert_int_equal(strncmp(x->body, "id: 2.0\nretry: 1000\ndata: \n\nid: 2.1\ndata: ", 42), 0);
    assert_non_null(strstr(x->body, "\"progressToken\":\"mine\",\"progress\":3"));
    assert_non_null(strstr(x->body, "id: 2.4\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"r\""));
    child_answer_t *old =
        child_world_ask(w, ASK(.session = s, .version = "2025-06-18",
                               .body = RPC("1", "progress", "{\"_meta\":{\"progressToken\":5}}")));
    assert_int_equal(strncmp(old->body, "id: 3.1\ndata: {", 15), 0); /* no event without data */
}

static void a_short_wait_makes_a_stream(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    child_answer_t *x =
        child_world_ask(w, ASK(.session = s, .body = RPC("1", "wait", "{\"ms\":900}")));
    assert_string_equal(x->type, "text/event-stream");
    assert_non_null(strstr(x->body, "\"waited\":true"));
}

static void lost_connections_cancel_nothing_and_can_be_taken_up(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    child_answer_t *x = child_world_send(
        w, ASK(.session = s,
               .body = RPC("1", "progress", "{\"hold\":1,\"_meta\":{\"progressToken\":1}}")));
    child_world_hear(w, x, "\"progress\":3");
    child_world_cancel(w, x);
    child_answer_t *c = child_world_ask(w, ASK(.session = s, .body = RPC("2", "cancelled", "{}")));
    assert_non_null(strstr(c->body, "\"cancelled\":\"\""));
    child_world_ask(w, ASK(.session = s, .body = RPC("3", "release", "{}")));
    child_answer_t *again = child_world_ask(w, ASK(.session = s, .last_event = "2.2", .worker = 1));
    assert_int_equal(again->status, 200);
    assert_null(strstr(again->body, "\"progress\":2"));
    assert_non_null(strstr(again->body, "\"progress\":3"));
    assert_non_null(strstr(again->body, "\"held\":0"));
    assert_int_equal(again->how, HTTP_OUT_DONE);
}

static void taken_up_before_the_answer(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    child_answer_t *x = child_world_send(
        w, ASK(.session = s,
               .body = RPC("1", "progress", "{\"hold\":1,\"_meta\":{\"progressToken\":1}}")));
    child_world_hear(w, x, "\"progress\":3");
    child_world_cancel(w, x);
    child_answer_t *again = child_world_send(w, ASK(.session = s, .last_event = "2.3"));
    child_world_hear(w, again, "id: 2.3");
    child_world_ask(w, ASK(.session = s, .body = RPC("3", "release", "{}")));
    child_world_end(w, again);
    assert_non_null(strstr(again->body, "\"held\":0"));
}

static void unknown_event_id(void **state)
{
    static const char *const BAD[] = {"", "x", "0.1", "9.1", "1", "1.", ".1", "-1.1", "0.0.0"};
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(child_world_ask(w, ASK(.session = s, .last_event = BAD[i]))->status, 400);
    child_answer_t *good = child_world_send(w, ASK(.session = s, .last_event = "0.0"));
    child_world_hear(w, good, "id: 0.0");
}

static void get_has_what_is_not_of_a_request(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    child_answer_t *get = child_world_send(w, ASK(.session = s));
    child_world_hear(w, get, "id: 0.0");
    child_answer_t *x = child_world_ask(
        w, ASK(.session = s,
               .body = RPC("1", "notice", "{\"method\":\"notifications/tools/list_changed\"}")));
    child_world_hear(w, get, "list_changed");
    assert_string_equal(x->type, "application/json");
    child_world_cancel(w, get);
    child_world_ask(
        w, ASK(.session = s,
               .body = RPC("1", "notice", "{\"method\":\"notifications/x/list_changed\"}")));
    child_answer_t *later = child_world_send(w, ASK(.session = s, .last_event = "0.0"));
    child_world_hear(w, later, "notifications/tools/list_changed");
    child_answer_t *newer = child_world_send(w, ASK(.session = s));
    child_world_end(w, later); /* one connection a stream */
    child_world_hear(w, newer, "retry");
}

static void questions_go_with_the_call_and_answers_come_back(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    child_answer_t *x = child_world_send(w, ASK(.session = a, .body = RPC("1", "ask", "{}")));
    child_world_hear(w, x, "\"id\":\"q1\",\"method\":\"elicitation/create\"");
    const char *words = "{\"jsonrpc\":\"2.0\",\"id\":\"q1\",\"result\":{\"by\":\"bob\"}}";
    assert_int_equal(child_world_ask(w, ASK(.who = "bob", .session = b, .body = words))->status,
                     202);
    words = "{\"jsonrpc\":\"2.0\",\"id\":\"q2\",\"result\":{\"by\":\"nobody\"}}";
    assert_int_equal(child_world_ask(w, ASK(.session = a, .body = words))->status, 202);
    words = "{\"jsonrpc\":\"2.0\",\"id\":\"\\u0071\\u0031\",\"result\":{\"by\":\"alice\"}}";
    assert_int_equal(child_world_ask(w, ASK(.session = a, .body = words))->status, 202);
    child_world_end(w, x);
    assert_non_null(strstr(x->body, "\"client\":{\"by\":\"alice\"}"));
}

static void cancelled_names_the_childs_id(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, NULL);
    child_answer_t *held =
        child_world_send(w, ASK(.session = s, .body = RPC("\"h\"", "hold", "{}")));
    const char *words = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
                        "\"requestId\":\"h\"}}";
    assert_int_equal(child_world_ask(w, ASK(.session = s, .body = words))->status, 202);
    words = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
            "\"requestId\":\"other\"}}";
    assert_int_equal(child_world_ask(w, ASK(.session = s, .body = words))->status, 202);
    child_answer_t *c = child_world_ask(w, ASK(.session = s, .body = RPC("2", "cancelled", "{}")));
    const char *got = strstr(c->body, "\"cancelled\":\"");
    assert_non_null(got);
    assert_true(got[13] >= '1' && got[13] <= '9');
    assert_null(strstr(c->body, "other"));
    child_world_ask(w, ASK(.session = s, .body = RPC("3", "release", "{}")));
    child_world_end(w, held);
}

static void a_dead_childs_session_is_gone(void **state)
{
    child_world_t *w = *state;
    const char *s = child_world_open(w, "alice"), *other = child_world_open(w, "bob");
    child_answer_t *x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "crash", "{}")));
    assert_int_equal(x->status, 0);
    assert_int_equal(x->how, HTTP_OUT_LOST);
    assert_true(child_world_wait_trail(w, "child_crashed", 1));
    assert_int_equal(child_world_ask(w, ASK(.session = s, .body = RPC("1", "echo", "{}")))->status,
                     404);
    child_answer_t *y =
        child_world_ask(w, ASK(.who = "bob", .session = other, .body = RPC("1", "echo", "{}")));
    assert_int_equal(y->status, 200); /* the others live */
    child_world_open(w, "alice");     /* and who crashed it gets another at once */
}

static void stateless_requests_are_told_what_is_spoken(void **state)
{
    child_world_t *w = *state;
    child_answer_t *x =
        child_world_ask(w, ASK(.stateless = true, .body = RPC("1", "server/discover", "{}")));
    assert_int_equal(x->status, 400);
    assert_int_equal(child_world_number(x, "code"), -32022);
    assert_non_null(
        strstr(x->body, "\"supported\":[\"2025-11-25\",\"2025-06-18\",\"2025-03-26\"]"));
    assert_non_null(strstr(x->body, "\"requested\":\"2026-07-28\""));
    child_world_open(w, NULL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
    child_test_play(argc, argv);
    const struct CMUnitTest tests[] = {
        TEST(a_session_has_a_child_of_its_own),
        TEST(lines_of_a_body_become_one),
        TEST(unknown_session),
        TEST(session_missing),
        TEST(delete_ends_session_and_child),
        TEST(progress_makes_a_stream),
        TEST(a_short_wait_makes_a_stream),
        TEST(lost_connections_cancel_nothing_and_can_be_taken_up),
        TEST(taken_up_before_the_answer),
        TEST(unknown_event_id),
        TEST(get_has_what_is_not_of_a_request),
        TEST(questions_go_with_the_call_and_answers_come_back),
        TEST(cancelled_names_the_childs_id),
        TEST(a_dead_childs_session_is_gone),
        TEST(stateless_requests_are_told_what_is_spoken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
