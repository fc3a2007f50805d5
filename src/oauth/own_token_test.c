#include "oauth/oauth_test_tokens.h"

#define WHO  "\"iss\":\"https://as.test\",\"jti\":\"family-1.x\",\"sub\":\"u\",\"client_id\":\"c\""
#define GOOD "{" WHO ",\"exp\":1}"

static oauth_own_token_t read(tokens_play_t *p, str_t token)
{
    oauth_own_token_t out;
    assert_int_equal(oauth_own_token_read(p->w.a, token, &p->keys, p->w.settings.issuer, &out),
                     RC_OK);
    return out;
}

static void a_jwt_of_ours_says_what_a_record_would(void **state)
{
    (void)state;
    tokens_play_t p;
    tokens_begin(&p);
    oauth_own_token_t t = read(
        &p, tokens_sign(&p, STR("at+jwt"),
                        STR("{" WHO ",\"aud\":\"https://rs.test/mcp\",\"exp\":20,\"iat\":10,"
                            "\"scope\":\"a b\",\"auth_time\":5,\"acr\":\"pwd\",\"cnf\":{\"jkt\":"
                            "\"k\"},\"act\":{\"sub\":\"s\"}}")));
    assert_true(t.is_jwt);
    assert_text(t.access.jti, "family-1.x");
    assert_text(t.access.family_id, "family-1");
    assert_text(t.access.sub, "u");
    assert_text(t.access.client_id, "c");
    assert_text(t.access.resource, "https://rs.test/mcp");
    assert_text(t.access.scope, "a b");
    assert_text(t.access.jkt, "k");
    assert_text(t.access.act, "{\"sub\":\"s\"}");
    assert_text(t.access.acr, "pwd");
    assert_int_equal(t.access.auth_time, 5);
    assert_int_equal(t.access.created_at, 10);
    assert_int_equal(t.access.expires_at, 20);
    tokens_end(&p);
}

/* attack case: JWT-001 among them: what is not signed by us as an access token is no token. */
static void only_our_own_access_tokens_count(void **state)
{
    (void)state;
    tokens_play_t p;
    tokens_begin(&p);
    str_t good = tokens_sign(&p, STR("at+jwt"), STR(GOOD));
    assert_true(read(&p, good).is_jwt);
    char *bent = arena_cstr(p.w.a, good);
    bent[good.n - 10] = bent[good.n - 10] == 'A' ? 'B' : 'A';
    const str_t bad[] = {
        STR(""),
        STR("the-opaque"),
        STR("a.b.c"),
        str_of(bent, good.n),
        tokens_sign(&p, STR("JWT"), STR(GOOD)),
        tokens_sign(&p, STR("at+jwt"), STR("{\"iss\":\"https://evil.test\",\"jti\":\"f.x\"}")),
        tokens_sign(&p, STR("at+jwt"), STR("{\"iss\":\"https://as.test\"}")),
        tokens_sign(&p, STR("at+jwt"), STR("{\"iss\":\"https://as.test\",\"jti\":1}")),
        tokens_sign(&p, STR("at+jwt"), STR("{\"iss\":\"https://as.test\",\"jti\":\"\"}")),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(read(&p, bad[i]).is_jwt);
    p.keys.n = 0; /* a key that is gone */
    assert_false(read(&p, good).is_jwt);
    tokens_end(&p);
}

static void an_access_token_lives_while_all_of_it_does(void **state)
{
    (void)state;
    tokens_play_t p;
    tokens_begin(&p);
    oauth_own_facts_t good = {.access = &p.opaque, .family = &p.family, .owner = &p.w.user};
    assert_true(oauth_own_access_lives(&good, TEST_NOW));
    assert_true(oauth_own_access_lives(&good, p.opaque.expires_at - 1));
    assert_false(oauth_own_access_lives(&good, p.opaque.expires_at));
    oauth_own_facts_t f = good;
    f.access = NULL;
    assert_false(oauth_own_access_lives(&f, TEST_NOW));
    f = good;
    f.revoked = 1;
    assert_false(oauth_own_access_lives(&f, TEST_NOW));
    f = good;
    f.family = NULL;
    assert_false(oauth_own_access_lives(&f, TEST_NOW));
    f = good;
    f.owner = NULL;
    assert_false(oauth_own_access_lives(&f, TEST_NOW));
    p.w.user.disabled = true;
    assert_false(oauth_own_access_lives(&good, TEST_NOW));
    p.w.user.disabled = false;
    p.family.revoked_at = 1;
    assert_false(oauth_own_access_lives(&good, TEST_NOW));
    p.opaque.family_id = STR_UNSET; /* of a machine */
    f = (oauth_own_facts_t){.access = &p.opaque};
    assert_true(oauth_own_access_lives(&f, TEST_NOW));
    tokens_end(&p);
}

static void a_refresh_token_lives_until_it_is_used(void **state)
{
    (void)state;
    tokens_play_t p;
    tokens_begin(&p);
    oauth_own_facts_t good = {.refresh = &p.refresh, .family = &p.family, .owner = &p.w.user};
    assert_true(oauth_own_refresh_lives(&good, TEST_NOW));
    assert_false(oauth_own_refresh_lives(&good, p.refresh.expires_at));
    assert_false(oauth_own_access_lives(&good, TEST_NOW));
    p.refresh.rotated_at = 1;
    assert_false(oauth_own_refresh_lives(&good, TEST_NOW));
    p.refresh.rotated_at = 0;
    p.family.expires_at = TEST_NOW;
    assert_false(oauth_own_refresh_lives(&good, TEST_NOW));
    p.family.expires_at = TEST_NOW + 1;
    p.family.revoked_at = 1;
    assert_false(oauth_own_refresh_lives(&good, TEST_NOW));
    tokens_end(&p);
}

static rc_t read_in(world_t *w, arena_t *a, void *ctx)
{
    tokens_play_t *p = ctx;
    oauth_own_token_t out;
    (void)w;
    str_t token = str_of(p->opaque.jti.p, p->opaque.jti.n);
    return oauth_own_token_read(a, token, &p->keys, p->w.settings.issuer, &out);
}

static void without_memory(void **state)
{
    (void)state;
    tokens_play_t p;
    tokens_begin(&p);
    p.opaque.jti = tokens_sign(&p, STR("at+jwt"), STR(GOOD));
    world_starve(read_in, &p.w, &p);
    tokens_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jwt_of_ours_says_what_a_record_would),
        cmocka_unit_test(only_our_own_access_tokens_count),
        cmocka_unit_test(an_access_token_lives_while_all_of_it_does),
        cmocka_unit_test(a_refresh_token_lives_until_it_is_used),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
