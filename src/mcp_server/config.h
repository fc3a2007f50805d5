/* The config of a server, checked and completed. Private to the room. */
#ifndef MCP_SERVER_CONFIG_H
#define MCP_SERVER_CONFIG_H

#include "mcp_server/entry.h"

/** Puts the defaults in. RC_CONFIG: something is wrong with it; *why is one sentence, static. The
 *  tables are not looked at. */
rc_t mcp_config_complete(warder_mcp_config_t *c, str_t *why) MUST_USE;
/** The server's Implementation, JSON in `a`; `whole` with icons and website. RC_CONFIG: icons are
 * no list of icons. RC_MEMORY. */
rc_t mcp_config_info(arena_t *a, const warder_mcp_config_t *c, bool whole, str_t *out) MUST_USE;

#endif
