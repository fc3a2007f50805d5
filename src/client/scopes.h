/* Which scopes a client asks for (MCP 2025-11-25, "Scope Selection Strategy"; 2026-07-28,
 * "Step-Up").
 */
#ifndef CLIENT_SCOPES_H
#define CLIENT_SCOPES_H

#include "client/discovery.h"

typedef struct {
    str_t wanted;     /* of the person; unset: nothing said */
    str_t challenged; /* scope of the challenge; unset: none */
    str_t before;     /* asked for at the last authorization, for a step-up; unset: first time */
    bool refresh;     /* a refresh token is wanted: offline_access where the server lists it */
    const client_discovery_t *found;
} client_scope_want_t;

/** First time: what the person wanted, else the challenge's, else all of the resource's
 *  scopes_supported, else none. Step-up: the union of what was asked before and the challenge's.
 *  offline_access is added only where the authorization server's scopes_supported holds it, and
 * never taken from a challenge or the resource where it does not. *out unset: send no scope.
 * RC_LIMIT, RC_MEMORY. */
rc_t client_scope_choose(arena_t *a, const client_scope_want_t *want, str_t *out) MUST_USE;

/** How often an operation was asked for more scope: a step-up that brings nothing new is not made
 *  twice (MCP 2026-07-28, "Step-Up Authorization Flow"). */
enum { CLIENT_STEP_UP_TRIES = 3, CLIENT_STEP_UP_IN_A_ROW = 6, CLIENT_STEP_UP_ROWS = 64 };
typedef struct {
    struct {
        uint64_t operation; /* hash of its name */
        unsigned tries;
    } rows[CLIENT_STEP_UP_ROWS];
    size_t n;
    unsigned in_a_row; /* over all operations, without a success between: CLIENT_STEP_UP_IN_A_ROW */
} client_step_ups_t;
/** Whether `operation` ("tools/call weather") may step up once more, and counts it. */
bool client_step_up_may(client_step_ups_t *s, str_t operation);
/** It succeeded. */
void client_step_up_done(client_step_ups_t *s, str_t operation);

#endif
