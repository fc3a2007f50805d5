/* What a client is told about its registration (RFC 7591 section 3.2.1, RFC 7592 section 3). */
#ifndef OAUTH_REGISTRATION_ANSWER_H
#define OAUTH_REGISTRATION_ANSWER_H

#include "core/arena.h"
#include "oauth/settings.h"

typedef struct {
    const oauth_settings_t *settings;
    const oauth_resources_t *resources;
    const client_t *client;
    str_t secret;     /* unset: there is none, or it is not known any longer */
    str_t management; /* registration access token; unset: it has none */
    str_t statement;  /* the software statement as it came; unset: none */
} oauth_registration_answer_t;

/** The JSON in the arena: effective values, absent members left out. RC_LIMIT, RC_MEMORY. */
rc_t oauth_registration_answer_write(arena_t *a, const oauth_registration_answer_t *what,
                                     str_t *out) MUST_USE;

#endif
