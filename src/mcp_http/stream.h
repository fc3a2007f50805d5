/* An exchange that waits for an outbox: the answer of a call that runs, or the stream of a GET.
 * Lives on its worker, longer than the exchange's arena. Private to the room.
 *
 *   state      then
 *   waiting    nothing has come out yet: the answer may still be a whole one, with its own status
 *   begun      the head of an event stream is out, and messages follow
 *   over       freed, with the answer or the end of the exchange */
#ifndef MCP_HTTP_STREAM_H
#define MCP_HTTP_STREAM_H

#include "mcp_http/request.h"

struct mcp_stream {
    mcp_stream_t *next, **link; /* in mcp_worker_t.streams */
    http_exchange_t *x;
    mcp_http_t *h;
    mcp_worker_t *worker;
    mcp_outbox_t *outbox;    /* held */
    mcp_reader_t *reader;    /* of it; NULL: not yet */
    warder_mcp_call_t *call; /* held; NULL: a GET */
    bool stateless;          /* the call ends with its connection */
    mcp_session_t *session;  /* held; NULL: none */
    mcp_access_t who;        /* copies behind the struct, as id */
    str_t id;                /* of the request, raw JSON; unset: a GET */
    str_t nonce;             /* in the exchange's arena, until the stream begins */
    uint64_t number;         /* of the stream, for event ids */
    bool has_ids, polls;
    bool is_get, listens; /* listens: of no function, and may idle for hours */
    bool takes_stream;
    bool begun;
    mcp_out_t out;     /* what is being sent; the reader's, until the next take */
    mcp_event_t event; /* of it */
    char *escaped;     /* owned: its text, where that is not sent as it is */
    bool sending;
    int64_t silent_ms; /* when something was sent last, or it began to wait */
};

/* stream_out.c */
/** Sends what the outbox holds, as far as the connection takes it. False: s is over. */
bool mcp_stream_pump(mcp_stream_t *s);
/** Begins the event stream. False: the client is gone, and s is over. */
bool mcp_stream_begin(mcp_stream_t *s);
/** A comment or a field; what a full connection does not take is not said. False as above. */
bool mcp_stream_say(mcp_stream_t *s, str_t text);

/* stream.c */
/** Ends the answer, whatever it is so far. s is over. */
void mcp_stream_end(mcp_stream_t *s);
/** Answers with the error of a request that has no stream. s is over. */
void mcp_stream_refuse(mcp_stream_t *s, mcp_error_t e);
/** The client is gone. s is over. */
void mcp_stream_lost(mcp_stream_t *s);
/** Takes s off the worker and its outbox, and frees it; the exchange wants its answer still. */
http_exchange_t *mcp_stream_free(mcp_stream_t *s);
int64_t mcp_stream_now_ms(const mcp_stream_t *s);

#endif
