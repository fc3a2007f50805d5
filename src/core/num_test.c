#include "core/core_test_util.h"

#include "core/num.h"

static void unsigned_numbers(void **state)
{
    static const struct {
        str_t text;
        uint64_t max;
        bool good;
        uint64_t value;
    } TABLE[] = {
        {STR_INIT("0"), 0, true, 0},
        {STR_INIT("1"), 0, false, 0},
        {STR_INIT("255"), 255, true, 255},
        {STR_INIT("256"), 255, false, 0},
        {STR_INIT("00000000000000000007"), 7, true, 7},
        {STR_INIT("000000000000000000007"), 7, false, 0}, /* 21 digits */
        {STR_INIT("18446744073709551615"), UINT64_MAX, true, UINT64_MAX},
        {STR_INIT("18446744073709551616"), UINT64_MAX, false, 0},
        {STR_INIT("99999999999999999999"), UINT64_MAX, false, 0},
        {STR_INIT(""), 9, false, 0},
        {STR_INIT("-0"), 9, false, 0},
        {STR_INIT("+1"), 9, false, 0},
        {STR_INIT(" 1"), 9, false, 0},
        {STR_INIT("1 "), 9, false, 0},
        {STR_INIT("1\0"), 9, false, 0},
        {STR_INIT("0x1"), 9, false, 0},
        {STR_INIT("1e1"), 99, false, 0},
        {STR_INIT("\xd9\xa1"), 9, false, 0},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        uint64_t v = 77;
        bool good = num_u64(test_exact(*state, TABLE[i].text), TABLE[i].max, &v);
        if (good != TABLE[i].good || v != (good ? TABLE[i].value : 77))
            fail_msg("'%" PRIstr "'", STR_ARG(TABLE[i].text));
    }
    uint64_t v;
    assert_false(num_u64(STR_UNSET, 9, &v));
}

static void signed_numbers(void **state)
{
    static const struct {
        str_t text;
        int64_t min, max;
        bool good;
        int64_t value;
    } TABLE[] = {
        {STR_INIT("-1"), -1, 1, true, -1},
        {STR_INIT("-2"), -1, 1, false, 0},
        {STR_INIT("2"), -1, 1, false, 0},
        {STR_INIT("-0"), 0, 0, true, 0},
        {STR_INIT("9223372036854775807"), INT64_MIN, INT64_MAX, true, INT64_MAX},
        {STR_INIT("9223372036854775808"), INT64_MIN, INT64_MAX, false, 0},
        {STR_INIT("-9223372036854775808"), INT64_MIN, INT64_MAX, true, INT64_MIN},
        {STR_INIT("-9223372036854775809"), INT64_MIN, INT64_MAX, false, 0},
        {STR_INIT("18446744073709551615"), INT64_MIN, INT64_MAX, false, 0},
        {STR_INIT("-18446744073709551615"), INT64_MIN, INT64_MAX, false, 0},
        {STR_INIT("-"), INT64_MIN, INT64_MAX, false, 0},
        {STR_INIT("--1"), INT64_MIN, INT64_MAX, false, 0},
        {STR_INIT("1-"), INT64_MIN, INT64_MAX, false, 0},
        {STR_INIT("1.0"), INT64_MIN, INT64_MAX, false, 0},
        {STR_INIT(""), INT64_MIN, INT64_MAX, false, 0},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        int64_t v = 77;
        bool good = num_i64(test_exact(*state, TABLE[i].text), TABLE[i].min, TABLE[i].max, &v);
        if (good != TABLE[i].good || v != (good ? TABLE[i].value : 77))
            fail_msg("'%" PRIstr "'", STR_ARG(TABLE[i].text));
    }
}

static void doubles(void **state)
{
    static const struct {
        str_t text;
        bool good;
        double value;
    } TABLE[] = {
        {STR_INIT("0"), true, 0},
        {STR_INIT("-0.5"), true, -0.5},
        {STR_INIT("1e3"), true, 1000},
        {STR_INIT("1E+3"), true, 1000},
        {STR_INIT("12.5e-1"), true, 1.25},
        {STR_INIT("1e-999"), true, 0},
        {STR_INIT("1.7976931348623157e308"), true, 1.7976931348623157e308},
        {STR_INIT("1e309"), false, 0},
        {STR_INIT("-1e309"), false, 0},
        {STR_INIT("01"), false, 0},
        {STR_INIT("1."), false, 0},
        {STR_INIT(".5"), false, 0},
        {STR_INIT("1e"), false, 0},
        {STR_INIT("1e+"), false, 0},
        {STR_INIT("+1"), false, 0},
        {STR_INIT("0x10"), false, 0},
        {STR_INIT("inf"), false, 0},
        {STR_INIT("nan"), false, 0},
        {STR_INIT(" 1"), false, 0},
        {STR_INIT("1 "), false, 0},
        {STR_INIT("1,5"), false, 0},
        {STR_INIT("-"), false, 0},
        {STR_INIT(""), false, 0},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        double v = 77;
        bool good = num_f64(test_exact(*state, TABLE[i].text), &v);
        if (good != TABLE[i].good || v != (good ? TABLE[i].value : 77))
            fail_msg("'%" PRIstr "'", STR_ARG(TABLE[i].text));
    }
}

static void a_double_of_128_bytes_is_too_long(void **state)
{
    (void)state;
    char digits[128];
    memset(digits, '0', sizeof digits);
    digits[1] = '.';
    double v;
    assert_true(num_f64(str_of(digits, 127), &v));
    assert_false(num_f64(str_of(digits, 128), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(unsigned_numbers),
        ARENA_TEST(signed_numbers),
        ARENA_TEST(doubles),
        cmocka_unit_test(a_double_of_128_bytes_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
