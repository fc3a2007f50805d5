/* Signatures with a client's own key: assertions, and proofs of possession. */
#ifndef CLIENT_SIGNING_H
#define CLIENT_SIGNING_H

#include "core/ports.h"
#include "jose/jwk.h"

/** The compact form (RFC 7515 section 7.1) of a header and a payload, both JSON as text. The key is
 *  private and for its alg: else RC_MALFORMED. RC_LIMIT: longer than `max`; RC_MEMORY, RC_IO. */
rc_t client_sign(arena_t *a, const jwk_t *key, str_t header, str_t payload, size_t max,
                 str_t *out) MUST_USE;
/** 128 random bits as text, for a jti. RC_MEMORY, RC_IO. */
rc_t client_new_jti(arena_t *a, random_port_t random, str_t *out) MUST_USE;

#endif
