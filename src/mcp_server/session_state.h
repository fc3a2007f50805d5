/* The parts of a session. Private to session.c, session_calls.c and sessions.c. */
#ifndef MCP_SERVER_SESSION_STATE_H
#define MCP_SERVER_SESSION_STATE_H

#include "mcp_server/server.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct {
    uint64_t number;
    mcp_outbox_t *outbox; /* held */
} session_stream_t;

/** A call under way; the id's bytes stand behind it. */
typedef struct session_call {
    struct session_call *next;
    warder_mcp_call_t *call; /* held */
    str_t id;
} session_call_t;

/** A question to the client; the key's bytes stand behind it. */
typedef struct session_question {
    struct session_question *next;
    warder_mcp_call_t *call; /* held */
    int64_t id;
    str_t key;
} session_question_t;

struct mcp_session {
    atomic_uint refs;
    clock_port_t clock;
    char id[MCP_SESSION_TEXT];
    bool local;
    mcp_principal_t who;   /* its bytes stand behind the struct */
    mcp_outbox_t *general; /* held */
    _Atomic(const mcp_version_t *) version;
    json_t *capabilities; /* owned; set once, before version */
    atomic_bool alive;
    _Atomic int64_t seen_ms;
    _Atomic(mcp_sessions_t *) table; /* changed under its lock; NULL: it is in none */
    pthread_mutex_t lock; /* of all below; no other one is asked for under it but an outbox's */
    session_stream_t streams[MCP_STREAMS_PER_SESSION]; /* oldest first */
    size_t stream_count;
    uint64_t last_stream;
    warder_mcp_level_t level;
    char **watched; /* sorted */
    size_t watched_count, watched_cap, watched_bytes;
    session_call_t *calls;
    size_t call_count;
    session_question_t *questions;
    size_t question_count;
    int64_t last_question;
};

/** One reference, in no table. NULL without memory. */
mcp_session_t *session_new(const mcp_principal_t *who, clock_port_t clock);
/** What initialize said. Before others know the session, or once. */
rc_t session_say(mcp_session_t *s, const mcp_version_t *version, str_t capabilities) MUST_USE;
/** Ends what it holds, once it is in no table; not under any lock. */
void session_close(mcp_session_t *s);
/** Gives back what is left of calls and questions; no lock is held. */
void session_drop_calls(mcp_session_t *s, bool cancel);
/** Forgets answers beyond MCP_STREAMS_BYTES. */
void session_trim(mcp_session_t *s);
/** Whether somebody reads one of its streams. */
bool session_is_read(mcp_session_t *s);

#endif
