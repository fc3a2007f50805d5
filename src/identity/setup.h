/* The link that creates the first account: made at start while there is no user, printed on the
 * terminal, so that only who started the server can use it. It is a time and a MAC, so that nothing
 * is stored and every node over one store takes it; an account that exists closes it for the
 * caller, and the effect USER_INSERT_FIRST settles races. Pure. */
#ifndef IDENTITY_SETUP_H
#define IDENTITY_SETUP_H

#include "core/arena.h"
#include "core/ports.h"

enum { IDENTITY_SETUP_LIFETIME_S = 3600 };

typedef enum {
    IDENTITY_SETUP_FINE,
    IDENTITY_SETUP_CLOSED,  /* there is an account: the caller knows */
    IDENTITY_SETUP_EXPIRED, /* start the server again for a new link */
    IDENTITY_SETUP_WRONG,
} identity_setup_verdict_t;

/** A fresh token ("wsu_", then base64url) in the arena, under the server's derive key. RC_MEMORY,
 * or what the random port answers. */
rc_t identity_setup_open(arena_t *a, str_t key, const random_port_t *random, int64_t now,
                         str_t *token) MUST_USE;
/** The link to print: public_url, "/setup?token=", token. RC_MEMORY. */
rc_t identity_setup_link(arena_t *a, str_t public_url, str_t token, str_t *out) MUST_USE;
/** Judges the token that came (unset: none) at `now` seconds: FINE, EXPIRED or WRONG. Constant
 * time. Changes nothing. */
identity_setup_verdict_t identity_setup_judge(str_t key, str_t token, int64_t now);

#endif
