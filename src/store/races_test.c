/* Callers who race: of many who redeem one code or rotate one token, exactly one wins. */
#include "store/store_test_util.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, ROUNDS = 40 };

typedef struct {
    store_t *store;
    pthread_barrier_t *start;
    int index;
    int wins[2];
    bool failed; /* cmocka's asserts belong to the main thread */
} racer_t;

static rc_t apply_and_wait(store_conn_t *conn, test_loop_t *loop, const effects_t *effects)
{
    test_result_t r = {0};
    store_apply(conn, effects, test_done, &r);
    while (!r.done)
        test_loop_step(loop);
    return r.rc;
}

static void name_round(char *out, size_t size, const char *what, int round, int index)
{
    snprintf(out, size, "%s-%d-%d", what, round, index);
}

/* What the token endpoint asks of the store for a code. */
static rc_t redeem(store_conn_t *conn, test_loop_t *loop, int round, int index)
{
    char code[48], family_id[48], refresh_id[48];
    name_round(code, sizeof code, "code", round, 0);
    name_round(family_id, sizeof family_id, "family", round, index);
    name_round(refresh_id, sizeof refresh_id, "refresh", round, index);
    hash_t hash = test_hash(code);
    family_t f = test_family(str_c(family_id));
    refresh_t r = test_refresh(refresh_id, f.id);
    effects_t effects = {0};
    effects_add(&effects, EFFECT_FAMILY_INSERT, TEST_NOW)->u.family = &f;
    effects_add(&effects, EFFECT_REFRESH_INSERT, TEST_NOW)->u.refresh = &r;
    effects_add(&effects, EFFECT_CODE_CONSUME, TEST_NOW)->u.hash = &hash;
    return apply_and_wait(conn, loop, &effects);
}

static rc_t rotate(store_conn_t *conn, test_loop_t *loop, int round, int index)
{
    char successor_id[48];
    name_round(successor_id, sizeof successor_id, "successor", round, index);
    refresh_t old = test_refresh("shared", STR("family"));
    refresh_t successor = test_refresh(successor_id, STR("family"));
    old.uses = (uint32_t)round;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_REFRESH_INSERT, TEST_NOW)->u.refresh = &successor;
    effects_add(&effects, EFFECT_REFRESH_ROTATE, TEST_NOW)->u.refresh = &old;
    return apply_and_wait(conn, loop, &effects);
}

static void count(racer_t *racer, int what, rc_t rc)
{
    racer->wins[what] += rc == RC_OK;
    racer->failed |= rc != RC_OK && rc != RC_CONFLICT;
}

static void *race(void *arg)
{
    racer_t *racer = arg;
    test_loop_t *loop = malloc(sizeof *loop);
    test_loop_init(loop);
    store_conn_t *conn = play_connect(racer->store, loop);
    arena_t *a = arena_new(1 << 20);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(racer->start);
        count(racer, 0, redeem(conn, loop, round, racer->index));
        /* Nobody reads a half of what another has written. */
        ask_t ask = {.kind = ASK_REFRESH, .hash = test_hash("shared")};
        test_result_t r = {0};
        store_ask(conn, a, &ask, 1, test_done, &r);
        while (!r.done)
            test_loop_step(loop);
        racer->failed |= r.rc != RC_OK || !ask.u.refresh || !ask.family;
        store_generation(conn);
        pthread_barrier_wait(racer->start);
        count(racer, 1, rotate(conn, loop, round, racer->index));
    }
    store_disconnect(conn);
    arena_free(a);
    test_loop_free(loop);
    free(loop);
    return NULL;
}

static void run_race(play_t *p, store_t *const *stores, size_t n_stores)
{
    pthread_barrier_t start;
    pthread_t threads[THREADS];
    racer_t racers[THREADS];
    family_t f = test_family(STR("family"));
    refresh_t shared = test_refresh("shared", f.id);
    put_family(p, &f);
    put_refresh(p, &shared);
    for (int round = 0; round < ROUNDS; round++) {
        char name[48];
        name_round(name, sizeof name, "code", round, 0);
        code_t c = test_code(name, STR("f"));
        put_code(p, &c);
    }
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (racer_t){.store = stores[(size_t)i % n_stores], .start = &start, .index = i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    int wins[2] = {0, 0};
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(racers[i].failed);
        wins[0] += racers[i].wins[0];
        wins[1] += racers[i].wins[1];
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(wins[0], ROUNDS);
    assert_int_equal(wins[1], ROUNDS);
    assert_int_equal(get_refresh(p, "shared")->uses, ROUNDS);
}

static void count_survivors(play_t *p)
{
    for (int round = 0; round < ROUNDS; round++) {
        int families = 0, successors = 0;
        for (int i = 0; i < THREADS; i++) {
            char name[48];
            name_round(name, sizeof name, "family", round, i);
            families += get_family(p, str_c(name)) != NULL;
            name_round(name, sizeof name, "successor", round, i);
            successors += get_refresh(p, name) != NULL;
        }
        assert_int_equal(families, 1);
        assert_int_equal(successors, 1);
    }
}

static void exactly_one_racer_wins(void **state)
{
    play_t *p = *state;
    run_race(p, &p->store, 1);
    count_survivors(p);
}

static void exactly_one_racer_wins_across_two_stores(void **state)
{
    play_t *p = *state;
    const store_config_t config = play_config(p);
    store_t *stores[2] = {p->store, NULL};
    str_t why;
    assert_int_equal(store_open(p->a, &config, &stores[1], &why), RC_OK);
    run_race(p, stores, 2);
    store_close(stores[1]);
    count_survivors(p);
}

/* Two consents that always change together. */
typedef struct {
    play_t *p;
    atomic_bool over;
} pair_t;

static consent_t consent_of(str_t resource, int64_t at)
{
    return (consent_t){
        .user_id = STR("u"), .client_id = STR("c"), .resource = resource, .granted_at = at};
}

static void *change_pairs(void *arg)
{
    pair_t *pair = arg;
    for (int64_t at = 1; at <= 300; at++) {
        consent_t one = consent_of(STR("1"), at), two = consent_of(STR("2"), at);
        play_add(pair->p, EFFECT_CONSENT_PUT)->u.consent = &one;
        play_add(pair->p, EFFECT_CONSENT_PUT)->u.consent = &two;
        if (play_apply(pair->p) != RC_OK)
            break;
    }
    atomic_store(&pair->over, true);
    return NULL;
}

static void questions_of_one_call_see_one_moment(void **state)
{
    play_t *p = *state;
    pair_t pair = {.p = p};
    test_loop_t *loop = malloc(sizeof *loop);
    test_loop_init(loop);
    store_conn_t *conn = play_connect(p->store, loop);
    arena_t *a = arena_new(1 << 20);
    pthread_t thread;
    int64_t last = 0;
    assert_int_equal(pthread_create(&thread, NULL, change_pairs, &pair), 0);
    while (!atomic_load(&pair.over)) {
        ask_t asks[2] = {
            {.kind = ASK_CONSENT, .key = STR("u"), .key2 = STR("c"), .key3 = STR("1")},
            {.kind = ASK_CONSENT, .key = STR("u"), .key2 = STR("c"), .key3 = STR("2")}};
        test_result_t r = {0};
        store_ask(conn, a, asks, 2, test_done, &r);
        while (!r.done)
            test_loop_step(loop);
        assert_int_equal(r.rc, RC_OK);
        int64_t one = asks[0].u.consent ? asks[0].u.consent->granted_at : 0;
        int64_t two = asks[1].u.consent ? asks[1].u.consent->granted_at : 0;
        assert_int_equal(one, two);
        assert_true(one >= last);
        last = one;
        arena_reset(a);
    }
    pthread_join(thread, NULL);
    store_disconnect(conn);
    arena_free(a);
    test_loop_free(loop);
    free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(exactly_one_racer_wins),
        ON_EVERY_STORE(questions_of_one_call_see_one_moment),
        ON_SHARED_STORES(exactly_one_racer_wins_across_two_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
