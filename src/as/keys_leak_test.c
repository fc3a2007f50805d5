/* Rotation at once, after a leak. */
#include "as/as_test_ring.h"

/* A leaked key may not be published for one request more, and the others lay beside it. */
static void leak_replaces_every_key_at_once(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    p->policy.rotate_now = true;
    ring_run(p, R_START + 10);
    ring_run(p, R_START + 10 + R_CACHE_AGE);
    p->policy.rotate_now = true;
    ring_run(p, R_START + 20 + R_CACHE_AGE);
    ring_is(p, 1, 1, 1);
    ring_t before = *p;
    p->policy.rotate_now = p->policy.at_once = true;
    assert_int_equal(ring_run(p, R_START + 30 + R_CACHE_AGE), 1);
    assert_int_equal(p->n, 3);
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    for (size_t i = 0; i < before.n; i++)
        assert_int_equal(ring_find(p, before.keys[i].kid), p->n);
}

static void at_once_needs_rotate_now(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    p->policy.at_once = true;
    assert_int_equal(ring_run(p, R_START + 1), 0);
}

/* A plan of before a leak was answered must not bring the leaked key back. */
static void conflict_with_a_leak_brings_no_key_back(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    str_t leaked = ring_current(p, KEY_SIGN)->kid;
    p->policy.rotate_now = true;
    ring_run(p, R_START + 1);
    p->policy.now = R_START + 1 + R_CACHE_AGE;
    assert_int_equal(ring_plan(p), RC_OK);
    effects_t promotion = p->plan.effects;
    p->policy.rotate_now = p->policy.at_once = true;
    ring_run(p, R_START + 1 + R_CACHE_AGE);
    assert_int_equal(ring_apply(p, &promotion), RC_CONFLICT);
    assert_int_equal(ring_find(p, leaked), p->n);
    assert_int_equal(ring_run(p, R_START + 2 + R_CACHE_AGE), 0);
    ring_is(p, 0, 1, 0);
}

/* What as_keys_plan leaves behind is the ring that it says: however many there are. */
static void leak_leaves_none_of_many_keys(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    for (size_t i = 0; i < EFFECTS_MAX + 2; i++)
        p->keys[p->n++] = (key_record_t){.kid = arena_printf(p->a, "old-%zu", i),
                                         .alg = STR("ES256"),
                                         .use = KEY_SIGN,
                                         .state = KEY_RETIRED,
                                         .retired_at = R_START};
    p->policy.rotate_now = p->policy.at_once = true;
    assert_int_equal(ring_run(p, R_START + 1), 1);
    ring_is(p, 0, 1, 0);
    assert_int_equal(p->n, 3);
}

static void leak_takes_the_sealing_keys_too(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    str_t leaked = ring_current(p, KEY_SEAL)->kid;
    p->policy.rotate_now = p->policy.at_once = true;
    ring_run(p, R_START + 1);
    assert_int_equal(ring_find(p, leaked), p->n);
    assert_int_equal(ring_count(p, KEY_SEAL, KEY_RETIRED), 0);
}

static void leak_keeps_the_sealing_keys_where_clients_are_to_stay(void **state)
{
    ring_t *p = *state;
    as_seal_keys_t sealing;
    ring_run(p, R_START);
    str_t first = ring_current(p, KEY_SEAL)->kid, secret = ring_current(p, KEY_SEAL)->secret;
    for (int i = 1; i <= 2; i++) {
        p->policy.rotate_now = p->policy.at_once = p->policy.keep_clients = true;
        ring_run(p, R_START + i);
    }
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    assert_int_equal(as_keys_sealing(p->a, p->keys, p->n, &sealing), RC_OK);
    assert_int_equal(sealing.n, 3);
    assert_int_equal(p->keys[ring_find(p, first)].retired_at, R_START + 1);
    bool found = false;
    for (size_t i = 1; i < sealing.n; i++)
        found |= str_eq(sealing.v[i].kid, first) && str_eq(sealing.v[i].key, secret);
    assert_true(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(leak_replaces_every_key_at_once),
        RING_TEST(at_once_needs_rotate_now),
        RING_TEST(conflict_with_a_leak_brings_no_key_back),
        RING_TEST(leak_leaves_none_of_many_keys),
        RING_TEST(leak_takes_the_sealing_keys_too),
        RING_TEST(leak_keeps_the_sealing_keys_where_clients_are_to_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
