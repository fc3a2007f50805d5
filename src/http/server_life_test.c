/* How servers start, drain and end. */
#include "http/http_test_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void *join_main(void *arg)
{
    http_server_join(arg);
    return NULL;
}

static void draining_lets_open_requests_finish(void **state)
{
    http_server_config_t c = test_server_config();
    c.times.drain_ms = 60000;
    http_server_t *s = test_server_start(&c);
    atomic_store(&test_seen.hold, true);
    int idle = test_dial(s), busy = test_dial(s);
    test_say(idle, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    test_hear(idle, "hello");
    test_say(busy, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(test_wait_for(&test_seen.holding, 1));
    http_server_stop(s);
    assert_int_equal(test_hear(idle, NULL).n, 0); /* the idle one is closed */
    atomic_store(&test_seen.hold, false);
    str_t answer = test_hear(busy, NULL);
    assert_true(str_contains(answer, STR("Connection: close\r\n")));
    assert_true(str_ends(answer, STR("held")));
    pthread_t joiner;
    assert_int_equal(pthread_create(&joiner, NULL, join_main, s), 0);
    close(idle);
    close(busy);
    pthread_join(joiner, NULL);
    test_server_stop(s);
    assert_int_equal(test_seen.exits, 2);
}

static void draining_ends_after_its_time(void **state)
{
    http_server_config_t c = test_server_config();
    c.times.drain_ms = 300;
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    test_say(fd, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    test_hear(fd, "data: 1\n\n");
    http_server_stop(s);
    str_t rest = test_hear(fd, NULL);
    assert_false(str_contains(rest, STR("0\r\n\r\n")));
    close(fd);
    test_server_stop(s);
    assert_int_equal(test_seen.gone, 1);
}

static void a_signal_drains(void **state)
{
    http_server_config_t c = test_server_config();
    memset(&test_seen, 0, sizeof test_seen);
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
    assert_int_equal(test_seen.exits, 2);
}

static atomic_int reloads;

static void on_reload(void *ctx)
{
    http_server_t **s = ctx;
    assert_non_null(*s);
    if (atomic_fetch_add(&reloads, 1) == 0)
        raise(SIGHUP); /* one that came meanwhile is not lost */
    else
        raise(SIGTERM);
}

static void a_hangup_reloads(void **state)
{
    sigset_t hangup;
    http_server_t *s;
    str_t why;
    http_server_config_t c = test_server_config();
    (void)state;
    memset(&test_seen, 0, sizeof test_seen);
    c.reload = on_reload;
    c.ready_ctx = &s;
    c.ready = NULL;
    assert_int_equal(http_server_new(&c, &s, &why), RC_OK);
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigaddset(&hangup, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &hangup, NULL);
    raise(SIGHUP);
    assert_int_equal(http_server_run(s), RC_OK);
    pthread_sigmask(SIG_UNBLOCK, &hangup, NULL);
    assert_int_equal(atomic_load(&reloads), 2);
    http_server_free(s);
}

/* A server in a process of its own, so that signals can rain on it. */
static void *ask_for_hold(void *arg)
{
    http_server_t *s = arg;
    int fd = test_dial(s);
    test_say(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    str_t answer = test_hear(fd, NULL);
    bool whole = str_ends(answer, STR("held"));
    close(fd);
    return whole ? s : NULL;
}

typedef struct {
    http_server_t *server;
    pthread_t asker;
    int first, then, storm; /* signals, and how many of the second come */
    bool whole;             /* the request under way was answered */
} rain_t;

static void *send_rain(void *arg)
{
    rain_t *r = arg;
    static const struct timespec MOMENT = {0, 1000000};
    void *whole = NULL;
    test_wait_for(&test_seen.holding, 1);
    kill(getpid(), r->first);
    test_wait_for(r->first == SIGHUP ? &reloads : &test_seen.drains, 1);
    for (int i = 0; i < r->storm; i++) {
        kill(getpid(), SIGHUP);
        kill(getpid(), r->then);
        nanosleep(&MOMENT, NULL);
    }
    if (r->then == SIGINT) /* cut, or held for ever */
        pthread_join(r->asker, &whole);
    atomic_store(&test_seen.hold, false);
    if (r->then != SIGINT)
        pthread_join(r->asker, &whole);
    r->whole = whole != NULL;
    return NULL;
}

static void begin_rain(void *ctx)
{
    rain_t *r = ctx;
    atomic_store(&test_seen.hold, true);
    assert_int_equal(pthread_create(&r->asker, NULL, ask_for_hold, r->server), 0);
}

static void count_reload(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&reloads, 1);
}

static void rain(rain_t *r)
{
    sigset_t all;
    str_t why;
    pthread_t sender;
    http_server_config_t c = test_server_config();
    memset(&test_seen, 0, sizeof test_seen);
    atomic_store(&reloads, 0);
    c.times.drain_ms = 60000;
    c.reload = count_reload;
    c.ready = begin_rain;
    c.ready_ctx = r;
    sigemptyset(&all);
    sigaddset(&all, SIGHUP);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGINT);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    assert_int_equal(http_server_new(&c, &r->server, &why), RC_OK);
    assert_int_equal(pthread_create(&sender, NULL, send_rain, r), 0);
    assert_int_equal(http_server_run(r->server), RC_OK);
    pthread_join(sender, NULL);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    http_server_free(r->server);
}

/* attack case: OPS-008 */
static void a_storm_of_sigterm_cuts_nothing(void **state)
{
    rain_t r = {.first = SIGTERM, .then = SIGTERM, .storm = 200};
    (void)state;
    rain(&r);
    assert_true(r.whole);
    assert_int_equal(atomic_load(&reloads), 0);
}

/* attack case: OPS-008 */
static void sigterm_is_seen_in_a_storm_of_sighup(void **state)
{
    rain_t r = {.first = SIGHUP, .then = SIGTERM, .storm = 200};
    (void)state;
    rain(&r);
    assert_true(r.whole);
    assert_in_range(atomic_load(&reloads), 1, 4);
}

static void a_second_sigint_cuts(void **state)
{
    rain_t r = {.first = SIGINT, .then = SIGINT, .storm = 1};
    (void)state;
    rain(&r);
    assert_false(r.whole);
}

static void answers_are_counted(void **state)
{
    http_server_config_t c = test_server_config();
    counters_t *counters = counters_new();
    arena_t *a = arena_new(1 << 20);
    str_t text;
    (void)state;
    c.counters = counters;
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    test_say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    test_hear(fd, "hello");
    test_say(fd, "GET /nothing HTTP/1.1\r\n" HOST "\r\n");
    test_hear(fd, "not_found");
    test_say(fd, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    test_hear(fd, "data: 1\n\n");
    close(fd);
    test_server_stop(s);
    buf_t b = buf_new(a, 1 << 19);
    counters_write(counters, &b);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    assert_true(
        str_contains(text, STR("warder_http_requests_total{route=\"/hello\",status=\"2xx\"} 1\n")));
    assert_true(str_contains(
        text, STR("warder_http_requests_total{route=\"/events\",status=\"2xx\"} 1\n")));
    assert_true(
        str_contains(text, STR("warder_http_requests_total{route=\"\",status=\"4xx\"} 1\n")));
    assert_true(str_contains(text, STR("warder_http_request_seconds_count 3\n")));
    arena_free(a);
    counters_free(counters);
}

static void two_servers_cannot_share_a_port(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c), *second;
    c.port = http_server_port(s);
    assert_int_not_equal(c.port, 0);
    str_t why;
    assert_int_equal(http_server_new(&c, &second, &why), RC_IO);
    assert_true(str_contains(why, STR("in use")));
    test_server_stop(s);
}

static rc_t failing_init(void *ctx, http_worker_t *loop, void **worker)
{
    return http_worker_index(loop) == 1 ? RC_IO : RC_OK;
}

static void a_failing_worker_stops_the_start(void **state)
{
    http_server_config_t c = test_server_config();
    c.worker_init = failing_init;
    http_server_t *s;
    str_t why;
    memset(&test_seen, 0, sizeof test_seen);
    assert_int_equal(http_server_new(&c, &s, &why), RC_OK);
    assert_int_equal(http_server_start(s), RC_IO);
    http_server_free(s);
    assert_int_equal(test_seen.exits, 1);
}

static void an_unstarted_server_is_freed(void **state)
{
    http_server_config_t c = test_server_config();
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
    atomic_fetch_add(&test_seen.posted, 1);
}

static void a_post_to_an_ended_loop_is_refused(void **state)
{
    http_server_config_t c = test_server_config();
    c.workers = 1;
    c.worker_exit = NULL;
    last_loop = NULL;
    c.worker_init = remember_loop;
    http_server_t *s = test_server_start(&c);
    post_port_t port = http_worker_post(last_loop);
    assert_int_equal(port.post(port.ctx, on_post, NULL), RC_OK);
    assert_true(test_wait_for(&test_seen.posted, 1));
    http_server_stop(s);
    http_server_join(s);
    assert_int_equal(port.post(port.ctx, on_post, NULL), RC_IO);
    assert_int_equal(test_seen.posted, 1);
    test_server_stop(s);
}

static rc_t new_server(const http_server_config_t *c, str_t *why)
{
    http_server_t *s;
    rc_t rc = http_server_new(c, &s, why);
    if (rc != RC_OK)
        assert_null(s);
    http_server_free(s);
    return rc;
}

static void an_address_that_is_none_is_refused(void **state)
{
    http_server_config_t c = test_server_config();
    str_t why = STR_UNSET;
    c.host = STR("localhost");
    assert_int_equal(new_server(&c, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("not an IPv4 or IPv6 address")));
}

static void an_address_of_another_machine_is_refused(void **state)
{
    http_server_config_t c = test_server_config();
    str_t why = STR_UNSET;
    c.host = STR("192.0.2.1");
    assert_int_equal(new_server(&c, &why), RC_IO);
    assert_true(str_contains(why, STR("cannot listen")));
}

static void an_unsound_table_is_refused(void **state)
{
    static const http_route_t rows[] = {{STR_INIT("no-slash"), HTTP_M(GET), NULL}};
    static const http_app_t app = {.routes = {rows, 1}};
    http_server_config_t c = test_server_config();
    str_t why = STR_UNSET;
    c.app = &app;
    assert_int_equal(new_server(&c, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("slash")));
}

static rc_t no_random(void *ctx, void *p, size_t n)
{
    return RC_IO;
}

static void without_randomness_there_is_no_server(void **state)
{
    http_server_config_t c = test_server_config();
    str_t why = STR_UNSET;
    c.random.fill = no_random;
    assert_int_equal(new_server(&c, &why), RC_IO);
    assert_true(str_is_set(why));
}

static void a_server_listens_on_ipv6(void **state)
{
    http_server_config_t c = test_server_config();
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        print_message("skipped: this machine has no IPv6\n");
        skip();
    }
    c.host = STR("::1");
    http_server_t *s = test_server_start(&c);
    to.sin6_port = htons(http_server_port(s));
    assert_int_not_equal(to.sin6_port, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    test_say(fd, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_true(str_ends(test_hear(fd, NULL), STR("hello")));
    close(fd);
    test_server_stop(s);
}

static void hold_the_loop(void *arg)
{
    const struct timespec nap = {0, 1000000};
    while (atomic_load((atomic_bool *)arg))
        nanosleep(&nap, NULL);
}

static void a_full_queue_of_posts_is_busy(void **state)
{
    http_server_config_t c = test_server_config();
    atomic_bool held = true;
    c.workers = 1;
    c.worker_exit = NULL;
    c.worker_init = remember_loop;
    http_server_t *s = test_server_start(&c);
    post_port_t port = http_worker_post(last_loop);
    assert_int_equal(port.post(port.ctx, hold_the_loop, &held), RC_OK);
    int taken = 0;
    while (taken < 2 * LIMIT_HTTP_POSTS && port.post(port.ctx, on_post, NULL) == RC_OK)
        taken++;
    assert_true(taken == LIMIT_HTTP_POSTS || taken == LIMIT_HTTP_POSTS - 1);
    assert_int_equal(port.post(port.ctx, on_post, NULL), RC_BUSY);
    atomic_store(&held, false);
    assert_true(test_wait_for(&test_seen.posted, taken));
    test_assert_alive(s);
    test_server_stop(s);
}

/* Two applications: each with a worker of its own, the last one ended first. */

static atomic_int hook_count;
static char hook_log[16];

static void note(char what)
{
    hook_log[atomic_fetch_add(&hook_count, 1) % (int)sizeof hook_log] = what;
}

static rc_t init_letter(void *app_ctx, http_worker_t *loop, void **worker)
{
    note(*(char *)app_ctx);
    *worker = app_ctx;
    return *(char *)app_ctx == 'X' ? RC_IO : RC_OK;
}

static void drain_letter(void *app_ctx, void *worker)
{
    assert_ptr_equal(app_ctx, worker);
    note('-');
}

static void exit_letter(void *app_ctx, void *worker)
{
    assert_ptr_equal(app_ctx, worker);
    note((char)(*(char *)worker + 'a' - 'A'));
}

static void say_letter(http_exchange_t *x)
{
    http_reply(x, 200, HTTP_NO_HEADERS, str_of(x->worker, 1));
}

static const http_route_t LETTER_A[] = {{STR_INIT("/a"), HTTP_M(GET), say_letter}};
static const http_route_t LETTER_ALL[] = {
    {STR_INIT("/"), HTTP_M(GET), say_letter, .flags = HTTP_ROUTE_PREFIX}};
static const http_app_t APP_A = {{LETTER_A, 1}, (void *)(uintptr_t) "A", NULL, NULL, NULL};
static const http_app_t APP_B = {{LETTER_ALL, 1}, (void *)(uintptr_t) "B", NULL, NULL, NULL};
static const http_app_t APP_X = {{LETTER_ALL, 1}, (void *)(uintptr_t) "X", NULL, NULL, NULL};

static http_server_config_t letters(const http_mount_t *mounts, size_t n)
{
    http_server_config_t c = http_server_defaults();
    c.mounts = mounts;
    c.mount_count = n;
    atomic_store(&hook_count, 0);
    memset(hook_log, 0, sizeof hook_log);
    return c;
}

static void each_mount_has_a_worker_of_its_own(void **state)
{
    const http_mount_t mounts[] = {{&APP_A, init_letter, drain_letter, exit_letter},
                                   {&APP_B, init_letter, drain_letter, exit_letter}};
    http_server_config_t c = letters(mounts, 2);
    http_server_t *s = test_server_start(&c);
    assert_true(str_ends(test_ask(s, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
                         STR("\r\n\r\nA")));
    assert_true(str_ends(test_ask(s, "GET /b HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
                         STR("\r\n\r\nB")));
    test_server_stop(s);
    assert_string_equal(hook_log, "AB--ba");
}

static void a_mount_that_fails_ends_those_before_it(void **state)
{
    const http_mount_t mounts[] = {{&APP_A, init_letter, drain_letter, exit_letter},
                                   {&APP_X, init_letter, drain_letter, exit_letter}};
    http_server_config_t c = letters(mounts, 2);
    http_server_t *s;
    str_t why;
    assert_int_equal(http_server_new(&c, &s, &why), RC_OK);
    assert_int_equal(http_server_start(s), RC_IO);
    http_server_free(s);
    assert_string_equal(hook_log, "AX-a");
}

static void no_or_too_many_applications_are_refused(void **state)
{
    const http_mount_t mounts[HTTP_MOUNTS_MAX + 1] = {{.app = &APP_A}};
    http_server_config_t c = letters(mounts, HTTP_MOUNTS_MAX + 1);
    http_server_t *s;
    str_t why;
    assert_int_equal(http_server_new(&c, &s, &why), RC_CONFIG);
    c.mount_count = 0;
    assert_int_equal(http_server_new(&c, &s, &why), RC_CONFIG);
    c.mount_count = 1;
    assert_int_equal(http_server_new(&c, &s, &why), RC_OK);
    http_server_free(s);
}

/* Deferred work. */

static struct {
    http_worker_t *loop;
    http_deferred_t once, then;
    atomic_int runs, followers;
    int at_first_run; /* how many followers had run by then */
} late;

static void run_then(void *arg)
{
    atomic_fetch_add(&late.followers, 1);
}

static void run_once(void *arg)
{
    late.at_first_run = atomic_load(&late.followers);
    http_worker_defer(late.loop, &late.then);
    atomic_fetch_add(&late.runs, 1);
}

static rc_t defer_at_start(void *app_ctx, http_worker_t *loop, void **worker)
{
    memset(&late, 0, sizeof late);
    late.loop = loop;
    late.once = (http_deferred_t){NULL, run_once, NULL, false};
    late.then = (http_deferred_t){NULL, run_then, NULL, false};
    http_worker_defer(loop, &late.once);
    return RC_OK;
}

static void defer_from_post(void *arg)
{
    http_worker_defer(late.loop, &late.once);
    http_worker_defer(late.loop, &late.once);
    assert_true(late.once.queued);
}

static void defer_at_drain(void *app_ctx, void *worker)
{
    defer_from_post(NULL);
}

static void deferred_work_runs_before_the_loop_sleeps(void **state)
{
    const http_mount_t mount = {&APP_A, defer_at_start, defer_at_drain, NULL};
    http_server_config_t c = letters(&mount, 1);
    http_server_t *s = test_server_start(&c);
    assert_true(test_wait_for(&late.followers, 1));
    post_port_t port = http_worker_post(late.loop);
    assert_int_equal(port.post(port.ctx, defer_from_post, NULL), RC_OK);
    assert_true(test_wait_for(&late.followers, 2));
    assert_int_equal(late.at_first_run, 1);
    assert_int_equal(late.runs, 2);
    test_server_stop(s);
    /* Queued while the worker ends: not lost. */
    assert_int_equal(late.runs, 3);
    assert_int_equal(late.followers, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_lets_open_requests_finish),
        cmocka_unit_test(draining_ends_after_its_time),
        cmocka_unit_test(a_signal_drains),
        cmocka_unit_test(a_hangup_reloads),
        cmocka_unit_test(a_storm_of_sigterm_cuts_nothing),
        cmocka_unit_test(sigterm_is_seen_in_a_storm_of_sighup),
        cmocka_unit_test(a_second_sigint_cuts),
        cmocka_unit_test(answers_are_counted),
        cmocka_unit_test(two_servers_cannot_share_a_port),
        cmocka_unit_test(a_failing_worker_stops_the_start),
        cmocka_unit_test(an_unstarted_server_is_freed),
        cmocka_unit_test(a_post_to_an_ended_loop_is_refused),
        cmocka_unit_test(an_address_that_is_none_is_refused),
        cmocka_unit_test(an_address_of_another_machine_is_refused),
        cmocka_unit_test(an_unsound_table_is_refused),
        cmocka_unit_test(without_randomness_there_is_no_server),
        cmocka_unit_test(a_server_listens_on_ipv6),
        cmocka_unit_test(a_full_queue_of_posts_is_busy),
        cmocka_unit_test(each_mount_has_a_worker_of_its_own),
        cmocka_unit_test(a_mount_that_fails_ends_those_before_it),
        cmocka_unit_test(no_or_too_many_applications_are_refused),
        cmocka_unit_test(deferred_work_runs_before_the_loop_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
