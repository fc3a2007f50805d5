#include "http/http_test_wire.h"

static void none(http_exchange_t *x)
{
}

static const http_route_t ROWS[] = {
    {STR_INIT("/"), HTTP_M(GET), none},
    {STR_INIT("/a"), HTTP_M(GET), none},
    {STR_INIT("/a"), HTTP_M(POST) | HTTP_M(DELETE), none},
    {STR_INIT("/w"), HTTP_M(GET), none, .flags = HTTP_ROUTE_PREFIX},
    {STR_INIT("/w/x"), HTTP_M(POST), none, .flags = HTTP_ROUTE_PREFIX},
    {STR_INIT("/w/x/y"), HTTP_M(GET), none},
};
static const http_routes_t ROUTES = {ROWS, sizeof ROWS / sizeof *ROWS};

static void paths_find_their_rows(void **state)
{
    static const struct {
        http_method_t method;
        const char *path;
        http_match_kind_t kind;
        int row; /* -1: none */
    } rows[] = {
        {HTTP_GET, "/", HTTP_MATCH_FOUND, 0},
        {HTTP_GET, "/a", HTTP_MATCH_FOUND, 1},
        {HTTP_HEAD, "/a", HTTP_MATCH_FOUND, 1},
        {HTTP_POST, "/a", HTTP_MATCH_FOUND, 2},
        {HTTP_DELETE, "/a", HTTP_MATCH_FOUND, 2},
        {HTTP_PUT, "/a", HTTP_MATCH_NOT_ALLOWED, 1},
        {HTTP_OPTIONS, "/a", HTTP_MATCH_OPTIONS, 1},
        {HTTP_GET, "/a/", HTTP_MATCH_NOT_FOUND, -1},
        {HTTP_GET, "/a/b", HTTP_MATCH_NOT_FOUND, -1},
        {HTTP_GET, "/A", HTTP_MATCH_NOT_FOUND, -1},
        {HTTP_GET, "//a", HTTP_MATCH_NOT_FOUND, -1},
        {HTTP_GET, "", HTTP_MATCH_NOT_FOUND, -1},
        {HTTP_OPTIONS, "/b", HTTP_MATCH_NOT_FOUND, -1},
        {HTTP_GET, "/w", HTTP_MATCH_FOUND, 3},
        {HTTP_GET, "/w/", HTTP_MATCH_FOUND, 3},
        {HTTP_GET, "/w/a/b", HTTP_MATCH_FOUND, 3},
        {HTTP_GET, "/wx", HTTP_MATCH_NOT_FOUND, -1},
        {HTTP_POST, "/w/a", HTTP_MATCH_NOT_ALLOWED, 3},
        {HTTP_POST, "/w/x/a", HTTP_MATCH_FOUND, 4},
        {HTTP_GET, "/w/x/a", HTTP_MATCH_NOT_ALLOWED, 4},
        {HTTP_GET, "/w/x/y", HTTP_MATCH_FOUND, 5},
        {HTTP_GET, "/w/x/y/z", HTTP_MATCH_NOT_ALLOWED, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        http_match_t m = http_router_match(&ROUTES, rows[i].method, str_c(rows[i].path));
        if (m.kind != rows[i].kind || m.route != (rows[i].row < 0 ? NULL : &ROWS[rows[i].row]))
            fail_msg("%s %zu", rows[i].path, i);
    }
}

static void head_is_not_implied_where_get_does_something(void **state)
{
    static const http_route_t rows[] = {
        {STR_INIT("/go"), HTTP_M(GET), none, .flags = HTTP_ROUTE_NO_HEAD}};
    static const http_routes_t routes = {rows, 1};
    http_match_t m = http_router_match(&routes, HTTP_HEAD, STR("/go"));
    assert_int_equal(m.kind, HTTP_MATCH_NOT_ALLOWED);
    assert_int_equal(m.allowed, HTTP_M(GET) | HTTP_M(OPTIONS));
}

static void suffix_matches_behind_any_path(void **state)
{
    static const http_route_t rows[] = {{STR_INIT("/.well-known/x"), HTTP_M(GET), none,
                                         .flags = HTTP_ROUTE_PREFIX | HTTP_ROUTE_SUFFIX}};
    static const http_routes_t routes = {rows, 1};
    static const struct {
        const char *path;
        bool found;
    } cases[] = {
        {"/.well-known/x", true},      {"/.well-known/x/mcp", true},   {"/mcp/.well-known/x", true},
        {"/a/b/.well-known/x", true},  {"/mcp/.well-known/xy", false}, {"/mcp.well-known/x", false},
        {"/a/.well-known/x/b", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        http_match_t m = http_router_match(&routes, HTTP_GET, str_c(cases[i].path));
        if ((m.kind == HTTP_MATCH_FOUND) != cases[i].found)
            fail_msg("%s", cases[i].path);
    }
}

static void allowed_methods_add_up(void **state)
{
    char text[HTTP_ALLOW_TEXT];
    http_match_t m = http_router_match(&ROUTES, HTTP_OPTIONS, STR("/a"));
    assert_text(http_router_allow_text(m.allowed, text), "GET, HEAD, POST, DELETE, OPTIONS");
    m = http_router_match(&ROUTES, HTTP_GET, STR("/w/x/a"));
    assert_text(http_router_allow_text(m.allowed, text), "POST, OPTIONS");
    assert_text(http_router_allow_text(0, text), "");
    assert_text(http_router_allow_text(~0u, text), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

static void unsound_tables_are_refused(void **state)
{
    static const struct {
        const char *why;
        http_route_t rows[2];
    } tables[] = {
        {"begin with a slash", {{STR_INIT("a"), HTTP_M(GET), none}}},
        {"begin with a slash", {{STR_INIT(""), HTTP_M(GET), none}}},
        {"end with a slash", {{STR_INIT("/a/"), HTTP_M(GET), none}}},
        {"needs a handler", {{STR_INIT("/a"), HTTP_M(GET), NULL}}},
        {"needs a handler and methods", {{STR_INIT("/a"), 0, none}}},
        {"OPTIONS not among them", {{STR_INIT("/a"), HTTP_M(OPTIONS), none}}},
        {"must not have CORS",
         {{STR_INIT("/a"), HTTP_M(GET), none, .cors = HTTP_CORS_PUBLIC, .flags = HTTP_ROUTE_PAGE}}},
        {"same method", {{STR_INIT("/a"), HTTP_M(GET), none}, {STR_INIT("/a"), HTTP_M(GET), none}}},
        {"same method",
         {{STR_INIT("/a"), HTTP_M(GET), none}, {STR_INIT("/a"), HTTP_M(HEAD), none}}},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        http_routes_t routes = {tables[i].rows, tables[i].rows[1].methods ? 2 : 1};
        str_t why = STR_UNSET;
        assert_int_equal(http_router_check(&routes, &why), RC_CONFIG);
        if (!str_contains(why, str_c(tables[i].why)))
            fail_msg("%" PRIstr " for %s", STR_ARG(why), tables[i].why);
    }
    str_t why;
    assert_int_equal(http_router_check(&ROUTES, &why), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_rows),
        cmocka_unit_test(head_is_not_implied_where_get_does_something),
        cmocka_unit_test(suffix_matches_behind_any_path),
        cmocka_unit_test(allowed_methods_add_up),
        cmocka_unit_test(unsound_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
