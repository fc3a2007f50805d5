#include "oauth/oauth_test_world.h"

#include "core/limits.h"
#include "oauth/dpop_nonce.h"

static const oauth_dpop_nonces_t OURS = {STR_INIT("0123456789abcdef0123456789abcdef"),
                                         STR_INIT("https://as.test")};

static str_t make(arena_t *a, const oauth_dpop_nonces_t *nonces, int64_t now)
{
    str_t nonce;
    assert_int_equal(oauth_dpop_nonce_make(a, nonces, now, &nonce), RC_OK);
    return nonce;
}

static bool is_good(arena_t *a, str_t nonce, int64_t now)
{
    bool good;
    assert_int_equal(oauth_dpop_nonce_check(a, &OURS, nonce, now, &good), RC_OK);
    return good;
}

static void it_is_good_for_its_time(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    str_t nonce = make(w.a, &OURS, TEST_NOW);
    assert_int_equal(nonce.n, 32);
    assert_true(is_good(w.a, nonce, TEST_NOW));
    assert_true(is_good(w.a, nonce, TEST_NOW + LIMIT_DPOP_NONCE_S));
    assert_false(is_good(w.a, nonce, TEST_NOW + LIMIT_DPOP_NONCE_S + 1));
    assert_true(is_good(w.a, nonce, TEST_NOW - 60)); /* of a node whose clock is ahead */
    assert_false(is_good(w.a, nonce, TEST_NOW - 61));
    world_end(&w);
}

/* attack case: ADP-004 */
static void another_servers_nonce_is_none(void **state)
{
    (void)state;
    const oauth_dpop_nonces_t other_role = {OURS.key, STR("https://rs.test/mcp")};
    const oauth_dpop_nonces_t other_key = {STR("ffffffffffffffffffffffffffffffff"), OURS.role};
    world_t w;
    world_begin(&w);
    assert_false(is_good(w.a, make(w.a, &other_role, TEST_NOW), TEST_NOW));
    assert_false(is_good(w.a, make(w.a, &other_key, TEST_NOW), TEST_NOW));
    assert_true(is_good(w.a, make(w.a, &OURS, TEST_NOW), TEST_NOW));
    world_end(&w);
}

static void nobody_can_make_one_up(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    str_t nonce = make(w.a, &OURS, TEST_NOW);
    for (size_t i = 0; i < nonce.n; i++) {
        str_t copy = arena_dup(w.a, nonce);
        assert_true(str_is_set(copy));
        char *bytes = (char *)(uintptr_t)copy.p;
        bytes[i] = bytes[i] == 'A' ? 'B' : 'A';
        assert_false(is_good(w.a, copy, TEST_NOW));
    }
    assert_false(is_good(w.a, str_first(nonce, 31), TEST_NOW));
    assert_false(is_good(w.a, STR(""), TEST_NOW));
    assert_false(is_good(w.a, STR_UNSET, TEST_NOW));
    assert_false(is_good(w.a, STR("________________________________"), TEST_NOW));
    world_end(&w);
}

static rc_t make_and_check_in(world_t *w, arena_t *a, void *ctx)
{
    str_t nonce;
    bool good;
    (void)w;
    (void)ctx;
    TRY(oauth_dpop_nonce_make(a, &OURS, TEST_NOW, &nonce));
    return oauth_dpop_nonce_check(a, &OURS, nonce, TEST_NOW, &good);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    world_starve(make_and_check_in, &w, NULL);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_good_for_its_time),
        cmocka_unit_test(another_servers_nonce_is_none),
        cmocka_unit_test(nobody_can_make_one_up),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
