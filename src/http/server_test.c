/* Real servers in this process, spoken to over loopback with plain sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/direct.h"
#include "http/pool.h"
#include "http/server.h"

#define HOST "Host: a.test\r\n"

/* What the handlers share with the tests. */
typedef struct {
    http_pool_t *pool;
    atomic_int workers, exits, drains, gone, streamed, timer_runs, posted;
    atomic_bool hold; /* /hold answers once it is false */
} shared_t;

static shared_t g;

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
    if (http_pool_run(g.pool, http_worker_post(x->loop), slow_work, slow_done, x) != RC_OK)
        http_reply_retry(x, 503, 2, STR("busy"));
}

static void look_at_hold(void *arg)
{
    http_exchange_t *x = arg;
    if (atomic_load(&g.hold))
        return;
    http_timer_stop(x->user);
    http_reply(x, 200, HTTP_NO_HEADERS, STR("held"));
}

static void told_gone(void *ctx, http_exchange_t *x)
{
    atomic_fetch_add(&g.gone, 1);
}

static void hold(http_exchange_t *x)
{
    http_exchange_on_gone(x, told_gone, NULL);
    x->user = http_timer_start(x->loop, 5, 5, look_at_hold, x);
    assert_non_null(x->user);
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
        atomic_fetch_add(&g.streamed, (int)n);
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
    atomic_fetch_add(&g.gone, 1);
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
    atomic_fetch_add(&g.timer_runs, 1);
}

static rc_t worker_init(void *ctx, http_worker_t *loop, void **worker)
{
    *worker = loop;
    atomic_fetch_add(&g.workers, 1);
    return http_timer_start(loop, 1, 1, on_timer, NULL) ? RC_OK : RC_MEMORY;
}

static void worker_drain(void *ctx, void *worker)
{
    atomic_fetch_add(&g.drains, 1);
}

static void worker_exit(void *ctx, void *worker)
{
    atomic_fetch_add(&g.exits, 1);
}

static http_server_config_t config_of_tests(void)
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

static http_server_t *start(const http_server_config_t *c)
{
    http_server_t *s;
    str_t why = STR("");
    memset(&g, 0, sizeof g);
    g.pool = http_pool_new(2, 8);
    assert_non_null(g.pool);
    assert_int_equal(http_server_new(c, &s, &why), RC_OK);
    assert_int_equal(http_server_start(s), RC_OK);
    return s;
}

static void stop(http_server_t *s)
{
    http_server_stop(s);
    http_server_join(s);
    http_pool_free(g.pool);
    http_server_free(s);
}

/* room: the receive buffer, 0 for the system's own. */
static int dial_with(const http_server_t *s, int room)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(s)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {10, 0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    if (room)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static int dial(const http_server_t *s)
{
    return dial_with(s, 0);
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until `want` appears or the end; the bytes stay in a static buffer. */
static str_t hear(int fd, const char *want)
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
static str_t ask(const http_server_t *s, const char *text)
{
    int fd = dial(s);
    say(fd, text);
    shutdown(fd, SHUT_WR);
    str_t answer = hear(fd, NULL);
    close(fd);
    return answer;
}

static void assert_alive(const http_server_t *s)
{
    str_t answer = ask(s, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 200 OK\r\n")));
    assert_true(str_ends(answer, STR("\r\n\r\nhello")));
}

static size_t count(str_t s, str_t part)
{
    size_t n = 0;
    for (size_t i = 0; i + part.n <= s.n; i++)
        n += memcmp(s.p + i, part.p, part.n) == 0;
    return n;
}

static void a_connection_is_kept_for_many_requests(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    int fd = dial(s);
    for (int i = 0; i < 50; i++) {
        say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        assert_true(str_ends(hear(fd, "hello"), STR("hello")));
    }
    say(fd, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    str_t last = hear(fd, NULL);
    assert_true(str_contains(last, STR("Connection: close\r\n")));
    close(fd);
    stop(s);
    assert_int_equal(g.workers, 2);
    assert_int_equal(g.exits, 2);
    assert_int_equal(g.drains, 2);
    assert_true(g.timer_runs > 0);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    int fd = dial(s);
    say(fd, "GET /slow HTTP/1.1\r\n" HOST "\r\n"
            "POST /echo HTTP/1.1\r\n" HOST
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=1"
            "GET /slow HTTP/1.1\r\n" HOST "\r\n"
            "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    str_t all = hear(fd, NULL);
    assert_int_equal(count(all, STR("HTTP/1.1 200 OK")), 4);
    size_t at = 0;
    static const char *const order[] = {"slow", "a=1", "slow", "hello"};
    for (size_t i = 0; i < 4; i++) {
        str_t rest = str_skip(all, at);
        assert_true(str_contains(rest, str_c(order[i])));
        while (!str_starts(str_skip(all, at), str_c(order[i])))
            at++;
        at += strlen(order[i]);
    }
    close(fd);
    stop(s);
}

static void a_chunked_body_may_come_byte_by_byte(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    int fd = dial(s);
    const char *text =
        "POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/x-www-form-urlencoded\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n2;x\r\n&c\r\n0\r\nT: u\r\n\r\n";
    for (const char *p = text; *p; p++)
        assert_int_equal(send(fd, p, 1, MSG_NOSIGNAL), 1);
    assert_true(str_ends(hear(fd, "a=b&c"), STR("\r\n\r\na=b&c")));
    close(fd);
    stop(s);
}

/* Sends POST /echo with a body of n bytes, framed by length. */
static str_t post_body(const http_server_t *s, size_t n)
{
    char head[256];
    char *body = malloc(n + 1);
    assert_non_null(body);
    memset(body, 'b', n);
    body[n] = 0;
    int fd = dial(s);
    snprintf(head, sizeof head,
             "POST /echo HTTP/1.1\r\n" HOST "Connection: close\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n",
             n);
    say(fd, head);
    (void)!send(fd, body, n, MSG_NOSIGNAL);
    free(body);
    str_t answer = hear(fd, NULL);
    close(fd);
    return answer;
}

static void a_body_beyond_the_limit_is_413(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    assert_true(str_starts(post_body(s, 100001), STR("HTTP/1.1 413 ")));
    assert_true(str_starts(post_body(s, 100000), STR("HTTP/1.1 200 ")));
    assert_true(str_starts(post_body(s, 10), STR("HTTP/1.1 200 ")));
    assert_alive(s);
    stop(s);
}

static void a_head_beyond_the_limit_is_431(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    size_t n = 60000;
    char *text = malloc(n + 100);
    assert_non_null(text);
    const char *head = "GET /hello HTTP/1.1\r\n" HOST "A: ";
    memcpy(text, head, strlen(head));
    memset(text + strlen(head), 'a', n);
    memcpy(text + strlen(head) + n, "\r\n\r\n", 5);
    assert_true(str_starts(ask(s, text), STR("HTTP/1.1 431 ")));
    free(text);
    assert_alive(s);
    stop(s);
}

static void a_slow_head_is_cut(void **state)
{
    http_server_config_t c = config_of_tests();
    c.times.header_ms = 300;
    http_server_t *s = start(&c);
    int fd = dial(s);
    say(fd, "GET /hello HTTP/1.1\r\nHost");
    assert_true(str_starts(hear(fd, NULL), STR("HTTP/1.1 408 ")));
    close(fd);
    assert_alive(s);
    stop(s);
}

static void a_dripping_body_is_cut(void **state)
{
    http_server_config_t c = config_of_tests();
    c.times.body_ms = 400;
    http_server_t *s = start(&c);
    int fd = dial(s);
    const struct timespec nap = {0, 50000000};
    say(fd, "POST /echo HTTP/1.1\r\n" HOST
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; i < 12; i++) {
        (void)!send(fd, "a", 1, MSG_NOSIGNAL);
        nanosleep(&nap, NULL);
    }
    assert_true(str_starts(hear(fd, NULL), STR("HTTP/1.1 408 ")));
    close(fd);
    assert_alive(s);
    stop(s);
}

static void an_idle_connection_is_closed(void **state)
{
    http_server_config_t c = config_of_tests();
    c.times.idle_ms = 200;
    http_server_t *s = start(&c);
    int fd = dial(s);
    say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_ends(hear(fd, NULL), STR("hello")));
    close(fd);
    stop(s);
}

static void a_client_that_takes_nothing_is_cut(void **state)
{
    http_server_config_t c = config_of_tests();
    c.times.write_ms = 300;
    http_server_t *s = start(&c);
    int fd = dial_with(s, 4096);
    const struct timespec nap = {1, 200000000};
    say(fd, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    nanosleep(&nap, NULL);
    str_t got = hear(fd, NULL);
    assert_true(got.n < 3u << 20);
    close(fd);
    assert_alive(s);
    stop(s);
}

static void a_large_answer_arrives_whole(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    str_t answer = ask(s, "GET /large HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_int_equal(count(answer, STR("x")) >= 3u << 20, 1);
    stop(s);
}

static void a_stream_waits_for_its_reader(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    arena_t *a = arena_new(16 << 20);
    int fd = dial_with(s, 4096);
    const struct timespec nap = {0, 300000000};
    say(fd, "GET /stream HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    nanosleep(&nap, NULL);
    /* The reader has not read: the writer stands still with bounded memory. */
    int before = g.streamed;
    nanosleep(&nap, NULL);
    assert_int_equal(before, g.streamed);
    assert_true(before < 4 << 20);
    str_t all = hear(fd, NULL);
    assert_int_equal(g.streamed, 4 << 20);
    assert_true(str_contains(str_first(all, 500), STR("Transfer-Encoding: chunked\r\n")));
    assert_true(str_ends(all, STR("\r\n0\r\n\r\n")));
    assert_true(count(all, STR("y")) >= 4u << 20);
    close(fd);
    arena_free(a);
    stop(s);
}

static void an_http_1_0_stream_ends_with_the_connection(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    int fd = dial(s);
    say(fd, "GET /stream HTTP/1.0\r\n\r\n");
    str_t all = hear(fd, NULL);
    str_t head = str_first(all, 500);
    assert_true(str_contains(head, STR("Connection: close\r\n")));
    assert_false(str_contains(head, STR("chunked")));
    assert_true(str_ends(all, STR("yyyyyyyyyyyyyyyyyyyyyyyy")));
    close(fd);
    stop(s);
}

static bool wait_for(atomic_int *what, int value)
{
    const struct timespec nap = {0, 5000000};
    for (int i = 0; i < 1000 && atomic_load(what) < value; i++)
        nanosleep(&nap, NULL);
    return atomic_load(what) >= value;
}

static void a_gone_reader_of_events_is_told(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    int fd = dial(s);
    say(fd, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_contains(hear(fd, "data: 1\n\n"), STR("data: 1\n\n")));
    close(fd);
    assert_true(wait_for(&g.gone, 1));
    assert_alive(s);
    stop(s);
}

static void an_exchange_outlives_its_client(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    atomic_store(&g.hold, true);
    int fd = dial(s);
    struct linger hard = {1, 0};
    say(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    const struct timespec nap = {0, 100000000};
    nanosleep(&nap, NULL);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd); /* a reset, not an end */
    assert_true(wait_for(&g.gone, 1));
    atomic_store(&g.hold, false);
    assert_alive(s);
    stop(s);
}

static void *join_main(void *arg)
{
    http_server_join(arg);
    return NULL;
}

static void draining_lets_open_requests_finish(void **state)
{
    http_server_config_t c = config_of_tests();
    c.times.drain_ms = 5000;
    http_server_t *s = start(&c);
    atomic_store(&g.hold, true);
    int idle = dial(s), busy = dial(s);
    say(idle, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    hear(idle, "hello");
    say(busy, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    const struct timespec nap = {0, 100000000};
    nanosleep(&nap, NULL);
    http_server_stop(s);
    assert_int_equal(hear(idle, NULL).n, 0); /* the idle one is closed */
    atomic_store(&g.hold, false);
    str_t answer = hear(busy, NULL);
    assert_true(str_contains(answer, STR("Connection: close\r\n")));
    assert_true(str_ends(answer, STR("held")));
    pthread_t joiner;
    assert_int_equal(pthread_create(&joiner, NULL, join_main, s), 0);
    close(idle);
    close(busy);
    pthread_join(joiner, NULL);
    stop(s);
    assert_int_equal(g.exits, 2);
}

static void draining_ends_after_its_time(void **state)
{
    http_server_config_t c = config_of_tests();
    c.times.drain_ms = 300;
    http_server_t *s = start(&c);
    int fd = dial(s);
    say(fd, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    hear(fd, "data: 1\n\n");
    http_server_stop(s);
    str_t rest = hear(fd, NULL);
    assert_false(str_contains(rest, STR("0\r\n\r\n")));
    close(fd);
    stop(s);
    assert_int_equal(g.gone, 1);
}

static void a_signal_drains(void **state)
{
    http_server_config_t c = config_of_tests();
    memset(&g, 0, sizeof g);
    http_server_t *s;
    str_t why;
    assert_int_equal(http_server_new(&c, &s, &why), RC_OK);
    /* Pending before the server waits for it: taken at once. */
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    raise(SIGTERM);
    assert_int_equal(http_server_run(s), RC_OK);
    pthread_sigmask(SIG_UNBLOCK, &term, NULL);
    http_server_free(s);
    assert_int_equal(g.exits, 2);
}

/* attack case: RED-016 (at the level of the writer) */
static void a_split_header_becomes_a_bare_500(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    str_t answer = ask(s, "GET /splitting HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 500 ")));
    assert_false(str_contains(answer, STR("Set-Cookie")));
    assert_false(str_contains(answer, STR("Location")));
    assert_alive(s);
    stop(s);
}

static void connections_of_one_address_are_bounded(void **state)
{
    http_server_config_t c = config_of_tests();
    c.workers = 1;
    c.max_per_address = 3;
    http_server_t *s = start(&c);
    int fd[4];
    for (int i = 0; i < 3; i++) {
        fd[i] = dial(s);
        say(fd[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        hear(fd[i], "hello");
    }
    fd[3] = dial(s);
    assert_int_equal(hear(fd[3], NULL).n, 0);
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    const struct timespec nap = {0, 200000000};
    nanosleep(&nap, NULL);
    assert_alive(s);
    stop(s);
}

static void two_servers_cannot_share_a_port(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c), *second;
    c.port = http_server_port(s);
    assert_int_not_equal(c.port, 0);
    str_t why;
    assert_int_equal(http_server_new(&c, &second, &why), RC_IO);
    assert_true(str_contains(why, STR("in use")));
    stop(s);
}

static rc_t failing_init(void *ctx, http_worker_t *loop, void **worker)
{
    return http_worker_index(loop) == 1 ? RC_IO : RC_OK;
}

static void a_failing_worker_stops_the_start(void **state)
{
    http_server_config_t c = config_of_tests();
    c.worker_init = failing_init;
    http_server_t *s;
    str_t why;
    memset(&g, 0, sizeof g);
    assert_int_equal(http_server_new(&c, &s, &why), RC_OK);
    assert_int_equal(http_server_start(s), RC_IO);
    http_server_free(s);
    assert_int_equal(g.exits, 1);
}

static void an_unstarted_server_is_freed(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s;
    str_t why;
    assert_int_equal(http_server_new(&c, &s, &why), RC_OK);
    http_server_free(s);
}

static http_worker_t *last_loop;

static rc_t remember_loop(void *ctx, http_worker_t *loop, void **worker)
{
    last_loop = loop;
    return RC_OK;
}

static void on_post(void *arg)
{
    atomic_fetch_add(&g.posted, 1);
}

static void a_post_to_an_ended_loop_is_refused(void **state)
{
    http_server_config_t c = config_of_tests();
    c.workers = 1;
    c.worker_exit = NULL;
    last_loop = NULL;
    c.worker_init = remember_loop;
    http_server_t *s = start(&c);
    post_port_t port = http_worker_post(last_loop);
    assert_int_equal(port.post(port.ctx, on_post, NULL), RC_OK);
    assert_true(wait_for(&g.posted, 1));
    http_server_stop(s);
    http_server_join(s);
    assert_int_equal(port.post(port.ctx, on_post, NULL), RC_IO);
    assert_int_equal(g.posted, 1);
    stop(s);
}

/* Many clients at once on both workers, with pool work in between: for TSan. */
static void *hammer(void *arg)
{
    for (int i = 0; i < 40; i++) {
        int fd = dial(arg);
        say(fd,
            i % 4 ? "GET /hello HTTP/1.1\r\n" HOST "\r\n" : "GET /slow HTTP/1.1\r\n" HOST "\r\n");
        char buffer[1024];
        (void)!recv(fd, buffer, sizeof buffer, 0);
        close(fd);
    }
    return NULL;
}

static void many_clients_are_served_at_once(void **state)
{
    http_server_config_t c = config_of_tests();
    http_server_t *s = start(&c);
    pthread_t threads[6];
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, s), 0);
    for (size_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_alive(s);
    stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_kept_for_many_requests),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_chunked_body_may_come_byte_by_byte),
        cmocka_unit_test(a_body_beyond_the_limit_is_413),
        cmocka_unit_test(a_head_beyond_the_limit_is_431),
        cmocka_unit_test(a_slow_head_is_cut),
        cmocka_unit_test(a_dripping_body_is_cut),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_client_that_takes_nothing_is_cut),
        cmocka_unit_test(a_large_answer_arrives_whole),
        cmocka_unit_test(a_stream_waits_for_its_reader),
        cmocka_unit_test(an_http_1_0_stream_ends_with_the_connection),
        cmocka_unit_test(a_gone_reader_of_events_is_told),
        cmocka_unit_test(an_exchange_outlives_its_client),
        cmocka_unit_test(draining_lets_open_requests_finish),
        cmocka_unit_test(draining_ends_after_its_time),
        cmocka_unit_test(a_signal_drains),
        cmocka_unit_test(a_split_header_becomes_a_bare_500),
        cmocka_unit_test(connections_of_one_address_are_bounded),
        cmocka_unit_test(two_servers_cannot_share_a_port),
        cmocka_unit_test(a_failing_worker_stops_the_start),
        cmocka_unit_test(an_unstarted_server_is_freed),
        cmocka_unit_test(a_post_to_an_ended_loop_is_refused),
        cmocka_unit_test(many_clients_are_served_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
