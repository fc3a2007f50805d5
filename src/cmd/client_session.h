/* A session with the server of a client's command: opened with what the terminal can do for it. */
#ifndef CMD_CLIENT_SESSION_H
#define CMD_CLIENT_SESSION_H

#include "cmd/client_world.h"
#include "mcp_client/session.h"

typedef struct {
    client_world_t *world;
    mcp_client_t *client;
    bool shows_progress; /* standard error is a terminal, and nobody asked for silence */
    bool has_line;       /* a line of progress stands there */
} client_session_t;

/** Connects. EXIT_DONE, or an exit code after saying why. `json`: nothing but the result is wanted.
 */
int client_session_open(client_session_t *s, client_world_t *w, bool json);
void client_session_close(client_session_t *s);
/** Says why a call failed, and returns its exit code. */
int client_session_fail(client_session_t *s, const mcp_client_failure_t *why);
/** Takes the line of progress away. */
void client_session_clear(client_session_t *s);

/** This machine failed: says so, and returns EXIT_FAILED. */
int client_session_machine(client_session_t *s, rc_t rc);

#endif
