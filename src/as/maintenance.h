/* Keeping house on the first worker: what has expired is deleted, keys are rotated, the node keeps
 * its name. Of several nodes over one store one does what is for all of them: who holds its lease
 * (lease.h). */
#ifndef AS_MAINTENANCE_H
#define AS_MAINTENANCE_H

#include "as/as.h"

/** Starts the timers; they end with the worker. RC_MEMORY. */
rc_t as_maintenance_start(as_worker_t *w) MUST_USE;
/** At the worker's end: gives up what this node was to do for all. */
void as_maintenance_stop(as_worker_t *w);

/** Seconds that a node's name is its own without a word from it, and between two words. */
enum { AS_NODE_LEASE_S = 10, AS_NODE_RENEW_S = 3 };

#endif
