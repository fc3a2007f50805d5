#include "tokens/callback_conn.h"

#include "core/secret.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

void callback_conn_begin(callback_conn_t *c, int fd, int64_t now)
{
    c->state = CALLBACK_CONN_READS;
    c->fd = fd;
    c->since = now;
    c->until = now + CALLBACK_CONN_MS;
    c->in_n = c->out_n = c->out_at = 0;
    http_codec_init(&c->codec);
}

void callback_conn_end(callback_conn_t *c)
{
    if (c->state == CALLBACK_CONN_FREE)
        return;
    secret_wipe(c->in, c->in_n);
    close(c->fd);
    c->state = CALLBACK_CONN_FREE;
}

short callback_conn_events(const callback_conn_t *c)
{
    return c->state == CALLBACK_CONN_WRITES ? POLLOUT : POLLIN;
}

static bool is_later(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

http_step_t callback_conn_read(callback_conn_t *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_n, sizeof c->in - c->in_n, 0);
    if (is_later(n))
        return HTTP_STEP_MORE;
    if (n <= 0) {
        callback_conn_end(c);
        return HTTP_STEP_MORE;
    }
    c->in_n += (size_t)n;
    http_step_t step = http_codec_head(&c->codec, c->in, c->in_n);
    bool full = c->in_n == sizeof c->in;
    return step == HTTP_STEP_MORE && full ? HTTP_STEP_BAD : step;
}

static void write_on(callback_conn_t *c)
{
    ssize_t n = send(c->fd, c->out + c->out_at, c->out_n - c->out_at, MSG_NOSIGNAL);
    if (is_later(n))
        return;
    if (n < 0) {
        callback_conn_end(c);
        return;
    }
    c->out_at += (size_t)n;
    if (c->out_at < c->out_n)
        return;
    /* To close while bytes of the peer are unread would reset the connection, and the page with it.
     */
    shutdown(c->fd, SHUT_WR);
    c->state = CALLBACK_CONN_DRAINS;
}

void callback_conn_say(callback_conn_t *c, callback_page_t page, int64_t now)
{
    int64_t until = now + CALLBACK_DRAIN_MS;
    c->until = until < c->until ? until : c->until;
    c->out_n = callback_page_write(page, c->out);
    c->state = CALLBACK_CONN_WRITES;
    write_on(c);
}

static void drain(callback_conn_t *c)
{
    char dropped[CALLBACK_HEAD_BYTES];
    ssize_t n = recv(c->fd, dropped, sizeof dropped, 0);
    if (n > 0)
        secret_wipe(dropped, (size_t)n);
    else if (!is_later(n))
        callback_conn_end(c);
}

void callback_conn_go_on(callback_conn_t *c)
{
    if (c->state == CALLBACK_CONN_WRITES)
        write_on(c);
    else if (c->state == CALLBACK_CONN_DRAINS)
        drain(c);
}
