#include "as/as_test_ring.h"

#include "oauth/handle.h"

static void first_start_makes_a_key_of_each_use(void **state)
{
    ring_t *p = *state;
    assert_int_equal(ring_run(p, R_START), 3);
    ring_is(p, 0, 1, 0);
    ring_loads(p);
    const key_record_t *derive = ring_current(p, KEY_DERIVE);
    assert_int_equal(derive->secret.n, OAUTH_DERIVE_KEY_BYTES);
    assert_true(str_eq(derive->alg, STR("HS256")));
    assert_true(str_contains(p->plan.about, ring_current(p, KEY_SIGN)->kid));
    assert_int_equal(p->plan.next_at, R_START + 90 * R_DAY);
    str_t key;
    assert_int_equal(as_keys_derive(p->a, p->keys, p->n, &key), RC_OK);
    assert_true(str_eq(key, derive->secret));
    assert_true(key.p != derive->secret.p);
}

static void a_young_ring_stays(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    assert_int_equal(ring_run(p, R_START + 90 * R_DAY - 1), 0);
    assert_int_equal(p->plan.about.n, 0);
    assert_int_equal(p->plan.next_at, R_START + 90 * R_DAY);
}

static void rotation_on_demand_publishes_waits_promotes_and_forgets(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    str_t old = ring_current(p, KEY_SIGN)->kid;
    int64_t asked = R_START + R_DAY;
    p->policy.rotate_now = true;
    assert_int_equal(ring_run(p, asked), 1);
    ring_is(p, 1, 1, 0);
    ring_loads(p);
    assert_true(str_eq(ring_current(p, KEY_SIGN)->kid, old));
    assert_int_equal(p->plan.next_at, asked + R_CACHE_AGE);

    assert_int_equal(ring_run(p, asked + R_CACHE_AGE - 1), 0);
    int64_t used = asked + R_CACHE_AGE;
    assert_int_equal(ring_run(p, used), 2);
    ring_is(p, 0, 1, 1);
    ring_loads(p);
    assert_false(str_eq(ring_current(p, KEY_SIGN)->kid, old));
    assert_int_equal(ring_current(p, KEY_SIGN)->activated_at, used);
    assert_int_equal(p->keys[ring_find(p, old)].retired_at, used);

    int64_t end = used + R_LIFETIME + R_CACHE_AGE + R_LEEWAY;
    assert_int_equal(p->plan.next_at, end);
    assert_int_equal(ring_run(p, end - 1), 0);
    assert_int_equal(ring_run(p, end), 1);
    ring_is(p, 0, 1, 0);
    assert_int_equal(ring_find(p, old), p->n);
    assert_int_equal(p->plan.next_at, used + 90 * R_DAY);
}

/* One node publishes a key, and another, whose clock is ahead, may let it sign. */
static void of_several_nodes_keys_are_published_longer(void **state)
{
    enum { SLACK = 5 };
    ring_t *p = *state;
    p->conf.store = STR("postgres");
    ring_run(p, R_START);
    p->policy.rotate_now = true;
    assert_int_equal(ring_run(p, R_START + R_DAY), 1);
    int64_t used = R_START + R_DAY + R_CACHE_AGE - R_SLACK + SLACK;
    assert_int_equal(ring_run(p, used - 1), 0);
    assert_int_equal(p->plan.next_at, used);
    assert_int_equal(ring_run(p, used), 2);
}

static void asking_twice_makes_one_key(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    p->policy.rotate_now = true;
    ring_run(p, R_START + 1);
    p->policy.rotate_now = true;
    assert_int_equal(ring_run(p, R_START + 2), 0);
    ring_is(p, 1, 1, 0);
}

static void age_rotates(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    assert_int_equal(ring_run(p, R_START + 90 * R_DAY), 1);
    ring_is(p, 1, 1, 0);
}

static void another_algorithm_makes_a_new_key(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    p->conf.signing_alg = STR("EdDSA");
    assert_int_equal(ring_run(p, R_START + 5), 1);
    assert_int_equal(ring_run(p, R_START + 5 + R_CACHE_AGE), 2);
    assert_true(str_eq(ring_current(p, KEY_SIGN)->alg, STR("EdDSA")));
    ring_is(p, 0, 1, 1);
    ring_loads(p);
}

/* Two servers start on one empty store: the slower one's plan fails whole, and its next is none. */
static void conflict_of_two_first_starts_leads_to_one_ring(void **state)
{
    ring_t *p = *state;
    assert_int_equal(ring_plan(p), RC_OK);
    effects_t slower = p->plan.effects;
    ring_run(p, R_START);
    str_t kid = ring_current(p, KEY_SIGN)->kid;
    assert_int_equal(ring_apply(p, &slower), RC_CONFLICT);
    assert_int_equal(ring_run(p, R_START + 1), 0);
    ring_is(p, 0, 1, 0);
    assert_true(str_eq(ring_current(p, KEY_SIGN)->kid, kid));
}

/* Two processes publish a next key at once: both succeed, and the younger one goes. */
static void two_published_keys_become_one(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    p->policy.rotate_now = true;
    assert_int_equal(ring_plan(p), RC_OK);
    effects_t other = p->plan.effects;
    ring_run(p, R_START + 1);
    assert_int_equal(ring_apply(p, &other), RC_OK);
    ring_is(p, 2, 1, 0);
    assert_int_equal(ring_run(p, R_START + 2), 1);
    ring_is(p, 1, 1, 0);
}

/* Nobody knows how long the next key was published, and it has signed nothing. */
static void clock_going_back_publishes_another(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    p->policy.rotate_now = true;
    ring_run(p, R_START + R_DAY);
    ring_is(p, 1, 1, 0);
    assert_int_equal(ring_run(p, R_START), 2);
    assert_int_equal(ring_run(p, R_START), 0);
    assert_int_equal(p->plan.next_at, R_START + R_CACHE_AGE);
    ring_is(p, 1, 1, 0);
}

/* What was signed while the clock was ahead expires as much later. */
static void clock_going_back_keeps_the_retired_key_for_its_tokens(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START + R_DAY);
    str_t old = ring_current(p, KEY_SIGN)->kid;
    p->policy.rotate_now = true;
    ring_run(p, R_START);
    ring_run(p, R_START + R_CACHE_AGE);
    assert_int_equal(p->keys[ring_find(p, old)].retired_at, R_START + R_DAY);
    assert_int_equal(ring_run(p, R_START + R_DAY), 0);
    assert_int_equal(ring_run(p, R_START + R_DAY + R_LIFETIME + R_CACHE_AGE + R_LEEWAY), 1);
    assert_int_equal(ring_find(p, old), p->n);
}

static void lost_derive_key_is_made_anew(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    assert_int_equal(ring_forget(p, ring_current(p, KEY_DERIVE)->kid), RC_OK);
    str_t key;
    assert_int_equal(as_keys_derive(p->a, p->keys, p->n, &key), RC_NOT_FOUND);
    assert_int_equal(ring_run(p, R_START + 1), 1);
    ring_is(p, 0, 1, 0);
}

static void derive_key_of_wrong_length_is_refused(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    p->keys[ring_find(p, ring_current(p, KEY_DERIVE)->kid)].secret.n--;
    str_t key;
    assert_int_equal(as_keys_derive(p->a, p->keys, p->n, &key), RC_IO);
}

static void unknown_algorithm_is_refused(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    p->keys[ring_find(p, ring_current(p, KEY_SIGN)->kid)].alg = STR("none");
    keyring_record_t *records;
    size_t n;
    assert_int_equal(as_keys_signing(p->a, p->keys, p->n, &records, &n), RC_IO);
    assert_int_equal(ring_plan(p), RC_IO);
}

/* A resource whose tokens live longer keeps the keys that signed them. */
static void keys_stay_as_long_as_the_longest_tokens(void **state)
{
    ring_t *p = *state;
    const resource_t v[] = {{.access_token_lifetime = 60}, {.access_token_lifetime = 3600}};
    p->policy.resources = v;
    p->policy.n_resources = 2;
    ring_run(p, R_START);
    p->policy.rotate_now = true;
    ring_run(p, R_START + R_DAY);
    p->policy.rotate_now = false;
    ring_run(p, R_START + R_DAY + R_CACHE_AGE); /* the new one signs */
    int64_t used = R_START + R_DAY + R_CACHE_AGE;
    assert_int_equal(ring_run(p, used + R_LIFETIME + R_CACHE_AGE + R_LEEWAY), 0);
    assert_int_equal(ring_run(p, used + 3600 + R_CACHE_AGE + R_LEEWAY), 1);
    ring_is(p, 0, 1, 0);
}

/* More dead keys than one decision can hold go in several, while rotation goes on. */
static void many_dead_keys_go_in_several_plans(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    for (size_t i = 0; i < EFFECTS_MAX - 2; i++)
        p->keys[p->n++] = (key_record_t){.kid = arena_printf(p->a, "dead-%zu", i),
                                         .alg = STR("ES256"),
                                         .use = KEY_SIGN,
                                         .state = KEY_RETIRED,
                                         .retired_at = 1};
    p->policy.rotate_now = true;
    assert_int_equal(ring_run(p, R_START + R_DAY), EFFECTS_MAX - 3);
    ring_is(p, 1, 1, 2);
    assert_int_equal(p->plan.next_at, R_START + R_DAY);
    assert_int_equal(ring_run(p, R_START + R_DAY), 2);
    ring_is(p, 1, 1, 0);
}

/* A resource server takes a set of so many keys and no more. */
static void full_ring_waits_until_keys_go(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    for (size_t i = 1; i < LIMIT_JWKS_KEYS; i++)
        p->keys[p->n++] = (key_record_t){.kid = arena_printf(p->a, "old-%zu", i),
                                         .alg = STR("ES256"),
                                         .use = KEY_SIGN,
                                         .state = KEY_RETIRED,
                                         .retired_at = R_START + 90 * R_DAY};
    assert_int_equal(ring_run(p, R_START + 90 * R_DAY), 0);
    p->policy.rotate_now = true;
    assert_int_equal(ring_plan(p), RC_LIMIT);
    p->policy.rotate_now = false;
    assert_true(ring_run(p, R_START + 91 * R_DAY) > 0);
    while (ring_run(p, R_START + 91 * R_DAY) > 0)
        ;
    ring_is(p, 1, 1, 0);
}

static void sealing_key_is_not_rotated_by_age(void **state)
{
    ring_t *p = *state;
    ring_run(p, R_START);
    str_t kid = ring_current(p, KEY_SEAL)->kid;
    ring_run(p, R_START + 90 * R_DAY);
    ring_run(p, R_START + 91 * R_DAY);
    assert_true(str_eq(ring_current(p, KEY_SEAL)->kid, kid));
    assert_int_equal(ring_count(p, KEY_SEAL, KEY_RETIRED), 0);
}

static void sealing_key_that_is_no_key_is_refused(void **state)
{
    ring_t *p = *state;
    as_seal_keys_t sealing;
    ring_run(p, R_START);
    size_t i = ring_find(p, ring_current(p, KEY_SEAL)->kid);
    p->keys[i].secret.n--;
    assert_int_equal(as_keys_sealing(p->a, p->keys, p->n, &sealing), RC_IO);
    p->keys[i].secret.n++;
    p->keys[i].state = KEY_RETIRED;
    assert_int_equal(as_keys_sealing(p->a, p->keys, p->n, &sealing), RC_NOT_FOUND);
}

static void interval_of_zero_rotates_on_demand_only(void **state)
{
    ring_t *p = *state;
    p->conf.key_rotation_interval = 0;
    ring_run(p, R_START);
    assert_int_equal(p->plan.next_at, 0);
    assert_int_equal(ring_run(p, R_START + 4000 * R_DAY), 0);
    p->policy.rotate_now = true;
    assert_int_equal(ring_run(p, R_START + 4000 * R_DAY), 1);
}

static rc_t no_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return RC_IO;
}

static void no_randomness_is_no_plan(void **state)
{
    ring_t *p = *state;
    p->policy.random.fill = no_random;
    assert_int_equal(ring_plan(p), RC_IO);
}

/* Wherever the memory ends, the plan fails as a whole or is the whole one. */
static void memory_ends_anywhere(void **state)
{
    ring_t *p = *state;
    arena_t *roomy = p->a;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 64; rc != RC_OK; budget += 64) {
        assert_true(budget < 65536);
        p->a = arena_new(budget);
        assert_non_null(p->a);
        rc = ring_plan(p);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        assert_int_equal(rc == RC_OK ? p->plan.effects.n : 3, 3);
        arena_free(p->a);
    }
    p->a = roomy;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(first_start_makes_a_key_of_each_use),
        RING_TEST(a_young_ring_stays),
        RING_TEST(rotation_on_demand_publishes_waits_promotes_and_forgets),
        RING_TEST(of_several_nodes_keys_are_published_longer),
        RING_TEST(asking_twice_makes_one_key),
        RING_TEST(age_rotates),
        RING_TEST(another_algorithm_makes_a_new_key),
        RING_TEST(conflict_of_two_first_starts_leads_to_one_ring),
        RING_TEST(two_published_keys_become_one),
        RING_TEST(clock_going_back_publishes_another),
        RING_TEST(clock_going_back_keeps_the_retired_key_for_its_tokens),
        RING_TEST(lost_derive_key_is_made_anew),
        RING_TEST(derive_key_of_wrong_length_is_refused),
        RING_TEST(unknown_algorithm_is_refused),
        RING_TEST(keys_stay_as_long_as_the_longest_tokens),
        RING_TEST(many_dead_keys_go_in_several_plans),
        RING_TEST(full_ring_waits_until_keys_go),
        RING_TEST(sealing_key_is_not_rotated_by_age),
        RING_TEST(sealing_key_that_is_no_key_is_refused),
        RING_TEST(interval_of_zero_rotates_on_demand_only),
        RING_TEST(no_randomness_is_no_plan),
        RING_TEST(memory_ends_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
