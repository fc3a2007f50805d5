#include "tokens/callback.h"

#include "core/num.h"
#include "core/ports.h"
#include "tokens/callback_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS = 16, WAITING = 64, TICK_MS = 100, FAREWELL_MS = 1000 };

struct tokens_callback {
    int listener; /* -1: closed, as an answer was taken */
    uint16_t port;
    str_t path;
    char *path_bytes;
    callback_conn_t conns[CONNS];
};

static int64_t now_ms(void)
{
    clock_port_t clock = clock_system();
    return clock.mono_ms(clock.ctx);
}

/* IPv4 only: the redirect URI names 127.0.0.1 literally, so nobody else is to come by ::1, where
 * another program may listen at the same port (RFC 8252 section 8.3). */
static rc_t listen_at(tokens_callback_t *c, uint16_t port)
{
    static const int YES = 1;
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->listener < 0)
        return RC_IO;
    /* Connections of the last sign-in that still fade away must not keep a fixed port. */
    setsockopt(c->listener, SOL_SOCKET, SO_REUSEADDR, &YES, sizeof YES);
    if (bind(c->listener, (const struct sockaddr *)&at, sizeof at) != 0 ||
        listen(c->listener, WAITING) != 0)
        return errno == EADDRINUSE ? RC_BUSY : RC_IO;
    if (getsockname(c->listener, (struct sockaddr *)&at, &n) != 0)
        return RC_IO;
    c->port = ntohs(at.sin_port);
    return RC_OK;
}

rc_t tokens_callback_open(uint16_t port, const char *path, tokens_callback_t **out)
{
    tokens_callback_t *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return RC_MEMORY;
    c->listener = -1;
    c->path_bytes = strdup(path);
    c->path = str_c(c->path_bytes);
    rc_t rc = c->path_bytes ? listen_at(c, port) : RC_MEMORY;
    if (rc != RC_OK) {
        tokens_callback_close(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

uint16_t tokens_callback_port(const tokens_callback_t *c)
{
    return c->port;
}

static void stop_listening(tokens_callback_t *c)
{
    if (c->listener >= 0)
        close(c->listener);
    c->listener = -1;
}

void tokens_callback_close(tokens_callback_t *c)
{
    if (!c)
        return;
    stop_listening(c);
    for (size_t i = 0; i < CONNS; i++)
        callback_conn_end(&c->conns[i]);
    free(c->path_bytes);
    free(c);
}

/* A free place, or that of whoever is there longest: silent connections must not keep out the one
 * that brings the answer. */
static callback_conn_t *make_place(tokens_callback_t *c)
{
    callback_conn_t *oldest = &c->conns[0];
    for (size_t i = 0; i < CONNS; i++) {
        if (c->conns[i].state == CALLBACK_CONN_FREE)
            return &c->conns[i];
        if (c->conns[i].since < oldest->since)
            oldest = &c->conns[i];
    }
    callback_conn_end(oldest);
    return oldest;
}

static bool is_for_later(int failed)
{
    return failed == EAGAIN || failed == EINTR || failed == ECONNABORTED;
}

/* All that wait, as the answer may be the last of them. */
static rc_t let_in(tokens_callback_t *c)
{
    for (int i = 0; i < WAITING; i++) {
        int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return is_for_later(errno) ? RC_OK : RC_IO;
        callback_conn_begin(make_place(c), fd, now_ms());
    }
    return RC_OK;
}

/* A page of the web whose name leads to 127.0.0.1 must not reach this (DNS rebinding). */
static bool is_our_host(const tokens_callback_t *c, str_t host)
{
    size_t colon = str_find(host, ':', 0);
    str_t name = str_first(host, colon), digits = str_skip(host, colon + 1);
    uint64_t port = 80;
    if (colon < host.n && !num_u64(digits, UINT16_MAX, &port))
        return false;
    return port == c->port &&
           (str_eq(name, STR("127.0.0.1")) || str_eq_nocase(name, STR("localhost")));
}

static bool has_body(const http_head_t *h)
{
    return h->frame != HTTP_FRAME_NONE && !(h->frame == HTTP_FRAME_LENGTH && h->length == 0);
}

static callback_page_t choose_page(const tokens_callback_t *c, const http_head_t *h,
                                   tokens_callback_judge_t judge, bool *taken)
{
    bool well = false;
    if (h->method != HTTP_GET || has_body(h) || !is_our_host(c, h->host))
        return CALLBACK_WRONG;
    if (!str_eq(h->path, c->path))
        return CALLBACK_ELSEWHERE;
    *taken = judge.takes(judge.ctx, str_is_set(h->query) ? h->query : STR(""), &well);
    if (!*taken)
        return CALLBACK_WRONG;
    return well ? CALLBACK_WELL : CALLBACK_NOT_WELL;
}

/* Whether the judge took what this connection brought. */
static bool serve(const tokens_callback_t *c, callback_conn_t *conn, tokens_callback_judge_t judge)
{
    bool taken = false;
    if (conn->state != CALLBACK_CONN_READS) {
        callback_conn_go_on(conn);
        return false;
    }
    http_step_t step = callback_conn_read(conn);
    if (step == HTTP_STEP_MORE)
        return false;
    callback_page_t page = CALLBACK_WRONG;
    if (step == HTTP_STEP_DONE)
        page = choose_page(c, &conn->codec.head, judge, &taken);
    callback_conn_say(conn, page, now_ms());
    return taken;
}

/* Waits up to `ms` until somebody comes, ready[CONNS], or goes on, ready[i] of conns[i]. */
static rc_t look(const tokens_callback_t *c, int64_t ms, bool ready[CONNS + 1])
{
    struct pollfd fds[CONNS + 1] = {[CONNS] = {.fd = c->listener, .events = POLLIN}};
    for (size_t i = 0; i < CONNS; i++) {
        const callback_conn_t *conn = &c->conns[i];
        bool open = conn->state != CALLBACK_CONN_FREE;
        fds[i] = (struct pollfd){.fd = open ? conn->fd : -1, .events = callback_conn_events(conn)};
    }
    int n = poll(fds, CONNS + 1, ms < TICK_MS ? (int)ms : TICK_MS);
    if (n < 0 && errno != EINTR)
        return RC_IO;
    for (size_t i = 0; i <= CONNS; i++)
        ready[i] = n > 0 && fds[i].revents != 0;
    return RC_OK;
}

static void expire(tokens_callback_t *c)
{
    int64_t now = now_ms();
    for (size_t i = 0; i < CONNS; i++)
        if (c->conns[i].state != CALLBACK_CONN_FREE && now >= c->conns[i].until)
            callback_conn_end(&c->conns[i]);
}

/* One answer is all that there is to come: the port closes before its page is out, and whoever else
 * is connected is cut. */
static void finish(tokens_callback_t *c, callback_conn_t *taken)
{
    stop_listening(c);
    for (size_t i = 0; i < CONNS; i++)
        if (&c->conns[i] != taken)
            callback_conn_end(&c->conns[i]);
    int64_t end = now_ms() + FAREWELL_MS;
    while (taken->state != CALLBACK_CONN_FREE && now_ms() < end) {
        struct pollfd fd = {.fd = taken->fd, .events = callback_conn_events(taken)};
        if (poll(&fd, 1, TICK_MS) > 0)
            callback_conn_go_on(taken);
    }
    callback_conn_end(taken);
}

static bool serve_all(tokens_callback_t *c, const bool ready[CONNS], tokens_callback_judge_t judge)
{
    for (size_t i = 0; i < CONNS; i++) {
        if (!ready[i] || !serve(c, &c->conns[i], judge))
            continue;
        finish(c, &c->conns[i]);
        return true;
    }
    return false;
}

rc_t tokens_callback_wait(tokens_callback_t *c, tokens_callback_judge_t judge, int64_t wait_ms,
                          const _Atomic(bool) *stop)
{
    int64_t left = wait_ms, end = now_ms() + wait_ms;
    while (c->listener >= 0 && left > 0 && !(stop && *stop)) {
        bool ready[CONNS + 1];
        TRY(look(c, left, ready));
        if (serve_all(c, ready, judge))
            return RC_OK;
        expire(c);
        if (ready[CONNS])
            TRY(let_in(c));
        left = end - now_ms();
    }
    return RC_NOT_FOUND;
}
