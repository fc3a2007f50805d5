/* Jobs of several nodes at the same moment, each on a connection of its own. */
#ifndef STORE_POSTGRES_TEST_RACE_H
#define STORE_POSTGRES_TEST_RACE_H

#include "store/postgres_test_run.h"

enum { RACERS = 8 };

/* One of those who race. */
typedef struct {
    PGconn *pg;
    effects_t effects; /* of the next race, which empties them */
    rc_t rc;
    size_t failed;
    pthread_barrier_t *start;
} racer_t;

typedef struct {
    PGconn *pg; /* beside the race */
    arena_t *a;
    racer_t v[RACERS];
} race_t;

/** By WARDER_TEST_ROUNDS; 10 by default. */
int race_rounds(void);
/** Setup and teardown of cmocka; *state is a race_t. */
int race_begin(void **state);
int race_end(void **state);
/** The race of a test, which is skipped where there is no server. */
race_t *race_ready(void **state);

effect_t *race_add(racer_t *racer, effect_kind_t kind);
/** Applies what the first n have, all at once; how many were RC_OK. */
int race_run(race_t *r, unsigned n);
/** All apply: one wins, and all others are told that somebody was faster. */
void race_has_one_winner(race_t *r);
/** Applies what the first has, alone; asserts. */
void race_prepare(race_t *r);
/** "WHAT-ROUND-I" */
str_t race_name(race_t *r, const char *what, int round, int i);

#define RACE(test) cmocka_unit_test_setup_teardown(test, race_begin, race_end)

#endif
