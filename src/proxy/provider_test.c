#include "proxy/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA_BYTES = 4 << 20 };

static int setup(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void every_row_is_sound(void **state)
{
    size_t n;
    const provider_t *v = providers(&n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(provider_find(v[i].id), &v[i]);
        assert_true(v[i].note.n > 20 && v[i].source.n > 5);
        if (!v[i].usable)
            continue;
        /* a type that ID tokens have, too, is no proof */
        assert_non_null(v[i].dialect.needs);
        assert_string_equal(v[i].dialect.refuses, "nonce at_hash c_hash");
    }
    assert_null(provider_find(STR("nobody")));
}

/* The library takes each of them. */
static void every_row_is_taken(void **state)
{
    size_t n;
    char why[256];
    const provider_t *v = providers(&n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        const warder_rs_server_t server = {.issuer = "https://as.test", .dialect = &v[i].dialect};
        const warder_rs_config_t config = {
            .resource = "https://rs.test/mcp", .servers = &server, .server_count = 1};
        warder_rs_t *rs = warder_rs_new(&config, why, sizeof why);
        if (!rs)
            fail_msg("%" PRIstr ": %s", STR_ARG(v[i].id), why);
        warder_rs_free(rs);
    }
}

static const json_t *parse(arena_t *a, const char *text)
{
    const json_t *v;
    assert_int_equal(json_parse(a, str_c(text), NULL, &v), RC_OK);
    return v;
}

static void groups_and_roles_stand_elsewhere(void **state)
{
    const json_t *claims = parse(*state, "{\"sub\":\"a\",\"cognito:groups\":[\"x\"],"
                                         "\"realm_access\":{\"roles\":[\"y\",\"z\"]}}");
    const json_t *c = provider_claims(*state, provider_find(STR("cognito")), claims);
    assert_true(str_eq(json_get(c, STR("groups"))->raw, STR("[\"x\"]")));
    assert_null(json_get(c, STR("roles")));
    assert_true(str_eq(json_get_str(c, STR("sub")), STR("a")));
    const json_t *k = provider_claims(*state, provider_find(STR("keycloak")), claims);
    assert_int_equal(json_get(k, STR("roles"))->count, 2);
    assert_null(json_get(k, STR("groups")));
    assert_ptr_equal(provider_claims(*state, NULL, claims), claims);
    assert_ptr_equal(provider_claims(*state, provider_find(STR("entra")), claims), claims);
}

/* What a user may write into a token of one's own does not win over what the provider means. */
static void the_provider_s_claim_wins(void **state)
{
    const json_t *claims = parse(*state, "{\"groups\":[\"forged\"],\"cognito:groups\":[\"real\"]}");
    const json_t *c = provider_claims(*state, provider_find(STR("cognito")), claims);
    assert_true(str_eq(json_get(c, STR("groups"))->raw, STR("[\"real\"]")));
}

static void page_is_rendered(void **state)
{
    str_t page;
    static char have[1 << 18];
    const char *write = getenv("WARDER_WRITE_PROVIDERS"), *source = getenv("WARDER_SOURCE");
    assert_int_equal(provider_document(*state, &page), RC_OK);
    if (write) {
        FILE *f = fopen(write, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(page.p, 1, page.n, f), page.n);
        fclose(f);
        return;
    }
    if (!source)
        skip();
    FILE *f = fopen(arena_printf(*state, "%s/docs/PROVIDERS.md", source).p, "rb");
    assert_non_null(f);
    size_t n = fread(have, 1, sizeof have, f);
    fclose(f);
    if (!str_eq(page, str_of(have, n)))
        fail_msg("docs/PROVIDERS.md is old: WARDER_WRITE_PROVIDERS=docs/PROVIDERS.md "
                 "BUILD/src/proxy_provider_test");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_is_sound),
        TEST(every_row_is_taken),
        TEST(groups_and_roles_stand_elsewhere),
        TEST(the_provider_s_claim_wins),
        TEST(page_is_rendered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
