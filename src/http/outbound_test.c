/* The client against a scripted upstream: what it sends, keeps, repeats, and when it stops. */
#include "http/http_test_outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK_HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static void a_request_is_answered(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    http_outbound_request_t r = {
        .method = HTTP_POST,
        .target = STR("/mcp?a=b"),
        .headers = HTTP_HEADERS({STR("Accept"), STR("application/json")}, {STR("X"), STR_UNSET}),
        .body = STR("{}"),
    };
    a.up = &up;
    assert_int_equal(http_outbound_start(up.o, &r, test_events(&a), &a.call), RC_OK);
    int fd = test_accept(&up);
    char want[200];
    snprintf(want, sizeof want,
             "POST /mcp?a=b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: 2\r\n"
             "Accept: application/json\r\n\r\n{}",
             (unsigned)up.port);
    str_t heard = test_hear_request(&up, fd, STR("{}"));
    assert_true(str_eq(heard, str_c(want)));
    test_say_answer(
        &up, fd,
        STR("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n"
            "Connection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Y: z\r\n\r\nhi"));
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_DONE);
    assert_int_equal(a.status, 201);
    assert_true(a.has_length);
    assert_int_equal(a.length, 2);
    assert_string_equal(a.fields, "X-Y: z\n");
    assert_true(str_eq(str_of(a.body, a.body_n), STR("hi")));
    close(fd);
    test_upstream_close(&up);
}

static void a_name_is_looked_up(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){.host = STR("localhost")});
    test_start(&up, HTTP_GET, STR_UNSET, &a);
    close(test_answer_with(&a, STR(OK_HI)));
    assert_int_equal(a.how, HTTP_OUT_DONE);
    test_upstream_close(&up);
}

static void a_connection_is_used_again(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0}, b = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, STR("1"), &a);
    int fd = test_answer_with(&a, STR(OK_HI));
    test_start(&up, HTTP_POST, STR("2"), &b);
    test_hear_request(&up, fd, STR("\r\n\r\n2"));
    test_say_answer(&up, fd,
                    STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "2\r\nho\r\n0\r\nT: x\r\n\r\n"));
    test_wait_end(&b);
    assert_int_equal(b.how, HTTP_OUT_DONE);
    assert_true(str_eq(str_of(b.body, b.body_n), STR("ho")));
    assert_false(test_would_accept(&up));
    close(fd);
    test_upstream_close(&up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered),
        cmocka_unit_test(a_name_is_looked_up),
        cmocka_unit_test(a_connection_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
