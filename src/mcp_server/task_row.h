/* The table of tasks, a row of it, and how clients see that. Private to the files of tasks.h. */
#ifndef MCP_SERVER_TASK_ROW_H
#define MCP_SERVER_TASK_ROW_H

#include "core/map.h"
#include "mcp_server/tasks.h"

#include <pthread.h>

struct mcp_task {
    char id[MCP_TASK_TEXT];
};

struct mcp_tasks {
    pthread_mutex_t lock;
    mcp_tasks_config_t config;
    map_t *map;
    map_t *shares; /* of subjects that have rows */
    size_t bytes;  /* of all bodies */
};

typedef struct task_share task_share_t;

typedef struct task_row {
    char id[MCP_TASK_TEXT];
    mcp_principal_t who; /* its bytes stand behind the struct, as those of scope */
    task_share_t *share; /* of its subject, while it is in the table */
    str_t scope;         /* what its tool needs; unset: nothing */
    mcp_task_status_t status;
    char *body, *message;
    size_t body_n, message_n;
    int64_t created_ms, updated_ms; /* of the day */
    int64_t born, touched;          /* of the clock that never goes back, in ms */
    int64_t kept_ms;                /* after the last change */
    mcp_era_t era;
    warder_mcp_call_t *call;    /* held; NULL once it has ended */
    warder_mcp_call_t *waiters; /* held; by next_waiting */
    size_t n_waiters;
    struct task_row *next; /* of those that are being forgotten */
} task_row_t;

void task_row_write(const task_row_t *r, const mcp_tasks_config_t *config, mcp_task_form_t form,
                    json_writer_t *w);

/* Under the lock. */
bool task_has_ended(const task_row_t *r);
bool task_is_stale(const mcp_tasks_t *t, const task_row_t *r);
bool task_is_whose(const task_row_t *r, const mcp_principal_t *who);
task_row_t *task_row_of(mcp_tasks_t *t, const mcp_task_t *task);

/* task_room.c, under the lock. */
/** Counts the row for its subject. RC_BUSY: that has too many; RC_MEMORY, RC_LIMIT. */
rc_t task_share_join(mcp_tasks_t *t, task_row_t *r) MUST_USE;
/** The row leaves the table. */
void task_share_leave(mcp_tasks_t *t, task_row_t *r);
/** The body was of `before` bytes; an end is counted once, as it is the last change. */
void task_share_count(mcp_tasks_t *t, task_row_t *r, size_t before);
/** Makes room for a new body of `n` bytes in the row. What has to go for it is taken out of the
 *  table and put before *gone. The error that stands in its place where there is no room; else
 *  unset. */
str_t task_make_room(mcp_tasks_t *t, const task_row_t *r, size_t n, task_row_t **gone);

/* Under no lock. */
void task_finish_all(warder_mcp_call_t *waiting);

#endif
