/* What the tests of conf share: an arena for each test, and settings from one source. */
#ifndef CONF_CONF_TEST_UTIL_H
#define CONF_CONF_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/conf.h"

int test_arena_setup(void **state);
int test_arena_teardown(void **state);
/** Sources with a file only. */
conf_sources_t test_file(str_t text);
/** Loads; fails the test with the sentence when the sources are refused. */
const conf_t *test_load(arena_t *a, const conf_sources_t *sources);
const conf_t *test_load_file(arena_t *a, str_t text);
/** The sentence of sources that must be refused; checks that it is one line of printable ASCII. */
str_t test_refusal(arena_t *a, const conf_sources_t *sources);
str_t test_file_refusal(arena_t *a, str_t text);

#define ARENA_TEST(fn) cmocka_unit_test_setup_teardown(fn, test_arena_setup, test_arena_teardown)
#define ROWS(table)    (sizeof(table) / sizeof((table)[0]))
#define assert_str(left, right)                                                                    \
    do {                                                                                           \
        str_t left_ = (left), right_ = (right);                                                    \
        if (!str_eq(left_, right_))                                                                \
            fail_msg("'%" PRIstr "' is not '%" PRIstr "'", STR_ARG(left_), STR_ARG(right_));       \
    } while (0)

#endif
