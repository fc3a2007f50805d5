/* The signer port: private keys stay behind it, in this process, a module or a remote service. */
#ifndef JOSE_SIGNER_H
#define JOSE_SIGNER_H

#include "jose/jwk.h"

typedef struct {
    alg_t alg;
    str_t kid;
    str_t input; /* the bytes to sign, not hashed */
} sign_request_t;

/** In the form of JWS (RFC 7518 section 3): ES256 is R || S in 64 bytes. */
typedef struct {
    uint8_t b[KEY_SIGNATURE_MAX];
    size_t n;
} signature_t;

/** RC_NOT_FOUND: no private key of that kid and alg; RC_IO: the signer failed. One thread at a
 *  time for one ctx. */
typedef struct {
    rc_t (*sign)(void *ctx, const sign_request_t *req, signature_t *out);
    void *ctx;
} signer_port_t;

/** Signs with keys of this process. One for each worker: it holds prepared contexts. */
typedef struct signer_local signer_local_t;

/** Prepares to sign with the private ones among `keys`, which it holds. RC_MEMORY, RC_IO. Free with
 *  signer_local_free. */
rc_t signer_local_new(const jwks_t *keys, signer_local_t **out) MUST_USE;
/** NULL is fine. */
void signer_local_free(signer_local_t *s);
signer_port_t signer_local_port(signer_local_t *s);

#endif
