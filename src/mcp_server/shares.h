/* What each principal has under way, so that one of them cannot take the room of all. Shared by all
 * threads, behind one lock. */
#ifndef MCP_SERVER_SHARES_H
#define MCP_SERVER_SHARES_H

#include "mcp_server/session.h"

enum {
    MCP_CALLS_PER_PRINCIPAL = 128, /* half of those that may wait for a thread, by default */
    /* Of their arenas as they begin: a message of 40 KB can be a tree of 2 MB. */
    MCP_CALL_BYTES_PER_PRINCIPAL = 64 << 20,
};

typedef struct mcp_shares mcp_shares_t;
/** What one call takes of its principal's share. */
typedef struct {
    struct mcp_share *whose; /* NULL: nothing was taken */
    unsigned calls;
    size_t bytes;
} mcp_part_t;

/** NULL without memory or randomness. */
mcp_shares_t *mcp_shares_new(random_port_t random);
/** When all was given back. NULL is fine. */
void mcp_shares_free(mcp_shares_t *s);
/** Takes part->calls and part->bytes of what `who` may have, and sets part->whose. RC_BUSY: it has too
 *  much under way, and nothing was taken; RC_MEMORY. Any thread, as all. */
rc_t mcp_share_take(mcp_shares_t *s, const mcp_principal_t *who, mcp_part_t *part) MUST_USE;
/** Gives it back; once. */
void mcp_share_give(mcp_shares_t *s, mcp_part_t *part);
/** How many principals have something under way. */
size_t mcp_shares_count(mcp_shares_t *s);

#endif
