/* One child for all sessions, in the handshake era: what is one caller's never reaches another. */
#include "proxy/child_test_play.h"
#include "proxy/child_test_world.h"

#define RPC(id, method, params)                                                                    \
    ("{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}")
#define ASK(...) ((child_ask_test_t){__VA_ARGS__})

static int setup(void **state)
{
    *state = child_world_new((child_world_options_t){.mode = "legacy", .shared = true});
    return 0;
}

static int teardown(void **state)
{
    child_world_free(*state);
    return 0;
}

static void all_sessions_have_one_child(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    child_answer_t *x = child_world_ask(w, ASK(.session = a, .body = RPC("1", "echo", "{}")));
    child_answer_t *y =
        child_world_ask(w, ASK(.who = "bob", .session = b, .body = RPC("1", "echo", "{}")));
    assert_string_not_equal(a, b);
    assert_int_equal(child_world_number(x, "pid"), child_world_number(y, "pid"));
    assert_int_equal(child_world_trail(w, "child_started"), 1);
}

static void initialize_is_answered_in_the_version_that_fits(void **state)
{
    child_world_t *w = *state;
    child_answer_t *x = child_world_ask(
        w, ASK(.body = RPC("\"i\"", "initialize", "{\"protocolVersion\":\"2025-06-18\"}")));
    assert_int_equal(x->status, 200);
    assert_non_null(strstr(x->body, "\"id\":\"i\""));
    assert_non_null(strstr(x->body, "\"protocolVersion\":\"2025-06-18\""));
    assert_non_null(strstr(x->body, "\"name\":\"play\""));
    x = child_world_ask(w, ASK(.body = RPC("2", "initialize", "{\"protocolVersion\":\"1999\"}")));
    assert_non_null(strstr(x->body, "\"protocolVersion\":\"2025-11-25\""));
}

/* GWM-009 */
static void two_clients_with_the_same_id_never_cross(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    child_answer_t *x = child_world_send(w, ASK(.session = a, .body = RPC("1", "hold", "{}")));
    child_world_ask(w, ASK(.session = a, .body = RPC("2", "echo", "{}")));
    child_answer_t *y = child_world_send(
        w, ASK(.who = "bob", .worker = 1, .session = b, .body = RPC("1", "hold", "{}")));
    child_world_ask(w,
                    ASK(.who = "bob", .worker = 1, .session = b, .body = RPC("2", "echo", "{}")));
    child_world_ask(w, ASK(.session = a, .body = RPC("3", "release", "{}")));
    child_world_end(w, x);
    child_world_end(w, y);
    assert_non_null(strstr(x->body, "\"id\":1,\"result\":{\"held\":0}"));
    assert_non_null(strstr(y->body, "\"id\":1,\"result\":{\"held\":1}"));
}

static void same_progress_token_never_crosses(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    const char *body = RPC("1", "progress", "{\"hold\":1,\"_meta\":{\"progressToken\":\"t\"}}");
    child_answer_t *x = child_world_send(w, ASK(.session = a, .body = body));
    child_world_hear(w, x, "\"progressToken\":\"t\",\"progress\":3");
    size_t n = x->n;
    child_answer_t *y = child_world_send(w, ASK(.who = "bob", .session = b, .body = body));
    child_world_hear(w, y, "\"progressToken\":\"t\",\"progress\":3");
    assert_int_equal(x->n, n); /* nothing of bob's */
    child_world_ask(w, ASK(.session = a, .body = RPC("3", "release", "{}")));
    child_world_end(w, x);
    child_world_end(w, y);
}

static void cancelling_reaches_ones_own_requests_only(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    const char *words = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
                        "\"requestId\":1}}";
    child_answer_t *x = child_world_send(w, ASK(.session = a, .body = RPC("1", "hold", "{}")));
    child_world_ask(w, ASK(.session = a, .body = RPC("2", "echo", "{}")));
    assert_int_equal(child_world_ask(w, ASK(.who = "bob", .session = b, .body = words))->status,
                     202);
    child_answer_t *c = child_world_ask(w, ASK(.session = a, .body = RPC("3", "cancelled", "{}")));
    assert_non_null(strstr(c->body, "\"cancelled\":\"\""));
    assert_int_equal(child_world_ask(w, ASK(.session = a, .body = words))->status, 202);
    c = child_world_ask(w, ASK(.session = a, .body = RPC("3", "cancelled", "{}")));
    assert_null(strstr(c->body, "\"cancelled\":\"\""));
    child_world_ask(w, ASK(.session = a, .body = RPC("4", "release", "{}")));
    child_world_end(w, x);
}

static void the_childs_questions_reach_nobody(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    child_answer_t *get = child_world_send(w, ASK(.who = "bob", .session = b));
    child_answer_t *x = child_world_ask(w, ASK(.session = a, .body = RPC("1", "ask", "{}")));
    assert_null(strstr(x->body, "elicitation"));
    assert_non_null(strstr(x->body, "\"code\":-32601"));
    assert_false(child_world_hears(w, get, "elicitation", 200));
}

static void of_notifications_only_changed_lists_reach_all(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    child_answer_t *get = child_world_send(w, ASK(.who = "bob", .session = b));
    child_world_hear(w, get, "retry");
    child_world_ask(w, ASK(.session = a, .body = RPC("1", "notice",
                                                     "{\"method\":\"notifications/message\","
                                                     "\"params\":{\"data\":\"alice's\"}}")));
    const char *changed = RPC("1", "notice", "{\"method\":\"notifications/tools/list_changed\"}");
    child_answer_t *x = child_world_ask(w, ASK(.session = a, .body = changed));
    child_world_hear(w, get, "list_changed");
    assert_null(strstr(get->body, "alice"));
    assert_non_null(strstr(x->body, "list_changed")); /* whose GET is not open */
    child_world_ask(w, ASK(.who = "bob", .session = b, .body = changed));
    child_answer_t *own = child_world_send(w, ASK(.session = a));
    child_world_hear(w, own, "list_changed"); /* kept until somebody listens */
}

static void updates_reach_who_subscribed(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    const char *news = RPC("9", "notice",
                           "{\"method\":\"notifications/resources/updated\",\"params\":{"
                           "\"uri\":\"x:1\"}}");
    child_answer_t *get_a = child_world_send(w, ASK(.session = a));
    child_answer_t *get_b = child_world_send(w, ASK(.who = "bob", .session = b));
    child_world_ask(
        w, ASK(.session = a, .body = RPC("1", "resources/subscribe", "{\"uri\":\"x:1\"}")));
    child_world_ask(w, ASK(.who = "bob", .session = b, .body = news));
    child_world_hear(w, get_a, "x:1");
    assert_false(child_world_hears(w, get_b, "x:1", 100));
    child_world_ask(w, ASK(.who = "bob", .session = b,
                           .body = RPC("1", "resources/subscribe", "{\"uri\":\"x:1\"}")));
    child_answer_t *x = child_world_ask(
        w, ASK(.session = a, .body = RPC("2", "resources/unsubscribe", "{\"uri\":\"x:1\"}")));
    assert_non_null(strstr(x->body, "\"id\":2,\"result\":{}")); /* bob still wants it */
    x = child_world_ask(w, ASK(.who = "bob", .session = b,
                               .body = RPC("2", "resources/unsubscribe", "{\"uri\":\"x:1\"}")));
    assert_non_null(strstr(x->body, "pid")); /* the last one is passed on */
}

static void a_crash_ends_all_sessions_and_the_next_start_waits(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    const char *initialize = RPC("1", "initialize", "{\"protocolVersion\":\"2025-11-25\"}");
    assert_true(child_world_is_ready(w));
    child_world_ask(w, ASK(.session = a, .body = RPC("1", "crash", "{}")));
    assert_true(child_world_wait_trail(w, "child_crashed", 1));
    assert_false(child_world_is_ready(w));
    assert_int_equal(
        child_world_ask(w, ASK(.who = "bob", .session = b, .body = RPC("1", "echo", "{}")))->status,
        404);
    child_answer_t *x = child_world_ask(w, ASK(.body = initialize));
    assert_int_equal(x->status, 503);
    assert_string_equal(x->retry, "1");
    for (int i = 0; i < 100 && x->status == 503; i++) {
        x = child_world_ask(w, ASK(.body = RPC("1", "initialize", "{}")));
        child_world_hears(w, x, "nothing", 20);
    }
    assert_int_equal(x->status, 200);
    assert_int_equal(child_world_trail(w, "child_restarted"), 1);
    assert_true(child_world_is_ready(w));
}

static void a_deleted_session_takes_its_requests_with_it(void **state)
{
    child_world_t *w = *state;
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    child_answer_t *x = child_world_send(w, ASK(.session = a, .body = RPC("1", "hold", "{}")));
    child_world_ask(w, ASK(.session = a, .body = RPC("2", "echo", "{}")));
    assert_int_equal(child_world_ask(w, ASK(.session = a, .delete = true))->status, 200);
    child_world_end(w, x);
    child_answer_t *c =
        child_world_ask(w, ASK(.who = "bob", .session = b, .body = RPC("1", "cancelled", "{}")));
    assert_null(strstr(c->body, "\"cancelled\":\"\""));
    assert_int_equal(c->status, 200); /* bob's goes on */
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
    child_test_play(argc, argv);
    const struct CMUnitTest tests[] = {
        TEST(all_sessions_have_one_child),
        TEST(initialize_is_answered_in_the_version_that_fits),
        TEST(two_clients_with_the_same_id_never_cross),
        TEST(same_progress_token_never_crosses),
        TEST(cancelling_reaches_ones_own_requests_only),
        TEST(the_childs_questions_reach_nobody),
        TEST(of_notifications_only_changed_lists_reach_all),
        TEST(updates_reach_who_subscribed),
        TEST(a_crash_ends_all_sessions_and_the_next_start_waits),
        TEST(a_deleted_session_takes_its_requests_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
