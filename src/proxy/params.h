/* Which arguments of which tools clients must repeat as Mcp-Param fields (MCP 2026-07-28,
 * Streamable HTTP, "Custom Headers from Tool Parameters"), as the lists of the upstreams said last.
 * What no list has shown yet is not known, and left to the upstream. */
#ifndef PROXY_PARAMS_H
#define PROXY_PARAMS_H

#include "core/ports.h"
#include "mcp/operation.h"

enum { PARAMS_TOOLS = 10000, PARAMS_BYTES = 16384 }; /* that have such arguments; of one */

/** Thread-safe. */
typedef struct params params_t;

/** RC_MEMORY, RC_IO (randomness). */
rc_t params_new(random_port_t random, params_t **out) MUST_USE;
/** NULL is fine. */
void params_free(params_t *p);
/** Remembers what a list says of a tool. `a` is for work. RC_LIMIT: there is no room for it;
 *  RC_MEMORY. */
rc_t params_learn(params_t *p, arena_t *a, str_t upstream, str_t tool,
                  mcp_params_t params) MUST_USE;
/** What is known of it, in `a`; none where nothing is. RC_MEMORY. */
rc_t params_find(params_t *p, arena_t *a, str_t upstream, str_t tool, mcp_params_t *out) MUST_USE;

#endif
