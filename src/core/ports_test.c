#include "core/core_test_util.h"

#include "core/ports.h"

static void a_fake_clock_stands(void **state)
{
    (void)state;
    clock_fake_t fake = {1999};
    clock_port_t c = clock_fake(&fake);
    assert_int_equal(c.now_ms(c.ctx), 1999);
    assert_int_equal(c.mono_ms(c.ctx), 1999);
    assert_int_equal(clock_seconds(&c), 1);
    fake.ms = 2000;
    assert_int_equal(clock_seconds(&c), 2);
}

static void fake_bytes_repeat_from_one_state_only(void **state)
{
    (void)state;
    random_fake_t one = {1}, same = {1}, other = {2};
    random_port_t a = random_fake(&one), b = random_fake(&same), c = random_fake(&other);
    uint8_t x[32], y[32], z[32], next[32];
    assert_int_equal(a.fill(a.ctx, x, sizeof x), RC_OK);
    assert_int_equal(b.fill(b.ctx, y, sizeof y), RC_OK);
    assert_int_equal(c.fill(c.ctx, z, sizeof z), RC_OK);
    assert_int_equal(a.fill(a.ctx, next, sizeof next), RC_OK);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
    assert_memory_not_equal(x, next, sizeof x);
}

static void fake_bytes_do_not_overlap(void **state)
{
    (void)state;
    random_fake_t fake = {0};
    random_port_t r = random_fake(&fake);
    uint64_t seen[300];
    for (size_t i = 0; i < ROWS(seen); i++)
        assert_int_equal(r.fill(r.ctx, &seen[i], 8), RC_OK);
    for (size_t i = 0; i < ROWS(seen); i++)
        for (size_t k = i + 1; k < ROWS(seen); k++)
            assert_true(seen[i] != seen[k]);
}

static void fill_writes_exactly_n(void **state)
{
    (void)state;
    random_fake_t fake = {0};
    random_port_t ports[] = {random_fake(&fake), random_system()};
    for (size_t i = 0; i < ROWS(ports); i++) {
        uint8_t bytes[40];
        memset(bytes, 0, sizeof bytes);
        assert_int_equal(ports[i].fill(ports[i].ctx, bytes, 31), RC_OK);
        unsigned any = 0;
        for (size_t k = 0; k < 31; k++)
            any |= bytes[k];
        assert_true(any);
        for (size_t k = 31; k < sizeof bytes; k++)
            assert_int_equal(bytes[k], 0);
        assert_int_equal(ports[i].fill(ports[i].ctx, NULL, 0), RC_OK);
    }
}

static void the_systems_clock_goes_on(void **state)
{
    (void)state;
    clock_port_t c = clock_system();
    /* Behind 2024, before 2200: milliseconds, not seconds. */
    assert_in_range(c.now_ms(c.ctx), 1704067200000, 7258118400000);
    int64_t last = c.mono_ms(c.ctx);
    for (int i = 0; i < 1000; i++) {
        int64_t now = c.mono_ms(c.ctx);
        assert_true(now >= last);
        last = now;
    }
}

static void the_systems_bytes_differ(void **state)
{
    (void)state;
    random_port_t r = random_system();
    uint8_t x[32], y[32];
    assert_int_equal(r.fill(r.ctx, x, sizeof x), RC_OK);
    assert_int_equal(r.fill(r.ctx, y, sizeof y), RC_OK);
    assert_memory_not_equal(x, y, sizeof x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fake_clock_stands),
        cmocka_unit_test(fake_bytes_repeat_from_one_state_only),
        cmocka_unit_test(fake_bytes_do_not_overlap),
        cmocka_unit_test(fill_writes_exactly_n),
        cmocka_unit_test(the_systems_clock_goes_on),
        cmocka_unit_test(the_systems_bytes_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
