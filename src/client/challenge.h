/* Reads WWW-Authenticate (RFC 9110 section 11.6.1): what a server asks for. Hostile input. */
#ifndef CLIENT_CHALLENGE_H
#define CLIENT_CHALLENGE_H

#include "core/arena.h"

enum { CLIENT_CHALLENGES_MAX = 16, CLIENT_CHALLENGE_PARAMS = 32 };

typedef struct {
    str_t name, value; /* name as written; value decoded */
} client_challenge_param_t;

/** One challenge, in the order of the header. */
typedef struct {
    str_t scheme;
    str_t token68; /* unset, or in place of parameters */
    const client_challenge_param_t *params;
    size_t n_params;
    bool repeated; /* a parameter comes twice: this challenge may not be used */
} client_auth_challenge_t;

typedef struct {
    const client_auth_challenge_t *v;
    size_t n;
    bool malformed; /* something is no challenge, or too long, and was left out */
} client_challenges_t;

/** All challenges of all header values, in order; texts borrow from the values. A challenge that
 * ends in what is no challenge is left out with all behind it in its value; later values are read.
 *  Values that make it more than LIMIT_CHALLENGE_BYTES are left out, challenges that make it more
 *  than CLIENT_CHALLENGES_MAX, and those of more than CLIENT_CHALLENGE_PARAMS: `malformed` as well.
 *  RC_MEMORY. */
rc_t client_challenges_read(arena_t *a, str_list_t values, client_challenges_t *out) MUST_USE;
/** The value of a parameter, name compared without case; unset when absent. */
str_t client_challenge_get(const client_auth_challenge_t *c, str_t name);

/** What of it counts for OAuth. Members that are absent are unset. */
typedef struct {
    bool found; /* a Bearer or DPoP challenge without repeated parameters */
    bool dpop;  /* a DPoP challenge is there (RFC 9449 section 7.1) */
    bool bearer;
    str_t error, error_description;
    str_t scope;             /* in one form (oauth_scope_parse); unset where it is no scope */
    str_t resource_metadata; /* as written */
    str_t acr_values, max_age, algs;
} client_challenge_t;

/** One usable challenge of each of the two schemes, the first that names resource_metadata, else
 * the first, as one; where both are there, members of the earlier that has them. RC_MEMORY. */
rc_t client_challenge_pick(arena_t *a, const client_challenges_t *all,
                           client_challenge_t *out) MUST_USE;

#endif
