/* Streams that stay open, counted for each subject and in all, for all workers. */
#ifndef PROXY_SEATS_H
#define PROXY_SEATS_H

#include "core/ports.h"
#include "gate/principal.h"

enum { SEATS_MAX = 1000000 }; /* streams of all subjects */

/** Thread-safe. */
typedef struct seats seats_t;

/** RC_MEMORY, RC_IO (randomness). */
rc_t seats_new(random_port_t random, size_t max, seats_t **out) MUST_USE;
/** NULL is fine. */
void seats_free(seats_t *s);
/** Takes a seat of `who` (issuer and subject) at an upstream's path, unless it has `per_subject`
 *  already (0: no limit) or all are taken. RC_LIMIT: the subject's, RC_BUSY: all; RC_MEMORY. */
rc_t seats_take(seats_t *s, str_t upstream, const gate_principal_t *who,
                int64_t per_subject) MUST_USE;
/** Gives it back. */
void seats_leave(seats_t *s, str_t upstream, const gate_principal_t *who);

#endif
