/* MCP over standard streams: one client, each message a line (MCP 2025-11-25 and 2026-07-28,
 * stdio). One thread reads, writes and sleeps in poll(2); functions run on the threads of the
 * server. */
#ifndef MCP_STDIO_STDIO_H
#define MCP_STDIO_STDIO_H

#include "mcp_server/server.h"

enum {
    MCP_STDIO_GRACE_MS = 1000, /* for calls that run when the input ends: hosts wait two seconds */
    MCP_STDIO_FLUSH_MS = 2000, /* for a host that takes its last answers */
    MCP_STDIO_OPEN = 1024,     /* requests under way at once; further ones are refused as busy */
    /* That wait for a host that does not read: beyond, no more is read of it, and the rest waits in
     * the outboxes, which are bounded. */
    MCP_STDIO_UNREAD_BYTES = 1 << 20,
};

typedef struct {
    int in, out; /* neither closed nor changed */
    int64_t grace_ms, flush_ms;
    clock_port_t clock;
} mcp_stdio_config_t;

/** On 0 and 1, with the times above and the system's clock. */
mcp_stdio_config_t mcp_stdio_defaults(void);
/** Starts the server, serves until the input ends or nobody reads any more, cancels what runs then,
 * and stops it. The server is wired before (mcp_server_wire). Everything is granted: who starts a
 * program may use it. RC_IO: a stream failed; RC_MEMORY. */
rc_t mcp_stdio_serve(warder_mcp_t *m, const mcp_stdio_config_t *config) MUST_USE;

#endif
