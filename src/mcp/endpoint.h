/* Where messages go in the transport of 2024-11-05: the URI that an `endpoint` event names. Pure.
 */
#ifndef MCP_ENDPOINT_H
#define MCP_ENDPOINT_H

#include "core/arena.h"

/** The absolute URL of `reference`, as it stands in an event of the stream at `base` (RFC 3986
 * section 5.2.2; MCP 2024-11-05, Transports, "HTTP with SSE"). Only one of the same origin is
 * taken: the token that goes there was given for that origin alone. In `a`. RC_MALFORMED: no
 * reference, or with userinfo, a fragment or dot segments; RC_NOT_FOUND: another origin; RC_LIMIT,
 * RC_MEMORY. */
rc_t mcp_endpoint_resolve(arena_t *a, str_t base, str_t reference, str_t *out) MUST_USE;

#endif
