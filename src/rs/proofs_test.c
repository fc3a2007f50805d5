#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jose/digest.h"
#include "rs/proofs.h"

#include <pthread.h>
#include <stdatomic.h>

enum { NOW = 1000000, END = NOW + 300 };

static hash_t name(uint64_t i)
{
    hash_t h;
    sha256(str_of(&i, sizeof i), h.b);
    return h;
}

static rc_t spend(rs_proofs_t *p, uint64_t i, int64_t now)
{
    hash_t h = name(i);
    return rs_proofs_spend(p, &h, now, now + END - NOW);
}

static void each_counts_once(void **state)
{
    (void)state;
    rs_proofs_t *p = rs_proofs_new(1000);
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(spend(p, i, NOW), RC_OK);
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(spend(p, i, NOW + 299), RC_CONFLICT);
    assert_int_equal(spend(p, 7, END), RC_OK); /* its time is over: it is refused for its age */
    assert_int_equal(spend(p, 7, END), RC_CONFLICT);
    rs_proofs_free(p);
}

/* Whatever comes when there is no room is refused, and nothing that counts is forgotten. */
static void full_means_refused(void **state)
{
    (void)state;
    bool taken[2000] = {0};
    size_t n = 0;
    rs_proofs_t *p = rs_proofs_new(160);
    for (uint64_t i = 0; i < 2000; i++) {
        rc_t rc = spend(p, i, NOW);
        assert_true(rc == RC_OK || rc == RC_LIMIT);
        taken[i] = rc == RC_OK;
        n += taken[i];
    }
    assert_int_equal(n, 160);
    for (uint64_t i = 0; i < 2000; i++)
        assert_int_equal(spend(p, i, NOW + 1), taken[i] ? RC_CONFLICT : RC_LIMIT);
    rs_proofs_free(p);
}

static void what_has_ended_makes_room(void **state)
{
    (void)state;
    rs_proofs_t *p = rs_proofs_new(160);
    for (int64_t round = 0; round < 50; round++) {
        size_t n = 0;
        for (uint64_t i = 0; i < 1000; i++)
            n += spend(p, (uint64_t)round * 1000 + i, NOW + round * 300) == RC_OK;
        assert_int_equal(n, 160);
    }
    rs_proofs_free(p);
}

static void nothing_fits_into_nothing(void **state)
{
    (void)state;
    rs_proofs_t *p = rs_proofs_new(0);
    assert_int_equal(spend(p, 1, NOW), RC_LIMIT);
    rs_proofs_free(p);
    rs_proofs_free(NULL);
}

enum { THREADS = 8, NAMES = 5000 };

typedef struct {
    rs_proofs_t *p;
    atomic_uint won;
} race_t;

static void *race(void *arg)
{
    race_t *r = arg;
    for (uint64_t i = 0; i < NAMES; i++)
        if (spend(r->p, i, NOW) == RC_OK)
            atomic_fetch_add(&r->won, 1);
    return NULL;
}

static void one_of_many_wins(void **state)
{
    (void)state;
    race_t r = {.p = rs_proofs_new(4 * NAMES)};
    pthread_t t[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, race, &r), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(atomic_load(&r.won), NAMES);
    rs_proofs_free(r.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_counts_once),          cmocka_unit_test(full_means_refused),
        cmocka_unit_test(what_has_ended_makes_room), cmocka_unit_test(nothing_fits_into_nothing),
        cmocka_unit_test(one_of_many_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
