#include "as/declared.h"

#include "as/as_test_world.h"

static const conf_scope_t SCOPES[] = {{STR_INIT("a"), STR_INIT("Read a")},
                                      {STR_INIT("b"), STR_INIT("Write b")}};
static const str_t DEFAULTS[] = {STR_INIT("a"), STR_INIT("b")};
static const str_t ALIASES[] = {STR_INIT("https://rs.test"), STR_INIT("https://rs.test/mcp/")};

static conf_resource_t declared(void)
{
    return (conf_resource_t){
        .uri = STR("HTTPS://RS.test:443/mcp"),
        .name = STR("Files"),
        .scopes = SCOPES,
        .n_scopes = 2,
        .default_scopes = {DEFAULTS, 2},
        .aliases = {ALIASES, 2},
        .access_token_lifetime = 300,
        .opaque = true,
        .dpop_required = true,
    };
}

static resource_t made(world_t *w, const conf_resource_t *from)
{
    resource_t r;
    assert_ok(as_declared_resource(w->a, from, 77, &r));
    return r;
}

static void a_record_says_what_was_declared(void **state)
{
    const conf_resource_t from = declared();
    resource_t r = made(*state, &from);
    assert_text(r.uri, "https://rs.test/mcp");
    assert_text(r.name, "Files");
    assert_int_equal(r.n_scopes, 2);
    assert_text(r.scopes[1].name, "b");
    assert_text(r.scopes[1].text, "Write b");
    assert_text(r.default_scope, "a b");
    assert_int_equal(r.aliases.n, 2);
    assert_int_equal(r.created_at, 77);
    assert_int_equal(r.access_token_lifetime, 300);
    assert_int_equal(r.token_format, TOKEN_OPAQUE);
    assert_true(r.dpop_required);
    assert_true(r.from_settings);
}

static void what_is_left_out_is_unset(void **state)
{
    const conf_resource_t from = {.uri = STR("https://rs.test"), .name = STR("")};
    resource_t r = made(*state, &from);
    assert_false(str_is_set(r.name));
    assert_false(str_is_set(r.default_scope));
    assert_int_equal(r.n_scopes, 0);
}

static void what_is_no_url_is_malformed(void **state)
{
    world_t *w = *state;
    resource_t r;
    const conf_resource_t from = {.uri = STR("no url")};
    assert_int_equal(as_declared_resource(w->a, &from, 77, &r), RC_MALFORMED);
}

static void each_difference_is_one(void **state)
{
    static const scope_text_t OTHER_TEXT[] = {{STR_INIT("a"), STR_INIT("Read a")},
                                              {STR_INIT("b"), STR_INIT("Other")}};
    static const scope_text_t OTHER_NAME[] = {{STR_INIT("a"), STR_INIT("Read a")},
                                              {STR_INIT("c"), STR_INIT("Write b")}};
    static const str_t OTHER_ALIAS[] = {STR_INIT("https://rs.test"), STR_INIT("https://x.test")};
    const conf_resource_t from = declared();
    const resource_t one = made(*state, &from);
    enum { OTHERS = 12 };
    resource_t other[OTHERS];
    for (size_t i = 0; i < OTHERS; i++)
        other[i] = made(*state, &from);
    assert_true(as_declared_same(&one, &other[0]));
    other[0].created_at = 1; /* whenever it was made */
    assert_true(as_declared_same(&one, &other[0]));
    other[0].uri = STR("https://x.test");
    other[1].name = STR_UNSET;
    other[2].default_scope = STR("a");
    other[3].n_scopes = 1;
    other[4].scopes = OTHER_TEXT;
    other[5].scopes = OTHER_NAME;
    other[6].aliases.n = 1;
    other[7].aliases.v = OTHER_ALIAS;
    other[8].access_token_lifetime = 0;
    other[9].token_format = TOKEN_JWT;
    other[10].dpop_required = false;
    other[11].from_settings = false;
    for (size_t i = 0; i < OTHERS; i++) {
        assert_false(as_declared_same(&one, &other[i]));
        assert_false(as_declared_same(&other[i], &one));
    }
}

static void memory_ends_anywhere(void **state)
{
    (void)state;
    const conf_resource_t from = declared();
    rc_t rc = RC_MEMORY;
    for (size_t budget = 0; rc != RC_OK; budget += 16) {
        resource_t r;
        arena_t *a = arena_new(budget);
        rc = as_declared_resource(a, &from, 77, &r);
        arena_free(a);
        if (rc != RC_OK)
            assert_int_equal(rc, RC_MEMORY);
        if (budget == 0)
            assert_int_equal(rc, RC_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_record_says_what_was_declared),
        WORLD_TEST(what_is_left_out_is_unset),
        WORLD_TEST(what_is_no_url_is_malformed),
        WORLD_TEST(each_difference_is_one),
        WORLD_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
