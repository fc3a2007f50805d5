/* Counts for metrics. Each worker counts in a block of its own, without a lock and without a line
 * of the cache that another worker writes; whoever reads adds the blocks up. What is counted stands
 * in counters.def; the only names that are not there are routes and reasons, which come out of
 * tables of the program, so that strangers cannot make series. */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include "core/buf.h"

typedef enum {
#define COUNTER(name, metric, labels, help) COUNTER_##name,
#define GAUGE(name, metric, labels, help)   COUNTER_##name,
#define HISTOGRAM(name, metric, help)
#include "core/counters.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    COUNTER_COUNT
} counter_t;

typedef enum {
#define COUNTER(name, metric, labels, help)
#define GAUGE(name, metric, labels, help)
#define HISTOGRAM(name, metric, help) HISTOGRAM_##name,
#include "core/counters.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    HISTOGRAM_COUNT
} histogram_t;

enum {
    COUNTERS_BLOCKS_MAX = 320, /* workers of all listeners */
    COUNTERS_NAMES_MAX = 128,  /* routes, and reasons, of one block; more are "other" */
    COUNTERS_NAME_BYTES = 56,
};

typedef struct counters counters_t;
typedef struct counter_block counter_block_t;

/** NULL without memory. */
counters_t *counters_new(void);
/** Frees the blocks, too: after their threads have ended. NULL is fine. */
void counters_free(counters_t *c);
/** A block for one thread, which alone may count in it; its counts stay when the thread ends. NULL
 *  without memory, over COUNTERS_BLOCKS_MAX, or without `c`. Any thread. */
counter_block_t *counters_join(counters_t *c);

/* All of these take a block that is NULL, and then count nothing. The block's own thread only. */

void counter_add(counter_block_t *b, counter_t what, int64_t n);
/** A duration in microseconds. */
void counter_time(counter_block_t *b, histogram_t what, int64_t us);
/** A request that was answered: by the path of its route ("" : no route), and its status. */
void counter_request(counter_block_t *b, str_t route, int status);
/** A refusal, by the name of its row in a table of reasons. */
void counter_refusal(counter_block_t *b, str_t reason);

/** The sum of one of them. Any thread. */
int64_t counters_sum(counters_t *c, counter_t what);
/** Everything as Prometheus text (exposition format 0.0.4). Any thread. */
void counters_write(counters_t *c, buf_t *b);

#endif
