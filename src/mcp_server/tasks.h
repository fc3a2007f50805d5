/* Calls that outlive their request (extension io.modelcontextprotocol/tasks): a client that went
 * away asks for state and result by an id that is its principal's alone. In memory: they end with
 * the process. */
#ifndef MCP_SERVER_TASKS_H
#define MCP_SERVER_TASKS_H

#include "mcp_server/listeners.h"

enum {
    MCP_TASKS = 10000,
    MCP_TASKS_PER_PRINCIPAL = 100,
    MCP_TASK_BYTES_PER_PRINCIPAL = 64 << 20, /* of large results that are kept */
    MCP_TASK_TEXT = 32,                      /* characters of an id: 192 random bits */
    MCP_TASK_POLL_MS = 1000,                 /* pollIntervalMs */
};

typedef enum {
    MCP_TASK_WORKING,
    MCP_TASK_INPUT,
    MCP_TASK_COMPLETED,
    MCP_TASK_FAILED,
    MCP_TASK_CANCELLED,
} mcp_task_status_t;

typedef struct mcp_tasks mcp_tasks_t;
/** A handle of the call's own, in its arena; it may outlive what it stands for. */
typedef struct mcp_task mcp_task_t;

typedef struct {
    int64_t kept_ms; /* after the last change, of what has ended or waits for the client */
    clock_port_t clock;
    random_port_t random;
    mcp_listeners_t *listeners; /* are told of changes; NULL: nobody is */
} mcp_tasks_config_t;

/** NULL without memory or randomness. */
mcp_tasks_t *mcp_tasks_new(const mcp_tasks_config_t *config);
/** NULL is fine. */
void mcp_tasks_free(mcp_tasks_t *t);
/** Forgets what is stale. Any thread. */
void mcp_tasks_sweep(mcp_tasks_t *t);
/** Makes the call a task, WORKING; the table holds the call until it has ended. RC_BUSY over the
 *  quotas. On the thread that the call belongs to, as all but the last three. */
rc_t mcp_task_open(mcp_tasks_t *t, warder_mcp_call_t *call, const mcp_principal_t *who,
                   mcp_task_t **out) MUST_USE;
/** The call's state has changed: `body` is the result (COMPLETED), the error (FAILED) or the
 *  inputRequests (INPUT), JSON, copied; unset: none. A terminal state stays. Any thread. */
void mcp_task_set(mcp_tasks_t *t, mcp_task_t *task, mcp_task_status_t status, str_t body);
void mcp_task_say(mcp_tasks_t *t, mcp_task_t *task, str_t text);
/** Members of a Task as tasks/get shows it (`detailed`), or as it is made. Nothing where it is
 *  forgotten. */
void mcp_task_write(mcp_tasks_t *t, mcp_task_t *task, bool detailed, json_writer_t *w);

/* By id, of that principal alone. False: unknown, forgotten, or another's: they look alike. */
/** Writes the members that tasks/get shows. */
bool mcp_task_show(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, json_writer_t *w);
/** What its tool needs, in `a`; unset: nothing. Without memory false, too. */
bool mcp_task_scope(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, arena_t *a, str_t *scope);
/** Its call: one reference, or NULL where it has ended. */
bool mcp_task_call(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, warder_mcp_call_t **call);
/** Makes it CANCELLED, if it has not ended; its call as above. */
bool mcp_task_cancel(mcp_tasks_t *t, str_t id, const mcp_principal_t *who,
                     warder_mcp_call_t **call);

#endif
