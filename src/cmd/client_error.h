/* How the client's commands say that something failed: in words on standard error and, with --json,
 * as one object on standard output as well, for programs. */
#ifndef CMD_CLIENT_ERROR_H
#define CMD_CLIENT_ERROR_H

#include "cmd/client_world.h"
#include "mcp_client/session.h"

/** What a sign-out came to. */
typedef struct {
    bool kept;    /* there was a token here */
    bool revoked; /* at the server */
} client_left_t;

/** What failed; unset: it is not known. */
typedef struct {
    str_t code; /* "issuer_mismatch", "http_status", "server_error": those of docs/REASONS.md, and
                 * docs/COMMANDS.md */
    str_t sentence; /* what happened */
    str_t detail;   /* words of a stranger */
    str_t mend, rule;
    int status;                      /* of HTTP; 0: none */
    const mcp_client_failure_t *rpc; /* an error that the server answered with; NULL: none */
    const client_left_t *left;       /* of logout; NULL: another command */
} client_error_t;

/** The object: {"error":{"code","message","detail","mend","rule","status","rpc","kept","revoked"},
 * "exit":N}. Words of strangers are cleaned. RC_MEMORY. */
rc_t client_error_write(arena_t *a, const client_error_t *e, int exit_code, str_t *out) MUST_USE;
/** Says it on standard output where --json was given, and nothing was said yet. Returns
 *  `exit_code`. */
int client_error_json(client_world_t *w, const client_error_t *e, int exit_code);
/** As client_world_fail, with what a sign-out came to. */
int client_error_left(client_world_t *w, const client_failure_t *why, const client_left_t *left);
/** No token is kept for the URL, in words and as an object. `left` may be NULL. EXIT_REFUSED. */
int client_error_not_kept(client_world_t *w, str_t mend, const client_left_t *left);
/** The end of a command: closes the world. A failure that was said in words alone, as
 *  command_fail does, is an object now where --json was given; no wrong command line, and no result
 *  of a tool. Returns `exit_code`. */
int client_error_end(client_world_t *w, int exit_code);

#endif
