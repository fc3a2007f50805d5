#include "oauth/oauth_test_world.h"

#include "core/url.h"
#include "oauth/handle.h"

void world_assert_str(str_t left, str_t right, const char *file, int line)
{
    if (str_eq(left, right))
        return;
    print_error("\"%" PRIstr "\" is not \"%" PRIstr "\"\n", STR_ARG(left), STR_ARG(right));
    _fail(file, line);
}

void world_assert_reason(oauth_reason_t left, oauth_reason_t right, const char *file, int line)
{
    world_assert_str(oauth_reason_name(left), oauth_reason_name(right), file, line);
}

static void make_resources(world_t *w)
{
    w->scopes[0] = (scope_text_t){STR("a:read"), STR("Read a")};
    w->scopes[1] = (scope_text_t){STR("a:write"), STR("Write a")};
    w->scopes[2] = (scope_text_t){STR("b"), STR("Use b")};
    w->aliases[0] = STR("https://alias.test/mcp");
    w->resource[0] = (resource_t){
        .uri = STR("https://rs.test/mcp"),
        .aliases = {w->aliases, 1},
        .scopes = w->scopes,
        .n_scopes = 2,
        .default_scope = STR("a:read"),
    };
    w->resource[1] = (resource_t){
        .uri = STR("https://other.test"),
        .scopes = &w->scopes[2],
        .n_scopes = 1,
        .default_scope = STR("b"),
    };
    w->resources = (oauth_resources_t){w->resource, 2, STR("https://rs.test/mcp")};
}

static void make_client(world_t *w)
{
    w->redirect_uris[0] = STR("https://c.test/cb");
    w->redirect_uris[1] = STR("http://127.0.0.1/cb");
    w->redirect_uris[2] = STR("https://c.test/other");
    w->secret = STR("wrs_the-secret-of-the-client");
    w->client = (client_t){
        .id = STR("client-1"),
        .name = STR("Client"),
        .auth = CLIENT_AUTH_NONE,
        .type = CLIENT_WEB,
        .origin = CLIENT_BY_REGISTRATION,
        .grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN,
        .redirect_uris = {w->redirect_uris, 1},
        .has_secret = true,
        .secret_hash = oauth_handle_hash(w->secret),
        .created_at = TEST_NOW - 100,
        .expires_at = TEST_NOW + 86400,
        .stored = true,
    };
}

void world_begin(world_t *w)
{
    *w = (world_t){.a = arena_new(TEST_ARENA_BYTES)};
    assert_non_null(w->a);
    w->random = random_fake(&w->random_state);
    w->settings = oauth_settings_default();
    w->settings.issuer = STR("https://as.test");
    make_resources(w);
    make_client(w);
    w->user = (user_t){.id = STR("user-1"), .name = STR("alice")};
    w->session = (session_t){
        .id = oauth_handle_hash(STR("session")),
        .user_id = w->user.id,
        .auth_time = TEST_NOW - 50,
        .created_at = TEST_NOW - 50,
        .expires_at = TEST_NOW + 3600,
    };
}

void world_end(world_t *w)
{
    arena_free(w->a);
    w->a = NULL;
}

form_t world_form(world_t *w, const char *text)
{
    form_t form;
    assert_int_equal(form_parse(w->a, str_c(text), &form), RC_OK);
    return form;
}

oauth_reason_t world_reason(const char *name)
{
    for (int r = OAUTH_FINE; r < OAUTH_REASON_COUNT; r++)
        if (str_eq(oauth_reason_name((oauth_reason_t)r), str_c(name)))
            return (oauth_reason_t)r;
    fail_msg("no reason %s", name);
    return OAUTH_FINE;
}

static rc_t no_bytes(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 0, n);
    return RC_IO;
}

random_port_t world_no_random(void)
{
    return (random_port_t){no_bytes, NULL};
}

void world_starve(rc_t (*fn)(world_t *w, arena_t *a, void *ctx), world_t *w, void *ctx)
{
    enum { STEP = 48 };
    size_t failures = 0;
    rc_t rc = RC_MEMORY;
    for (size_t budget = STEP; rc != RC_OK && budget < TEST_ARENA_BYTES; budget += STEP) {
        arena_t *a = arena_new(budget);
        assert_non_null(a);
        rc = fn(w, a, ctx);
        arena_free(a);
        if (rc == RC_OK)
            break;
        assert_int_equal(rc, RC_MEMORY);
        failures++;
    }
    assert_int_equal(rc, RC_OK);
    assert_true(failures > 0);
}

str_t world_parameter(world_t *w, str_t url, const char *name)
{
    url_t u;
    form_t form;
    str_t value;
    assert_int_equal(url_parse(url, &u), RC_OK);
    assert_int_equal(form_parse(w->a, u.query, &form), RC_OK);
    form_found_t found = form_get(&form, str_c(name), &value);
    assert_true(found != FORM_REPEATED);
    return value;
}

const json_t *world_json(world_t *w, str_t text)
{
    const json_t *json;
    assert_int_equal(json_parse(w->a, text, NULL, &json), RC_OK);
    return json;
}

void world_assert_effects(const effects_t *effects, const effect_kind_t *kinds)
{
    size_t n = 0;
    while (kinds[n] != EFFECT_COUNT)
        n++;
    assert_int_equal(effects->n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(effects->v[i].kind, kinds[i]);
}

/* The row goes through a void pointer that is not const; the tests only read it. */
struct CMUnitTest world_row_test(const char *name, CMUnitTestFunction fn, const void *row)
{
    struct CMUnitTest test = {.name = name, .test_func = fn};
    memcpy(&test.initial_state, &row, sizeof row);
    return test;
}

int world_run(const struct CMUnitTest *tests, size_t n)
{
    return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
