/* Where the next page of a list begins, as a text that clients bring back unread (MCP 2025-11-25,
 * "Pagination": opaque). It is sealed, and bound to the list as it was: after a change it is
 * refused, so that no client mixes pages of two lists. Private to the room. */
#ifndef MCP_SERVER_CURSOR_H
#define MCP_SERVER_CURSOR_H

#include "mcp_server/registry.h"

/** Of the row at `index`. Unset without memory. */
str_t mcp_cursor_write(arena_t *a, const uint8_t key[32], const mcp_registry_t *r, mcp_kind_t kind,
                       size_t index);
/** False: it is none of ours, or of another list. */
bool mcp_cursor_read(const uint8_t key[32], const mcp_registry_t *r, mcp_kind_t kind, str_t text,
                     size_t *index);

#endif
