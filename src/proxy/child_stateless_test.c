/* Children of the stateless era, and how eras are told apart. */
#include "proxy/child_test_play.h"
#include "proxy/child_test_world.h"

#include <time.h>

#define RPC(id, method, params)                                                                    \
    ("{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}")
#define ASK(...)    ((child_ask_test_t){__VA_ARGS__})
#define MODERN(...) ((child_ask_test_t){.stateless = true, __VA_ARGS__})

static const char *const INITIALIZE =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
    "\"2025-11-25\"}}";

static child_world_t *begin(const char *mode, bool shared)
{
    return child_world_new((child_world_options_t){.mode = mode, .shared = shared});
}

static void a_shared_child_serves_all(void **state)
{
    child_world_t *w = begin("modern", true);
    child_answer_t *x = child_world_ask(w, MODERN(.body = RPC("\"a\"", "echo", "{\"x\":1}")));
    child_answer_t *y =
        child_world_ask(w, MODERN(.who = "bob", .worker = 1, .body = RPC("\"a\"", "echo", "{}")));
    assert_int_equal(x->status, 200);
    assert_string_equal(x->session, "");
    assert_non_null(strstr(x->body, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\""));
    assert_int_equal(child_world_number(x, "pid"), child_world_number(y, "pid"));
    assert_int_equal(child_world_trail(w, "child_started"), 1);
    child_world_free(w);
}

static void else_each_caller_has_a_child(void **state)
{
    child_world_t *w = begin("modern", false);
    long a = child_world_number(child_world_ask(w, MODERN(.body = RPC("1", "echo", "{}"))), "pid");
    long b = child_world_number(
        child_world_ask(w, MODERN(.who = "bob", .body = RPC("1", "echo", "{}"))), "pid");
    long c = child_world_number(child_world_ask(w, MODERN(.body = RPC("2", "echo", "{}"))), "pid");
    assert_int_equal(a, c);
    assert_int_not_equal(a, b);
    child_world_free(w);
}

static void who_is_gone_has_cancelled(void **state)
{
    child_world_t *w = begin("modern", true);
    child_answer_t *x = child_world_send(w, MODERN(.body = RPC("1", "hold", "{}")));
    child_world_hears(w, x, "nothing", 600); /* a stream by now, without events or ids */
    child_world_cancel(w, x);
    child_answer_t *c = child_world_ask(w, MODERN(.body = RPC("2", "cancelled", "{}")));
    assert_null(strstr(c->body, "\"cancelled\":\"\""));
    c = child_world_ask(w,
                        MODERN(.body = RPC("3", "release", "{}"))); /* the late answer is dropped */
    assert_int_equal(c->status, 200);
    assert_int_equal(child_world_log(w, "a line of a child was dropped"), 0);
    child_world_free(w);
}

static void streams_have_no_event_ids(void **state)
{
    child_world_t *w = begin("modern", true);
    child_answer_t *x = child_world_ask(
        w, MODERN(.body = RPC("1", "progress", "{\"_meta\":{\"progressToken\":\"p\"}}")));
    assert_string_equal(x->type, "text/event-stream");
    assert_int_equal(strncmp(x->body, "data: {", 7), 0);
    assert_null(strstr(x->body, "id: "));
    assert_non_null(strstr(x->body, "\"progressToken\":\"p\""));
    child_world_free(w);
}

/* GWM-009: subscriptions of two clients with the same id */
static void subscriptions_never_cross(void **state)
{
    child_world_t *w = begin("modern", true);
    const char *listen = RPC("\"s\"", "subscriptions/listen", "{\"notifications\":{}}");
    child_answer_t *a = child_world_send(w, MODERN(.body = listen));
    child_world_hear(w, a, "subscriptions/acknowledged");
    child_answer_t *b = child_world_send(w, MODERN(.who = "bob", .worker = 1, .body = listen));
    child_world_hear(w, b, "subscriptions/acknowledged");
    child_world_ask(w, MODERN(.body = RPC("1", "poke", "{}")));
    child_world_hear(w, a, "\"io.modelcontextprotocol/subscriptionId\":\"s\"},\"n\":0");
    child_world_hear(w, b, "\"io.modelcontextprotocol/subscriptionId\":\"s\"},\"n\":1");
    assert_null(strstr(a->body, "\"n\":1"));
    assert_null(strstr(b->body, "\"n\":0"));
    child_world_ask(w, MODERN(.body = RPC("2", "unlisten", "{}")));
    child_world_end(w, a);
    child_world_end(w, b);
    assert_non_null(strstr(a->body, "\"id\":\"s\",\"result\":{\"resultType\":\"complete\""));
    assert_int_equal(a->how, HTTP_OUT_DONE);
    child_world_free(w);
}

static void log_messages_go_to_their_caller_or_nobody(void **state)
{
    const char *body =
        RPC("1", "notice", "{\"method\":\"notifications/message\",\"params\":{\"data\":\"d\"}}");
    child_world_t *w = begin("modern", false);
    assert_non_null(strstr(child_world_ask(w, MODERN(.body = body))->body, "\"data\":\"d\""));
    child_world_free(w);
    w = begin("modern", true);
    assert_null(strstr(child_world_ask(w, MODERN(.body = body))->body, "\"data\":\"d\""));
    child_world_free(w);
}

static void questions_are_not_of_this_era(void **state)
{
    child_world_t *w = begin("modern", true);
    child_answer_t *x = child_world_send(w, MODERN(.body = RPC("1", "ask", "{}")));
    child_world_ask(w, MODERN(.body = RPC("2", "echo", "{}")));
    assert_false(child_world_hears(w, x, "elicitation", 100));
    assert_int_equal(child_world_log(w, "its era does not know"), 1);
    child_world_free(w);
}

static void errors_have_the_status_of_the_era(void **state)
{
    static const struct {
        const char *body;
        int status;
    } TABLE[] = {
        {RPC("1", "error", "{\"code\":-32601}"), 404},
        {RPC("1", "error", "{\"code\":-32022}"), 400},
        {RPC("1", "error", "{\"code\":-32021}"), 400},
        {RPC("1", "error", "{\"code\":-32602}"), 200},
        {RPC("1", "error", "{\"code\":-32000}"), 200},
    };
    child_world_t *w = begin("modern", true);
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        assert_int_equal(child_world_ask(w, MODERN(.body = TABLE[i].body))->status,
                         TABLE[i].status);
    child_world_free(w);
}

/* TR-26 */
static void initialize_is_told_the_versions_of_a_modern_child(void **state)
{
    for (int shared = 0; shared < 2; shared++) {
        child_world_t *w = begin("modern", shared);
        for (int i = 0; i < 2; i++) {
            child_answer_t *x = child_world_ask(w, ASK(.body = INITIALIZE));
            assert_int_equal(x->status, 400);
            assert_non_null(strstr(x->body, "\"code\":-32022"));
            assert_non_null(
                strstr(x->body, "\"supported\":[\"2026-07-28\"],\"requested\":\"2025-11-25\""));
        }
        assert_int_equal(child_world_ask(w, MODERN(.body = RPC("1", "echo", "{}")))->status, 200);
        child_world_free(w);
    }
}

static void a_child_that_keeps_to_its_first_era_serves_both(void **state)
{
    for (int i = 0; i < 4; i++) {
        child_world_t *w = begin("pinned", i % 2);
        const child_ask_test_t modern = MODERN(.body = RPC("1", "echo", "{}"));
        const child_ask_test_t legacy = ASK(.body = INITIALIZE);
        assert_int_equal(child_world_ask(w, i < 2 ? modern : legacy)->status, 200);
        assert_int_equal(child_world_ask(w, i < 2 ? legacy : modern)->status, 200);
        assert_int_equal(child_world_ask(w, modern)->status, 200);
        child_world_free(w);
    }
}

static void newer_versions_are_named(void **state)
{
    child_world_t *w = begin("newer", true);
    child_answer_t *x = child_world_ask(w, MODERN(.body = RPC("1", "echo", "{}")));
    assert_int_equal(x->status, 400);
    assert_non_null(strstr(x->body, "\"supported\":[\"2030-01-01\"],\"requested\":\"2026-07-28\""));
    child_world_free(w);
}

static void both_eras_at_once(void **state)
{
    child_world_t *w = begin("both", true);
    const char *s = child_world_open(w, NULL);
    child_answer_t *x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "echo", "{}")));
    child_answer_t *y = child_world_ask(w, MODERN(.body = RPC("1", "echo", "{}")));
    assert_int_equal(x->status, 200);
    assert_int_equal(y->status, 200);
    assert_int_not_equal(child_world_number(x, "pid"), child_world_number(y, "pid"));
    child_world_free(w);
}

static void who_dies_of_the_question_is_of_the_handshake(void **state)
{
    child_world_t *w = begin("die", false);
    child_world_open(w, NULL);
    assert_int_equal(child_world_trail(w, "child_crashed"), 1);
    child_world_free(w);
    w = begin("die", true);
    const struct timespec nap = {0, 20000000};
    for (int i = 0; i < 3000 && !child_world_is_ready(w); i++)
        nanosleep(&nap, NULL);
    assert_true(child_world_is_ready(w)); /* without a request */
    child_world_free(w);
}

static void who_is_silent_is_of_the_handshake(void **state)
{
    child_world_t *w = child_world_new((child_world_options_t){.mode = "silent", .start_s = 1});
    child_world_open(w, NULL);
    child_world_free(w);
}

int main(int argc, char **argv)
{
    child_test_play(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shared_child_serves_all),
        cmocka_unit_test(else_each_caller_has_a_child),
        cmocka_unit_test(who_is_gone_has_cancelled),
        cmocka_unit_test(streams_have_no_event_ids),
        cmocka_unit_test(subscriptions_never_cross),
        cmocka_unit_test(log_messages_go_to_their_caller_or_nobody),
        cmocka_unit_test(questions_are_not_of_this_era),
        cmocka_unit_test(errors_have_the_status_of_the_era),
        cmocka_unit_test(initialize_is_told_the_versions_of_a_modern_child),
        cmocka_unit_test(a_child_that_keeps_to_its_first_era_serves_both),
        cmocka_unit_test(newer_versions_are_named),
        cmocka_unit_test(both_eras_at_once),
        cmocka_unit_test(who_dies_of_the_question_is_of_the_handshake),
        cmocka_unit_test(who_is_silent_is_of_the_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
