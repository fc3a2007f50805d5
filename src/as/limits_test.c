#include "as/limits.h"

#include "as/as_test_world.h"

enum { THREADS = 4, EACH = 200 };

static as_limits_t *made(world_t *w, int64_t page, int64_t token)
{
    as_limits_t *l;
    conf_t conf = *w->conf;
    conf.page_requests_per_minute = page;
    conf.token_requests_per_minute = token;
    assert_ok(as_limits_new(&conf, world_clock(w), world_random(w), &l));
    return l;
}

static void a_minute_s_worth_may_come_at_once(void **state)
{
    world_t *w = *state;
    uint32_t after = 0;
    as_limits_t *l = made(w, 3, 0);
    for (int i = 0; i < 3; i++)
        assert_true(as_limits_take(l, AS_RATE_PAGE, STR("a"), &after));
    assert_false(as_limits_take(l, AS_RATE_PAGE, STR("a"), &after));
    assert_int_equal(after, 20);
    assert_true(as_limits_take(l, AS_RATE_PAGE, STR("b"), &after));
    world_pass(w, 20);
    assert_true(as_limits_take(l, AS_RATE_PAGE, STR("a"), &after));
    assert_false(as_limits_take(l, AS_RATE_PAGE, STR("a"), &after));
    as_limits_free(l);
}

static void looking_takes_nothing(void **state)
{
    uint32_t after = 0;
    as_limits_t *l = made(*state, 1, 0);
    for (int i = 0; i < 3; i++)
        assert_true(as_limits_peek(l, AS_RATE_PAGE, STR("a"), &after));
    assert_true(as_limits_take(l, AS_RATE_PAGE, STR("a"), &after));
    assert_false(as_limits_peek(l, AS_RATE_PAGE, STR("a"), &after));
    assert_int_equal(after, 60);
    as_limits_free(l);
}

static void the_classes_count_apart(void **state)
{
    uint32_t after = 0;
    as_limits_t *l = made(*state, 1, 1);
    assert_true(as_limits_take(l, AS_RATE_PAGE, STR("a"), &after));
    assert_true(as_limits_take(l, AS_RATE_TOKEN, STR("a"), &after));
    assert_false(as_limits_take(l, AS_RATE_PAGE, STR("a"), &after));
    assert_false(as_limits_take(l, AS_RATE_TOKEN, STR("a"), &after));
    as_limits_free(l);
}

static void zero_is_no_limit(void **state)
{
    uint32_t after = 0;
    as_limits_t *l = made(*state, 1, 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(as_limits_peek(l, AS_RATE_TOKEN, STR("a"), &after));
        assert_true(as_limits_take(l, AS_RATE_TOKEN, STR("a"), &after));
        assert_true(as_limits_take(l, AS_RATE_NONE, STR("a"), &after));
    }
    as_limits_free(l);
}

/* More in a minute than milliseconds in it. */
static void a_very_high_limit_works(void **state)
{
    uint32_t after = 0;
    as_limits_t *l = made(*state, 100000000, 0);
    for (int i = 0; i < 100; i++)
        assert_true(as_limits_take(l, AS_RATE_PAGE, STR("a"), &after));
    as_limits_free(l);
}

typedef struct {
    as_limits_t *l;
    atomic_int taken;
} crowd_t;

static void *take_many(void *arg)
{
    crowd_t *c = arg;
    uint32_t after;
    for (int i = 0; i < EACH; i++)
        atomic_fetch_add(&c->taken, as_limits_take(c->l, AS_RATE_PAGE, STR("a"), &after));
    return NULL;
}

static void many_threads_take_no_more(void **state)
{
    pthread_t threads[THREADS];
    crowd_t crowd = {.l = made(*state, 100, 0)};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&crowd.taken), 100);
    as_limits_free(crowd.l);
}

static void no_randomness_is_no_limits(void **state)
{
    world_t *w = *state;
    as_limits_t *l = NULL;
    atomic_store(&w->random_fails, true);
    assert_int_equal(as_limits_new(w->conf, world_clock(w), world_random(w), &l), RC_IO);
    atomic_store(&w->random_fails, false);
    as_limits_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMPTY_TEST(a_minute_s_worth_may_come_at_once), EMPTY_TEST(looking_takes_nothing),
        EMPTY_TEST(the_classes_count_apart),           EMPTY_TEST(zero_is_no_limit),
        EMPTY_TEST(a_very_high_limit_works),           EMPTY_TEST(many_threads_take_no_more),
        EMPTY_TEST(no_randomness_is_no_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
