/* Several companies side by side: who has the better news, and whether the difference is more than
 * chance. Pure. */
#ifndef SENTIMENT_COMPARE_H
#define SENTIMENT_COMPARE_H

#include "series.h"

enum { COMPARE_MOST = 10 };

/** One company's part. */
typedef struct {
    str_t ticker;
    series_mean_t m;
    series_trend_t trend;
    size_t rank;   /* 1 is the best mean; equal means share one; 0: no article */
    double behind; /* the best mean minus its own; 0 for the best */
    double error;  /* standard, of that difference */
    bool clear;    /* the difference is more than chance (Welch's test, 95 of 100) */
} compare_row_t;

/** Sorts rows (ticker, m and trend are filled in) by mean, best first, those without an article
 *  last, in order of the ticker where means are equal; and fills in the others. */
void compare_rank(compare_row_t *rows, size_t n);

#endif
