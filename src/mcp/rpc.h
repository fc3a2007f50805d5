/* The JSON-RPC 2.0 envelope as MCP uses it: one message a body, ids that are strings or integers.
 * What was checked is what goes on: ids and params are kept as the bytes that were read. */
#ifndef MCP_RPC_H
#define MCP_RPC_H

#include "core/json.h"

enum {
    MCP_MESSAGE_BYTES = 1 << 20,
    MCP_MESSAGE_DEPTH = 64,
    MCP_MESSAGE_NODES = 20000, /* tool arguments are small; the tree stays under 3 MB */
    MCP_ID_BYTES = 256,
    MCP_METHOD_BYTES = 128,
};

typedef enum {
    MCP_NO_ERROR,
#define MCP_ERROR(name, code, status, reason, sentence) MCP_ERROR_##name,
#include "mcp/errors.def"
#undef MCP_ERROR
    MCP_ERROR_COUNT
} mcp_error_t;

typedef struct {
    int code;       /* JSON-RPC */
    int status;     /* HTTP */
    str_t reason;   /* for the audit; static */
    str_t sentence; /* for the client; static */
} mcp_error_row_t;

/** The row of an error other than MCP_NO_ERROR; static. */
const mcp_error_row_t *mcp_error_row(mcp_error_t e);

typedef enum { MCP_REQUEST, MCP_NOTIFICATION, MCP_RESPONSE } mcp_message_kind_t;

typedef struct {
    mcp_message_kind_t kind;
    str_t id;             /* raw JSON; unset for notifications */
    str_t method;         /* decoded; unset for responses */
    const json_t *params; /* an object, or NULL when absent */
    const json_t *root;   /* the whole message; NULL: it was no object */
} mcp_message_t;

/**
 * Reads one message. Everything lives in `a` and borrows `body`. The answer is MCP_NO_ERROR or why
 * not; out->id is then set as far as it was readable, for the error answer. *rc is RC_OK unless
 * memory failed. JSON-RPC 2.0 sections 4 and 5; MCP 2025-11-25 base protocol (no batches, id not
 * null).
 */
mcp_error_t mcp_message_parse(arena_t *a, str_t body, mcp_message_t *out, rc_t *rc);

/** The same within limits of the caller's own: `limits` is not NULL. */
mcp_error_t mcp_message_parse_within(arena_t *a, str_t body, const json_limits_t *limits,
                                     mcp_message_t *out, rc_t *rc);

/** The same for what is parsed already, within limits of the caller's own. */
mcp_error_t mcp_message_of(const json_t *root, mcp_message_t *out);

/** {"jsonrpc":"2.0","id":id,"result":result}; `result` is JSON. Unset without memory. */
str_t mcp_result(arena_t *a, str_t id, str_t result);
/** The error answer. `id` unset: the member is left out, for MCP allows no null there (2025-11-25,
 *  "Error Responses"; schema: JSONRPCErrorResponse). `sentence` unset takes the row's; `data` is
 *  JSON or unset. */
str_t mcp_error(arena_t *a, str_t id, mcp_error_t e, str_t sentence, str_t data);

#endif
