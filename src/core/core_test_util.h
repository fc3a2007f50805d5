/* What the tests of core share: an arena for each test, slices, files of vectors. */
#ifndef CORE_CORE_TEST_UTIL_H
#define CORE_CORE_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/arena.h"

enum { TEST_ARENA_BYTES = 64 << 20 };

/** Setup and teardown of a test whose state is an arena. */
int test_arena_setup(void **state);
int test_arena_teardown(void **state);
/** A copy in a heap block of exactly its size, so that ASan sees a byte read too far. Freed with
 *  the arena. */
str_t test_exact(arena_t *a, str_t s);
/** Bytes of the file; unset when it cannot be read. */
str_t test_read_file(arena_t *a, const char *path);
/** "$name/tail", or NULL when the environment has no such name. */
const char *test_path(arena_t *a, const char *name, const char *tail);

#define ARENA_TEST(fn) cmocka_unit_test_setup_teardown(fn, test_arena_setup, test_arena_teardown)
#define ROWS(table)    (sizeof(table) / sizeof((table)[0]))
#define assert_str(left, right)                                                                    \
    do {                                                                                           \
        str_t left_ = (left), right_ = (right);                                                    \
        if (!str_eq(left_, right_))                                                                \
            fail_msg("'%" PRIstr "' is not '%" PRIstr "'", STR_ARG(left_), STR_ARG(right_));       \
    } while (0)

#endif
