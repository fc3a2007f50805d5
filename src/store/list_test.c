#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "store/list.h"

static void list_comes_back(void **state)
{
    static const str_t V[] = {STR_INIT(""), {NULL, 0}, STR_INIT("5:x,"), STR_INIT("\0-,\xff")};
    for (size_t n = 0; n <= 4; n++) {
        arena_t *a = arena_new(4096);
        str_t bytes;
        str_list_t got;
        assert_int_equal(store_list_write((str_list_t){V, n}, &bytes), RC_OK);
        assert_int_equal(store_list_read(a, bytes, &got), RC_OK);
        assert_int_equal(got.n, n);
        for (size_t i = 0; i < n; i++)
            assert_true(str_eq(got.v[i], V[i]));
        free((void *)(uintptr_t)bytes.p);
        arena_free(a);
    }
}

static void list_is_readable(void **state)
{
    static const str_t V[] = {STR_INIT("hello"), {NULL, 0}, STR_INIT("")};
    str_t bytes;
    assert_int_equal(store_list_write((str_list_t){V, 3}, &bytes), RC_OK);
    assert_true(str_eq(bytes, STR("5:hello,-,0:,")));
    free((void *)(uintptr_t)bytes.p);
}

static void damaged_list_is_malformed(void **state)
{
    static const str_t BAD[] = {
        STR_INIT("5:hell,"),
        STR_INIT("5:hello"),
        STR_INIT(":x,"),
        STR_INIT("x"),
        STR_INIT("-"),
        STR_INIT("--,"),
        STR_INIT("1:a,1"),
        STR_INIT("01:a,"),
        STR_INIT("+1:a,"),
        STR_INIT("1:ab,"),
        STR_INIT("99999999999999999999999:a,"),
        STR_INIT("18446744073709551617:a,"),
        STR_INIT("5,"),
        STR_INIT("4:abc,"),
    };
    arena_t *a = arena_new(4096);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        str_list_t got;
        assert_int_equal(store_list_read(a, BAD[i], &got), RC_MALFORMED);
    }
    arena_free(a);
}

static void list_that_does_not_fit_the_arena_is_no_memory(void **state)
{
    arena_t *a = arena_new(16);
    str_list_t got;
    assert_int_equal(store_list_read(a, STR("0:,0:,0:,"), &got), RC_MEMORY);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_comes_back),
        cmocka_unit_test(list_is_readable),
        cmocka_unit_test(damaged_list_is_malformed),
        cmocka_unit_test(list_that_does_not_fit_the_arena_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
