/* How a JSON-RPC answer ends, told while its bytes pass: result, result of a tool with isError, or
 * error with its code. No tree is built and nothing is kept; the bytes are whoever sent them's, and
 * what is read here is for the audit alone. JSON-RPC 2.0 section 5; MCP 2025-11-25, Tools, "Error
 * Handling". Pure. */
#ifndef MCP_OUTCOME_H
#define MCP_OUTCOME_H

#include "core/str.h"

typedef enum {
    MCP_OUTCOME_NONE, /* no answer: a notification, a request, or no object at all */
    MCP_OUTCOME_RESULT,
    MCP_OUTCOME_TOOL_ERROR, /* a result with isError: true */
    MCP_OUTCOME_ERROR,      /* see code */
} mcp_outcome_kind_t;

enum { MCP_OUTCOME_KEY_BYTES = 8 };

/** A reader of one message; zeroed is ready. The answer does not depend on how bytes were split. */
typedef struct {
    mcp_outcome_kind_t kind;
    int64_t code; /* of MCP_OUTCOME_ERROR; 0: it has none */
    uint32_t depth;
    uint8_t objects; /* which of the first two levels are objects */
    uint8_t member;  /* of the first level that is being read */
    uint8_t value;   /* of the second level that is being read */
    bool in_string, escaped, is_key, wants_key, negative, counted;
    uint8_t key_n; /* MCP_OUTCOME_KEY_BYTES + 1: longer, or escaped: none of ours */
    char key[MCP_OUTCOME_KEY_BYTES];
} mcp_outcome_t;

void mcp_outcome_feed(mcp_outcome_t *o, str_t piece);

#endif
