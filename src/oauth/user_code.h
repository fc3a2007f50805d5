/* The code that a person copies from a device (RFC 8628 section 6.1): eight letters, none of them a
 * vowel, so that no words come out, and none that is read as a digit. Stored in upper case without
 * dash; shown as XXXX-XXXX. */
#ifndef OAUTH_USER_CODE_H
#define OAUTH_USER_CODE_H

#include "core/arena.h"
#include "core/ports.h"

enum { OAUTH_USER_CODE_LETTERS = 8 };

/** A fresh one, each of 20^8 alike likely, in the arena. RC_MEMORY, or what the random port
 *  answers. */
rc_t oauth_user_code_new(arena_t *a, const random_port_t *random, str_t *out) MUST_USE;
/** As people read it: XXXX-XXXX; unset without memory. `code` has OAUTH_USER_CODE_LETTERS. */
str_t oauth_user_code_show(arena_t *a, str_t code);
/** What somebody typed, in either case, with dashes and spaces anywhere; *out is unset when it is
 *  no code. RC_MEMORY. */
rc_t oauth_user_code_read(arena_t *a, str_t typed, str_t *out) MUST_USE;

#endif
