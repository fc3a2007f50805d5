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
/** HMAC-SHA-256 (RFC 2104). Any thread. */
void hmac_sha256(str_t key, str_t data, uint8_t out[SHA256_BYTES]);

#endif
