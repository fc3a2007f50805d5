#include "store/postgres_test_race.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

int race_rounds(void)
{
    const char *text = getenv("WARDER_TEST_ROUNDS");
    return text ? atoi(text) : 10;
}

int race_begin(void **state)
{
    race_t *r = calloc(1, sizeof *r);
    *state = r;
    r->a = arena_new(256 << 20);
    if (!pg_test_has("WARDER_TEST_POSTGRES"))
        return 0;
    r->pg = pg_test_begin();
    for (int i = 0; i < RACERS; i++)
        r->v[i].pg = pg_test_connect(pg_test_database("WARDER_TEST_POSTGRES"));
    return 0;
}

int race_end(void **state)
{
    race_t *r = *state;
    PQfinish(r->pg);
    for (int i = 0; i < RACERS; i++)
        PQfinish(r->v[i].pg);
    arena_free(r->a);
    free(r);
    return 0;
}

race_t *race_ready(void **state)
{
    race_t *r = *state;
    if (!r->pg)
        skip();
    return r;
}

effect_t *race_add(racer_t *racer, effect_kind_t kind)
{
    return effects_add(&racer->effects, kind, TEST_NOW);
}

static void *run(void *arg)
{
    racer_t *racer = arg;
    pthread_barrier_wait(racer->start);
    racer->rc = pg_test_apply(racer->pg, &racer->effects, &racer->failed);
    return NULL;
}

/* Applies what the first n have, all at once; how many were RC_OK. */
int race_run(race_t *r, unsigned n)
{
    int won = 0;
    pthread_t threads[RACERS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, n);
    for (unsigned i = 0; i < n; i++) {
        r->v[i].start = &start;
        assert_int_equal(pthread_create(&threads[i], NULL, run, &r->v[i]), 0);
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        r->v[i].effects.n = 0;
        won += r->v[i].rc == RC_OK;
    }
    pthread_barrier_destroy(&start);
    return won;
}

/* One wins, and all others are told that somebody was faster. */
void race_has_one_winner(race_t *r)
{
    assert_int_equal(race_run(r, RACERS), 1);
    for (int i = 0; i < RACERS; i++)
        assert_true(r->v[i].rc == RC_OK || r->v[i].rc == RC_CONFLICT);
}

void race_prepare(race_t *r)
{
    racer_t *first = &r->v[0];
    assert_int_equal(pg_test_apply(r->pg, &first->effects, &first->failed), RC_OK);
    first->effects.n = 0;
}

str_t race_name(race_t *r, const char *what, int round, int i)
{
    return arena_printf(r->a, "%s-%d-%d", what, round, i);
}
