#include "identity/identity_test_util.h"

#include <stdio.h>

arena_t *test_arena(void)
{
    arena_t *a = arena_new(TEST_ARENA_BYTES);
    assert_non_null(a);
    return a;
}

static rc_t fail_to_fill(void *ctx, void *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return RC_IO;
}

random_port_t test_no_random(void)
{
    return (random_port_t){fail_to_fill, NULL};
}

void test_starve(rc_t (*fn)(arena_t *a, void *ctx), void *ctx)
{
    size_t failures = 0;
    for (size_t budget = 1; budget < TEST_ARENA_BYTES; budget += 8) {
        arena_t *a = arena_new(budget);
        assert_non_null(a);
        rc_t rc = fn(a, ctx);
        arena_free(a);
        if (rc == RC_OK) {
            assert_true(failures > 0);
            return;
        }
        assert_int_equal(rc, RC_MEMORY);
        failures++;
    }
    fail_msg("it never succeeds");
}

void test_assert_str(str_t left, str_t right, const char *file, int line)
{
    if (str_eq(left, right))
        return;
    print_error("%s \"%" PRIstr "\" is not %s \"%" PRIstr "\"\n", left.p ? "" : "(unset)",
                STR_ARG(left), right.p ? "" : "(unset)", STR_ARG(right));
    _fail(file, line);
}
