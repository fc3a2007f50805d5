/* The map with an allocator that fails when told: the source itself is compiled in. */
#include "core/core_test_util.h"

#include <stdio.h>
#include <stdlib.h>

/* Allocations that still succeed; negative: all. One for the process, for the tests run in turn. */
static int allocations_left = -1;

static bool may_allocate(void)
{
    if (allocations_left < 0)
        return true;
    if (allocations_left == 0)
        return false;
    allocations_left--;
    return true;
}

static void *failing_malloc(size_t n)
{
    return may_allocate() ? malloc(n) : NULL;
}

static void *failing_calloc(size_t n, size_t size)
{
    return may_allocate() ? calloc(n, size) : NULL;
}

#define malloc failing_malloc
#define calloc failing_calloc
#include "core/map.c"
#undef malloc
#undef calloc

enum { MANY = 3000 };
static const uint8_t SEED[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static int values[MANY];

static str_t key_of(char out[16], int i)
{
    int n = snprintf(out, 16, "key %d", i);
    return str_of(out, (size_t)n);
}

/* The vectors of the SipHash paper, appendix A, and of its reference code. */
static void siphash_vectors(void **state)
{
    (void)state;
    map_t *m = map_new(SEED, 1);
    uint8_t in[64];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)i;
    assert_true(sip_hash(m, str_of(in, 0)) == 0x726fdb47dd0e0e31u);
    assert_true(sip_hash(m, str_of(in, 1)) == 0x74f839c593dc67fdu);
    assert_true(sip_hash(m, str_of(in, 8)) == 0x93f5f5799a932462u);
    assert_true(sip_hash(m, str_of(in, 15)) == 0xa129ca6149be45e5u);
    map_free(m, NULL);
}

static void the_seed_moves_every_hash(void **state)
{
    (void)state;
    uint8_t other[16] = {1};
    map_t *a = map_new(SEED, 1), *b = map_new(other, 1);
    assert_true(sip_hash(a, STR("key")) != sip_hash(b, STR("key")));
    map_free(a, NULL);
    map_free(b, NULL);
}

static void set_get_replace_delete(void **state)
{
    (void)state;
    map_t *m = map_new(SEED, 10);
    void *old = &values[9];
    assert_null(map_get(m, STR("a")));
    assert_int_equal(map_put(m, STR("a"), &values[1], &old), RC_OK);
    assert_null(old);
    assert_ptr_equal(map_get(m, STR("a")), &values[1]);
    assert_int_equal(map_put(m, STR("a"), &values[2], &old), RC_OK);
    assert_ptr_equal(old, &values[1]);
    assert_int_equal(map_put(m, STR("a"), &values[3], NULL), RC_OK);
    assert_int_equal(map_count(m), 1);
    assert_null(map_get(m, STR("A")));
    assert_null(map_del(m, STR("b")));
    assert_ptr_equal(map_del(m, STR("a")), &values[3]);
    assert_null(map_del(m, STR("a")));
    assert_int_equal(map_count(m), 0);
    map_free(m, NULL);
}

static void keys_are_copied_bytes(void **state)
{
    (void)state;
    map_t *m = map_new(SEED, 10);
    char key[3] = {'a', '\0', 'b'};
    assert_int_equal(map_put(m, str_of(key, 3), &values[1], NULL), RC_OK);
    assert_int_equal(map_put(m, STR(""), &values[2], NULL), RC_OK);
    key[2] = 'c';
    assert_null(map_get(m, str_of(key, 3)));
    assert_ptr_equal(map_get(m, STR("a\0b")), &values[1]);
    assert_null(map_get(m, STR("a")));
    assert_ptr_equal(map_get(m, STR("")), &values[2]);
    map_free(m, NULL);
}

static map_t *filled(int n)
{
    map_t *m = map_new(SEED, MANY);
    char key[16];
    for (int i = 0; i < n; i++)
        assert_int_equal(map_put(m, key_of(key, i), &values[i], NULL), RC_OK);
    return m;
}

static void growth_and_deletion_lose_nothing(void **state)
{
    (void)state;
    char key[16];
    map_t *m = filled(MANY);
    assert_int_equal(map_count(m), MANY);
    for (int step = 0; step < 3; step++) {
        for (int i = step; i < MANY; i += 3)
            assert_ptr_equal(map_del(m, key_of(key, i)), &values[i]);
        for (int i = 0; i < MANY; i++)
            assert_ptr_equal(map_get(m, key_of(key, i)), i % 3 > step ? &values[i] : NULL);
    }
    assert_int_equal(map_count(m), 0);
    map_free(m, NULL);
}

static void map_full(void **state)
{
    (void)state;
    map_t *m = map_new(SEED, 2);
    assert_int_equal(map_put(m, STR("a"), &values[1], NULL), RC_OK);
    assert_int_equal(map_put(m, STR("b"), &values[2], NULL), RC_OK);
    assert_int_equal(map_put(m, STR("c"), &values[3], NULL), RC_LIMIT);
    assert_int_equal(map_put(m, STR("a"), &values[4], NULL), RC_OK);
    assert_ptr_equal(map_del(m, STR("b")), &values[2]);
    assert_int_equal(map_put(m, STR("c"), &values[3], NULL), RC_OK);
    assert_int_equal(map_count(m), 2);
    map_free(m, NULL);
}

static bool odd_goes(void *ctx, str_t key, void *value)
{
    int *seen = ctx;
    long i = (int *)value - values;
    char text[16];
    assert_str(key, key_of(text, (int)i));
    seen[i]++;
    return i % 2 == 0;
}

/* Each entry once, though entries move up when others go; all fills of a table of one size. */
static void each_visits_once_and_removes(void **state)
{
    (void)state;
    for (int n = 0; n <= 200; n++) {
        map_t *m = filled(n);
        int seen[200] = {0};
        map_each(m, odd_goes, seen);
        assert_int_equal(map_count(m), (n + 1) / 2);
        for (int i = 0; i < n; i++) {
            char key[16];
            assert_int_equal(seen[i], 1);
            assert_ptr_equal(map_get(m, key_of(key, i)), i % 2 ? NULL : &values[i]);
        }
        map_free(m, NULL);
    }
}

static int dropped;

static void drop(void *value)
{
    dropped += value != NULL;
}

static void free_drops_every_value(void **state)
{
    (void)state;
    dropped = 0;
    map_free(filled(50), drop);
    assert_int_equal(dropped, 50);
    map_free(NULL, drop);
}

static void every_failing_allocation(void **state)
{
    (void)state;
    for (allocations_left = 0; allocations_left < 2;) {
        int left = allocations_left;
        assert_null(map_new(SEED, 100));
        allocations_left = left + 1;
    }
    for (int left = 0; left < 20; left++) {
        allocations_left = -1;
        map_t *m = map_new(SEED, 100);
        char key[16];
        allocations_left = left;
        int i = 0;
        while (i < 100 && map_put(m, key_of(key, i), &values[i], NULL) == RC_OK)
            i++;
        assert_int_equal(map_put(m, key_of(key, i), &values[i], NULL), RC_MEMORY);
        assert_int_equal(map_count(m), i);
        assert_null(map_get(m, key_of(key, i)));
        allocations_left = -1;
        assert_int_equal(map_put(m, key_of(key, i), &values[i], NULL), RC_OK);
        for (int k = 0; k <= i; k++)
            assert_ptr_equal(map_get(m, key_of(key, k)), &values[k]);
        map_free(m, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_vectors),
        cmocka_unit_test(the_seed_moves_every_hash),
        cmocka_unit_test(set_get_replace_delete),
        cmocka_unit_test(keys_are_copied_bytes),
        cmocka_unit_test(growth_and_deletion_lose_nothing),
        cmocka_unit_test(map_full),
        cmocka_unit_test(each_visits_once_and_removes),
        cmocka_unit_test(free_drops_every_value),
        cmocka_unit_test(every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
