#include "http/direct.h"
#include "http/http_test_wire.h"

static void *seen_worker;

static void hello(http_exchange_t *x)
{
    seen_worker = x->worker;
    assert_null(x->loop);
    http_reply(x, 200, HTTP_NO_HEADERS, STR("hello"));
}

static const http_route_t ROUTES[] = {{STR_INIT("/"), HTTP_M(GET), hello}};
static const http_app_t APP = {.routes = {ROUTES, 1}};

static void a_handler_runs_without_a_socket(void **state)
{
    int worker;
    arena_t *a = arena_new(1 << 20);
    http_direct_t *d = http_direct_new(&APP, &worker);
    http_direct_answer_t answer = http_direct_run(d, a, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(answer.status, 200);
    assert_text(answer.body, "hello");
    assert_ptr_equal(seen_worker, &worker);
    assert_false(http_direct_closed(d));
    http_direct_hang_up(d);
    assert_true(http_direct_closed(d));
    http_direct_send(d, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_direct_reset(d);
    assert_int_equal(http_direct_output(d).n, 0);
    answer = http_direct_run(d, a, STR("GET / HT"));
    assert_int_equal(answer.status, 0);
    http_direct_free(d);
    http_direct_free(NULL);
    arena_free(a);
}

static void chunks_are_joined(void **state)
{
    arena_t *a = arena_new(1 << 20);
    http_direct_answer_t out;
    assert_int_equal(
        http_direct_parse(a,
                          STR("HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
                          &out),
        RC_OK);
    assert_text(out.body, "abc");
    assert_text(http_headers_get(out.headers, STR("a")), "b");
    arena_free(a);
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    };
    arena_t *a = arena_new(1 << 20), *poor = arena_new(1);
    http_direct_answer_t out;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(http_direct_parse(a, str_c(rows[i]), &out), RC_MALFORMED);
    assert_int_equal(http_direct_parse(poor, STR("HTTP/1.1 200 OK\r\n\r\n"), &out), RC_MEMORY);
    arena_free(a);
    arena_free(poor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_runs_without_a_socket),
        cmocka_unit_test(chunks_are_joined),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
