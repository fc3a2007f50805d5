#include "mcp_server/level.h"

static const str_t LEVELS[] = {
    [WARDER_MCP_DEBUG] = STR_INIT("debug"),   [WARDER_MCP_INFO] = STR_INIT("info"),
    [WARDER_MCP_NOTICE] = STR_INIT("notice"), [WARDER_MCP_WARNING] = STR_INIT("warning"),
    [WARDER_MCP_ERROR] = STR_INIT("error"),   [WARDER_MCP_CRITICAL] = STR_INIT("critical"),
    [WARDER_MCP_ALERT] = STR_INIT("alert"),   [WARDER_MCP_EMERGENCY] = STR_INIT("emergency"),
};
enum { LEVEL_COUNT = sizeof LEVELS / sizeof LEVELS[0] };

bool mcp_level_read(str_t name, warder_mcp_level_t *out)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (!str_eq(LEVELS[i], name))
            continue;
        *out = (warder_mcp_level_t)i;
        return true;
    }
    return false;
}

str_t mcp_level_name(warder_mcp_level_t level)
{
    return (size_t)level < LEVEL_COUNT ? LEVELS[level] : STR_UNSET;
}
