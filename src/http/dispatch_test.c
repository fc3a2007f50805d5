/* What happens to a request before its handler, seen from outside. */
#include "http/direct.h"
#include "http/http_test_wire.h"

/* What the hooks do, and what the handler saw. */
typedef struct {
    bool refuse, keep, late;
    int admitted, guarded, handled, pages, page_status;
    http_exchange_t *kept;
    str_t rest, path, client;
    unsigned media;
} seen_t;

static seen_t seen;
static arena_t *arena;
static http_direct_t *direct;

static void handle(http_exchange_t *x)
{
    seen.handled++;
    seen.rest = arena_dup(arena, x->rest);
    seen.path = arena_dup(arena, x->path);
    seen.client = arena_dup(arena, x->client_text);
    seen.media = x->media;
    http_reply(x, 200, HTTP_HEADERS({STR("Cache-Control"), STR("public")}), x->body);
}

static bool admit(http_exchange_t *x)
{
    seen.admitted++;
    assert_int_equal(x->body.n, 0);
    if (!seen.refuse)
        return true;
    http_reply_retry(x, 429, 0, STR("slow down"));
    return false;
}

static bool guard(http_exchange_t *x)
{
    seen.guarded++;
    seen.kept = x;
    if (seen.late || !seen.keep)
        return !seen.late;
    http_reply_error(x, 401, STR("no session"));
    return false;
}

static void page_error(http_exchange_t *x, int status, str_t sentence)
{
    seen.pages++;
    seen.page_status = status;
    http_reply(x, status, HTTP_HEADERS({STR("Content-Type"), STR("text/html")}), sentence);
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/open"), HTTP_M(GET), handle, .cors = HTTP_CORS_PUBLIC},
    {STR_INIT("/token"), HTTP_M(POST), handle, 64, HTTP_BODY_FORM, HTTP_CORS_PUBLIC,
     HTTP_ROUTE_NO_STORE},
    {STR_INIT("/page"), HTTP_M(GET) | HTTP_M(POST), handle, 64, HTTP_BODY_FORM,
     .flags = HTTP_ROUTE_PAGE},
    {STR_INIT("/any"), HTTP_M(POST), handle, 64, .flags = HTTP_ROUTE_ANY_TYPE},
    {STR_INIT("/under"), HTTP_M(GET), handle, .flags = HTTP_ROUTE_PREFIX},
};
static const http_app_t APP = {
    {ROUTES, sizeof ROUTES / sizeof *ROUTES}, NULL, admit, guard, page_error};

static int begin(void **state)
{
    memset(&seen, 0, sizeof seen);
    arena = arena_new(8 << 20);
    direct = http_direct_new(&APP, NULL);
    return !arena || !direct;
}

static int end(void **state)
{
    http_direct_free(direct);
    arena_free(arena);
    return 0;
}

#define HOST "Host: a.test\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static http_direct_answer_t ask(const char *text)
{
    return http_direct_run(direct, arena, str_c(text));
}

static str_t field(const http_direct_answer_t *a, const char *name)
{
    return http_headers_get(a->headers, str_c(name));
}

/* attack case: TOK-012 (encodings of a body), GWH-006 (bodies where none belongs) */
static void refusals_come_before_the_handler(void **state)
{
    static const struct {
        const char *why, *request;
        int status;
        bool closes;
    } rows[] = {
        {"nothing there", "GET /nowhere HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"trailing slash", "GET /open/ HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"wrong method", "DELETE /open HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"body too long", "POST /token HTTP/1.1\r\n" HOST FORM "Content-Length: 65\r\n\r\n", 413,
         true},
        {"chunked body too long",
         "POST /token HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\n"
         "41\r\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n0\r\n\r\n",
         413, true},
        {"body on a route without", "GET /open HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na", 413,
         true},
        {"chunked body on a route without",
         "GET /open HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 415, true},
        {"json for a form",
         "POST /token HTTP/1.1\r\n" HOST
         "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
         415, true},
        {"no content type", "POST /token HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na", 415,
         true},
        {"utf-16",
         "POST /token HTTP/1.1\r\n" HOST "Content-Type: application/x-www-form-urlencoded; "
         "charset=utf-16\r\nContent-Length: 1\r\n\r\na",
         415, true},
        {"two content types",
         "POST /token HTTP/1.1\r\n" HOST FORM FORM "Content-Length: 1\r\n\r\na", 400, true},
        {"gzip",
         "POST /token HTTP/1.1\r\n" HOST FORM
         "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\na",
         415, true},
        {"malformed chunk",
         "POST /token HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, true},
        {"encoded slash", "GET /under/a%2fb HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"encoded slash in the middle of a route", "GET /%2fopen HTTP/1.1\r\n" HOST "\r\n", 400,
         true},
        {"encoded nul", "GET /under/%00 HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"encoded line", "GET /under/%0d%0aa HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"encoded delete byte", "GET /under/%7f HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"encoded backslash", "GET /under/..%5copen HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"not utf-8", "GET /under/%ff HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"overlong slash", "GET /under/%c0%af HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"dot segment", "GET /under/./a HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"double dots", "GET /under/../open HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"double dots at the end", "GET /under/.. HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"encoded double dots", "GET /under/%2e%2E/open HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"half encoded double dots", "GET /under/.%2e/open HTTP/1.1\r\n" HOST "\r\n", 400, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_direct_answer_t a = ask(rows[i].request);
        if (a.status != rows[i].status || http_direct_closed(direct) != rows[i].closes)
            fail_msg("%s: %d", rows[i].why, a.status);
        assert_int_equal(seen.handled, 0);
        assert_true(str_starts(a.body, STR("{\"error\":\"")));
        assert_text(field(&a, "content-type"), "application/json");
        assert_text(field(&a, "x-content-type-options"), "nosniff");
        assert_int_equal(str_eq(field(&a, "connection"), STR("close")), rows[i].closes);
    }
}

static void requests_reach_their_handler(void **state)
{
    static const struct {
        const char *request, *path, *rest, *body;
        unsigned media;
    } rows[] = {
        {"GET /open HTTP/1.1\r\n" HOST "\r\n", "/open", "", "", 0},
        {"GET /%6fpen?a=%2f HTTP/1.1\r\n" HOST "\r\n", "/open", "", "", 0},
        {"GET http://a.test/open HTTP/1.1\r\n" HOST "\r\n", "/open", "", "", 0},
        {"GET /under HTTP/1.1\r\n" HOST "\r\n", "/under", "", "", 0},
        {"GET /under/a%20b/%c3%a9 HTTP/1.1\r\n" HOST "\r\n", "/under/a b/\xc3\xa9", "/a b/\xc3\xa9",
         "", 0},
        {"GET /under/%252e%252e/... HTTP/1.1\r\n" HOST "\r\n", "/under/%2e%2e/...", "/%2e%2e/...",
         "", 0},
        {"GET /under//a/ HTTP/1.1\r\n" HOST "\r\n", "/under//a/", "//a/", "", 0},
        {"POST /token HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\n\r\na=b", "/token", "", "a=b",
         HTTP_BODY_FORM},
        {"POST /token HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "/token", "", "", 0},
        {"POST /token HTTP/1.1\r\n" HOST "\r\n", "/token", "", "", 0},
        {"POST /any HTTP/1.1\r\n" HOST
         "Content-Type: x/y\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
         "/any", "", "ab", 0},
        {"GET /open HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "/open",
         "", "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_direct_answer_t a = ask(rows[i].request);
        assert_int_equal(a.status, 200);
        assert_int_equal(seen.handled, i + 1);
        assert_str(seen.path, str_c(rows[i].path));
        assert_str(seen.rest, str_c(rows[i].rest));
        assert_str(a.body, str_c(rows[i].body));
        assert_int_equal(seen.media, rows[i].media);
    }
}

static void an_admission_may_refuse(void **state)
{
    seen.refuse = true;
    http_direct_answer_t a =
        ask("POST /token HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\n\r\na=b");
    assert_int_equal(a.status, 429);
    assert_text(field(&a, "retry-after"), "1");
    assert_text(a.body, "{\"error\":\"too_many_requests\",\"error_description\":\"slow down\"}");
    assert_int_equal(seen.guarded, 0);
    assert_true(http_direct_closed(direct));
    a = ask("GET /open HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(a.status, 429);
    assert_false(http_direct_closed(direct));
    assert_int_equal(seen.handled, 0);
}

static void no_hook_sees_what_the_table_answers(void **state)
{
    assert_int_equal(ask("GET /nowhere HTTP/1.1\r\n" HOST "\r\n").status, 404);
    assert_int_equal(ask("PUT /open HTTP/1.1\r\n" HOST "\r\n").status, 405);
    assert_int_equal(ask("OPTIONS /token HTTP/1.1\r\n" HOST "\r\n").status, 204);
    assert_int_equal(seen.admitted, 0);
}

static void a_guard_may_refuse(void **state)
{
    seen.keep = true;
    http_direct_answer_t a = ask("GET /open HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(a.status, 401);
    assert_true(str_contains(a.body, STR("\"invalid_token\"")));
    assert_int_equal(seen.admitted, 1);
    assert_int_equal(seen.handled, 0);
}

static void a_guard_may_hand_on_later(void **state)
{
    seen.late = true;
    assert_int_equal(ask("GET /open HTTP/1.1\r\n" HOST "\r\n").status, 0);
    assert_int_equal(seen.handled, 0);
    seen.kept->route->handler(seen.kept);
    assert_true(str_starts(http_direct_output(direct), STR("HTTP/1.1 200 ")));
}

static void errors_of_pages_are_pages(void **state)
{
    http_direct_answer_t a = ask("POST /page HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na");
    assert_int_equal(a.status, 415);
    assert_int_equal(seen.page_status, 415);
    assert_text(field(&a, "content-type"), "text/html");
    a = ask("GET /nowhere HTTP/1.1\r\n" HOST "Accept: text/html,*/*;q=0.8\r\n\r\n");
    assert_int_equal(seen.page_status, 404);
    assert_int_equal(seen.pages, 2);
    /* Whoever takes anything is a program; so is who asks with the wrong method. */
    a = ask("GET /nowhere HTTP/1.1\r\n" HOST "Accept: */*\r\n\r\n");
    assert_text(field(&a, "content-type"), "application/json");
    a = ask("PUT /page HTTP/1.1\r\n" HOST "Accept: text/html\r\n\r\n");
    assert_int_equal(a.status, 405);
    assert_text(field(&a, "content-type"), "application/json");
    a = ask("GET /open HTTP/1.1\r\n" HOST "Accept: text/html\r\nContent-Length: 1\r\n\r\na");
    assert_text(field(&a, "content-type"), "application/json");
    assert_int_equal(seen.pages, 2);
}

static void a_405_names_the_methods(void **state)
{
    http_direct_answer_t a = ask("DELETE /page HTTP/1.1\r\n" HOST "\r\n");
    assert_text(field(&a, "allow"), "GET, HEAD, POST, OPTIONS");
}

static void a_preflight_is_answered_from_the_table(void **state)
{
    http_direct_answer_t a =
        ask("OPTIONS /token HTTP/1.1\r\n" HOST
            "Origin: https://b.test\r\nAccess-Control-Request-Method: POST\r\n\r\n");
    assert_int_equal(a.status, 204);
    assert_text(field(&a, "access-control-allow-origin"), "*");
    assert_text(field(&a, "access-control-allow-methods"), "POST, OPTIONS");
    assert_true(str_contains(field(&a, "access-control-allow-headers"),
                             STR("Authorization, Content-Type")));
    assert_text(field(&a, "access-control-max-age"), "7200");
    assert_unset(field(&a, "access-control-allow-credentials"));
    assert_unset(field(&a, "content-length"));
}

static void pages_and_the_server_itself_have_no_cors(void **state)
{
    static const char *const rows[] = {
        "OPTIONS /page HTTP/1.1\r\n" HOST "Origin: https://b.test\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS /any HTTP/1.1\r\n" HOST "\r\n"};
    for (size_t i = 0; i < 3; i++) {
        http_direct_answer_t a = ask(rows[i]);
        assert_int_equal(a.status, 204);
        assert_true(str_is_set(field(&a, "allow")));
        assert_unset(field(&a, "access-control-allow-origin"));
        assert_unset(field(&a, "access-control-allow-methods"));
    }
}

/* attack case: TOK-017 (errors of the front carry the class of their route) */
static void errors_carry_the_class_of_their_route(void **state)
{
    static const char *const rows[] = {
        "POST /token HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\n\r\na=b",
        "POST /token HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na=b",
        "POST /token HTTP/1.1\r\n" HOST FORM "Content-Length: 65\r\n\r\n",
        "GET /token HTTP/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_direct_answer_t a = ask(rows[i]);
        assert_text(field(&a, "cache-control"), "no-store");
        assert_int_equal(http_headers_count(a.headers, STR("cache-control")), 1);
        assert_text(field(&a, "access-control-allow-origin"), "*");
    }
}

static void a_head_answers_like_get_without_the_body(void **state)
{
    http_direct_answer_t a = ask("HEAD /nowhere HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(a.status, 404);
    assert_true(str_is_set(field(&a, "content-length")));
    assert_true(str_ends(http_direct_output(direct), STR("\r\n\r\n")));
    a = ask("HEAD /open HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(a.status, 200);
    assert_int_equal(seen.handled, 1);
}

/* attack case: UI-014 (through the whole front) */
static void the_client_is_behind_trusted_proxies_only(void **state)
{
    static const http_cidr_t ranges[] = {{{4, {10}}, 8}};
    http_addr_t proxy, stranger;
    const char *request =
        "GET /open HTTP/1.1\r\n" HOST "X-Forwarded-For: 6.6.6.6, 2001:DB8::7\r\n\r\n";
    assert_int_equal(http_addr_parse(STR("10.0.0.1"), &proxy), RC_OK);
    assert_int_equal(http_addr_parse(STR("192.0.2.9"), &stranger), RC_OK);
    http_direct_peer(direct, proxy, (http_proxies_t){ranges, 1});
    assert_int_equal(ask(request).status, 200);
    assert_text(seen.client, "2001:db8::7");
    http_direct_peer(direct, stranger, (http_proxies_t){ranges, 1});
    assert_int_equal(ask(request).status, 200);
    assert_text(seen.client, "192.0.2.9");
}

/* attack case: GWH-006 */
static void a_client_that_waits_is_told_to_go_on(void **state)
{
    http_direct_send(direct, STR("POST /token HTTP/1.1\r\n" HOST FORM
                                 "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
    assert_str(http_direct_output(direct), STR("HTTP/1.1 100 Continue\r\n\r\n"));
    http_direct_send(direct, STR("a=b"));
    assert_true(
        str_starts(http_direct_output(direct), STR("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")));
    assert_false(http_direct_closed(direct));
    /* Not before a refusal, without a body, to HTTP/1.0, or when the body is there already. */
    assert_int_equal(ask("POST /token HTTP/1.1\r\n" HOST FORM
                         "Expect: 100-continue\r\nContent-Length: 65\r\n\r\n")
                         .status,
                     413);
    assert_int_equal(ask("GET /open HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n").status, 200);
    assert_int_equal(ask("POST /token HTTP/1.1\r\n" HOST FORM
                         "Expect: 100-continue\r\nContent-Length: 3\r\n\r\na=b")
                         .status,
                     200);
    assert_int_equal(ask("POST /token HTTP/1.0\r\n" HOST FORM
                         "Expect: 100-continue\r\nContent-Length: 3\r\n\r\na")
                         .status,
                     0);
    assert_int_equal(
        ask("POST /token HTTP/1.1\r\n" HOST FORM "Expect: x\r\nContent-Length: 3\r\n\r\na=b")
            .status,
        417);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refusals_come_before_the_handler),
        TEST(requests_reach_their_handler),
        TEST(an_admission_may_refuse),
        TEST(no_hook_sees_what_the_table_answers),
        TEST(a_guard_may_refuse),
        TEST(a_guard_may_hand_on_later),
        TEST(errors_of_pages_are_pages),
        TEST(a_405_names_the_methods),
        TEST(a_preflight_is_answered_from_the_table),
        TEST(pages_and_the_server_itself_have_no_cors),
        TEST(errors_carry_the_class_of_their_route),
        TEST(a_head_answers_like_get_without_the_body),
        TEST(the_client_is_behind_trusted_proxies_only),
        TEST(a_client_that_waits_is_told_to_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
