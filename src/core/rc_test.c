#include "core/core_test_util.h"

static void every_failure_has_a_name(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"RC_OK",        "RC_MEMORY", "RC_LIMIT",
                                        "RC_MALFORMED", "RC_IO",     "RC_NOT_FOUND",
                                        "RC_CONFLICT",  "RC_BUSY",   "RC_CONFIG"};
    assert_int_equal(ROWS(NAMES), RC_CONFIG + 1);
    for (size_t i = 0; i < ROWS(NAMES); i++)
        assert_string_equal(rc_name((rc_t)i), NAMES[i]);
    assert_string_equal(rc_name((rc_t)(RC_CONFIG + 1)), "?");
    assert_string_equal(rc_name((rc_t)-1), "?");
}

static rc_t count(int *calls, rc_t rc)
{
    ++*calls;
    return rc;
}

static rc_t three(int *calls, rc_t second)
{
    TRY(count(calls, RC_OK));
    TRY(count(calls, second));
    TRY(count(calls, RC_OK));
    return RC_OK;
}

static void try_stops_at_the_first_failure(void **state)
{
    (void)state;
    int calls = 0;
    assert_int_equal(three(&calls, RC_BUSY), RC_BUSY);
    assert_int_equal(calls, 2);
    calls = 0;
    assert_int_equal(three(&calls, RC_OK), RC_OK);
    assert_int_equal(calls, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_has_a_name),
        cmocka_unit_test(try_stops_at_the_first_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
