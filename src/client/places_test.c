#include "client/client_test_util.h"

#include "client/discovery.h"

#define RM "/.well-known/oauth-protected-resource"
#define AS "/.well-known/oauth-authorization-server"
#define OC "/.well-known/openid-configuration"

typedef rc_t places_fn(arena_t *a, str_t url, str_list_t *out);

static const struct {
    const char *url, *places[CLIENT_PLACES_MAX];
} RESOURCES[] = {
    {"https://h", {"https://h" RM}},
    {"https://h/", {"https://h" RM}},
    {"https://h/mcp", {"https://h" RM "/mcp", "https://h" RM}},
    {"https://h/a/b", {"https://h" RM "/a/b", "https://h" RM}},
    /* only the slash directly behind the host is dropped */
    {"https://h/mcp/", {"https://h" RM "/mcp/", "https://h" RM}},
    {"https://h//", {"https://h" RM "//", "https://h" RM}},
    /* a query stays at the end */
    {"https://h/mcp?a=b", {"https://h" RM "/mcp?a=b", "https://h" RM}},
    {"https://h/?a=b", {"https://h" RM "?a=b", "https://h" RM}},
    {"https://h?a=b", {"https://h" RM "?a=b", "https://h" RM}},
    {"https://h/mcp?", {"https://h" RM "/mcp?", "https://h" RM}},
    /* nothing is rewritten */
    {"HTTPS://H:443/%6D", {"HTTPS://H:443" RM "/%6D", "HTTPS://H:443" RM}},
    {"http://[::1]:8/mcp", {"http://[::1]:8" RM "/mcp", "http://[::1]:8" RM}},
    {"https://h/mcp#x", {"https://h" RM "/mcp", "https://h" RM}},
};

static const struct {
    const char *issuer, *places[CLIENT_PLACES_MAX];
} SERVERS[] = {
    {"https://a", {"https://a" AS, "https://a" OC}},
    {"https://a/", {"https://a" AS, "https://a" OC}},
    {"https://a/t", {"https://a" AS "/t", "https://a" OC "/t", "https://a/t" OC}},
    {"https://a/t/", {"https://a" AS "/t", "https://a" OC "/t", "https://a/t" OC}},
    {"https://a/t/u", {"https://a" AS "/t/u", "https://a" OC "/t/u", "https://a/t/u" OC}},
    {"https://A:8443/T",
     {"https://A:8443" AS "/T", "https://A:8443" OC "/T", "https://A:8443/T" OC}},
};

static void try_places(arena_t *a, places_fn *fn, const char *url, const char *const *places)
{
    str_list_t out;
    assert_ok(fn(a, test_exact(a, str_c(url)), &out));
    assert_true(out.n <= CLIENT_PLACES_MAX);
    for (size_t i = 0; i < out.n; i++)
        assert_str(out.v[i], str_c(places[i]));
    assert_null(places[out.n]);
}

static void of_a_resource(void **state)
{
    for (size_t i = 0; i < ROWS(RESOURCES); i++)
        try_places(*state, client_resource_places, RESOURCES[i].url, RESOURCES[i].places);
}

static void of_an_issuer(void **state)
{
    for (size_t i = 0; i < ROWS(SERVERS); i++)
        try_places(*state, client_server_places, SERVERS[i].issuer, SERVERS[i].places);
}

static void of_what_has_none(void **state)
{
    static const str_t BAD[] = {STR_INIT(""), STR_INIT("h/mcp"), STR_INIT("file:///mcp"),
                                STR_INIT("https://"), STR_INIT("https://h/ ")};
    static const str_t NO_ISSUER[] = {STR_INIT("https://a?b"), STR_INIT("https://a/#")};
    str_list_t out;
    for (size_t i = 0; i < ROWS(BAD); i++) {
        assert_int_equal(client_resource_places(*state, BAD[i], &out), RC_MALFORMED);
        assert_int_equal(client_server_places(*state, BAD[i], &out), RC_MALFORMED);
        assert_int_equal(out.n, 0);
    }
    for (size_t i = 0; i < ROWS(NO_ISSUER); i++)
        assert_int_equal(client_server_places(*state, NO_ISSUER[i], &out), RC_MALFORMED);
}

static rc_t both(arena_t *a, void *ctx)
{
    str_list_t out;
    (void)ctx;
    TRY(client_resource_places(a, STR("https://h/mcp"), &out));
    return client_server_places(a, STR("https://a/t"), &out);
}

static void without_memory(void **state)
{
    (void)state;
    client_test_starve(both, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(of_a_resource),
        ARENA_TEST(of_an_issuer),
        ARENA_TEST(of_what_has_none),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
