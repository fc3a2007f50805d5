/* Streamed answers on a wire that takes as much as the test lets it. */
#include "http/http_test_wire.h"

static struct {
    http_exchange_t *x;
    int writable, gone;
    bool fill; /* writable() writes until it is full again */
    size_t written;
} seen;

static test_wire_t t;
static char block[LIMIT_HTTP_STREAM_BYTES + 1];

static void fill_up(void)
{
    rc_t rc;
    while ((rc = http_stream_write(seen.x, str_of(block, 50000))) == RC_OK)
        seen.written += 50000;
    assert_int_equal(rc, RC_BUSY);
}

static void writable(void *ctx, http_exchange_t *x)
{
    seen.writable++;
    if (http_exchange_is_gone(x)) {
        assert_int_equal(http_stream_write(x, STR("x")), RC_IO);
        http_stream_end(x);
    } else if (seen.fill) {
        fill_up();
    }
}

static void keep(http_exchange_t *x)
{
    seen.x = x;
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/s"), HTTP_M(GET), keep, .cors = HTTP_CORS_PUBLIC, .flags = HTTP_ROUTE_NO_STORE},
};
static const http_app_t APP = {.routes = {ROUTES, 1}};

static int begin(void **state)
{
    memset(&seen, 0, sizeof seen);
    memset(block, '#', sizeof block);
    test_wire_begin(&t, &APP);
    return 0;
}

static int end(void **state)
{
    test_wire_end(&t);
    return 0;
}

static rc_t open_stream(const char *request)
{
    test_wire_say(&t, str_c(request));
    assert_non_null(seen.x);
    return http_stream_begin(seen.x, 200,
                             HTTP_HEADERS({STR("Content-Type"), STR("text/event-stream")}),
                             (http_stream_events_t){writable, NULL});
}

#define HOST     "Host: a.test\r\n"
#define GET_S    "GET /s HTTP/1.1\r\n" HOST "\r\n"
#define put(lit) assert_int_equal(http_stream_write(seen.x, STR(lit)), RC_OK)

static void pieces_become_chunks(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    assert_heard(&t, "Transfer-Encoding: chunked\r\n");
    assert_heard(&t, "Cache-Control: no-store\r\n");
    assert_heard(&t, "Access-Control-Allow-Origin: *\r\n");
    assert_not_heard(&t, "Content-Length");
    put("one");
    assert_heard(&t, "\r\n\r\n3\r\none\r\n");
    put("");
    put("0123456789abcdef");
    http_stream_end(seen.x);
    assert_true(str_ends(test_wire_heard(&t),
                         STR("\r\n\r\n3\r\none\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n")));
    assert_int_equal(t.conn->phase, HTTP_PHASE_HEAD);
    /* The connection goes on. */
    assert_int_equal(open_stream(GET_S), RC_OK);
    http_stream_end(seen.x);
}

static void an_http_1_0_client_reads_to_the_end(void **state)
{
    assert_int_equal(open_stream("GET /s HTTP/1.0\r\n\r\n"), RC_OK);
    assert_not_heard(&t, "Transfer-Encoding");
    assert_heard(&t, "Connection: close\r\n");
    put("one");
    http_stream_end(seen.x);
    assert_true(str_ends(test_wire_heard(&t), STR("\r\n\r\none")));
    assert_null(t.conn);
}

static void a_head_request_gets_no_chunks(void **state)
{
    assert_int_equal(open_stream("HEAD /s HTTP/1.1\r\n" HOST "\r\n"), RC_OK);
    put("one");
    http_stream_end(seen.x);
    assert_true(str_ends(test_wire_heard(&t), STR("\r\n\r\n")));
    assert_not_heard(&t, "one");
    assert_non_null(t.conn);
}

static void a_full_stream_is_busy_until_there_is_room(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    t.window = 0;
    fill_up();
    assert_true(seen.written <= LIMIT_HTTP_STREAM_BYTES);
    assert_true(seen.written >= LIMIT_HTTP_STREAM_BYTES - 50000);
    assert_int_equal(seen.writable, 0);
    test_wire_take(&t, 100);
    assert_int_equal(seen.writable, 0);
    test_wire_take(&t, SIZE_MAX);
    assert_int_equal(seen.writable, 1);
    http_stream_end(seen.x);
    assert_int_equal(test_count(test_wire_heard(&t), STR("#")), seen.written);
    assert_true(str_ends(test_wire_heard(&t), STR("\r\n0\r\n\r\n")));
}

static void room_comes_again_and_again(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    seen.fill = true;
    t.window = 0;
    fill_up();
    for (int i = 0; i < 20; i++)
        test_wire_take(&t, 60000);
    assert_true(seen.writable > 1);
    seen.fill = false;
    http_stream_end(seen.x);
    while (t.pending_n)
        test_wire_take(&t, SIZE_MAX);
    assert_int_equal(test_count(test_wire_heard(&t), STR("#")), seen.written);
    assert_true(str_ends(test_wire_heard(&t), STR("\r\n0\r\n\r\n")));
}

static void a_piece_beyond_the_limit_is_refused(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    assert_int_equal(http_stream_write(seen.x, str_of(block, sizeof block)), RC_LIMIT);
    assert_int_equal(http_stream_write(seen.x, str_of(block, sizeof block - 1)), RC_OK);
    http_stream_end(seen.x);
}

static void a_bad_header_sends_nothing(void **state)
{
    test_wire_say(&t, STR(GET_S));
    http_stream_events_t none = {0};
    assert_int_equal(
        http_stream_begin(seen.x, 200, HTTP_HEADERS({STR("A"), STR("b\r\nc: d")}), none),
        RC_MALFORMED);
    assert_int_equal(t.out_n, 0);
    http_reply(seen.x, 500, HTTP_NO_HEADERS, STR(""));
    assert_heard(&t, "HTTP/1.1 500 ");
}

static void an_abort_is_seen_as_one(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    put("one");
    http_stream_abort(seen.x);
    assert_true(t.aborted);
    assert_not_heard(&t, "\r\n0\r\n\r\n");
    assert_int_equal(t.hub.conn_count, 0);
}

static void a_second_answer_aborts(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    http_reply(seen.x, 200, HTTP_NO_HEADERS, STR("forged"));
    assert_true(t.aborted);
    assert_not_heard(&t, "forged");
}

static void told(void *ctx, http_exchange_t *x)
{
    seen.gone++;
    http_stream_end(x);
}

static void a_reader_that_ends_its_side_has_gone(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    http_exchange_on_gone(seen.x, told, NULL);
    test_wire_finish(&t);
    assert_int_equal(seen.gone, 1);
    assert_true(t.aborted);
    assert_int_equal(t.hub.conn_count, 0);
}

/* It may have sent all it wanted to: its stream is its last answer. */
static void a_reader_that_ended_before_gets_its_stream(void **state)
{
    test_wire_say(&t, STR(GET_S));
    test_wire_finish(&t);
    assert_int_equal(http_stream_begin(seen.x, 200, HTTP_NO_HEADERS, (http_stream_events_t){0}),
                     RC_OK);
    put("one");
    assert_heard(&t, "Connection: close\r\n");
    http_stream_end(seen.x);
    assert_true(str_ends(test_wire_heard(&t), STR("3\r\none\r\n0\r\n\r\n")));
    assert_null(t.conn);
    assert_false(t.aborted);
}

/* The stream is complete and waits for its reader, who has nothing more to say. */
static void an_ended_stream_goes_out_to_a_reader_that_ended(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    t.window = 2;
    put("one");
    http_stream_end(seen.x);
    test_wire_finish(&t);
    assert_non_null(t.conn);
    test_wire_take(&t, SIZE_MAX);
    assert_true(str_ends(test_wire_heard(&t), STR("3\r\none\r\n0\r\n\r\n")));
    assert_null(t.conn);
    assert_false(t.aborted);
}

static void a_busy_writer_without_a_hook_learns_that_its_reader_is_gone(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    t.window = 0;
    fill_up();
    test_wire_break(&t);
    assert_int_equal(seen.writable, 1);
    assert_int_equal(t.hub.conn_count, 0);
}

static void a_reader_that_takes_nothing_is_cut_and_told(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    http_exchange_on_gone(seen.x, told, NULL);
    t.window = 0;
    put("one");
    test_wire_pass(&t, TEST_WIRE_MS);
    assert_int_equal(seen.gone, 1);
    assert_true(t.aborted);
}

/* A quiet stream lives: only bytes that nobody takes have a deadline. */
static void a_quiet_stream_lives(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    put("one");
    test_wire_pass(&t, 1000 * TEST_WIRE_MS);
    put("two");
    assert_heard(&t, "two");
    http_stream_end(seen.x);
}

/* RC_IO says it: the hook stays silent. */
static void a_dead_wire_is_told_once(void **state)
{
    assert_int_equal(open_stream(GET_S), RC_OK);
    http_exchange_on_gone(seen.x, told, NULL);
    t.dead = true;
    assert_int_equal(http_stream_write(seen.x, STR("one")), RC_IO);
    assert_int_equal(http_stream_write(seen.x, STR("two")), RC_IO);
    assert_int_equal(seen.gone, 0);
    http_stream_end(seen.x);
    assert_int_equal(t.hub.conn_count, 0);
}

static void a_wire_that_dies_at_the_head_is_told_once(void **state)
{
    test_wire_say(&t, STR(GET_S));
    http_exchange_on_gone(seen.x, told, NULL);
    t.dead = true;
    http_stream_events_t none = {0};
    assert_int_equal(http_stream_begin(seen.x, 200, HTTP_NO_HEADERS, none), RC_IO);
    assert_int_equal(seen.gone, 0);
    http_reply(seen.x, 500, HTTP_NO_HEADERS, STR(""));
    assert_int_equal(t.hub.conn_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_become_chunks),
        TEST(an_http_1_0_client_reads_to_the_end),
        TEST(a_head_request_gets_no_chunks),
        TEST(a_full_stream_is_busy_until_there_is_room),
        TEST(room_comes_again_and_again),
        TEST(a_piece_beyond_the_limit_is_refused),
        TEST(a_bad_header_sends_nothing),
        TEST(an_abort_is_seen_as_one),
        TEST(a_second_answer_aborts),
        TEST(a_reader_that_ends_its_side_has_gone),
        TEST(a_reader_that_ended_before_gets_its_stream),
        TEST(an_ended_stream_goes_out_to_a_reader_that_ended),
        TEST(a_busy_writer_without_a_hook_learns_that_its_reader_is_gone),
        TEST(a_reader_that_takes_nothing_is_cut_and_told),
        TEST(a_quiet_stream_lives),
        TEST(a_dead_wire_is_told_once),
        TEST(a_wire_that_dies_at_the_head_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
