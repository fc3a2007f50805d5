#include "as/spend.h"

#include "as/as_test_world.h"

typedef struct {
    bool done;
    rc_t rc;
} answer_t;

static void answered(void *arg, rc_t rc)
{
    *(answer_t *)arg = (answer_t){true, rc};
}

static rc_t spend(world_t *w, uint8_t first, int64_t forget_at)
{
    answer_t answer = {0};
    const as_spend_t what = {{{first}}, forget_at, answered, &answer};
    as_spend(w->worker, w->a, &what);
    while (!answer.done)
        assert_true(world_pump(w, 10000));
    return answer.rc;
}

static void a_name_is_used_once(void **state)
{
    world_t *w = *state;
    assert_int_equal(spend(w, 1, W_START_S + 60), RC_OK);
    assert_int_equal(spend(w, 1, W_START_S + 60), RC_CONFLICT);
    assert_int_equal(spend(w, 2, W_START_S + 60), RC_OK);
}

static void another_process_sees_it(void **state)
{
    world_t *w = *state;
    assert_int_equal(spend(w, 1, W_START_S + 60), RC_OK);
    world_restart(w, NULL, NULL);
    assert_int_equal(spend(w, 1, W_START_S + 60), RC_CONFLICT);
}

static void names_of_our_own_endpoints_are_others(void **state)
{
    world_t *w = *state;
    const spent_t own = {{{1}}, W_START_S + 60};
    world_put(w, EFFECT_SPEND, &own);
    assert_int_equal(spend(w, 1, W_START_S + 60), RC_OK);
}

static void without_room_nobody_can_tell(void **state)
{
    world_t *w = *state;
    world_restart(w, "spent_max", "100");
    rc_t rc = RC_OK;
    for (uint8_t i = 0; rc == RC_OK && i < 200; i++)
        rc = spend(w, i, W_START_S + 60);
    assert_int_equal(rc, RC_LIMIT);
}

static void a_store_that_is_away_is_told(void **state)
{
    world_t *w = *state;
    w->faults = (faults_t){.apply = RC_IO};
    assert_int_equal(spend(w, 1, W_START_S + 60), RC_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_name_is_used_once),
        WORLD_TEST(another_process_sees_it),
        WORLD_TEST(names_of_our_own_endpoints_are_others),
        WORLD_TEST(without_room_nobody_can_tell),
        WORLD_TEST(a_store_that_is_away_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
