/* One key as text between its two lines (RFC 7468 sections 10 and 13), in the strict form that
 * tools write: nothing before it, nothing behind it. */
#ifndef JOSE_PEM_H
#define JOSE_PEM_H

#include "jose/key.h"

enum { PEM_KEY_BYTES = 8192 }; /* of such a text, at most */

/** Writes a private key as PKCS#8, in the arena and wiped with it. RC_NOT_FOUND: it is public. */
rc_t pem_private_write(arena_t *a, const jose_key_t *key, str_t *out) MUST_USE;
rc_t pem_public_write(arena_t *a, const jose_key_t *key, str_t *out) MUST_USE;
/** RC_MALFORMED: it is not exactly one such key, or key.h refuses it; encrypted keys are not taken.
 *  `a` holds what is read meanwhile. Free with jose_key_free. */
rc_t pem_private_read(arena_t *a, str_t text, jose_key_t **out) MUST_USE;
rc_t pem_public_read(arena_t *a, str_t text, jose_key_t **out) MUST_USE;

#endif
