/* What every store does with leases. */
#include "store/store_test_util.h"

static rc_t take(play_t *p, const char *name, const char *holder, int64_t at, int64_t until)
{
    const lease_t lease = {.name = str_c(name), .holder = str_c(holder), .until = until};
    effect_t *e = play_add(p, EFFECT_LEASE_TAKE);
    e->at = at;
    e->u.lease = &lease;
    return play_apply(p);
}

static void a_lease_is_one_holder_s(void **state)
{
    play_t *p = *state;
    assert_int_equal(take(p, "cleaning", "a", 100, 200), RC_OK);
    assert_int_equal(take(p, "cleaning", "b", 150, 250), RC_CONFLICT);
    assert_int_equal(take(p, "keys", "b", 150, 250), RC_OK);
}

static void its_holder_takes_it_again(void **state)
{
    play_t *p = *state;
    assert_int_equal(take(p, "cleaning", "a", 100, 200), RC_OK);
    assert_int_equal(take(p, "cleaning", "a", 190, 290), RC_OK);
    assert_int_equal(take(p, "cleaning", "b", 289, 400), RC_CONFLICT);
}

static void at_its_end_it_is_anybody_s(void **state)
{
    play_t *p = *state;
    assert_int_equal(take(p, "cleaning", "a", 100, 200), RC_OK);
    assert_int_equal(take(p, "cleaning", "b", 200, 300), RC_OK);
    assert_int_equal(take(p, "cleaning", "a", 250, 350), RC_CONFLICT);
}

static void its_holder_gives_it_up(void **state)
{
    play_t *p = *state;
    assert_int_equal(take(p, "cleaning", "a", 100, 200), RC_OK);
    assert_int_equal(take(p, "cleaning", "a", 110, 110), RC_OK);
    assert_int_equal(take(p, "cleaning", "b", 110, 210), RC_OK);
}

/* The clock of its holder was a day ahead: nobody waits a day for it. */
static void lease_of_a_clock_that_was_ahead_holds_nobody_off(void **state)
{
    enum { DAY = 86400 };
    play_t *p = *state;
    assert_int_equal(take(p, "cleaning", "a", 100 + DAY, 200 + DAY), RC_OK);
    assert_int_equal(take(p, "cleaning", "b", 100, 200), RC_OK);
    assert_int_equal(take(p, "cleaning", "a", 150, 250), RC_CONFLICT);
    assert_int_equal(take(p, "keys", "a", 400, 500), RC_OK);
    assert_int_equal(take(p, "keys", "b", 100, 200), RC_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(a_lease_is_one_holder_s),
        ON_EVERY_STORE(its_holder_takes_it_again),
        ON_EVERY_STORE(at_its_end_it_is_anybody_s),
        ON_EVERY_STORE(its_holder_gives_it_up),
        ON_EVERY_STORE(lease_of_a_clock_that_was_ahead_holds_nobody_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
