/* The proofs of possession that were used within their time, so that none counts twice (RFC 9449
 * section 11.1). Bounded; locks itself. When it is full, it says so: nothing is forgotten early. */
#ifndef RS_PROOFS_H
#define RS_PROOFS_H

#include "oauth/dpop.h"

typedef struct rs_proofs rs_proofs_t;

/** Room for about `max`. NULL without memory. */
rs_proofs_t *rs_proofs_new(size_t max);
/** NULL is fine. */
void rs_proofs_free(rs_proofs_t *p);
/** Remembers a name until `forget_at`. RC_CONFLICT: it was used before; RC_LIMIT: there is no room.
 *  Unix seconds. Any thread. */
rc_t rs_proofs_spend(rs_proofs_t *p, const hash_t *name, int64_t now, int64_t forget_at) MUST_USE;

#endif
