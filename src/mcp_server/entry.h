/* One row of a public table, checked, parsed and written as clients get it. Private to the room. */
#ifndef MCP_SERVER_ENTRY_H
#define MCP_SERVER_ENTRY_H

#include "mcp_server/registry.h"

enum {
    MCP_TOOL_NAME_BYTES = 128, /* 2025-11-25, Tools, "Tool Names" */
    MCP_ENTRY_BYTES = 1 << 20, /* of an entry as clients get it, schemas and all */
    MCP_ARGUMENTS = 100,       /* of a prompt */
};

/* Each reads a row into *out, in `a`; texts are borrowed. RC_CONFIG: something is wrong with it,
 * and *why (in `a`) is one sentence with the mend. RC_MEMORY. */
rc_t mcp_entry_tool(arena_t *a, const warder_mcp_tool_t *t, mcp_entry_t *out, str_t *why) MUST_USE;
rc_t mcp_entry_resource(arena_t *a, const warder_mcp_resource_t *r, mcp_entry_t *out,
                        str_t *why) MUST_USE;
rc_t mcp_entry_prompt(arena_t *a, const warder_mcp_prompt_t *p, mcp_entry_t *out,
                      str_t *why) MUST_USE;

/* What rows and the server's own description have in common. */
/** Writes what clients get of a list of icons; NULL writes nothing. RC_CONFIG: it is no list of
 *  objects with src. */
rc_t mcp_entry_icons(arena_t *a, json_writer_t *w, const char *icons) MUST_USE;
/** The scopes of `text` (RFC 6749 section 3.3), one after the other; the count, or -1 where it is
 *  malformed. */
int mcp_scope_count(str_t text);

/** Members of a listed tool: annotations, and whether it may be a task. */
void mcp_entry_write_flags(json_writer_t *w, unsigned flags);

#endif
