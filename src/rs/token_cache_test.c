#include "rs/rs_test_world.h"

static rs_remembered_t remembered(const char *sub, int64_t exp_ms)
{
    return (rs_remembered_t){
        .who = {"i", sub, "c", "a b", "j", "k", "a", "{\"a\":1}", exp_ms, exp_ms - 1, exp_ms - 2},
        .server = 1,
        .keys = 7,
        .revocations = 3};
}

static void remembers_until_exp_and_no_longer(void **state)
{
    world_t *w = *state;
    rs_token_cache_t *c = rs_token_cache_new(16);
    rs_token_hash_t hash = rs_token_hash(STR("r"), STR("t"));
    rs_remembered_t what = remembered("alice", 1000), got;
    assert_false(rs_token_cache_get(c, w->a, &hash, 1, &got));
    rs_token_cache_put(c, &hash, 1, &what);
    assert_true(rs_token_cache_get(c, w->a, &hash, 999, &got));
    assert_string_equal(got.who.sub, "alice");
    assert_string_equal(got.who.scope, "a b");
    assert_int_equal(got.who.exp_ms, 1000);
    assert_string_equal(got.who.acr, "a");
    assert_string_equal(got.who.claims, "{\"a\":1}");
    assert_int_equal(got.who.auth_ms, 999);
    assert_int_equal(got.server, 1);
    assert_int_equal(got.who.iat_ms, 998);
    assert_int_equal(got.keys, 7);
    assert_int_equal(got.revocations, 3);
    assert_false(rs_token_cache_get(c, w->a, &hash, 1000, &got));
    rs_token_cache_free(c);
}

static void what_says_too_much_is_not_remembered(void **state)
{
    world_t *w = *state;
    rs_token_cache_t *c = rs_token_cache_new(16);
    rs_token_hash_t hash = rs_token_hash(STR("r"), STR("t"));
    rs_remembered_t what = remembered("alice", 1000), got;
    char *claims = arena_alloc(w->a, 8193);
    memset(claims, 'x', 8192);
    what.who.claims = claims;
    rs_token_cache_put(c, &hash, 1, &what);
    assert_false(rs_token_cache_get(c, w->a, &hash, 2, &got));
    claims[8000] = '\0';
    rs_token_cache_put(c, &hash, 1, &what);
    assert_true(rs_token_cache_get(c, w->a, &hash, 2, &got));
    rs_token_cache_free(c);
}

/* attack case: JWT-022: the whole token and the resource are the key */
static void keyed_by_resource_and_whole_token(void **state)
{
    world_t *w = *state;
    rs_token_cache_t *c = rs_token_cache_new(16);
    rs_token_hash_t hash = rs_token_hash(STR("https://r"), STR("token"));
    rs_remembered_t what = remembered("alice", 1000), got;
    rs_token_cache_put(c, &hash, 1, &what);
    const struct {
        str_t resource, token;
    } OTHERS[] = {
        {STR("https://r"), STR("tokem")}, {STR("https://r"), STR("token ")},
        {STR("https://r"), STR("toke")},  {STR("https://s"), STR("token")},
        {STR("https://rt"), STR("oken")}, {STR("https:/"), STR("/rtoken")},
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        rs_token_hash_t other = rs_token_hash(OTHERS[i].resource, OTHERS[i].token);
        assert_false(rs_token_cache_get(c, w->a, &other, 1, &got));
    }
    assert_true(rs_token_cache_get(c, w->a, &hash, 1, &got));
    rs_token_cache_free(c);
}

static void stays_within_its_size(void **state)
{
    world_t *w = *state;
    rs_token_cache_t *c = rs_token_cache_new(64);
    unsigned kept = 0;
    rs_remembered_t what = remembered("alice", 1000), got;
    for (int i = 0; i < 1000; i++) {
        rs_token_hash_t hash = rs_token_hash(STR("r"), arena_printf(w->a, "%d", i));
        rs_token_cache_put(c, &hash, 1, &what);
        rs_token_cache_put(c, &hash, 1, &what);
        assert_true(rs_token_cache_get(c, w->a, &hash, 1, &got));
    }
    for (int i = 0; i < 1000; i++) {
        rs_token_hash_t hash = rs_token_hash(STR("r"), arena_printf(w->a, "%d", i));
        kept += rs_token_cache_get(c, w->a, &hash, 1, &got);
    }
    assert_true(kept > 16 && kept <= 64);
    rs_token_cache_free(c);
}

/* attack case: JWT-022 */
static void cached_token_is_refused_at_exp_plus_leeway(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = world_sign(w, &w->key, W_GOOD);
    assert_allowed(world_ask(w, token, NULL));
    assert_allowed(world_ask(w, token, NULL));
    world_pass(w, 629);
    assert_allowed(world_ask(w, token, NULL));
    world_pass(w, 1);
    assert_denied(world_ask(w, token, NULL), 401, "jwt_expired");
}

/* attack case: JWT-022 */
static void cached_token_ends_with_its_key(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = world_sign(w, &w->key, "{" W_WHO W_AUD ",\"exp\":1800000000}");
    assert_allowed(world_ask(w, token, NULL));
    jwk_t other = world_key(w, ALG_ES256, "k2");
    world_publish(w, &other, 1);
    world_pass(w, 400);
    warder_rs_refresh(w->rs);
    assert_denied(world_ask(w, token, NULL), 401, "key_unknown");
    assert_allowed(
        world_ask(w, world_sign(w, &other, "{" W_WHO W_AUD ",\"exp\":1800000000}"), NULL));
}

/* A key that is exchanged under the same kid: what the old one signed is void. */
static void cached_token_ends_when_its_key_is_replaced(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = world_sign(w, &w->key, "{" W_WHO W_AUD ",\"exp\":1800000000}");
    assert_allowed(world_ask(w, token, NULL));
    jwk_t other = world_key(w, ALG_ES256, "k1");
    world_publish(w, &other, 1);
    world_pass(w, 400);
    warder_rs_refresh(w->rs);
    assert_denied(world_ask(w, token, NULL), 401, "jws_signature");
}

/* attack case: JWT-022: scope is judged on every request, remembered token or not */
static void cached_token_is_not_cached_permission(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = world_sign(w, &w->key, W_GOOD);
    assert_allowed(world_ask(w, token, "files:read"));
    assert_denied(world_ask(w, token, "files:write"), 403, "insufficient_scope");
    assert_allowed(world_ask(w, token, "files:read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(remembers_until_exp_and_no_longer),
        WORLD_TEST(what_says_too_much_is_not_remembered),
        WORLD_TEST(keyed_by_resource_and_whole_token),
        WORLD_TEST(stays_within_its_size),
        WORLD_TEST(cached_token_is_refused_at_exp_plus_leeway),
        WORLD_TEST(cached_token_ends_with_its_key),
        WORLD_TEST(cached_token_ends_when_its_key_is_replaced),
        WORLD_TEST(cached_token_is_not_cached_permission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
