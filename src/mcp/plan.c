#include "mcp/plan.h"

static mcp_plan_t refuse(mcp_error_t e)
{
    return (mcp_plan_t){.action = MCP_DO_REFUSE, .error = e};
}

static mcp_plan_t plan_initialize(const mcp_message_t *m)
{
    str_t asked = json_get_str(m->params, STR("protocolVersion"));
    if (!asked.p)
        return refuse(MCP_ERROR_BAD_INITIALIZE);
    return (mcp_plan_t){.action = MCP_DO_INITIALIZE, .version = mcp_version_negotiate(asked)};
}

static const mcp_tool_t *tool_find(str_t name, const mcp_tool_t *const *tools, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(tools[i]->name, name))
            return tools[i];
    }
    return NULL;
}

static mcp_plan_t plan_call(const mcp_message_t *m, const mcp_tool_t *const *tools, size_t n)
{
    mcp_plan_t p = {.action = MCP_DO_CALL};
    p.tool_name = json_get_str(m->params, STR("name"));
    if (!p.tool_name.p)
        return refuse(MCP_ERROR_BAD_NAME);
    p.tool = tool_find(p.tool_name, tools, n);
    p.arguments = json_get(m->params, STR("arguments"));
    if (!p.tool)
        p.error = MCP_ERROR_UNKNOWN_TOOL;
    else if (p.arguments && !json_is(p.arguments, JSON_OBJECT))
        p.error = MCP_ERROR_BAD_ARGUMENTS;
    if (p.error != MCP_NO_ERROR)
        p.action = MCP_DO_REFUSE;
    return p;
}

static mcp_plan_t plan_list(const mcp_message_t *m)
{
    if (json_get(m->params, STR("cursor")))
        return refuse(MCP_ERROR_BAD_CURSOR);
    return (mcp_plan_t){.action = MCP_DO_LIST};
}

/* Clients of 2026-07-28 state their revision in every message; they must learn that this server
 * speaks older ones only, whatever the method. */
static str_t stated_version(const mcp_message_t *m)
{
    const json_t *meta = json_get(m->params, STR("_meta"));
    return json_get_str(meta, STR("io.modelcontextprotocol/protocolVersion"));
}

mcp_plan_t mcp_plan(const mcp_message_t *m, const mcp_tool_t *const *tools, size_t n)
{
    str_t stated = stated_version(m);
    if (stated.p && !mcp_version_find(mcp_versions_handshake(), stated)) {
        mcp_plan_t p = refuse(MCP_ERROR_UNSUPPORTED_VERSION);
        p.asked_version = stated;
        return p;
    }
    if (m->kind != MCP_REQUEST)
        return (mcp_plan_t){.action = MCP_DO_ACCEPT};
    if (str_eq(m->method, STR("initialize")))
        return plan_initialize(m);
    if (str_eq(m->method, STR("ping")))
        return (mcp_plan_t){.action = MCP_DO_PING};
    if (str_eq(m->method, STR("tools/list")))
        return plan_list(m);
    if (str_eq(m->method, STR("tools/call")))
        return plan_call(m, tools, n);
    return refuse(MCP_ERROR_UNKNOWN_METHOD);
}
