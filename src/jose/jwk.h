/* JSON Web Keys (RFC 7517) and their thumbprints (RFC 7638). Public keys only, but for the shapes
 * that must be refused. */
#ifndef JOSE_JWK_H
#define JOSE_JWK_H

#include "core/json.h"
#include "jose/key.h"

/** A public key with what its JWK says of it. */
typedef struct {
    jose_key_t *key; /* counted: jwk_free */
    alg_t alg;       /* the one algorithm it is for */
    str_t kid;       /* unset when absent; borrowed from the JSON's arena */
} jwk_t;

/** Why a JWK is not taken; JWK_UNSUPPORTED ones are skipped in sets (RFC 7517 section 5). */
typedef enum { JWK_OK, JWK_UNSUPPORTED, JWK_PRIVATE, JWK_SYMMETRIC, JWK_MALFORMED } jwk_verdict_t;

/** Reads a public JWK for signatures. A key without `alg` gets the algorithm of its kind (EC:
 * ES256, OKP: EdDSA, RSA: RS256). `use` must be sig, `key_ops` must hold verify, when present. */
jwk_verdict_t jwk_parse(arena_t *a, const json_t *json, jwk_t *out) MUST_USE;
void jwk_free(jwk_t *jwk);
/** Writes the public JWK {kty, crv…, kid, use, alg}. */
rc_t jwk_write(arena_t *a, json_writer_t *w, const jwk_t *jwk) MUST_USE;
/** base64url of the SHA-256 thumbprint (RFC 7638), in the arena. */
rc_t jwk_thumbprint(arena_t *a, const jose_key_t *key, str_t *out) MUST_USE;

/** A set, bounded by LIMIT_JWKS_KEYS. */
typedef struct {
    jwk_t *v;
    size_t n;
} jwks_t;

/** Parses a JWK Set document. Keys of unknown kinds are skipped; one that is malformed, private or
 *  symmetric is skipped too and never used. Two keys with one kid: RC_MALFORMED. Freed with the
 *  arena. */
rc_t jwks_parse(arena_t *a, str_t text, jwks_t *out) MUST_USE;
/** The key for a token: by kid where the token has one, else the only key of that algorithm. NULL:
 *  none. */
const jwk_t *jwks_find(const jwks_t *set, str_t kid, alg_t alg);

#endif
