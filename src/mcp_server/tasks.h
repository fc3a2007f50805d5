/* Calls that outlive their request (extension io.modelcontextprotocol/tasks of 2026-07-28, and the
 * tasks of 2025-11-25; none is seen from the other era): a client that went
 * away asks for state and result by an id that is its principal's alone. In memory: they end with
 * the process. */
#ifndef MCP_SERVER_TASKS_H
#define MCP_SERVER_TASKS_H

#include "mcp_server/listeners.h"

enum {
    MCP_TASKS = 10000,
    MCP_TASKS_PER_PRINCIPAL = 100,
    MCP_TASKS_PER_SUBJECT = 400,           /* with all its clients, which may register themselves */
    MCP_TASK_BYTES_PER_SUBJECT = 64 << 20, /* of large results that are kept */
    MCP_TASK_BYTES = 256 << 20, /* of all results: over it the oldest go of who has most */
    MCP_TASK_TEXT = 32,         /* characters of an id: 192 random bits */
    MCP_TASK_POLL_MS = 1000,    /* pollIntervalMs */
    MCP_TASK_LEAST_MS = 10000,  /* a result is kept so long, whatever ttl was asked for */
    MCP_TASK_WAITERS = 8,       /* requests that wait for the result of one task */
};

typedef enum {
    MCP_TASK_WORKING,
    MCP_TASK_INPUT,
    MCP_TASK_COMPLETED,
    MCP_TASK_FAILED,
    MCP_TASK_CANCELLED,
    MCP_TASK_FLAWED, /* failed as 2025-11-25 counts: a result that says isError */
} mcp_task_status_t;

/** How a client is shown one. */
typedef enum {
    MCP_TASK_BRIEF, /* as it is made */
    MCP_TASK_WHOLE, /* with result, error or questions, by tasks/get */
    MCP_TASK_PLAIN, /* 2025-11-25: its result comes apart, by tasks/result */
} mcp_task_form_t;

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
/** Members of a Task. Nothing where it is forgotten. */
void mcp_task_write(mcp_tasks_t *t, mcp_task_t *task, mcp_task_form_t form, json_writer_t *w);
/** Its id; lives as the handle does. */
str_t mcp_task_id(const mcp_task_t *task);

/* By id, of that principal alone. False: unknown, forgotten, or another's: they look alike. */
/** Writes its members. */
bool mcp_task_show(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, mcp_task_form_t form,
                   json_writer_t *w);
/** What its tool needs, in `a`; unset: nothing. Without memory, and of another era, false, too. */
bool mcp_task_scope(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, mcp_era_t era, arena_t *a,
                    str_t *scope);
/** Its call: one reference, or NULL where it has ended. */
bool mcp_task_call(mcp_tasks_t *t, str_t id, const mcp_principal_t *who, warder_mcp_call_t **call);
/** Makes it CANCELLED, if it has not ended; its call as above. */
bool mcp_task_cancel(mcp_tasks_t *t, str_t id, const mcp_principal_t *who,
                     warder_mcp_call_t **call);
/** The ids of all of an era, the oldest first, in `a`. RC_MEMORY. */
rc_t mcp_tasks_of(mcp_tasks_t *t, const mcp_principal_t *who, mcp_era_t era, arena_t *a,
                  str_list_t *out) MUST_USE;

/* Waiting for the end of a task (2025-11-25, tasks/result). `call` waits with `call->awaits`, a
 * handle of mcp_task_handle; none of these under the server's lock. */
mcp_task_t *mcp_task_handle(arena_t *a, str_t id);
typedef enum { MCP_TASK_IS_OVER, MCP_TASK_IS_AWAITED, MCP_TASK_IS_CROWDED } mcp_task_await_t;
/** IS_AWAITED: warder_mcp_finish comes once it is over, or forgotten. */
mcp_task_await_t mcp_task_await(mcp_tasks_t *t, warder_mcp_call_t *call);
/** True: it waited, and does no more. */
bool mcp_task_unawait(mcp_tasks_t *t, warder_mcp_call_t *call);
/** Finishes who waits for the task, if it is over. */
void mcp_task_wake(mcp_tasks_t *t, const mcp_task_t *task);
/** What it came to: its body in `a`, JSON, unset where it was cancelled. False: it is not over, or
 * forgotten, or there is no memory. */
bool mcp_task_outcome(mcp_tasks_t *t, const mcp_task_t *task, arena_t *a, mcp_task_status_t *status,
                      str_t *body);

#endif
