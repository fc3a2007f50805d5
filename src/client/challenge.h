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
    bool malformed; /* reading stopped at something that is no challenge; those before it are there
                     */
} client_challenges_t;

/** All challenges of all header values, in order. Longer than LIMIT_CHALLENGE_BYTES together, or
 * more than CLIENT_CHALLENGES_MAX: the rest is left out and `malformed`. RC_MEMORY. */
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

/** The first usable challenge of each of the two schemes, as one; where both are there, members of
 * the first that has them. RC_MEMORY. */
rc_t client_challenge_pick(arena_t *a, const client_challenges_t *all,
                           client_challenge_t *out) MUST_USE;

#endif
