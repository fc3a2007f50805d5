/* A finding as the caller of the library gets it. */
#ifndef RS_VERDICT_H
#define RS_VERDICT_H

#include "rs/check.h"

/** Memory of one verdict: the token's claims, and the answer. */
enum { RS_VERDICT_ARENA_BYTES = 512 * 1024 };

/** Makes the verdict in `a`, which it takes over; NULL without memory, and `a` is freed. `needed`:
 *  all scopes of the operation, may be unset. */
warder_rs_verdict_t *rs_verdict_make(const rs_settings_t *s, arena_t *a, const rs_finding_t *found,
                                     str_t needed);

/** The same into *v, in an arena that stays the caller's. RC_MEMORY, RC_LIMIT. */
rc_t rs_verdict_fill(const rs_settings_t *s, arena_t *a, const rs_finding_t *found, str_t needed,
                     warder_rs_verdict_t *v) MUST_USE;

#endif
