/* Copies of what the server's owner gives, so that it may go once it was given. */
#ifndef MCP_SERVER_TABLES_H
#define MCP_SERVER_TABLES_H

#include "core/arena.h"
#include "warder/mcp.h"

/** Each puts copies (in `a`) in the place of one table of `c`, or of the texts that stand in it by
 *  themselves. RC_MEMORY. */
rc_t mcp_tables_copy_tools(arena_t *a, warder_mcp_config_t *c) MUST_USE;
rc_t mcp_tables_copy_resources(arena_t *a, warder_mcp_config_t *c) MUST_USE;
rc_t mcp_tables_copy_prompts(arena_t *a, warder_mcp_config_t *c) MUST_USE;
rc_t mcp_tables_copy_config(arena_t *a, warder_mcp_config_t *c) MUST_USE;

#endif
