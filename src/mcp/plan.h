/* What one message asks of a tool server: pure decision, no session and no token in sight. */
#ifndef MCP_PLAN_H
#define MCP_PLAN_H

#include "mcp/rpc.h"
#include "mcp/tool.h"
#include "mcp/version.h"

typedef enum {
    MCP_DO_REFUSE,     /* answer plan.error */
    MCP_DO_ACCEPT,     /* a notification or a response: 202 without a body */
    MCP_DO_INITIALIZE, /* open a session; plan.version is what was negotiated */
    MCP_DO_PING,
    MCP_DO_LIST,
    MCP_DO_CALL, /* plan.tool with plan.arguments */
} mcp_action_t;

typedef struct {
    mcp_action_t action;
    mcp_error_t error;
    str_t tool_name;              /* of tools/call, as asked, for the audit; else unset */
    const mcp_tool_t *tool;       /* of MCP_DO_CALL */
    const json_t *arguments;      /* an object, or NULL when absent */
    const mcp_version_t *version; /* of MCP_DO_INITIALIZE */
    str_t asked_version;          /* of an unsupported version, for the answer's data */
} mcp_plan_t;

/** Decides on a message that mcp_message_parse took. Borrows everything. */
mcp_plan_t mcp_plan(const mcp_message_t *m, const mcp_tool_t *const *tools, size_t n);

#endif
