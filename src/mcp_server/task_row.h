/* A row of the table of tasks, and how clients see it. Private to tasks.c; under its lock. */
#ifndef MCP_SERVER_TASK_ROW_H
#define MCP_SERVER_TASK_ROW_H

#include "mcp_server/tasks.h"

typedef struct task_row {
    char id[MCP_TASK_TEXT];
    mcp_principal_t who; /* its bytes stand behind the struct, as those of scope */
    str_t scope;         /* what its tool needs; unset: nothing */
    mcp_task_status_t status;
    char *body, *message;
    size_t body_n, message_n;
    int64_t created_ms, updated_ms; /* of the day */
    int64_t born, touched;          /* of the clock that never goes back, in ms */
    warder_mcp_call_t *call;        /* held; NULL once it has ended */
    struct task_row *next;          /* of those that are being forgotten */
} task_row_t;

/** Members of a Task as tasks/get shows it (`detailed`), or as it is made. */
void task_row_write(const task_row_t *r, const mcp_tasks_config_t *config, bool detailed,
                    json_writer_t *w);

#endif
