/* A reader that is slower than the upstream: while it pauses nothing is told and nothing is read.
 */
#include "http/http_test_outbound.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK "HTTP/1.1 200 OK\r\n"

static void pause_it(test_answer_t *a)
{
    http_outbound_pause(a->call);
}

static int begin(test_upstream_t *up, test_answer_t *a, str_t bytes)
{
    test_start(up, HTTP_POST, STR("1"), a);
    int fd = test_accept(up);
    test_hear_request(up, fd, STR("\r\n\r\n1"));
    test_say_answer(up, fd, bytes);
    test_turn_for(up, 30);
    return fd;
}

static void pausing_backs_up_to_the_peer(void **state)
{
    static char block[1 << 16];
    static test_answer_t a;
    test_upstream_t up;
    memset(&a, 0, sizeof a);
    a.on_data = pause_it;
    test_upstream_open(&up, (http_outbound_config_t){0});
    int fd = begin(&up, &a, STR(OK "Connection: close\r\n\r\nx"));
    assert_int_equal(a.body_n, 1);
    size_t said = 0;
    for (int stalled = 0; stalled < 50 && said < 64 << 20;) {
        ssize_t n = send(fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
        said += n > 0 ? (size_t)n : 0;
        stalled = n > 0 ? 0 : stalled + 1;
        test_turn(&up);
    }
    assert_true(said < 64 << 20);
    assert_int_equal(a.body_n, 1);
    assert_int_equal(a.ends, 0);
    shutdown(fd, SHUT_WR);
    a.on_data = NULL;
    http_outbound_resume(a.call);
    assert_int_equal(a.body_n, 1); /* not from within */
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_DONE);
    assert_int_equal(a.body_n, said + 1);
    close(fd);
    test_upstream_close(&up);
}

static void after_a_pause_comes_not_one_piece_more(void **state)
{
    test_upstream_t up;
    test_answer_t a = {.on_data = pause_it};
    test_upstream_open(&up, (http_outbound_config_t){.body_ms = 50});
    int fd = begin(&up, &a,
                   STR(OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n"
                          "0\r\n\r\n"));
    for (size_t n = 1; n <= 3; n++) {
        /* Longer than body_ms, which is for the peer. */
        test_turn_for(&up, 80);
        assert_int_equal(a.body_n, n);
        assert_int_equal(a.ends, 0);
        http_outbound_resume(a.call);
        http_outbound_resume(a.call);
        assert_int_equal(a.body_n, n);
    }
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_DONE);
    assert_true(str_eq(str_of(a.body, a.body_n), STR("abc")));
    /* The connection is as good as any. */
    test_answer_t b = {0};
    test_start(&up, HTTP_POST, STR("2"), &b);
    test_hear_request(&up, fd, STR("\r\n\r\n2"));
    test_say_answer(&up, fd, STR(OK "Content-Length: 0\r\n\r\n"));
    test_wait_end(&b);
    assert_int_equal(b.how, HTTP_OUT_DONE);
    close(fd);
    test_upstream_close(&up);
}

static void the_end_waits_for_the_reader(void **state)
{
    test_upstream_t up;
    test_answer_t a = {.on_data = pause_it};
    test_upstream_open(&up, (http_outbound_config_t){.body_ms = 30});
    int fd = begin(&up, &a, STR(OK "Content-Length: 2\r\n\r\nhi"));
    test_turn_for(&up, 60); /* longer than body_ms */
    assert_int_equal(a.body_n, 2);
    assert_int_equal(a.ends, 0);
    http_outbound_resume(a.call);
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_DONE);
    close(fd);
    test_upstream_close(&up);
}

static void a_pause_before_the_head_holds_it_back(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){.head_ms = 60});
    test_start(&up, HTTP_POST, STR("1"), &a);
    http_outbound_pause(a.call);
    int fd = test_accept(&up);
    test_hear_request(&up, fd, STR("\r\n\r\n1"));
    test_say_answer(&up, fd, STR(OK "Content-Length: 2\r\n\r\nhi"));
    test_turn_for(&up, 120); /* longer than head_ms, which is for the peer */
    assert_int_equal(a.heads, 0);
    assert_int_equal(a.ends, 0);
    http_outbound_resume(a.call);
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_DONE);
    assert_int_equal(a.body_n, 2);
    close(fd);
    test_upstream_close(&up);
}

static void a_pause_may_begin_and_end_before_the_connection(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, STR("1"), &a);
    http_outbound_pause(a.call);
    http_outbound_resume(a.call);
    close(test_answer_with(&a, STR(OK "Content-Length: 2\r\n\r\nhi")));
    assert_int_equal(a.how, HTTP_OUT_DONE);
    test_upstream_close(&up);
}

static void pause_for_a_moment(test_answer_t *a)
{
    http_outbound_pause(a->call);
    http_outbound_resume(a->call);
}

static void a_pause_may_end_where_it_began(void **state)
{
    test_upstream_t up;
    test_answer_t a = {.on_head = pause_for_a_moment, .on_data = pause_for_a_moment};
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, STR("1"), &a);
    close(test_answer_with(&a, STR(OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n"
                                      "0\r\n\r\n")));
    assert_int_equal(a.how, HTTP_OUT_DONE);
    assert_int_equal(a.body_n, 2);
    test_upstream_close(&up);
}

static void a_cancel_while_pausing_closes(void **state)
{
    test_upstream_t up;
    test_answer_t a = {.on_data = pause_it};
    test_upstream_open(&up, (http_outbound_config_t){0});
    int fd = begin(&up, &a, STR(OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n"));
    assert_non_null(a.call->conn->held);
    http_outbound_cancel(a.call);
    assert_true(test_is_closed(&up, fd));
    assert_int_equal(a.ends, 0);
    close(fd);
    /* Also once its resumption is due. */
    test_answer_t b = {.on_data = pause_it};
    fd = begin(&up, &b, STR(OK "Content-Length: 2\r\n\r\nhi"));
    http_outbound_resume(b.call);
    http_outbound_cancel(b.call);
    test_turn_for(&up, 20);
    assert_int_equal(b.ends, 0);
    close(fd);
    test_upstream_close(&up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pausing_backs_up_to_the_peer),
        cmocka_unit_test(after_a_pause_comes_not_one_piece_more),
        cmocka_unit_test(the_end_waits_for_the_reader),
        cmocka_unit_test(a_pause_before_the_head_holds_it_back),
        cmocka_unit_test(a_pause_may_begin_and_end_before_the_connection),
        cmocka_unit_test(a_pause_may_end_where_it_began),
        cmocka_unit_test(a_cancel_while_pausing_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
