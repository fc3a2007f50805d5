/* The throttle of identity/throttle.h behind a lock, for all workers of a node. */
#ifndef AS_THROTTLE_H
#define AS_THROTTLE_H

#include "core/ports.h"
#include "identity/throttle.h"

typedef struct as_throttle as_throttle_t;

/** RC_MEMORY, or what the random port answers. */
rc_t as_throttle_new(clock_port_t clock, random_port_t random, as_throttle_t **out) MUST_USE;
/** NULL is fine. */
void as_throttle_free(as_throttle_t *t);
/** identity_throttle_begin; any thread. */
bool as_throttle_begin(as_throttle_t *t, const identity_throttle_who_t *who,
                       uint32_t *retry_after_s);
/** identity_throttle_end; any thread. */
void as_throttle_end(as_throttle_t *t, const identity_throttle_who_t *who, identity_attempt_t how);

#endif
