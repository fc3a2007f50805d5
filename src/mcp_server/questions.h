/* Questions of a call to its client: what its function asked, and what came back. Private to the
 * room. The thread of the function, or who holds the server's lock while the call waits. */
#ifndef MCP_SERVER_QUESTIONS_H
#define MCP_SERVER_QUESTIONS_H

#include "core/json.h"
#include "mcp/rpc.h"
#include "mcp/schema.h"
#include "warder/mcp_call.h"

enum {
    MCP_QUESTIONS = 16,                /* open at once in one call */
    MCP_ROUNDS = 32,                   /* how often one call may ask */
    MCP_STATE_BYTES = 32 << 10,        /* what a function keeps between its runs */
    MCP_ANSWERS_BYTES = 4 << 20,       /* of the client to all questions of one call */
    MCP_ANSWERS_KEPT_BYTES = 12 << 20, /* of the trees they are */
    MCP_SEALED_BYTES = 256 << 10,      /* state and answers that a client carries for us */
};

/** What a question asks for. */
typedef enum { MCP_ASK_FORM, MCP_ASK_URL, MCP_ASK_SAMPLE, MCP_ASK_ROOTS } mcp_ask_t;

/** A question to the client. */
typedef struct {
    str_t key;
    unsigned round; /* in which it was asked, first or anew */
    mcp_ask_t what;
    str_t method, params;     /* params: JSON */
    str_t page;               /* elicitationId of an MCP_ASK_URL in the handshake era, or unset */
    const mcp_schema_t *form; /* of an elicitation's content; NULL: none */
    const json_t *answer;     /* NULL: not here yet */
    bool asked;               /* in this run, or the one that ended last; others are forgotten */
} mcp_question_t;

typedef struct {
    mcp_question_t v[MCP_QUESTIONS];
    size_t n;
    unsigned round;
    const json_t *given; /* params.inputResponses, or NULL */
    const json_t *kept;  /* answers of earlier rounds, which came back sealed, or NULL */
    str_t state;         /* what the function keeps; unset: nothing */
    const char *missing; /* a capability that the client has not, as warder_mcp_client_can names it;
                            NULL: none was needed */
    str_t refused;       /* method of a question that the client answered with an error */
    size_t answered, kept_bytes; /* of all answers: their text, and their trees */
} mcp_questions_t;

/** Reads inputResponses and requestState of a request of 2026-07-28. MCP_NO_ERROR, or the refusal.
 *  mcp_call_begin does it. */
mcp_error_t mcp_questions_read(warder_mcp_call_t *call);
/** The beginning of a run, and its end: what was not asked in it is forgotten. */
void mcp_questions_begin(warder_mcp_call_t *call);
void mcp_questions_settle(warder_mcp_call_t *call);
/** The question of that key; NULL: there is none. */
mcp_question_t *mcp_question_find(warder_mcp_call_t *call, str_t key);
/** The same by the key that clients know: in a task no two questions have the same, so what is
 * asked in a later round, also anew, has another one (SEP-2663, "Task Update Requests"). */
mcp_question_t *mcp_question_find_open(warder_mcp_call_t *call, str_t key);
/** Whether every question that the last run asked has its answer. */
bool mcp_questions_answered(const warder_mcp_call_t *call);
/** The InputRequiredResult. Unset: memory, or too much to carry. */
str_t mcp_questions_result(warder_mcp_call_t *call);
/** {"key": {"method", "params"}, …} of those without an answer. */
void mcp_questions_open(const warder_mcp_call_t *call, json_writer_t *w);
/** Whether `capabilities` (an object or NULL) hold what a path names. */
bool mcp_capability_has(const json_t *capabilities, const char *path);
/** {"requiredCapabilities": …} with what the path names. Unset without memory. */
str_t mcp_capability_needed(arena_t *a, const char *path);
#define MCP_TASKS_CAPABILITY "extensions.io.modelcontextprotocol/tasks"

#endif
