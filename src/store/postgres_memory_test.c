/* libpq itself fails, as where it has no memory: each of its functions that the pool calls, at its
 * n-th call. Every job is carried out all the same, once, over another connection. */
#include "store/postgres_test_world.h"

#include <dlfcn.h>

typedef enum { SEND_PREPARED, SYNC, FLUSH, CONSUME, START, PREPARE, PIPELINE, CALLS } call_t;

static atomic_int armed[CALLS]; /* how many calls are still good; below 0: all */

static bool fails(call_t call)
{
    return atomic_load(&armed[call]) >= 0 && atomic_fetch_sub(&armed[call], 1) == 0;
}

/* These stand before libpq's own. */

int PQsendQueryPrepared(PGconn *pg, const char *name, int n, const char *const *values,
                        const int *lengths, const int *formats, int format)
{
    int (*real)(PGconn *, const char *, int, const char *const *, const int *, const int *, int) =
        dlsym(RTLD_NEXT, "PQsendQueryPrepared");
    return fails(SEND_PREPARED) ? 0 : real(pg, name, n, values, lengths, formats, format);
}

int PQpipelineSync(PGconn *pg)
{
    int (*real)(PGconn *) = dlsym(RTLD_NEXT, "PQpipelineSync");
    return fails(SYNC) ? 0 : real(pg);
}

int PQflush(PGconn *pg)
{
    int (*real)(PGconn *) = dlsym(RTLD_NEXT, "PQflush");
    return fails(FLUSH) ? -1 : real(pg);
}

int PQconsumeInput(PGconn *pg)
{
    int (*real)(PGconn *) = dlsym(RTLD_NEXT, "PQconsumeInput");
    return fails(CONSUME) ? 0 : real(pg);
}

PGconn *PQconnectStartParams(const char *const *keys, const char *const *values, int expand)
{
    PGconn *(*real)(const char *const *, const char *const *, int) =
        dlsym(RTLD_NEXT, "PQconnectStartParams");
    return fails(START) ? NULL : real(keys, values, expand);
}

int PQsendPrepare(PGconn *pg, const char *name, const char *sql, int n, const Oid *types)
{
    int (*real)(PGconn *, const char *, const char *, int, const Oid *) =
        dlsym(RTLD_NEXT, "PQsendPrepare");
    return fails(PREPARE) ? 0 : real(pg, name, sql, n, types);
}

int PQenterPipelineMode(PGconn *pg)
{
    int (*real)(PGconn *) = dlsym(RTLD_NEXT, "PQenterPipelineMode");
    return fails(PIPELINE) ? 0 : real(pg);
}

static int begin(void **state)
{
    for (int call = 0; call < CALLS; call++)
        atomic_store(&armed[call], -1);
    return world_begin(state);
}

/* Three jobs at once while the call number `n` fails. How many were committed. */
static int three_with(world_t *w, call_t call, int n)
{
    outcome_t outs[3];
    int before = world_commits(w);
    atomic_store(&armed[call], n);
    for (int i = 0; i < 3; i++)
        world_push(w, &outs[i]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(world_await(w, &outs[i]).rc, RC_OK);
    atomic_store(&armed[call], -1);
    world_await_up(w, w->connections);
    return world_commits(w) - before;
}

/* The same, one job after the other. */
static int three_in_turn_with(world_t *w, call_t call, int n)
{
    int before = world_commits(w);
    atomic_store(&armed[call], n);
    for (int i = 0; i < 3; i++)
        assert_int_equal(world_call(w).rc, RC_OK);
    atomic_store(&armed[call], -1);
    world_await_up(w, w->connections);
    return world_commits(w) - before;
}

static void what_is_not_sent_whole_is_sent_again_and_done_once(void **state)
{
    world_t *w = *state;
    w->connections = 2;
    world_open(w);
    for (int n = 0; n < 6; n++)
        assert_int_equal(three_in_turn_with(w, SEND_PREPARED, n), 3);
    for (int n = 0; n < 3; n++)
        assert_int_equal(three_in_turn_with(w, SYNC, n), 3);
    assert_true(world_health(w).reconnects >= 9);
    assert_int_equal(world_health(w).unsure, 0);
}

static void what_cannot_be_flushed_or_read_is_sent_again(void **state)
{
    world_t *w = *state;
    w->connections = 2;
    world_open(w);
    for (int n = 0; n < 4; n++) {
        assert_true(three_with(w, FLUSH, n) >= 3);
        assert_true(three_with(w, CONSUME, n) >= 3);
    }
    assert_true(world_health(w).reconnects >= 4);
}

static void a_connection_that_cannot_be_made_is_tried_again(void **state)
{
    static const call_t STEPS[] = {START, PIPELINE, PREPARE, SYNC};
    world_t *w = *state;
    world_open(w);
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        uint64_t reconnects = world_health(w).reconnects;
        atomic_store(&armed[STEPS[i]], 0);
        fake_cut_all(&w->server);
        world_await_reconnects(w, reconnects + 1, 10000);
        assert_true(atomic_load(&armed[STEPS[i]]) < 0); /* it was met */
        assert_int_equal(world_call(w).rc, RC_OK);
    }
}

static void a_start_without_memory_says_so(void **state)
{
    world_t *w = *state;
    str_t why = STR_UNSET;
    atomic_store(&armed[START], 0);
    assert_int_equal(world_try_open(w, "", &why), RC_IO);
    assert_true(str_contains(why, STR("no memory")));
}

#define WITHOUT_MEMORY(test)                                                                       \
    {                                                                                              \
#test, test, begin, world_end, NULL                                                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITHOUT_MEMORY(what_is_not_sent_whole_is_sent_again_and_done_once),
        WITHOUT_MEMORY(what_cannot_be_flushed_or_read_is_sent_again),
        WITHOUT_MEMORY(a_connection_that_cannot_be_made_is_tried_again),
        WITHOUT_MEMORY(a_start_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
