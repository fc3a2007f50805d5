/* Scores of articles as a series over time: buckets, a weighted mean, how far scores lie apart, and
 * whether they move. Pure. */
#ifndef SENTIMENT_SERIES_H
#define SENTIMENT_SERIES_H

#include "core/arena.h"

enum {
    SERIES_BUCKETS = 400,   /* a year of days: more is no answer for people or models */
    SERIES_TREND_LEAST = 5, /* articles: with fewer a line means nothing */
};

typedef enum { SERIES_HOUR, SERIES_DAY, SERIES_WEEK, SERIES_STEPS } series_step_t;

/** "hour", "day", "week"; static. */
str_t series_step_name(series_step_t step);
/** Its length in seconds. */
int64_t series_step_seconds(series_step_t step);

/** What one article says. */
typedef struct {
    int64_t at;       /* Unix time in seconds */
    double score;     /* -1 to 1 */
    double relevance; /* 0 to 1: how much it is about the company */
} series_point_t;

typedef struct {
    int64_t from, to; /* Unix time in seconds, [from, to) */
    series_step_t step;
    /** An article this much older than `to` counts half, twice as old a quarter, and so on. 0: all
     *  ages count alike. */
    int64_t half_life_s;
} series_window_t;

/** A mean of scores, by relevance and recency. */
typedef struct {
    size_t count;
    double weight; /* of all; 0: there is no mean */
    double mean;
    double deviation; /* standard, of a score; 0 with fewer than two */
    double error;     /* standard, of the mean: with the number of articles that as many of equal
                         weight would be */
} series_mean_t;

/** Buckets begin at whole hours, days, or Mondays, in UTC. */
typedef struct {
    int64_t start;
    series_mean_t m;
} series_bucket_t;

typedef enum { SERIES_NO_TREND, SERIES_RISING, SERIES_FALLING } series_direction_t;

/** The line through the articles by weighted least squares. */
typedef struct {
    bool known;       /* false: too few, or all at one time */
    double per_day;   /* how much the score changes in a day */
    double error;     /* standard; of errors that differ from article to article ("HC1") */
    double low, high; /* 95 of 100 such intervals hold the true change (Student's t) */
    series_direction_t direction; /* NO_TREND: chance would do as well */
} series_trend_t;

/** "rising", "falling", "none"; static. */
str_t series_direction_name(series_direction_t d);

typedef struct {
    const series_bucket_t *v; /* earliest first, also those without an article */
    size_t n;
    series_mean_t all;
    series_trend_t trend;
} series_t;

/** Points outside the window are left out; any order will do. RC_LIMIT: more than SERIES_BUCKETS
 *  buckets, or a window that ends before it begins. RC_MEMORY. */
rc_t series_make(arena_t *a, const series_point_t *points, size_t n, const series_window_t *window,
                 series_t *out) MUST_USE;

/** What 97.5 of 100 draws of Student's t with so many degrees of freedom (at least 1) stay under.
 */
double series_student(double freedom);

#endif
