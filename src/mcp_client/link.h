/* Carries JSON-RPC messages to one MCP endpoint over Streamable HTTP, and back, by the rules of
 * each revision: header fields, sessions, event streams with resumption, tokens. Knows nothing of
 * what the messages mean but their ids and methods. */
#ifndef MCP_CLIENT_LINK_H
#define MCP_CLIENT_LINK_H

#include "mcp/operation.h"
#include "tokens/source.h"

typedef struct mcp_link mcp_link_t;

/** Why a request got no answer of the protocol. */
typedef enum {
    MCP_LINK_UNREACHABLE, /* no connection, bad TLS; `detail` tells */
    MCP_LINK_AUTH,        /* no token, or refused with all that could be tried: failure */
    MCP_LINK_HTTP,        /* a status without a JSON-RPC body: status, detail */
    MCP_LINK_BROKEN,      /* the stream ended before the answer, and could not be resumed */
    MCP_LINK_MALFORMED,   /* what came is no JSON-RPC, or too long */
    MCP_LINK_TIMEOUT,
    MCP_LINK_LOST,    /* 404 with a session id: the server has forgotten the session */
    MCP_LINK_STOPPED, /* cancelled, or the link ends */
} mcp_link_end_t;

typedef struct {
    str_t name;     /* for JSON: "unreachable" */
    str_t sentence; /* what happened */
    str_t mend;     /* what a person can do */
} mcp_link_end_row_t;
/** What an end means; static. Of MCP_LINK_AUTH the failure's reason says it better. */
const mcp_link_end_row_t *mcp_link_end_row(mcp_link_end_t end);

/** Slices live for the call. */
typedef struct {
    mcp_link_end_t end;
    int status;               /* 0: none */
    bool refused;             /* of MCP_LINK_UNREACHABLE: nobody took the connection; the server may
                               * be restarting, as neither its name nor its certificate is wrong */
    client_failure_t failure; /* of MCP_LINK_AUTH */
    str_t detail; /* words of the server or of the library: client_plain before printing */
} mcp_link_failure_t;

/** What a person can do about this one, which may be more than its row says; static. Of
 * MCP_LINK_AUTH the failure's reason says it better. */
str_t mcp_link_mend(const mcp_link_failure_t *why);

/** All on one thread of the link, one at a time; they may call mcp_link_send, _cancel and _listen,
 * and must not block for long. */
typedef struct {
    /** A message of the server, whole and checked to be JSON-RPC: an answer (`tag` is the
     * request's), or a request or notification that came on the stream of the request `tag`, or on
     * the standing stream (0). It lives for the call. */
    void (*message)(void *ctx, uint64_t tag, const mcp_message_t *message);
    /** The request `tag` ends without an answer. */
    void (*failed)(void *ctx, uint64_t tag, const mcp_link_failure_t *why);
    /** The standing stream ended for good (not offered, 405; or the session is lost). */
    void (*unheard)(void *ctx, const mcp_link_failure_t *why);
    void *ctx;
} mcp_link_events_t;

typedef struct {
    http_agent_t *agent;     /* borrowed */
    tokens_source_t *tokens; /* borrowed; NULL: no tokens at all */
    str_t url;
    http_reach_t reach;
    int64_t answer_ms; /* between two pieces of an answer [300000]; -1: no limit. On the stream of
                        * 2024-11-05, which is shared: four times that between two that name the
                        * call */
    mcp_link_events_t events;
    const log_t *log;
} mcp_link_config_t;

rc_t mcp_link_new(const mcp_link_config_t *config, mcp_link_t **out) MUST_USE;
/** Ends what is open; no event comes after it returns. Where somebody may be signing in, stop the
 *  source before (tokens_source_stop): it waits for that. Not from within an event. NULL is fine.
 */
void mcp_link_free(mcp_link_t *l);

/** One message to send: copied. */
typedef struct {
    str_t json;                   /* the whole message, as it goes out */
    const mcp_version_t *version; /* by whose rules; NULL: not known yet (initialize) */
    mcp_params_t
        params;   /* arguments of the tool that are repeated as Mcp-Param fields; else empty */
    uint64_t tag; /* of a request: unique among those that wait; 0: notification or response */
    bool probe; /* a 400, 404 or 405 is an answer to learn from, and goes to `failed` as it is with
                 * its body in `detail` */
} mcp_link_message_t;

/** Any thread. Requests wait for their answer through 401 and 403 (tokens/source.h) on a thread of
 *  their own. Of the handshake era the session id of initialize's answer goes along from then on,
 * the one there is when this is called; once the server has forgotten it, all ends with
 * MCP_LINK_LOST until initialize is sent again. What is sent behind notifications/initialized waits
 * until that has arrived. RC_MALFORMED: not JSON-RPC; RC_LIMIT; RC_BUSY: too many wait; RC_MEMORY,
 * RC_IO. */
rc_t mcp_link_send(mcp_link_t *l, const mcp_link_message_t *message) MUST_USE;
/** Stops waiting for `tag`: its stream is closed, which in the stateless era tells the server
 *  (2026-07-28, Streamable HTTP, "Cancellation"). `failed` does not come. Any thread. */
void mcp_link_cancel(mcp_link_t *l, uint64_t tag);
/** Opens the standing stream of the handshake era (GET), and opens it again whenever it ends, from
 * the last event id on, after its retry. Once a session. */
rc_t mcp_link_listen(mcp_link_t *l, const mcp_version_t *version) MUST_USE;
/** Ends the session (DELETE) and forgets its id; waits at most 2 s. Not from within an event. */
void mcp_link_end_session(mcp_link_t *l);
/** Whether a session id is held. */
bool mcp_link_has_session(mcp_link_t *l);
/** json_parse within the limits of one message, for what may become a message or a piece of one. */
rc_t mcp_link_parse(arena_t *a, str_t json, const json_t **out) MUST_USE;

#endif
