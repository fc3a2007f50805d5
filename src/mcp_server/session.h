/* What the server remembers of one client in the handshake era: over HTTP a session with an id,
 * bound to who opened it; over standard streams the one client there is. A session is no
 * credential. Counted; shared by all threads, behind the lock of its table. */
#ifndef MCP_SERVER_SESSION_H
#define MCP_SERVER_SESSION_H

#include "core/json.h"
#include "core/ports.h"
#include "mcp/version.h"
#include "mcp_server/outbox.h"
#include "warder/mcp_call.h"

enum {
    MCP_SESSION_BYTES = 24, /* 192 random bits */
    MCP_SESSION_TEXT = 32,  /* in base64url */
    MCP_SESSIONS_PER_PRINCIPAL = 64,
    MCP_SESSIONS_PER_SUBJECT = 256, /* with all its clients, which may register themselves */
    MCP_STREAMS_PER_SESSION = 16,   /* that are kept for coming back */
    MCP_STREAMS_BYTES = 4 << 20,    /* of those that have ended, beside the newest */
    MCP_WATCHED_PER_SESSION = 1000, /* resources/subscribe */
    MCP_WATCHED_BYTES = 256 << 10,  /* of their URIs */
    MCP_CAPABILITIES_BYTES = 16 << 10,
    MCP_CALLS_PER_SESSION = 1024,    /* under way at once */
    MCP_QUESTIONS_PER_SESSION = 256, /* to the client, unanswered */
};

/** Who opened it: all three must be equal (a subject means nothing without its issuer). */
typedef struct {
    str_t issuer, subject, client;
} mcp_principal_t;

typedef struct mcp_session mcp_session_t;
typedef struct mcp_sessions mcp_sessions_t;

typedef struct {
    size_t max;
    int64_t idle_ms;
    clock_port_t clock;
    random_port_t random;
} mcp_sessions_config_t;

/** NULL without memory or randomness. */
mcp_sessions_t *mcp_sessions_new(const mcp_sessions_config_t *config);
/** Ends them all. What holds one of them may outlive the table. */
void mcp_sessions_free(mcp_sessions_t *s);
size_t mcp_sessions_count(mcp_sessions_t *s);
/** Once a second or so, any thread: ends those that are idle, and forgets answers that nobody comes
 *  back for beyond MCP_STREAMS_BYTES of each. */
void mcp_sessions_sweep(mcp_sessions_t *s);
/** Opens one, with what initialize said: revision and capabilities (JSON, copied; unset: none). A
 *  principal or subject over its quota loses its least recently used one. RC_BUSY: all places are
 * taken by others. RC_LIMIT: the capabilities are too long. One reference to the caller. Any
 * thread. */
rc_t mcp_session_open(mcp_sessions_t *s, const mcp_principal_t *who, const mcp_version_t *version,
                      str_t capabilities, mcp_session_t **out) MUST_USE;
/** The live session of that id and principal, and marks it used; NULL: unknown, expired, or
 * somebody else's: the three look alike. One reference. Any thread. */
mcp_session_t *mcp_session_find(mcp_sessions_t *s, str_t id, const mcp_principal_t *who);
/** One of a transport without ids: no table knows it, nothing of it expires. NULL without memory.
 */
mcp_session_t *mcp_session_local(clock_port_t clock);
/** What initialize said, for a local one. Once; RC_LIMIT, RC_MEMORY; RC_CONFLICT: it was said. */
rc_t mcp_session_begin(mcp_session_t *s, const mcp_version_t *version, str_t capabilities) MUST_USE;
mcp_session_t *mcp_session_hold(mcp_session_t *s);
void mcp_session_drop(mcp_session_t *s);
/** Ends it: its calls are cancelled, its streams end, no find brings it back. Any thread. */
void mcp_session_end(mcp_session_t *s);
/** Whether it was not ended; marks it used. Who reads one of its streams asks now and then. */
bool mcp_session_is_alive(mcp_session_t *s);

str_t mcp_session_id(const mcp_session_t *s); /* "" of a local one */
const mcp_version_t *
mcp_session_version(const mcp_session_t *s); /* NULL: initialize has not come */
/** Its client's capabilities, parsed; lives as long as the session; NULL: none were said. */
const json_t *mcp_session_capabilities(const mcp_session_t *s);

/* Streams: outboxes that a client may come back to, by the ids of their events:
 * STREAM-NUMBER, in decimal. Stream 0 is the one of GET. */
/** Gives the outbox of a call its number, for event ids; the oldest that has ended is forgotten
 *  beyond MCP_STREAMS_PER_SESSION, and beyond MCP_STREAMS_BYTES those that nobody reads. RC_LIMIT:
 * all of them still run. RC_NOT_FOUND: the session has ended. */
rc_t mcp_session_add_stream(mcp_session_t *s, mcp_outbox_t *o, uint64_t *stream) MUST_USE;
/** The outbox of an event id and the number behind it; one reference. NULL: unknown. */
mcp_outbox_t *mcp_session_stream(mcp_session_t *s, str_t event_id, uint64_t *stream,
                                 uint64_t *after);
/** Stream 0; borrowed. What is no part of a call goes there. */
mcp_outbox_t *mcp_session_general(mcp_session_t *s);

/* Levels of log messages, and watched resources. */
void mcp_session_set_level(mcp_session_t *s, warder_mcp_level_t level);
/** Whether messages of that level are wanted: all, until logging/setLevel has come. */
bool mcp_session_wants(mcp_session_t *s, warder_mcp_level_t level);
/** RC_LIMIT over MCP_WATCHED_PER_SESSION or MCP_WATCHED_BYTES, RC_MEMORY. */
rc_t mcp_session_watch(mcp_session_t *s, str_t uri) MUST_USE;
void mcp_session_unwatch(mcp_session_t *s, str_t uri);
bool mcp_session_watches(mcp_session_t *s, str_t uri);

/* Calls under way, by the id of their request, and questions to the client, by ours. */
/** Holds the call. RC_CONFLICT: a call with that id is under way. RC_NOT_FOUND: the session has
 *  ended. RC_LIMIT, RC_MEMORY. */
rc_t mcp_session_add_call(mcp_session_t *s, str_t id, warder_mcp_call_t *call) MUST_USE;
void mcp_session_remove_call(mcp_session_t *s, str_t id, const warder_mcp_call_t *call);
/** One reference, or NULL. `id` is raw JSON, as in mcp_message_t. */
warder_mcp_call_t *mcp_session_call(mcp_session_t *s, str_t id);
/** The id of a request to the client, and remembers whose question it is. */
rc_t mcp_session_add_question(mcp_session_t *s, warder_mcp_call_t *call, str_t key,
                              int64_t *id) MUST_USE;
/** The call whose question has that id, which stays; one reference. NULL: there is none. */
warder_mcp_call_t *mcp_session_asked(mcp_session_t *s, str_t id);
/** Whose question a response answers, and forgets it. One reference; *key lives in `a`. NULL: it
 * was none of ours. */
warder_mcp_call_t *mcp_session_answered(mcp_session_t *s, arena_t *a, str_t id, str_t *key);
/** The call asks nothing any more. */
void mcp_session_forget_questions(mcp_session_t *s, const warder_mcp_call_t *call);

#endif
