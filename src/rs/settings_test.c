#include "rs/rs_test_world.h"

#include "core/json.h"

static const char *refusal(const warder_rs_config_t *config)
{
    static _Thread_local char why[256];
    warder_rs_t *rs = warder_rs_new(config, why, sizeof why);
    warder_rs_free(rs);
    return rs ? "" : why;
}

static void refused(const warder_rs_config_t *config, const char *word)
{
    if (!strstr(refusal(config), word))
        fail_msg("\"%s\" does not speak of %s", refusal(config), word);
}

static void settings_resource(void **state)
{
    world_t *w = *state;
    static const char *const BAD[] = {
        NULL,
        "",
        "mcp",
        "ftp://rs.test/mcp",
        "http://rs.test/mcp",
        "https://rs.test/mcp#x",
        "https://rs.test/mcp?x",
        "https://u@rs.test/mcp",
        "https://",
        "https://rs.test/a b",
        "https://rs.test/\r\nX: y",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        w->config.resource = BAD[i];
        refused(&w->config, "resource");
    }
    static const char *const GOOD[] = {"https://rs.test", "https://rs.test:8443/a/b",
                                       "http://127.0.0.1:3000/mcp", "http://localhost:1"};
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        w->config.resource = GOOD[i];
        assert_string_equal(refusal(&w->config), "");
    }
}

/* attack case: JWT-027: nothing that decides about keys comes over a line others can write to. */
static void settings_server(void **state)
{
    world_t *w = *state;
    static const warder_rs_server_t BAD[] = {
        {NULL, NULL},
        {"http://as.test", NULL},
        {"https://as.test?x=1", NULL},
        {"https://as.test#x", NULL},
        {"as.test", NULL},
        {W_ISSUER, "http://as.test/jwks"},
        {W_ISSUER, "https://127.0.0.1/jwks"},
        {W_ISSUER, "http://localhost/jwks"},
        {W_ISSUER, "file:///etc/passwd"},
        {W_ISSUER, ""},
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        w->servers[0] = BAD[i];
        refused(&w->config, BAD[i].jwks_uri ? "jwks_uri" : "issuer");
    }
    w->servers[0] = (warder_rs_server_t){"http://127.0.0.1:8080", "http://127.0.0.1:8080/jwks"};
    assert_string_equal(refusal(&w->config), "");
    w->servers[0] = w->servers[1] = (warder_rs_server_t){W_ISSUER, NULL};
    w->config.server_count = 2;
    refused(&w->config, "twice");
    w->config.server_count = 0;
    refused(&w->config, "servers");
}

static void settings_numbers(void **state)
{
    world_t *w = *state;
    const warder_rs_config_t good = w->config;
    w->config.leeway_s = 61;
    refused(&w->config, "leeway_s");
    w->config = good;
    w->config.leeway_s = -2;
    refused(&w->config, "leeway_s");
    w->config = good;
    w->config.keys_fresh_s = 29;
    refused(&w->config, "keys_fresh_s");
    w->config = good;
    w->config.cache_tokens = (size_t)1 << 40;
    refused(&w->config, "cache_tokens");
    w->config = good;
    w->config.leeway_s = -1;
    assert_string_equal(refusal(&w->config), "");
}

static void settings_scopes(void **state)
{
    world_t *w = *state;
    w->config.scopes = "a  b";
    refused(&w->config, "scopes");
    w->config.scopes = "a\"b";
    refused(&w->config, "scopes");
    w->config.scopes = "a b";
    assert_string_equal(refusal(&w->config), "");
    w->config.scopes_supported = "a  b";
    refused(&w->config, "scopes_supported");
    w->config.scopes_supported = "a b\"";
    refused(&w->config, "scopes_supported");
    w->config.scopes_supported = "b c a";
    assert_string_equal(refusal(&w->config), "");
}

/* Clients would be sent to ask for what the metadata does not know. */
static void settings_scopes_beyond_the_supported(void **state)
{
    world_t *w = *state;
    static const char *const BAD[] = {"", "a", "a bb", "offline_access", "c"};
    w->config.scopes = "a b";
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        w->config.scopes_supported = BAD[i];
        refused(&w->config, "scopes_supported must hold");
    }
    w->config.scopes = "offline_access";
    w->config.scopes_supported = "a";
    assert_string_equal(refusal(&w->config), "");
}

/* attack case: CHL-004 */
static void metadata_says_what_is_configured(void **state)
{
    world_t *w = *state;
    w->config.scopes = "files:read offline_access files:write";
    world_open(w);
    assert_string_equal(warder_rs_metadata(w->rs),
                        "{\"resource\":\"https://rs.test/mcp\","
                        "\"authorization_servers\":[\"https://as.test\"],"
                        "\"scopes_supported\":[\"files:read\",\"files:write\"],"
                        "\"bearer_methods_supported\":[\"header\"],\"resource_name\":\"Files\"}");
    w->config.scopes = "files:read";
    w->config.scopes_supported = "files:read files:write offline_access";
    world_open(w);
    assert_non_null(strstr(warder_rs_metadata(w->rs),
                           "\"scopes_supported\":[\"files:read\",\"files:write\"],"));
    const warder_rs_verdict_t *v = world_ask_headers(w, NULL, 0);
    assert_non_null(strstr(v->www_authenticate, "scope=\"files:read\","));
    w->config.scopes_supported = NULL;
    w->config.scopes = "offline_access";
    w->config.name = NULL;
    world_open(w);
    assert_string_equal(warder_rs_metadata(w->rs),
                        "{\"resource\":\"https://rs.test/mcp\","
                        "\"authorization_servers\":[\"https://as.test\"],"
                        "\"bearer_methods_supported\":[\"header\"]}");
}

static void paths_are(world_t *w, const char *resource, const char *canonical, const char *url,
                      const char *const *paths)
{
    w->config.resource = resource;
    world_open(w);
    assert_string_equal(warder_rs_resource(w->rs), canonical);
    assert_string_equal(warder_rs_metadata_url(w->rs), url);
    for (size_t i = 0; i < 4; i++) {
        const char *path = warder_rs_metadata_path(w->rs, i);
        if (!paths[i]) {
            assert_null(path);
            return;
        }
        assert_string_equal(path, paths[i]);
    }
}

/* attack case: CHL-004 */
static void metadata_paths(void **state)
{
    world_t *w = *state;
    paths_are(w, "https://RS.test:443/mcp", "https://rs.test/mcp",
              "https://rs.test/.well-known/oauth-protected-resource/mcp",
              (const char *const[]){"/.well-known/oauth-protected-resource/mcp",
                                    "/.well-known/oauth-protected-resource/mcp/",
                                    "/.well-known/oauth-protected-resource", NULL});
    paths_are(w, "https://rs.test/mcp/", "https://rs.test/mcp/",
              "https://rs.test/.well-known/oauth-protected-resource/mcp/",
              (const char *const[]){"/.well-known/oauth-protected-resource/mcp/",
                                    "/.well-known/oauth-protected-resource/mcp",
                                    "/.well-known/oauth-protected-resource", NULL});
    paths_are(w, "http://localhost:8081/", "http://localhost:8081",
              "http://localhost:8081/.well-known/oauth-protected-resource",
              (const char *const[]){"/.well-known/oauth-protected-resource",
                                    "/.well-known/oauth-protected-resource/", NULL});
}

static void discovery_places_are(world_t *w, const char *issuer, const char *const *urls)
{
    rs_server_t server = {.issuer = str_c(issuer)};
    for (size_t i = 0; i < 4; i++) {
        str_t url;
        assert_int_equal(rs_server_metadata_url(w->a, &server, i, &url), RC_OK);
        if (!urls[i]) {
            assert_false(str_is_set(url));
            return;
        }
        assert_string_equal(url.p, urls[i]);
    }
}

/* RFC 8414 sections 3.1 and 5 */
static void discovery_places(void **state)
{
    discovery_places_are(
        *state, "https://as.test",
        (const char *const[]){"https://as.test/.well-known/oauth-authorization-server",
                              "https://as.test/.well-known/openid-configuration", NULL, NULL});
    discovery_places_are(
        *state, "https://as.test/t1/",
        (const char *const[]){"https://as.test/.well-known/oauth-authorization-server/t1",
                              "https://as.test/.well-known/openid-configuration/t1",
                              "https://as.test/t1/.well-known/openid-configuration", NULL});
}

static rc_t read_metadata(world_t *w, const char *text)
{
    rs_server_t server = {.issuer = STR(W_ISSUER)};
    rs_places_t places;
    return rs_server_read_metadata(w->a, &server, str_c(text), &places);
}

#define JWKS_AT_AS "{\"issuer\":\"https://as.test\",\"jwks_uri\":\"https://as.test/jwks\""

/* attack case: JWT-027 */
static void discovered_keys_are_as_guarded_as_configured_ones(void **state)
{
    world_t *w = *state;
    static const char *const BAD[] = {
        "",
        "<html>",
        "{}",
        "{\"issuer\":\"https://as.test\"}",
        "{\"issuer\":\"https://as.test/\",\"jwks_uri\":\"https://as.test/jwks\"}",
        "{\"issuer\":\"https://evil.test\",\"jwks_uri\":\"https://as.test/jwks\"}",
        "{\"issuer\":\"https://as.test\",\"jwks_uri\":\"http://as.test/jwks\"}",
        "{\"issuer\":\"https://as.test\",\"jwks_uri\":\"https://localhost/jwks\"}",
        "{\"issuer\":\"https://as.test\",\"jwks_uri\":\"https://127.0.0.1/jwks\"}",
        "{\"issuer\":\"https://as.test\",\"jwks_uri\":\"https://u:p@as.test/jwks\"}",
        "{\"issuer\":\"https://as.test\",\"jwks_uri\":7}",
        JWKS_AT_AS ",\"warder_revocations_endpoint\":\"http://as.test/revocations\"}",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(read_metadata(w, BAD[i]), RC_MALFORMED);
    assert_int_equal(
        read_metadata(w,
                      "{\"issuer\":\"https://as.test\",\"jwks_uri\":\"https://keys.test/jwks\"}"),
        RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(settings_resource),
        WORLD_TEST(settings_server),
        WORLD_TEST(settings_numbers),
        WORLD_TEST(settings_scopes),
        WORLD_TEST(settings_scopes_beyond_the_supported),
        WORLD_TEST(metadata_says_what_is_configured),
        WORLD_TEST(metadata_paths),
        WORLD_TEST(discovery_places),
        WORLD_TEST(discovered_keys_are_as_guarded_as_configured_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
