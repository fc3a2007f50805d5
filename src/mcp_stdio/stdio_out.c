/* The output: what waits for the host to read it. */
#include "mcp_stdio/stdio_state.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    GATHER_BYTES = 64 << 10, /* that wait already: enough to keep the host busy */
    KEPT_BYTES = 256 << 10,  /* room that stays once all is written */
};

size_t mcp_stdio_unread(const mcp_stdio_t *s)
{
    return s->out_n - s->out_first;
}

static bool make_room(mcp_stdio_t *s, size_t n)
{
    size_t unread = mcp_stdio_unread(s);
    if (s->out_first > 0)
        memmove(s->out, s->out + s->out_first, unread);
    s->out_first = 0;
    s->out_n = unread;
    if (unread + n <= s->out_cap)
        return true;
    size_t cap = (unread + n) * 2;
    char *more = realloc(s->out, cap);
    if (!more)
        return false;
    s->out = more;
    s->out_cap = cap;
    return true;
}

void mcp_stdio_put(mcp_stdio_t *s, str_t message)
{
    if (s->broken || message.n == 0)
        return;
    if (s->out_n + message.n + 1 > s->out_cap && !make_room(s, message.n + 1)) {
        s->failed = RC_MEMORY;
        return;
    }
    char *p = s->out + s->out_n;
    for (size_t i = 0; i < message.n; i++)
        p[i] = message.p[i] == '\n' || message.p[i] == '\r' ? ' ' : message.p[i];
    p[message.n] = '\n';
    s->out_n += message.n + 1;
}

/* One message of a lane, which then waits for its next turn. */
static void gather_one(mcp_stdio_t *s, mcp_lane_t *lane)
{
    mcp_out_t out;
    if (!mcp_reader_take(lane->reader, &out))
        return;
    if (out.kind != MCP_OUT_LET_GO)
        mcp_stdio_put(s, out.text);
    if (out.kind == MCP_OUT_ANSWER)
        mcp_lane_close(lane);
    else
        mcp_lane_queue(lane);
}

void mcp_stdio_gather(mcp_stdio_t *s)
{
    mcp_lane_t *lane;
    while (mcp_stdio_unread(s) < GATHER_BYTES && (lane = mcp_lane_next(s)))
        gather_one(s, lane);
}

static void all_written(mcp_stdio_t *s)
{
    s->out_first = s->out_n = 0;
    if (s->out_cap <= KEPT_BYTES)
        return;
    free(s->out);
    s->out = NULL;
    s->out_cap = 0;
}

/* The descriptor may be shared with others, so it stays blocking: what poll(2) says can be written
 * is at least PIPE_BUF. */
static bool is_ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) > 0;
}

static bool write_some(mcp_stdio_t *s)
{
    size_t n = mcp_stdio_unread(s);
    ssize_t done = write(s->config.out, s->out + s->out_first, n < PIPE_BUF ? n : PIPE_BUF);
    if (done >= 0) {
        s->out_first += (size_t)done;
        return true;
    }
    if (errno == EINTR)
        return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return false;
    s->broken = true;
    if (errno != EPIPE && errno != ECONNRESET)
        s->failed = RC_IO;
    return false;
}

void mcp_stdio_write(mcp_stdio_t *s)
{
    while (!s->broken && mcp_stdio_unread(s) > 0 && is_ready(s->config.out)) {
        if (!write_some(s))
            break;
    }
    if (s->broken || mcp_stdio_unread(s) == 0)
        all_written(s);
}
