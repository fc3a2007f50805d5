/* A parsed value that is kept for long: in one block of its own size, where an arena takes 8 KiB.
 */
#ifndef MCP_SERVER_KEPT_JSON_H
#define MCP_SERVER_KEPT_JSON_H

#include "core/json.h"

/** A deep copy that borrows nothing; free it with free(). `v` is the root of what was parsed, and
 *  not deeper than a thread's stack likes: a few dozen levels. NULL without memory. */
json_t *mcp_json_keep(const json_t *v);

#endif
