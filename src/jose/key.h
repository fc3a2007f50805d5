/* One asymmetric key. Opaque: the library behind it stays in ossl_key.c. */
#ifndef JOSE_KEY_H
#define JOSE_KEY_H

#include "core/arena.h"
#include "core/ports.h"
#include "jose/alg.h"

typedef struct jose_key jose_key_t;

typedef enum { KEY_EC_P256, KEY_ED25519, KEY_RSA } key_kind_t;

enum { KEY_SIGNATURE_MAX = 1024, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192 };

/** Public EC P-256 point (RFC 7518 section 6.2.1), 32 bytes each, checked to lie on the curve. */
rc_t jose_key_from_ec(const uint8_t x[32], const uint8_t y[32], jose_key_t **out) MUST_USE;
/** Public Ed25519 key (RFC 8037 section 2). */
rc_t jose_key_from_ed25519(const uint8_t x[32], jose_key_t **out) MUST_USE;
/** Public RSA key, big-endian without leading zeros; RC_MALFORMED outside of RSA_BITS_MIN/MAX or
 *  for an exponent that is even, below 3 or above 2^32. */
rc_t jose_key_from_rsa(str_t n, str_t e, jose_key_t **out) MUST_USE;
/** Private key from PKCS#8 DER. */
rc_t jose_key_from_pkcs8(str_t der, jose_key_t **out) MUST_USE;
/** A new key pair for `alg` (RS256: 2048 bits). */
rc_t jose_key_generate(alg_t alg, jose_key_t **out) MUST_USE;
/** PKCS#8 DER of a private key, in the arena; wiped when it ends. */
rc_t jose_key_pkcs8(arena_t *a, const jose_key_t *key, str_t *out) MUST_USE;
/** Keys are immutable and counted; free drops one count. NULL is fine. Any thread. */
jose_key_t *jose_key_hold(jose_key_t *key);
void jose_key_free(jose_key_t *key);
key_kind_t jose_key_kind(const jose_key_t *key);
/** Public parts for a JWK: EC x,y; OKP x; RSA n,e. In the arena; y unset for OKP. */
rc_t jose_key_public(arena_t *a, const jose_key_t *key, str_t *first, str_t *second) MUST_USE;

/** Whether `sig` is `alg`'s signature of `input`. False for any mismatch of key kind and
 *  algorithm, and any other length than the algorithm's (ES256: exactly 64). Any thread. */
bool jose_key_verify(const jose_key_t *key, alg_t alg, str_t input, str_t sig);

/** A signing context: reused for many signatures, one thread at a time. */
typedef struct jose_signing jose_signing_t;
rc_t jose_signing_new(jose_key_t *key, alg_t alg, jose_signing_t **out) MUST_USE;
void jose_signing_free(jose_signing_t *s);
/** Signs `input`; *n is the length at `sig` (KEY_SIGNATURE_MAX bytes). */
rc_t jose_signing_sign(jose_signing_t *s, str_t input, uint8_t *sig, size_t *n) MUST_USE;

#endif
