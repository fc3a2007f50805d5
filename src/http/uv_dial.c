#include "http/uv_dial.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

/* Addresses of one name that are tried; a name with more is balanced elsewhere. */
enum { ADDRESSES_MAX = 8, KEEPALIVE_S = 60 };

/* A request of libuv outlives the dial that made it: its callback finds nobody then. */
typedef struct {
    http_dial_t *dial; /* NULL: dropped */
    union {
        uv_getaddrinfo_t look;
        uv_connect_t connect;
    } of;
} wait_t;

struct http_dial {
    http_dial_to_t to;
    void (*done)(void *ctx, http_tcp_t *tcp);
    void *ctx;
    int64_t until_ms; /* of all */
    int64_t share_ms; /* of the address under way: when the next one is due */
    wait_t *wait;
    http_tcp_t *tcp;
    unsigned count, next;
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } addresses[ADDRESSES_MAX];
};

static void free_tcp(http_tcp_t *t)
{
    free(t);
}

static wait_t *wait_new(http_dial_t *d)
{
    wait_t *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->dial = d;
    d->wait = w;
    return w;
}

/* The dial that waits here, or NULL; the request is done. */
static http_dial_t *wait_end(wait_t *w)
{
    http_dial_t *d = w->dial;
    free(w);
    if (d)
        d->wait = NULL;
    return d;
}

static void forget(http_dial_t *d)
{
    if (d->wait)
        d->wait->dial = NULL;
    d->wait = NULL;
    if (d->tcp)
        http_tcp_shut(d->tcp);
    d->tcp = NULL;
}

static void finish(http_dial_t *d, http_tcp_t *tcp)
{
    void (*done)(void *, http_tcp_t *) = d->done;
    void *ctx = d->ctx;
    free(d);
    done(ctx, tcp);
}

static rc_t try_next(http_dial_t *d);

static void on_connect(uv_connect_t *connect, int status)
{
    http_dial_t *d = wait_end(connect->data);
    if (!d)
        return;
    http_tcp_t *tcp = d->tcp;
    if (status == 0) {
        uv_tcp_nodelay(&tcp->tcp, 1);
        /* Streams idle for hours: a peer that is gone without a word is found out. */
        uv_tcp_keepalive(&tcp->tcp, 1, KEEPALIVE_S);
        finish(d, tcp);
        return;
    }
    forget(d);
    if (try_next(d) != RC_OK)
        finish(d, NULL);
}

static rc_t try_one(http_dial_t *d, const struct sockaddr *address)
{
    http_tcp_t *tcp = malloc(sizeof *tcp);
    if (!tcp)
        return RC_MEMORY;
    if (!http_tcp_init(tcp, d->to.loop, free_tcp)) {
        free(tcp);
        return RC_IO;
    }
    d->tcp = tcp;
    wait_t *w = wait_new(d);
    if (!w)
        return RC_MEMORY;
    w->of.connect.data = w;
    if (uv_tcp_connect(&w->of.connect, &tcp->tcp, address, on_connect) == 0)
        return RC_OK;
    wait_end(w);
    return RC_IO;
}

/* The address under way gets its share of the time that is left. */
static void set_share(http_dial_t *d)
{
    int64_t now = (int64_t)uv_now(d->to.loop);
    d->share_ms = now + (d->until_ms - now) / (d->count - d->next + 1);
}

static rc_t try_next(http_dial_t *d)
{
    while (d->next < d->count) {
        const struct sockaddr *address = &d->addresses[d->next++].any;
        rc_t rc = try_one(d, address);
        if (rc == RC_OK) {
            set_share(d);
            return RC_OK;
        }
        forget(d);
        if (rc == RC_MEMORY)
            return rc;
    }
    return RC_IO;
}

static void add_address(http_dial_t *d, const struct sockaddr *a)
{
    if (d->count == ADDRESSES_MAX)
        return;
    if (a->sa_family == AF_INET)
        memcpy(&d->addresses[d->count++].four, a, sizeof(struct sockaddr_in));
    else if (a->sa_family == AF_INET6)
        memcpy(&d->addresses[d->count++].six, a, sizeof(struct sockaddr_in6));
}

static void on_look(uv_getaddrinfo_t *look, int status, struct addrinfo *found)
{
    http_dial_t *d = wait_end(look->data);
    for (struct addrinfo *a = d && status == 0 ? found : NULL; a; a = a->ai_next)
        add_address(d, a->ai_addr);
    uv_freeaddrinfo(found);
    if (d && try_next(d) != RC_OK)
        finish(d, NULL);
}

static rc_t look_up(http_dial_t *d)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)d->to.port);
    wait_t *w = wait_new(d);
    if (!w)
        return RC_MEMORY;
    w->of.look.data = w;
    d->share_ms = d->until_ms;
    if (uv_getaddrinfo(d->to.loop, &w->of.look, on_look, d->to.host, port, &hints) == 0)
        return RC_OK;
    wait_end(w);
    return RC_IO;
}

static rc_t take_literal(http_dial_t *d)
{
    const http_addr_t *a = &d->to.literal;
    d->count = 1;
    if (a->family == 4) {
        d->addresses[0].four =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(d->to.port)};
        memcpy(&d->addresses[0].four.sin_addr, a->bytes, 4);
    } else {
        d->addresses[0].six =
            (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(d->to.port)};
        memcpy(&d->addresses[0].six.sin6_addr, a->bytes, 16);
    }
    return try_next(d);
}

rc_t http_dial_start(const http_dial_to_t *to, int64_t until_ms,
                     void (*done)(void *ctx, http_tcp_t *tcp), void *ctx, http_dial_t **out)
{
    http_dial_t *d = calloc(1, sizeof *d);
    if (!d)
        return RC_MEMORY;
    d->to = *to;
    d->done = done;
    d->ctx = ctx;
    d->until_ms = until_ms;
    rc_t rc = to->literal.family ? take_literal(d) : look_up(d);
    if (rc != RC_OK) {
        http_dial_drop(d);
        return rc;
    }
    *out = d;
    return RC_OK;
}

bool http_dial_tick(http_dial_t *d, int64_t now_ms)
{
    if (now_ms >= d->until_ms)
        return false;
    if (now_ms < d->share_ms)
        return true;
    forget(d);
    return try_next(d) == RC_OK;
}

void http_dial_drop(http_dial_t *d)
{
    if (!d)
        return;
    if (d->wait && !d->tcp)
        uv_cancel((uv_req_t *)&d->wait->of.look);
    forget(d);
    free(d);
}
