/* The sockets of a worker's clients: accepting, counting by address, and saying goodbye. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/tls_filter.h"
#include "http/uv_tcp.h"
#include "http/uv_worker.h"

/* After the last answer, how long a client may still talk before the socket closes for good. */
enum { LINGER_MS = 1000 };

struct http_socket {
    http_tcp_t tcp; /* first */
    uv_shutdown_t shutdown;
    http_worker_t *worker;
    http_socket_t *prev, *next;
    uint8_t key[HTTP_ADDR_KEY];
    size_t key_n;        /* 0: not counted by address */
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

static void on_closed(http_tcp_t *t)
{
    http_socket_t *s = (http_socket_t *)t;
    http_worker_t *w = s->worker;
    uncount_address(s);
    *(s->prev ? &s->prev->next : &w->sockets) = s->next;
    if (s->next)
        s->next->prev = s->prev;
    w->socket_count--;
    w->leaving -= s->close_at_ms != 0;
    free(s);
}

static void shut(http_socket_t *s)
{
    http_tcp_shut(&s->tcp);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    http_socket_t *s = shutdown->data;
    if (status < 0)
        shut(s);
}

static void socket_close(http_wire_t *w)
{
    http_socket_t *s = of_wire(w);
    if (http_tcp_unsent(w))
        s->tcp.last = s->tcp.sink;
    s->tcp.sink = NULL;
    s->shutdown.data = s;
    s->close_at_ms = http_worker_now_ms(s->worker) + LINGER_MS;
    s->worker->leaving++;
    if (uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp.tcp, on_shutdown) != 0) {
        shut(s);
        return;
    }
    http_tcp_read(&s->tcp);
}

static void socket_abort(http_wire_t *w)
{
    shut(of_wire(w));
}

static const http_wire_ops_t WIRE = {http_tcp_send, http_tcp_unsent, http_tcp_resume, socket_close,
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
    if (!http_tcp_init(&s->tcp, &w->loop, on_closed)) {
        free(s);
        return NULL;
    }
    s->tcp.wire.ops = &WIRE;
    s->worker = w;
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
    http_conn_t *c = http_conn_open(&s->worker->hub, &s->tcp.wire, peer, false);
    if (c)
        s->tcp.sink = &c->sink;
    return c != NULL;
}

/* HTTP on TLS on the socket. */
static bool open_tls(http_socket_t *s, http_addr_t peer, http_tls_t *tls)
{
    http_worker_t *w = s->worker;
    http_tls_filter_t *f =
        http_tls_accept(tls, &s->tcp.wire, (http_tls_later_t){http_worker_defer, w});
    http_conn_t *c = f ? http_conn_open(&w->hub, http_tls_wire(f), peer, true) : NULL;
    if (c) {
        http_tls_set_above(f, &c->sink);
        s->tcp.sink = http_tls_sink(f);
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

/* Every connection is at work: whoever speaks plain HTTP is told. Nobody waits for it to be read.
 */
static const char TURNED_AWAY[] = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                                  "Retry-After: 1\r\nContent-Length: 0\r\n\r\n";

static bool is_plain(http_worker_t *w)
{
    http_tls_t *tls = http_server_tls(w->server);
    http_tls_free(tls);
    return tls == NULL;
}

static void turn_away(http_socket_t *s)
{
    uv_buf_t v = uv_buf_init((char *)(uintptr_t)TURNED_AWAY, sizeof TURNED_AWAY - 1);
    if (is_plain(s->worker))
        (void)uv_try_write((uv_stream_t *)&s->tcp.tcp, &v, 1);
    shut(s);
}

/* A connection that was taken: HTTP begins, or it is turned away. */
static void begin(http_socket_t *s)
{
    http_worker_t *w = s->worker;
    http_addr_t peer = peer_of(&s->tcp.tcp);
    if (!count_address(w, s, &peer)) {
        shut(s);
        return;
    }
    if (w->socket_count > w->server->config.max_connections && !http_hub_evict(&w->hub)) {
        turn_away(s);
        return;
    }
    if (!open_conn(s, peer)) {
        shut(s);
        return;
    }
    http_tcp_read(&s->tcp);
}

void http_socket_accept(http_worker_t *w)
{
    http_socket_t *s = socket_new(w);
    /* libuv listens no more until the connection it holds is taken: the next tick tries again. */
    w->accept_due = !s;
    if (!s)
        return;
    if (uv_accept((uv_stream_t *)&w->listener, (uv_stream_t *)&s->tcp.tcp) != 0)
        shut(s);
    else
        begin(s);
}

/* Clients for whom the system has made a connection already: closing the listener would break it.
 */
void http_socket_accept_rest(http_worker_t *w)
{
    uv_os_fd_t listener;
    if (uv_fileno((uv_handle_t *)&w->listener, &listener) != 0)
        return;
    for (unsigned i = 0; i < SOMAXCONN; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        http_socket_t *s = fd >= 0 ? socket_new(w) : NULL;
        if (fd < 0)
            return;
        if (s && uv_tcp_open(&s->tcp.tcp, fd) == 0) {
            begin(s);
            continue;
        }
        close(fd);
        if (s)
            shut(s);
    }
}

/* libuv would try again at once, for ever: this must make room, or wait. */
void http_socket_shed(http_worker_t *w)
{
    static const struct timespec MOMENT = {0, 5000000};
    uv_os_fd_t listener;
    if (http_hub_evict(&w->hub))
        return;
    if (w->spare >= 0)
        close(w->spare);
    int fd = uv_fileno((uv_handle_t *)&w->listener, &listener) == 0
                 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)
                 : -1;
    if (fd >= 0 && is_plain(w))
        (void)!send(fd, TURNED_AWAY, sizeof TURNED_AWAY - 1, MSG_NOSIGNAL);
    if (fd >= 0)
        close(fd);
    w->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || w->spare < 0)
        nanosleep(&MOMENT, NULL);
}

void http_socket_tick(http_worker_t *w)
{
    int64_t now = http_worker_now_ms(w);
    if (w->accept_due && !uv_is_closing((uv_handle_t *)&w->listener))
        http_socket_accept(w);
    for (http_socket_t *s = w->leaving ? w->sockets : NULL; s; s = s->next) {
        if (s->close_at_ms && now >= s->close_at_ms)
            shut(s);
    }
}

void http_socket_cut_all(http_worker_t *w)
{
    for (http_socket_t *s = w->sockets; s; s = s->next)
        shut(s);
}
