/* How long a new decision would wait, and that it is turned away where that is too long. */
#include "as/backlog.h"

#include "as/as_test_browser.h"
#include "core/limits.h"

static void begin_many(as_backlog_t *b, int n, int64_t ms)
{
    for (int i = 0; i < n; i++)
        as_backlog_begin(b, ms);
}

static void end_many(as_backlog_t *b, int n, int64_t ms)
{
    for (int i = 0; i < n; i++)
        as_backlog_end(b, ms);
}

static void nothing_waits_for_nothing(void **state)
{
    (void)state;
    as_backlog_t b = {0};
    assert_int_equal(as_backlog_wait(&b, 5000), 0);
    begin_many(&b, 10, 5000);
    end_many(&b, 10, 5001);
    assert_int_equal(as_backlog_wait(&b, 9000), 0);
}

/* 200 in 100 ms: what 2000 in front of it wait is a second. */
static void what_waits_is_divided_by_what_is_done(void **state)
{
    (void)state;
    as_backlog_t b = {0};
    begin_many(&b, 2200, 1000);
    end_many(&b, 199, 1050);
    end_many(&b, 1, 1100);
    assert_int_equal(as_backlog_wait(&b, 1100), 1000);
    end_many(&b, 1000, 1150);
    assert_int_equal(as_backlog_wait(&b, 1150), 500);
}

/* A burst that is done in time turns nobody away. */
static void before_the_pace_is_known_the_oldest_counts(void **state)
{
    (void)state;
    as_backlog_t b = {0};
    begin_many(&b, 5000, 1000);
    assert_int_equal(as_backlog_wait(&b, 1000), 0);
    assert_int_equal(as_backlog_wait(&b, 1090), 90);
}

static void a_standstill_is_a_wait(void **state)
{
    (void)state;
    as_backlog_t b = {0};
    begin_many(&b, 3, 1000);
    end_many(&b, 1, 1050);
    end_many(&b, 1, 1100);
    assert_int_equal(as_backlog_wait(&b, 1150), 50);
    assert_int_equal(as_backlog_wait(&b, 3100), 2000);
}

/* The disk stands still for a third of a second; then one is done, and with the next commit all
 * that wait behind it. */
static void a_moment_of_standstill_turns_nobody_away(void **state)
{
    (void)state;
    as_backlog_t b = {0};
    begin_many(&b, 33, 1000);
    end_many(&b, 1, 1330);
    begin_many(&b, 1, 1330);
    assert_true(as_backlog_wait(&b, 1331) <= 331);
    end_many(&b, 32, 1334);
    begin_many(&b, 32, 1334);
    assert_true(as_backlog_wait(&b, 1335) <= 340);
    end_many(&b, 20, 1338);
    begin_many(&b, 20, 1338);
    assert_true(as_backlog_wait(&b, 1339) <= 340);
}

/* Few, and one after the other: five a second, and three wait. */
static void a_slow_pace_is_known_after_half_a_second(void **state)
{
    (void)state;
    as_backlog_t b = {0};
    begin_many(&b, 3, 1000);
    for (int64_t ms = 1200; ms <= 2000; ms += 200) {
        end_many(&b, 1, ms);
        begin_many(&b, 1, ms);
    }
    assert_int_equal(as_backlog_wait(&b, 2000), 600);
}

/* What was slow before everything was done says nothing about now. */
static void an_end_forgets(void **state)
{
    (void)state;
    as_backlog_t b = {0};
    begin_many(&b, 2, 1000);
    end_many(&b, 2, 9000);
    begin_many(&b, 1, 9500);
    assert_int_equal(as_backlog_wait(&b, 9510), 10);
}

/* ---- the server ---- */

static str_t machine_request(world_t *w)
{
    str_t headers = arena_printf(w->a, W_FORM "%s", world_basic(w, W_MACHINE, W_SECRET));
    return world_request(w, "POST", STR("/token"), arena_cstr(w->a, headers),
                         STR("grant_type=client_credentials&scope=files:write"));
}

static void go_opaque(world_t *w)
{
    ask_t resources = world_look(w, (ask_t){.kind = ASK_RESOURCES});
    resource_t r = resources.u.resources[0];
    r.token_format = TOKEN_OPAQUE;
    world_put(w, EFFECT_RESOURCE_PUT, &r);
}

/* attack case: OPS-023 */
static void who_would_wait_too_long_is_told_to_come_again(void **state)
{
    world_t *w = *state;
    go_opaque(w); /* so that there is something to write */
    w->faults.hold = true;
    http_direct_t *first = world_send(w, machine_request(w));
    world_pass_ms(w, LIMIT_STORE_WAIT_MS);
    http_direct_t *second = world_send(w, machine_request(w));
    assert_int_equal(w->n_held, 2);
    world_pass_ms(w, 1);
    unsigned asks = w->faults.asks;
    answer_t r = world_ask(w, machine_request(w));
    assert_status(r, 503);
    assert_text(answer_header(&r, "retry-after"), "1");
    assert_int_equal(w->faults.asks, asks); /* it cost the store nothing */
    w->faults.hold = false;
    world_release(w, 0);
    world_release(w, 1);
    r = world_land(w, first);
    assert_status(r, 200);
    r = world_land(w, second);
    assert_status(r, 200);
    r = world_ask(w, machine_request(w));
    assert_status(r, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_waits_for_nothing),
        cmocka_unit_test(what_waits_is_divided_by_what_is_done),
        cmocka_unit_test(before_the_pace_is_known_the_oldest_counts),
        cmocka_unit_test(a_standstill_is_a_wait),
        cmocka_unit_test(a_moment_of_standstill_turns_nobody_away),
        cmocka_unit_test(a_slow_pace_is_known_after_half_a_second),
        cmocka_unit_test(an_end_forgets),
        WORLD_TEST(who_would_wait_too_long_is_told_to_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
