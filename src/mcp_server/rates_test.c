#include "mcp_server/rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const mcp_principal_t ALICE = {STR_INIT("https://as"), STR_INIT("alice"), STR_INIT("c1")};

typedef struct {
    clock_fake_t clock;
    random_fake_t random;
    mcp_calls_t *c;
    arena_t *a;
} fixture_t;

enum { PER_MINUTE = 6 };

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    f->a = arena_new(65536);
    f->c = mcp_calls_new(PER_MINUTE, clock_fake(&f->clock), random_fake(&f->random));
    *state = f;
    return f->c && f->a ? 0 : -1;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    mcp_calls_free(f->c);
    mcp_calls_free(NULL);
    arena_free(f->a);
    free(f);
    return 0;
}

static void a_minute_at_once_then_one_by_one(void **state)
{
    fixture_t *f = *state;
    uint32_t retry = 0;
    for (int i = 0; i < PER_MINUTE; i++)
        assert_true(mcp_calls_take(f->c, f->a, &ALICE, &retry));
    assert_false(mcp_calls_take(f->c, f->a, &ALICE, &retry));
    assert_int_equal(retry, 10);
    f->clock.ms += 9999;
    assert_false(mcp_calls_take(f->c, f->a, &ALICE, &retry));
    f->clock.ms += 1;
    assert_true(mcp_calls_take(f->c, f->a, &ALICE, &retry));
    assert_false(mcp_calls_take(f->c, f->a, &ALICE, &retry));
}

static void others_are_not_held_up(void **state)
{
    fixture_t *f = *state;
    uint32_t retry;
    const mcp_principal_t OTHERS[] = {
        {STR("https://as2"), STR("alice"), STR("c1")}, {STR("https://as"), STR("bob"), STR("c1")},
        {STR("https://as"), STR("alice"), STR("c2")},  {STR("https://asalice"), STR(""), STR("c1")},
        {STR("https://as"), STR("alicec1"), STR("")},
    };
    while (mcp_calls_take(f->c, f->a, &ALICE, &retry))
        ;
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        assert_true(mcp_calls_take(f->c, f->a, &OTHERS[i], &retry));
}

static void without_memory_calls_are_counted_all_the_same(void **state)
{
    fixture_t *f = *state;
    uint32_t retry;
    arena_t *none = arena_new(1);
    for (int i = 0; i < PER_MINUTE; i++)
        assert_true(mcp_calls_take(f->c, none, &ALICE, &retry));
    assert_false(mcp_calls_take(f->c, none, &ALICE, &retry));
    assert_true(mcp_calls_take(f->c, f->a, &ALICE, &retry));
    arena_free(none);
}

#define CALLS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALLS_TEST(a_minute_at_once_then_one_by_one),
        CALLS_TEST(others_are_not_held_up),
        CALLS_TEST(without_memory_calls_are_counted_all_the_same),
    };
    return cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
