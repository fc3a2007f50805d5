/* A test's function in a process of its own, with pipes for its three streams. */
#ifndef CORE_CORE_TEST_CHILD_H
#define CORE_CORE_TEST_CHILD_H

#include "core/str.h"

enum { TEST_CHILD_TEXT = 16384 };

typedef struct {
    char out[TEST_CHILD_TEXT], err[TEST_CHILD_TEXT]; /* what came out */
    int status;                                      /* as of waitpid(2) */
} test_child_t;

/** `in` is all that it reads; it ends with what `body` returns. */
test_child_t test_child_run(int (*body)(void), str_t in);

#endif
