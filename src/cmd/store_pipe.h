/* From a store that gives to one that takes: the dump runs on a thread of its own, and hands over
 * one record after the other. */
#ifndef CMD_STORE_PIPE_H
#define CMD_STORE_PIPE_H

#include "cmd/store_text.h"

#include <pthread.h>

typedef struct {
    store_t *from;
    arena_t *a; /* of the dump's thread */
    store_tally_t tally;
    uint64_t revocation;
    bool (*wants)(table_id_t table); /* NULL: all */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { PIPE_EMPTY, PIPE_FULL, PIPE_ENDED } state;
    bool given_up; /* by who takes */
    table_id_t table;
    const void *record;
    rc_t rc; /* of the dump, once it has ended */
    str_t why;
} store_pipe_t;

/** Starts to read `from`; `wants` says which tables are handed over. RC_MEMORY. */
rc_t store_pipe_start(store_pipe_t *p, store_t *from, bool (*wants)(table_id_t)) MUST_USE;
/** Gives the records, and at the end the number of revocations. */
store_source_t store_pipe_source(store_pipe_t *p);
/** Ends the thread, wherever it is. What was tallied stays until store_pipe_free. */
void store_pipe_stop(store_pipe_t *p);
void store_pipe_free(store_pipe_t *p);

#endif
