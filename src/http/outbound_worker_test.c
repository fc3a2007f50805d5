/* The client within a server: a worker passes requests on to another server, and both end. */
#include "http/http_test_server.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "http/outbound_conn.h"

/* One exchange and the call that answers it. */
typedef struct {
    http_exchange_t *x;
    http_outbound_call_t *call;
    bool begun;
    char waits[HTTP_OUT_READ_BYTES]; /* a piece that the client had no room for */
    size_t waits_n;
} pass_t;

static uint16_t upstream_port;
static atomic_int ended; /* calls, by HTTP_OUT_ENDED */

static void pass_writable(void *ctx, http_exchange_t *x)
{
    pass_t *p = ctx;
    if (http_stream_write(x, str_of(p->waits, p->waits_n)) == RC_OK)
        http_outbound_resume(p->call);
}

static void pass_head(void *ctx, const http_outbound_head_t *head)
{
    pass_t *p = ctx;
    http_headers_t type =
        HTTP_HEADERS({STR("Content-Type"), http_headers_get(head->headers, STR("content-type"))});
    p->begun = http_stream_begin(p->x, head->status, type,
                                 (http_stream_events_t){pass_writable, p}) == RC_OK;
}

static void pass_data(void *ctx, str_t bytes)
{
    pass_t *p = ctx;
    if (http_stream_write(p->x, bytes) == RC_OK)
        return;
    memcpy(p->waits, bytes.p, bytes.n);
    p->waits_n = bytes.n;
    http_outbound_pause(p->call);
}

static void pass_end(void *ctx, http_outbound_end_t how)
{
    pass_t *p = ctx;
    http_exchange_t *x = p->x;
    atomic_fetch_add(&ended, how == HTTP_OUT_ENDED);
    http_exchange_on_gone(x, NULL, NULL);
    if (!p->begun)
        http_reply_error(x, 502, STR("the upstream did not answer"));
    else if (how == HTTP_OUT_DONE)
        http_stream_end(x);
    else
        http_stream_abort(x);
    free(p);
}

static void pass_gone(void *ctx, http_exchange_t *x)
{
    pass_t *p = ctx;
    http_outbound_cancel(p->call);
    http_stream_abort(x);
    free(p);
}

static void pass(http_exchange_t *x)
{
    pass_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->x = x;
    http_outbound_request_t r = {.method = x->method, .target = x->path};
    http_outbound_events_t events = {pass_head, pass_data, pass_end, p};
    assert_int_equal(http_outbound_start(x->worker, &r, events, &p->call), RC_OK);
    http_exchange_on_gone(x, pass_gone, p);
}

static rc_t worker_init(void *ctx, http_worker_t *loop, void **worker)
{
    http_outbound_config_t c = {.host = STR("127.0.0.1"), .port = upstream_port};
    http_outbound_t *o = NULL;
    rc_t rc = http_outbound_new(loop, &c, &o);
    *worker = o;
    return rc;
}

static void worker_exit(void *ctx, void *worker)
{
    http_outbound_free(worker);
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/hello"), HTTP_M(GET), pass},
    {STR_INIT("/large"), HTTP_M(GET), pass},
    {STR_INIT("/stream"), HTTP_M(GET), pass},
    {STR_INIT("/events"), HTTP_M(GET), pass},
};

static const http_app_t APP = {.routes = {ROUTES, sizeof ROUTES / sizeof *ROUTES}};

typedef struct {
    http_server_t *upstream, *gateway;
} pair_t;

static pair_t pair_start(void)
{
    pair_t p;
    str_t why;
    http_server_config_t up = test_server_config(), c = test_server_config();
    p.upstream = test_server_start(&up);
    upstream_port = http_server_port(p.upstream);
    atomic_store(&ended, 0);
    c.app = &APP;
    c.worker_init = worker_init;
    c.worker_drain = NULL;
    c.worker_exit = worker_exit;
    c.times.drain_ms = 200;
    assert_int_equal(http_server_new(&c, &p.gateway, &why), RC_OK);
    assert_int_equal(http_server_start(p.gateway), RC_OK);
    return p;
}

static void gateway_stop(pair_t *p)
{
    http_server_stop(p->gateway);
    http_server_join(p->gateway);
    http_server_free(p->gateway);
}

static void a_server_passes_requests_on(void **state)
{
    pair_t p = pair_start();
    for (int i = 0; i < 20; i++) {
        str_t answer = test_ask(p.gateway, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        assert_true(str_starts(answer, STR("HTTP/1.1 200 OK\r\n")));
        assert_true(str_contains(answer, STR("hello")));
    }
    gateway_stop(&p);
    test_server_stop(p.upstream);
}

/* What a slow client does not take waits in the upstream's socket, not here. */
static void a_slow_client_slows_the_upstream(void **state)
{
    pair_t p = pair_start();
    const struct timespec nap = {0, 100000000};
    int fd = test_dial_with(p.gateway, 4096);
    test_say(fd, "GET /stream HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    nanosleep(&nap, NULL);
    size_t n = 0;
    char piece[65536];
    for (ssize_t got; (got = read(fd, piece, sizeof piece)) > 0;) {
        for (ssize_t i = 0; i < got; i++)
            n += piece[i] == 'y';
    }
    assert_int_equal(n, (4 << 20) + 1); /* and the one in X-Content-Type-Options */
    close(fd);
    gateway_stop(&p);
    test_server_stop(p.upstream);
}

static void a_client_that_goes_is_told_upstream(void **state)
{
    pair_t p = pair_start();
    int fd = test_dial(p.gateway);
    test_say(fd, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    test_hear(fd, "data: 1\n\n");
    close(fd);
    assert_true(test_wait_for(&test_seen.gone, 1));
    gateway_stop(&p);
    test_server_stop(p.upstream);
}

static void a_worker_that_ends_cuts_its_streams(void **state)
{
    pair_t p = pair_start();
    int fd = test_dial(p.gateway);
    test_say(fd, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    test_hear(fd, "data: 1\n\n");
    gateway_stop(&p);
    assert_true(test_wait_for(&test_seen.gone, 1));
    close(fd);
    test_server_stop(p.upstream);
}

static void a_client_waiting_for_nobody_gets_a_502(void **state)
{
    pair_t p = pair_start();
    test_server_stop(p.upstream);
    str_t answer = test_ask(p.gateway, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 502 ")));
    gateway_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_passes_requests_on),
        cmocka_unit_test(a_slow_client_slows_the_upstream),
        cmocka_unit_test(a_client_that_goes_is_told_upstream),
        cmocka_unit_test(a_worker_that_ends_cuts_its_streams),
        cmocka_unit_test(a_client_waiting_for_nobody_gets_a_502),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
