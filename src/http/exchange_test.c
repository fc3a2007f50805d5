/* Answers as they come out of the calls of a handler. */
#include "http/direct.h"
#include "http/http_test_wire.h"

/* What the next handler answers. */
static struct {
    int status;
    http_headers_t headers;
    str_t body, etag;
    uint32_t after;
} next;

static arena_t *arena;
static http_direct_t *direct;

static void reply(http_exchange_t *x)
{
    if (str_is_set(next.etag))
        http_reply_cached(x, next.etag, next.headers, next.body);
    else
        http_reply(x, next.status, next.headers, next.body);
}

static void refuse(http_exchange_t *x)
{
    http_reply_error(x, next.status, next.body);
}

static void retry(http_exchange_t *x)
{
    http_reply_retry(x, next.status, next.after, next.body);
}

static void json(http_exchange_t *x)
{
    http_reply_json(x, 201, STR("{}"));
}

static void starved(http_exchange_t *x)
{
    while (arena_alloc(x->arena, 1 << 16)) {
    }
    while (arena_alloc(x->arena, 1)) {
    }
    reply(x);
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/reply"), HTTP_M(GET), reply},
    {STR_INIT("/refuse"), HTTP_M(GET), refuse},
    {STR_INIT("/retry"), HTTP_M(GET), retry},
    {STR_INIT("/json"), HTTP_M(GET), json},
    {STR_INIT("/starved"), HTTP_M(GET), starved},
    {STR_INIT("/refuse-page"), HTTP_M(GET), refuse, .flags = HTTP_ROUTE_PAGE},
};
static const http_app_t APP = {.routes = {ROUTES, sizeof ROUTES / sizeof *ROUTES}};

static int begin(void **state)
{
    memset(&next, 0, sizeof next);
    next.status = 200;
    next.body = STR("body");
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

static http_direct_answer_t get(const char *path, const char *fields)
{
    return http_direct_run(
        direct, arena,
        arena_printf(arena, "GET %s HTTP/1.1\r\nHost: a.test\r\n%s\r\n", path, fields));
}

/* attack case: RED-016, CHL-003 (a value of strangers in a header) */
static void an_injected_header_becomes_a_bare_500(void **state)
{
    static const http_header_t rows[] = {
        {STR_INIT("Location"), STR_INIT("/?state=\r\nSet-Cookie: a=b")},
        {STR_INIT("Location"), STR_INIT("/?state=\nSet-Cookie: a=b")},
        {STR_INIT("Location"), STR_INIT("/?state=\r\n\r\nforged")},
        {STR_INIT("Location"), STR_INIT("/?state=\xe5\x98\x8a\xe5\x98\x8dSet-Cookie: a=b")},
        {STR_INIT("Location"), STR_INIT("/?state=\0")},
        {STR_INIT("Set-Cookie: a=b\r\nX"), STR_INIT("y")},
        {STR_INIT("Content-Length"), STR_INIT("0")},
        {STR_INIT("Transfer-Encoding"), STR_INIT("chunked")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        next.headers = (http_headers_t){&rows[i], 1};
        http_direct_answer_t a = get("/reply", "");
        assert_int_equal(a.status, 500);
        assert_int_equal(a.body.n, 0);
        str_t out = http_direct_output(direct);
        assert_false(str_contains(out, STR("Set-Cookie")));
        assert_false(str_contains(out, STR("forged")));
        assert_false(str_contains(out, STR("Location")));
        assert_false(str_contains(out, STR("body")));
        assert_int_equal(test_count(out, STR("\r\n\r\n")), 1);
    }
}

static void a_head_beyond_the_limit_becomes_a_bare_500(void **state)
{
    static char text[LIMIT_HTTP_REPLY_HEAD_BYTES];
    memset(text, 'a', sizeof text);
    next.headers = HTTP_HEADERS({STR("A"), str_of(text, sizeof text)});
    assert_int_equal(get("/reply", "").status, 500);
    next.headers = HTTP_HEADERS({STR("A"), str_of(text, sizeof text - 400)});
    assert_int_equal(get("/reply", "").status, 200);
}

static void bodies_have_their_length(void **state)
{
    http_direct_answer_t a = get("/reply", "");
    assert_text(http_headers_get(a.headers, STR("content-length")), "4");
    assert_text(a.body, "body");
    next.body = STR("");
    a = get("/reply", "");
    assert_text(http_headers_get(a.headers, STR("content-length")), "0");
    static const int without[] = {204, 304};
    for (size_t i = 0; i < 2; i++) {
        next.status = without[i];
        next.body = STR("body");
        a = get("/reply", "");
        assert_int_equal(a.status, without[i]);
        assert_unset(http_headers_get(a.headers, STR("content-length")));
        assert_true(str_ends(http_direct_output(direct), STR("\r\n\r\n")));
    }
    a = get("/json", "");
    assert_int_equal(a.status, 201);
    assert_text(http_headers_get(a.headers, STR("content-type")), "application/json");
}

static void errors_have_their_words(void **state)
{
    static const struct {
        int status;
        const char *word;
    } rows[] = {
        {400, "invalid_request"}, {401, "invalid_token"},   {403, "access_denied"},
        {404, "not_found"},       {413, "invalid_request"}, {429, "too_many_requests"},
        {500, "server_error"},    {502, "server_error"},    {503, "temporarily_unavailable"},
    };
    next.body = STR("a \"sentence\"");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        next.status = rows[i].status;
        http_direct_answer_t a = get("/refuse", "");
        assert_int_equal(a.status, rows[i].status);
        assert_str(a.body,
                   arena_printf(arena,
                                "{\"error\":\"%s\",\"error_description\":\"a \\\"sentence\\\"\"}",
                                rows[i].word));
        /* Without a hook for pages, pages have the plain error. */
        assert_int_equal(get("/refuse-page", "").status, rows[i].status);
    }
}

static void a_retry_says_when(void **state)
{
    next.status = 503;
    next.after = 7;
    http_direct_answer_t a = get("/retry", "");
    assert_int_equal(a.status, 503);
    assert_text(http_headers_get(a.headers, STR("retry-after")), "7");
    next.after = 0;
    a = get("/retry", "");
    assert_text(http_headers_get(a.headers, STR("retry-after")), "1");
}

static void a_known_etag_is_304(void **state)
{
    static const struct {
        const char *fields;
        int status;
    } rows[] = {
        {"", 200},
        {"If-None-Match: \"aB,c\"\r\n", 304},
        {"If-None-Match: W/\"aB,c\"\r\n", 304},
        {"If-None-Match: \"x\", \"aB,c\"\r\n", 304},
        {"If-None-Match: \"x\",W/\"aB,c\" \r\n", 304},
        {"If-None-Match: \"x\"\r\nIf-None-Match: \"aB,c\"\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"ab,c\"\r\n", 200},
        {"If-None-Match: \"aB\r\n", 200},
        {"If-None-Match: aB,c\r\n", 200},
        {"If-None-Match: \"aB,c\r\n", 200},
        {"If-None-Match: \"x\"aB,c\"\r\n", 200},
        {"If-None-Match: \r\n", 200},
    };
    next.etag = STR("\"aB,c\"");
    next.headers = HTTP_HEADERS({STR("Cache-Control"), STR("max-age=1")});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_direct_answer_t a = get("/reply", rows[i].fields);
        if (a.status != rows[i].status)
            fail_msg("%s: %d", rows[i].fields, a.status);
        assert_text(http_headers_get(a.headers, STR("etag")), "\"aB,c\"");
        assert_text(http_headers_get(a.headers, STR("cache-control")), "max-age=1");
        assert_int_equal(a.body.n, a.status == 200 ? 4 : 0);
    }
    next.etag = STR("W/\"aB,c\"");
    assert_int_equal(get("/reply", "If-None-Match: \"aB,c\"\r\n").status, 304);
}

static void without_memory_the_answer_is_503(void **state)
{
    next.etag = STR("\"a\"");
    http_direct_answer_t a = get("/starved", "");
    assert_int_equal(a.status, 503);
    assert_text(a.body, "{\"error\":\"server_error\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_injected_header_becomes_a_bare_500),
        TEST(a_head_beyond_the_limit_becomes_a_bare_500),
        TEST(bodies_have_their_length),
        TEST(errors_have_their_words),
        TEST(a_retry_says_when),
        TEST(a_known_etag_is_304),
        TEST(without_memory_the_answer_is_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
