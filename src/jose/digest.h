/* SHA-256 and HMAC-SHA-256. */
#ifndef JOSE_DIGEST_H
#define JOSE_DIGEST_H

#include "core/rc.h"
#include "core/str.h"

enum { SHA256_BYTES = 32 };

/** SHA-256 of `data` (FIPS 180-4). Any thread. */
void sha256(str_t data, uint8_t out[SHA256_BYTES]);
/** SHA-256 of `n` parts, one behind the other. Any thread. */
void sha256_parts(const str_t *parts, size_t n, uint8_t out[SHA256_BYTES]);
/** SHA-256 of what comes piece by piece. Owned by its caller; holds nothing to free. */
typedef struct {
    uint64_t state[16];
} sha256_t;
void sha256_begin(sha256_t *s);
void sha256_more(sha256_t *s, str_t data);
/** The digest of all that came so far; more may come. */
void sha256_so_far(const sha256_t *s, uint8_t out[SHA256_BYTES]);
/** HMAC-SHA-256 (RFC 2104). Any thread. */
void hmac_sha256(str_t key, str_t data, uint8_t out[SHA256_BYTES]);

#endif
