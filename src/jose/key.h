/* One asymmetric key. Opaque: the library behind it stays in ossl_*.c. */
#ifndef JOSE_KEY_H
#define JOSE_KEY_H

#include "core/arena.h"
#include "jose/alg.h"

typedef struct jose_key jose_key_t;

typedef enum { KEY_EC_P256, KEY_ED25519, KEY_RSA } key_kind_t;

/* RSA: NIST SP 800-57 wants 2048 bits; verifying grows with the square of the size, so that larger
 * keys than 8192 bits would let a key set burn our time. */
enum { KEY_SIGNATURE_MAX = 1024, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_EXPONENT_BITS = 64 };

/** Members of a JWK as bytes, big-endian; those the kind does not have are unset. */
typedef struct {
    str_t x, y;                /* EC (32 bytes each), OKP (x alone) */
    str_t n, e;                /* RSA */
    str_t d, p, q, dp, dq, qi; /* private: d for all, the others for RSA */
} key_parts_t;

/** A public key of checked parts. RC_MALFORMED: a point that is not on the curve (RFC 7518 section
 *  6.2.1), RSA outside of the sizes above, an exponent that is even or below 3, or a modulus with
 *  the mark of weak generators (ROCA, CVE-2017-15361). Free with jose_key_free. */
rc_t jose_key_from_public(key_kind_t kind, const key_parts_t *parts, jose_key_t **out) MUST_USE;
/** The same with its private half, which must fit the public one. */
rc_t jose_key_from_private(key_kind_t kind, const key_parts_t *parts, jose_key_t **out) MUST_USE;
/** Private key from PKCS#8 DER (RFC 5958), nothing behind it, within the same limits. */
rc_t jose_key_from_pkcs8(str_t der, jose_key_t **out) MUST_USE;
/** A new key pair for `alg` (RSA: 2048 bits). */
rc_t jose_key_generate(alg_t alg, jose_key_t **out) MUST_USE;
/** PKCS#8 DER of a private key, in the arena; wiped when it ends. RC_NOT_FOUND: it is public. */
rc_t jose_key_pkcs8(arena_t *a, const jose_key_t *key, str_t *out) MUST_USE;
/** The same for the public half: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
rc_t jose_key_from_spki(str_t der, jose_key_t **out) MUST_USE;
rc_t jose_key_spki(arena_t *a, const jose_key_t *key, str_t *out) MUST_USE;
/** Keys are immutable and counted; free drops one count. NULL is fine. Any thread. */
jose_key_t *jose_key_hold(jose_key_t *key);
void jose_key_free(jose_key_t *key);
key_kind_t jose_key_kind(const jose_key_t *key);
bool jose_key_is_private(const jose_key_t *key);
/** Whether keys of that kind can be for `alg`. */
bool jose_key_fits(key_kind_t kind, alg_t alg);
/** The algorithm of a key that names none: ES256, EdDSA, RS256. */
alg_t jose_key_usual_alg(key_kind_t kind);
/** Public parts for a JWK: EC x,y; OKP x; RSA n,e. In the arena; y unset for OKP. */
rc_t jose_key_public(arena_t *a, const jose_key_t *key, str_t *first, str_t *second) MUST_USE;

/** Whether `sig` is `alg`'s signature of `input`. False for any mismatch of key kind and
 *  algorithm, and any other length than the algorithm's (ES256: exactly 64). Any thread. */
bool jose_key_verify(const jose_key_t *key, alg_t alg, str_t input, str_t sig);

/** A signing context: reused for many signatures, one thread at a time. */
typedef struct jose_signing jose_signing_t;
/** RC_MALFORMED: the key does not fit `alg`, or is public. */
rc_t jose_signing_new(jose_key_t *key, alg_t alg, jose_signing_t **out) MUST_USE;
void jose_signing_free(jose_signing_t *s);
/** Signs `input`; *n is the length at `sig` (KEY_SIGNATURE_MAX bytes). */
rc_t jose_signing_sign(jose_signing_t *s, str_t input, uint8_t *sig, size_t *n) MUST_USE;

#endif
