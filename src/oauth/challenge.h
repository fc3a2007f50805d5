/* The WWW-Authenticate value of a protected resource (RFC 6750 section 3, RFC 9728 section 5.1). */
#ifndef OAUTH_CHALLENGE_H
#define OAUTH_CHALLENGE_H

#include "core/arena.h"

/** Members that are unset are left out. */
typedef struct {
    str_t error;             /* unset when no credentials came (RFC 6750 section 3.1) */
    str_t error_description; /* for developers; plain ASCII */
    str_t scope;             /* all the operation needs, space-separated */
    str_t acr_values;        /* one of which the sign-in must be (RFC 9470 section 3) */
    str_t max_age;           /* seconds since it, at most; digits */
    str_t resource_metadata; /* URL of the protected resource metadata */
    str_t dpop_algs; /* set: the scheme is DPoP with these algorithms (RFC 9449 section 7.1) */
} oauth_challenge_t;

/** Bearer (or DPoP) error="…", … in the arena. Every value is a quoted-string; characters that RFC
 * 6750 section 3 does not allow in it come out as '?', so that no value can end its quotes or the
 *  header. RC_LIMIT when it is longer than LIMIT_CHALLENGE_BYTES, RC_MEMORY. */
rc_t oauth_challenge_write(arena_t *a, const oauth_challenge_t *c, str_t *out) MUST_USE;

#endif
