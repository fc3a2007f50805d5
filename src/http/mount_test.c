/* Several applications behind one listener: who gets a request, and whose hooks see it. */
#include "http/http_test_wire.h"

#include <stdio.h>

#include "core/buf.h"
#include "http/direct.h"

/* Answers with what the exchange says it belongs to. */
static void tell(http_exchange_t *x)
{
    const char *app = x->app, *worker = x->worker;
    buf_t b = buf_new(x->arena, 256);
    buf_put(&b, str_c(app));
    buf_put(&b, STR("/"));
    buf_put(&b, str_c(worker));
    buf_put(&b, STR(" rest="));
    buf_put(&b, x->rest);
    assert_null(x->loop);
    http_reply(x, 200, HTTP_NO_HEADERS, buf_str(&b));
}

static bool first_admits(http_exchange_t *x)
{
    if (str_is_set(http_header(x, STR("x-first-refuses"))))
        http_reply(x, 429, HTTP_NO_HEADERS, STR("first"));
    return !str_is_set(http_header(x, STR("x-first-refuses")));
}

static bool last_guards(http_exchange_t *x)
{
    if (str_is_set(http_header(x, STR("x-last-refuses"))))
        http_reply(x, 403, HTTP_NO_HEADERS, STR("last"));
    return !str_is_set(http_header(x, STR("x-last-refuses")));
}

static void first_page(http_exchange_t *x, int status, str_t sentence)
{
    http_reply(x, status, HTTP_NO_HEADERS, STR("first's page"));
}

static void last_page(http_exchange_t *x, int status, str_t sentence)
{
    http_reply(x, status, HTTP_NO_HEADERS, STR("last's page"));
}

static void fail_as_page(http_exchange_t *x)
{
    http_reply_error(x, 500, STR("it broke"));
}

static const http_route_t FIRST_ROWS[] = {
    {STR_INIT("/a"), HTTP_M(GET), tell},
    {STR_INIT("/both"), HTTP_M(GET), tell},
};
static const http_route_t LAST_ROWS[] = {
    {STR_INIT("/both"), HTTP_M(GET) | HTTP_M(POST), tell},
    {STR_INIT("/page"), HTTP_M(GET), fail_as_page, .flags = HTTP_ROUTE_PAGE},
    {STR_INIT("/c"), HTTP_M(GET), tell, .flags = HTTP_ROUTE_PREFIX},
};
static const http_route_t ALL_ROWS[] = {
    {STR_INIT("/"), HTTP_M(GET), tell, .flags = HTTP_ROUTE_PREFIX},
};
static const http_app_t FIRST = {
    {FIRST_ROWS, 2}, (void *)(uintptr_t) "first", first_admits, NULL, first_page};
static const http_app_t LAST = {
    {LAST_ROWS, 3}, (void *)(uintptr_t) "last", NULL, last_guards, last_page};
static const http_app_t ALL = {{ALL_ROWS, 1}, (void *)(uintptr_t) "all", NULL, NULL, NULL};

static http_direct_t *two(void)
{
    http_direct_t *d = http_direct_new(&FIRST, (void *)(uintptr_t) "w1");
    assert_non_null(d);
    http_direct_mount(d, &LAST, (void *)(uintptr_t) "w2");
    return d;
}

static void ask(http_direct_t *d, const char *line, int status, const char *body)
{
    char text[512];
    arena_t *a = arena_new(1 << 20);
    snprintf(text, sizeof text, "%s\r\nHost: a.test\r\n\r\n", line);
    http_direct_answer_t answer = http_direct_run(d, a, str_c(text));
    if (answer.status != status || !str_eq(answer.body, str_c(body)))
        fail_msg("%s: %d %.*s", line, answer.status, STR_ARG(answer.body));
    arena_free(a);
}

static void the_first_that_knows_the_path_answers(void **state)
{
    http_direct_t *d = two();
    ask(d, "GET /a HTTP/1.1", 200, "first/w1 rest=");
    ask(d, "GET /both HTTP/1.1", 200, "first/w1 rest=");
    ask(d, "GET /c HTTP/1.1", 200, "last/w2 rest=");
    ask(d, "GET /c/d HTTP/1.1", 200, "last/w2 rest=/d");
    http_direct_free(d);
}

static void a_method_not_taken_is_not_passed_on(void **state)
{
    http_direct_t *d = two();
    arena_t *a = arena_new(1 << 20);
    http_direct_answer_t answer =
        http_direct_run(d, a, STR("POST /both HTTP/1.1\r\nHost: a.test\r\n\r\n"));
    assert_int_equal(answer.status, 405);
    assert_text(http_headers_get(answer.headers, STR("allow")), "GET, HEAD, OPTIONS");
    answer = http_direct_run(d, a, STR("OPTIONS /both HTTP/1.1\r\nHost: a.test\r\n\r\n"));
    assert_int_equal(answer.status, 204);
    assert_text(http_headers_get(answer.headers, STR("allow")), "GET, HEAD, OPTIONS");
    answer = http_direct_run(d, a, STR("POST /c HTTP/1.1\r\nHost: a.test\r\n\r\n"));
    assert_int_equal(answer.status, 405);
    arena_free(a);
    http_direct_free(d);
}

static void the_hooks_are_those_of_the_chosen_one(void **state)
{
    http_direct_t *d = two();
    ask(d, "GET /a HTTP/1.1\r\nX-First-Refuses: 1", 429, "first");
    ask(d, "GET /a HTTP/1.1\r\nX-Last-Refuses: 1", 200, "first/w1 rest=");
    ask(d, "GET /c HTTP/1.1\r\nX-First-Refuses: 1", 200, "last/w2 rest=");
    ask(d, "GET /c HTTP/1.1\r\nX-Last-Refuses: 1", 403, "last");
    ask(d, "GET /page HTTP/1.1", 500, "last's page");
    http_direct_free(d);
}

static void the_first_of_all_answers_what_nobody_knows(void **state)
{
    http_direct_t *d = two();
    ask(d, "GET /nowhere HTTP/1.1\r\nAccept: text/html", 404, "first's page");
    ask(d, "GET /%2e%2e/a HTTP/1.1\r\nAccept: text/html", 400, "first's page");
    http_direct_free(d);
}

static void a_last_mount_takes_everything(void **state)
{
    http_direct_t *d = two();
    http_direct_mount(d, &ALL, (void *)(uintptr_t) "w3");
    ask(d, "GET / HTTP/1.1", 200, "all/w3 rest=");
    ask(d, "GET /x/y HTTP/1.1", 200, "all/w3 rest=/x/y");
    ask(d, "GET /a/b HTTP/1.1", 200, "all/w3 rest=/a/b");
    ask(d, "GET // HTTP/1.1", 200, "all/w3 rest=//");
    ask(d, "GET /a HTTP/1.1", 200, "first/w1 rest=");
    http_direct_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_knows_the_path_answers),
        cmocka_unit_test(a_method_not_taken_is_not_passed_on),
        cmocka_unit_test(the_hooks_are_those_of_the_chosen_one),
        cmocka_unit_test(the_first_of_all_answers_what_nobody_knows),
        cmocka_unit_test(a_last_mount_takes_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
