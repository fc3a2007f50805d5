/* How often: the rates of a policy, counted for all workers in memory that never grows. What cannot
 * be counted is refused. */
#ifndef PROXY_TOLLS_H
#define PROXY_TOLLS_H

#include "core/ports.h"
#include "gate/policy.h"

/* Buckets of all rates: 8192 rows of 8. */
enum { TOLLS_ROWS = 8192, TOLLS_WAYS = 8, TOLLS_LOCKS = 16 };

/** Thread-safe. */
typedef struct tolls tolls_t;

/** RC_MEMORY, RC_IO (randomness). */
rc_t tolls_new(random_port_t random, tolls_t **out) MUST_USE;
/** NULL is fine. */
void tolls_free(tolls_t *t);

/** Who and what one call counts for. */
typedef struct {
    str_t upstream; /* its path */
    const gate_principal_t *who;
    str_t object; /* the tool, resource or prompt, else the method */
} toll_payer_t;

typedef enum {
    TOLL_PAID,
    TOLL_OVER, /* the rate is used up */
    TOLL_FULL, /* all buckets of the row are in use by others */
} toll_verdict_t;

/** Counts one call towards the rate: `calls` may come at once, then one for each part of
 *  `seconds` (the generic cell rate algorithm, ITU-T I.371). *retry_after_s: at least 1, when it
 * may be tried again. Buckets belong to upstream, rule and numbers, so that they outlive a reload
 * of the settings. */
toll_verdict_t tolls_take(tolls_t *t, const gate_toll_t *toll, const toll_payer_t *payer,
                          int64_t mono_ms, uint32_t *retry_after_s);

#endif
