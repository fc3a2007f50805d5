/* The one-time link that creates the first account: made at start while there is no user, printed
 * on the terminal, so that only who started the server can use it. Kept in memory only, and not
 * changed after the start: an account that exists closes it for the caller, and the effect
 * USER_INSERT_FIRST settles races. Pure. */
#ifndef IDENTITY_SETUP_H
#define IDENTITY_SETUP_H

#include "core/arena.h"
#include "core/ports.h"
#include "model/records.h"

enum { IDENTITY_SETUP_LIFETIME_S = 3600 };

/** All zero: closed. */
typedef struct {
    bool open;
    hash_t token; /* its SHA-256 */
    int64_t expires_at;
} identity_setup_t;

typedef enum {
    IDENTITY_SETUP_FINE,
    IDENTITY_SETUP_CLOSED,  /* there were users at the start */
    IDENTITY_SETUP_EXPIRED, /* start the server again for a new link */
    IDENTITY_SETUP_WRONG,
} identity_setup_verdict_t;

/** Opens it with a fresh token ("wsu_" and 256 bits) in the arena. RC_MEMORY, or what the random
 *  port answers. */
rc_t identity_setup_open(arena_t *a, const random_port_t *random, int64_t now,
                         identity_setup_t *out, str_t *token) MUST_USE;
/** The link to print: public_url, "/setup?token=", token. RC_MEMORY. */
rc_t identity_setup_link(arena_t *a, str_t public_url, str_t token, str_t *out) MUST_USE;
/** Judges the token that came (unset: none) at `now` seconds. Constant time. Changes nothing. */
identity_setup_verdict_t identity_setup_judge(const identity_setup_t *s, str_t token, int64_t now);

#endif
