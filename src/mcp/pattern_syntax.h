/* Patterns of ECMA-262 written as PCRE2 has them. Pure. */
#ifndef MCP_PATTERN_SYNTAX_H
#define MCP_PATTERN_SYNTAX_H

#include "core/buf.h"

/** The same pattern for PCRE2 (with PCRE2_UTF and PCRE2_ALLOW_EMPTY_CLASS). RC_CONFIG: it is not of
 *  ECMA-262; *why is a static half sentence. RC_MEMORY. */
rc_t mcp_pattern_translate(arena_t *a, str_t ecma, str_t *out, str_t *why) MUST_USE;

#endif
