/* Limits in size, time and number, seen by real sockets. */
#include "http/http_test_server.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HELLO "GET /hello HTTP/1.1\r\n" HOST "\r\n"

/* Sends POST /echo with a body of n bytes, framed by length. */
static str_t post_body(const http_server_t *s, size_t n)
{
    char head[256];
    char *body = malloc(n + 1);
    assert_non_null(body);
    memset(body, 'b', n);
    body[n] = 0;
    int fd = test_dial(s);
    snprintf(head, sizeof head,
             "POST /echo HTTP/1.1\r\n" HOST "Connection: close\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n",
             n);
    test_say(fd, head);
    (void)!send(fd, body, n, MSG_NOSIGNAL);
    free(body);
    str_t answer = test_hear(fd, NULL);
    close(fd);
    return answer;
}

static void a_body_beyond_the_limit_is_413(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    assert_true(str_starts(post_body(s, 100001), STR("HTTP/1.1 413 ")));
    assert_true(str_starts(post_body(s, 100000), STR("HTTP/1.1 200 ")));
    assert_true(str_starts(post_body(s, 10), STR("HTTP/1.1 200 ")));
    test_assert_alive(s);
    test_server_stop(s);
}

static void a_head_beyond_the_limit_is_431(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    size_t n = 60000;
    char *text = malloc(n + 100);
    assert_non_null(text);
    const char *head = "GET /hello HTTP/1.1\r\n" HOST "A: ";
    memcpy(text, head, strlen(head));
    memset(text + strlen(head), 'a', n);
    memcpy(text + strlen(head) + n, "\r\n\r\n", 5);
    assert_true(str_starts(test_ask(s, text), STR("HTTP/1.1 431 ")));
    free(text);
    test_assert_alive(s);
    test_server_stop(s);
}

static void a_slow_head_is_cut(void **state)
{
    http_server_config_t c = test_server_config();
    c.times.header_ms = 1000;
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    test_say(fd, "GET /hello HTTP/1.1\r\nHost");
    assert_true(str_starts(test_hear(fd, NULL), STR("HTTP/1.1 408 ")));
    close(fd);
    test_assert_alive(s);
    test_server_stop(s);
}

static void a_dripping_body_is_cut(void **state)
{
    http_server_config_t c = test_server_config();
    c.times.body_ms = 400;
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    const struct timespec nap = {0, 50000000};
    test_say(fd, "POST /echo HTTP/1.1\r\n" HOST
                 "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; i < 12; i++) {
        (void)!send(fd, "a", 1, MSG_NOSIGNAL);
        nanosleep(&nap, NULL);
    }
    assert_true(str_starts(test_hear(fd, NULL), STR("HTTP/1.1 408 ")));
    close(fd);
    test_assert_alive(s);
    test_server_stop(s);
}

static void an_idle_connection_is_closed(void **state)
{
    http_server_config_t c = test_server_config();
    c.times.idle_ms = 1000;
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    test_say(fd, HELLO);
    assert_true(str_ends(test_hear(fd, NULL), STR("hello")));
    close(fd);
    test_server_stop(s);
}

static bool is_answered(const http_server_t *s)
{
    int fd = test_dial(s);
    (void)!send(fd, HELLO, strlen(HELLO), MSG_NOSIGNAL);
    bool is = str_ends(test_hear(fd, "hello"), STR("hello"));
    close(fd);
    return is;
}

/* It sees a moment later that others are gone. */
static bool comes_to_answer(const http_server_t *s)
{
    enum { TRIES = 6000 };
    const struct timespec nap = {0, 10000000};
    bool is = is_answered(s);
    for (int i = 0; i < TRIES && !is; i++) {
        nanosleep(&nap, NULL);
        is = is_answered(s);
    }
    return is;
}

/* Its end is behind what is not taken, unseen: that it is gone shows where there is room for one
 * connection only. */
static void a_client_that_takes_nothing_is_cut(void **state)
{
    http_server_config_t c = test_server_config();
    c.workers = 1;
    c.max_per_address = 1;
    c.times.write_ms = 300;
    http_server_t *s = test_server_start(&c);
    int fd = test_dial_with(s, 4096);
    test_say(fd, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    assert_true(comes_to_answer(s));
    str_t got = test_hear(fd, NULL);
    assert_true(got.n < 3u << 20);
    close(fd);
    test_server_stop(s);
}

static void connections_of_one_address_are_bounded(void **state)
{
    http_server_config_t c = test_server_config();
    c.workers = 1;
    c.max_per_address = 3;
    http_server_t *s = test_server_start(&c);
    int fd[4];
    for (int i = 0; i < 3; i++) {
        fd[i] = test_dial(s);
        test_say(fd[i], HELLO);
        test_hear(fd[i], "hello");
    }
    fd[3] = test_dial(s);
    assert_int_equal(test_hear(fd[3], NULL).n, 0);
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    assert_true(comes_to_answer(s));
    test_server_stop(s);
}

/* What a client goes on to send is thrown away for a moment, so that a reset does not take the
 * answer away from it (RFC 9112 section 9.6). */
static void a_client_that_sends_on_still_hears_413(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    assert_true(str_starts(post_body(s, 4 << 20), STR("HTTP/1.1 413 ")));
    test_server_stop(s);
}

/* Fills a worker of twenty with connections that were answered once. */
static void fill(const http_server_t *s, int fd[20])
{
    for (int i = 0; i < 20; i++) {
        fd[i] = test_dial(s);
        test_say(fd[i], HELLO);
        test_hear(fd[i], "hello");
    }
}

/* The line is full: who has waited longest without a question makes room. */
static void the_longest_idle_connection_makes_room(void **state)
{
    http_server_config_t c = test_server_config();
    c.workers = 1;
    c.max_connections = 20;
    http_server_t *s = test_server_start(&c);
    int fd[20];
    fill(s, fd);
    /* The first one speaks again: now the second has been idle longest. */
    test_say(fd[0], HELLO);
    test_hear(fd[0], "hello");
    test_assert_alive(s);
    assert_int_equal(test_hear(fd[1], NULL).n, 0);
    for (int i = 0; i < 20; i++) {
        if (i == 1)
            continue;
        test_say(fd[i], HELLO);
        assert_true(str_ends(test_hear(fd[i], "hello"), STR("hello")));
    }
    for (int i = 0; i < 20; i++)
        close(fd[i]);
    test_server_stop(s);
}

/* All are at work: the next one is told so, and nobody is disturbed. */
static void no_working_connection_makes_room(void **state)
{
    http_server_config_t c = test_server_config();
    c.workers = 1;
    c.max_connections = 20;
    http_server_t *s = test_server_start(&c);
    int fd[20];
    fill(s, fd);
    atomic_store(&test_seen.hold, true);
    for (int i = 0; i < 20; i++)
        test_say(fd[i], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(test_wait_for(&test_seen.holding, 20));
    int late = test_dial(s);
    str_t answer = test_hear(late, NULL);
    assert_true(str_starts(answer, STR("HTTP/1.1 503 ")));
    assert_true(str_contains(answer, STR("Retry-After: 1\r\n")));
    close(late);
    atomic_store(&test_seen.hold, false);
    for (int i = 0; i < 20; i++) {
        assert_true(str_ends(test_hear(fd[i], "held"), STR("held")));
        close(fd[i]);
    }
    assert_true(comes_to_answer(s));
    test_server_stop(s);
}

/* Proxies carry the connections of many clients. */
static void connections_of_a_trusted_proxy_are_not_counted(void **state)
{
    static const http_cidr_t ranges[] = {{{4, {127, 0, 0, 1}}, 32}};
    http_server_config_t c = test_server_config();
    c.workers = 1;
    c.max_per_address = 1;
    c.proxies = (http_proxies_t){ranges, 1};
    http_server_t *s = test_server_start(&c);
    int first = test_dial(s);
    test_say(first, HELLO);
    test_hear(first, "hello");
    test_assert_alive(s);
    close(first);
    test_server_stop(s);
}

/* Far more pipelined requests than a block holds: the reading stops and goes on, none is lost. */
static void a_flood_of_pipelined_requests_is_answered(void **state)
{
    enum { FLOOD = 5000 };
    static const char one[] = HELLO;
    static char flood[FLOOD * sizeof one];
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    atomic_store(&test_seen.hold, true);
    int fd = test_dial(s);
    const struct timespec nap = {0, 50000000};
    for (size_t i = 0; i < FLOOD; i++)
        memcpy(flood + i * (sizeof one - 1), one, sizeof one);
    test_say(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    test_say(fd, flood);
    shutdown(fd, SHUT_WR);
    nanosleep(&nap, NULL);
    atomic_store(&test_seen.hold, false);
    str_t all = test_hear(fd, NULL);
    assert_int_equal(test_count(all, STR("HTTP/1.1 200 OK")), FLOOD + 1);
    close(fd);
    test_server_stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_beyond_the_limit_is_413),
        cmocka_unit_test(a_head_beyond_the_limit_is_431),
        cmocka_unit_test(a_slow_head_is_cut),
        cmocka_unit_test(a_dripping_body_is_cut),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_client_that_takes_nothing_is_cut),
        cmocka_unit_test(connections_of_one_address_are_bounded),
        cmocka_unit_test(a_client_that_sends_on_still_hears_413),
        cmocka_unit_test(the_longest_idle_connection_makes_room),
        cmocka_unit_test(no_working_connection_makes_room),
        cmocka_unit_test(a_flood_of_pipelined_requests_is_answered),
        cmocka_unit_test(connections_of_a_trusted_proxy_are_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
