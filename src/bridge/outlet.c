#include "bridge/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEPT_BYTES = 256 << 10 }; /* room that stays once all is written */

size_t bridge_outlet_unread(const bridge_outlet_t *o)
{
    return o->n - o->first;
}

void bridge_outlet_clear(bridge_outlet_t *o)
{
    free(o->p);
    o->p = NULL;
    o->first = o->n = o->cap = 0;
}

static bool make_room(bridge_outlet_t *o, size_t n)
{
    size_t unread = bridge_outlet_unread(o);
    if (o->first > 0)
        memmove(o->p, o->p + o->first, unread);
    o->first = 0;
    o->n = unread;
    if (unread + n <= o->cap)
        return true;
    size_t cap = (unread + n) * 2;
    char *more = realloc(o->p, cap);
    if (!more)
        return false;
    o->p = more;
    o->cap = cap;
    return true;
}

void bridge_outlet_put(bridge_outlet_t *o, str_t line)
{
    if (o->broken)
        return;
    if (o->n + line.n + 1 > o->cap && !make_room(o, line.n + 1)) {
        o->failed = RC_MEMORY;
        return;
    }
    memcpy(o->p + o->n, line.p, line.n);
    o->p[o->n + line.n] = '\n';
    o->n += line.n + 1;
}

/* The descriptor may be shared with others, so it stays blocking: what poll(2) says can be written
 * is at least PIPE_BUF. */
static bool is_ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) > 0;
}

static bool write_some(bridge_outlet_t *o)
{
    size_t n = bridge_outlet_unread(o);
    ssize_t done = write(o->fd, o->p + o->first, n < PIPE_BUF ? n : PIPE_BUF);
    if (done >= 0) {
        o->first += (size_t)done;
        return true;
    }
    if (errno == EINTR)
        return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return false;
    o->broken = true;
    if (errno != EPIPE && errno != ECONNRESET)
        o->failed = RC_IO;
    return false;
}

void bridge_outlet_write(bridge_outlet_t *o)
{
    while (!o->broken && bridge_outlet_unread(o) > 0 && is_ready(o->fd)) {
        if (!write_some(o))
            break;
    }
    if (!o->broken && bridge_outlet_unread(o) > 0)
        return;
    o->first = o->n = 0;
    if (o->cap > KEPT_BYTES)
        bridge_outlet_clear(o);
}
