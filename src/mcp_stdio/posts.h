/* Work that any thread hands to the one that serves a standard stream, which sleeps in poll(2). */
#ifndef MCP_STDIO_POSTS_H
#define MCP_STDIO_POSTS_H

#include "core/ports.h"

typedef struct mcp_posts mcp_posts_t;

/** NULL without memory or descriptors. */
mcp_posts_t *mcp_posts_new(void);
/** After every thread that might post has ended. NULL is fine. */
void mcp_posts_free(mcp_posts_t *p);
/** At most LIMIT_HTTP_POSTS wait; RC_BUSY beyond. Valid until mcp_posts_free. */
post_port_t mcp_posts_port(mcp_posts_t *p);
/** Readable while something waits. */
int mcp_posts_fd(const mcp_posts_t *p);
/** Runs what waits, also what is posted meanwhile. On the thread that serves. */
void mcp_posts_run(mcp_posts_t *p);

#endif
