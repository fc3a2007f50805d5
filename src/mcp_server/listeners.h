/* Who wants to know what changed: subscriptions/listen of 2026-07-28, and the streams of sessions.
 */
#ifndef MCP_SERVER_LISTENERS_H
#define MCP_SERVER_LISTENERS_H

#include "mcp_server/session.h"

typedef enum {
    MCP_CHANGED_TOOLS = 1 << 0,
    MCP_CHANGED_PROMPTS = 1 << 1,
    MCP_CHANGED_RESOURCES = 1 << 2,
    MCP_CHANGED_RESOURCE = 1 << 3, /* one that is watched */
    MCP_CHANGED_TASK = 1 << 4,
} mcp_changed_t;

typedef struct mcp_listeners mcp_listeners_t;
typedef struct mcp_listener mcp_listener_t;

/** NULL without memory. */
mcp_listeners_t *mcp_listeners_new(void);
void mcp_listeners_free(mcp_listeners_t *l);

typedef struct {
    unsigned wants;         /* mcp_changed_t, one or several */
    str_list_t uris;        /* of MCP_CHANGED_RESOURCE; of a session its own are asked */
    str_list_t tasks;       /* of MCP_CHANGED_TASK: ids */
    str_t subscription;     /* raw JSON id of the request; unset: a session's stream */
    mcp_session_t *session; /* held; NULL: none */
    mcp_outbox_t *outbox;   /* held */
} mcp_listening_t;

/** Copied. NULL without memory, or over LIMIT_MCP_LISTENERS. Any thread. */
mcp_listener_t *mcp_listeners_add(mcp_listeners_t *l, const mcp_listening_t *what);
void mcp_listeners_remove(mcp_listeners_t *l, mcp_listener_t *which);
/** Tells all who want to know: `method` with the members of `params` (JSON object). `name`: URI or
 * task id; unset for lists. Any thread. */
void mcp_listeners_tell(mcp_listeners_t *l, mcp_changed_t what, str_t name, str_t method,
                        str_t params);

#endif
