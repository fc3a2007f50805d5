/* A client of one MCP server: finds out which era it speaks, and then calls, in that era's way.
 * What the server asks of its client (elicitation, sampling, roots) goes to handlers, whether it
 * comes as a request on a stream (up to 2025-11-25) or as an input_required result (2026-07-28).
 * Calls block; any thread, several at once. */
#ifndef MCP_CLIENT_SESSION_H
#define MCP_CLIENT_SESSION_H

#include "mcp_client/link.h"

typedef struct mcp_client mcp_client_t;

typedef enum {
    MCP_CLIENT_AUTO,      /* the stateless era where the server speaks it, else the handshake */
    MCP_CLIENT_HANDSHAKE, /* only that */
    MCP_CLIENT_STATELESS, /* only that; server/discover may be missing */
} mcp_client_era_t;

/** What the program does for the server. */
typedef struct {
    /** Answers elicitation/create, sampling/createMessage or roots/list: params and result are
     *  JSON. False: refused (an error goes back). On a thread of the client's, or on the one that
     *  called; never two at once. What a form has a default for, and an accepted answer leaves out,
     *  is filled in. */
    bool (*ask)(void *ctx, arena_t *a, str_t method, const json_t *params, str_t *result);
    bool elicits, elicits_url, samples, has_roots; /* the capabilities to declare */
    /** Any notification of the server: progress, log messages, changes. On the thread that reads
     *  answers: it must not block for long, nor call. */
    void (*hears)(void *ctx, str_t method, const json_t *params);
    void *ctx;
} mcp_client_handlers_t;

typedef struct {
    mcp_link_config_t link; /* its events are the client's own: leave them zero */
    str_t name, version;    /* clientInfo */
    str_t extensions;       /* JSON of capabilities.extensions; unset: none */
    mcp_client_era_t era;
    mcp_client_handlers_t handlers;
    int64_t call_ms;           /* for a call with all that happens in between [0: no limit] */
    const _Atomic(bool) *stop; /* becomes true: what waits ends soon with MCP_LINK_STOPPED. NULL:
                                * never */
} mcp_client_config_t;

/** Why a call did not end well: one of the three. */
typedef struct {
    bool is_rpc_error; /* the server answered with an error: code, message, data */
    int64_t code;
    str_t message;           /* client_plain before printing */
    str_t data;              /* JSON, or unset */
    mcp_link_failure_t link; /* else */
} mcp_client_failure_t;

/** Connects: probes the era, or initializes. RC_OK with NULL: it cannot, *why tells, in `a`. */
rc_t mcp_client_open(const mcp_client_config_t *config, arena_t *a, mcp_client_t **out,
                     mcp_client_failure_t *why) MUST_USE;
/** Says goodbye to the server, at most 2 s; no call is under way. mcp_client_close does it too, but
 *  waits for workers that wait for tokens: in between they can be stopped (tokens_source_stop).
 * NULL is fine. */
void mcp_client_leave(mcp_client_t *c);
/** Ends the session, and frees. NULL is fine. */
void mcp_client_close(mcp_client_t *c);
const mcp_version_t *mcp_client_version(const mcp_client_t *c);
/** The result of initialize or server/discover; JSON, unset where the server has no
 * server/discover. Lives with the client. */
str_t mcp_client_server(const mcp_client_t *c);

typedef struct {
    bool progress;               /* ask for notifications/progress */
    const _Atomic(bool) *cancel; /* becomes true: the call is cancelled; NULL: never */
} mcp_client_options_t;

/** One request; `params` is a JSON object or unset. The result is JSON in `a`. A lost session is
 * made anew, once. RC_NOT_FOUND: it did not end well, *why tells; RC_MALFORMED: params is none;
 *  RC_LIMIT, RC_MEMORY, RC_IO. */
rc_t mcp_client_request(mcp_client_t *c, arena_t *a, str_t method, str_t params,
                        const mcp_client_options_t *options, str_t *result,
                        mcp_client_failure_t *why) MUST_USE;
/** All pages of tools/list as one array, at most LIMIT_MCP_CLIENT_TOOLS entries; in the stateless
 * era tools whose x-mcp-header is wrong are left out, and the others' arguments are then repeated
 * in header fields by mcp_client_request. */
rc_t mcp_client_tools(mcp_client_t *c, arena_t *a, const json_t **out,
                      mcp_client_failure_t *why) MUST_USE;
rc_t mcp_client_notify(mcp_client_t *c, str_t method, str_t params) MUST_USE;

#endif
