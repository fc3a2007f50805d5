/* An upstream that means harm: every answer is bounded and told apart, nothing bleeds into the next
 * one. attack case: GWH-021 */
#include "http/http_test_outbound.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK    "HTTP/1.1 200 OK\r\n"
#define OK_HI OK "Content-Length: 2\r\n\r\nhi"

static void assert_alive(test_upstream_t *up)
{
    test_answer_t a = {0};
    test_start(up, HTTP_POST, STR("1"), &a);
    int fd = test_answer_with(&a, STR(OK_HI));
    assert_int_equal(a.how, HTTP_OUT_DONE);
    assert_true(str_eq(str_of(a.body, a.body_n), STR("hi")));
    close(fd);
}

static const struct {
    const char *name;
    const char *bytes;
    int heads;
    const char *body; /* told before the end */
    http_outbound_end_t how;
} CASES[] = {
    {"no http", "SSH-2.0-OpenSSH_9\r\n", 0, "", HTTP_OUT_MALFORMED},
    {"both length and coding", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "",
     HTTP_OUT_MALFORMED},
    {"no framing", OK "\r\nhi", 0, "", HTTP_OUT_MALFORMED},
    {"switching protocols", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", 0, "",
     HTTP_OUT_MALFORMED},
    {"bad chunk size", OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 1, "", HTTP_OUT_MALFORMED},
    {"chunk size with a sign", OK "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 1, "",
     HTTP_OUT_MALFORMED},
    {"endless chunk size", OK "Transfer-Encoding: chunked\r\n\r\n000000000", 1, "",
     HTTP_OUT_MALFORMED},
    {"chunk longer than it says", OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 1, "a",
     HTTP_OUT_MALFORMED},
    {"chunk with a bare lf", OK "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n", 1, "",
     HTTP_OUT_MALFORMED},
    {"malformed trailer", OK "Transfer-Encoding: chunked\r\n\r\n0\r\nA B: c\r\n\r\n", 1, "",
     HTTP_OUT_MALFORMED},
    {"cut head", OK "Content-Le", 0, "", HTTP_OUT_BROKEN},
    {"cut before a byte", "", 0, "", HTTP_OUT_BROKEN},
    {"cut behind continue", "HTTP/1.1 100 Continue\r\n\r\n", 0, "", HTTP_OUT_BROKEN},
    {"cut body", OK "Content-Length: 9\r\n\r\nhi", 1, "hi", HTTP_OUT_BROKEN},
    {"cut chunk", OK "Transfer-Encoding: chunked\r\n\r\n9\r\nhi", 1, "hi", HTTP_OUT_BROKEN},
    {"no last chunk", OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", 1, "hi", HTTP_OUT_BROKEN},
    {"cut trailer", OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n", 1, "hi",
     HTTP_OUT_BROKEN},
    /* and controls */
    {"to the end", OK "Connection: close\r\n\r\nhi", 1, "hi", HTTP_OUT_DONE},
    {"to the end, empty", "HTTP/1.0 200 OK\r\n\r\n", 1, "", HTTP_OUT_DONE},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", 1, "", HTTP_OUT_DONE},
    {"length", OK_HI, 1, "hi", HTTP_OUT_DONE},
    {"two answers", OK_HI OK "Content-Length: 4\r\n\r\nevil", 1, "hi", HTTP_OUT_DONE},
};

enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

static void say_in_pieces(test_upstream_t *up, int fd, str_t bytes, size_t piece)
{
    while (bytes.n && test_say_answer(up, fd, str_first(bytes, piece))) {
        bytes = str_skip(bytes, piece);
        if (bytes.n)
            test_turn(up);
    }
}

static void run_case(test_upstream_t *up, size_t i, size_t piece)
{
    test_answer_t a = {0};
    str_t bytes = str_c(CASES[i].bytes), body = str_c(CASES[i].body);
    test_start(up, HTTP_POST, STR("1"), &a);
    int fd = test_accept(up);
    test_hear_request(up, fd, STR("\r\n\r\n1"));
    say_in_pieces(up, fd, bytes, piece ? piece : bytes.n);
    shutdown(fd, SHUT_WR);
    test_wait_end(&a);
    if (a.how != CASES[i].how || a.heads != CASES[i].heads)
        print_message("%s: %d after %d heads\n", CASES[i].name, a.how, a.heads);
    assert_int_equal(a.how, CASES[i].how);
    assert_int_equal(a.heads, CASES[i].heads);
    assert_true(str_eq(str_of(a.body, a.body_n), body));
    assert_true(test_is_closed(up, fd));
    close(fd);
    assert_alive(up);
}

static void answers_end_as_the_table_says(void **state)
{
    test_upstream_t up;
    test_upstream_open(&up, (http_outbound_config_t){0});
    for (size_t i = 0; i < CASE_COUNT; i++)
        run_case(&up, i, 0);
    test_upstream_close(&up);
}

static void they_end_so_byte_by_byte(void **state)
{
    test_upstream_t up;
    test_upstream_open(&up, (http_outbound_config_t){0});
    for (size_t i = 0; i < CASE_COUNT; i++)
        run_case(&up, i, 1);
    test_upstream_close(&up);
}

static void a_reset_in_the_middle_is_broken(void **state)
{
    static const char *const rows[] = {OK "Content-Length: 9\r\n\r\nhi",
                                       OK "Connection: close\r\n\r\nhi"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_upstream_t up;
        test_answer_t a = {0};
        struct linger now = {1, 0};
        test_upstream_open(&up, (http_outbound_config_t){0});
        test_start(&up, HTTP_POST, STR("1"), &a);
        int fd = test_accept(&up);
        test_hear_request(&up, fd, STR("\r\n\r\n1"));
        test_say_answer(&up, fd, str_c(rows[i]));
        test_turn_for(&up, 20);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
        test_wait_end(&a);
        assert_int_equal(a.how, HTTP_OUT_BROKEN);
        assert_int_equal(a.body_n, 2);
        assert_alive(&up);
        test_upstream_close(&up);
    }
}

/* Says `line` again and again until the client hangs up, or `max` bytes; how many it took. */
static size_t flood(test_upstream_t *up, const char *begin, const char *line, size_t max,
                    test_answer_t *a)
{
    static char block[1 << 16];
    size_t n = 0, step = strlen(line);
    for (; n + step < sizeof block; n += step)
        memcpy(block + n, line, step);
    test_start(up, HTTP_POST, STR("1"), a);
    int fd = test_accept(up);
    test_hear_request(up, fd, STR("\r\n\r\n1"));
    size_t said = strlen(begin);
    bool open = test_say_answer(up, fd, str_c(begin));
    while (open && said < max && a->ends == 0) {
        open = test_say_answer(up, fd, str_of(block, n));
        said += n;
        test_turn(up);
    }
    test_wait_end(a);
    assert_true(test_is_closed(up, fd));
    close(fd);
    return said;
}

static void a_gigabyte_of_headers_is_malformed_early(void **state)
{
    static const char *const lines[] = {"A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n", "aaaaaaaaaaaaaaaa",
                                        "A:\r\n"};
    test_upstream_t up;
    test_upstream_open(&up, (http_outbound_config_t){0});
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        test_answer_t a = {0};
        assert_true(flood(&up, OK, lines[i], 1 << 30, &a) < 8 << 20);
        assert_int_equal(a.how, HTTP_OUT_MALFORMED);
        assert_int_equal(a.heads, 0);
        assert_alive(&up);
    }
    test_upstream_close(&up);
}

static void a_flood_of_interim_answers_is_malformed(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0}, b = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    assert_true(flood(&up, "", "HTTP/1.1 100 Continue\r\n\r\n", 1 << 30, &a) < 8 << 20);
    assert_int_equal(a.how, HTTP_OUT_MALFORMED);
    assert_int_equal(a.heads, 0);
    /* A few are read over. */
    test_start(&up, HTTP_POST, STR("1"), &b);
    close(test_answer_with(&b, STR("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                                   "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_HI)));
    assert_int_equal(b.how, HTTP_OUT_DONE);
    assert_int_equal(b.status, 200);
    assert_string_equal(b.fields, "");
    test_upstream_close(&up);
}

static void a_flood_of_trailers_is_malformed(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){0});
    assert_true(flood(&up, OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", 1 << 30, &a) <
                8 << 20);
    assert_int_equal(a.how, HTTP_OUT_MALFORMED);
    assert_alive(&up);
    test_upstream_close(&up);
}

/* What is never to end is passed on in pieces and held nowhere. */
static void a_body_that_never_ends_is_the_readers_to_end(void **state)
{
    test_upstream_t up;
    static test_answer_t a;
    static char block[1 << 16];
    memset(&a, 0, sizeof a);
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, STR("1"), &a);
    int fd = test_accept(&up);
    test_hear_request(&up, fd, STR("\r\n\r\n1"));
    test_say_answer(&up, fd, STR(OK "Connection: close\r\n\r\n"));
    for (int i = 0; i < 200; i++)
        assert_true(test_say_answer(&up, fd, str_of(block, sizeof block)));
    assert_null(a.call->conn->held);
    http_outbound_cancel(a.call);
    assert_true(test_is_closed(&up, fd));
    close(fd);
    assert_alive(&up);
    test_upstream_close(&up);
}

/* A byte now and then for as long as the client listens. */
static void drip(test_upstream_t *up, str_t head, char byte, test_answer_t *a)
{
    test_start(up, HTTP_POST, STR("1"), a);
    int fd = test_accept(up);
    test_hear_request(up, fd, STR("\r\n\r\n1"));
    test_say_answer(up, fd, head);
    int64_t until = http_worker_now_ms(&up->worker) + 3000;
    while (a->ends == 0 && http_worker_now_ms(&up->worker) < until) {
        (void)!send(fd, &byte, 1, MSG_NOSIGNAL);
        test_turn_for(up, 2);
    }
    test_wait_end(a);
    close(fd);
}

static void a_head_that_drips_is_a_timeout(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    test_upstream_open(&up, (http_outbound_config_t){.head_ms = 200});
    drip(&up, STR(OK "A: "), 'a', &a);
    assert_int_equal(a.how, HTTP_OUT_TIMEOUT);
    assert_alive(&up);
    test_upstream_close(&up);
}

static void silence_is_a_timeout(void **state)
{
    static const struct {
        str_t said;
        int heads;
    } rows[] = {{STR_INIT(""), 0},
                {STR_INIT(OK "Content-Length: 9\r\n\r\nhi"), 1},
                {STR_INIT(OK "Transfer-Encoding: chunked\r\n\r\n"), 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_upstream_t up;
        test_answer_t a = {0};
        test_upstream_open(&up, (http_outbound_config_t){.head_ms = 500, .body_ms = 500});
        test_start(&up, HTTP_POST, STR("1"), &a);
        int fd = test_answer_with(&a, rows[i].said);
        assert_int_equal(a.how, HTTP_OUT_TIMEOUT);
        assert_int_equal(a.heads, rows[i].heads);
        assert_true(test_is_closed(&up, fd));
        close(fd);
        test_upstream_close(&up);
    }
}

static void a_request_that_nobody_reads_is_a_timeout(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    size_t n = 16 << 20;
    char *body = calloc(1, n);
    assert_non_null(body);
    test_upstream_open(&up, (http_outbound_config_t){.head_ms = 200});
    test_start(&up, HTTP_POST, str_of(body, n), &a);
    free(body); /* it is a copy that is sent */
    int fd = test_accept(&up);
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_TIMEOUT);
    close(fd);
    assert_alive(&up);
    test_upstream_close(&up);
}

/* An answer before the request was read whole: it counts, but the connection is of no more use. */
static void an_early_answer_ends_the_connection(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    size_t n = 16 << 20;
    char *body = calloc(1, n);
    assert_non_null(body);
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, str_of(body, n), &a);
    free(body);
    int fd =
        test_answer_with(&a, STR("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"));
    assert_int_equal(a.how, HTTP_OUT_DONE);
    assert_int_equal(a.status, 413);
    assert_true(test_is_closed(&up, fd));
    close(fd);
    assert_alive(&up);
    test_upstream_close(&up);
}

static void a_large_request_arrives_whole(void **state)
{
    test_upstream_t up;
    test_answer_t a = {0};
    size_t n = 16 << 20, heard = 0;
    char *body = malloc(n), piece[1 << 14];
    assert_non_null(body);
    memset(body, 'x', n);
    test_upstream_open(&up, (http_outbound_config_t){0});
    test_start(&up, HTTP_POST, str_of(body, n), &a);
    free(body);
    int fd = test_accept(&up);
    int64_t until = http_worker_now_ms(&up.worker) + 60000;
    while (heard < n && http_worker_now_ms(&up.worker) < until) {
        ssize_t got = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
        for (ssize_t i = 0; i < got; i++)
            heard += piece[i] == 'x';
        if (got <= 0)
            test_turn(&up);
    }
    assert_int_equal(heard, n);
    test_say_answer(&up, fd, STR(OK_HI));
    test_wait_end(&a);
    assert_int_equal(a.how, HTTP_OUT_DONE);
    close(fd);
    test_upstream_close(&up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_end_as_the_table_says),
        cmocka_unit_test(they_end_so_byte_by_byte),
        cmocka_unit_test(a_reset_in_the_middle_is_broken),
        cmocka_unit_test(a_gigabyte_of_headers_is_malformed_early),
        cmocka_unit_test(a_flood_of_interim_answers_is_malformed),
        cmocka_unit_test(a_flood_of_trailers_is_malformed),
        cmocka_unit_test(a_body_that_never_ends_is_the_readers_to_end),
        cmocka_unit_test(a_head_that_drips_is_a_timeout),
        cmocka_unit_test(silence_is_a_timeout),
        cmocka_unit_test(a_request_that_nobody_reads_is_a_timeout),
        cmocka_unit_test(an_early_answer_ends_the_connection),
        cmocka_unit_test(a_large_request_arrives_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
