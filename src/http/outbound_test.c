/* The client against a scripted upstream: what it sends, keeps, repeats, and when it stops. */
#include "http/http_test_outbound.h"
#include "http/outbound_request.h"

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

static void a_connection_that_was_closed_while_idle_is_not_used(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    close(settle(&up)); /* the loop does not turn: the client has not heard of it */
    test_start(&up, HTTP_POST, STR("2"), &a);
    close(test_answer_with(&a, STR(OK_HI)));
    assert_int_equal(a.how, HTTP_OUT_DONE);
    test_upstream_close(&up);
}

/* The second request on a connection is read and answered by its end. */
static void end_on_second(http_method_t method, bool again, test_upstream_t *up, test_answer_t *a)
{
    http_outbound_request_t r = {.method = method, .target = STR("/mcp"), .again = again};
    test_upstream_open(up, (http_outbound_config_t){0});
    int fd = settle(up);
    a->up = up;
    assert_int_equal(http_outbound_start(up->o, &r, test_events(a), &a->call), RC_OK);
    test_hear_request(up, fd, STR("\r\n\r\n"));
    close(fd);
}

static void a_request_that_may_be_repeated_is_sent_once_more(void **state)
{
    static const struct {
        http_method_t method;
        bool again;
    } rows[] = {{HTTP_GET, false}, {HTTP_DELETE, false}, {HTTP_POST, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_upstream_t up;
        test_answer_t a = {0};
        end_on_second(rows[i].method, rows[i].again, &up, &a);
        close(test_answer_with(&a, STR(OK_HI)));
        assert_int_equal(a.how, HTTP_OUT_DONE);
        test_upstream_close(&up);
    }
}

static void a_request_with_effects_is_not_repeated(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    end_on_second(HTTP_POST, false, &up, &a);
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_BROKEN);
    assert_int_equal(a.heads, 0);
    assert_false(test_would_accept(&up));
    assert_alive(&up);
    test_upstream_close(&up);
}

static void a_request_is_repeated_only_once(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    end_on_second(HTTP_GET, false, &up, &a);
    int fd = test_accept(&up);
    test_hear_request(&up, fd, STR("\r\n\r\n"));
    close(fd);
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_BROKEN);
    assert_false(test_would_accept(&up));
    test_upstream_close(&up);
}

static void a_byte_of_an_answer_rules_out_a_repetition(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    int fd = settle(&up);
    test_start(&up, HTTP_GET, STR_UNSET, &a);
    test_hear_request(&up, fd, STR("\r\n\r\n"));
    test_say_answer(&up, fd, STR("H"));
    close(fd);
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_BROKEN);
    assert_false(test_would_accept(&up));
    test_upstream_close(&up);
}

/* Response queue poisoning: what comes before anybody asked answers nothing. */
static void bytes_on_an_idle_connection_close_it(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    int fd = settle(&up);
    test_say_answer(&up, fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
    assert_true(test_is_closed(&up, fd));
    close(fd);
    fd = settle(&up);
    /* The same, before the loop has looked. */
    test_say_answer(&up, fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
    test_start(&up, HTTP_POST, STR("2"), &a);
    close(test_answer_with(&a, STR(OK_HI)));
    assert_true(str_eq(str_of(a.body, a.body_n), STR("hi")));
    close(fd);
    test_upstream_close(&up);
}

static void bytes_behind_an_answer_close_the_connection(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, STR("1"), &a);
    int fd = test_answer_with(&a, STR(OK_HI OK_HI));
    assert_int_equal(a.how, HTTP_OUT_DONE);
    assert_int_equal(a.body_n, 2);
    assert_true(test_is_closed(&up, fd));
    close(fd);
    assert_alive(&up);
    test_upstream_close(&up);
}

static void a_connection_is_closed_when_the_peer_says_so(void **state)
{
    static const char *const rows[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_upstream_t up;
        test_answer_t a = {0};
        test_upstream_open(&up, (http_outbound_config_t){0});
        test_start(&up, HTTP_POST, STR("1"), &a);
        int fd = test_answer_with(&a, str_c(rows[i]));
        assert_int_equal(a.how, HTTP_OUT_DONE);
        assert_true(test_is_closed(&up, fd));
        close(fd);
        test_upstream_close(&up);
    }
}

static void an_idle_connection_ends_after_its_time(void **state)
{
    test_upstream_t up;
    test_upstream_open(&up, (http_outbound_config_t){.idle_ms = 50});
    int fd = settle(&up);
    assert_true(test_is_closed(&up, fd));
    close(fd);
    test_upstream_close(&up);
}

static void more_than_the_maximum_is_busy(void **state)
{
    test_upstream_t up;
    test_answer_t a[3] = {0};
    test_upstream_open(&up, (http_outbound_config_t){.max_connections = 2, .max_idle = 1});
    for (int i = 0; i < 3; i++)
        test_start(&up, HTTP_POST, STR("1"), &a[i]);
    test_wait_end(&a[2]);
    assert_int_equal(a[2].how, HTTP_OUT_BUSY);
    int one = test_answer_with(&a[0], STR(OK_HI)), two = test_answer_with(&a[1], STR(OK_HI));
    /* One of them is kept, there is no place for the other. */
    assert_true(test_is_closed(&up, two));
    test_answer_t again = {0};
    test_start(&up, HTTP_POST, STR("2"), &again);
    test_hear_request(&up, one, STR("\r\n\r\n2"));
    test_say_answer(&up, one, STR(OK_HI));
    test_wait_end(&again);
    close(one);
    close(two);
    test_upstream_close(&up);
}

static void nobody_there_is_unreachable(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
    } rows[] = {{"127.0.0.1", 1}, {"::1", 1}, {"no.such.name.invalid", 80}, {"192.0.2.1", 80}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_upstream_t up;
        test_answer_t a = {0};
        test_upstream_open(&up, (http_outbound_config_t){.host = str_c(rows[i].host),
                                                         .port = rows[i].port,
                                                         .connect_ms = 300});
        test_start(&up, HTTP_POST, STR("1"), &a);
        test_wait_end(&a);
        assert_int_equal(a.how, HTTP_OUT_UNREACHABLE);
        test_upstream_close(&up);
    }
}

static void a_host_that_is_none_is_refused(void **state)
{
    static const char *const rows[] = {"", "a b", "a/b", "a:80", "[::1]", "a\r\nb", "a%41", "u@a"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_worker_t worker = {0};
        http_outbound_t *o;
        http_outbound_config_t c = {.host = str_c(rows[i]), .port = 80};
        assert_int_equal(http_outbound_new(&worker, &c, &o), RC_MALFORMED);
    }
}

static void a_bad_header_starts_nothing(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    http_outbound_request_t r = {.target = STR("/"),
                                 .headers = HTTP_HEADERS({STR("A"), STR("b\r\nC: d")})};
    assert_int_equal(http_outbound_start(up.o, &r, test_events(&a), &a.call), RC_MALFORMED);
    assert_false(test_would_accept(&up));
    assert_int_equal(a.ends, 0);
    assert_alive(&up);
    test_upstream_close(&up);
}

/* RFC 9110 section 5.5: what a client wrote there is opaque. */
static void bytes_beyond_ascii_go_on(void **state)
{
    char *out;
    size_t n;
    http_outbound_request_t r = {.target = STR("/"),
                                 .headers = HTTP_HEADERS({STR("X-Title"), STR("caf\xc3\xa9")})};
    (void)state;
    assert_int_equal(http_outbound_write(&r, STR("h"), &out, &n), RC_OK);
    assert_true(str_contains(str_of(out, n), STR("\r\nX-Title: caf\xc3\xa9\r\n")));
    free(out);
    r.headers = HTTP_HEADERS({STR("X-Title\xc3\xa9"), STR("a")});
    assert_int_equal(http_outbound_write(&r, STR("h"), &out, &n), RC_MALFORMED);
    r.headers = HTTP_HEADERS({STR("X-Title"), STR("\xc3\n")});
    assert_int_equal(http_outbound_write(&r, STR("h"), &out, &n), RC_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered),
        cmocka_unit_test(a_name_is_looked_up),
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(a_connection_that_was_closed_while_idle_is_not_used),
        cmocka_unit_test(a_request_that_may_be_repeated_is_sent_once_more),
        cmocka_unit_test(a_request_with_effects_is_not_repeated),
        cmocka_unit_test(a_request_is_repeated_only_once),
        cmocka_unit_test(a_byte_of_an_answer_rules_out_a_repetition),
        cmocka_unit_test(bytes_on_an_idle_connection_close_it),
        cmocka_unit_test(bytes_behind_an_answer_close_the_connection),
        cmocka_unit_test(a_connection_is_closed_when_the_peer_says_so),
        cmocka_unit_test(an_idle_connection_ends_after_its_time),
        cmocka_unit_test(more_than_the_maximum_is_busy),
        cmocka_unit_test(nobody_there_is_unreachable),
        cmocka_unit_test(a_host_that_is_none_is_refused),
        cmocka_unit_test(a_bad_header_starts_nothing),
        cmocka_unit_test(bytes_beyond_ascii_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
