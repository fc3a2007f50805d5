/* How servers start, drain and end. */
#include "http/http_test_server.h"

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
    c.times.drain_ms = 5000;
    http_server_t *s = test_server_start(&c);
    atomic_store(&test_seen.hold, true);
    int idle = test_dial(s), busy = test_dial(s);
    test_say(idle, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    test_hear(idle, "hello");
    test_say(busy, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    const struct timespec nap = {0, 100000000};
    nanosleep(&nap, NULL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_lets_open_requests_finish),
        cmocka_unit_test(draining_ends_after_its_time),
        cmocka_unit_test(a_signal_drains),
        cmocka_unit_test(two_servers_cannot_share_a_port),
        cmocka_unit_test(a_failing_worker_stops_the_start),
        cmocka_unit_test(an_unstarted_server_is_freed),
        cmocka_unit_test(a_post_to_an_ended_loop_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
