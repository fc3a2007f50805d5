/* The filter itself: the sink of a socket and the wire of what speaks HTTP. One thread. It frees
 * itself once its wire is closed, aborted or has said gone(). Internal to the room. */
#ifndef HTTP_TLS_FILTER_H
#define HTTP_TLS_FILTER_H

#include "http/server.h"
#include "http/wire.h"

typedef struct http_tls_filter http_tls_filter_t;

/** How a filter has something done once nobody is within a call of it: http_worker_defer. */
typedef struct {
    void (*defer)(http_worker_t *loop, http_deferred_t *d);
    http_worker_t *loop;
} http_tls_later_t;

/** Told once by a client's filter. An unset fault: the peer is who it should be. Else one static
 *  sentence, and gone() of the sink follows; nothing of what was sent has left. */
typedef struct {
    void (*done)(void *ctx, str_t fault);
    void *ctx;
} http_tls_handshake_t;

/** Counts once more, for another owner. */
void http_tls_hold(http_tls_t *t);
/** The server's side over `below`; NULL without memory, nothing is closed then. */
http_tls_filter_t *http_tls_accept(http_tls_t *tls, http_wire_t *below, http_tls_later_t later);
/** The client's side. The first bytes leave at http_tls_begin. Sends before the handshake is over
 *  are pending until it is. */
http_tls_filter_t *http_tls_connect(const http_tls_client_t *tls, http_wire_t *below,
                                    http_tls_later_t later, http_tls_handshake_t told);
/** What the socket calls. */
http_sink_t *http_tls_sink(http_tls_filter_t *f);
/** What the one above calls; its sink must be set before any byte comes. */
http_wire_t *http_tls_wire(http_tls_filter_t *f);
void http_tls_set_above(http_tls_filter_t *f, http_sink_t *above);
/** Whether the peer said something that the socket has read and the one above has not got: no look
 *  at the socket shows it. `w` is what http_tls_wire gave. */
bool http_tls_has_news(const http_wire_t *w);
/** A client's greeting. The socket is connected. False: the wire below is dead; only abort may
 *  follow. */
bool http_tls_begin(http_tls_filter_t *f) MUST_USE;

#endif
