/* A call: a request of a client whose answer a function of the server's owner makes. Private to the
 * room; server.h holds what transports see of it, warder/mcp_call.h what functions see.
 *
 * Its life, each step under server_state.h's lock:
 *
 *   state     event                    then
 *   NEW       begin                    RUNNING: its function is run on a thread
 *   RUNNING   function: DONE, FAIL     ENDING: the event is written down, then the answer is put
 * out RUNNING   function: LATER          LATER LATER     finish                   as RUNNING with
 * what finish says RUNNING   function: ASK            WAITING for the client (handshake era, and
 * tasks), or ENDING with an input_required result (2026-07-28) WAITING   every answer is here
 * RUNNING again any       cancelled                ENDING without an answer, once the function has
 * returned ENDING    the trail is durable     ENDED: references of server and session are dropped
 */
#ifndef MCP_SERVER_CALL_H
#define MCP_SERVER_CALL_H

#include "core/buf.h"
#include "core/json.h"
#include "mcp_server/registry.h"
#include "mcp_server/server.h"

#include <stdatomic.h>

enum {
    MCP_CALL_ARENA_BYTES = 32 << 20, /* what came, and all runs of the function together */
    MCP_SAID_BYTES = 8 << 20,        /* of one answer */
    MCP_QUESTIONS = 16,              /* open at once in one call */
    MCP_ROUNDS = 32,                 /* how often one call may ask */
    MCP_STATE_BYTES = 32 << 10,      /* what a function keeps between its runs */
    MCP_SUGGESTIONS = 100,
};

typedef enum {
    MCP_CALL_NEW,
    MCP_CALL_ACTIVE, /* its function runs, or will */
    MCP_CALL_LATER,
    MCP_CALL_WAITING,
    MCP_CALL_ENDING,
    MCP_CALL_ENDED,
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

/** A question to the client. */
typedef struct {
    str_t key;
    str_t method, params;     /* params: JSON */
    const mcp_schema_t *form; /* of an elicitation's content; NULL: none */
    const json_t *answer;     /* NULL: not here yet */
    bool asked;               /* in the run that ended last; those that were not are forgotten */
} mcp_question_t;

typedef struct {
    mcp_question_t v[MCP_QUESTIONS];
    size_t n;
    unsigned round;
    const json_t *given; /* params.inputResponses, or NULL */
    str_t state;         /* what the function keeps; unset: nothing */
    const char *missing; /* a capability that the client has not; NULL: none was needed */
} mcp_questions_t;

struct warder_mcp_call {
    warder_mcp_t *m;
    atomic_uint refs;
    arena_t *arena;
    const mcp_registry_t *registry; /* counted */
    const mcp_entry_t *entry;
    mcp_operation_t op;
    mcp_caller_t who;
    mcp_session_t *session; /* counted, or NULL */
    mcp_outbox_t *outbox;   /* counted, or NULL once it is a task or cancelled */
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
    bool spoke; /* something was put in the outbox: the answer cannot have a status of its own */
    audit_event_t event;
    mcp_out_t answer;
    struct mcp_task *task;         /* NULL: it is none */
    struct mcp_listener *listener; /* of subscriptions/listen; its lock is that of the listeners */
    /* of a call in LATER that nobody but the server would finish: mcp_call_cancel calls it, without
     * any lock, once the call counts as cancelled; NULL: none */
    void (*on_cancel)(warder_mcp_call_t *call);
    /* under the lock of the server */
    mcp_call_state_t state;
    warder_mcp_call_t *next, **link; /* all that have begun and not ended */
    atomic_bool cancelled;
};

/* said.c */
/** Ready for another run. */
void mcp_said_reset(warder_mcp_call_t *call);

/* life.c */
/** NEW to RUNNING: takes the references the call needs. `in` as in mcp_server_handle. MCP_NO_ERROR,
 * or MCP_ERROR_BUSY. */
mcp_error_t mcp_call_begin(warder_mcp_call_t *call, const mcp_incoming_t *in);
/** What the client answered to a question in WAITING: the `result` member, or NULL for an error. */
void mcp_call_answered(warder_mcp_call_t *call, str_t key, const json_t *result);
/** Puts a notification out: params are the members of an object, JSON. Dropped where nobody
 * listens.
 */
void mcp_call_notify(warder_mcp_call_t *call, str_t method, str_t params);

/* result.c: what was said, as JSON. In the call's arena; unset: memory, limits, or it is wrong. */
/** The result of the call's method: CallToolResult, ReadResourceResult, GetPromptResult,
 *  CompleteResult. Checks structured content against the output schema. */
str_t mcp_call_result(warder_mcp_call_t *call);

/* questions.c */
/** Reads inputResponses and requestState of a request of 2026-07-28. MCP_NO_ERROR, or the refusal.
 */
mcp_error_t mcp_questions_read(warder_mcp_call_t *call);
/** Whether every question that the last run asked has its answer. */
bool mcp_questions_answered(const warder_mcp_call_t *call);
/** The InputRequiredResult. Unset: memory. */
str_t mcp_questions_result(warder_mcp_call_t *call);
/** {"key": {"method", "params"}, …} of those without an answer. */
void mcp_questions_open(const warder_mcp_call_t *call, json_writer_t *w);

#endif
