/* What each principal has under way, so that one of them cannot take the room of all; and whose
 * turn it is where several wait for a thread. Shared by all threads, behind one lock. */
#ifndef MCP_SERVER_SHARES_H
#define MCP_SERVER_SHARES_H

#include "mcp_server/session.h"

enum {
    MCP_CALLS_PER_SUBJECT = 128, /* half of those that may wait for a thread, by default */
    /* Of their arenas as they begin: a message of 40 KB can be a tree of 2 MB. */
    MCP_CALL_BYTES_PER_SUBJECT = 64 << 20,
};

typedef struct mcp_shares mcp_shares_t;
/** What one call takes of its subject's share. */
typedef struct {
    struct mcp_share *whose; /* NULL: nothing was taken */
    unsigned calls;
    size_t bytes;
} mcp_part_t;

/** NULL without memory or randomness. */
mcp_shares_t *mcp_shares_new(random_port_t random);
/** When all was given back. NULL is fine. */
void mcp_shares_free(mcp_shares_t *s);
/** Takes part->calls and part->bytes of what `who` may have, and sets part->whose. RC_BUSY: it has
 * too much under way, and nothing was taken; RC_MEMORY. Any thread, as all. */
rc_t mcp_share_take(mcp_shares_t *s, const mcp_principal_t *who, mcp_part_t *part) MUST_USE;
/** Gives it back; once. */
void mcp_share_give(mcp_shares_t *s, mcp_part_t *part);
/** Who waits for a thread; embedded in what waits. */
typedef struct mcp_turn {
    struct mcp_turn *next;
    void *who;
} mcp_turn_t;

/** Puts turn->who behind what waits of the same subject (that of the part; none is one, too),
 * once start(ctx) has said RC_OK: it has seen to it that mcp_share_next is called once more. Its
 * rc. */
rc_t mcp_share_wait(mcp_shares_t *s, const mcp_part_t *part, mcp_turn_t *turn,
                    rc_t (*start)(void *ctx), void *ctx) MUST_USE;
/** Whose turn it is, by subjects in a ring. NULL: nobody waits. */
void *mcp_share_next(mcp_shares_t *s);
/** How many subjects have something under way. */
size_t mcp_shares_count(mcp_shares_t *s);

#endif
