/* Who somebody of another issuer is here. */
#ifndef OAUTH_SUBJECT_H
#define OAUTH_SUBJECT_H

#include "core/arena.h"

/**
 * The id, here, of `subject` of `tenant` (unset: the issuer has none) of `issuer`: always the same,
 * another one for any other three, and not to be read back. It is "x-" and lower-case hexadecimal,
 * so that it can be the name of the account, too. Those three are the key (OpenID Connect Core
 * section 5.7): mail addresses change hands. RC_MEMORY.
 */
rc_t oauth_subject_id(arena_t *a, str_t issuer, str_t tenant, str_t subject, str_t *out) MUST_USE;

#endif
