/* The header rules of the Streamable HTTP transport (MCP 2025-11-25, Transports). */
#ifndef MCP_HEADERS_H
#define MCP_HEADERS_H

#include "core/url.h"
#include "mcp/rpc.h"
#include "mcp/version.h"

enum { MCP_SESSION_ID_BYTES = 128 };

/** The revision of the handshake era that a request speaks by its MCP-Protocol-Version header
 * (unset: absent, which means 2025-03-26). NULL: none of them, answer
 * MCP_ERROR_UNSUPPORTED_VERSION. */
const mcp_version_t *mcp_header_version(str_t value);
/** Whether a session id is one a server could have made: visible ASCII, 1 to 128 bytes. */
bool mcp_session_id_is_valid(str_t value);
/**
 * Whether a browser page of that Origin may speak to the server: none (no browser), loopback pages
 * of any port (local inspectors), and the listed origins. "null" and anything that is not an origin
 * is foreign. This and mcp_host_allowed close DNS rebinding.
 */
bool mcp_origin_allowed(str_t origin, str_list_t allowed);
/** Whether the Host header names this server: a loopback name, or one of `hosts` (without port). */
bool mcp_host_allowed(str_t host, str_list_t hosts);

#endif
