/* Who may come in over HTTP: the token checks of warder/rs.h for mcp_http. Checks never block a
 * worker; keys are fetched on a pool. */
#ifndef KIT_ACCESS_H
#define KIT_ACCESS_H

#include "http/pool.h"
#include "mcp_http/ports.h"
#include "mcp_server/server.h"
#include "warder/rs.h"

#include <stdatomic.h>

/** Borrows all; lives as long as the server. Fill in all but the last. Any worker. */
typedef struct {
    warder_rs_t *rs;
    http_pool_t *pool; /* one thread is enough: those who wait for keys wait for the same fetch */
    /** The port of the loop that serves `x`. */
    post_port_t (*back)(http_exchange_t *x);
    const char *acr_values; /* how people must have signed in, and how lately, in seconds (rs.h); */
    int max_age_s;          /* NULL and 0: however and whenever */
    atomic_bool refreshing; /* an early refresh is under way or waits */
} kit_access_t;

mcp_access_port_t kit_access_port(kit_access_t *a);
/** Judges scopes as tokens do ('*' covers segments). Needs nothing. */
mcp_scope_port_t kit_scope_port(void);

#endif
