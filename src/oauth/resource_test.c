#include "oauth/oauth_test_world.h"

#include "oauth/resource.h"

static oauth_resource_verdict_t resolve(world_t *w, const char *text)
{
    str_list_t values;
    oauth_resource_verdict_t out;
    form_t form = world_form(w, text);
    assert_int_equal(form_get_all(w->a, &form, STR("resource"), &values), RC_OK);
    assert_int_equal(oauth_resource_resolve(w->a, &w->resources, values, &out), RC_OK);
    return out;
}

static void means(world_t *w, const char *text, const char *uri)
{
    oauth_resource_verdict_t out = resolve(w, text);
    assert_reason(out.reason, OAUTH_FINE);
    assert_str(out.resource->uri, str_c(uri));
}

static void spellings_that_clients_send(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    means(&w, "resource=https://rs.test/mcp", "https://rs.test/mcp");
    means(&w, "resource=https://rs.test/mcp/", "https://rs.test/mcp");
    means(&w, "resource=https://rs.test", "https://rs.test/mcp");
    means(&w, "resource=https://rs.test/", "https://rs.test/mcp");
    means(&w, "resource=HTTPS://RS.test:443/mcp", "https://rs.test/mcp");
    means(&w, "resource=https://alias.test/mcp", "https://rs.test/mcp");
    means(&w, "resource=https://other.test", "https://other.test");
    means(&w, "resource=https://other.test/", "https://other.test");
    means(&w, "resource=https://rs.test/mcp&resource=https://rs.test/mcp/", "https://rs.test/mcp");
    world_end(&w);
}

/* attack case: META-005 */
static void without_resource_the_default(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    means(&w, "", "https://rs.test/mcp");
    means(&w, "resource=", "https://rs.test/mcp");
    w.resources.default_uri = STR_UNSET;
    w.resources.n = 1;
    means(&w, "", "https://rs.test/mcp");
    world_end(&w);
}

static void resource_missing(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    w.resources.default_uri = STR_UNSET;
    oauth_resource_verdict_t out = resolve(&w, "");
    assert_reason(out.reason, OAUTH_RESOURCE_MISSING);
    assert_true(str_contains(out.description, STR("https://other.test")));
    w.resources.n = 0;
    assert_reason(resolve(&w, "").reason, OAUTH_RESOURCE_MISSING);
    w.resources.n = 2;
    w.resources.default_uri = STR("https://gone.test");
    assert_reason(resolve(&w, "").reason, OAUTH_RESOURCE_MISSING);
    world_end(&w);
}

/* attack case: META-004 */
static void resource_malformed(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    static const char *const BAD[] = {"resource=mcp.test", "resource=https://rs.test/mcp%23x",
                                      "resource=https://rs.test/mcp%23", "resource=/mcp",
                                      "resource=https://rs.test/m cp"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_reason(resolve(&w, BAD[i]).reason, OAUTH_RESOURCE_MALFORMED);
    means(&w, "resource=https://rs.test/mcp", "https://rs.test/mcp");
    world_end(&w);
}

/* attack case: META-004 */
static void resource_unknown(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    static const char *const BAD[] = {
        "resource=https://unknown.test", "resource=urn:x",
        "resource=https://rs.test/mcpx", "resource=https://rs.test/mcp/../mcp",
        "resource=https://rs.test/MCP",  "resource=https://rs.test/mcp//",
        "resource=https://rs.test/?x",   "resource=http://rs.test/mcp",
        "resource=https://rs.test:8443", "resource=https://rs.test/mcp?x"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        oauth_resource_verdict_t out = resolve(&w, BAD[i]);
        assert_reason(out.reason, OAUTH_RESOURCE_UNKNOWN);
        assert_text(out.description,
                    "The resource must be one of: https://rs.test/mcp https://other.test");
    }
    world_end(&w);
}

static void an_origin_of_two_resources_is_no_guess(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    w.resource[1].uri = STR("https://rs.test/second");
    assert_reason(resolve(&w, "resource=https://rs.test").reason, OAUTH_RESOURCE_UNKNOWN);
    w.resource[1].uri = STR("https://rs.test.evil.test/second");
    means(&w, "resource=https://rs.test", "https://rs.test/mcp");
    world_end(&w);
}

static void resource_several(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    assert_reason(resolve(&w, "resource=https://rs.test/mcp&resource=https://other.test").reason,
                  OAUTH_RESOURCE_SEVERAL);
    assert_reason(resolve(&w, "resource=https://rs.test/mcp&resource=https://unknown.test").reason,
                  OAUTH_RESOURCE_UNKNOWN);
    world_end(&w);
}

static void grantable_scopes(void **state)
{
    (void)state;
    world_t w;
    str_t scope;
    world_begin(&w);
    assert_int_equal(oauth_resource_scope(w.a, &w.resource[0], &w.client, &scope), RC_OK);
    assert_text(scope, "a:read a:write");
    w.client.scope = STR("a:write b admin *");
    assert_int_equal(oauth_resource_scope(w.a, &w.resource[0], &w.client, &scope), RC_OK);
    assert_text(scope, "a:read a:write"); /* a client that an administrator made for everything */
    w.client.scope = STR("a:write b");
    assert_int_equal(oauth_resource_scope(w.a, &w.resource[0], &w.client, &scope), RC_OK);
    assert_text(scope, "a:write");
    w.scopes[0].name = STR("a:*");
    w.client.scope = STR("a:x");
    assert_int_equal(oauth_resource_scope(w.a, &w.resource[0], &w.client, &scope), RC_OK);
    assert_text(scope, "a:x");
    w.client.scope = STR("b");
    assert_int_equal(oauth_resource_scope(w.a, &w.resource[0], &w.client, &scope), RC_OK);
    assert_unset(scope);
    assert_int_equal(oauth_resource_scope_all(w.a, &w.resources, &scope), RC_OK);
    assert_text(scope, "a:* a:write b");
    world_end(&w);
}

static void texts_of_scopes(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    assert_text(oauth_resource_scope_text(&w.resource[0], STR("a:write")), "Write a");
    assert_unset(oauth_resource_scope_text(&w.resource[0], STR("b")));
    w.scopes[0] = (scope_text_t){STR("a:*"), STR("All of a")};
    assert_text(oauth_resource_scope_text(&w.resource[0], STR("a:x")), "All of a");
    assert_text(oauth_resource_scope_text(&w.resource[0], STR("a:write")), "Write a");
    world_end(&w);
}

static rc_t resolve_in(world_t *w, arena_t *a, void *ctx)
{
    oauth_resource_verdict_t out;
    const str_t value = STR("https://unknown.test/x");
    (void)ctx;
    return oauth_resource_resolve(a, &w->resources, (str_list_t){&value, 1}, &out);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    world_starve(resolve_in, &w, NULL);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_that_clients_send),
        cmocka_unit_test(without_resource_the_default),
        cmocka_unit_test(resource_missing),
        cmocka_unit_test(resource_malformed),
        cmocka_unit_test(resource_unknown),
        cmocka_unit_test(an_origin_of_two_resources_is_no_guess),
        cmocka_unit_test(resource_several),
        cmocka_unit_test(grantable_scopes),
        cmocka_unit_test(texts_of_scopes),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
