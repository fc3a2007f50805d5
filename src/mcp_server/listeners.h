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

enum {
    MCP_LISTENERS_PER_PRINCIPAL = 64, /* subscriptions, and sessions beside them: as many as it has
                                         of those; each subscription keeps its message */
};

typedef struct mcp_listeners mcp_listeners_t;
typedef struct mcp_listener mcp_listener_t;

/** NULL without memory. */
mcp_listeners_t *mcp_listeners_new(void);
/** NULL is fine. */
void mcp_listeners_free(mcp_listeners_t *l);

typedef struct {
    unsigned wants;     /* mcp_changed_t, one or several */
    str_list_t uris;    /* of MCP_CHANGED_RESOURCE; of a session its own are asked */
    str_list_t tasks;   /* of MCP_CHANGED_TASK: ids */
    str_t subscription; /* raw JSON id of the request; unset: a session's stream */
    str_t ack;          /* the first message; unset: none */
    mcp_principal_t who;
    mcp_session_t *session;  /* held; NULL: none */
    mcp_outbox_t *outbox;    /* held */
    warder_mcp_call_t *call; /* of a subscription: held while it listens; NULL: none */
    mcp_listener_t **slot; /* is set to the listener, and to NULL when it is removed; NULL: none */
} mcp_listening_t;

/** Copied. NULL without memory, over LIMIT_MCP_LISTENERS, or where the principal has too many. A
 *  session is listed once, and forgotten when it has ended. Nothing is told before `ack`. Any
 * thread.
 */
mcp_listener_t *mcp_listeners_add(mcp_listeners_t *l, const mcp_listening_t *what);
/** Removes the listener in the slot. False: there is none (any more). Any thread. */
bool mcp_listeners_remove(mcp_listeners_t *l, mcp_listener_t **slot);
/** Removes one that has a call, and gives the reference of that; NULL: there is none. Any thread.
 */
warder_mcp_call_t *mcp_listeners_take(mcp_listeners_t *l);
/** Tells all who want to know: `method` with the members of `params` (JSON object). `name`: URI or
 * task id; unset for lists. Who does not read is told no more than its outbox holds. Any thread. */
void mcp_listeners_tell(mcp_listeners_t *l, mcp_changed_t what, str_t name, str_t method,
                        str_t params);
/** Whether anybody would be told. Any thread. */
bool mcp_listeners_any(mcp_listeners_t *l, mcp_changed_t what, str_t name);

#endif
