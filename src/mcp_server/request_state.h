/* What clients of 2026-07-28 carry from one round to the next: the state of the function and the
 * answers of earlier rounds, readable, and sealed by a MAC over server, principal, method, name,
 * arguments, round and time (2026-07-28, "Multi Round-Trip Requests", server requirements 4 and 5).
 */
#ifndef MCP_SERVER_REQUEST_STATE_H
#define MCP_SERVER_REQUEST_STATE_H

#include "mcp_server/call.h"

enum { MCP_STATE_LIFE_S = 600 };

/** The requestState of the call's questions, in its arena. Unset: memory, or more than
 *  MCP_SEALED_BYTES. */
str_t mcp_state_seal(warder_mcp_call_t *call);
/** The same of any payload, for who tries to get through. */
str_t mcp_state_wrap(warder_mcp_call_t *call, str_t payload);
/** Reads one into the call's questions: round, state, and kept answers. MCP_NO_ERROR,
 *  MCP_ERROR_BAD_REQUEST_STATE, MCP_ERROR_EXPIRED_REQUEST_STATE, MCP_ERROR_INTERNAL without
 *  memory. */
mcp_error_t mcp_state_open(warder_mcp_call_t *call, str_t text);

#endif
