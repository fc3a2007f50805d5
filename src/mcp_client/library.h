/* What is behind warder_client_t: the rooms below, wired. Within the files of warder/client.h. */
#ifndef MCP_CLIENT_LIBRARY_H
#define MCP_CLIENT_LIBRARY_H

#include "jose/jwk.h"
#include "mcp_client/session.h"
#include "warder/client.h"

#include <pthread.h>

enum { LIBRARY_ARENA_BYTES = 1 << 20, LIBRARY_CALL_BYTES = 256 << 20 };

struct warder_client {
    arena_t *a; /* with what is secret in it */
    warder_client_callbacks_t callbacks;
    http_agent_t *agent;
    tokens_memory_t *memory;
    tokens_folder_t *folder;
    tokens_source_t *tokens; /* NULL: WARDER_CLIENT_OPEN */
    jwk_t key;
    mcp_client_config_t config;
    _Atomic(bool) stop;

    pthread_mutex_t opening; /* one thread connects */
    pthread_mutex_t lock;    /* guards `session` */
    mcp_client_t *session;
};

/* library_config.c */

/** Checks all, and wires it. RC_CONFIG: *why says what is wrong, static or in c->a. RC_MEMORY,
 * RC_IO. What was made is in `c` in either case. */
rc_t library_wire(warder_client_t *c, const warder_client_config_t *config, str_t *why) MUST_USE;

/* library_words.c */

/** How a failure of a session, or of tokens, is told: the end, and a sentence of at most `size`
 * bytes that is fit to be printed. */
warder_client_end_t library_tell(arena_t *a, const mcp_client_failure_t *f, char *why, size_t size);
warder_client_end_t library_tell_tokens(arena_t *a, const client_failure_t *f, char *why,
                                        size_t size);
warder_client_end_t library_tell_rc(rc_t rc, char *why, size_t size);
void library_say(char *why, size_t size, str_t sentence);

/* library_hooks.c: the program's callbacks, as the rooms below call them */

tokens_person_t library_person(warder_client_t *c);
mcp_client_handlers_t library_handlers(warder_client_t *c);

#endif
