/* Keys that are encrypted, and keys that are removed. */
#include "as/as_test_ring.h"

static as_kek_t kek(ring_t *p, char c)
{
    as_kek_t out;
    char bytes[32];
    memset(bytes, c, sizeof bytes);
    assert_int_equal(as_kek_read(p->a, str_of(bytes, sizeof bytes), &out), RC_OK);
    return out;
}

static void all_sealed_by(const ring_t *p, str_t name)
{
    for (size_t i = 0; i < p->n; i++)
        assert_true(str_eq(p->keys[i].sealed_by, name));
}

static void encrypted_ring_rotates_like_a_plain_one(void **state)
{
    ring_t *p = *state;
    p->policy.kek = kek(p, 'x');
    assert_int_equal(ring_run(p, R_START), 3);
    ring_loads(p);
    p->policy.rotate_now = true;
    assert_int_equal(ring_run(p, R_START + 1), 1);
    assert_int_equal(ring_run(p, R_START + 1 + R_CACHE_AGE), 2);
    ring_is(p, 0, 1, 1);
    ring_loads(p);
    all_sealed_by(p, p->policy.kek.name);
    p->policy.rotate_now = p->policy.at_once = p->policy.keep_clients = true;
    assert_int_equal(ring_run(p, R_START + 2 + R_CACHE_AGE), 1);
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    all_sealed_by(p, p->policy.kek.name);
}

static void wrong_key_is_no_plan(void **state)
{
    ring_t *p = *state;
    p->policy.kek = kek(p, 'x');
    ring_run(p, R_START);
    p->policy.kek = kek(p, 'y');
    assert_int_equal(ring_plan(p), RC_CONFIG);
    p->policy.kek = (as_kek_t){.key = STR_UNSET};
    assert_int_equal(ring_plan(p), RC_CONFIG);
}

static rc_t reseal(ring_t *p, as_kek_t from, as_kek_t to)
{
    p->policy.kek = to;
    const as_keys_t keys = {p->keys, p->n};
    return as_keys_reseal(p->a, &keys, &from, &p->policy, &p->plan);
}

/* Who has the server plants one and ends it: the next start would have it sign. */
static void a_signing_key_that_is_plain_among_encrypted_ones_is_not_taken_over(void **state)
{
    ring_t *p = *state;
    as_kek_t x = kek(p, 'x');
    p->policy.kek = x;
    ring_run(p, R_START);
    assert_null(as_kek_planted(p->keys, p->n));
    p->keys[p->n] = (key_record_t){
        .kid = STR("planted"), .alg = STR("ES256"), .use = KEY_SIGN, .secret = STR("anything")};
    p->n++;
    assert_true(str_eq(as_kek_planted(p->keys, p->n)->kid, STR("planted")));
    assert_int_equal(reseal(p, x, kek(p, 'y')), RC_CONFIG);
    assert_int_equal(reseal(p, x, x), RC_CONFIG);
    assert_null(as_kek_planted(&p->keys[p->n - 1], 1));
}

static void keys_are_encrypted_in_one_step_and_again_under_another(void **state)
{
    ring_t *p = *state;
    as_kek_t none = {.key = STR_UNSET}, x = kek(p, 'x'), y = kek(p, 'y');
    ring_run(p, R_START);
    str_t plain = ring_current(p, KEY_DERIVE)->secret;
    assert_int_equal(reseal(p, none, none), RC_OK);
    assert_int_equal(p->plan.effects.n, 0);
    assert_int_equal(reseal(p, none, x), RC_OK);
    assert_int_equal(p->plan.effects.n, 1);
    assert_int_equal(ring_apply(p, &p->plan.effects), RC_OK);
    all_sealed_by(p, x.name);
    assert_false(str_contains(ring_current(p, KEY_DERIVE)->secret, plain));
    ring_loads(p);
    assert_int_equal(reseal(p, y, kek(p, 'z')), RC_CONFIG);
    assert_int_equal(reseal(p, x, y), RC_OK);
    assert_int_equal(ring_apply(p, &p->plan.effects), RC_OK);
    all_sealed_by(p, y.name);
    ring_loads(p);
    assert_int_equal(reseal(p, x, y), RC_OK);
    assert_int_equal(p->plan.effects.n, 0);
}

static as_removal_t removal_of(ring_t *p, str_t kid)
{
    as_removal_t out;
    const as_keys_t keys = {p->keys, p->n};
    assert_int_equal(as_keys_remove(p->a, &keys, kid, R_START + 7, &out), RC_OK);
    assert_int_equal(out.effects.n > 0, out.verdict == AS_KEYS_REMOVED);
    return out;
}

static void key_that_signs_alone_is_not_removed(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    assert_int_equal(removal_of(p, ring_current(p, KEY_SIGN)->kid).verdict, AS_KEYS_ALONE);
    assert_int_equal(removal_of(p, STR("nobody")).verdict, AS_KEYS_UNKNOWN);
    assert_int_equal(removal_of(p, ring_current(p, KEY_DERIVE)->kid).verdict, AS_KEYS_IN_USE);
    assert_int_equal(removal_of(p, ring_current(p, KEY_SEAL)->kid).verdict, AS_KEYS_IN_USE);
}

static void key_that_signs_is_removed_where_another_is_published(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    str_t old = ring_current(p, KEY_SIGN)->kid;
    p->policy.rotate_now = true;
    ring_run(p, R_START + 1);
    as_removal_t removal = removal_of(p, old);
    assert_int_equal(ring_apply(p, &removal.effects), RC_OK);
    assert_int_equal(ring_find(p, old), p->n);
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    assert_int_equal(ring_current(p, KEY_SIGN)->activated_at, R_START + 7);
    assert_true(str_contains(removal.about, old));
    assert_true(str_contains(removal.about, ring_current(p, KEY_SIGN)->kid));
}

static void next_and_retired_keys_are_removed(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    str_t old = ring_current(p, KEY_SIGN)->kid;
    p->policy.rotate_now = true;
    ring_run(p, R_START + 1);
    ring_run(p, R_START + 1 + R_CACHE_AGE);
    p->policy.rotate_now = true;
    ring_run(p, R_START + 2 + R_CACHE_AGE);
    ring_is(p, 1, 1, 1);
    as_removal_t removal = removal_of(p, old);
    assert_int_equal(ring_apply(p, &removal.effects), RC_OK);
    ring_is(p, 1, 1, 0);
    for (size_t i = 0; i < p->n; i++)
        if (p->keys[i].state == KEY_NEXT)
            old = p->keys[i].kid;
    removal = removal_of(p, old);
    assert_int_equal(ring_apply(p, &removal.effects), RC_OK);
    ring_is(p, 0, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(a_signing_key_that_is_plain_among_encrypted_ones_is_not_taken_over),
        RING_TEST(encrypted_ring_rotates_like_a_plain_one),
        RING_TEST(wrong_key_is_no_plan),
        RING_TEST(keys_are_encrypted_in_one_step_and_again_under_another),
        RING_TEST(key_that_signs_alone_is_not_removed),
        RING_TEST(key_that_signs_is_removed_where_another_is_published),
        RING_TEST(next_and_retired_keys_are_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
