/* What the tests of jose share: keys, hand-made tokens, files of vectors. */
#ifndef JOSE_JOSE_TEST_UTIL_H
#define JOSE_JOSE_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jose/jws.h"

enum { TEST_ARENA_BYTES = 64 * 1024 * 1024 };

/** The JSON file $WARDER_SHARED/`path`; skips the test when it is not there. */
const json_t *test_shared_json(arena_t *a, const char *path);
/** Bytes of hexadecimal text; set even when empty. */
str_t test_hex(arena_t *a, str_t hex);
/** Fails the test unless `text` is JSON. */
const json_t *test_json(arena_t *a, str_t text);
/** A new private key of `alg` with the kid "k"; freed with the arena. */
jwk_t test_key(arena_t *a, alg_t alg);
/** base64url(header) '.' base64url(payload) '.' signature by `key`, whatever the header says. */
str_t test_token(arena_t *a, const jwk_t *key, str_t header, str_t payload);
/** Setup and teardown of a cmocka test whose state is an arena. */
int test_arena_setup(void **state);
int test_arena_teardown(void **state);
/** The refusal of `text` with `key`, or JWS_FINE. */
jws_refusal_t test_verify(arena_t *a, str_t text, const jwk_t *key);

#define ARENA_TEST(fn) cmocka_unit_test_setup_teardown(fn, test_arena_setup, test_arena_teardown)
#define assert_str(a, b)                                                                           \
    do {                                                                                           \
        str_t left_ = (a), right_ = (b);                                                           \
        assert_int_equal(left_.n, right_.n);                                                       \
        assert_memory_equal(left_.p, right_.p, left_.n);                                           \
    } while (0)

#endif
