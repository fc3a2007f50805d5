#include "as/lease.h"

#include "as/as_test_world.h"

typedef struct {
    int times;
    rc_t rc;
} answers_t;

static void answered(void *ctx, rc_t rc)
{
    answers_t *answers = ctx;
    answers->times++;
    answers->rc = rc;
}

static void settle(world_t *w, const answers_t *answers)
{
    while (answers->times == 0)
        assert_true(world_pump(w, 10000));
}

static void a_lease_is_taken_and_taken_again(void **state)
{
    world_t *w = *state;
    as_lease_t lease;
    as_lease_begin(&lease, STR("keys"), STR("here"), 10);
    for (int i = 0; i < 2; i++) {
        answers_t answers = {0};
        assert_true(as_lease_take(w->worker, &lease, answered, &answers));
        settle(w, &answers);
        assert_int_equal(answers.rc, RC_OK);
        assert_true(as_lease_is_held(w->worker, &lease));
    }
}

/* Whoever waited for an answer that never comes would wait for ever. */
static void who_asks_beside_a_question_under_way_is_told_that_nobody_will_answer(void **state)
{
    world_t *w = *state;
    as_lease_t lease;
    answers_t first = {0}, second = {0};
    as_lease_begin(&lease, STR("keys"), STR("here"), 10);
    w->faults.hold = true;
    assert_true(as_lease_take(w->worker, &lease, answered, &first));
    assert_false(as_lease_take(w->worker, &lease, answered, &second));
    w->faults.hold = false;
    world_release(w, 0);
    settle(w, &first);
    assert_int_equal(first.rc, RC_OK);
    assert_int_equal(first.times, 1);
    assert_int_equal(second.times, 0);
    assert_true(as_lease_take(w->worker, &lease, answered, &second));
    settle(w, &second);
    assert_int_equal(second.rc, RC_OK);
}

static void another_s_lease_is_not_taken(void **state)
{
    world_t *w = *state;
    as_lease_t ours, theirs;
    answers_t first = {0}, second = {0};
    as_lease_begin(&theirs, STR("keys"), STR("there"), 10);
    as_lease_begin(&ours, STR("keys"), STR("here"), 10);
    assert_true(as_lease_take(w->worker, &theirs, answered, &first));
    settle(w, &first);
    assert_true(as_lease_take(w->worker, &ours, answered, &second));
    settle(w, &second);
    assert_int_equal(second.rc, RC_CONFLICT);
    assert_false(as_lease_is_held(w->worker, &ours));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_lease_is_taken_and_taken_again),
        WORLD_TEST(who_asks_beside_a_question_under_way_is_told_that_nobody_will_answer),
        WORLD_TEST(another_s_lease_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
