/* Sessions of the handshake era: handles bound to who opened them. A session is no credential; it
 * only says which revision was negotiated. Shared by all workers, behind one lock. */
#ifndef TOOL_HTTP_SESSION_H
#define TOOL_HTTP_SESSION_H

#include "core/ports.h"
#include "mcp/version.h"

enum {
    SESSION_ID_BYTES = 24, /* 192 random bits */
    SESSION_ID_TEXT = 32,  /* in base64url */
    SESSIONS_PER_PRINCIPAL = 64,
    STREAMS_PER_SESSION = 4,
};

/** Who opened it: all three must be equal (a subject means nothing without its issuer). */
typedef struct {
    str_t issuer, subject, client;
} principal_t;

typedef struct sessions sessions_t;

typedef struct {
    size_t max;
    int64_t idle_ms;
    clock_port_t clock;
    random_port_t random;
} sessions_config_t;

/** NULL without memory or randomness. */
sessions_t *sessions_new(const sessions_config_t *config);
void sessions_free(sessions_t *s);
/** Opens a session; id gets SESSION_ID_TEXT characters. A principal over its quota loses its least
 *  recently used one. RC_BUSY: all places are taken by others. Any thread. */
rc_t sessions_open(sessions_t *s, const principal_t *who, const mcp_version_t *version,
                   char id[SESSION_ID_TEXT]) MUST_USE;
/** The revision of a live session of that principal, and marks it used. NULL: unknown, expired, or
 *  somebody else's; the three look alike. Any thread. */
const mcp_version_t *sessions_use(sessions_t *s, str_t id, const principal_t *who);
/** Ends it. False as sessions_use. Any thread. */
bool sessions_close(sessions_t *s, str_t id, const principal_t *who);
/** Counts a stream in; RC_NOT_FOUND as sessions_use, RC_LIMIT over STREAMS_PER_SESSION. */
rc_t sessions_stream_open(sessions_t *s, str_t id, const principal_t *who) MUST_USE;
/** Whether the stream's session still lives; keeps it alive. */
bool sessions_stream_alive(sessions_t *s, str_t id);
/** Counts a stream out; the session may be gone. */
void sessions_stream_close(sessions_t *s, str_t id);
size_t sessions_count(sessions_t *s);

#endif
