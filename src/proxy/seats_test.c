#include "core/core_test_util.h"

#include "proxy/seats.h"

static const gate_principal_t ALICE = {.issuer = STR_INIT("i"), .subject = STR_INIT("alice")};
static const gate_principal_t BOB = {.issuer = STR_INIT("i"), .subject = STR_INIT("bob")};

static seats_t *make(size_t max)
{
    static random_fake_t randomness;
    seats_t *s;
    assert_int_equal(seats_new(random_fake(&randomness), max, &s), RC_OK);
    return s;
}

static void a_subject_has_so_many(void **state)
{
    seats_t *s = make(100);
    (void)state;
    assert_int_equal(seats_take(s, STR("/a"), &ALICE, 2), RC_OK);
    assert_int_equal(seats_take(s, STR("/a"), &ALICE, 2), RC_OK);
    assert_int_equal(seats_take(s, STR("/a"), &ALICE, 2), RC_LIMIT);
    assert_int_equal(seats_take(s, STR("/b"), &ALICE, 2), RC_OK);
    assert_int_equal(seats_take(s, STR("/a"), &BOB, 2), RC_OK);
    seats_leave(s, STR("/a"), &ALICE);
    assert_int_equal(seats_take(s, STR("/a"), &ALICE, 2), RC_OK);
    assert_int_equal(seats_take(s, STR("/a"), &ALICE, 0), RC_OK);
    seats_free(s);
}

static void all_together_have_so_many(void **state)
{
    seats_t *s = make(2);
    (void)state;
    assert_int_equal(seats_take(s, STR("/a"), &ALICE, 0), RC_OK);
    assert_int_equal(seats_take(s, STR("/a"), &BOB, 0), RC_OK);
    assert_int_equal(seats_take(s, STR("/a"), &BOB, 0), RC_BUSY);
    seats_leave(s, STR("/a"), &ALICE);
    seats_leave(s, STR("/a"), &ALICE); /* had none: nothing is given back twice */
    assert_int_equal(seats_take(s, STR("/a"), &BOB, 0), RC_OK);
    assert_int_equal(seats_take(s, STR("/a"), &BOB, 0), RC_BUSY);
    seats_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subject_has_so_many),
        cmocka_unit_test(all_together_have_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
