#include "core/core_test_util.h"

#include "core/secret.h"

static void equality(void **state)
{
    arena_t *a = *state;
    secret_t s = secret_of(STR("hunter2"));
    assert_true(secret_eq(s, secret_of(test_exact(a, STR("hunter2")))));
    assert_false(secret_eq(s, secret_of(STR("hunter3"))));
    assert_false(secret_eq(s, secret_of(STR("Hunter2"))));
    assert_false(secret_eq(s, secret_of(STR("hunter"))));
    assert_false(secret_eq(s, secret_of(STR_UNSET)));
    assert_false(secret_eq(secret_of(STR_UNSET), secret_of(STR_UNSET)));
}

static void wiping(void **state)
{
    (void)state;
    char bytes[6] = "abcdef";
    secret_wipe(bytes + 1, 4);
    assert_memory_equal(bytes, "a\0\0\0\0f", 6);
    secret_wipe(NULL, 0);
}

typedef struct {
    secret_t copy;
    bool wiped;
} watch_t;

/* Registered before the copy, hence run behind its wiping, while the memory is still there. */
static void look(void *ptr)
{
    watch_t *w = ptr;
    w->wiped = str_eq(w->copy.hidden, STR("\0\0\0\0\0\0\0"));
}

static void a_copy_is_wiped_with_its_arena(void **state)
{
    (void)state;
    arena_t *a = arena_new(4096);
    watch_t w = {0};
    assert_int_equal(arena_cleanup(a, look, &w), RC_OK);
    w.copy = secret_dup(a, STR("hunter2"));
    assert_str(w.copy.hidden, STR("hunter2"));
    arena_free(a);
    assert_true(w.wiped);
}

/* Whatever the budget: a copy that will be wiped, or none. */
static void every_failing_allocation(void **state)
{
    (void)state;
    size_t failures = 0;
    secret_t s = {STR_UNSET};
    for (size_t budget = 0; !str_is_set(s.hidden); budget += 16) {
        arena_t *a = arena_new(budget);
        s = secret_dup(a, STR("hunter2"));
        failures += !str_is_set(s.hidden);
        arena_free(a);
    }
    /* 16 bytes of note, 16 of copy, 32 of cleanup */
    assert_int_equal(failures, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(equality),
        cmocka_unit_test(wiping),
        cmocka_unit_test(a_copy_is_wiped_with_its_arena),
        cmocka_unit_test(every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
