/* JSON Web Keys (RFC 7517) for signatures, their sets, and their thumbprints (RFC 7638). */
#ifndef JOSE_JWK_H
#define JOSE_JWK_H

#include "core/json.h"
#include "jose/key.h"

/** A key with what its JWK says of it. */
typedef struct {
    jose_key_t *key; /* counted: jwk_free */
    alg_t alg;       /* the one algorithm it is for */
    str_t kid;       /* unset when absent; borrowed from the JSON's arena */
} jwk_t;

/* JWK_VERDICT(NAME, "name for logs"): why a JWK is not taken. */
#define JWK_VERDICT_TABLE(JWK_VERDICT)                                                             \
    JWK_VERDICT(OK, "fine")                                                                        \
    JWK_VERDICT(UNSUPPORTED, "jwk_unsupported") /* kty, crv, alg, use or key_ops are not ours */   \
    JWK_VERDICT(PRIVATE, "jwk_private")         /* private members where a public key belongs */   \
    JWK_VERDICT(SYMMETRIC, "jwk_symmetric")     /* a shared secret is no public key */             \
    JWK_VERDICT(MALFORMED, "jwk_malformed")     /* members missing, of wrong type or length */     \
    JWK_VERDICT(UNSOUND, "jwk_unsound")         /* key.h refuses the numbers */

typedef enum {
#define JWK_VERDICT(name, text) JWK_##name,
    JWK_VERDICT_TABLE(JWK_VERDICT)
#undef JWK_VERDICT
        JWK_VERDICT_COUNT
} jwk_verdict_t;

/** The name for logs; static. */
str_t jwk_verdict_name(jwk_verdict_t verdict);

/** Reads a public JWK for signatures. The algorithm comes from the key (RFC 8725 section 3.1): one
 *  without `alg` gets that of its kind (EC: ES256, OKP: EdDSA, RSA: RS256; PS256 must be named).
 *  `use` must be sig and `key_ops` hold verify, when present, and not contradict each other.
 *  Unknown members are ignored (RFC 7517 section 4). */
jwk_verdict_t jwk_parse(arena_t *a, const json_t *json, jwk_t *out) MUST_USE;
/** Reads a private JWK (RFC 7518 section 6): `d` must be there and fit the public members; RSA
 *  needs p, q, dp, dq, qi too. `key_ops`, when present, holds sign. */
jwk_verdict_t jwk_parse_private(arena_t *a, const json_t *json, jwk_t *out) MUST_USE;
void jwk_free(jwk_t *jwk);
/** Writes the public JWK {kty, crv…, kid, use, alg}; of a private key its public half. */
rc_t jwk_write(arena_t *a, json_writer_t *w, const jwk_t *jwk) MUST_USE;
/** base64url of the SHA-256 thumbprint (RFC 7638), in the arena. */
rc_t jwk_thumbprint(arena_t *a, const jose_key_t *key, str_t *out) MUST_USE;

/** A set, bounded by LIMIT_JWKS_KEYS. */
typedef struct {
    jwk_t *v;
    size_t n;
    size_t skipped; /* keys that were passed over */
} jwks_t;

/** Parses a JWK Set document of public keys. Keys that jwk_parse does not take are skipped and
 *  never used (RFC 7517 section 5). Lives and is freed with the arena; borrows `text`.
 * RC_MALFORMED, RC_LIMIT, RC_MEMORY. */
rc_t jwks_parse(arena_t *a, str_t text, jwks_t *out) MUST_USE;
/** The one key for a token: by kid where the token has one, else the only key of that algorithm.
 *  NULL when there is none, or several: a choice among keys would be a guess. Keys may share a kid
 *  when their algorithms differ (RFC 7517 section 4.5). */
const jwk_t *jwks_find(const jwks_t *set, str_t kid, alg_t alg);
/** Writes {"keys":[…]}, public members only. */
rc_t jwks_write(arena_t *a, json_writer_t *w, const jwks_t *set) MUST_USE;

#endif
