#include "http/uv_tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

static http_tcp_t *of_wire(http_wire_t *w)
{
    return (http_tcp_t *)w;
}

static void on_tcp_closed(uv_handle_t *handle)
{
    http_tcp_t *t = handle->data;
    if (t->last)
        t->last->ops->gone(t->last);
    t->closed(t);
}

void http_tcp_shut(http_tcp_t *t)
{
    t->sink = NULL;
    if (t->closing)
        return;
    t->closing = true;
    uv_close((uv_handle_t *)&t->tcp, on_tcp_closed);
}

/* The connection broke by itself. */
static void broke(http_tcp_t *t)
{
    http_sink_t *sink = t->sink;
    http_tcp_shut(t);
    if (sink)
        sink->ops->gone(sink);
}

static void stop_reading(http_tcp_t *t)
{
    if (t->reading)
        uv_read_stop((uv_stream_t *)&t->tcp);
    t->reading = false;
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    /* What is said after the last answer is thrown away, here. */
    static _Thread_local char waste[4096];
    http_tcp_t *t = handle->data;
    size_t n = sizeof waste;
    char *p = t->sink ? t->sink->ops->space(t->sink, &n) : waste;
    *buf = uv_buf_init(p, (unsigned)n);
}

static void on_end(http_tcp_t *t)
{
    t->reading = false;
    if (t->sink)
        t->sink->ops->ended(t->sink);
    else
        http_tcp_shut(t);
}

/* No room stops the reading until there is some; no memory for any ends the connection. */
static void check_room(http_tcp_t *t)
{
    size_t n = 0;
    if (!t->sink || !t->reading)
        return;
    t->sink->ops->room(t->sink, &n);
    if (n == 0)
        stop_reading(t);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    http_tcp_t *t = stream->data;
    if (n == 0 || t->closing)
        return;
    if (n == UV_EOF) {
        on_end(t);
    } else if (n == UV_ENOBUFS && buf->base) {
        stop_reading(t);
    } else if (n < 0) {
        broke(t);
    } else if (t->sink) {
        t->sink->ops->filled(t->sink, (size_t)n);
        check_room(t);
    }
}

void http_tcp_read(http_tcp_t *t)
{
    if (t->reading || t->closing)
        return;
    t->reading = uv_read_start((uv_stream_t *)&t->tcp, on_space, on_read) == 0;
}

static void on_written(uv_write_t *write, int status)
{
    http_tcp_t *t = write->data;
    free(write);
    t->write = NULL;
    if (t->closing || !t->sink)
        return;
    if (status < 0)
        broke(t);
    else
        t->sink->ops->sent(t->sink);
}

/* Drops the first n bytes of the pieces; returns how many pieces are left, moved to the front. */
static unsigned drop(uv_buf_t *v, unsigned count, size_t n)
{
    unsigned first = 0;
    while (first < count && n >= v[first].len)
        n -= v[first++].len;
    for (unsigned i = first; i < count; i++)
        v[i - first] = v[i];
    if (first < count) {
        v[0].base += n;
        v[0].len -= n;
    }
    return count - first;
}

http_send_t http_tcp_send(http_wire_t *w, const struct iovec *iov, unsigned n)
{
    http_tcp_t *t = of_wire(w);
    uv_buf_t v[4] = {0};
    for (unsigned i = 0; i < n; i++)
        v[i] = uv_buf_init(iov[i].iov_base, (unsigned)iov[i].iov_len);
    int sent = uv_try_write((uv_stream_t *)&t->tcp, v, n);
    if (sent < 0 && sent != UV_EAGAIN)
        return HTTP_DEAD;
    n = drop(v, n, sent > 0 ? (size_t)sent : 0);
    if (n == 0)
        return HTTP_SENT;
    /* Most sends never wait: the request of libuv exists only while one does. */
    t->write = malloc(sizeof *t->write);
    if (!t->write)
        return HTTP_DEAD;
    t->write->data = t;
    if (uv_write(t->write, (uv_stream_t *)&t->tcp, v, n, on_written) == 0)
        return HTTP_PENDING;
    free(t->write);
    t->write = NULL;
    return HTTP_DEAD;
}

size_t http_tcp_unsent(http_wire_t *w)
{
    return uv_stream_get_write_queue_size((uv_stream_t *)&of_wire(w)->tcp);
}

void http_tcp_resume(http_wire_t *w)
{
    http_tcp_read(of_wire(w));
}

static void tcp_abort(http_wire_t *w)
{
    http_tcp_shut(of_wire(w));
}

/* A client has nothing to wait for after its last answer. */
static void tcp_close(http_wire_t *w)
{
    http_tcp_t *t = of_wire(w);
    if (t->write)
        t->last = t->sink;
    http_tcp_shut(t);
}

static const http_wire_ops_t WIRE = {http_tcp_send, http_tcp_unsent, http_tcp_resume, tcp_close,
                                     tcp_abort};

bool http_tcp_init(http_tcp_t *t, uv_loop_t *loop, void (*closed)(http_tcp_t *t))
{
    memset(t, 0, sizeof *t);
    t->wire.ops = &WIRE;
    t->closed = closed;
    t->tcp.data = t;
    return uv_tcp_init(loop, &t->tcp) == 0;
}

void http_tcp_acknowledge(const http_tcp_t *t)
{
    uv_os_fd_t fd;
    int on = 1;
    if (uv_fileno((const uv_handle_t *)&t->tcp, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

bool http_tcp_has_news(const http_tcp_t *t)
{
    uv_os_fd_t fd;
    char byte;
    if (uv_fileno((const uv_handle_t *)&t->tcp, &fd) != 0)
        return true;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n >= 0 || errno != EAGAIN;
}
