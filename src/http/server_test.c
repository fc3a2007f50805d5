/* A server over loopback: answers, streams, clients that go. */
#include "http/http_test_server.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void a_connection_is_kept_for_many_requests(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    for (int i = 0; i < 50; i++) {
        test_say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        assert_true(str_ends(test_hear(fd, "hello"), STR("hello")));
    }
    test_say(fd, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    str_t last = test_hear(fd, NULL);
    assert_true(str_contains(last, STR("Connection: close\r\n")));
    close(fd);
    test_server_stop(s);
    assert_int_equal(test_seen.workers, 2);
    assert_int_equal(test_seen.exits, 2);
    assert_int_equal(test_seen.drains, 2);
    assert_true(test_seen.timer_runs > 0);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    test_say(fd, "GET /slow HTTP/1.1\r\n" HOST "\r\n"
                 "POST /echo HTTP/1.1\r\n" HOST
                 "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=1"
                 "GET /slow HTTP/1.1\r\n" HOST "\r\n"
                 "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    str_t all = test_hear(fd, NULL);
    assert_int_equal(test_count(all, STR("HTTP/1.1 200 OK")), 4);
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
    test_server_stop(s);
}

static void a_chunked_body_may_come_byte_by_byte(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    const char *text =
        "POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/x-www-form-urlencoded\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n2;x\r\n&c\r\n0\r\nT: u\r\n\r\n";
    for (const char *p = text; *p; p++)
        assert_int_equal(send(fd, p, 1, MSG_NOSIGNAL), 1);
    assert_true(str_ends(test_hear(fd, "a=b&c"), STR("\r\n\r\na=b&c")));
    close(fd);
    test_server_stop(s);
}

static void a_large_answer_arrives_whole(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    str_t answer = test_ask(s, "GET /large HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_int_equal(test_count(answer, STR("x")) >= 3u << 20, 1);
    test_server_stop(s);
}

static void a_stream_waits_for_its_reader(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    arena_t *a = arena_new(16 << 20);
    int fd = test_dial_with(s, 4096);
    const struct timespec nap = {0, 300000000};
    int before;
    test_say(fd, "GET /stream HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_true(test_wait_for(&test_seen.streamed, 1));
    /* The reader has not read: the writer comes to a stand with bounded memory. */
    do {
        before = test_seen.streamed;
        nanosleep(&nap, NULL);
    } while (before != test_seen.streamed);
    assert_true(before < 4 << 20);
    str_t all = test_hear(fd, NULL);
    assert_int_equal(test_seen.streamed, 4 << 20);
    assert_true(str_contains(str_first(all, 500), STR("Transfer-Encoding: chunked\r\n")));
    assert_true(str_ends(all, STR("\r\n0\r\n\r\n")));
    assert_true(test_count(all, STR("y")) >= 4u << 20);
    close(fd);
    arena_free(a);
    test_server_stop(s);
}

static void an_http_1_0_stream_ends_with_the_connection(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    test_say(fd, "GET /stream HTTP/1.0\r\n\r\n");
    str_t all = test_hear(fd, NULL);
    str_t head = str_first(all, 500);
    assert_true(str_contains(head, STR("Connection: close\r\n")));
    assert_false(str_contains(head, STR("chunked")));
    assert_true(str_ends(all, STR("yyyyyyyyyyyyyyyyyyyyyyyy")));
    close(fd);
    test_server_stop(s);
}

static void a_gone_reader_of_events_is_told(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    int fd = test_dial(s);
    test_say(fd, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_contains(test_hear(fd, "data: 1\n\n"), STR("data: 1\n\n")));
    close(fd);
    assert_true(test_wait_for(&test_seen.gone, 1));
    test_assert_alive(s);
    test_server_stop(s);
}

static void an_exchange_outlives_its_client(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    atomic_store(&test_seen.hold, true);
    int fd = test_dial(s);
    struct linger hard = {1, 0};
    test_say(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    assert_true(test_wait_for(&test_seen.holding, 1));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd); /* a reset, not an end */
    assert_true(test_wait_for(&test_seen.gone, 1));
    atomic_store(&test_seen.hold, false);
    test_assert_alive(s);
    test_server_stop(s);
}

/* attack case: RED-016 (at the level of the writer) */
static void a_split_header_becomes_a_bare_500(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    str_t answer = test_ask(s, "GET /splitting HTTP/1.1\r\n" HOST "\r\n");
    assert_true(str_starts(answer, STR("HTTP/1.1 500 ")));
    assert_false(str_contains(answer, STR("Set-Cookie")));
    assert_false(str_contains(answer, STR("Location")));
    test_assert_alive(s);
    test_server_stop(s);
}

/* Many clients at once on both workers, with pool work in between: for TSan. */
static void *hammer(void *arg)
{
    for (int i = 0; i < 40; i++) {
        int fd = test_dial(arg);
        test_say(fd, i % 4 ? "GET /hello HTTP/1.1\r\n" HOST "\r\n"
                           : "GET /slow HTTP/1.1\r\n" HOST "\r\n");
        char buffer[1024];
        (void)!recv(fd, buffer, sizeof buffer, 0);
        close(fd);
    }
    return NULL;
}

static void many_clients_are_served_at_once(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    pthread_t threads[6];
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, s), 0);
    for (size_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    test_assert_alive(s);
    test_server_stop(s);
}

static void a_client_that_ended_its_side_gets_all_answers(void **state)
{
    http_server_config_t c = test_server_config();
    http_server_t *s = test_server_start(&c);
    str_t all = test_ask(s, "GET /slow HTTP/1.1\r\n" HOST "\r\nGET /slow HTTP/1.1\r\n" HOST
                            "\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(test_count(all, STR("HTTP/1.1 200 OK")), 3);
    assert_true(str_ends(all, STR("hello")));
    test_server_stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_kept_for_many_requests),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_chunked_body_may_come_byte_by_byte),
        cmocka_unit_test(a_large_answer_arrives_whole),
        cmocka_unit_test(a_stream_waits_for_its_reader),
        cmocka_unit_test(an_http_1_0_stream_ends_with_the_connection),
        cmocka_unit_test(a_gone_reader_of_events_is_told),
        cmocka_unit_test(an_exchange_outlives_its_client),
        cmocka_unit_test(a_split_header_becomes_a_bare_500),
        cmocka_unit_test(many_clients_are_served_at_once),
        cmocka_unit_test(a_client_that_ended_its_side_gets_all_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
