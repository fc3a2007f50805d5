/* How often one principal may call (MCP 2025-11-25, Tools, "Security Considerations": servers must
 * rate limit tool invocations). Shared by all threads, behind one lock. */
#ifndef MCP_SERVER_RATES_H
#define MCP_SERVER_RATES_H

#include "core/arena.h"
#include "mcp_server/session.h"

/* Requests that run no function (lists, sessions, subscriptions, looks at tasks) for each call that
 * a principal has. */
enum { MCP_REQUESTS_A_CALL = 10 };

typedef struct mcp_calls mcp_calls_t;

/** A minute's worth may come at once, then one for each part of a minute. NULL without memory or
 *  randomness. */
mcp_calls_t *mcp_calls_new(uint32_t per_minute, clock_port_t clock, random_port_t random);
/** NULL is fine. */
void mcp_calls_free(mcp_calls_t *c);
/** Takes one call of `who`. False: none is left, and *retry_after_s says when one is. `a` is for
 *  work; without memory in it the call counts for all such callers together. Any thread. */
bool mcp_calls_take(mcp_calls_t *c, arena_t *a, const mcp_principal_t *who,
                    uint32_t *retry_after_s);

#endif
