/* Proofs of possession as a client makes them (RFC 9449 section 4.2). */
#ifndef CLIENT_PROOF_H
#define CLIENT_PROOF_H

#include "core/ports.h"
#include "jose/jwk.h"

typedef struct {
    const jwk_t *key;   /* private, ES256 or EdDSA */
    str_t method, url;  /* url: without query and fragment in the proof, whatever is here */
    str_t access_token; /* whose hash goes in; unset: none */
    str_t nonce;        /* unset: none */
    int64_t now;        /* Unix seconds */
    random_port_t random;
} client_proof_want_t;

/** The value of the DPoP header, with a jti of its own each time. RC_MALFORMED: no private key, or
 * no URL; RC_LIMIT, RC_MEMORY, RC_IO. */
rc_t client_proof_write(arena_t *a, const client_proof_want_t *want, str_t *out) MUST_USE;

#endif
