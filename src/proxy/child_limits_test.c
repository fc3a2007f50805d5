/* Each limit of a child by its name, and after it a control that still works. */
#include "proxy/child_test_play.h"
#include "proxy/child_test_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proxy/child_keeper.h"

#define RPC(id, method, params)                                                                    \
    ("{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}")
#define ASK(...)   ((child_ask_test_t){__VA_ARGS__})
#define WORLD(...) child_world_new((child_world_options_t){__VA_ARGS__})

static const char *const INITIALIZE =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
    "\"2025-11-25\"}}";
static const char *const PLAIN = RPC("1", "echo", "{}");

static void nap_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void assert_works(child_world_t *w, const char *who, const char *session)
{
    assert_int_equal(child_world_ask(w, ASK(.who = who, .session = session, .body = PLAIN))->status,
                     200);
}

static void nothing_of_ours_is_passed_on(void **state)
{
    setenv("WARDER_SECRET", "s3cret", 1);
    child_world_t *w = WORLD(.mode = "legacy");
    const char *s = child_world_open(w, NULL);
    child_answer_t *x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "env", "{}")));
    assert_null(strstr(x->body, "s3cret"));
    assert_non_null(strstr(x->body, "\"PATH="));
    assert_non_null(strstr(x->body, "\"COLOUR=blue\""));
    assert_non_null(strstr(x->body, "\"LANG=C.UTF-8\""));
    size_t n = 0;
    for (const char *p = x->body; (p = strstr(p, ":true")) != NULL; p++)
        n++;
    assert_true(n <= 5); /* the four, and COLOUR */
    child_world_free(w);
}

static void it_stands_alone_and_dies_with_us(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy");
    const char *s = child_world_open(w, NULL);
    child_answer_t *x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "facts", "{}")));
    assert_int_equal(child_world_number(x, "fds"), 3);
    assert_int_equal(child_world_number(x, "core"), 0);
    assert_int_equal(child_world_number(x, "dead"), SIGKILL);
    assert_int_equal(child_world_number(x, "leader"), 1);
    assert_int_equal(child_world_number(x, "nnp"), 1);
    assert_int_equal(child_world_number(x, "blocked"), 0);
    assert_int_equal(child_world_number(x, "pipe"), 1);
    assert_non_null(strstr(x->body, "\"cwd\":\"/\""));
    child_world_free(w);
}

/* Under a sanitizer this program cannot run with little memory, so a shell does. */
static void memory_mb(void **state)
{
    static const char *const HOG[] = {
        "sh", "-c",
        "read a; x=$(head -c 60000000 /dev/zero | tr '\\0' x); "
        "echo '{\"jsonrpc\":\"2.0\",\"id\":1024,\"error\":{\"code\":1,\"message\":\"m\"}}'; read "
        "a; "
        "echo '{\"jsonrpc\":\"2.0\",\"id\":2048,\"result\":{\"protocolVersion\":\"2025-11-25\"}}'; "
        "read a; read a",
        NULL};
    child_world_t *w = WORLD(.command = HOG, .memory_mb = 32);
    assert_true(child_world_wait_trail(w, "child_crashed", 1));
    child_world_free(w);
    w = WORLD(.command = HOG, .memory_mb = 1024);
    assert_int_equal(child_world_ask(w, ASK(.body = INITIALIZE))->status, 200);
    assert_int_equal(child_world_trail(w, "child_crashed"), 0);
    child_world_free(w);
}

static void command_not_found(void **state)
{
    static const char *const NONE[] = {"warder-no-such-program", NULL};
    child_world_t *w = WORLD(.command = NONE);
    child_answer_t *x = child_world_ask(w, ASK(.body = INITIALIZE));
    assert_int_equal(x->status, 503);
    assert_string_equal(x->retry, "1");
    assert_true(child_world_trail(w, "child_not_started") >= 1);
    assert_true(child_world_log(w, "the command is not in PATH") >= 1);
    assert_false(child_world_is_ready(w));
    child_world_free(w);
}

static void delays_grow(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy broken");
    for (int i = 0; i < 60; i++) {
        child_world_ask(w, ASK(.body = INITIALIZE));
        nap_ms(50);
    }
    /* In 3 s: the question, then starts after 0.5, 1 and 2 s, each with a question before it. */
    unsigned starts = child_world_trail(w, "started");
    if (starts < 3 || starts > 8)
        fail_msg("%u starts", starts);
    assert_false(child_world_is_ready(w));
    child_world_free(w);
}

static void start_s(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy slow-start", .start_s = 1);
    child_answer_t *x = child_world_ask(w, ASK(.body = INITIALIZE));
    assert_int_equal(x->how, HTTP_OUT_LOST);
    assert_int_equal(child_world_ask(w, ASK(.body = INITIALIZE))->status, 503);
    assert_true(child_world_wait_trail(w, "child_slow", 1));
    child_world_free(w);
}

/* Who makes the own child fail at its start holds nobody else up, once it is known to work. */
static void failures_of_one_caller(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy crash-on-request");
    child_world_open(w, "bob");
    const char *bad = RPC("1", "initialize", "{\"protocolVersion\":\"crash\"}");
    for (int i = 0; i < 3; i++)
        assert_int_equal(child_world_ask(w, ASK(.who = "mallory", .body = bad))->how,
                         HTTP_OUT_LOST);
    assert_true(child_world_wait_trail(w, "child_crashed", 3));
    assert_true(child_world_is_ready(w));
    child_world_open(w, "alice");
    child_world_free(w);
}

/* Whoever asks for readiness sends no requests as long as there is none. */
static void readiness_comes_back_by_itself(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy", .shared = true);
    const char *s = child_world_open(w, NULL);
    child_world_ask(w, ASK(.session = s, .body = RPC("1", "crash", "{}")));
    assert_true(child_world_wait_trail(w, "child_crashed", 1));
    assert_false(child_world_is_ready(w));
    for (int i = 0; i < 600 && !child_world_is_ready(w); i++)
        nap_ms(50);
    assert_true(child_world_is_ready(w));
    child_world_free(w);
}

static void refused_handshake(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy refuse");
    child_answer_t *x = child_world_ask(w, ASK(.body = INITIALIZE));
    assert_int_equal(x->status, 200);
    assert_non_null(strstr(x->body, "\"code\":-32602"));
    assert_string_equal(x->session, "");
    assert_true(child_world_wait_trail(w, "child_refused", 1));
    child_world_free(w);
}

static void message_bytes(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy", .message_bytes = 100000);
    const char *s = child_world_open(w, NULL);
    child_answer_t *x =
        child_world_ask(w, ASK(.session = s, .body = RPC("1", "huge", "{\"n\":99900}")));
    assert_int_equal(x->status, 200);
    assert_true(x->n > 99900);
    x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "huge", "{\"n\":3000000}")));
    assert_non_null(strstr(x->body, "\"code\":-32603"));
    assert_int_equal(child_world_log(w, "a line is too long"), 1);
    assert_works(w, NULL, s);
    child_world_free(w);
}

static void a_line_without_end(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy", .message_bytes = 100000);
    const char *s = child_world_open(w, "alice"), *other = child_world_open(w, "bob");
    child_answer_t *x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "endless", "{}")));
    assert_int_equal(x->how, HTTP_OUT_LOST);
    assert_true(child_world_wait_trail(w, "child_crashed", 1));
    assert_works(w, "bob", other);
    child_world_free(w);
}

static void malformed_lines(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy");
    const char *s = child_world_open(w, NULL);
    child_answer_t *x =
        child_world_ask(w, ASK(.session = s, .body = RPC("1", "malformed", "{\"n\":50}")));
    assert_int_equal(x->status, 200);
    assert_works(w, NULL, s);
    assert_int_equal(child_world_log(w, "a line of a child was dropped"), 10);
    x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "odd", "{}")));
    assert_int_equal(child_world_number(x, "code"), -32603);
    x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "malformed", "{\"n\":60}")));
    assert_int_equal(x->how, HTTP_OUT_LOST);
    assert_true(child_world_wait_trail(w, "child_malformed", 1));
    assert_works(w, NULL, child_world_open(w, NULL));
    child_world_free(w);
}

static void stderr_without_end(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy");
    const char *s = child_world_open(w, NULL);
    child_world_ask(w, ASK(.session = s, .body = RPC("1", "stderr", "{\"n\":20000}")));
    assert_works(w, NULL, s);
    unsigned lines = child_world_log(w, "of the child");
    if (lines < 90 || lines > 150)
        fail_msg("%u lines", lines);
    assert_int_equal(child_world_log(w, "\\u001b"), 0);
    assert_int_equal(child_world_log(w, "\x1b"), 0);
    child_world_free(w);
}

static void max_children(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy", .max_children = 2);
    const char *a = child_world_open(w, "alice");
    const char *b = child_world_open(w, "bob");
    child_answer_t *x = child_world_ask(w, ASK(.who = "carol", .body = INITIALIZE));
    assert_int_equal(x->status, 503);
    assert_string_not_equal(x->retry, "");
    assert_works(w, "alice", a);
    assert_works(w, "bob", b);
    assert_int_equal(child_world_ask(w, ASK(.session = a, .delete = true))->status, 200);
    assert_true(child_world_wait_trail(w, "child_session_ended", 1));
    nap_ms(100);
    child_world_open(w, "carol");
    child_world_free(w);
}

/* One caller holds half of them at most: its oldest session makes room. */
static void sessions_of_one_caller(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy", .max_children = 4);
    const char *first = child_world_open(w, "alice");
    const char *second = child_world_open(w, "alice");
    const char *third = child_world_open(w, "alice");
    assert_int_equal(child_world_ask(w, ASK(.session = first, .body = PLAIN))->status, 404);
    assert_works(w, "alice", second);
    assert_works(w, "alice", third);
    assert_true(child_world_wait_trail(w, "child_session_replaced", 1));
    child_world_free(w);
}

static void starts_of_one_caller(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy", .max_children = 60, .starts_per_minute = 24);
    child_answer_t *x = NULL;
    int good = 0;
    for (int i = 0; i < 16; i++) {
        x = child_world_ask(w, ASK(.body = INITIALIZE));
        good += x->status == 200;
    }
    assert_int_equal(x->status, 503);
    assert_true(atoi(x->retry) >= 1);
    assert_in_range(good, 12, 14);
    child_world_open(w, "bob");
    child_world_free(w);
}

static void idle_s(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy", .idle_s = 1);
    const char *a = child_world_open(w, "alice"), *b = child_world_open(w, "bob");
    child_answer_t *get = child_world_send(w, ASK(.who = "bob", .session = b));
    child_world_hear(w, get, "retry");
    assert_true(child_world_wait_trail(w, "child_idle", 1));
    assert_int_equal(child_world_ask(w, ASK(.session = a, .body = PLAIN))->status, 404);
    nap_ms(1500);
    assert_works(w, "bob", b); /* whose stream is open */
    child_world_free(w);
}

static void a_shared_child_is_idle_only_without_calls(void **state)
{
    child_world_t *w = WORLD(.mode = "modern", .shared = true, .idle_s = 1);
    child_answer_t *x =
        child_world_send(w, ASK(.stateless = true, .body = RPC("1", "subscriptions/listen", "{}")));
    child_world_hear(w, x, "acknowledged");
    nap_ms(1600);
    assert_int_equal(child_world_trail(w, "child_idle"), 0);
    child_world_cancel(w, x);
    assert_true(child_world_wait_trail(w, "child_idle", 1));
    x = child_world_ask(w, ASK(.stateless = true, .body = PLAIN));
    assert_int_equal(x->status, 200);
    child_world_free(w);
}

static void grandchildren_end_with_it(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy");
    const char *s = child_world_open(w, NULL);
    child_answer_t *x = child_world_ask(w, ASK(.session = s, .body = RPC("1", "fork", "{}")));
    long pid = child_world_number(x, "pid");
    assert_int_equal(kill((pid_t)pid, 0), 0);
    child_world_ask(w, ASK(.session = s, .body = RPC("1", "crash", "{}")));
    assert_true(child_world_gone(pid));
    child_world_free(w);
}

static void sigterm_and_end_of_input_ignored(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy deaf");
    const char *s = child_world_open(w, NULL);
    long pid = child_world_number(child_world_ask(w, ASK(.session = s, .body = PLAIN)), "pid");
    assert_int_equal(child_world_ask(w, ASK(.session = s, .delete = true))->status, 200);
    assert_true(child_world_wait_trail(w, "child_session_ended", 1));
    assert_true(child_world_log(w, "signal 9") >= 1);
    assert_true(child_world_gone(pid));
    child_world_free(w);
}

/* Nobody waits for the children of settings that were replaced; they end all the same. */
static void replaced_settings(void **state)
{
    struct timespec a, b;
    child_world_t *w = WORLD(.mode = "legacy deaf");
    const char *s = child_world_open(w, NULL);
    long pid = child_world_number(child_world_ask(w, ASK(.session = s, .body = PLAIN)), "pid");
    child_answer_t *get = child_world_send(w, ASK(.session = s));
    child_world_hear(w, get, "retry");
    child_world_cancel(w, get);
    clock_gettime(CLOCK_MONOTONIC, &a);
    child_world_replace(w);
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true(b.tv_sec - a.tv_sec < 2);
    assert_int_equal(child_world_trail(w, "child_stopped"), 1);
    assert_true(child_world_gone(pid));
    child_world_free(w);
}

/* A child of its own waits until its client reads on. */
static void back_pressure(void **state)
{
    child_world_t *w = WORLD(.mode = "legacy");
    const char *s = child_world_open(w, NULL);
    const char *flood = RPC("1", "flood", "{\"n\":4000,\"_meta\":{\"progressToken\":1}}");
    child_answer_t *x = child_world_send(w, ASK(.session = s, .paused = true, .body = flood));
    nap_ms(1000);
    child_answer_t *y = child_world_send(w, ASK(.session = s, .body = RPC("2", "echo", "{}")));
    assert_false(child_world_hears(w, y, "\"got\"", 2500)); /* it is stuck in writing */
    assert_false(x->ended);
    child_world_resume(w, x);
    child_world_end(w, x);
    child_world_end(w, y);
    assert_true(x->n > 4000 * 1000);
    assert_int_equal(x->how, HTTP_OUT_DONE);
    child_world_free(w);
}

/* One that others share does not wait for long. */
static void back_pressure_of_a_shared_child(void **state)
{
    child_world_t *w = WORLD(.mode = "modern", .shared = true);
    const char *flood = RPC("1", "flood", "{\"n\":4000,\"_meta\":{\"progressToken\":1}}");
    child_answer_t *x = child_world_send(w, ASK(.stateless = true, .paused = true, .body = flood));
    nap_ms(500);
    child_answer_t *y = child_world_ask(w, ASK(.who = "bob", .stateless = true, .body = PLAIN));
    assert_int_equal(y->status, 200);
    child_world_resume(w, x);
    child_world_end(w, x);
    assert_int_equal(x->how, HTTP_OUT_BROKEN);
    child_world_free(w);
}

static void too_many_requests_of_one_caller(void **state)
{
    child_world_t *w = WORLD(.mode = "modern", .shared = true);
    static child_answer_t *held[CHILD_FLIGHTS_PER_CALLER];
    child_world_ask(w, ASK(.stateless = true, .body = PLAIN));
    for (size_t i = 0; i < CHILD_FLIGHTS_PER_CALLER; i++)
        held[i] = child_world_send(w, ASK(.stateless = true, .body = RPC("1", "hold", "{}")));
    child_answer_t *x = child_world_ask(w, ASK(.stateless = true, .body = PLAIN));
    assert_int_equal(x->status, 503);
    x = child_world_ask(w, ASK(.who = "bob", .stateless = true, .body = PLAIN));
    assert_int_equal(x->status, 200);
    child_world_cancel(w, held[0]);
    x = child_world_ask(w, ASK(.stateless = true, .body = PLAIN));
    assert_int_equal(x->status, 200);
    child_world_free(w);
}

static void too_many_requests(void **state)
{
    static const char *const WHO[] = {"a", "b", "c", "d"};
    child_world_t *w = WORLD(.mode = "modern", .shared = true);
    child_world_ask(w, ASK(.stateless = true, .body = PLAIN));
    for (size_t i = 0; i < CHILD_FLIGHTS_MAX; i++)
        child_world_send(w,
                         ASK(.who = WHO[i % 4], .stateless = true, .body = RPC("1", "hold", "{}")));
    child_answer_t *x = child_world_ask(w, ASK(.who = "e", .stateless = true, .body = PLAIN));
    assert_int_equal(x->status, 503);
    child_world_free(w);
}

static void what_the_child_does_not_read(void **state)
{
    static char body[1 << 20];
    child_world_t *w = WORLD(.mode = "modern", .shared = true);
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"x\":\"%0900000d\"}}",
             0);
    child_answer_t *x =
        child_world_send(w, ASK(.stateless = true, .body = RPC("1", "wait", "{\"ms\":4000}")));
    nap_ms(100);
    child_answer_t *last = NULL;
    for (int i = 0; i < 12; i++)
        last = child_world_send(w, ASK(.stateless = true, .body = body));
    child_world_end(w, last);
    assert_int_equal(last->status, 503);
    child_world_end(w, x);
    assert_int_equal(child_world_ask(w, ASK(.stateless = true, .body = PLAIN))->status, 200);
    child_world_free(w);
}

int main(int argc, char **argv)
{
    child_test_play(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_ours_is_passed_on),
        cmocka_unit_test(it_stands_alone_and_dies_with_us),
        cmocka_unit_test(memory_mb),
        cmocka_unit_test(command_not_found),
        cmocka_unit_test(delays_grow),
        cmocka_unit_test(start_s),
        cmocka_unit_test(failures_of_one_caller),
        cmocka_unit_test(readiness_comes_back_by_itself),
        cmocka_unit_test(refused_handshake),
        cmocka_unit_test(message_bytes),
        cmocka_unit_test(a_line_without_end),
        cmocka_unit_test(malformed_lines),
        cmocka_unit_test(stderr_without_end),
        cmocka_unit_test(max_children),
        cmocka_unit_test(sessions_of_one_caller),
        cmocka_unit_test(starts_of_one_caller),
        cmocka_unit_test(idle_s),
        cmocka_unit_test(a_shared_child_is_idle_only_without_calls),
        cmocka_unit_test(grandchildren_end_with_it),
        cmocka_unit_test(sigterm_and_end_of_input_ignored),
        cmocka_unit_test(back_pressure),
        cmocka_unit_test(back_pressure_of_a_shared_child),
        cmocka_unit_test(too_many_requests_of_one_caller),
        cmocka_unit_test(too_many_requests),
        cmocka_unit_test(what_the_child_does_not_read),
        /* The last: its thread, which nobody waits for, may outlive it. */
        cmocka_unit_test(replaced_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
