/* A connected TCP socket as the lowest wire (wire.h), on one loop. Internal to the room's uv files.
 */
#ifndef HTTP_UV_TCP_H
#define HTTP_UV_TCP_H

#include <uv.h>

#include "http/wire.h"

typedef struct http_tcp http_tcp_t;

/** Embed it. The memory must stay until `closed`. */
struct http_tcp {
    http_wire_t wire;
    http_sink_t *sink; /* NULL once forgotten: what still comes is thrown away */
    http_sink_t *last; /* whose bytes are pending behind a goodbye */
    uv_write_t *write; /* the pending send, or NULL */
    bool reading, closing;
    void (*closed)(http_tcp_t *t); /* the handle is gone, the memory may go */
    uv_tcp_t tcp;
};

/* Of the wire, also for owners who close in their own way. */
http_send_t http_tcp_send(http_wire_t *w, const struct iovec *v, unsigned n);
size_t http_tcp_unsent(http_wire_t *w);
void http_tcp_resume(http_wire_t *w);

/** An unconnected handle on `loop`, whose wire closes at once, as suits a client. False: the loop
 * refused it, `closed` will not come. */
bool http_tcp_init(http_tcp_t *t, uv_loop_t *loop, void (*closed)(http_tcp_t *t));
/** Reads into the sink's space() from now on; no call while reading already is fine. */
void http_tcp_read(http_tcp_t *t);
/** Closes at once, forgets the sink; `closed` follows from the loop. */
void http_tcp_shut(http_tcp_t *t);
/** Has what came acknowledged at once, not together with the next thing that is sent. */
void http_tcp_acknowledge(const http_tcp_t *t);
/** Whether the peer has sent something that nobody has read yet, its end included. One system call,
 *  nothing is taken. */
bool http_tcp_has_news(const http_tcp_t *t);

#endif
