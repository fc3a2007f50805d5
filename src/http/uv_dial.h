/* From the name of an origin to a connected socket: look-up, then its addresses in turn. Internal
 * to the room's uv files. */
#ifndef HTTP_UV_DIAL_H
#define HTTP_UV_DIAL_H

#include "core/rc.h"
#include "http/addr.h"
#include "http/uv_tcp.h"

typedef struct http_dial http_dial_t;

/** Borrowed for the life of the dial. */
typedef struct {
    uv_loop_t *loop;
    const char *host; /* to look up, unless `literal` is an address */
    http_addr_t literal;
    uint16_t port;
} http_dial_to_t;

/** Begins. done() comes once from the loop, never from within a call; the dial is free then.
 *  `tcp` is connected, not yet reading, owned by who gets it (it frees itself once it is shut);
 * NULL: no address took a connection. RC_MEMORY; RC_IO: no address can be tried. */
rc_t http_dial_start(const http_dial_to_t *to, int64_t until_ms,
                     void (*done)(void *ctx, http_tcp_t *tcp), void *ctx,
                     http_dial_t **out) MUST_USE;
/** Looks at the time: an address that does not answer within its share makes room for the next.
 *  False: there is neither time nor address left; the dial is to be dropped. */
bool http_dial_tick(http_dial_t *d, int64_t now_ms) MUST_USE;
/** Gives up without a word; NULL is fine. */
void http_dial_drop(http_dial_t *d);

#endif
