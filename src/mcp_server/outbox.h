/* The messages of one stream to a client, in order: any thread puts them in, the transport takes them
 * out on its own. Where clients may come back for what they missed, what was taken is kept a while. */
#ifndef MCP_SERVER_OUTBOX_H
#define MCP_SERVER_OUTBOX_H

#include "core/ports.h"
#include "core/rc.h"

enum {
    MCP_OUTBOX_BYTES = 4 << 20,   /* that wait: a client that does not read costs no more */
    MCP_OUTBOX_KEPT_BYTES = 1 << 20, /* that were taken and are kept for coming back */
    MCP_OUTBOX_KEPT = 256,
};

typedef enum {
    MCP_OUT_MESSAGE, /* a notification, or a request to the client */
    MCP_OUT_LET_GO,  /* the connection may end; the client comes back for the rest */
    MCP_OUT_ANSWER,  /* the last: the response to the request the stream is for */
} mcp_out_kind_t;

/** What comes out. */
typedef struct {
    mcp_out_kind_t kind;
    uint64_t number; /* 1, 2, 3, … in this outbox */
    str_t text;      /* one JSON-RPC message; an ANSWER without: the call ended, and nobody is told
                        how (it was cancelled) */
    /* of an ANSWER, for a transport that has sent nothing yet: */
    int status;        /* HTTP */
    str_t needed;      /* with 403: the scope that was missing */
    int retry_after_s; /* with 429 and 503 */
} mcp_out_t;

typedef struct mcp_outbox mcp_outbox_t;

/* As `after` of a reader who comes without having seen anything: what no reader took. */
#define MCP_OUTBOX_UNTAKEN UINT64_MAX

/** One reference. `kept`: for coming back. NULL without memory. */
mcp_outbox_t *mcp_outbox_new(bool kept);
mcp_outbox_t *mcp_outbox_hold(mcp_outbox_t *o);
/** Any thread. */
void mcp_outbox_drop(mcp_outbox_t *o);

/** Any thread; `out` is copied, its number set. RC_LIMIT: too much waits, nothing was put in (an
 *  ANSWER always is). RC_MEMORY. RC_NOT_FOUND: the answer was given already. */
rc_t mcp_outbox_put(mcp_outbox_t *o, const mcp_out_t *out) MUST_USE;

/** The stream's reader from now on, in place of another one: wake(ctx) is called on `back`'s thread
 *  whenever there may be something to take, also at once for what waits already. Numbers up to
 *  `after`, or MCP_OUTBOX_UNTAKEN, are known to the client. RC_NOT_FOUND: some beyond `after` are not kept any more. On
 *  back's thread. */
rc_t mcp_outbox_attach(mcp_outbox_t *o, post_port_t back, uint64_t after,
                       void (*wake)(void *ctx), void *ctx) MUST_USE;
/** No reader: wake will not be called any more. On the thread of the reader's `back`. Without
 *  `kept` messages that are put in are dropped from now on. */
void mcp_outbox_detach(mcp_outbox_t *o);
bool mcp_outbox_is_attached(mcp_outbox_t *o);
/** The next message, on the reader's thread; its slices live until the next take or detach. False:
 *  nothing now. */
bool mcp_outbox_take(mcp_outbox_t *o, mcp_out_t *out);
/** The next message stays for the next take: the connection takes no more now. */
void mcp_outbox_untake(mcp_outbox_t *o);
/** Whether the ANSWER was put in. */
bool mcp_outbox_ended(mcp_outbox_t *o);

#endif
