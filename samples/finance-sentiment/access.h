/* Who may come in: the token checks of warder/rs.h for mcp_http. Checks never block a worker; keys
 * are fetched on a pool. */
#ifndef SENTIMENT_ACCESS_H
#define SENTIMENT_ACCESS_H

#include "http/pool.h"
#include "tool_http/ports.h"
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
} access_t;

mcp_access_port_t access_port(access_t *a);

#endif
