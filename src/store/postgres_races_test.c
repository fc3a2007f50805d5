/* Jobs of many nodes at the same moment, each on a connection of its own: what must be one winner,
 * and what must add up. WARDER_TEST_ROUNDS says how often; 10 by default. */
#include "store/postgres_test_run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { RACERS = 8 };

/* One of those who race. */
typedef struct {
    PGconn *pg;
    effects_t effects;
    rc_t rc;
    size_t failed;
    pthread_barrier_t *start;
} racer_t;

typedef struct {
    PGconn *pg; /* beside the race */
    arena_t *a;
    racer_t v[RACERS];
} race_t;

static int rounds(void)
{
    const char *text = getenv("WARDER_TEST_ROUNDS");
    return text ? atoi(text) : 10;
}

static int begin(void **state)
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

static int end(void **state)
{
    race_t *r = *state;
    PQfinish(r->pg);
    for (int i = 0; i < RACERS; i++)
        PQfinish(r->v[i].pg);
    arena_free(r->a);
    free(r);
    return 0;
}

static race_t *ready(void **state)
{
    race_t *r = *state;
    if (!r->pg)
        skip();
    return r;
}

static effect_t *add(racer_t *racer, effect_kind_t kind)
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
static int race(race_t *r, unsigned n)
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
static void assert_one_wins(race_t *r)
{
    assert_int_equal(race(r, RACERS), 1);
    for (int i = 0; i < RACERS; i++)
        assert_true(r->v[i].rc == RC_OK || r->v[i].rc == RC_CONFLICT);
}

static void apply_first(race_t *r)
{
    racer_t *first = &r->v[0];
    assert_int_equal(pg_test_apply(r->pg, &first->effects, &first->failed), RC_OK);
    first->effects.n = 0;
}

static str_t named(race_t *r, const char *what, int round, int i)
{
    return arena_printf(r->a, "%s-%d-%d", what, round, i);
}

static void one_first_user(void **state)
{
    race_t *r = ready(state);
    for (int round = 0; round < rounds(); round++) {
        user_t users[RACERS];
        pg_test_sql(r->pg, "DELETE FROM \"user\"");
        for (int i = 0; i < RACERS; i++) {
            users[i] = test_user(named(r, "u", round, i), named(r, "name", round, i));
            add(&r->v[i], EFFECT_USER_INSERT_FIRST)->u.user = &users[i];
        }
        assert_one_wins(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM \"user\""), 1);
    }
}

static void one_current_key_of_a_use(void **state)
{
    race_t *r = ready(state);
    for (int round = 0; round < rounds(); round++) {
        key_record_t keys[RACERS];
        pg_test_sql(r->pg, "DELETE FROM key");
        for (int i = 0; i < RACERS; i++) {
            keys[i] = (key_record_t){.kid = named(r, "k", round, i), .state = KEY_CURRENT};
            add(&r->v[i], EFFECT_KEY_PUT)->u.key_record = &keys[i];
        }
        assert_one_wins(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM key WHERE state=1"), 1);
    }
    assert_int_equal(pg_test_sql(r->pg, "SELECT value FROM meta WHERE name='generation'"),
                     1 + rounds());
}

static void keys_are_replaced_once(void **state)
{
    race_t *r = ready(state);
    key_record_t was = {.kid = STR("old"), .state = KEY_CURRENT}, becomes[RACERS];
    key_change_t changes[RACERS];
    for (int round = 0; round < rounds(); round++) {
        pg_test_sql(r->pg, "DELETE FROM key");
        add(&r->v[0], EFFECT_KEY_PUT)->u.key_record = &was;
        apply_first(r);
        for (int i = 0; i < RACERS; i++) {
            becomes[i] = (key_record_t){.kid = named(r, "k", round, i), .state = KEY_CURRENT};
            changes[i] = (key_change_t){&was, 1, &becomes[i], 1};
            add(&r->v[i], EFFECT_KEYS_REPLACE)->u.key_change = &changes[i];
        }
        assert_one_wins(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM key"), 1);
    }
}

static void one_device_of_a_user_code(void **state)
{
    race_t *r = ready(state);
    for (int round = 0; round < rounds(); round++) {
        device_t devices[RACERS], ended = test_device("ended", STR("WDJBMJHT"));
        pg_test_sql(r->pg, "DELETE FROM device");
        ended.expires_at = TEST_NOW - 1;
        add(&r->v[0], EFFECT_DEVICE_INSERT)->u.device = &ended;
        apply_first(r);
        for (int i = 0; i < RACERS; i++) {
            devices[i] = test_device(named(r, "d", round, i).p, STR("WDJBMJHT"));
            add(&r->v[i], EFFECT_DEVICE_INSERT)->u.device = &devices[i];
        }
        assert_one_wins(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM device"), 1);
    }
}

static void one_holder_of_a_lease(void **state)
{
    race_t *r = ready(state);
    for (int round = 0; round < rounds(); round++) {
        lease_t leases[RACERS];
        for (int i = 0; i < RACERS; i++) {
            leases[i] = (lease_t){STR("clean"), named(r, "node", round, i), TEST_NOW + round + 1};
            effect_t *e = add(&r->v[i], EFFECT_LEASE_TAKE);
            e->u.lease = &leases[i];
            e->at = TEST_NOW + round;
        }
        assert_one_wins(r);
    }
}

static void one_rotation_and_one_redemption(void **state)
{
    race_t *r = ready(state);
    for (int round = 0; round < rounds(); round++) {
        family_t family = test_family(named(r, "f", round, 0));
        refresh_t parent = test_refresh(named(r, "r", round, 0).p, family.id), next[RACERS];
        add(&r->v[0], EFFECT_FAMILY_INSERT)->u.family = &family;
        add(&r->v[0], EFFECT_REFRESH_INSERT)->u.refresh = &parent;
        apply_first(r);
        for (int i = 0; i < RACERS; i++) {
            next[i] = test_refresh(named(r, "n", round, i).p, family.id);
            add(&r->v[i], EFFECT_REFRESH_ROTATE)->u.refresh = &parent;
            add(&r->v[i], EFFECT_REFRESH_INSERT)->u.refresh = &next[i];
        }
        assert_one_wins(r);
        assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM refresh"), 2 * (round + 1));
    }
}

static void one_spends_a_name(void **state)
{
    race_t *r = ready(state);
    for (int round = 0; round < rounds(); round++) {
        spent_t spent = {test_hash(named(r, "s", round, 0).p), TEST_NOW + 10};
        for (int i = 0; i < RACERS; i++)
            add(&r->v[i], EFFECT_SPEND)->u.spent = &spent;
        assert_one_wins(r);
    }
    assert_int_equal(pg_test_sql(r->pg, "SELECT sum(value) FROM quota WHERE name='spent'"),
                     rounds());
}

/* The same document of a client is put by all who fetched it. */
static void all_may_put_the_same_client(void **state)
{
    race_t *r = ready(state);
    for (int round = 0; round < rounds(); round++) {
        client_t client = test_client(named(r, "c", round, 0));
        client.origin = CLIENT_BY_REGISTRATION;
        for (int i = 0; i < RACERS; i++)
            add(&r->v[i], EFFECT_CLIENT_PUT)->u.client = &client;
        assert_int_equal(race(r, RACERS), RACERS);
    }
    assert_int_equal(pg_test_sql(r->pg, "SELECT sum(value) FROM quota WHERE name='registered'"),
                     rounds());
}

static void quotas_are_passed_by_no_more_than_race(void **state)
{
    enum { QUOTA = 20 };
    race_t *r = ready(state);
    int taken = 0;
    size_t deleted = 0;
    for (int round = 0; round < 10; round++) {
        interaction_t interactions[RACERS];
        for (int i = 0; i < RACERS; i++) {
            interactions[i] = test_interaction(named(r, "i", round, i).p);
            effect_t *e = add(&r->v[i], EFFECT_INTERACTION_INSERT);
            e->u.interaction = &interactions[i];
            e->quota.max_interactions = QUOTA;
        }
        taken += race(r, RACERS);
    }
    assert_in_range(taken, QUOTA, QUOTA + RACERS - 1);
    assert_int_equal(pg_test_sql(r->pg, "SELECT sum(value) FROM quota"), taken);
    assert_int_equal(pg_test_sql(r->pg, "SELECT count(*) FROM interaction"), taken);
    assert_int_equal(pg_test_expire(r->pg, TEST_NOW * 2LL, 100, &deleted), RC_OK);
    assert_int_equal(deleted, taken);
    assert_int_equal(pg_test_sql(r->pg, "SELECT sum(value) FROM quota"), 0);
}

/* Registered, used, made room for, deleted, all at once: the count is that of the rows. */
static void registrations_add_up(void **state)
{
    race_t *r = ready(state);
    for (int round = 0; round < rounds(); round++) {
        client_t clients[RACERS];
        for (int i = 0; i < RACERS; i++) {
            clients[i] = test_client(named(r, "c", round, i));
            clients[i].origin = CLIENT_BY_REGISTRATION;
            effect_t *e = add(&r->v[i], EFFECT_CLIENT_INSERT);
            e->u.client = &clients[i];
            e->quota.max_clients = 12;
            if (i % 4 == 0)
                add(&r->v[i], EFFECT_CLIENT_DELETE)->u.key = clients[i].id;
            if (i % 4 == 1)
                add(&r->v[i], EFFECT_CLIENT_PUT)->u.client = &clients[i];
        }
        assert_int_equal(race(r, RACERS), RACERS);
        assert_int_equal(
            pg_test_sql(r->pg, "SELECT sum(value) FROM quota WHERE name='registered'"),
            pg_test_sql(r->pg, "SELECT count(*) FROM client WHERE origin=1 AND deleted_at=0"));
    }
    assert_true(pg_test_sql(r->pg, "SELECT count(*) FROM client") <= 12 + RACERS);
}

#define RACE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RACE(one_first_user),
        RACE(one_current_key_of_a_use),
        RACE(keys_are_replaced_once),
        RACE(one_device_of_a_user_code),
        RACE(one_holder_of_a_lease),
        RACE(one_rotation_and_one_redemption),
        RACE(one_spends_a_name),
        RACE(all_may_put_the_same_client),
        RACE(quotas_are_passed_by_no_more_than_race),
        RACE(registrations_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
