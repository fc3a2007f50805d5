/* Tools: what a server offers, how it is listed, and what a call gives back. */
#ifndef MCP_TOOL_H
#define MCP_TOOL_H

#include "core/json.h"

enum { MCP_TOOL_LIST_BYTES = 1 << 20, MCP_TOOL_RESULT_BYTES = 2 << 20 };

/** One tool. Borrowed static text; the schemas are JSON objects (JSON Schema 2020-12). */
typedef struct {
    str_t name, title, description;
    str_t input_schema;
    str_t output_schema; /* unset: no structured output */
    str_t scope;         /* what a call needs, space-separated; unset: any valid token */
    bool read_only, idempotent, open_world; /* annotations; hints, never trusted by clients */
} mcp_tool_t;

/** What a call gave. `structured` is a JSON object or unset; `text` is plain text. is_error says
 *  that the tool ran and failed, in words for the model (2025-11-25 tools, "Error handling"). */
typedef struct {
    bool is_error;
    str_t text;
    str_t structured;
} mcp_tool_result_t;

/** The server's own description for initialize. */
typedef struct {
    str_t name, title, version;
    str_t instructions; /* unset: none */
} mcp_server_info_t;

/** The result of tools/list: every tool, in the order of the table. Unset without memory. */
str_t mcp_tools_list(arena_t *a, const mcp_tool_t *const *tools, size_t n);
/** The result of tools/call. Unset without memory or over MCP_TOOL_RESULT_BYTES. */
str_t mcp_tool_answer(arena_t *a, const mcp_tool_result_t *r);
/** The result of initialize for revision `version`. Unset without memory. */
str_t mcp_initialize_answer(arena_t *a, const mcp_server_info_t *info, str_t version);

#endif
