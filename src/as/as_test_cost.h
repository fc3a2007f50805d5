/* What a request costs the store and the trail, counted while it runs. */
#ifndef AS_AS_TEST_COST_H
#define AS_AS_TEST_COST_H

#include "as/as_test_world.h"

typedef struct {
    unsigned reads;    /* store_ask that reached the store */
    unsigned writes;   /* transactions that changed something */
    unsigned sqlite;   /* statements, those that begin and end transactions too; triggers are not
                        * statements of their own */
    unsigned postgres; /* statements; each store_ask and each transaction is one round trip */
    size_t wal;        /* bytes that SQLite's log grew by */
    unsigned events;   /* lines of the audit trail */
    size_t trail;      /* their bytes */
    str_t effects;     /* names, those of one transaction behind each other, "; " between two */
} cost_t;

/** Before any store is opened: all connections of the process are counted. */
void cost_watch_sqlite(void);
/** From here on the cost of `w` is counted; its store is on the disk. */
void cost_begin(world_t *w);
cost_t cost_end(world_t *w);

#endif
