/* The guarded fetch against a server of our own on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "http/fetch.h"
#include "http/server.h"

static http_server_t *server;
static arena_t *arena;

static void document(http_exchange_t *x)
{
    bool bare = !str_is_set(http_header(x, STR("cookie"))) &&
                !str_is_set(http_header(x, STR("authorization"))) &&
                str_eq(http_header(x, STR("accept")), STR("application/json"));
    http_reply(x, 200,
               HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                            {STR("Cache-Control"), STR("max-age=60")}, {STR("ETag"), STR("\"1\"")}),
               bare ? STR("{\"a\":1}") : STR("{}"));
}

/* What came with a form. */
static void form(http_exchange_t *x)
{
    bool good =
        str_eq(http_header(x, STR("content-type")), STR("application/x-www-form-urlencoded")) &&
        !str_is_set(http_header(x, STR("expect"))) && str_eq(x->body, STR("a=b&c=d"));
    str_t authorization = http_header(x, STR("authorization"));
    http_reply(x, good ? 200 : 400, HTTP_NO_HEADERS,
               str_is_set(authorization) ? authorization : STR("none"));
}

static void redirect(http_exchange_t *x)
{
    http_reply(x, 302, HTTP_HEADERS({STR("Location"), STR("/document")}), STR(""));
}

static void large(http_exchange_t *x)
{
    static char body[2000];
    memset(body, 'x', sizeof body);
    http_reply(x, 200, HTTP_NO_HEADERS, str_of(body, sizeof body));
}

static void missing(http_exchange_t *x)
{
    http_reply_error(x, 404, STR("no"));
}

static void late_answer(void *arg)
{
    http_exchange_t *x = arg;
    http_timer_stop(x->user);
    http_reply(x, 200, HTTP_NO_HEADERS, STR("late"));
}

static void late(http_exchange_t *x)
{
    x->user = http_timer_start(x->loop, 1000, 0, late_answer, x);
    assert_non_null(x->user);
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/document"), HTTP_M(GET), document},
    {STR_INIT("/redirect"), HTTP_M(GET), redirect},
    {STR_INIT("/large"), HTTP_M(GET), large},
    {STR_INIT("/missing"), HTTP_M(GET), missing},
    {STR_INIT("/late"), HTTP_M(GET), late},
    {STR_INIT("/form"), HTTP_M(POST), form, .body_limit = 100, .bodies = HTTP_BODY_FORM},
    {STR_INIT("/moved"), HTTP_M(POST), redirect, .body_limit = 100, .bodies = HTTP_BODY_FORM},
};
static const http_app_t APP = {.routes = {ROUTES, sizeof ROUTES / sizeof *ROUTES}};

static int set_up(void **state)
{
    http_server_config_t c = http_server_defaults();
    str_t why;
    c.app = &APP;
    arena = arena_new(1 << 20);
    /* A proxy of the environment must not be asked. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    return !arena || http_server_new(&c, &server, &why) != RC_OK ||
           http_server_start(server) != RC_OK;
}

static int tear_down(void **state)
{
    http_server_stop(server);
    http_server_join(server);
    http_server_free(server);
    arena_free(arena);
    return 0;
}

static http_fetch_result_t get(const char *scheme_and_host, const char *path,
                               http_fetch_request_t req)
{
    http_fetch_result_t out;
    http_fetch_port_t port = http_fetch_curl();
    req.url = arena_printf(arena, "%s:%d%s", scheme_and_host, http_server_port(server), path);
    assert_int_equal(port.get(port.ctx, arena, &req, &out), RC_OK);
    return out;
}

static const str_t PRIVATE[] = {STR_INIT("127.0.0.1"), STR_INIT("[::1]"), STR_INIT("localhost")};
static const http_fetch_request_t LOCAL = {.private_hosts = {PRIVATE, 3}};

static void a_document_is_fetched(void **state)
{
    http_fetch_result_t r = get("http://127.0.0.1", "/document", LOCAL);
    assert_int_equal(r.verdict, HTTP_FETCH_OK);
    assert_int_equal(r.status, 200);
    assert_true(str_eq(r.body, STR("{\"a\":1}")));
    assert_true(str_eq(r.content_type, STR("application/json")));
    assert_true(str_eq(r.cache_control, STR("max-age=60")));
    assert_true(str_eq(r.etag, STR("\"1\"")));
    assert_int_equal(get("http://localhost", "/document", LOCAL).verdict, HTTP_FETCH_OK);
    assert_int_equal(get("http://127.0.0.1", "/missing", LOCAL).status, 404);
}

static void a_form_is_posted_with_its_credentials(void **state)
{
    http_fetch_request_t req = LOCAL;
    req.form = STR("a=b&c=d");
    http_fetch_result_t r = get("http://127.0.0.1", "/form", req);
    assert_int_equal(r.status, 200);
    assert_true(str_eq(r.body, STR("none")));
    req.authorization = STR("Basic YTpi");
    r = get("http://127.0.0.1", "/form", req);
    assert_int_equal(r.status, 200);
    assert_true(str_eq(r.body, STR("Basic YTpi")));
    /* and goes nowhere else */
    assert_int_equal(get("http://127.0.0.1", "/moved", req).verdict, HTTP_FETCH_REDIRECT);
    req.form = STR("");
    assert_int_equal(get("http://127.0.0.1", "/form", req).status, 400);
}

static void a_redirect_is_not_followed(void **state)
{
    assert_int_equal(get("http://127.0.0.1", "/redirect", LOCAL).verdict, HTTP_FETCH_REDIRECT);
}

static void a_long_body_is_cut(void **state)
{
    http_fetch_request_t req = LOCAL;
    req.max_bytes = 1999;
    assert_int_equal(get("http://127.0.0.1", "/large", req).verdict, HTTP_FETCH_TOO_LONG);
    req.max_bytes = 2000;
    assert_int_equal(get("http://127.0.0.1", "/large", req).verdict, HTTP_FETCH_OK);
}

static void a_late_answer_is_not_waited_for(void **state)
{
    http_fetch_request_t req = LOCAL;
    req.timeout_ms = 200;
    assert_int_equal(get("http://127.0.0.1", "/late", req).verdict, HTTP_FETCH_TIMEOUT);
}

/* The name is harmless, the address it resolves to is not: judged at connect time. */
static void a_name_that_means_loopback_is_refused(void **state)
{
    http_fetch_request_t strict = {0};
    assert_int_equal(get("https://localhost", "/document", strict).verdict, HTTP_FETCH_SPECIAL);
    assert_int_equal(get("http://localhost", "/document", strict).verdict, HTTP_FETCH_BAD_URL);
    assert_int_equal(get("https://127.0.0.1", "/document", strict).verdict, HTTP_FETCH_SPECIAL);
}

static void tls_is_required_where_https_is_said(void **state)
{
    assert_int_equal(get("https://127.0.0.1", "/document", LOCAL).verdict, HTTP_FETCH_TLS);
}

static void urls_are_judged_before_any_look_up(void **state)
{
    static const struct {
        const char *url;
        bool loopback;
        http_fetch_verdict_t verdict;
    } rows[] = {
        {"https://a.test/x", false, HTTP_FETCH_OK},
        {"http://a.test/x", false, HTTP_FETCH_BAD_URL},
        {"http://a.test/x", true, HTTP_FETCH_BAD_URL},
        {"http://127.0.0.1/x", false, HTTP_FETCH_BAD_URL},
        {"http://127.0.0.1/x", true, HTTP_FETCH_OK},
        {"http://[::1]:81/x", true, HTTP_FETCH_OK},
        {"https://127.0.0.1/x", false, HTTP_FETCH_SPECIAL},
        {"https://[::ffff:127.0.0.1]/x", false, HTTP_FETCH_SPECIAL},
        {"https://[fd00::1]/x", true, HTTP_FETCH_SPECIAL},
        {"https://169.254.169.254/x", true, HTTP_FETCH_SPECIAL},
        {"https://10.1.2.3/x", true, HTTP_FETCH_SPECIAL},
        {"https://8.8.8.8/x", false, HTTP_FETCH_OK},
        {"https://u:p@a.test/x", false, HTTP_FETCH_BAD_URL},
        {"https://a.test/x#y", false, HTTP_FETCH_BAD_URL},
        {"ftp://a.test/x", false, HTTP_FETCH_BAD_URL},
        {"file:///etc/passwd", true, HTTP_FETCH_BAD_URL},
        {"https:///x", false, HTTP_FETCH_BAD_URL},
        {"", false, HTTP_FETCH_BAD_URL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_fetch_verdict_t got = http_fetch_check_url(
            str_c(rows[i].url), rows[i].loopback ? LOCAL.private_hosts : (str_list_t){NULL, 0});
        if (got != rows[i].verdict)
            print_message("%s: %s\n", rows[i].url, http_fetch_verdict_name(got).p);
        assert_int_equal(got, rows[i].verdict);
    }
}

static void the_double_answers_from_its_table(void **state)
{
    static const http_fetch_fake_row_t rows[] = {
        {"https://a.test/", 200, "application/json", "{}"},
        {"https://b.test/", .verdict = HTTP_FETCH_TIMEOUT},
    };
    http_fetch_fake_t fake = {rows, 2};
    http_fetch_port_t port = http_fetch_fake(&fake);
    http_fetch_result_t out;
    http_fetch_request_t req = {.url = STR("https://a.test/")};
    assert_int_equal(port.get(port.ctx, arena, &req, &out), RC_OK);
    assert_true(out.verdict == HTTP_FETCH_OK && str_eq(out.body, STR("{}")));
    req.url = STR("https://b.test/");
    assert_int_equal(port.get(port.ctx, arena, &req, &out), RC_OK);
    assert_int_equal(out.verdict, HTTP_FETCH_TIMEOUT);
    req.url = STR("https://c.test/");
    assert_int_equal(port.get(port.ctx, arena, &req, &out), RC_OK);
    assert_int_equal(out.verdict, HTTP_FETCH_FAILED);
    assert_int_equal(fake.calls, 3);
}

static void verdicts_have_names(void **state)
{
    assert_true(str_eq(http_fetch_verdict_name(HTTP_FETCH_OK), STR("ok")));
    assert_true(str_eq(http_fetch_verdict_name(HTTP_FETCH_SPECIAL), STR("special_address")));
    assert_true(str_eq(http_fetch_verdict_name(HTTP_FETCH_FAILED), STR("failed")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_fetched),
        cmocka_unit_test(a_form_is_posted_with_its_credentials),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(a_long_body_is_cut),
        cmocka_unit_test(a_late_answer_is_not_waited_for),
        cmocka_unit_test(a_name_that_means_loopback_is_refused),
        cmocka_unit_test(tls_is_required_where_https_is_said),
        cmocka_unit_test(urls_are_judged_before_any_look_up),
        cmocka_unit_test(the_double_answers_from_its_table),
        cmocka_unit_test(verdicts_have_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
