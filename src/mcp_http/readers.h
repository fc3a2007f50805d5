/* Who reads which outbox. One connection at a time: each message goes out on one stream only (2025-11-25,
 * Transports, "Multiple Connections"). A client that comes back takes the place of its old connection,
 * which may be dead without anybody having noticed. Shared by all workers, behind one lock. */
#ifndef MCP_HTTP_READERS_H
#define MCP_HTTP_READERS_H

#include "core/ports.h"
#include "mcp_server/outbox.h"

typedef struct mcp_readers mcp_readers_t;

/** One connection that reads or wants to. Embed it; its owner fills in the first four. */
typedef struct mcp_reader {
    const mcp_outbox_t *outbox;
    post_port_t back; /* of its thread; without one nobody is told, and must ask */
    void (*look)(void *arg); /* posted there: ask again */
    void *arg;
    struct mcp_reader *next, **link; /* the rest is of readers.c */
    uint64_t turn;
    bool reads, leaves;
} mcp_reader_t;

/** NULL without memory. */
mcp_readers_t *mcp_readers_new(void);
/** NULL is fine. */
void mcp_readers_free(mcp_readers_t *r);
/** Asks to read, for the first time or again. True: it is alone and may attach. False: another one has
 *  been told to leave; `look` comes when it has. On the reader's thread, as the others. */
bool mcp_readers_claim(mcp_readers_t *r, mcp_reader_t *me);
/** Whether a later one wants its place. */
bool mcp_readers_must_leave(mcp_readers_t *r, const mcp_reader_t *me);
/** It has detached, or never read. One that never claimed is fine. */
void mcp_readers_release(mcp_readers_t *r, mcp_reader_t *me);

#endif
