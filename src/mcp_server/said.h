/* What the files that say answers share. Private to the room. */
#ifndef MCP_SERVER_SAID_H
#define MCP_SERVER_SAID_H

#include "mcp_server/call.h"

enum {
    MCP_SAID_DEPTH = 64,            /* as deep as the writer goes */
    MCP_SAID_NODES = 100000,        /* of structured content */
    MCP_SAID_TREE_BYTES = 24 << 20, /* what its tree takes while it is checked */
};

/** The limits of JSON that a function says. */
extern const json_limits_t MCP_SAID_LIMITS;

/** The first failure stays. */
void mcp_said_fail(warder_mcp_call_t *call, rc_t rc);
/** Whether `text` (unset: it is not) is one JSON value, and an object where only that will do:
 *  anything else would break the message around it. RC_MALFORMED, RC_LIMIT, RC_MEMORY. */
rc_t mcp_said_check(str_t text, bool object) MUST_USE;

#endif
