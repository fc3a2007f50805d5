/* What the tests of the engine share: an arena that is enough for the longest text. */
#ifndef SENTIMENT_ENGINE_TEST_WORLD_H
#define SENTIMENT_ENGINE_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_run.h"

static inline int engine_test_setup(void **state)
{
    *state = arena_new(ENGINE_ARENA_BYTES);
    return *state ? 0 : -1;
}

static inline int engine_test_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static inline sentiment_t analyzed(arena_t *a, str_t text)
{
    sentiment_t s;
    assert_int_equal(engine_analyze(a, text, &s), RC_OK);
    return s;
}

static inline sentiment_t analyzed_target(arena_t *a, const char *text, const char *name)
{
    sentiment_t s;
    str_t names[] = {str_c(name)};
    assert_int_equal(engine_analyze_target(a, str_c(text), (str_list_t){names, 1}, &s), RC_OK);
    return s;
}

#define ENGINE_TEST(fn) cmocka_unit_test_setup_teardown(fn, engine_test_setup, engine_test_teardown)

#endif
