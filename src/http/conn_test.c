/* The life of a connection: limits in time, clients that end or vanish, wires that wait. */
#include "http/http_test_wire.h"

#include <stdio.h>

static struct {
    http_exchange_t *held;
    int handled, gone;
} seen;

static void hello(http_exchange_t *x)
{
    seen.handled++;
    http_reply(x, 200, HTTP_NO_HEADERS, STR("hello"));
}

static void told_gone(void *ctx, http_exchange_t *x)
{
    seen.gone++;
    assert_true(http_exchange_is_gone(x));
    if (ctx)
        http_reply(x, 200, HTTP_NO_HEADERS, STR("nobody hears"));
}

static void hold(http_exchange_t *x)
{
    seen.held = x;
    assert_false(http_exchange_is_gone(x));
    http_exchange_on_gone(x, told_gone, NULL);
}

static void give_up(http_exchange_t *x)
{
    http_exchange_on_gone(x, told_gone, &seen);
}

static void body(http_exchange_t *x)
{
    http_reply(x, 200, HTTP_NO_HEADERS, x->body);
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/hello"), HTTP_M(GET), hello},
    {STR_INIT("/hold"), HTTP_M(GET), hold},
    {STR_INIT("/give-up"), HTTP_M(GET), give_up},
    {STR_INIT("/body"), HTTP_M(POST), body, 200000, .flags = HTTP_ROUTE_ANY_TYPE},
};
static const http_app_t APP = {.routes = {ROUTES, 4}};

static test_wire_t t;

static int begin(void **state)
{
    memset(&seen, 0, sizeof seen);
    test_wire_begin(&t, &APP);
    return 0;
}

static int end(void **state)
{
    test_wire_end(&t);
    return 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a.test\r\n\r\n"
#define say(text) test_wire_say(&t, STR(text))

static void a_slow_head_is_408(void **state)
{
    say("GET /");
    for (int i = 0; i < 9; i++) { /* drops do not buy time */
        test_wire_pass(&t, TEST_WIRE_MS / 10);
        say("a");
        assert_non_null(t.conn);
    }
    test_wire_pass(&t, TEST_WIRE_MS / 10);
    assert_heard(&t, "HTTP/1.1 408 ");
    assert_heard(&t, "Connection: close");
    assert_null(t.conn);
}

static void a_slow_body_is_408(void **state)
{
    say("POST /body HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; i < 9; i++) {
        test_wire_pass(&t, TEST_WIRE_MS / 10);
        say("b");
    }
    assert_non_null(t.conn);
    test_wire_pass(&t, TEST_WIRE_MS / 10);
    assert_heard(&t, "HTTP/1.1 408 ");
    assert_null(t.conn);
}

static void a_silent_connection_is_closed_without_a_word(void **state)
{
    test_wire_pass(&t, TEST_WIRE_MS - 1);
    assert_non_null(t.conn);
    test_wire_pass(&t, 1);
    assert_null(t.conn);
    assert_false(t.aborted);
    assert_int_equal(t.out_n, 0);
}

static void an_idle_connection_is_closed_after_its_time(void **state)
{
    say(GET("/hello"));
    test_wire_pass(&t, TEST_WIRE_MS - 1);
    assert_non_null(t.conn);
    test_wire_pass(&t, 1);
    assert_null(t.conn);
    assert_int_equal(test_count(test_wire_heard(&t), STR("HTTP/1.1 ")), 1);
}

static void a_handler_has_all_the_time(void **state)
{
    say(GET("/hold"));
    test_wire_pass(&t, 100 * TEST_WIRE_MS);
    assert_non_null(t.conn);
    http_reply(seen.held, 200, HTTP_NO_HEADERS, STR("late"));
    assert_heard(&t, "late");
}

static void a_reader_that_takes_nothing_is_cut(void **state)
{
    t.window = 10;
    say(GET("/hello"));
    assert_int_equal(t.out_n, 10);
    test_wire_pass(&t, TEST_WIRE_MS);
    assert_null(t.conn);
    assert_true(t.aborted);
}

static void a_slow_reader_is_not_cut(void **state)
{
    t.window = 10;
    say(GET("/hello"));
    for (int i = 0; i < 20 && t.pending_n; i++) {
        test_wire_pass(&t, TEST_WIRE_MS - 1);
        test_wire_take(&t, 10);
        test_wire_pass(&t, 1);
        assert_non_null(t.conn);
    }
    assert_true(str_ends(test_wire_heard(&t), STR("\r\n\r\nhello")));
    assert_int_equal(t.conn->phase, HTTP_PHASE_HEAD);
}

static void a_request_waits_for_the_answer_before_it(void **state)
{
    t.window = 10;
    say(GET("/hello") GET("/hello"));
    assert_int_equal(seen.handled, 1);
    test_wire_take(&t, SIZE_MAX);
    assert_int_equal(seen.handled, 2);
    assert_int_equal(test_count(test_wire_heard(&t), STR("\r\n\r\nhello")), 2);
}

static void a_client_that_ended_its_side_gets_all_answers(void **state)
{
    say(GET("/hold") GET("/hello") GET("/hello"));
    test_wire_finish(&t);
    assert_non_null(t.conn);
    http_reply(seen.held, 200, HTTP_NO_HEADERS, STR("held"));
    str_t all = test_wire_heard(&t);
    assert_int_equal(test_count(all, STR("HTTP/1.1 200 OK")), 3);
    assert_int_equal(test_count(all, STR("Connection: close")), 1);
    assert_true(str_ends(all, STR("Connection: close\r\n\r\nhello")));
    assert_null(t.conn);
    assert_false(t.aborted);
}

static void an_end_inside_a_head_is_an_end(void **state)
{
    say("GET /hello HTTP/1.1\r\nHo");
    test_wire_finish(&t);
    assert_null(t.conn);
    assert_int_equal(t.out_n, 0);
}

static void an_end_inside_a_body_is_an_end(void **state)
{
    say("POST /body HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nabc");
    test_wire_finish(&t);
    assert_null(t.conn);
    assert_int_equal(t.out_n, 0);
}

static void an_end_inside_a_chunk_is_an_end(void **state)
{
    say("POST /body HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc");
    test_wire_finish(&t);
    assert_null(t.conn);
    assert_int_equal(t.out_n, 0);
}

static void a_gone_client_is_told_once(void **state)
{
    say(GET("/hold"));
    test_wire_break(&t);
    assert_int_equal(seen.gone, 1);
    assert_int_equal(t.hub.conn_count, 1);
    http_hub_cut(&t.hub);
    assert_int_equal(seen.gone, 1);
    http_reply(seen.held, 200, HTTP_NO_HEADERS, STR("x"));
    assert_int_equal(t.hub.conn_count, 0);
}

static void the_gone_hook_may_answer(void **state)
{
    say(GET("/give-up"));
    test_wire_break(&t);
    assert_int_equal(seen.gone, 1);
    assert_int_equal(t.hub.conn_count, 0);
    assert_int_equal(t.out_n, 0);
}

static void a_dead_wire_ends_the_exchange(void **state)
{
    t.dead = true;
    say(GET("/hello"));
    assert_int_equal(seen.handled, 1);
    assert_true(t.aborted);
    assert_int_equal(t.hub.conn_count, 0);
}

static void a_body_of_any_length_comes_whole(void **state)
{
    static char text[150000];
    static const size_t lengths[] = {1, 1000, HTTP_BLOCK_IN - 100, HTTP_BLOCK_IN, 150000};
    memset(text, 'b', sizeof text);
    for (size_t i = 0; i < 5; i++) {
        char head[128];
        int n = snprintf(head, sizeof head,
                         "POST /body HTTP/1.1\r\nHost: a.test\r\nContent-Length: %zu\r\n\r\n",
                         lengths[i]);
        size_t before = t.out_n;
        test_wire_say(&t, str_of(head, (size_t)n));
        test_wire_say(&t, str_of(text, lengths[i]));
        assert_true(t.out_n > before + lengths[i]);
        assert_int_equal(t.conn->phase, HTTP_PHASE_HEAD);
        assert_int_equal(t.conn->have, 0);
    }
}

/* Pipelined bytes fill the block and no more, however many come. */
static void a_flood_behind_a_held_request_stops_the_reading(void **state)
{
    static char flood[2 * HTTP_BLOCK_IN];
    const size_t one = sizeof GET("/hello") - 1;
    for (size_t i = 0; i + one <= sizeof flood; i += one)
        memcpy(flood + i, GET("/hello"), one);
    say(GET("/hold"));
    test_wire_say(&t, str_of(flood, sizeof flood));
    assert_true(t.paused);
    assert_int_equal(t.conn->have, HTTP_BLOCK_IN);
    assert_int_equal(seen.handled, 0);
    http_reply(seen.held, 200, HTTP_NO_HEADERS, STR("held"));
    assert_false(t.paused);
    assert_true(seen.handled > 500);
}

static void an_idle_connection_keeps_no_block(void **state)
{
    say(GET("/hello"));
    assert_null(t.conn->block);
    assert_int_equal(t.hub.block_count, 1);
    say("G");
    assert_non_null(t.conn->block);
    assert_int_equal(t.hub.block_count, 0);
}

/* Tokens and passwords of one request are not found in the block of the next. */
static void a_free_block_keeps_nothing_that_was_said(void **state)
{
    say("POST /body HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\n\r\nsecret" GET("/hello"));
    assert_null(t.conn->block);
    assert_false(str_contains(str_of(t.hub.blocks->in, 400), STR("secret")));
    assert_false(str_contains(str_of(t.hub.blocks->in, 400), STR("hello")));
    say("GET /secret\r\n\r\n");
    assert_heard(&t, "HTTP/1.1 400 ");
    assert_false(str_contains(str_of(t.hub.blocks->in, 400), STR("secret")));
}

static rc_t no_random(void *ctx, void *p, size_t n)
{
    return RC_IO;
}

static void without_randomness_nothing_is_said(void **state)
{
    t.hub.random.fill = no_random;
    say(GET("/hello"));
    assert_int_equal(seen.handled, 0);
    assert_true(t.aborted);
    assert_int_equal(t.out_n, 0);
}

static void without_randomness_not_even_a_refusal_is_said(void **state)
{
    t.hub.random.fill = no_random;
    say("x\r\n\r\n");
    assert_true(t.aborted);
    assert_int_equal(t.out_n, 0);
}

static void a_client_that_does_not_take_the_100_is_cut(void **state)
{
    t.window = 3;
    say("POST /body HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_true(t.aborted);
    assert_int_equal(t.hub.conn_count, 0);
}

static void draining_closes_idle_connections_at_once(void **state)
{
    say(GET("/hello"));
    http_hub_drain(&t.hub, 0);
    assert_null(t.conn);
    assert_false(t.aborted);
}

/* attack case: OPS-008, OPS-015 */
static void draining_leaves_a_moment_for_one_more_request(void **state)
{
    say(GET("/hello"));
    http_hub_drain(&t.hub, 100);
    test_wire_pass(&t, 99);
    assert_non_null(t.conn);
    assert_not_heard(&t, "Connection: close");
    say(GET("/hello"));
    assert_heard(&t, "Connection: close\r\n\r\nhello");
    assert_null(t.conn);
    assert_false(t.aborted);
}

static void draining_closes_who_says_nothing_in_that_moment(void **state)
{
    say(GET("/hello"));
    http_hub_drain(&t.hub, 100);
    test_wire_pass(&t, 100);
    assert_null(t.conn);
    assert_false(t.aborted);
}

static void draining_lets_an_answer_out_and_closes(void **state)
{
    say(GET("/hold") GET("/hello"));
    http_hub_drain(&t.hub, 0);
    assert_non_null(t.conn);
    http_reply(seen.held, 200, HTTP_NO_HEADERS, STR("held"));
    assert_heard(&t, "Connection: close");
    assert_int_equal(seen.handled, 0);
    assert_null(t.conn);
}

static void draining_lets_a_begun_head_finish(void **state)
{
    say("GET /hello HTTP/1.1\r\nHost: ");
    http_hub_drain(&t.hub, 0);
    say("a.test\r\n\r\n");
    assert_heard(&t, "Connection: close\r\n\r\nhello");
    assert_null(t.conn);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_slow_head_is_408),
        TEST(a_slow_body_is_408),
        TEST(a_silent_connection_is_closed_without_a_word),
        TEST(an_idle_connection_is_closed_after_its_time),
        TEST(a_handler_has_all_the_time),
        TEST(a_reader_that_takes_nothing_is_cut),
        TEST(a_slow_reader_is_not_cut),
        TEST(a_request_waits_for_the_answer_before_it),
        TEST(a_client_that_ended_its_side_gets_all_answers),
        TEST(an_end_inside_a_head_is_an_end),
        TEST(an_end_inside_a_body_is_an_end),
        TEST(an_end_inside_a_chunk_is_an_end),
        TEST(a_gone_client_is_told_once),
        TEST(the_gone_hook_may_answer),
        TEST(a_dead_wire_ends_the_exchange),
        TEST(a_body_of_any_length_comes_whole),
        TEST(a_flood_behind_a_held_request_stops_the_reading),
        TEST(an_idle_connection_keeps_no_block),
        TEST(a_free_block_keeps_nothing_that_was_said),
        TEST(without_randomness_nothing_is_said),
        TEST(without_randomness_not_even_a_refusal_is_said),
        TEST(a_client_that_does_not_take_the_100_is_cut),
        TEST(draining_closes_idle_connections_at_once),
        TEST(draining_leaves_a_moment_for_one_more_request),
        TEST(draining_closes_who_says_nothing_in_that_moment),
        TEST(draining_lets_an_answer_out_and_closes),
        TEST(draining_lets_a_begun_head_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
