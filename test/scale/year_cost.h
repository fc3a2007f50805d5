#ifndef SCALE_YEAR_COST_H
#define SCALE_YEAR_COST_H

#include <stdint.h>

/* Since the program began. */
typedef struct {
    uint64_t steps;   /* of SQLite's machine, by all statements */
    uint64_t scanned; /* rows that were looked at one after the other, for want of an index */
} year_cost_t;

/** Before a store is opened. */
void year_cost_watch(void);
year_cost_t year_cost(void);

#endif
