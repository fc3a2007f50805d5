/* How the client's commands say that something failed: in words on standard error and, with --json,
 * as one object on standard output as well, for programs. */
#ifndef CMD_CLIENT_ERROR_H
#define CMD_CLIENT_ERROR_H

#include "cmd/client_world.h"
#include "mcp_client/session.h"

/** What failed; unset: it is not known. */
typedef struct {
    str_t code; /* "issuer_mismatch", "http_status", "server_error": those of docs/REASONS.md, and
                 * docs/COMMANDS.md */
    str_t sentence; /* what happened */
    str_t detail;   /* words of a stranger */
    str_t mend, rule;
    int status;                      /* of HTTP; 0: none */
    const mcp_client_failure_t *rpc; /* an error that the server answered with; NULL: none */
} client_error_t;

/** The object: {"error":{"code","message","detail","mend","rule","status","rpc"},"exit":N}. Words
 * of strangers are cleaned. RC_MEMORY. */
rc_t client_error_write(arena_t *a, const client_error_t *e, int exit_code, str_t *out) MUST_USE;
/** Says it on standard output where --json was given. Returns `exit_code`. */
int client_error_json(client_world_t *w, const client_error_t *e, int exit_code);

#endif
