#include "mcp/schema_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct {
    const char *x, *y;
    int order;
} ORDERS[] = {
    {"1", "1.0", 0},
    {"0", "-0", 0},
    {"0.0", "0e5", 0},
    {"100", "1e2", 0},
    {"0.001", "1e-3", 0},
    {"12.50", "1.25E+1", 0},
    {"-1", "1", -1},
    {"-2", "-1", -1},
    {"9", "10", -1},
    {"0.1", "0.09", 1},
    {"9007199254740993", "9007199254740992", 1},
    {"1e400", "1e399", 1},
    {"-1e400", "1", -1},
    {"1.5", "1.25", 1},
    {"10.5", "10.50001", -1},
    {"1e99999999999999999999", "1e999", 1},
    {"1e-99999999999999999999", "0", 1},
};

static void numbers_compare_by_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ORDERS / sizeof *ORDERS; i++) {
        schema_number_t x = schema_number(str_c(ORDERS[i].x)),
                        y = schema_number(str_c(ORDERS[i].y));
        int order = schema_number_cmp(&x, &y), back = schema_number_cmp(&y, &x);
        if ((order > 0) - (order < 0) != ORDERS[i].order ||
            (back > 0) - (back < 0) != -ORDERS[i].order)
            fail_msg("%s and %s", ORDERS[i].x, ORDERS[i].y);
        if (order == 0)
            assert_true(schema_number_hash(&x) == schema_number_hash(&y));
    }
}

static const struct {
    const char *x, *divisor;
    bool divides;
} MULTIPLES[] = {
    {"0.3", "0.1", true},
    {"19.99", "0.01", true},
    {"19.995", "0.01", false},
    {"4.35", "0.01", true},
    {"1.1", "0.1", true},
    {"0", "7", true},
    {"21", "7", true},
    {"22", "7", false},
    {"1e308", "0.5", true},
    {"1e308", "0.123456789", false},
    {"1e300", "8", true},
    {"1e-5", "1e-6", true},
    {"1e-7", "1e-6", false},
    {"123456789012345678901234567890", "10", true},
    {"123456789012345678901234567891", "10", false},
    {"12391239123", "1e-8", true},
    {"-10", "5", true},
    {"999999999999999999000", "999999999999999999", true},
};

static void multiples_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof MULTIPLES / sizeof *MULTIPLES; i++) {
        schema_number_t x = schema_number(str_c(MULTIPLES[i].x));
        schema_number_t d = schema_number(str_c(MULTIPLES[i].divisor));
        if (schema_number_divides(&x, &d) != MULTIPLES[i].divides)
            fail_msg("%s by %s", MULTIPLES[i].x, MULTIPLES[i].divisor);
    }
}

static const struct {
    const char *x;
    bool integer, count;
    uint64_t value;
} COUNTS[] = {
    {"0", true, true, 0},
    {"2.0", true, true, 2},
    {"12e1", true, true, 120},
    {"1.5e1", true, true, 15},
    {"-0", true, true, 0},
    {"-3", true, false, 0},
    {"1.5", false, false, 0},
    {"1e-1", false, false, 0},
    {"999999999999999999", true, true, 999999999999999999ull},
    {"1e18", true, true, UINT64_MAX},
    {"1e400", true, true, UINT64_MAX},
};

static void counts_are_integers_from_0(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        schema_number_t x = schema_number(str_c(COUNTS[i].x));
        uint64_t value = 0;
        assert_int_equal(schema_number_is_integer(&x), COUNTS[i].integer);
        assert_int_equal(schema_number_count(&x, &value), COUNTS[i].count);
        if (COUNTS[i].count)
            assert_true(value == COUNTS[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_compare_by_value),
        cmocka_unit_test(multiples_are_exact),
        cmocka_unit_test(counts_are_integers_from_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
