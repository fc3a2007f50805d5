/* References of a schema against the id they stand under (RFC 3986 section 5.2). Pure. */
#ifndef MCP_SCHEMA_URI_H
#define MCP_SCHEMA_URI_H

#include "core/buf.h"

/** `ref` without its fragment (unset where it has none), which goes to *fragment as it is written.
 */
str_t schema_uri_split(str_t ref, str_t *fragment);
/** The URI that `ref` (without fragment) means under `base`, which may be relative or empty. In
 * `a`. RC_MEMORY. */
rc_t schema_uri_resolve(arena_t *a, str_t base, str_t ref, str_t *out) MUST_USE;

#endif
