/* The lowest filter: a TCP socket on a worker's loop. */
#include <stdlib.h>

#include "http/tls_filter.h"
#include "http/uv_worker.h"

/* After the last answer, how long a client may still talk before the socket closes for good. */
enum { LINGER_MS = 1000 };

struct http_socket {
    http_wire_t wire;
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    http_worker_t *worker;
    http_sink_t *sink; /* NULL once forgotten */
    http_sink_t *last; /* whose bytes are pending behind a goodbye */
    http_socket_t *prev, *next;
    uint8_t key[HTTP_ADDR_KEY];
    size_t key_n; /* 0: not counted by address */
    bool reading, closing;
    int64_t close_at_ms; /* saying goodbye: the end of patience; else 0 */
};

static http_socket_t *of_wire(http_wire_t *w)
{
    return (http_socket_t *)w;
}

/* Connections of one address. The map keeps the count in the pointer itself. */
static uintptr_t address_count(http_worker_t *w, str_t key)
{
    return (uintptr_t)map_get(w->addresses, key);
}

static bool count_address(http_worker_t *w, http_socket_t *s, const http_addr_t *peer)
{
    if (http_proxies_trust(&w->hub.proxies, peer) || !w->addresses)
        return true;
    str_t key = http_addr_rate_key(peer, s->key);
    uintptr_t n = address_count(w, key);
    void *old;
    if (n >= w->server->config.max_per_address ||
        map_put(w->addresses, key, (void *)(n + 1), &old) != RC_OK)
        return false;
    s->key_n = key.n;
    return true;
}

static void uncount_address(http_socket_t *s)
{
    str_t key = str_of(s->key, s->key_n);
    void *old;
    if (s->key_n == 0)
        return;
    uintptr_t n = address_count(s->worker, key);
    /* Replacing the value of a key that is there needs no memory. */
    if (n <= 1 || map_put(s->worker->addresses, key, (void *)(n - 1), &old) != RC_OK)
        map_del(s->worker->addresses, key);
    s->key_n = 0;
}

static void on_closed(uv_handle_t *handle)
{
    http_socket_t *s = handle->data;
    http_worker_t *w = s->worker;
    *(s->prev ? &s->prev->next : &w->sockets) = s->next;
    if (s->next)
        s->next->prev = s->prev;
    w->socket_count--;
    if (s->last)
        s->last->ops->gone(s->last);
    free(s);
}

static void shut(http_socket_t *s)
{
    s->sink = NULL;
    if (s->closing)
        return;
    s->closing = true;
    uncount_address(s);
    uv_close((uv_handle_t *)&s->tcp, on_closed);
}

/* The connection broke by itself. */
static void broke(http_socket_t *s)
{
    http_sink_t *sink = s->sink;
    shut(s);
    if (sink)
        sink->ops->gone(sink);
}

static void stop_reading(http_socket_t *s)
{
    if (s->reading)
        uv_read_stop((uv_stream_t *)&s->tcp);
    s->reading = false;
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    /* What is said after the last answer is thrown away, here. */
    static _Thread_local char waste[4096];
    http_socket_t *s = handle->data;
    size_t n = sizeof waste;
    char *p = s->sink ? s->sink->ops->space(s->sink, &n) : waste;
    *buf = uv_buf_init(p, (unsigned)n);
}

static void on_end(http_socket_t *s)
{
    s->reading = false;
    if (s->sink)
        s->sink->ops->ended(s->sink);
    else
        shut(s);
}

/* A full block stops the reading until the request in it is answered. */
static void check_room(http_socket_t *s)
{
    size_t n = 0;
    if (!s->sink || !s->reading)
        return;
    s->sink->ops->room(s->sink, &n);
    if (n == 0)
        stop_reading(s);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    http_socket_t *s = stream->data;
    if (n == 0 || s->closing)
        return;
    if (n == UV_EOF) {
        on_end(s);
        return;
    }
    if (n < 0) {
        broke(s);
        return;
    }
    if (!s->sink)
        return;
    s->sink->ops->filled(s->sink, (size_t)n);
    if (!s->closing)
        check_room(s);
}

static void start_reading(http_socket_t *s)
{
    if (s->reading || s->closing || uv_is_closing((uv_handle_t *)&s->tcp))
        return;
    s->reading = uv_read_start((uv_stream_t *)&s->tcp, on_space, on_read) == 0;
}

static void on_written(uv_write_t *write, int status)
{
    http_socket_t *s = write->data;
    if (s->closing || !s->sink)
        return;
    if (status < 0)
        broke(s);
    else
        s->sink->ops->sent(s->sink);
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

static http_send_t socket_send(http_wire_t *w, const struct iovec *iov, unsigned n)
{
    http_socket_t *s = of_wire(w);
    uv_buf_t v[4] = {0};
    for (unsigned i = 0; i < n; i++)
        v[i] = uv_buf_init(iov[i].iov_base, (unsigned)iov[i].iov_len);
    int sent = uv_try_write((uv_stream_t *)&s->tcp, v, n);
    if (sent < 0 && sent != UV_EAGAIN)
        return HTTP_DEAD;
    n = drop(v, n, sent > 0 ? (size_t)sent : 0);
    if (n == 0)
        return HTTP_SENT;
    s->write.data = s;
    return uv_write(&s->write, (uv_stream_t *)&s->tcp, v, n, on_written) ? HTTP_DEAD : HTTP_PENDING;
}

static size_t socket_unsent(http_wire_t *w)
{
    return uv_stream_get_write_queue_size((uv_stream_t *)&of_wire(w)->tcp);
}

static void socket_resume(http_wire_t *w)
{
    start_reading(of_wire(w));
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    http_socket_t *s = shutdown->data;
    if (status < 0 && !s->closing)
        shut(s);
}

static void socket_close(http_wire_t *w)
{
    http_socket_t *s = of_wire(w);
    if (socket_unsent(w))
        s->last = s->sink;
    s->sink = NULL;
    s->shutdown.data = s;
    s->close_at_ms = http_worker_now_ms(s->worker) + LINGER_MS;
    if (uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp, on_shutdown) != 0) {
        shut(s);
        return;
    }
    start_reading(s);
}

static void socket_abort(http_wire_t *w)
{
    http_socket_t *s = of_wire(w);
    s->sink = NULL;
    shut(s);
}

static const http_wire_ops_t WIRE = {socket_send, socket_unsent, socket_resume, socket_close,
                                     socket_abort};

static http_addr_t peer_of(const uv_tcp_t *tcp)
{
    struct sockaddr_storage name;
    int n = sizeof name;
    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&name, &n) != 0)
        return (http_addr_t){0};
    const void *p = &name;
    if (name.ss_family == AF_INET)
        return http_addr_from_bytes((const void *)&((const struct sockaddr_in *)p)->sin_addr, 4);
    if (name.ss_family == AF_INET6)
        return http_addr_from_bytes((const void *)&((const struct sockaddr_in6 *)p)->sin6_addr, 16);
    return (http_addr_t){0};
}

static http_socket_t *socket_new(http_worker_t *w)
{
    http_socket_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->wire.ops = &WIRE;
    s->worker = w;
    s->tcp.data = s;
    if (uv_tcp_init(&w->loop, &s->tcp) != 0) {
        free(s);
        return NULL;
    }
    s->next = w->sockets;
    if (s->next)
        s->next->prev = s;
    w->sockets = s;
    w->socket_count++;
    return s;
}

/* HTTP on the socket. */
static bool open_plain(http_socket_t *s, http_addr_t peer)
{
    http_conn_t *c = http_conn_open(&s->worker->hub, &s->wire, peer, false);
    if (c)
        s->sink = &c->sink;
    return c != NULL;
}

/* HTTP on TLS on the socket. */
static bool open_tls(http_socket_t *s, http_addr_t peer, http_tls_t *tls)
{
    http_worker_t *w = s->worker;
    http_tls_filter_t *f = http_tls_accept(tls, &s->wire, (http_tls_later_t){http_worker_defer, w});
    http_conn_t *c = f ? http_conn_open(&w->hub, http_tls_wire(f), peer, true) : NULL;
    if (c) {
        http_tls_set_above(f, &c->sink);
        s->sink = http_tls_sink(f);
    } else if (f) {
        http_tls_wire(f)->ops->abort(http_tls_wire(f));
    }
    return c != NULL;
}

static bool open_conn(http_socket_t *s, http_addr_t peer)
{
    http_tls_t *tls = http_server_tls(s->worker->server);
    if (!tls)
        return open_plain(s, peer);
    bool open = open_tls(s, peer, tls);
    http_tls_free(tls);
    return open;
}

void http_socket_accept(http_worker_t *w)
{
    http_socket_t *s = socket_new(w);
    /* libuv listens no more until the connection it holds is taken: the next tick tries again. */
    w->accept_due = !s;
    if (!s)
        return;
    if (uv_accept((uv_stream_t *)&w->listener, (uv_stream_t *)&s->tcp) != 0) {
        shut(s);
        return;
    }
    http_addr_t peer = peer_of(&s->tcp);
    if (w->socket_count > w->server->config.max_connections || !count_address(w, s, &peer)) {
        shut(s);
        return;
    }
    if (!open_conn(s, peer)) {
        shut(s);
        return;
    }
    start_reading(s);
}

void http_socket_tick(http_worker_t *w)
{
    int64_t now = http_worker_now_ms(w);
    if (w->accept_due && !uv_is_closing((uv_handle_t *)&w->listener))
        http_socket_accept(w);
    for (http_socket_t *s = w->sockets; s; s = s->next) {
        if (s->close_at_ms && now >= s->close_at_ms)
            shut(s);
    }
}

void http_socket_cut_all(http_worker_t *w)
{
    for (http_socket_t *s = w->sockets; s; s = s->next)
        shut(s);
}
