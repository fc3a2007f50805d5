/* The parts of an outbox. Private to outbox.c and reader.c.
 *
 * One list of messages, oldest first: those that were taken and are kept, then those that wait. A
 * message is counted, so that a reader may look at it while the list goes on without it. */
#ifndef MCP_SERVER_OUTBOX_STATE_H
#define MCP_SERVER_OUTBOX_STATE_H

#include "mcp_server/outbox.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct outbox_message {
    struct outbox_message *next;
    unsigned refs; /* under the lock: the list's, and the reader's that looks at it */
    mcp_out_t out;
    char bytes[]; /* of out's slices */
} outbox_message_t;

struct mcp_outbox {
    atomic_uint refs;
    bool kept;
    char *scope; /* owned; NULL: none is needed */
    size_t scope_n;
    pthread_mutex_t lock; /* of all below, and of the readers */
    outbox_message_t *first, **last;
    outbox_message_t **waiting; /* where those begin that nobody took */
    size_t kept_count, kept_bytes, wait_count, wait_bytes;
    uint64_t number;  /* of the last one */
    uint64_t dropped; /* up to this one they are not here any more */
    bool ended;       /* the answer was put in */
    bool left;        /* a reader went, and none can come back */
    bool met;         /* a reader came, once */
    mcp_reader_t *reader;
};

/* Counted: by who attached it, and by a wake that is on its way. */
struct mcp_reader {
    atomic_uint refs;
    mcp_outbox_t *outbox; /* held */
    mcp_reading_t how;
    bool posted; /* a wake is on its way */
    outbox_message_t *held;
    bool again; /* the next take gives `held` */
};

/** Under the lock of its outbox. NULL is fine. */
void outbox_release(outbox_message_t *m);
/** The reader to be posted to, held for that; NULL: none, or it will look anyway. Under the lock.
 */
mcp_reader_t *outbox_due(mcp_reader_t *r);
/** Wakes what outbox_due gave; not under the lock. NULL is fine. */
void outbox_post(mcp_reader_t *r);

#endif
