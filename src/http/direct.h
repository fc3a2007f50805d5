/* Runs an application without a socket: bytes of requests in, bytes of answers out. For the unit
 * tests of handlers; the same connection code as in the server; x->loop is NULL. */
#ifndef HTTP_DIRECT_H
#define HTTP_DIRECT_H

#include "core/ports.h"
#include "http/app.h"

typedef struct http_direct http_direct_t;

/** A connection from 192.0.2.1 to `app`; `worker` becomes x->worker. NULL without memory. */
http_direct_t *http_direct_new(const http_app_t *app, void *worker);
/** A further application behind those there are (server.h, http_mount_t), from the next request on.
 *  At most HTTP_MOUNTS_MAX in all. */
void http_direct_mount(http_direct_t *d, const http_app_t *app, void *worker);
/** Sets the peer's address and the trusted proxies for what comes next (a new connection). */
void http_direct_peer(http_direct_t *d, http_addr_t peer, http_proxies_t proxies);
/** Feeds bytes; handlers run within the call. */
void http_direct_send(http_direct_t *d, str_t bytes);
/** All that was answered so far on this connection (borrowed until the next call). */
str_t http_direct_output(const http_direct_t *d);
/** Whether the server has closed the connection. */
bool http_direct_closed(const http_direct_t *d);
/** The client goes away. */
void http_direct_hang_up(http_direct_t *d);
/** Opens a fresh connection; output is forgotten. */
void http_direct_reset(http_direct_t *d);
void http_direct_free(http_direct_t *d);

/** One request, one answer, taken apart. */
typedef struct {
    int status; /* 0: no complete answer */
    http_headers_t headers;
    str_t body; /* chunks joined */
} http_direct_answer_t;
/** Takes the first answer in `output` apart, into the arena. RC_MALFORMED if it is not one. */
rc_t http_direct_parse(arena_t *a, str_t output, http_direct_answer_t *out) MUST_USE;
/** Fresh connection, one request, its answer; status 0 when the handler has not answered yet. */
http_direct_answer_t http_direct_run(http_direct_t *d, arena_t *a, str_t request);

#endif
