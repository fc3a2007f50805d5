/* How calls and the client itself end, and what is left while a call idles. */
#include "http/http_test_outbound.h"

#include <stdlib.h>
#include <unistd.h>

#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* Answers one request on a connection that stays. */
static int settle(test_upstream_t *up)
{
    test_answer_t a = {0};
    test_start(up, HTTP_POST, STR("1"), &a);
    int fd = test_answer_with(&a, STR(OK_HI));
    assert_int_equal(a.how, HTTP_OUT_DONE);
    return fd;
}

static void assert_alive(test_upstream_t *up)
{
    close(settle(up));
}

static void a_cancel_closes_the_connection(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, STR("1"), &a);
    int fd = test_accept(&up);
    test_hear_request(&up, fd, STR("\r\n\r\n1"));
    http_outbound_cancel(a.call);
    assert_true(test_is_closed(&up, fd));
    assert_int_equal(a.ends, 0);
    close(fd);
    /* Before it is connected, looked up, or told. */
    test_start(&up, HTTP_POST, STR("1"), &a);
    http_outbound_cancel(a.call);
    test_turn_for(&up, 20);
    close(test_accept(&up));
    assert_int_equal(a.heads + a.ends, 0);
    assert_alive(&up);
    test_upstream_close(&up);
}

static void cancel_it(test_answer_t *a)
{
    http_outbound_cancel(a->call);
}

static void a_cancel_from_an_event_is_the_last(void **state)
{
    for (int i = 0; i < 2; i++) {
        test_upstream_t up;
        test_answer_t a = {0};
        *(i ? &a.on_data : &a.on_head) = cancel_it;
        test_upstream_open(&up, (http_outbound_config_t){0});
        test_start(&up, HTTP_POST, STR("1"), &a);
        int fd = test_accept(&up);
        test_hear_request(&up, fd, STR("\r\n\r\n1"));
        test_say_answer(&up, fd,
                        STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "1\r\na\r\n1\r\nb\r\n"));
        assert_true(test_is_closed(&up, fd));
        assert_int_equal(a.body_n, i);
        assert_int_equal(a.ends, 0);
        close(fd);
        assert_alive(&up);
        test_upstream_close(&up);
    }
}

static test_answer_t next;

static void start_next(test_answer_t *a)
{
    test_start(a->up, HTTP_POST, STR("next"), &next);
}

static void an_end_may_start_the_next_request(void **state)
{
    test_upstream_t up;
    test_answer_t a = {.on_end = start_next};
    memset(&next, 0, sizeof next);
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, STR("1"), &a);
    int fd = test_answer_with(&a, STR(OK_HI));
    test_hear_request(&up, fd, STR("next"));
    test_say_answer(&up, fd, STR(OK_HI));
    test_wait_end(&next);
    assert_int_equal(next.how, HTTP_OUT_DONE);
    close(fd);
    test_upstream_close(&up);
}

static void free_it(test_answer_t *a)
{
    http_outbound_free(a->up->o);
    a->up->o = NULL;
}

static void the_client_may_be_freed_from_any_event(void **state)
{
    for (int i = 0; i < 3; i++) {
        test_upstream_t up;
        test_answer_t a = {0}, other = {0};
        *(i == 0 ? &a.on_head : i == 1 ? &a.on_data : &a.on_end) = free_it;
        test_upstream_open(&up, (http_outbound_config_t){0});
        test_start(&up, HTTP_POST, STR("1"), &a);
        int fd = test_accept(&up);
        test_start(&up, HTTP_POST, STR("2"), &other);
        test_hear_request(&up, fd, STR("\r\n\r\n1"));
        test_say_answer(&up, fd, STR(OK_HI));
        test_wait_end(&other);
        assert_int_equal(other.how, HTTP_OUT_ENDED);
        assert_int_equal(a.how, i == 2 ? HTTP_OUT_DONE : HTTP_OUT_ENDED);
        close(fd);
        test_upstream_close(&up);
    }
}

static void the_end_of_the_worker_ends_all(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0}, busy = {0};
    test_upstream_open(&up, (http_outbound_config_t){.max_connections = 1});
    int idle = settle(&up);
    test_start(&up, HTTP_POST, STR("1"), &a);
    test_hear_request(&up, idle, STR("\r\n\r\n1"));
    test_start(&up, HTTP_POST, STR("2"), &busy);
    http_outbound_end_all(&up.worker);
    assert_int_equal(a.ends + busy.ends, 2);
    assert_int_equal(a.how, HTTP_OUT_ENDED);
    http_outbound_request_t r = {.target = STR("/")};
    assert_int_equal(http_outbound_start(up.o, &r, test_events(&a), &a.call), RC_IO);
    assert_true(test_is_closed(&up, idle));
    close(idle);
    test_upstream_close(&up);
}

/* Two upstreams on one worker, freed in either order. */
static void clients_of_one_worker_do_not_mix(void **state)
{
    for (int first = 0; first < 2; first++) {
        test_upstream_t up;
        test_answer_t a = {0};
        http_outbound_t *both[2];
        test_upstream_open(&up, (http_outbound_config_t){0});
        http_outbound_config_t c = {.host = STR("127.0.0.1"), .port = up.port};
        both[0] = up.o;
        assert_int_equal(http_outbound_new(&up.worker, &c, &both[1]), RC_OK);
        int fd = settle(&up);
        up.o = both[1];
        test_start(&up, HTTP_POST, STR("1"), &a);
        close(test_answer_with(&a, STR(OK_HI))); /* on a connection of its own */
        assert_int_equal(a.how, HTTP_OUT_DONE);
        http_outbound_free(both[first]);
        up.o = both[!first];
        close(fd);
        assert_alive(&up);
        test_upstream_close(&up);
    }
}

/* Ten thousand of them idle. */
static void a_stream_that_idles_holds_little(void **state)
{
    assert_true(sizeof(http_outbound_conn_t) + sizeof(http_outbound_call_t) + sizeof(http_tcp_t) <
                900);
    test_upstream_t up;
    static test_answer_t a[200];
    int fds[200];
    memset(a, 0, sizeof a);
    test_upstream_open(&up, (http_outbound_config_t){.body_ms = 30});
    for (int i = 0; i < 200; i++) {
        test_start(&up, HTTP_GET, STR_UNSET, &a[i]);
        fds[i] = test_accept(&up);
        test_hear_request(&up, fds[i], STR("\r\n\r\n"));
        test_say_answer(&up, fds[i],
                        STR("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n"));
    }
    test_turn_for(&up, 100); /* body_ms is not for them */
    for (int i = 0; i < 200; i++) {
        http_outbound_conn_t *c = a[i].call->conn;
        assert_null(a[i].call->out);
        assert_null(c->part);
        assert_null(c->held);
        test_say_answer(&up, fds[i], STR("9\r\ndata: a\n\n\r\n0\r\n\r\n"));
        test_wait_end(&a[i]);
        assert_int_equal(a[i].how, HTTP_OUT_DONE);
        assert_int_equal(a[i].body_n, 9);
        close(fds[i]);
    }
    test_upstream_close(&up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_closes_the_connection),
        cmocka_unit_test(a_cancel_from_an_event_is_the_last),
        cmocka_unit_test(an_end_may_start_the_next_request),
        cmocka_unit_test(the_client_may_be_freed_from_any_event),
        cmocka_unit_test(the_end_of_the_worker_ends_all),
        cmocka_unit_test(clients_of_one_worker_do_not_mix),
        cmocka_unit_test(a_stream_that_idles_holds_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
