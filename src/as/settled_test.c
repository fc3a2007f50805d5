/* A clock of the day that jumps: what may be deleted by it. */
#include "as/settled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { MINUTE = 60000, HOUR = 60 * MINUTE };
static const int64_t DAY = 24 * (int64_t)HOUR, NOW = 1700000000000, UP = 5000;

static void first_clock_is_believed(void **state)
{
    as_settled_t s = {0};
    assert_int_equal(as_settled_now(&s, NOW, UP), NOW);
}

static void time_that_passes_is_followed(void **state)
{
    as_settled_t s = {0};
    as_settled_now(&s, NOW, UP);
    assert_int_equal(as_settled_now(&s, NOW + DAY, UP + DAY), NOW + DAY);
    assert_int_equal(as_settled_now(&s, NOW + DAY + AS_SETTLED_DRIFT_MS, UP + DAY),
                     NOW + DAY + AS_SETTLED_DRIFT_MS);
}

/* A day ahead for ten minutes: only ten minutes have passed, then and when it is right again. */
static void jump_ahead_deletes_nothing_before_its_time(void **state)
{
    as_settled_t s = {0};
    as_settled_now(&s, NOW, UP);
    for (int i = 1; i <= 10; i++)
        assert_int_equal(as_settled_now(&s, NOW + DAY + i * MINUTE, UP + i * MINUTE),
                         NOW + i * MINUTE);
    assert_int_equal(as_settled_now(&s, NOW + 11 * MINUTE, UP + 11 * MINUTE), NOW + 11 * MINUTE);
    /* Another jump has an hour of its own. */
    assert_int_equal(as_settled_now(&s, NOW + DAY, UP + 12 * MINUTE), NOW + 12 * MINUTE);
    assert_int_equal(as_settled_now(&s, NOW + DAY + HOUR - 1, UP + 12 * MINUTE + HOUR - 1),
                     NOW + 12 * MINUTE + HOUR - 1);
}

/* Cleaning goes on for good: a machine that was asleep was not wrong. */
static void clock_that_stays_ahead_is_believed_after_an_hour(void **state)
{
    as_settled_t s = {0};
    as_settled_now(&s, NOW, UP);
    as_settled_now(&s, NOW + DAY, UP + MINUTE);
    assert_int_equal(as_settled_now(&s, NOW + DAY + HOUR, UP + MINUTE + HOUR), NOW + DAY + HOUR);
    assert_int_equal(as_settled_now(&s, NOW + DAY + 2 * HOUR, UP + MINUTE + 2 * HOUR),
                     NOW + DAY + 2 * HOUR);
}

static void jump_back_is_followed_at_once(void **state)
{
    as_settled_t s = {0};
    as_settled_now(&s, NOW, UP);
    assert_int_equal(as_settled_now(&s, NOW - HOUR, UP + 1), NOW - HOUR);
    assert_int_equal(as_settled_now(&s, NOW - HOUR + 9, UP + 10), NOW - HOUR + 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_clock_is_believed),
        cmocka_unit_test(time_that_passes_is_followed),
        cmocka_unit_test(jump_ahead_deletes_nothing_before_its_time),
        cmocka_unit_test(clock_that_stays_ahead_is_believed_after_an_hour),
        cmocka_unit_test(jump_back_is_followed_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
