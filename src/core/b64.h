/* Base64url without padding, canonical only (RFC 7515 section 2, RFC 4648 section 5). */
#ifndef CORE_B64_H
#define CORE_B64_H

#include "core/arena.h"

/** Decodes into the arena. RC_MALFORMED: padding, other alphabet, whitespace, length 4n+1, or
 *  trailing bits that are not zero. */
rc_t b64url_decode(arena_t *a, str_t text, str_t *out) MUST_USE;
/** Decodes to exactly `n` bytes at `out`. */
rc_t b64url_decode_to(str_t text, uint8_t *out, size_t n) MUST_USE;
/** Standard alphabet with padding, as Basic credentials use it (RFC 7617); canonical only. */
rc_t b64_decode(arena_t *a, str_t text, str_t *out) MUST_USE;
/** Standard alphabet with padding, into the arena; unset without memory. */
str_t b64_encode(arena_t *a, const void *p, size_t n);
/** Encodes into the arena; unset without memory. */
str_t b64url_encode(arena_t *a, const void *p, size_t n);

#endif
