/* One-time names that others than this room's endpoints use up, for all nodes: those of the proofs
 * that calls to protected servers bear. */
#ifndef AS_SPEND_H
#define AS_SPEND_H

#include "as/as.h"

/** On the worker of `loop`, or with the connection of `w` where there is none (tests). done(arg,
 *  rc) once, within the call or later: RC_OK, RC_CONFLICT (used before), RC_LIMIT (no room), or
 * what the store answers. Everything lives in `a` until then. */
typedef struct {
    hash_t name;
    int64_t forget_at; /* Unix seconds */
    void (*done)(void *arg, rc_t rc);
    void *arg;
} as_spend_t;
void as_spend(as_worker_t *w, arena_t *a, const as_spend_t *what);
/** The worker of this application on that loop; NULL: there is none. On its thread. */
as_worker_t *as_worker_of(const as_t *as, http_worker_t *loop);

#endif
