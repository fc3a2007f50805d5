#include "as/throttle.h"

#include "as/as_test_world.h"

enum { THREADS = 4, EACH = 50 };

static const identity_throttle_who_t WHO = {STR_INIT("alice"), STR_INIT("\x04\xc0\x00\x02\x01")};

static as_throttle_t *made(world_t *w)
{
    as_throttle_t *t;
    assert_ok(as_throttle_new(world_clock(w), world_random(w), &t));
    return t;
}

static void failures_hold_back_by_the_world_s_clock(void **state)
{
    world_t *w = *state;
    uint32_t after = 0;
    as_throttle_t *t = made(w);
    while (as_throttle_begin(t, &WHO, &after))
        as_throttle_end(t, &WHO, IDENTITY_ATTEMPT_FAILED);
    assert_true(after > 0);
    world_pass(w, after);
    assert_true(as_throttle_begin(t, &WHO, &after));
    as_throttle_free(t);
}

static void what_was_undone_does_not_count(void **state)
{
    uint32_t after;
    as_throttle_t *t = made(*state);
    for (int i = 0; i < 100; i++) {
        assert_true(as_throttle_begin(t, &WHO, &after));
        as_throttle_end(t, &WHO, IDENTITY_ATTEMPT_UNDONE);
    }
    as_throttle_free(t);
}

typedef struct {
    as_throttle_t *t;
    atomic_int let;
} crowd_t;

static void *try_many(void *arg)
{
    crowd_t *c = arg;
    uint32_t after;
    for (int i = 0; i < EACH; i++)
        atomic_fetch_add(&c->let, as_throttle_begin(c->t, &WHO, &after));
    return NULL;
}

static void many_threads_guess_no_more(void **state)
{
    pthread_t threads[THREADS];
    crowd_t crowd = {.t = made(*state)};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, try_many, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&crowd.let), 5);
    as_throttle_free(crowd.t);
}

static void no_randomness_is_no_throttle(void **state)
{
    world_t *w = *state;
    as_throttle_t *t;
    atomic_store(&w->random_fails, true);
    assert_int_equal(as_throttle_new(world_clock(w), world_random(w), &t), RC_IO);
    atomic_store(&w->random_fails, false);
    as_throttle_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMPTY_TEST(failures_hold_back_by_the_world_s_clock),
        EMPTY_TEST(what_was_undone_does_not_count),
        EMPTY_TEST(many_threads_guess_no_more),
        EMPTY_TEST(no_randomness_is_no_throttle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
