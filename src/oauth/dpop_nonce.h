/* Nonces that servers ask DPoP proofs to hold (RFC 9449 sections 8 and 9), so that no proof can be
 * made in advance. Nothing is stored: a nonce is its time and a MAC over it. Pure. */
#ifndef OAUTH_DPOP_NONCE_H
#define OAUTH_DPOP_NONCE_H

#include "core/arena.h"

/** Whose nonces. */
typedef struct {
    str_t key;  /* secret, at least 32 bytes */
    str_t role; /* the issuer or the resource: a nonce of one is none of another under the key */
} oauth_dpop_nonces_t;

/** The nonce of now, in the arena. RC_MEMORY. */
rc_t oauth_dpop_nonce_make(arena_t *a, const oauth_dpop_nonces_t *nonces, int64_t now,
                           str_t *out) MUST_USE;
/** Whether it was made under this key within the last LIMIT_DPOP_NONCE_S, by a clock that is at
 * most a minute ahead. RC_MEMORY. */
rc_t oauth_dpop_nonce_check(arena_t *a, const oauth_dpop_nonces_t *nonces, str_t nonce, int64_t now,
                            bool *good) MUST_USE;

#endif
