#include "client/client_test_util.h"

#include "client/resource_metadata.h"
#include "core/buf.h"
#include "core/limits.h"

#define URL "https://h.example/mcp"

static client_reason_t read_body(arena_t *a, str_t body, client_resource_metadata_t *out,
                                 str_t *why)
{
    rc_t rc;
    client_reason_t reason = client_resource_metadata_read(a, test_exact(a, body), STR(URL),
                                                           CLIENT_RESOURCE_PREFIX, out, why, &rc);
    assert_ok(rc);
    return reason;
}

static void a_whole_document(void **state)
{
    client_resource_metadata_t m;
    str_t why;
    assert_reason(
        read_body(*state,
                  STR("{\"resource\":\"" URL "\",\"authorization_servers\":[\"https://a.example/\","
                      "\"https://b.example\"],\"scopes_supported\":[\"a:read\",\"b\",\"a:read\"],"
                      "\"resource_name\":\"H\",\"dpop_bound_access_tokens_required\":true,"
                      "\"bearer_methods_supported\":[\"header\"],\"x\":{\"y\":[1]}}"),
                  &m, &why),
        CLIENT_FINE);
    assert_str(m.resource, STR(URL));
    assert_int_equal(m.authorization_servers.n, 2);
    assert_str(m.authorization_servers.v[0], STR("https://a.example/"));
    assert_str(m.authorization_servers.v[1], STR("https://b.example"));
    assert_true(m.has_scopes);
    assert_str(m.scopes_supported, STR("a:read b"));
    assert_str(m.name, STR("H"));
    assert_true(m.dpop_required);
    assert_false(str_is_set(m.note) || str_is_set(why));
    assert_true(json_is(json_get(m.all, STR("x")), JSON_OBJECT));
}

#define REST "\"authorization_servers\":[\"https://a.example\"]"
#define FINE "\"resource\":\"" URL "\"," REST

/* What is optional and wrong is absent, and noted. */
static void lenient_in_what_is_optional(void **state)
{
    static const struct {
        const char *body, *scopes, *note;
        bool has;
    } BODIES[] = {
        {"{" FINE "}", NULL, NULL, false},
        {"{" FINE ",\"scopes_supported\":[]}", "", NULL, true},
        {"{" FINE ",\"scopes_supported\":null}", NULL, "scopes_supported is null", false},
        {"{" FINE ",\"scopes_supported\":\"a b\"}", NULL, "scopes_supported is no list", false},
        {"{" FINE ",\"scopes_supported\":[1,\"a\",null]}", "a",
         "scopes_supported holds what is no string", true},
        {"{" FINE ",\"scopes_supported\":[\"a b\",\"c\\\"\",\"\",\"d\",\"\\u00e9\"]}", "d", NULL,
         true},
        {"{" FINE ",\"resource_name\":null,\"dpop_bound_access_tokens_required\":\"yes\"}", NULL,
         "resource_name is null; dpop_bound_access_tokens_required is no boolean", false},
        {"{" FINE ",\"resource_documentation\":null}", NULL, NULL, false},
    };
    for (size_t i = 0; i < ROWS(BODIES); i++) {
        client_resource_metadata_t m;
        str_t why;
        assert_reason(read_body(*state, str_c(BODIES[i].body), &m, &why), CLIENT_FINE);
        assert_str(m.scopes_supported, str_c(BODIES[i].scopes));
        assert_str(m.note, str_c(BODIES[i].note));
        assert_int_equal(m.has_scopes, BODIES[i].has);
        assert_false(m.dpop_required);
    }
}

static void strict_in_what_is_required(void **state)
{
    static const struct {
        const char *body, *why;
        client_reason_t reason;
    } BODIES[] = {
        {"", "it is no JSON object", CLIENT_RESOURCE_METADATA_BAD},
        {"[]", "it is no JSON object", CLIENT_RESOURCE_METADATA_BAD},
        {"{" FINE "} ", NULL, CLIENT_FINE},
        {"{" FINE "}x", "it is no JSON object", CLIENT_RESOURCE_METADATA_BAD},
        {"{" FINE ",}", "it is no JSON object", CLIENT_RESOURCE_METADATA_BAD},
        {"\xef\xbb\xbf{" FINE "}", "it is no JSON object", CLIENT_RESOURCE_METADATA_BAD},
        {"{\"resource\":\"" URL "\"," FINE "}", "it is no JSON object",
         CLIENT_RESOURCE_METADATA_BAD},
        {"{" REST "}", "resource is missing", CLIENT_RESOURCE_METADATA_BAD},
        {"{\"resource\":null," REST "}", "resource is missing", CLIENT_RESOURCE_METADATA_BAD},
        {"{\"resource\":[\"" URL "\"]," REST "}", "resource is no string",
         CLIENT_RESOURCE_METADATA_BAD},
        {"{\"resource\":\"" URL "\",\"authorization_servers\":\"https://a.example\"}",
         "authorization_servers is no list", CLIENT_RESOURCE_METADATA_BAD},
        {"{\"resource\":\"" URL "\",\"authorization_servers\":[{}]}",
         "authorization_servers holds what is no string", CLIENT_RESOURCE_METADATA_BAD},
        {"{\"resource\":\"" URL "/\"," REST "}", "resource is \"" URL "/\", the URL is \"" URL "\"",
         CLIENT_RESOURCE_MISMATCH},
        {"{\"resource\":\"\"," REST "}", "resource is \"\", the URL is \"" URL "\"",
         CLIENT_RESOURCE_MISMATCH},
        {"{\"resource\":\"\\u001b[2J\"," REST "}", "resource is \"[2J\", the URL is \"" URL "\"",
         CLIENT_RESOURCE_MISMATCH},
        {"{\"resource\":\"https://evil.example\"}",
         "resource is \"https://evil.example\", the URL is \"" URL "\"", CLIENT_RESOURCE_MISMATCH},
        {"{\"resource\":\"" URL "\"}", "it has no authorization_servers",
         CLIENT_NO_AUTHORIZATION_SERVER},
        {"{\"resource\":\"" URL "\",\"authorization_servers\":null}",
         "it has no authorization_servers", CLIENT_NO_AUTHORIZATION_SERVER},
        {"{\"resource\":\"" URL "\",\"authorization_servers\":[]}",
         "it has no authorization_servers", CLIENT_NO_AUTHORIZATION_SERVER},
    };
    for (size_t i = 0; i < ROWS(BODIES); i++) {
        client_resource_metadata_t m;
        str_t why;
        assert_reason(read_body(*state, str_c(BODIES[i].body), &m, &why), BODIES[i].reason);
        assert_str(why, str_c(BODIES[i].why));
    }
}

static void too_large(void **state)
{
    arena_t *a = *state;
    static const char *PIECES[] = {"[", "{\"a\":", "1,"};
    static const size_t TIMES[] = {LIMIT_CLIENT_METADATA_DEPTH, LIMIT_CLIENT_METADATA_DEPTH,
                                   LIMIT_CLIENT_METADATA_NODES};
    for (size_t i = 0; i < ROWS(PIECES); i++) {
        client_resource_metadata_t m;
        str_t why;
        buf_t b = buf_new(a, 1 << 20);
        buf_put(&b, STR("{\"x\":["));
        for (size_t k = 0; k < TIMES[i]; k++)
            buf_put(&b, str_c(PIECES[i]));
        assert_reason(read_body(a, buf_str(&b), &m, &why), CLIENT_RESOURCE_METADATA_BAD);
        assert_str(why, STR("it is too large"));
    }
}

/* More than anybody asks for: the first ones are taken. */
static void lists_are_bounded(void **state)
{
    arena_t *a = *state;
    client_resource_metadata_t m;
    str_t why;
    buf_t b = buf_new(a, 1 << 20);
    buf_put(&b, STR("{\"resource\":\"" URL "\",\"authorization_servers\":[\"https://a.example\""));
    for (size_t i = 0; i < CLIENT_ISSUERS_MAX; i++)
        buf_fmt(&b, ",\"https://a%zu.example\"", i);
    buf_put(&b, STR("],\"scopes_supported\":[\"first\""));
    for (size_t i = 0; i < LIMIT_SCOPE_TOKENS; i++)
        buf_fmt(&b, ",\"s%zu\"", i);
    buf_put(&b, STR("]}"));
    assert_reason(read_body(a, buf_str(&b), &m, &why), CLIENT_FINE);
    assert_int_equal(m.authorization_servers.n, CLIENT_ISSUERS_MAX);
    assert_true(str_starts(m.scopes_supported, STR("first s0 s1 ")));
    assert_true(str_ends(m.scopes_supported, STR(" s98")));
    assert_str(m.note, STR("scopes_supported holds more than can be asked for"));
}

static const struct {
    const char *resource, *url;
    bool prefix, exact;
} FITS[] = {
    {"https://h/mcp", "https://h/mcp", true, true},
    {"https://h/mcp?a=b", "https://h/mcp?a=b", true, true},
    {"https://h", "https://h", true, true},
    {"https://h/", "https://h", true, true},
    {"https://h", "https://h/", true, true},
    {"https://H", "https://H/", true, true},
    {"https://h:443/mcp", "https://h:443/mcp", true, true},
    /* the origin, and whole segments */
    {"https://h", "https://h/mcp", true, false},
    {"https://h/", "https://h/mcp", true, false},
    {"https://h/a", "https://h/a/mcp", true, false},
    {"https://h/a/", "https://h/a/mcp", true, false},
    {"https://h/mcp", "https://h/mcp/", true, false},
    {"https://h/mcp", "https://h/mcp?a=b", true, false},
    {"https://h", "https://h/?a=b", true, false},
    {"https://H:443/mcp", "https://h/mcp", true, false},
    {"HTTPS://h/mcp", "https://h/mcp", true, false},
    {"https://h/a?b", "https://h/a/c?b", true, false},
    /* other resources */
    {"https://h/mcp/", "https://h/mcp", false, false},
    {"https://h/mc", "https://h/mcp", false, false},
    {"https://h/mcp2", "https://h/mcp", false, false},
    {"https://h/mcp/x", "https://h/mcp", false, false},
    {"https://h/MCP", "https://h/mcp", false, false},
    {"https://h/%6dcp", "https://h/mcp", false, false},
    {"https://h/mcp?a=b", "https://h/mcp", false, false},
    {"https://h/mcp?a=b", "https://h/mcp?a=c", false, false},
    {"https://h/mcp#a", "https://h/mcp", false, false},
    {"https://u@h/mcp", "https://h/mcp", false, false},
    {"http://h/mcp", "https://h/mcp", false, false},
    {"https://h:8443/mcp", "https://h/mcp", false, false},
    {"https://evil/mcp", "https://h/mcp", false, false},
    {"https://h.evil/", "https://h/mcp", false, false},
    {"https://evil@h", "https://h", false, false},
    {"h/mcp", "https://h/mcp", false, false},
    {"urn:mcp", "https://h/mcp", false, false},
    {"", "https://h/mcp", false, false},
    {"https://h/ mcp", "https://h/ mcp", false, false},
};

static void resources_that_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(FITS); i++) {
        str_t resource = str_c(FITS[i].resource), url = str_c(FITS[i].url);
        if (client_resource_fits(resource, url, CLIENT_RESOURCE_PREFIX) != FITS[i].prefix ||
            client_resource_fits(resource, url, CLIENT_RESOURCE_EXACT) != FITS[i].exact)
            fail_msg("%s for %s", FITS[i].resource, FITS[i].url);
    }
    assert_false(client_resource_fits(STR_UNSET, STR("https://h"), CLIENT_RESOURCE_PREFIX));
}

static void strictly(void **state)
{
    client_resource_metadata_t m;
    str_t why;
    rc_t rc;
    static const str_t BODY =
        STR_INIT("{\"resource\":\"https://h.example\",\"authorization_servers\":[\"https://a\"]}");
    assert_reason(
        client_resource_metadata_read(*state, BODY, STR(URL), CLIENT_RESOURCE_EXACT, &m, &why, &rc),
        CLIENT_RESOURCE_MISMATCH);
    assert_reason(client_resource_metadata_read(*state, BODY, STR("https://h.example/"),
                                                CLIENT_RESOURCE_EXACT, &m, &why, &rc),
                  CLIENT_FINE);
}

static rc_t read_one(arena_t *a, void *ctx)
{
    client_resource_metadata_t m;
    str_t why;
    rc_t rc;
    client_reason_t reason = client_resource_metadata_read(a, *(const str_t *)ctx, STR(URL),
                                                           CLIENT_RESOURCE_PREFIX, &m, &why, &rc);
    assert_int_equal(reason == CLIENT_MACHINE, rc != RC_OK);
    assert_true(reason == CLIENT_FINE || reason == CLIENT_MACHINE || str_is_set(why));
    return rc;
}

static void without_memory(void **state)
{
    (void)state;
    str_t bodies[] = {
        STR("{" FINE ",\"scopes_supported\":[\"a\",\"b\",1],\"resource_name\":null}"),
        STR("{\"resource\":\"https://evil.example\"," REST "}"),
        STR("{\"resource\":1," REST "}"),
        STR("{\"resource\":\"" URL "\"}"),
    };
    for (size_t i = 0; i < ROWS(bodies); i++)
        client_test_starve(read_one, &bodies[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_whole_document),
        ARENA_TEST(lenient_in_what_is_optional),
        ARENA_TEST(strict_in_what_is_required),
        ARENA_TEST(too_large),
        ARENA_TEST(lists_are_bounded),
        cmocka_unit_test(resources_that_fit),
        ARENA_TEST(strictly),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
