/* Login names: one spelling for each account. */
#ifndef IDENTITY_USERNAME_H
#define IDENTITY_USERNAME_H

#include "core/arena.h"

/**
 * The one spelling of what a person typed, in the arena: ASCII letters in lower case, spaces around
 * it dropped (keyboards of phones add one). Letters, digits and "._-+@", 1 to LIMIT_USERNAME_BYTES,
 * beginning with a letter or digit: no two names look alike, and none needs escaping in a log, a
 * file or a URL. RC_MALFORMED: no such name; RC_MEMORY.
 */
rc_t identity_username_normalize(arena_t *a, str_t text, str_t *out) MUST_USE;

#endif
