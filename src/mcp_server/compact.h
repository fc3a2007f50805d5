/* JSON without the white space between its tokens: what the server's owner wrote over several lines
 * must fit on one (MCP 2026-07-28, stdio: no newlines within a message). Pure. */
#ifndef MCP_SERVER_COMPACT_H
#define MCP_SERVER_COMPACT_H

#include "core/buf.h"

/** Writes `json`, which is one well-formed value. */
void mcp_compact(buf_t *b, str_t json);

#endif
