/* The sample's own audit trail for mcp_http. */
#ifndef SENTIMENT_TRAIL_H
#define SENTIMENT_TRAIL_H

#include "audit/audit.h"
#include "tool_http/ports.h"

/** Borrows all; lives as long as the server. Any worker. */
typedef struct {
    audit_t *audit;
    /** The port of the loop that serves `x`. */
    post_port_t (*back)(http_exchange_t *x);
} trail_t;

mcp_audit_port_t trail_port(trail_t *t);

#endif
