/* Keeping house on the first worker: what has expired is deleted, keys are rotated. */
#ifndef AS_MAINTENANCE_H
#define AS_MAINTENANCE_H

#include "as/as.h"

/** Starts the timers; they end with the worker. RC_MEMORY. */
rc_t as_maintenance_start(as_worker_t *w) MUST_USE;

#endif
