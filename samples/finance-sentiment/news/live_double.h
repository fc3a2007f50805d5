/* Tests only: see live_double.c. */
#ifndef SENTIMENT_LIVE_DOUBLE_H
#define SENTIMENT_LIVE_DOUBLE_H

#include "live.h"

struct live {
    live_answer_t says;
    rc_t rc;
    size_t asked;
    void (*landed)(void *ctx); /* NULL, or called for each who asks: news come in */
    void *ctx;
};

#endif
