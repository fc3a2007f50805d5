/* A server of MCP, whatever carries its messages: what a transport tells it, and what it answers.
 * One warder_mcp_t is shared by all threads; see server_state.h for its parts.
 *
 * The way of one message: the transport makes a call (mcp_call_new), copies what came into the
 * call's arena, reads it there (mcp_operation_read), says who asks, and hands it in
 * (mcp_server_handle). The verdict is an answer to send now, or MCP_RUNNING: what comes then comes
 * through the outbox. */
#ifndef MCP_SERVER_SERVER_H
#define MCP_SERVER_SERVER_H

#include "core/log.h"
#include "core/ports.h"
#include "mcp/operation.h"
#include "mcp_server/outbox.h"
#include "mcp_server/session.h"
#include "model/audit_event.h"
#include "warder/mcp.h"

/** Who asks: the verified token's. Slices are copied into the call by mcp_server_handle. */
typedef struct {
    str_t issuer, subject, client, scope, token_id;
    str_t address, request_id; /* for the trail */
    bool everything;           /* nothing is protected: every scope is granted */
} mcp_caller_t;

/** Judges scopes. NULL: only `everything` grants. Any thread. */
typedef struct {
    bool (*covers)(void *ctx, str_t granted, str_t needed);
    void *ctx;
} mcp_scope_port_t;

/** Writes events down; done(arg, durable) is called exactly once on `back`'s thread. Any thread.
 * Zero: nothing is written. */
typedef struct {
    void (*record)(void *ctx, post_port_t back, const audit_event_t *e,
                   void (*done)(void *arg, bool durable), void *arg);
    void *ctx;
} mcp_audit_port_t;

/** What the server needs of the world beside its tables; before the first message. */
typedef struct {
    mcp_scope_port_t scopes;
    mcp_audit_port_t audit;
    str_t resource; /* its identifier, for the trail; borrowed */
    clock_port_t clock;
    random_port_t random;
    const log_t *log;
} mcp_world_ports_t;
void mcp_server_wire(warder_mcp_t *m, const mcp_world_ports_t *ports);
/** Starts the threads for functions. RC_MEMORY. */
rc_t mcp_server_start(warder_mcp_t *m) MUST_USE;
/** Once a second or so, any thread: ends what has waited too long, and forgets what is stale. */
void mcp_server_tick(warder_mcp_t *m);
/** Lets calls that are under way end by themselves, for `ms` at most, while the transports drain;
 * what stands (subscriptions) is not waited for. */
void mcp_server_settle(warder_mcp_t *m, int64_t ms);
/** Cancels what runs, and waits for the functions to return; before the loops of the transports are
 *  freed. */
void mcp_server_stop(warder_mcp_t *m);
const mcp_world_ports_t *mcp_server_world(const warder_mcp_t *m);

/* A call: one message of a client and all that comes of it. Counted; any thread may hold one. */
warder_mcp_call_t *mcp_call_new(warder_mcp_t *m);
warder_mcp_call_t *mcp_call_hold(warder_mcp_call_t *call);
void mcp_call_drop(warder_mcp_call_t *call);
/** Everything of the call lives here. Not after mcp_server_handle has said MCP_RUNNING. */
arena_t *mcp_call_arena(warder_mcp_call_t *call);

/** What the transport knows of a message. */
typedef struct {
    const mcp_operation_t *operation; /* in the call's arena */
    mcp_fields_t fields; /* header fields, for Mcp-Param; of a transport without any: none */
    bool has_fields;     /* whether the transport has any at all */
    mcp_caller_t who;
    mcp_session_t *session; /* borrowed: of the handshake era, or of a standard stream; else NULL */
    mcp_outbox_t *outbox;   /* borrowed: where the messages of a running call go */
    post_port_t back;       /* the thread of the transport */
} mcp_incoming_t;

typedef enum {
    MCP_ANSWERED, /* status and body, now */
    MCP_ACCEPTED, /* nothing to say: 202 without a body */
    MCP_SCOPE,    /* the token lacks `needed`: 403 and its challenge; body for transports without */
    MCP_RUNNING,  /* the outbox will hold the answer; the call is held until then */
} mcp_verdict_kind_t;

typedef struct {
    mcp_verdict_kind_t kind;
    int status;
    str_t body; /* JSON-RPC, in the call's arena */
    str_t needed;
    int retry_after_s;
    mcp_error_t error; /* of a refusal, to be written to the trail by the transport; else
                          MCP_NO_ERROR */
    str_t tool;        /* that was to be called, for the trail */
    bool opens;        /* the answer to initialize: the transport opens its session (session.h) */
} mcp_verdict_t;

/** Decides on a message, and begins what takes longer. On the transport's thread. */
mcp_verdict_t mcp_server_handle(warder_mcp_call_t *call, const mcp_incoming_t *in);
/** The refusal of a message that was not read (mcp_operation_read said `e`). */
mcp_verdict_t mcp_server_refuse(warder_mcp_call_t *call, const mcp_operation_t *op, mcp_error_t e);
/** Nobody waits for the answer any more: the function is told, its answer is dropped, and the call
 *  ends. A call that has become a task goes on. Any thread. */
void mcp_call_cancel(warder_mcp_call_t *call);
/** The event of a refusal at the door, or of a verdict with an error, with who and where filled in.
 */
audit_event_t mcp_server_event(const warder_mcp_t *m, const mcp_caller_t *who, audit_kind_t kind,
                               bool allowed, str_t reason);

#endif
