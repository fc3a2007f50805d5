/* A store of keys that holds the preconditions of model/effect.h, and somebody who plans. */
#ifndef AS_AS_TEST_RING_H
#define AS_AS_TEST_RING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "as/keys.h"
#include "core/limits.h"

enum {
    R_START = 1700000000,
    R_DAY = 86400,
    R_LIFETIME = 600,
    R_SLACK = 2, /* as_keys_plan publishes so much longer than asked */
    R_CACHE_AGE = 300 + R_SLACK,
    R_LEEWAY = 60,
    R_KEYS_MAX = LIMIT_JWKS_KEYS + 8,
};

typedef struct {
    arena_t *a;
    conf_t conf;
    random_fake_t random;
    key_record_t keys[R_KEYS_MAX];
    size_t n;
    as_keys_policy_t policy;
    as_keys_plan_t plan; /* the last one */
} ring_t;

/** An empty ring at R_START, with a rotation of 90 days. */
int ring_setup(void **state);
int ring_teardown(void **state);
#define RING_TEST(fn) cmocka_unit_test_setup_teardown(fn, ring_setup, ring_teardown)

/** Where the key stands; p->n: nowhere. */
size_t ring_find(const ring_t *p, str_t kid);
/** NULL: none. */
const key_record_t *ring_current(const ring_t *p, key_use_t use);
/** Deletes one; RC_CONFLICT where there is none. */
rc_t ring_forget(ring_t *p, str_t kid);
/** All or nothing, as a store does it. */
rc_t ring_apply(ring_t *p, const effects_t *effects);
rc_t ring_plan(ring_t *p);
/** Plans at `now` (seconds) and carries it out; how many effects it took. */
size_t ring_run(ring_t *p, int64_t now);
size_t ring_count(const ring_t *p, key_use_t use, key_state_t state);
/** So many signing keys, and one of each other use. */
void ring_is(const ring_t *p, size_t next, size_t current, size_t retired);
/** The records are what the snapshot takes. */
void ring_loads(ring_t *p);

#endif
