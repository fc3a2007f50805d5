/* Lets a command that has no event loop wait for one completion of the store or the audit trail. */
#ifndef CMD_ONCE_H
#define CMD_ONCE_H

#include "core/ports.h"

#include <pthread.h>

/** A queue of completions, run by whoever waits. Zero-initialize through once_init. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct {
        void (*fn)(void *);
        void *arg;
    } queue[8];
    size_t n;
} once_t;

/** What one call answered. */
typedef struct {
    bool done;
    rc_t rc;
    size_t failed; /* index of the effect in conflict */
} once_result_t;

void once_init(once_t *o);
post_port_t once_port(once_t *o);
/** A store_done_t: ctx is a once_result_t. */
void once_done(void *ctx, rc_t rc, size_t failed);
/** Runs completions until *result is there. */
void once_wait(once_t *o, const once_result_t *result);

#endif
