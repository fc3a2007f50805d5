#include "http/http_test_outbound.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURN_MS = 5, PATIENCE_MS = 60000 };

static void on_tick(uv_timer_t *tick)
{
    http_outbound_tick(tick->data);
}

/* As a worker does before it sleeps. */
static void on_before_sleep(uv_prepare_t *prepare)
{
    http_worker_t *w = prepare->data;
    for (http_deferred_t *d; (d = w->deferred);) {
        w->deferred = d->next;
        if (!w->deferred)
            w->deferred_end = &w->deferred;
        d->queued = false;
        d->fn(d->arg);
    }
}

static void listen_on_loopback(test_upstream_t *up)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof to;
    up->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(up->listener >= 0);
    assert_int_equal(bind(up->listener, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(listen(up->listener, 512), 0);
    assert_int_equal(getsockname(up->listener, (struct sockaddr *)&to, &n), 0);
    up->port = ntohs(to.sin_port);
}

void test_upstream_open(test_upstream_t *up, http_outbound_config_t config)
{
    memset(up, 0, sizeof *up);
    listen_on_loopback(up);
    assert_int_equal(uv_loop_init(&up->worker.loop), 0);
    up->worker.deferred_end = &up->worker.deferred;
    up->before_sleep.data = up->tick.data = &up->worker;
    uv_prepare_init(&up->worker.loop, &up->before_sleep);
    uv_prepare_start(&up->before_sleep, on_before_sleep);
    uv_timer_init(&up->worker.loop, &up->tick);
    uv_timer_start(&up->tick, on_tick, TURN_MS, TURN_MS);
    config.host = str_is_set(config.host) ? config.host : STR("127.0.0.1");
    config.port = config.port ? config.port : up->port;
    config.connect_ms = config.connect_ms ? config.connect_ms : 30000;
    config.head_ms = config.head_ms ? config.head_ms : 40000;
    assert_int_equal(http_outbound_new(&up->worker, &config, &up->o), RC_OK);
}

void test_upstream_close(test_upstream_t *up)
{
    http_outbound_free(up->o);
    assert_null(up->worker.outbounds);
    uv_close((uv_handle_t *)&up->tick, NULL);
    uv_close((uv_handle_t *)&up->before_sleep, NULL);
    uv_run(&up->worker.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&up->worker.loop), 0);
    close(up->listener);
}

void test_turn(test_upstream_t *up)
{
    uv_run(&up->worker.loop, UV_RUN_ONCE);
}

void test_turn_for(test_upstream_t *up, int64_t ms)
{
    int64_t until = http_worker_now_ms(&up->worker) + ms;
    /* Where the machine stands still, time passes in a single turn. */
    for (int64_t turns = 0; turns < ms / TURN_MS || http_worker_now_ms(&up->worker) < until;
         turns++)
        test_turn(up);
}

static void on_head(void *ctx, const http_outbound_head_t *head)
{
    test_answer_t *a = ctx;
    a->heads++;
    a->status = head->status;
    a->has_length = head->has_length;
    a->length = head->length;
    for (size_t i = 0; i < head->headers.n; i++) {
        const http_header_t *f = &head->headers.v[i];
        a->fields_n +=
            (size_t)snprintf(a->fields + a->fields_n, sizeof a->fields - a->fields_n,
                             "%" PRIstr ": %" PRIstr "\n", STR_ARG(f->name), STR_ARG(f->value));
        assert_true(a->fields_n < sizeof a->fields);
    }
    if (a->on_head)
        a->on_head(a);
}

static void on_data(void *ctx, str_t bytes)
{
    test_answer_t *a = ctx;
    assert_int_equal(a->heads, 1);
    assert_int_equal(a->ends, 0);
    if (a->body_n + bytes.n <= sizeof a->body)
        memcpy(a->body + a->body_n, bytes.p, bytes.n);
    a->body_n += bytes.n;
    if (a->on_data)
        a->on_data(a);
}

static void on_end(void *ctx, http_outbound_end_t how)
{
    test_answer_t *a = ctx;
    a->ends++;
    a->how = how;
    a->call = NULL;
    if (a->on_end)
        a->on_end(a);
}

http_outbound_events_t test_events(test_answer_t *a)
{
    return (http_outbound_events_t){on_head, on_data, on_end, a};
}

void test_start(test_upstream_t *up, http_method_t method, str_t body, test_answer_t *a)
{
    http_outbound_request_t r = {.method = method, .target = STR("/mcp"), .body = body};
    int heads = a->heads, ends = a->ends;
    a->up = up;
    assert_int_equal(http_outbound_start(up->o, &r, test_events(a), &a->call), RC_OK);
    /* Never from within. */
    assert_int_equal(a->heads, heads);
    assert_int_equal(a->ends, ends);
}

static int accept_within(test_upstream_t *up, int64_t ms)
{
    int64_t until = http_worker_now_ms(&up->worker) + ms;
    int fd = -1;
    while (fd < 0 && http_worker_now_ms(&up->worker) < until) {
        fd = accept4(up->listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0)
            test_turn(up);
    }
    return fd;
}

int test_accept(test_upstream_t *up)
{
    int fd = accept_within(up, PATIENCE_MS);
    assert_true(fd >= 0);
    return fd;
}

bool test_would_accept(test_upstream_t *up)
{
    int fd = accept_within(up, 100);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

str_t test_hear_request(test_upstream_t *up, int fd, str_t want)
{
    static char heard[1 << 16];
    size_t n = 0;
    int64_t until = http_worker_now_ms(&up->worker) + PATIENCE_MS;
    while (http_worker_now_ms(&up->worker) < until) {
        ssize_t got = recv(fd, heard + n, sizeof heard - n, MSG_DONTWAIT);
        n += got > 0 ? (size_t)got : 0;
        if (str_contains(str_of(heard, n), want))
            return str_of(heard, n);
        test_turn(up);
    }
    fail_msg("not heard: %" PRIstr, STR_ARG(want));
    return STR_UNSET;
}

bool test_say_answer(test_upstream_t *up, int fd, str_t bytes)
{
    int64_t until = http_worker_now_ms(&up->worker) + PATIENCE_MS;
    while (bytes.n) {
        ssize_t sent = send(fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        bytes = str_skip(bytes, sent > 0 ? (size_t)sent : 0);
        if (sent <= 0)
            test_turn(up);
        assert_true(http_worker_now_ms(&up->worker) < until);
    }
    return true;
}

bool test_is_closed(test_upstream_t *up, int fd)
{
    char bytes[4096];
    int64_t until = http_worker_now_ms(&up->worker) + PATIENCE_MS;
    while (http_worker_now_ms(&up->worker) < until) {
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return true;
        if (got < 0)
            test_turn(up);
    }
    return false;
}

void test_wait_end(test_answer_t *a)
{
    int64_t until = http_worker_now_ms(&a->up->worker) + PATIENCE_MS;
    while (a->ends == 0 && http_worker_now_ms(&a->up->worker) < until)
        test_turn(a->up);
    assert_int_equal(a->ends, 1);
}

int test_answer_with(test_answer_t *a, str_t bytes)
{
    int fd = test_accept(a->up);
    test_hear_request(a->up, fd, STR("\r\n\r\n"));
    test_say_answer(a->up, fd, bytes);
    test_wait_end(a);
    return fd;
}
