/* A call: a request of a client whose answer a function of the server's owner makes. Private to the
 * room; server.h holds what transports see of it, warder/mcp_call.h what functions see.
 *
 * Its life, each step under server_state.h's lock:
 *
 *   - NEW, begin: ACTIVE. Its function runs, or waits for a thread.
 *   - ACTIVE, function DONE or FAIL: ENDING. The event is written down, then the answer is put out.
 *   - ACTIVE, function LATER: LATER, where no thread is held.
 *   - ACTIVE, finish: EARLY, until the function has returned LATER; then as LATER.
 *   - LATER, finish: ACTIVE, as if the function had returned what finish says.
 *   - ACTIVE, function ASK: WAITING for the client (handshake era, and tasks), or ENDING with an
 *     input_required result (2026-07-28).
 *   - WAITING, every answer is here: ACTIVE again.
 *   - WAITING, cancelled or broken: ENDING.
 *   - others, cancelled: as they are; ENDING without an answer once the function has returned.
 *   - ENDING, the trail is durable: ENDED. References of server and session are dropped.
 */
#ifndef MCP_SERVER_CALL_H
#define MCP_SERVER_CALL_H

#include "core/buf.h"
#include "core/json.h"
#include "mcp_server/questions.h"
#include "mcp_server/registry.h"
#include "mcp_server/server.h"
#include "mcp_server/shares.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    MCP_CALL_ARENA_BYTES = 32 << 20, /* what came, and all runs of the function together */
    MCP_SAID_BYTES = 8 << 20,        /* of one answer */
    MCP_META_BYTES = 64 << 10,       /* of the result's _meta */
    MCP_SUGGESTIONS = 100,
    MCP_WAIT_MS = 600000, /* for the client's answers, as long as a requestState lasts */
};

typedef enum {
    MCP_CALL_NEW,
    MCP_CALL_ACTIVE, /* its function runs, or will */
    MCP_CALL_EARLY,  /* it was finished before it has returned */
    MCP_CALL_LATER,
    MCP_CALL_WAITING,
    MCP_CALL_ENDING,
    MCP_CALL_ENDED,
    MCP_CALL_STATES
} mcp_call_state_t;

/** Where structured content is written; public as an opaque handle. */
struct warder_json {
    buf_t buf;
    json_writer_t w;
    bool begun;
};

/** What a function has said in one run; emptied before the next. The function's thread only. */
typedef struct {
    buf_t content; /* elements of content, contents or messages, without the brackets */
    json_writer_t w;
    size_t blocks;
    struct warder_json structured;
    str_t structured_raw; /* of warder_mcp_structured_json; unset: none */
    str_t role;
    str_t audience;  /* of the blocks that follow; unset: all */
    double priority; /* of them; below 0: none */
    struct warder_json meta;
    str_t meta_members; /* of the result's _meta, once the result is made; without the braces */
    bool is_error;
    rc_t failed; /* sticky */
    int fresh_s;
    bool for_all;
    int error_code; /* of an error of the protocol; 0: none */
    str_t error_message, error_data;
    str_t needed; /* scope; unset: none */
    str_t suggestions[MCP_SUGGESTIONS];
    size_t suggested; /* may be more */
} mcp_said_t;

/** Set by the method before mcp_call_begin are: registry and entry, op, who, arguments,
 *  capabilities, progress_token, level, completing and partial. */
struct warder_mcp_call {
    warder_mcp_t *m;
    atomic_uint refs;
    arena_t *arena;
    const mcp_registry_t *registry; /* counted, or NULL */
    const mcp_entry_t *entry;
    mcp_operation_t op;
    mcp_caller_t who;
    mcp_session_t *session; /* counted, or NULL */
    mcp_outbox_t *outbox;   /* counted, or NULL once it is a task; changed under the lock */
    post_port_t back;
    const json_t *arguments;      /* an object, or NULL */
    const json_t *capabilities;   /* of the client; NULL: none */
    const json_t *progress_token; /* NULL: no progress is wanted */
    str_t level; /* io.modelcontextprotocol/logLevel of 2026-07-28; unset: no messages */
    double progress;
    mcp_said_t said;
    mcp_questions_t questions;
    str_t completing, partial; /* of completion/complete: argument and its value */
    int64_t began_us;
    mcp_part_t part; /* of what its subject may have under way */
    mcp_turn_t turn; /* where it waits for a thread */
    bool spoke; /* something was put in the outbox: the answer cannot have a status of its own */
    audit_event_t event;
    mcp_out_t answer;
    bool ends_well;          /* with a result */
    mcp_error_t ends;        /* what ends it, whatever its function said; MCP_NO_ERROR: nothing */
    arena_t *spare;          /* of an answer that must not want for room; or NULL */
    struct mcp_task *task;   /* NULL: it is none */
    bool wants_task;         /* of 2025-11-25: the request says so */
    int64_t task_ms;         /* how long it is to be kept; 0: it was not said */
    struct mcp_task *awaits; /* of tasks/result; NULL: it is none */
    warder_mcp_call_t *next_waiting; /* under the lock of tasks */
    bool alone;                      /* on standard streams: there is one client */
    struct mcp_listener *listener; /* of subscriptions/listen; its lock is that of the listeners */
    /* of a call that the server itself put off: mcp_call_cancel calls it, under no lock, once the
     * call counts as cancelled, so that it is finished; NULL: none */
    void (*on_cancel)(warder_mcp_call_t *call);
    /* under the lock of the server */
    mcp_call_state_t state;
    int early;              /* what finish said, of EARLY */
    int64_t waits_since_ms; /* of WAITING, by the clock that never goes back */
    bool listed;
    warder_mcp_call_t *next, **link; /* all that have begun and not ended */
    pthread_cond_t woken;            /* for sleepers: it was cancelled */
    atomic_bool cancelled;
};

/* said.c */
/** Ready for another run. */
void mcp_said_reset(warder_mcp_call_t *call);

/* life.c */
typedef enum {
    MCP_CALL_BEGINS,
    MCP_CALL_RETURNS,  /* the function: DONE, FAIL, or ASK that ends it */
    MCP_CALL_PUTS_OFF, /* the function: LATER */
    MCP_CALL_FINISHES, /* warder_mcp_finish */
    MCP_CALL_ASKS,     /* the function: ASK, and the client is asked */
    MCP_CALL_ANSWERED, /* the last answer came */
    MCP_CALL_BREAKS,   /* a question cannot be sent, or is refused */
    MCP_CALL_CANCELS,
    MCP_CALL_RECORDED,
    MCP_CALL_EVENTS
} mcp_call_event_t;
/** What becomes of a state. False: the event means nothing there, and the state stays. */
bool mcp_call_step(mcp_call_state_t state, mcp_call_event_t event, mcp_call_state_t *next);

/** NEW to ACTIVE: takes the references the call needs beside the registry, reads the answers that
 *  came with a request of 2026-07-28, makes it a task where it is to be one from the start, and
 * runs its function. `in` as in mcp_server_handle. MCP_NO_ERROR, then the answer comes through the
 *  outbox, or the refusal. */
mcp_error_t mcp_call_begin(warder_mcp_call_t *call, const mcp_incoming_t *in) MUST_USE;
/** What the client answered to a question in WAITING: the `result` member, copied, or NULL for an
 *  error. Any thread. */
void mcp_call_answered(warder_mcp_call_t *call, str_t key, const json_t *result);
/** Ends those that have waited for their clients for MCP_WAIT_MS, tasks after their own time. */
void mcp_calls_expire(warder_mcp_t *m);
/** mcp_call_cancel for tasks too (tasks/cancel, and tasks that are forgotten). */
void mcp_call_abort(warder_mcp_call_t *call);
/** Puts a notification out: `params` is a JSON object. Dropped where nobody listens. The thread of
 *  the function. */
void mcp_call_notify(warder_mcp_call_t *call, str_t method, str_t params);
/** Nothing begins any more, all calls are cancelled, and their ends waited for, MCP_STOP_MS at
 * most. False: some have not ended (a LATER that nobody finished). */
bool mcp_calls_stop(warder_mcp_t *m) MUST_USE;
enum { MCP_STOP_MS = 10000 };

/** An object of _meta for what belongs to a task of 2025-11-25; `members` go along, JSON without
 * the braces. Unset without memory. task_wait.c has it. */
str_t mcp_task_meta(arena_t *a, str_t id, str_t members);

/* result.c: what was said, as JSON. In the call's arena; unset: memory, limits, or it is wrong. */
/** The result of the call's method: CallToolResult, ReadResourceResult, GetPromptResult,
 *  CompleteResult. Checks structured content against the output schema. */
str_t mcp_call_result(warder_mcp_call_t *call);

#endif
