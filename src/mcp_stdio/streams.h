/* Takes the standard streams away from everybody else while they are a channel: what a function or
 * a library prints goes to standard error, and whoever reads standard input finds it at its end. */
#ifndef MCP_STDIO_STREAMS_H
#define MCP_STDIO_STREAMS_H

#include "core/rc.h"

typedef struct {
    int in, out; /* the channel; no program that is started inherits them */
} mcp_streams_t;

/** RC_IO: they are not open, or there are no more descriptors; nothing has changed then.
 * Descriptors 0 and 1 are the process's: one thread, and no other that prints meanwhile. */
rc_t mcp_streams_take(mcp_streams_t *out) MUST_USE;
/** Puts them back where they were. */
void mcp_streams_give_back(mcp_streams_t *s);

#endif
