#include "series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ARENA_BYTES = 4 << 20, DAY = 86400 };
/* 2026-11-23T00:00:00Z, a Monday. */
static const int64_t MONDAY = 1795392000;

static int setup(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static series_t make(void **state, const series_point_t *v, size_t n, series_window_t w)
{
    series_t s;
    assert_int_equal(series_make(*state, v, n, &w, &s), RC_OK);
    return s;
}

static void near(double is, double want)
{
    if (!(fabs(is - want) < 1e-6))
        fail_msg("%.9g is not %.9g", is, want);
}

static void buckets_begin_at_whole_steps(void **state)
{
    series_window_t w = {MONDAY + 10, MONDAY + 2 * DAY + 1, SERIES_DAY, 0};
    series_t s = make(state, NULL, 0, w);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.v[0].start, MONDAY);
    assert_int_equal(s.v[2].start, MONDAY + 2 * DAY);
    w.step = SERIES_WEEK;
    s = make(state, NULL, 0, w);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.v[0].start, MONDAY);
    w.from -= 11; /* Sunday is of the week before */
    s = make(state, NULL, 0, w);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.v[0].start, MONDAY - 7 * DAY);
    w = (series_window_t){-3601, 1, SERIES_HOUR, 0}; /* around the epoch */
    s = make(state, NULL, 0, w);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.v[0].start, -7200);
}

static void points_outside_are_left_out(void **state)
{
    const series_point_t v[] = {
        {MONDAY - 1, 1, 1},    {MONDAY, 0.5, 1},      {MONDAY + DAY - 1, 0.7, 1},
        {MONDAY + DAY, -1, 1}, {MONDAY + 100, -1, 0},
    };
    series_t s = make(state, v, 5, (series_window_t){MONDAY, MONDAY + DAY, SERIES_DAY, 0});
    assert_int_equal(s.all.count, 2); /* what has no relevance says nothing */
    near(s.all.mean, 0.6);
    assert_int_equal(s.v[0].m.count, 2);
}

static void mean_is_weighted_by_relevance(void **state)
{
    const series_point_t v[] = {{MONDAY, 1, 0.75}, {MONDAY, -1, 0.25}};
    series_t s = make(state, v, 2, (series_window_t){MONDAY, MONDAY + DAY, SERIES_DAY, 0});
    near(s.all.mean, 0.5);
    near(s.all.weight, 1);
    /* sum w d d = .75 * .25 + .25 * 2.25 = .75; freedom 1 - .625; equals 1 / .625 = 1.6 */
    near(s.all.deviation, sqrt(2));
    near(s.all.error, sqrt(2) / sqrt(1.6));
}

static void older_articles_count_less(void **state)
{
    const series_point_t v[] = {{MONDAY + DAY - DAY / 2, 1, 1}, {MONDAY + DAY / 4, -1, 1}};
    /* half a day and three quarters of a day before the end; half-life a quarter of a day */
    series_window_t w = {MONDAY, MONDAY + DAY, SERIES_DAY, DAY / 4};
    series_t s = make(state, v, 2, w);
    near(s.all.mean, (0.25 - 0.125) / 0.375);
}

static void equal_weights_give_the_usual_deviation(void **state)
{
    const series_point_t v[] = {{MONDAY, 0.1, 1}, {MONDAY, 0.2, 1}, {MONDAY, 0.6, 1}};
    series_t s = make(state, v, 3, (series_window_t){MONDAY, MONDAY + DAY, SERIES_HOUR, 0});
    near(s.all.mean, 0.3);
    near(s.all.deviation, sqrt((0.04 + 0.01 + 0.09) / 2));
    near(s.all.error, s.all.deviation / sqrt(3));
    near(s.v[0].m.deviation, s.all.deviation);
    assert_int_equal(s.v[1].m.count, 0);
    near(s.v[1].m.deviation, 0);
}

static void one_article_has_no_deviation(void **state)
{
    const series_point_t v[] = {{MONDAY, 0.4, 0.5}};
    series_t s = make(state, v, 1, (series_window_t){MONDAY, MONDAY + DAY, SERIES_DAY, 0});
    near(s.all.mean, 0.4);
    near(s.all.deviation, 0);
    near(s.all.error, 0);
    assert_false(s.trend.known);
}

static void line_is_found(void **state)
{
    series_point_t v[20];
    for (int i = 0; i < 20; i++) /* around -0.5 + 0.05 a day, off by 0.02 */
        v[i] = (series_point_t){MONDAY + i * DAY, -0.5 + 0.05 * i + (i % 2 ? 0.02 : -0.02), 1};
    series_t s = make(state, v, 20, (series_window_t){MONDAY, MONDAY + 20 * DAY, SERIES_DAY, 0});
    assert_true(s.trend.known);
    assert_true(fabs(s.trend.per_day - 0.05) < 0.001);
    assert_true(s.trend.low < 0.05 && s.trend.high > 0.05);
    assert_true(s.trend.error > 0 && s.trend.error < 0.002);
    assert_int_equal(s.trend.direction, SERIES_RISING);
    for (int i = 0; i < 20; i++)
        v[i].score = -v[i].score;
    s = make(state, v, 20, (series_window_t){MONDAY, MONDAY + 20 * DAY, SERIES_DAY, 0});
    assert_int_equal(s.trend.direction, SERIES_FALLING);
}

/* The slope of five points by hand: t -2 to 2, x 0 1 0 1 3 tenths; b = (-0*2 -1 +0 +1 +6)/10/10. */
static void slope_and_its_error_by_hand(void **state)
{
    static const double X[] = {0, 0.1, 0, 0.1, 0.3};
    series_point_t v[5];
    double b = 0.06, mean = 0.1, spread = 0;
    for (int i = 0; i < 5; i++) {
        double t = i - 2, miss = X[i] - mean - b * t;
        v[i] = (series_point_t){MONDAY + i * DAY, X[i], 1};
        spread += t * t * miss * miss;
    }
    series_t s = make(state, v, 5, (series_window_t){MONDAY, MONDAY + 5 * DAY, SERIES_DAY, 0});
    near(s.trend.per_day, b);
    near(s.trend.error, sqrt(spread * 5 / 3) / 10);
    near(s.trend.high - s.trend.low, 2 * series_student(3) * s.trend.error);
}

static void noise_is_no_trend(void **state)
{
    series_point_t v[30];
    uint32_t seed = 7;
    for (int i = 0; i < 30; i++) {
        seed = seed * 1664525 + 1013904223;
        v[i] = (series_point_t){MONDAY + i * DAY, (seed >> 8) / (double)(1 << 24) - 0.5, 1};
    }
    series_t s = make(state, v, 30, (series_window_t){MONDAY, MONDAY + 30 * DAY, SERIES_DAY, 0});
    assert_true(s.trend.known);
    assert_int_equal(s.trend.direction, SERIES_NO_TREND);
}

static void too_few_or_one_time_make_no_line(void **state)
{
    series_point_t v[6];
    for (int i = 0; i < 6; i++)
        v[i] = (series_point_t){MONDAY + i * DAY, i / 10.0, 1};
    series_window_t w = {MONDAY, MONDAY + 6 * DAY, SERIES_DAY, 0};
    assert_false(make(state, v, SERIES_TREND_LEAST - 1, w).trend.known);
    assert_true(make(state, v, SERIES_TREND_LEAST, w).trend.known);
    for (int i = 0; i < 6; i++)
        v[i].at = MONDAY;
    assert_false(make(state, v, 6, w).trend.known);
}

static void windows_are_bounded(void **state)
{
    series_t s;
    series_window_t w = {MONDAY, MONDAY, SERIES_DAY, 0};
    assert_int_equal(series_make(*state, NULL, 0, &w, &s), RC_LIMIT);
    w.to = MONDAY + (SERIES_BUCKETS + 1) * (int64_t)DAY;
    assert_int_equal(series_make(*state, NULL, 0, &w, &s), RC_LIMIT);
    w.to -= DAY;
    assert_int_equal(series_make(*state, NULL, 0, &w, &s), RC_OK);
    assert_int_equal(s.n, SERIES_BUCKETS);
}

static void memory_that_is_used_up_is_said(void **state)
{
    series_t s;
    series_window_t w = {MONDAY, MONDAY + DAY, SERIES_DAY, 0};
    arena_t *small = arena_new(16);
    assert_int_equal(series_make(small, NULL, 0, &w, &s), RC_MEMORY);
    arena_free(small);
}

/* Table of Student's t, as statistics books have it. */
static void student_is_close_to_the_tables(void **state)
{
    static const struct {
        double freedom, t;
    } ROWS[] = {{1, 12.706}, {2, 4.303},  {3, 3.182},   {5, 2.571},
                {10, 2.228}, {30, 2.042}, {1000, 1.962}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_true(fabs(series_student(ROWS[i].freedom) / ROWS[i].t - 1) < 0.01);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(buckets_begin_at_whole_steps),
        TEST(points_outside_are_left_out),
        TEST(mean_is_weighted_by_relevance),
        TEST(older_articles_count_less),
        TEST(equal_weights_give_the_usual_deviation),
        TEST(one_article_has_no_deviation),
        TEST(line_is_found),
        TEST(slope_and_its_error_by_hand),
        TEST(noise_is_no_trend),
        TEST(too_few_or_one_time_make_no_line),
        TEST(windows_are_bounded),
        TEST(memory_that_is_used_up_is_said),
        TEST(student_is_close_to_the_tables),
    };
    return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
