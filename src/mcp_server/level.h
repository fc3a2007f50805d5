/* Levels of log messages and their names (RFC 5424 section 6.2.1). Pure. */
#ifndef MCP_SERVER_LEVEL_H
#define MCP_SERVER_LEVEL_H

#include "core/str.h"
#include "warder/mcp_call.h"

/** False: there is no level of that name; unset names none. */
bool mcp_level_read(str_t name, warder_mcp_level_t *out);
/** Static; unset: there is no such level. */
str_t mcp_level_name(warder_mcp_level_t level);

#endif
