/* The messages of one stream to a client, in order: any thread puts them in, the transport takes
 * them out on its own. Where clients may come back for what they missed, what was taken is kept a
 * while. */
#ifndef MCP_SERVER_OUTBOX_H
#define MCP_SERVER_OUTBOX_H

#include "core/ports.h"
#include "core/rc.h"

enum {
    MCP_OUTBOX_BYTES = 4 << 20,      /* that wait: a client that does not read costs no more */
    MCP_OUTBOX_KEPT_BYTES = 1 << 20, /* that were taken and are kept for coming back */
    MCP_OUTBOX_KEPT = 256,           /* messages: that are kept, or wait for who comes back */
};

typedef enum {
    MCP_OUT_MESSAGE, /* a notification, or a request to the client */
    MCP_OUT_LET_GO,  /* the connection may end; the client comes back for the rest */
    MCP_OUT_ANSWER,  /* the last: the response to the request the stream is for */
} mcp_out_kind_t;

/** What comes out. */
typedef struct {
    mcp_out_kind_t kind;
    uint64_t number; /* 1, 2, 3, … in this outbox; of LET_GO that of the message before */
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
/** Who comes back to it must have that scope, copied; unset: any. Once, before others know it.
 *  RC_MEMORY. */
rc_t mcp_outbox_guard(mcp_outbox_t *o, str_t scope) MUST_USE;
/** Unset: none is needed. */
str_t mcp_outbox_scope(const mcp_outbox_t *o);
mcp_outbox_t *mcp_outbox_hold(mcp_outbox_t *o);
/** Any thread. */
void mcp_outbox_drop(mcp_outbox_t *o);

/** Any thread; `out` is copied, its number set. RC_LIMIT: too much waits, nothing was put in (an
 *  ANSWER always is). RC_MEMORY. RC_NOT_FOUND: the answer was given already, or nobody reads and
 *  nobody can come back. A LET_GO that nobody reads any more, or that
 *  cannot be, is dropped: RC_OK. */
rc_t mcp_outbox_put(mcp_outbox_t *o, const mcp_out_t *out) MUST_USE;

/** Who reads a stream. A stream has one at most; one that was replaced takes nothing any more. */
typedef struct mcp_reader mcp_reader_t;

typedef struct {
    post_port_t back;        /* the thread of the reader */
    void (*wake)(void *ctx); /* on that thread, whenever there may be something to take, and when
                                another reader came in place of this one */
    void *ctx;
    uint64_t after; /* numbers up to it are known to the client; or MCP_OUTBOX_UNTAKEN */
} mcp_reading_t;

/** The stream's reader from now on, in place of another one; it is woken for what waits already.
 *  RC_NOT_FOUND: some beyond `after` are not kept any more, or were never there; then, as with
 *  RC_MEMORY, the old reader stays. On back's thread, as all that follows. */
rc_t mcp_outbox_attach(mcp_outbox_t *o, const mcp_reading_t *how, mcp_reader_t **out) MUST_USE;
/** Ends the reader: wake will not be called any more. Without `kept` messages that are put in are
 *  dropped from now on. */
void mcp_reader_detach(mcp_reader_t *r);
/** The next message; its slices live until the next take or detach. False: nothing now, or it was
 *  replaced. A wake that the loop's full queue refused comes with the next put: who sends
 *  keep-alives looks then, too. */
bool mcp_reader_take(mcp_reader_t *r, mcp_out_t *out);
/** The message taken last stays for the next take: the connection takes no more now. */
void mcp_reader_untake(mcp_reader_t *r);
/** Whether another reader came: the stream of this one ends. */
bool mcp_reader_is_replaced(mcp_reader_t *r);

/* Any thread. */
bool mcp_outbox_is_attached(mcp_outbox_t *o);
bool mcp_outbox_is_kept(const mcp_outbox_t *o);
/** What it holds, waiting or kept. */
size_t mcp_outbox_bytes(mcp_outbox_t *o);
/** Whether the ANSWER was put in. */
bool mcp_outbox_ended(mcp_outbox_t *o);
/** Puts the ANSWER without a text in, if there was none: the stream ends. */
void mcp_outbox_end(mcp_outbox_t *o);

#endif
