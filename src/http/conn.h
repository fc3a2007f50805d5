/* One connection: phases from bytes to exchange to bytes. Internal to the room. */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "http/codec.h"
#include "http/hub.h"
#include "http/wire.h"

/* The longest head, and a usual body behind it. */
enum { HTTP_BLOCK_IN = LIMIT_HTTP_HEAD_BYTES + 8192 };

/** The phases, in the order of a request's life. */
typedef enum {
    HTTP_PHASE_HEAD,     /* waiting for, or reading, a head */
    HTTP_PHASE_BODY,     /* reading the body */
    HTTP_PHASE_READY,    /* complete: the handler is due */
    HTTP_PHASE_HANDLING, /* the handler has it */
    HTTP_PHASE_STREAM,   /* a streamed answer has begun */
    HTTP_PHASE_WRITING,  /* answered, bytes are pending */
    HTTP_PHASE_DONE,     /* answered and written */
    HTTP_PHASE_ENDED,    /* the connection is to be freed */
} http_phase_t;

typedef struct {
    char *p;
    size_t n, cap;
} http_bytes_t;

/** An exchange with what only this room may touch. The exchange comes first. */
struct http_call {
    http_exchange_t x;
    http_call_t *next; /* while free */
    http_conn_t *conn;
    const http_app_t *app; /* whose the path is; the first one's until that is known */
    bool answered;         /* http_reply or http_stream_end was called */
    bool told;             /* that the client is gone */
    bool slim;             /* a stream without block and arena */
    size_t spilled;        /* bytes that came meanwhile and were dropped */
    void (*on_gone)(void *ctx, http_exchange_t *x);
    void *gone_ctx;
    http_bytes_t body; /* when it does not fit behind its head */
    http_stream_events_t events;
    http_end_t stream_end;
    int64_t began_us;           /* where requests are counted */
    bool wants_room;            /* a write was answered RC_BUSY */
    http_bytes_t flight, queue; /* of a stream: being sent, and next */
    char client_text[HTTP_ADDR_TEXT];
    uint8_t rate_key[HTTP_ADDR_KEY];
    char id[HTTP_ID_TEXT];
};

/** The buffers of a connection with a request under way; idle connections have none. */
struct http_block {
    http_block_t *next; /* while free */
    http_codec_t codec;
    http_chunked_t chunked;
    char out[LIMIT_HTTP_REPLY_HEAD_BYTES];
    char in[HTTP_BLOCK_IN];
};

struct http_conn {
    http_sink_t sink;
    http_wire_t *wire; /* NULL once the client is gone */
    http_hub_t *hub;
    http_conn_t *prev, *next;
    http_conn_t *idle_prev, *idle_next; /* in the hub's list, while idle */
    bool idle;
    http_phase_t phase;
    http_addr_t peer;
    bool tls;
    bool running;     /* a phase is being run: calls from handlers only set the next phase */
    bool pending;     /* a send is */
    bool ended;       /* the client sends no more */
    bool close;       /* after this answer */
    http_link_t turn; /* in the hub's list, while its request waits */
    int64_t ready_ms; /* since when; 0: it never waited */
    http_block_t *block;
    http_call_t *call;   /* the exchange, from its head to its last byte */
    size_t have;         /* bytes in block->in */
    size_t used;         /* of them, bytes of the current request */
    int64_t deadline_ms; /* monotonic; 0: none */
    size_t unsent;       /* at the last look, to see progress */
};

/** A new connection on `wire`; its sink is &conn->sink. NULL without memory. */
http_conn_t *http_conn_open(http_hub_t *hub, http_wire_t *wire, http_addr_t peer, bool tls);
/** Runs the phases as far as they go; frees the connection at its end. */
void http_conn_run(http_conn_t *c);
/** Takes an ended connection out of its hub (hub.c, after a walk). */
void http_conn_free(http_conn_t *c);
/** Deadline check. May free c. */
void http_conn_tick(http_conn_t *c, int64_t now_ms);
/** No more requests on c. May free it. */
void http_conn_drain(http_conn_t *c, int64_t now_ms);
/** The connection breaks from our side. May free c. */
void http_conn_cut(http_conn_t *c, int64_t now_ms);
/** Marks the wire as lost and tells the exchange; does not free. */
void http_conn_lose(http_conn_t *c);
/** Sends; true when all went out or the client is lost, false when it is pending. */
bool http_conn_send(http_conn_t *c, const struct iovec *v, unsigned n);
void http_conn_deadline(http_conn_t *c, int64_t after_ms);
/** Whether the answer of the current exchange is the last one. */
bool http_conn_is_last(const http_conn_t *c);

/** Gives back the block, wiped. */
void http_conn_give_block(http_conn_t *c);
/** Goes on reading; after the client's end there is nothing to read. */
void http_conn_read_on(http_conn_t *c);

/** Counts an answer whose head is about to be written. */
void http_call_count(const http_call_t *call, int status);

/* body.c */
/** The phase BODY: true when another phase is to run. */
bool http_body_run(http_conn_t *c);

/* dispatch.c */
/** The head is complete: fills the exchange and looks up its route. The next phase is BODY or
 *  READY, or that of an early answer. */
void http_dispatch_head(http_conn_t *c);
/** The request is complete: guard and handler. */
void http_dispatch_ready(http_conn_t *c);
/** The head cannot be read: answers `status` and closes. */
void http_dispatch_refuse(http_conn_t *c, int status, str_t why);
/** The body limit of the exchange's route. */
size_t http_dispatch_body_limit(const http_conn_t *c);

/* stream.c */
/** The pending piece is sent: goes on with the next. */
void http_stream_sent(http_call_t *call);

static inline http_call_t *http_call_of(http_exchange_t *x)
{
    return (http_call_t *)x;
}

/** Makes room for `more` bytes behind b->n, at most `max` in all. */
rc_t http_bytes_room(http_bytes_t *b, size_t more, size_t max) MUST_USE;
void http_bytes_free(http_bytes_t *b);

#endif
