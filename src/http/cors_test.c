/* Preflights, and what answers show to pages of other origins. */
#include "http/direct.h"
#include "http/http_test_wire.h"

#include <stdio.h>

static arena_t *a;

static void challenge(http_exchange_t *x)
{
    http_reply(x, 401, HTTP_HEADERS({STR("WWW-Authenticate"), STR("Bearer")}), STR(""));
}

static bool admits(http_exchange_t *x)
{
    if (str_is_set(http_header(x, STR("x-too-often"))))
        http_reply_retry(x, 429, 3, STR("too often"));
    return !str_is_set(http_header(x, STR("x-too-often")));
}

static void stream(http_exchange_t *x)
{
    assert_int_equal(http_stream_begin(x, 200, HTTP_NO_HEADERS, (http_stream_events_t){0}), RC_OK);
    http_stream_slim(x);
    http_stream_end(x);
}

static const http_route_t ROUTES[] = {
    {STR_INIT("/mcp"), HTTP_M(GET) | HTTP_M(POST), challenge, 100, HTTP_BODY_JSON,
     HTTP_CORS_PUBLIC},
    {STR_INIT("/events"), HTTP_M(GET), stream, .cors = HTTP_CORS_PUBLIC},
    {STR_INIT("/own"), HTTP_M(GET), challenge},
};
static const http_app_t APP = {.routes = {ROUTES, 3}, .admit = admits};

static int begin(void **state)
{
    a = arena_new(1 << 20);
    return 0;
}

static int end(void **state)
{
    arena_free(a);
    return 0;
}

static http_direct_answer_t ask(const char *line, const char *fields)
{
    char text[8192];
    http_direct_t *d = http_direct_new(&APP, NULL);
    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: a.test\r\nOrigin: https://b.test\r\n%s\r\n",
             line, fields);
    http_direct_answer_t answer = http_direct_run(d, a, str_c(text));
    http_direct_free(d);
    return answer;
}

static str_t allowed(const char *asked)
{
    http_direct_answer_t answer = ask("OPTIONS /mcp", asked);
    assert_int_equal(answer.status, 204);
    return http_headers_get(answer.headers, STR("access-control-allow-headers"));
}

#define FIXED                                                                                      \
    "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, "            \
    "Mcp-Session-Id, Last-Event-ID, DPoP"
#define ASKS "Access-Control-Request-Headers: "

static void what_clients_send_is_allowed(void **state)
{
    assert_text(allowed(""), FIXED);
    assert_text(allowed(ASKS "authorization,content-type\r\n"), FIXED);
}

static void parameters_are_allowed_by_name(void **state)
{
    assert_text(allowed(ASKS "authorization, mcp-param-region,Mcp-Param-x_1\r\n"),
                FIXED ", mcp-param-region, Mcp-Param-x_1");
    assert_text(allowed(ASKS "mcp-param-a\r\n" ASKS "mcp-param-b\r\n"),
                FIXED ", mcp-param-a, mcp-param-b");
}

static void nothing_else_is_echoed(void **state)
{
    static const char *const rows[] = {
        "mcp-param-", "mcp-param", "mcp-param-a b", "mcp-param-a;b", "x-mcp-param-a",
        "x-evil",     "*",         ",,,",           "mcp-param-\"a", "mcp-param-a:b"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[128];
        snprintf(text, sizeof text, ASKS "%s\r\n", rows[i]);
        assert_text(allowed(text), FIXED);
    }
}

static void the_list_is_bounded(void **state)
{
    char text[4096] = ASKS;
    size_t n = strlen(text);
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "mcp-param-%d,", i);
    snprintf(text + n, sizeof text - n, "\r\n");
    str_t list = allowed(text);
    assert_int_equal(test_count(list, STR("mcp-param-")), 32);
    assert_true(str_ends(list, STR(", mcp-param-31")));
    n = (size_t)snprintf(text, sizeof text, ASKS "mcp-param-");
    memset(text + n, 'a', 119);
    snprintf(text + n + 119, sizeof text - n - 119, "\r\n");
    assert_text(allowed(text), FIXED);
}

static void assert_exposes(http_direct_answer_t answer, int status)
{
    assert_int_equal(answer.status, status);
    assert_text(http_headers_get(answer.headers, STR("access-control-allow-origin")), "*");
    assert_text(http_headers_get(answer.headers, STR("access-control-expose-headers")),
                "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, DPoP-Nonce, Retry-After");
    assert_unset(http_headers_get(answer.headers, STR("access-control-allow-credentials")));
}

static void every_answer_of_the_route_shows_its_fields(void **state)
{
    assert_exposes(ask("GET /mcp", ""), 401);
    assert_exposes(ask("GET /events", ""), 200);
    assert_exposes(ask("GET /mcp", "X-Too-Often: 1\r\n"), 429);
    assert_exposes(ask("DELETE /mcp", ""), 405);
    assert_exposes(ask("POST /mcp", "Content-Length: 101\r\n"), 413);
    assert_exposes(ask("OPTIONS /mcp", ""), 204);
    http_direct_answer_t own = ask("GET /own", "");
    assert_unset(http_headers_get(own.headers, STR("access-control-allow-origin")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_clients_send_is_allowed),
        TEST(parameters_are_allowed_by_name),
        TEST(nothing_else_is_echoed),
        TEST(the_list_is_bounded),
        TEST(every_answer_of_the_route_shows_its_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
