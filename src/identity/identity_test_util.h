/* What the tests of this room share. */
#ifndef IDENTITY_IDENTITY_TEST_UTIL_H
#define IDENTITY_IDENTITY_TEST_UTIL_H

#include "core/arena.h"
#include "core/ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TEST_ARENA_BYTES = 1 << 20 };

/** An arena that is large enough. */
arena_t *test_arena(void);
/** A random port that fails with RC_IO. */
random_port_t test_no_random(void);
/** Runs fn with arenas of growing budgets until it succeeds; before that it must say RC_MEMORY, and
 *  it must say so at least once. */
void test_starve(rc_t (*fn)(arena_t *a, void *ctx), void *ctx);

void test_assert_str(str_t left, str_t right, const char *file, int line);
#define assert_str(left, right) test_assert_str((left), (right), __FILE__, __LINE__)
#define assert_text(left, lit)  assert_str((left), STR(lit))
#define assert_unset(s)         assert_false(str_is_set(s))
#define assert_ok(call)         assert_int_equal((call), RC_OK)

#endif
