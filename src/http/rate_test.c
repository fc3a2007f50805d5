#include "http/http_test_wire.h"

#include <stdio.h>

#include "http/rate.h"

static const uint8_t SEED[16] = {1, 2, 3};

static void a_burst_is_given_and_then_refilled(void **state)
{
    http_rate_t *r = http_rate_new(SEED, 100, (http_rate_rule_t){3, 1000});
    uint32_t wait = 0;
    assert_non_null(r);
    for (int i = 0; i < 3; i++)
        assert_true(http_rate_take(r, STR("a"), 5000, &wait));
    assert_false(http_rate_take(r, STR("a"), 5000, &wait));
    assert_int_equal(wait, 1);
    assert_false(http_rate_take(r, STR("a"), 5999, NULL));
    assert_true(http_rate_take(r, STR("a"), 6000, &wait));
    assert_false(http_rate_take(r, STR("a"), 6000, &wait));
    /* Other keys have tokens of their own. */
    assert_true(http_rate_take(r, STR("b"), 6000, &wait));
    assert_true(http_rate_take(r, STR(""), 6000, &wait));
    /* After a long time it is full, and no fuller. */
    for (int i = 0; i < 3; i++)
        assert_true(http_rate_take(r, STR("a"), 9000000, &wait));
    assert_false(http_rate_take(r, STR("a"), 9000000, &wait));
    http_rate_free(r);
}

static void the_wait_is_in_whole_seconds(void **state)
{
    http_rate_t *r = http_rate_new(SEED, 1, (http_rate_rule_t){1, 2500});
    uint32_t wait = 0;
    assert_true(http_rate_take(r, STR("a"), 0, &wait));
    assert_false(http_rate_take(r, STR("a"), 0, &wait));
    assert_int_equal(wait, 3);
    assert_false(http_rate_take(r, STR("a"), 1500, &wait));
    assert_int_equal(wait, 1);
    assert_false(http_rate_take(r, STR("a"), 2499, &wait));
    assert_int_equal(wait, 1);
    assert_true(http_rate_take(r, STR("a"), 2500, &wait));
    http_rate_free(r);
}

static void a_peek_takes_nothing(void **state)
{
    http_rate_t *r = http_rate_new(SEED, 100, (http_rate_rule_t){1, 1000});
    uint32_t wait = 0;
    for (int i = 0; i < 5; i++)
        assert_true(http_rate_peek(r, STR("a"), 0, &wait));
    assert_true(http_rate_take(r, STR("a"), 0, &wait));
    assert_false(http_rate_peek(r, STR("a"), 0, &wait));
    assert_int_equal(wait, 1);
    http_rate_free(r);
}

static void clearing_forgives(void **state)
{
    http_rate_t *r = http_rate_new(SEED, 100, (http_rate_rule_t){1, 1000});
    assert_true(http_rate_take(r, STR("a"), 0, NULL));
    assert_false(http_rate_take(r, STR("a"), 0, NULL));
    http_rate_clear(r, STR("b"));
    assert_false(http_rate_take(r, STR("a"), 0, NULL));
    http_rate_clear(r, STR("a"));
    assert_true(http_rate_take(r, STR("a"), 0, NULL));
    http_rate_free(r);
}

/* The one who has used most is remembered longest: a flood of fresh keys frees nobody. */
static void a_flood_of_keys_forgives_least(void **state)
{
    http_rate_t *r = http_rate_new(SEED, 64, (http_rate_rule_t){10, 1000});
    for (int i = 0; i < 10; i++)
        assert_true(http_rate_take(r, STR("villain"), 0, NULL));
    for (int i = 0; i < 10000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        assert_true(http_rate_take(r, str_c(key), 0, NULL));
    }
    assert_false(http_rate_take(r, STR("villain"), 0, NULL));
    http_rate_free(r);
}

/* Keys that differ in one byte, or in length only, do not share a bucket; all lengths hash. */
static void keys_of_every_length_are_their_own(void **state)
{
    static const char text[64] = "";
    http_rate_t *r = http_rate_new(SEED, 4096, (http_rate_rule_t){1, 1000});
    for (size_t n = 0; n < sizeof text; n++)
        assert_true(http_rate_take(r, str_of(text, n), 0, NULL));
    for (size_t n = 0; n < sizeof text; n++)
        assert_false(http_rate_take(r, str_of(text, n), 0, NULL));
    http_rate_free(r);
    http_rate_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_given_and_then_refilled),
        cmocka_unit_test(the_wait_is_in_whole_seconds),
        cmocka_unit_test(a_peek_takes_nothing),
        cmocka_unit_test(clearing_forgives),
        cmocka_unit_test(a_flood_of_keys_forgives_least),
        cmocka_unit_test(keys_of_every_length_are_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
