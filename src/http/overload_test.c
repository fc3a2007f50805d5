/* What waits, and what is turned away, when there is more to do than can be done. */
#include "http/http_test_wire.h"

#include "core/limits.h"
#include "http/overload.h"

enum { LATE_MS = LIMIT_HTTP_WAIT_MS + 1, LONG_MS = 20 };

/* ---- decisions ---- */

static void a_turn_is_counted_from_what_it_saw_first(void **state)
{
    (void)state;
    http_turn_t t = {0};
    assert_int_equal(http_turn_busy(&t, 1000), 0);
    http_turn_work(&t, 1000);
    http_turn_work(&t, 1200);
    assert_int_equal(http_turn_busy(&t, 1300), 300);
    http_turn_end(&t); /* sleep is not work */
    assert_int_equal(http_turn_busy(&t, 9000), 0);
    http_turn_work(&t, 9000);
    assert_int_equal(http_turn_busy(&t, 9001), 1);
}

static void a_turn_has_an_end_and_so_has_patience(void **state)
{
    (void)state;
    assert_false(http_overload_is_long(LONG_MS - 1));
    assert_true(http_overload_is_long(LONG_MS));
    assert_false(http_overload_is_late(LATE_MS - 1));
    assert_true(http_overload_is_late(LATE_MS));
}

/* ---- what a client sees ---- */

static void answer(http_exchange_t *x)
{
    http_reply(x, 200, HTTP_HEADERS({STR("Content-Type"), STR("text/plain")}), STR("done"));
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/work"), HTTP_M(GET) | HTTP_M(POST), answer, .flags = HTTP_ROUTE_ANY_TYPE,
     .body_limit = 100},
    {STR_INIT("/readyz"), HTTP_M(GET), answer, .flags = HTTP_ROUTE_ALWAYS},
};
static const http_app_t APP = {.routes = {ROUTES, 2}};

static int64_t long_turn(http_worker_t *loop)
{
    (void)loop;
    return LONG_MS;
}

static int64_t short_turn(http_worker_t *loop)
{
    (void)loop;
    return LONG_MS - 1;
}

/* A turn that is over before the first request. */
static void begin(test_wire_t *t)
{
    test_wire_begin(t, &APP);
    http_link_init(&t->hub.waiting);
    t->hub.busy_ms = long_turn;
}

static void next_turn(test_wire_t *t, int64_t ms)
{
    t->clock.ms += ms;
    t->hub.busy_ms = short_turn;
    assert_false(http_hub_serve(&t->hub));
}

static void a_request_waits_for_the_next_turn(void **state)
{
    (void)state;
    test_wire_t t;
    begin(&t);
    test_wire_say(&t, STR("GET /work HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(t.out_n, 0);
    assert_true(http_hub_serve(&t.hub)); /* and for the one after that, if need be */
    assert_int_equal(t.out_n, 0);
    next_turn(&t, LATE_MS - 1);
    assert_heard(&t, "HTTP/1.1 200 ");
    test_wire_end(&t);
}

/* attack case: OPS-023 */
static void a_late_request_is_told_to_come_again(void **state)
{
    (void)state;
    test_wire_t t;
    begin(&t);
    test_wire_say(&t, STR("POST /work HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"));
    next_turn(&t, LATE_MS);
    assert_heard(&t, "HTTP/1.1 503 ");
    assert_heard(&t, "Retry-After: 1\r\n");
    assert_not_heard(&t, "Connection: close"); /* opening anew costs more than the answer */
    test_wire_say(&t, STR("GET /work HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_heard(&t, "HTTP/1.1 200 ");
    test_wire_end(&t);
}

static void one_behind_those_that_wait_waits_too(void **state)
{
    (void)state;
    test_wire_t t;
    http_link_t other;
    begin(&t);
    http_link_init(&other);
    http_link_add(&t.hub.waiting, &other);
    t.hub.busy_ms = short_turn;
    test_wire_say(&t, STR("GET /work HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(t.out_n, 0);
    http_link_drop(&other);
    next_turn(&t, 0);
    assert_heard(&t, "HTTP/1.1 200 ");
    test_wire_end(&t);
}

static void nothing_is_done_for_who_is_gone(void **state)
{
    (void)state;
    test_wire_t t;
    begin(&t);
    test_wire_say(&t, STR("GET /work HTTP/1.1\r\nHost: a\r\n\r\n"));
    test_wire_break(&t);
    assert_true(http_link_none(&t.hub.waiting));
    assert_int_equal(t.hub.conn_count, 0);
    test_wire_end(&t);
}

static void who_watches_is_answered_however_late(void **state)
{
    (void)state;
    test_wire_t t;
    begin(&t);
    test_wire_say(&t, STR("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n"));
    next_turn(&t, LATE_MS);
    assert_heard(&t, "HTTP/1.1 200 ");
    test_wire_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_is_counted_from_what_it_saw_first),
        cmocka_unit_test(a_turn_has_an_end_and_so_has_patience),
        cmocka_unit_test(a_request_waits_for_the_next_turn),
        cmocka_unit_test(a_late_request_is_told_to_come_again),
        cmocka_unit_test(one_behind_those_that_wait_waits_too),
        cmocka_unit_test(nothing_is_done_for_who_is_gone),
        cmocka_unit_test(who_watches_is_answered_however_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
