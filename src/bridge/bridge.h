/* A stdio MCP server for a local host, in front of a remote one: one message a line on the standard
 * streams, Streamable HTTP with tokens behind. Both sides may speak either era; where they differ,
 * the bridge translates. */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include "mcp_client/link.h"

typedef struct {
    mcp_link_config_t link; /* its events are the bridge's own: leave them zero */
    int in, out;            /* descriptors of the local host; `in` is read until its end */
    str_t name, version;    /* of the bridge, where it speaks for itself */
    clock_port_t clock;
    int stop; /* a descriptor that becomes readable: end soon. 0 or less: none */
    const log_t *log;
} bridge_config_t;

/** Runs until `in` ends, `out` breaks, or `stop`: RC_OK. Requests that wait are cancelled at the
 * server, the session is ended, and the tokens are stopped (tokens_source_stop). SIGPIPE must be
 * ignored. RC_MEMORY, RC_IO. */
rc_t bridge_run(const bridge_config_t *config) MUST_USE;

#endif
