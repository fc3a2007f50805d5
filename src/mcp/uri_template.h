/* URI templates of level 1 (RFC 6570 section 1.2: `{name}`), read backwards: which values make a
 * URI. Pure. */
#ifndef MCP_URI_TEMPLATE_H
#define MCP_URI_TEMPLATE_H

#include "core/buf.h"

enum { MCP_TEMPLATE_VARIABLES = 16 };

/** A template; borrows its text. */
typedef struct {
    str_t text;
    str_t names[MCP_TEMPLATE_VARIABLES];
    size_t n;
} mcp_uri_template_t;

/** Reads a template. RC_CONFIG: more than level 1, a name twice, two variables with nothing
 * between, or too many. RC_NOT_FOUND: it has no variable, so it is a URI. */
rc_t mcp_uri_template_read(str_t text, mcp_uri_template_t *out) MUST_USE;
/** The values that make `uri`, percent-decoded, in the order of the names, in `a`. A value is not
 *  empty and spans no '/', '?' or '#' as it is written. RC_NOT_FOUND: it is none of the template's.
 *  RC_MEMORY. */
rc_t mcp_uri_template_match(arena_t *a, const mcp_uri_template_t *t, str_t uri,
                            str_t values[MCP_TEMPLATE_VARIABLES]) MUST_USE;
/** The URI as RFC 3986 section 6.2.2 has it, as far as percent-escapes go, in `a`: one spelled
 *  differently is the same resource, so it must be the same row. RC_NOT_FOUND: an escape is
 *  broken, or a segment is "." or "..", which no server means. RC_MEMORY. */
rc_t mcp_uri_normal(arena_t *a, str_t uri, str_t *out) MUST_USE;

#endif
