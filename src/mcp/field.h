/* Header fields that repeat what a body says (MCP 2026-07-28, Streamable HTTP, "Request Metadata").
 */
#ifndef MCP_FIELD_H
#define MCP_FIELD_H

#include "mcp/operation.h"

/** How many fields bear that name, in any case; *value is the last one's, unset where there is
 *  none. */
size_t mcp_field_find(mcp_fields_t fields, str_t name, str_t *value);
/** The text that a value stands for ("Value Encoding"): itself, or the content of its base64 form.
 *  RC_MALFORMED: other than visible ASCII, space and tab; not canonical base64. Borrows, or in
 *  `a`. */
rc_t mcp_field_decode(arena_t *a, str_t value, str_t *out) MUST_USE;
/** The value that stands for a text: the other way round, for clients. Borrows, or in `a`.
 *  RC_MEMORY. */
rc_t mcp_field_encode(arena_t *a, str_t text, str_t *out) MUST_USE;
/** What a client sends along with a request or notification of the stateless era, but for the
 *  revision: Mcp-Method, Mcp-Name where its method needs one, and `params` as far as the arguments
 *  have them. In `a`, and borrows the message. RC_MALFORMED: a method that no field can bear;
 *  RC_MEMORY. */
rc_t mcp_fields_write(arena_t *a, const mcp_message_t *message, mcp_params_t params,
                      mcp_fields_t *out) MUST_USE;

#endif
