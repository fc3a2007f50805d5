/* What a client is made of. Within the files of session.h. */
#ifndef MCP_CLIENT_SESSION_STATE_H
#define MCP_CLIENT_SESSION_STATE_H

#include "core/limits.h"
#include "mcp_client/session.h"

#include <pthread.h>

/* One request that a thread waits for, on its stack. */
typedef struct session_wait {
    struct session_wait *next;
    uint64_t tag;
    arena_t *a; /* of the thread that waits: filled under the lock only */
    bool done;
    rc_t rc;
    str_t result; /* unset: it failed */
    mcp_client_failure_t why;
} session_wait_t;

/* What the server asks, until the thread that answers has time. */
typedef struct session_question {
    struct session_question *next;
    arena_t *a;
    str_t id, method;
    const json_t *params;
} session_question_t;

typedef struct {
    str_t name;
    mcp_params_t params;
} session_tool_t;

struct mcp_client {
    mcp_client_config_t config; /* slices in `a` */
    arena_t *a;
    mcp_link_t *link;
    str_t capabilities;      /* JSON */
    pthread_mutex_t asking;  /* one question at a time */
    pthread_mutex_t tabling; /* guards the table of tools, before `lock` */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    uint64_t last_tag;
    session_wait_t *waits;
    const mcp_version_t *version;
    str_t server;
    arena_t *server_a; /* of `server`; NULL: none */
    uint64_t opened;   /* how often a session was made */
    bool opening, ending, left;
    unsigned sending; /* threads that hand a request to the link, not while `opening` */
    session_question_t *questions, *last_question;
    size_t n_questions;
    bool answers; /* its thread runs */
    pthread_t thread;
    session_tool_t *tools; /* those with fields */
    size_t n_tools;
    arena_t *tools_a;
};

/** One request with all that may go along. */
typedef struct {
    str_t method, params; /* a JSON object, or unset */
    const mcp_version_t *version;
    bool progress, probe;
    str_t responses, state; /* JSON: inputResponses, requestState; unset: none */
    const _Atomic(bool) *cancel;
    int64_t due; /* by clock_micros() / 1000; 0: never */
} session_request_t;

/* session_write.c: pure */

str_t session_capabilities(arena_t *a, const mcp_client_config_t *config);
/** The whole message. RC_MALFORMED: params is no JSON object. */
rc_t session_write(arena_t *a, const mcp_client_t *c, const session_request_t *r, uint64_t id,
                   str_t *out) MUST_USE;
str_t session_write_notification(arena_t *a, str_t method, str_t params);
/** Fills in what the form of an elicitation has defaults for, and an accepted answer leaves out
 * (MCP 2025-11-25, Elicitation, "Requested Schema"). */
rc_t session_fill_form(arena_t *a, const json_t *params, str_t *result) MUST_USE;

/* session_call.c */

/** Sends, and waits: RC_NOT_FOUND with *why, as mcp_client_request; nothing is tried again. */
rc_t session_ask(mcp_client_t *c, arena_t *a, const session_request_t *r, str_t *result,
                 mcp_client_failure_t *why) MUST_USE;
void session_on_failed(void *ctx, uint64_t tag, const mcp_link_failure_t *why);
/** An answer, on the link's thread. */
void session_on_answer(mcp_client_t *c, uint64_t tag, const mcp_message_t *m);

/* session_open.c */

/** Initializes, and listens. RC_NOT_FOUND: *why. */
rc_t session_initialize(mcp_client_t *c, arena_t *a, mcp_client_failure_t *why) MUST_USE;
rc_t session_open(mcp_client_t *c, arena_t *a, mcp_client_failure_t *why) MUST_USE;

/* session_serve.c */

void session_on_message(void *ctx, uint64_t tag, const mcp_message_t *m);
void session_on_unheard(void *ctx, const mcp_link_failure_t *why);
/** Asks the program. False: it refuses, or was not declared to be able. Blocks. */
bool session_answer(mcp_client_t *c, arena_t *a, str_t method, const json_t *params, str_t *result);
void session_end_answers(mcp_client_t *c);

/* session_tools.c */

/** Sends the message, with the fields of the tool it calls. */
rc_t session_send(mcp_client_t *c, mcp_link_message_t *message,
                  const session_request_t *r) MUST_USE;

#endif
