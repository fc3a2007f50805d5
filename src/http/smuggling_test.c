/* Requests behind requests: after bytes that two readers could frame differently, nothing more may
 * be answered, and the connection must end. */
#include "http/direct.h"
#include "http/http_test_wire.h"

static int hits, posts;

static void hit(http_exchange_t *x)
{
    hits++;
    http_reply(x, 200, HTTP_NO_HEADERS, STR("hit"));
}

static void post(http_exchange_t *x)
{
    posts++;
    http_reply(x, 200, HTTP_NO_HEADERS, x->body);
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/hit"), HTTP_M(GET), hit},
    {STR_INIT("/post"), HTTP_M(POST), post, 1 << 20, .flags = HTTP_ROUTE_ANY_TYPE},
};
static const http_app_t APP = {.routes = {ROUTES, 2}};

#define POST "POST /post HTTP/1.1\r\nHost: a.test\r\n"
#define HIT  "GET /hit HTTP/1.1\r\nHost: a.test\r\n\r\n"

/* attack case: GWH-001, GWH-003, GWH-005, GWH-006, GWH-007 */
static void a_doubtful_frame_ends_the_connection(void **state)
{
    static const struct {
        const char *why, *bytes, *status;
    } rows[] = {
        {"CL.TE", POST "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400"},
        {"TE.CL",
         POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\nGPOST\r\n0\r\n\r\n",
         "400"},
        {"TE.TE", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n",
         "400"},
        {"TE.TE, other case", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"},
        {"TE behind a space", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400"},
        {"TE folded", POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400"},
        {"TE behind a bare LF", POST "A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"TE behind a bare CR", POST "A: b\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"TE in HTTP/1.0", "POST /post HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"two lengths", POST "Content-Length: 0\r\nContent-Length: 44\r\n\r\n", "400"},
        {"a list of lengths", POST "Content-Length: 0, 44\r\n\r\n", "400"},
        {"a signed length", POST "Content-Length: +0\r\n\r\n", "400"},
        {"a hexadecimal length", POST "Content-Length: 0x0\r\n\r\n", "400"},
        {"a length that wraps", POST "Content-Length: 18446744073709551616\r\n\r\n", "400"},
        {"a signed chunk", POST "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n", "400"},
        {"a hexadecimal prefix", POST "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n", "400"},
        {"a chunk that wraps", POST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
         "400"},
        {"a chunk ended by LF", POST "Transfer-Encoding: chunked\r\n\r\n0\n\r\n", "400"},
        {"a chunk longer than it says",
         POST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", "400"},
        {"a bare LF in an extension", POST "Transfer-Encoding: chunked\r\n\r\n0;\n\r\n\r\n", "400"},
        {"a folded trailer", POST "Transfer-Encoding: chunked\r\n\r\n0\r\na: b\r\n c\r\n\r\n",
         "400"},
        {"a body where none is taken",
         "GET /hit HTTP/1.1\r\nHost: a.test\r\nContent-Length: 44\r\n\r\n", "413"},
        {"a body behind an unknown expectation", POST "Expect: x\r\nContent-Length: 44\r\n\r\n",
         "417"},
        {"an early answer with its body outstanding",
         "POST /none HTTP/1.1\r\nHost: a.test\r\nContent-Length: 44\r\n\r\n", "404"},
        {"a method with a body that is not taken",
         "PUT /post HTTP/1.1\r\nHost: a.test\r\nContent-Length: 44\r\n\r\n", "405"},
        {"OPTIONS with a body", "OPTIONS * HTTP/1.1\r\nHost: a.test\r\nContent-Length: 44\r\n\r\n",
         "204"},
        {"HTTP/0.9", "GET /hit\r\n", "400"},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "501"},
        {"CONNECT", "CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n", "501"},
        {"TRACE", "TRACE /hit HTTP/1.1\r\nHost: a.test\r\n\r\n", "501"},
        {"another host in the target", "GET http://b.test/hit HTTP/1.1\r\nHost: a.test\r\n\r\n",
         "400"},
        {"HTTP/1.0 keep-alive", "GET /hit HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200"},
    };
    http_direct_t *d = http_direct_new(&APP, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hits = posts = 0;
        http_direct_reset(d);
        http_direct_send(d, str_c(rows[i].bytes));
        http_direct_send(d, STR(HIT));
        str_t out = http_direct_output(d);
        if (!str_eq(str_first(str_skip(out, 9), 3), str_c(rows[i].status)))
            fail_msg("%s: %" PRIstr, rows[i].why, STR_ARG(out));
        assert_int_equal(test_count(out, STR("HTTP/1.1 ")), 1);
        assert_true(str_contains(out, STR("\r\nConnection: close\r\n")));
        assert_true(http_direct_closed(d));
        assert_int_equal(posts, 0);
        assert_int_equal(hits, str_c(rows[i].status).p[0] == '2' && rows[i].status[2] == '0');
    }
    http_direct_free(d);
}

/* The controls: what is framed well is followed by the next request, at its exact byte. */
static void a_clear_frame_is_followed_by_the_next_request(void **state)
{
    static const char *const rows[] = {
        POST "Content-Length: 5\r\n\r\nGET /",
        POST "Content-Length: 005\r\n\r\nGET /",
        POST "Content-Length: 0\r\n\r\n",
        POST "\r\n",
        POST "Transfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n",
        POST "Transfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nGET /\r\n000\r\nT: u\r\n\r\n",
        POST "Content-Length: 5\r\n\r\nGET /\r\n",
    };
    http_direct_t *d = http_direct_new(&APP, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hits = posts = 0;
        http_direct_reset(d);
        http_direct_send(d, str_c(rows[i]));
        http_direct_send(d, STR(HIT));
        assert_int_equal(posts, 1);
        assert_int_equal(hits, 1);
        assert_false(http_direct_closed(d));
        assert_int_equal(test_count(http_direct_output(d), STR("HTTP/1.1 200 OK")), 2);
    }
    http_direct_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_doubtful_frame_ends_the_connection),
        cmocka_unit_test(a_clear_frame_is_followed_by_the_next_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
