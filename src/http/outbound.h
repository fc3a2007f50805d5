/* Requests to one origin that the operator named, on a worker's own loop. Connections are kept and
 * used again; answers are read as strictly as requests and come in pieces. Nothing here follows a
 * redirect, keeps a cookie or reads a proxy variable, and no name but the origin's is looked up. */
#ifndef HTTP_OUTBOUND_H
#define HTTP_OUTBOUND_H

#include "http/message.h"
#include "http/server.h"

typedef struct http_tls_client http_tls_client_t; /* tls.h */

/** One origin as one worker sees it. All calls on the worker's thread. */
typedef struct http_outbound http_outbound_t;
typedef struct http_outbound_call http_outbound_call_t;

/** A zero takes the default in brackets. */
typedef struct {
    str_t host; /* name or address, without brackets */
    uint16_t port;
    const http_tls_client_t *tls; /* borrowed; NULL: plain */
    unsigned max_connections;     /* busy ones [1024]; more requests are HTTP_OUT_BUSY */
    unsigned
        max_idle; /* kept for the next request [as many]; the last used is used again, others age */
    int64_t connect_ms; /* look-up, connection and handshake [5000] */
    int64_t head_ms;    /* from the request to the head of its answer [60000] */
    int64_t body_ms;    /* between two pieces of a body that is no event stream [0: no limit] */
    int64_t idle_ms;    /* of a kept connection [4000], less where the peer's Keep-Alive says so */
    size_t max_head;    /* bytes [LIMIT_HTTP_HEAD_BYTES] */
} http_outbound_config_t;

typedef struct {
    http_method_t method;
    str_t target;           /* origin-form */
    http_headers_t headers; /* Host, Content-Length, Connection, Transfer-Encoding are added here */
    str_t body;             /* unset: none */
    bool again;             /* may be sent twice, though its method does not promise it */
} http_outbound_request_t;

/** Slices live for the call of head(). Hop-by-hop fields (RFC 9110 section 7.6.1) and those that
 *  Connection names are left out already. */
typedef struct {
    int status; /* 200 to 599; 1xx are read over, a bounded number */
    http_headers_t headers;
    bool has_length;
    uint64_t length;
} http_outbound_head_t;

typedef enum {
    HTTP_OUT_DONE,        /* the whole answer came */
    HTTP_OUT_BUSY,        /* max_connections are busy */
    HTTP_OUT_UNREACHABLE, /* no address, no connection, bad certificate: nothing was sent */
    HTTP_OUT_TIMEOUT,     /* head_ms or body_ms */
    HTTP_OUT_MALFORMED, /* an answer that two readers could read differently, or too long a head */
    HTTP_OUT_BROKEN,    /* it closed before the end */
    HTTP_OUT_LOST,      /* likewise, and what came of it cannot be taken up again */
    HTTP_OUT_ENDED,     /* the worker ends */
} http_outbound_end_t;

/** Never called from within start, pause, resume or cancel. While a call pauses, only an end other
 *  than HTTP_OUT_DONE can come. Any call of this header may be made from within, free included. */
typedef struct {
    void (*head)(void *ctx, const http_outbound_head_t *head); /* at most once */
    void (*data)(void *ctx, str_t bytes);                      /* the piece lives for the call */
    void (*end)(void *ctx, http_outbound_end_t how); /* once, the last; the call is gone then */
    void *ctx;
} http_outbound_events_t;

/** RC_MALFORMED: the host is neither a name nor an address; RC_MEMORY. */
rc_t http_outbound_new(http_worker_t *loop, const http_outbound_config_t *config,
                       http_outbound_t **out) MUST_USE;
/** Ends what is open with HTTP_OUT_ENDED, closes all connections. NULL is fine. The end of a worker
 *  does all of this but to free the memory: so call it before, or in worker_exit. */
void http_outbound_free(http_outbound_t *o);
/** Sends a request. A request that was put on a kept connection which turns out to be closed before
 *  one byte of an answer is sent once more on a fresh one only if `again` says that the method may
 *  be repeated (RFC 9110 section 9.2.2) or not one byte of it can have been read. The request is
 *  copied. RC_MALFORMED: a header that would split or frame the message, a target that is not in
 *  origin-form; RC_LIMIT: a head longer than LIMIT_HTTP_HEAD_BYTES; RC_IO: the worker ends;
 *  RC_MEMORY. Nothing was sent then, and no event comes. */
rc_t http_outbound_start(http_outbound_t *o, const http_outbound_request_t *request,
                         http_outbound_events_t events, http_outbound_call_t **out) MUST_USE;
/** Stops reading: the peer's writes back up. */
void http_outbound_pause(http_outbound_call_t *call);
void http_outbound_resume(http_outbound_call_t *call);
/** No further event; the connection is closed, which tells the peer. */
void http_outbound_cancel(http_outbound_call_t *call);

#endif
