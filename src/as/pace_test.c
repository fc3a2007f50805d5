#include "as/pace.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_batch_that_is_not_full_ends_the_run(void **state)
{
    as_pace_t p = as_pace_begin();
    (void)state;
    assert_false(as_pace_next(&p, 0, 1));
    assert_false(as_pace_next(&p, p.rows - 1, 1));
    assert_true(as_pace_next(&p, p.rows, 1));
}

static void batches_grow_while_they_are_short(void **state)
{
    as_pace_t p = as_pace_begin();
    uint32_t before = p.rows;
    (void)state;
    assert_true(as_pace_next(&p, p.rows, 1));
    assert_int_equal(p.rows, 2 * before);
    for (int i = 0; i < 10; i++)
        assert_true(as_pace_next(&p, p.rows, 1));
    assert_int_equal(p.rows, AS_PACE_MOST);
    assert_true(as_pace_next(&p, p.rows, 30));
    assert_int_equal(p.rows, AS_PACE_MOST);
}

static void batches_shrink_when_they_are_long(void **state)
{
    as_pace_t p = as_pace_begin();
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(as_pace_next(&p, p.rows, 1000));
    assert_int_equal(p.rows, AS_PACE_LEAST);
}

/* Rows in a second of a run that never ends, when a batch of any size takes `took_ms`. */
static uint64_t rate(as_pace_t *p, int64_t took_ms, int seconds)
{
    uint64_t rows = 0;
    int64_t ms = 0;
    while (ms < seconds * 1000) {
        rows += p->rows;
        assert_true(as_pace_next(p, p->rows, took_ms));
        ms += took_ms + p->pause_ms;
    }
    return rows / (uint64_t)seconds;
}

static void rows_a_second_are_bounded(void **state)
{
    as_pace_t p = as_pace_begin();
    (void)state;
    assert_in_range(rate(&p, 1, 4), 5000, 10000);
}

static void a_run_that_is_behind_becomes_faster(void **state)
{
    as_pace_t p = as_pace_begin();
    uint64_t first = rate(&p, 2, 4), later;
    (void)state;
    rate(&p, 2, 20);
    later = rate(&p, 2, 4);
    assert_true(later > 4 * first);
}

static void others_have_half_of_the_time(void **state)
{
    as_pace_t p = as_pace_begin();
    (void)state;
    for (int i = 0; i < 2000; i++) {
        assert_true(as_pace_next(&p, p.rows, 40));
        assert_true(p.pause_ms >= 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_that_is_not_full_ends_the_run),
        cmocka_unit_test(batches_grow_while_they_are_short),
        cmocka_unit_test(batches_shrink_when_they_are_long),
        cmocka_unit_test(rows_a_second_are_bounded),
        cmocka_unit_test(a_run_that_is_behind_becomes_faster),
        cmocka_unit_test(others_have_half_of_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
