/* What the tests of audit share: a folder of their own, files, lines, a check of the chain. */
#ifndef AUDIT_AUDIT_TEST_UTIL_H
#define AUDIT_AUDIT_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/checkpoint.h"
#include "core/log.h"

#include <pthread.h>

enum { TEST_ARENA_BYTES = 64 << 20, TEST_LOG_BYTES = 65536 };

/** A fresh folder with the path of a trail in it, and a log that is kept. */
typedef struct {
    arena_t *a, *scratch;
    char folder[64], path[96], other[96];
    log_t log;
    pthread_mutex_t lock; /* of the two below */
    char logged[TEST_LOG_BYTES];
    size_t n_logged;
} trail_t;

int trail_setup(void **state);
int trail_teardown(void **state);
#define TRAIL_TEST(fn) cmocka_unit_test_setup_teardown(fn, trail_setup, trail_teardown)

bool trail_logged(const trail_t *t, str_t part);
/** The whole file; empty when it is not there. */
str_t trail_read(trail_t *t, const char *path);
void trail_write(const char *path, str_t bytes);
void trail_add(const char *path, str_t bytes);
/** Checks files in order (n of them). */
audit_chain_t trail_check(trail_t *t, const char *const *paths, size_t n,
                          const audit_head_t *expect);
/** The fault of the trail at t->path. */
audit_chain_t trail_check_one(trail_t *t);
/** `n` lines of a chain that begins with an all-zero name; their time is fixed. */
str_t trail_lines(arena_t *a, size_t n);
size_t trail_count(str_t text, char c);
/** A signer with a new key of `alg`, and a set with its public half. */
audit_signer_t trail_signer(trail_t *t, alg_t alg, jwks_t *keys);
/** The rotated files of the trail and the one in use, oldest first: *n of them. */
const char **trail_files(trail_t *t, size_t *n);

#define assert_str(a, b)                                                                           \
    do {                                                                                           \
        str_t left_ = (a), right_ = (b);                                                           \
        if (!str_eq(left_, right_))                                                                \
            fail_msg("'%" PRIstr "' is not '%" PRIstr "'", STR_ARG(left_), STR_ARG(right_));       \
    } while (0)

#endif
