/* How often one principal may call tools (MCP 2025-11-25, Tools, "Security Considerations": servers
 * must rate limit tool invocations). Shared by all workers, behind one lock. */
#ifndef TOOL_HTTP_CALLS_H
#define TOOL_HTTP_CALLS_H

#include "core/arena.h"
#include "tool_http/session.h"

typedef struct calls calls_t;

/** A minute's worth may come at once, then one for each part of a minute. NULL without memory or
 *  randomness. */
calls_t *calls_new(uint32_t per_minute, clock_port_t clock, random_port_t random);
/** NULL is fine. */
void calls_free(calls_t *c);
/** Takes one call of `who`. False: none is left, and *retry_after_s says when one is. `a` is for
 *  work; without memory in it the call counts for all such callers together. Any thread. */
bool calls_take(calls_t *c, arena_t *a, const principal_t *who, uint32_t *retry_after_s);

#endif
