#include "rs/rs_test_world.h"

static const char *sign(world_t *w)
{
    return world_sign(w, &w->key, W_GOOD);
}

/* A token that stays valid while hours pass. */
static const char *sign_long(world_t *w)
{
    return world_sign(w, &w->key, "{" W_WHO W_AUD ",\"exp\":1800000000}");
}

static void away(world_t *w)
{
    world_page(w, W_JWKS, STR_UNSET);
    world_page(w, W_METADATA, STR_UNSET);
}

static void back(world_t *w)
{
    world_page(w, W_METADATA, STR("{\"issuer\":\"" W_ISSUER "\",\"jwks_uri\":\"" W_JWKS "\"}"));
    world_publish(w, &w->key, 1);
}

static void keys_are_fetched_once(void **state)
{
    world_t *w = *state;
    world_open(w);
    for (int i = 0; i < 10; i++)
        assert_allowed(world_ask(w, sign(w), NULL));
    assert_int_equal(w->fetches, 2); /* metadata and keys */
}

static void given_jwks_uri_needs_no_discovery(void **state)
{
    world_t *w = *state;
    w->servers[0].jwks_uri = W_JWKS;
    world_open(w);
    assert_true(warder_rs_refresh(w->rs));
    assert_int_equal(w->fetches, 1);
    assert_string_equal(w->last_url, W_JWKS);
    assert_allowed(world_ask(w, sign(w), NULL));
    assert_int_equal(w->fetches, 1);
}

/* Discovery goes on to the next place only where one is silent; a wrong issuer ends it. */
static void discovery(void **state)
{
    world_t *w = *state;
    world_page(w, W_METADATA, STR_UNSET);
    world_page(w, "https://as.test/.well-known/openid-configuration",
               STR("{\"issuer\":\"" W_ISSUER "\",\"jwks_uri\":\"" W_JWKS "\"}"));
    world_open(w);
    assert_allowed(world_ask(w, sign(w), NULL));
    world_page(w, W_METADATA,
               STR("{\"issuer\":\"https://evil.test\",\"jwks_uri\":\"" W_JWKS "\"}"));
    world_open(w);
    assert_denied(world_ask(w, sign(w), NULL), 503, "keys_away");
}

static void without_blocking_a_refresh_is_asked_for(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = sign(w);
    assert_int_equal(world_ask_now(w, token, NULL)->outcome, WARDER_RS_NEED_KEYS);
    assert_int_equal(w->fetches, 0);
    assert_true(warder_rs_refresh(w->rs));
    assert_allowed(world_ask_now(w, token, NULL));
    assert_int_equal(w->fetches, 2);
}

static void unknown_kid_is_looked_for(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_allowed(world_ask(w, sign(w), NULL));
    jwk_t keys[] = {w->key, world_key(w, ALG_ES256, "k2")};
    world_publish(w, keys, 2);
    world_pass(w, 1);
    assert_allowed(world_ask(w, world_sign(w, &keys[1], W_GOOD), NULL));
    assert_allowed(world_ask(w, sign(w), NULL));
}

static void unknown_kids_do_not_hammer_the_server(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_allowed(world_ask(w, sign(w), NULL));
    unsigned before = w->fetches;
    world_pass(w, 1);
    for (int i = 0; i < 100; i++) {
        jwk_t stranger = w->key;
        stranger.kid = arena_printf(w->a, "x%d", i);
        assert_denied(world_ask(w, world_sign(w, &stranger, W_GOOD), NULL), 401, "key_unknown");
    }
    assert_int_equal(w->fetches, before + 1);
    world_pass(w, 10);
    jwk_t stranger = w->key;
    stranger.kid = STR("y");
    assert_denied(world_ask(w, world_sign(w, &stranger, W_GOOD), NULL), 401, "key_unknown");
    assert_int_equal(w->fetches, before + 2);
    assert_allowed(world_ask(w, sign(w), NULL));
}

static void removed_key_stops_at_the_next_fetch(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = sign(w);
    assert_allowed(world_ask(w, token, NULL));
    jwk_t other = world_key(w, ALG_ES256, "k2");
    world_publish(w, &other, 1);
    assert_allowed(world_ask(w, token, NULL));
    world_pass(w, 300);
    /* The first to notice is still answered with what it came for; then the keys are new. */
    assert_allowed(world_ask(w, token, NULL));
    assert_denied(world_ask(w, token, NULL), 401, "key_unknown");
}

/* attack case: JWT-026 */
static void known_key_outlives_an_outage(void **state)
{
    world_t *w = *state;
    w->config.keys_stale_s = 600;
    world_open(w);
    const char *token = sign_long(w);
    assert_allowed(world_ask(w, token, NULL));
    away(w);
    unsigned before = w->fetches;
    for (int i = 0; i < 89; i++) {
        world_pass(w, 10);
        assert_allowed(world_ask(w, token, NULL));
    }
    assert_true(w->fetches > before);
    /* 300 s fresh and 600 s stale are over: nothing vouches for the key any more */
    world_pass(w, 10);
    const warder_rs_verdict_t *v = world_ask(w, token, NULL);
    assert_denied(v, 503, "keys_away");
    assert_string_equal(v->www_authenticate, "");
    assert_int_equal(v->retry_after_s, 10);
    back(w);
    world_pass(w, 10);
    assert_allowed(world_ask(w, token, NULL));
}

/* attack case: JWT-026 */
static void unknown_key_in_an_outage_is_refused(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_allowed(world_ask(w, sign(w), NULL));
    away(w);
    world_pass(w, 1);
    jwk_t stranger = world_key(w, ALG_ES256, "k9");
    assert_denied(world_ask(w, world_sign(w, &stranger, W_GOOD), NULL), 401, "key_unknown");
    assert_allowed(world_ask(w, sign(w), NULL));
}

/* attack case: JWT-026 */
static void outage_from_the_start(void **state)
{
    world_t *w = *state;
    away(w);
    world_open(w);
    assert_false(warder_rs_refresh(w->rs));
    unsigned before = w->fetches;
    for (int i = 0; i < 50; i++)
        assert_denied(world_ask(w, sign(w), NULL), 503, "keys_away");
    assert_int_equal(w->fetches, before);
    /* What needs no key is decided all the same. */
    assert_denied(world_ask_headers(w, NULL, 0), 401, "no_token");
    assert_denied(world_ask(w, "a.b.c", NULL), 401, "jws_base64");
    back(w);
    world_pass(w, 10);
    assert_allowed(world_ask(w, sign(w), NULL));
}

static void rubbish_is_no_key_set(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = sign_long(w);
    assert_allowed(world_ask(w, token, NULL));
    static const str_t RUBBISH[] = {STR_INIT(""), STR_INIT("<html>"), STR_INIT("{\"keys\":[]}"),
                                    STR_INIT("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"),
                                    STR_INIT("{\"keys\":7}")};
    for (size_t i = 0; i < sizeof RUBBISH / sizeof RUBBISH[0]; i++) {
        world_page(w, W_JWKS, RUBBISH[i]);
        world_pass(w, 310);
        assert_allowed(world_ask(w, token, NULL));
        assert_allowed(world_ask(w, token, NULL));
    }
}

/* attack case: JWT-027 */
static void keys_over_http_are_not_fetched(void **state)
{
    world_t *w = *state;
    world_page(w, W_METADATA,
               STR("{\"issuer\":\"" W_ISSUER "\",\"jwks_uri\":\"http://as.test/jwks\"}"));
    world_open(w);
    assert_denied(world_ask(w, sign(w), NULL), 503, "keys_away");
    assert_string_equal(w->last_url, W_METADATA);
    back(w);
    world_pass(w, 10);
    assert_allowed(world_ask(w, sign(w), NULL));
}

/* attack case: JWT-028 */
static void clock_jumps(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = sign(w);
    assert_allowed(world_ask(w, token, NULL));
    unsigned before = w->fetches;
    /* forward: what would have expired is refused; the cache of keys lives by another clock */
    w->wall_ms += 3600 * 1000;
    assert_denied(world_ask(w, token, NULL), 401, "jwt_expired");
    assert_int_equal(w->fetches, before);
    /* the mistake undone: nothing had expired in truth */
    w->wall_ms -= 3600 * 1000;
    assert_allowed(world_ask(w, token, NULL));
    /* eleven minutes pass, and somebody sets the clock back by an hour */
    world_pass(w, 660);
    assert_denied(world_ask(w, token, NULL), 401, "jwt_expired");
    w->wall_ms -= 3600 * 1000;
    assert_denied(world_ask(w, token, NULL), 401, "jwt_expired");
    /* frozen */
    w->mono_ms += 60000;
    assert_denied(world_ask(w, token, NULL), 401, "jwt_expired");
    w->wall_ms = w->mono_ms - 5000000 + W_NOW_S * 1000LL;
    assert_allowed(
        world_ask(w, world_sign(w, &w->key, "{" W_WHO W_AUD ",\"exp\":1700001400}"), NULL));
}

static void time_never_goes_back(void **state)
{
    (void)state;
    rs_anchor_t anchor = {1000, 50};
    assert_int_equal(rs_now(&anchor, 1000, 50), 1000);
    assert_int_equal(rs_now(&anchor, 2000, 60), 2000);
    assert_int_equal(rs_now(&anchor, 500, 60), 1010);
}

static void key_ages(void **state)
{
    (void)state;
    rs_settings_t s = {.fresh_ms = 100, .stale_ms = 1000, .refetch_ms = 10};
    rs_key_times_t t = {0};
    assert_int_equal(rs_key_age(&t, &s, 5), RS_KEYS_GONE);
    assert_true(rs_key_may_fetch(&t, &s, 5));
    assert_true(rs_key_may_search(&t, &s, 5));
    t = (rs_key_times_t){.have = true,
                         .fetched_at = 5,
                         .tried = true,
                         .tried_at = 5,
                         .searched = true,
                         .searched_at = 5};
    assert_int_equal(rs_key_age(&t, &s, 104), RS_KEYS_FRESH);
    assert_int_equal(rs_key_age(&t, &s, 105), RS_KEYS_DUE);
    assert_int_equal(rs_key_age(&t, &s, 1104), RS_KEYS_DUE);
    assert_int_equal(rs_key_age(&t, &s, 1105), RS_KEYS_GONE);
    assert_false(rs_key_may_fetch(&t, &s, 14));
    assert_true(rs_key_may_fetch(&t, &s, 15));
    t.fetched_at = -1000;
    assert_false(rs_key_may_search(&t, &s, 14));
    assert_true(rs_key_may_search(&t, &s, 15));
    t.fetched_at = 15;
    assert_false(rs_key_may_search(&t, &s, 1014));
    assert_true(rs_key_may_search(&t, &s, 1015));
}

/* attack case: JWT-026: one fetches, a few wait for it, the rest is told to come again. */
static void threads_do_not_pile_up(void **state)
{
    world_t *w = *state;
    caller_t callers[W_CALLERS];
    world_open(w);
    const char *token = sign(w);
    world_ask_at_once(w, token, callers);
    unsigned allowed = callers_with(callers, "allowed");
    assert_true(allowed >= 1);
    assert_int_equal(allowed + callers_with(callers, "keys_away"), W_CALLERS);
    assert_int_equal(w->fetches, 2);
    world_ask_at_once(w, token, callers);
    assert_int_equal(callers_with(callers, "allowed"), W_CALLERS);
    assert_int_equal(w->fetches, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(keys_are_fetched_once),
        WORLD_TEST(given_jwks_uri_needs_no_discovery),
        WORLD_TEST(discovery),
        WORLD_TEST(without_blocking_a_refresh_is_asked_for),
        WORLD_TEST(unknown_kid_is_looked_for),
        WORLD_TEST(unknown_kids_do_not_hammer_the_server),
        WORLD_TEST(removed_key_stops_at_the_next_fetch),
        WORLD_TEST(known_key_outlives_an_outage),
        WORLD_TEST(unknown_key_in_an_outage_is_refused),
        WORLD_TEST(outage_from_the_start),
        WORLD_TEST(rubbish_is_no_key_set),
        WORLD_TEST(keys_over_http_are_not_fetched),
        WORLD_TEST(clock_jumps),
        cmocka_unit_test(time_never_goes_back),
        cmocka_unit_test(key_ages),
        WORLD_TEST(threads_do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
