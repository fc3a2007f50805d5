/* The files of TLS. */
#ifndef KIT_PEM_H
#define KIT_PEM_H

#include "core/secret.h"

enum { KIT_PEM_BYTES = 64 << 10 };

/** The bytes of a file, in `a`. RC_CONFIG: *why says what is wrong with it, named by `what`;
 * RC_MEMORY, with *why as well. */
rc_t kit_pem_read(arena_t *a, const char *what, const char *path, str_t *out, str_t *why) MUST_USE;
/** The same for a secret, wiped with the arena; a file that others may use is refused (a group may
 * read: that is how secrets are mounted for services). */
rc_t kit_pem_read_key(arena_t *a, const char *what, const char *path, secret_t *out,
                      str_t *why) MUST_USE;

#endif
