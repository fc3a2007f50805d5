#include "http/http_test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 60, STEP_MS = 5 };

test_seen_t test_seen;

static void hello(http_exchange_t *x)
{
    http_reply(x, 200, HTTP_HEADERS({STR("Content-Type"), STR("text/plain")}), STR("hello"));
}

static void echo(http_exchange_t *x)
{
    http_reply(x, 200, HTTP_NO_HEADERS, x->body);
}

/* A megabyte and more: does not fit into a socket's buffer. */
static void large(http_exchange_t *x)
{
    size_t n = 3 << 20;
    char *p = arena_alloc(x->arena, n);
    assert_non_null(p);
    memset(p, 'x', n);
    http_reply(x, 200, HTTP_NO_HEADERS, str_of(p, n));
}

static void slow_work(void *arg)
{
    const struct timespec nap = {0, 20000000};
    nanosleep(&nap, NULL);
}

static void slow_done(void *arg)
{
    http_reply(arg, 200, HTTP_NO_HEADERS, STR("slow"));
}

static void slow(http_exchange_t *x)
{
    if (http_pool_run(test_seen.pool, http_worker_post(x->loop), slow_work, slow_done, x) != RC_OK)
        http_reply_retry(x, 503, 2, STR("busy"));
}

static void look_at_hold(void *arg)
{
    http_exchange_t *x = arg;
    if (atomic_load(&test_seen.hold))
        return;
    http_timer_stop(x->user);
    http_reply(x, 200, HTTP_NO_HEADERS, STR("held"));
}

static void told_gone(void *ctx, http_exchange_t *x)
{
    atomic_fetch_add(&test_seen.gone, 1);
}

static void hold(http_exchange_t *x)
{
    http_exchange_on_gone(x, told_gone, NULL);
    x->user = http_timer_start(x->loop, 5, 5, look_at_hold, x);
    assert_non_null(x->user);
    atomic_fetch_add(&test_seen.holding, 1);
}

/* An endless stream until the client goes away or the server drains. */
typedef struct {
    http_exchange_t *x;
    size_t left;
} pump_t;

static void pump(void *ctx, http_exchange_t *x)
{
    pump_t *p = ctx;
    static char block[10000];
    memset(block, 'y', sizeof block);
    while (p->left) {
        size_t n = p->left < sizeof block ? p->left : sizeof block;
        rc_t rc = http_stream_write(x, str_of(block, n));
        if (rc == RC_BUSY)
            return;
        if (rc != RC_OK)
            break;
        p->left -= n;
        atomic_fetch_add(&test_seen.streamed, (int)n);
    }
    http_stream_end(x);
}

static void stream(http_exchange_t *x)
{
    pump_t *p = ARENA_NEW(x->arena, pump_t);
    *p = (pump_t){x, 4 << 20};
    if (http_stream_begin(x, 200, HTTP_NO_HEADERS, (http_stream_events_t){pump, p}) != RC_OK) {
        http_stream_abort(x);
        return;
    }
    pump(p, x);
}

static void events_gone(void *ctx, http_exchange_t *x)
{
    atomic_fetch_add(&test_seen.gone, 1);
    http_stream_end(x);
}

static void events(http_exchange_t *x)
{
    http_exchange_on_gone(x, events_gone, NULL);
    http_stream_events_t none = {0};
    if (http_stream_begin(x, 200, HTTP_HEADERS({STR("Content-Type"), STR("text/event-stream")}),
                          none) != RC_OK ||
        http_stream_write(x, STR("data: 1\n\n")) != RC_OK)
        http_stream_abort(x);
}

/* The header value comes straight from the client: %0d%0a decoded by form_decode. */
static void splitting(http_exchange_t *x)
{
    http_reply(x, 303, HTTP_HEADERS({STR("Location"), STR("/x?state=\r\nSet-Cookie: a=b")}),
               STR(""));
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/hello"), HTTP_M(GET), hello},
    {STR_INIT("/echo"), HTTP_M(POST), echo, 100000, HTTP_BODY_FORM},
    {STR_INIT("/large"), HTTP_M(GET), large},
    {STR_INIT("/slow"), HTTP_M(GET), slow},
    {STR_INIT("/hold"), HTTP_M(GET), hold},
    {STR_INIT("/stream"), HTTP_M(GET), stream},
    {STR_INIT("/events"), HTTP_M(GET), events},
    {STR_INIT("/splitting"), HTTP_M(GET), splitting},
};

static const http_app_t APP = {.routes = {ROUTES, sizeof ROUTES / sizeof *ROUTES}};

static void on_timer(void *arg)
{
    atomic_fetch_add(&test_seen.timer_runs, 1);
}

static rc_t worker_init(void *ctx, http_worker_t *loop, void **worker)
{
    *worker = loop;
    atomic_fetch_add(&test_seen.workers, 1);
    return http_timer_start(loop, 1, 1, on_timer, NULL) ? RC_OK : RC_MEMORY;
}

static void worker_drain(void *ctx, void *worker)
{
    atomic_fetch_add(&test_seen.drains, 1);
}

static void worker_exit(void *ctx, void *worker)
{
    atomic_fetch_add(&test_seen.exits, 1);
}

http_server_config_t test_server_config(void)
{
    http_server_config_t c = http_server_defaults();
    c.app = &APP;
    c.workers = 2;
    c.worker_init = worker_init;
    c.worker_drain = worker_drain;
    c.worker_exit = worker_exit;
    c.times.drain_ms = 1000;
    return c;
}

http_server_t *test_server_start(const http_server_config_t *c)
{
    http_server_t *s;
    str_t why = STR("");
    memset(&test_seen, 0, sizeof test_seen);
    test_seen.pool = http_pool_new(2, 8);
    assert_non_null(test_seen.pool);
    assert_int_equal(http_server_new(c, &s, &why), RC_OK);
    assert_int_equal(http_server_start(s), RC_OK);
    return s;
}

void test_server_stop(http_server_t *s)
{
    http_server_stop(s);
    http_server_join(s);
    http_pool_free(test_seen.pool);
    http_server_free(s);
}

/* room: the receive buffer, 0 for the system's own. */
int test_dial_with(const http_server_t *s, int room)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(s)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {PATIENCE_S, 0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    if (room)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

int test_dial(const http_server_t *s)
{
    return test_dial_with(s, 0);
}

void test_say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until `want` appears or the end; the bytes stay in a static buffer. */
str_t test_hear(int fd, const char *want)
{
    static char buffer[8 << 20];
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(fd, buffer + n, sizeof buffer - n, 0);
        if (got <= 0)
            return str_of(buffer, n);
        n += (size_t)got;
        if (want && str_contains(str_of(buffer, n), str_c(want)))
            return str_of(buffer, n);
    }
}

/* One request on a connection of its own, read to the end of the connection. */
str_t test_ask(const http_server_t *s, const char *text)
{
    int fd = test_dial(s);
    test_say(fd, text);
    shutdown(fd, SHUT_WR);
    str_t answer = test_hear(fd, NULL);
    close(fd);
    return answer;
}

void test_assert_alive(const http_server_t *s)
{
    str_t answer = test_ask(s, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 200 OK\r\n")));
    assert_true(str_ends(answer, STR("\r\n\r\nhello")));
}

bool test_wait_for(atomic_int *what, int value)
{
    const struct timespec nap = {0, STEP_MS * 1000000};
    for (int ms = 0; ms < PATIENCE_S * 1000 && atomic_load(what) < value; ms += STEP_MS)
        nanosleep(&nap, NULL);
    return atomic_load(what) >= value;
}
