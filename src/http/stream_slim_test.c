/* Streams that idle: what they give back, and what still works without it. */
#include "http/http_test_wire.h"

#include <stdio.h>

static struct {
    http_exchange_t *x;
    int cleaned, gone, writable;
} seen;

static test_wire_t t;

static void cleaned(void *arg)
{
    seen.cleaned++;
}

static void told(void *ctx, http_exchange_t *x)
{
    seen.gone++;
    http_stream_end(x);
}

static void writable(void *ctx, http_exchange_t *x)
{
    seen.writable++;
}

static void keep(http_exchange_t *x)
{
    seen.x = x;
}

static void start(http_exchange_t *x)
{
    seen.x = x;
    assert_int_equal(arena_cleanup(x->arena, cleaned, NULL), RC_OK);
    assert_int_equal(
        http_stream_begin(x, 200, HTTP_NO_HEADERS, (http_stream_events_t){writable, NULL}), RC_OK);
    http_exchange_on_gone(x, told, NULL);
    http_stream_slim(x);
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/s"), HTTP_M(GET), start},
    {STR_INIT("/s"), HTTP_M(POST), start, .body_limit = 1 << 20, .flags = HTTP_ROUTE_ANY_TYPE},
    {STR_INIT("/keep"), HTTP_M(GET), keep},
};
static const http_app_t APP = {.routes = {ROUTES, 3}};

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

#define HOST     "Host: a.test\r\n"
#define GET_S    "GET /s HTTP/1.1\r\n" HOST "\r\n"
#define put(lit) assert_int_equal(http_stream_write(seen.x, STR(lit)), RC_OK)

static void block_and_arena_go_back(void **state)
{
    test_wire_say(&t, STR(GET_S));
    assert_int_equal(seen.cleaned, 1);
    assert_null(t.conn->block);
    assert_null(seen.x->arena);
    assert_int_equal(t.hub.block_count, 1);
    assert_int_equal(t.hub.arena_count, 1);
    assert_unset(http_header(seen.x, STR("host")));
    assert_int_equal(seen.x->request_id.n, HTTP_ID_TEXT);
    assert_text(seen.x->client_text, "192.0.2.1");
    put("one");
    http_stream_slim(seen.x);
    put("two");
    assert_null(t.conn->call->queue.p);
    assert_null(t.conn->call->flight.p);
    http_stream_end(seen.x);
    assert_true(str_ends(test_wire_heard(&t), STR("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")));
}

static void the_connection_goes_on_after_it(void **state)
{
    test_wire_say(&t, STR(GET_S));
    put("one");
    http_stream_end(seen.x);
    test_wire_say(&t, STR(GET_S));
    assert_int_equal(test_count(test_wire_heard(&t), STR("HTTP/1.1 200 OK")), 2);
    http_stream_end(seen.x);
    assert_int_equal(t.conn->phase, HTTP_PHASE_HEAD);
}

/* The body of a call is gone, too: one behind its head, and one that had memory of its own. */
static void a_body_goes_back(void **state)
{
    static char large[100000];
    char head[128];
    memset(large, 'b', sizeof large);
    test_wire_say(&t, STR("POST /s HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"));
    assert_unset(seen.x->body);
    http_stream_end(seen.x);
    int n = snprintf(head, sizeof head, "POST /s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
                     sizeof large);
    test_wire_say(&t, str_of(head, (size_t)n));
    test_wire_say(&t, str_of(large, sizeof large));
    assert_null(t.conn->call->body.p);
    assert_null(t.conn->block);
    http_stream_end(seen.x);
    assert_int_equal(t.conn->phase, HTTP_PHASE_HEAD);
}

static void what_comes_meanwhile_ends_the_connection_after_the_stream(void **state)
{
    test_wire_say(&t, STR(GET_S));
    test_wire_say(&t, STR("GET /keep HTTP/1.1\r\n" HOST "\r\n"));
    put("one");
    http_stream_end(seen.x);
    assert_null(t.conn);
    assert_false(t.aborted);
    assert_int_equal(test_count(test_wire_heard(&t), STR("HTTP/1.1 200 OK")), 1);
}

static void what_came_with_the_request_does_so_too(void **state)
{
    test_wire_say(&t, STR(GET_S GET_S));
    put("one");
    assert_int_equal(seen.gone, 0);
    http_stream_end(seen.x);
    assert_null(t.conn);
    assert_int_equal(test_count(test_wire_heard(&t), STR("HTTP/1.1 200 OK")), 1);
}

static void who_goes_on_sending_is_cut(void **state)
{
    static char junk[HTTP_BLOCK_IN + 1];
    memset(junk, 'j', sizeof junk);
    test_wire_say(&t, STR(GET_S));
    test_wire_say(&t, str_of(junk, HTTP_BLOCK_IN));
    assert_int_equal(seen.gone, 0);
    test_wire_say(&t, STR("j"));
    assert_int_equal(seen.gone, 1);
    assert_true(t.aborted);
    assert_int_equal(t.hub.conn_count, 0);
}

static void a_reader_that_goes_is_told(void **state)
{
    test_wire_say(&t, STR(GET_S));
    test_wire_break(&t);
    assert_int_equal(seen.gone, 1);
    assert_int_equal(t.hub.conn_count, 0);
}

static void a_reader_that_ends_its_side_is_told(void **state)
{
    test_wire_say(&t, STR(GET_S));
    test_wire_finish(&t);
    assert_int_equal(seen.gone, 1);
    assert_int_equal(t.hub.conn_count, 0);
}

/* A block full of pipelined bytes has stopped the reading: without going on, nobody would see that
 * the client leaves. */
static void reading_goes_on(void **state)
{
    static char junk[HTTP_BLOCK_IN];
    memset(junk, 'j', sizeof junk);
    test_wire_say(&t, STR("GET /keep HTTP/1.1\r\n" HOST "\r\n"));
    test_wire_say(&t, str_of(junk, sizeof junk));
    assert_true(t.paused);
    assert_int_equal(http_stream_begin(seen.x, 200, HTTP_NO_HEADERS, (http_stream_events_t){0}),
                     RC_OK);
    http_exchange_on_gone(seen.x, told, NULL);
    http_stream_slim(seen.x);
    assert_false(t.paused);
    test_wire_finish(&t);
    assert_int_equal(seen.gone, 1);
}

static void unsent_bytes_are_counted(void **state)
{
    test_wire_say(&t, STR(GET_S));
    assert_int_equal(http_stream_unsent(seen.x), 0);
    t.window = 2;
    put("0123456789");
    assert_int_equal(http_stream_unsent(seen.x), 13);
    put("0123456789");
    assert_int_equal(http_stream_unsent(seen.x), 13 + 15);
    test_wire_take(&t, 15);
    assert_int_equal(http_stream_unsent(seen.x), 13);
    test_wire_take(&t, SIZE_MAX);
    assert_int_equal(http_stream_unsent(seen.x), 0);
    assert_null(t.conn->call->flight.p);
    http_stream_end(seen.x);
}

static void it_is_busy_and_writable_again(void **state)
{
    static char piece[50000];
    memset(piece, 'p', sizeof piece);
    test_wire_say(&t, STR(GET_S));
    t.window = 0;
    rc_t rc;
    while ((rc = http_stream_write(seen.x, str_of(piece, sizeof piece))) == RC_OK) {
    }
    assert_int_equal(rc, RC_BUSY);
    test_wire_take(&t, SIZE_MAX);
    assert_int_equal(seen.writable, 1);
    put("one");
    http_stream_end(seen.x);
    assert_true(str_ends(test_wire_heard(&t), STR("3\r\none\r\n0\r\n\r\n")));
}

static void a_second_answer_aborts(void **state)
{
    test_wire_say(&t, STR(GET_S));
    http_reply(seen.x, 500, HTTP_NO_HEADERS, STR("late"));
    assert_true(t.aborted);
    assert_not_heard(&t, "late");
    assert_int_equal(t.hub.conn_count, 0);
}

static void it_lives_in_two_kibibytes(void **state)
{
    assert_true(sizeof(http_conn_t) + sizeof(http_call_t) <= 1280);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(block_and_arena_go_back),
        TEST(the_connection_goes_on_after_it),
        TEST(a_body_goes_back),
        TEST(what_comes_meanwhile_ends_the_connection_after_the_stream),
        TEST(what_came_with_the_request_does_so_too),
        TEST(who_goes_on_sending_is_cut),
        TEST(a_reader_that_goes_is_told),
        TEST(a_reader_that_ends_its_side_is_told),
        TEST(reading_goes_on),
        TEST(unsent_bytes_are_counted),
        TEST(it_is_busy_and_writable_again),
        TEST(a_second_answer_aborts),
        TEST(it_lives_in_two_kibibytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
