/* Regular expressions as JSON Schema has them (ECMA-262 with the flag u), on PCRE2: what a pattern
 * means is the same, and none can hang its caller. Pure but for the library's memory. */
#ifndef MCP_PATTERN_H
#define MCP_PATTERN_H

#include "core/arena.h"

typedef struct mcp_pattern mcp_pattern_t;

/** Compiles a pattern of at most MCP_SCHEMA_PATTERN_BYTES into `a`, which frees it. Any thread may
 *  match with it afterwards. RC_CONFIG: it is none, or uses what only other dialects know; *why
 * says what, in `a` or static. RC_MEMORY. */
rc_t mcp_pattern_read(arena_t *a, str_t text, mcp_pattern_t **out, str_t *why) MUST_USE;
/** Whether it matches anywhere in `subject` (UTF-8). *steps is what the match may cost, and then
 * what is left of it. RC_LIMIT: it would cost more. RC_MEMORY, RC_IO. */
rc_t mcp_pattern_match(const mcp_pattern_t *p, str_t subject, uint64_t *steps,
                       bool *matches) MUST_USE;

#endif
