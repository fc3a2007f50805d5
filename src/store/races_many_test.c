/* Sixty-four callers at once, in one process and in two, who redeem one code, rotate one refresh
 * token and spend one name: of each, exactly one wins, in every round. WARDER_RACE_ROUNDS says how
 * many rounds. */
#include "store/store_test_util.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CALLERS = 64,
    THREADS = 8,
    AT_ONCE = CALLERS / THREADS,
    ROUNDS = 40,
    ROUNDS_SERVED = 5,
    ROUNDS_MAX = 5000
};

typedef enum { REDEEM, ROTATE, SPEND, RACES } race_t;

/* What the processes share. */
typedef struct {
    pthread_barrier_t start;
    int rounds;
    atomic_int wins[RACES][ROUNDS_MAX];
    atomic_int losses[RACES][ROUNDS_MAX];
    atomic_int failures; /* anything but a win or a conflict */
} shared_t;

typedef struct {
    shared_t *shared;
    store_t *store;
    int index; /* of THREADS */
} thread_t;

/* One caller's decision. */
typedef struct {
    char name[32];
    hash_t code;
    family_t family;
    refresh_t refresh, old;
    spent_t spent;
    effects_t effects;
    test_result_t result;
} caller_t;

static int rounds_wanted(const play_t *p)
{
    const char *text = getenv("WARDER_RACE_ROUNDS");
    const int usual = p->conninfo ? ROUNDS_SERVED : ROUNDS;
    int n = text ? atoi(text) : usual;
    return n > 0 && n <= ROUNDS_MAX ? n : usual;
}

static hash_t hash_of_round(const char *what, int round)
{
    char name[32];
    snprintf(name, sizeof name, "%s-%d", what, round);
    return test_hash(name);
}

static effect_t *add(caller_t *c, effect_kind_t kind)
{
    return effects_add(&c->effects, kind, TEST_NOW);
}

/* What the token endpoint asks of the store for a code. */
static void redeem(caller_t *c, int round)
{
    c->code = hash_of_round("code", round);
    c->family = test_family(str_c(c->name));
    c->refresh = test_refresh(c->name, c->family.id);
    add(c, EFFECT_CODE_CONSUME)->u.hash = &c->code;
    add(c, EFFECT_FAMILY_INSERT)->u.family = &c->family;
    add(c, EFFECT_REFRESH_INSERT)->u.refresh = &c->refresh;
}

static void rotate(caller_t *c, int round)
{
    c->old = test_refresh("shared", STR("family"));
    c->old.uses = (uint32_t)round;
    c->refresh = test_refresh(c->name, STR("family"));
    add(c, EFFECT_REFRESH_ROTATE)->u.refresh = &c->old;
    add(c, EFFECT_REFRESH_INSERT)->u.refresh = &c->refresh;
}

static void spend(caller_t *c, int round)
{
    c->spent = (spent_t){hash_of_round("spent", round), TEST_NOW + 60};
    effect_t *e = add(c, EFFECT_SPEND);
    e->u.spent = &c->spent;
    e->quota.max_rows = 1000000;
}

static void (*const PREPARE[RACES])(caller_t *c, int round) = {redeem, rotate, spend};

static void count(shared_t *shared, race_t race, int round, rc_t rc)
{
    if (rc == RC_OK)
        atomic_fetch_add(&shared->wins[race][round], 1);
    else if (rc == RC_CONFLICT)
        atomic_fetch_add(&shared->losses[race][round], 1);
    else
        atomic_fetch_add(&shared->failures, 1);
}

/* All of this thread's callers at once, when all threads are ready. */
static void race(thread_t *t, store_conn_t *conn, test_loop_t *loop, race_t race, int round)
{
    caller_t callers[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++) {
        caller_t *c = &callers[i];
        c->effects.n = 0;
        c->result.done = false;
        snprintf(c->name, sizeof c->name, "%d-%d-%d", (int)race, round, t->index * AT_ONCE + i);
        PREPARE[race](c, round);
    }
    pthread_barrier_wait(&t->shared->start);
    for (int i = 0; i < AT_ONCE; i++)
        store_apply(conn, &callers[i].effects, test_done, &callers[i].result);
    for (int i = 0; i < AT_ONCE; i++) {
        while (!callers[i].result.done)
            test_loop_step(loop);
        count(t->shared, race, round, callers[i].result.rc);
    }
}

static void *run_thread(void *arg)
{
    thread_t *t = arg;
    test_loop_t *loop = malloc(sizeof *loop);
    test_loop_init(loop);
    store_conn_t *conn = play_connect(t->store, loop);
    for (int round = 0; round < t->shared->rounds; round++) {
        for (int what = 0; what < RACES; what++)
            race(t, conn, loop, (race_t)what, round);
    }
    store_disconnect(conn);
    test_loop_free(loop);
    free(loop);
    return NULL;
}

/* Threads number `first` to `first + n - 1`, on one store. */
static void run_threads(shared_t *shared, store_t *store, int first, int n)
{
    pthread_t threads[THREADS];
    thread_t args[THREADS];
    for (int i = 0; i < n; i++) {
        args[i] = (thread_t){shared, store, first + i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_thread, &args[i]), 0);
    }
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static shared_t *share(const play_t *p)
{
    shared_t *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t attr;
    assert_true(shared != MAP_FAILED);
    shared->rounds = rounds_wanted(p);
    assert_int_equal(pthread_barrierattr_init(&attr), 0);
    assert_int_equal(pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED), 0);
    assert_int_equal(pthread_barrier_init(&shared->start, &attr, THREADS), 0);
    pthread_barrierattr_destroy(&attr);
    return shared;
}

static void put_what_is_raced_for(play_t *p, int rounds)
{
    family_t f = test_family(STR("family"));
    refresh_t old = test_refresh("shared", f.id);
    put_family(p, &f);
    put_refresh(p, &old);
    for (int round = 0; round < rounds;) {
        code_t codes[EFFECTS_MAX];
        for (int i = 0; i < EFFECTS_MAX && round < rounds; i++, round++) {
            codes[i] = test_code("", STR("f"));
            codes[i].id = hash_of_round("code", round);
            play_add(p, EFFECT_CODE_INSERT)->u.code = &codes[i];
        }
        assert_applied(p);
    }
}

/* The rows that are left of a round: the winner's. */
static void check_rows(play_t *p, int round)
{
    int families = 0, successors = 0;
    for (int i = 0; i < CALLERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d-%d-%d", REDEEM, round, i);
        bool redeemed = get_family(p, str_c(name)) != NULL;
        assert_int_equal(get_refresh(p, name) != NULL, redeemed);
        families += redeemed;
        snprintf(name, sizeof name, "%d-%d-%d", ROTATE, round, i);
        successors += get_refresh(p, name) != NULL;
    }
    assert_int_equal(families, 1);
    assert_int_equal(successors, 1);
}

static void check(play_t *p, shared_t *shared)
{
    int wins = 0, losses = 0;
    assert_int_equal(atomic_load(&shared->failures), 0);
    for (int round = 0; round < shared->rounds; round++) {
        for (int what = 0; what < RACES; what++) {
            assert_int_equal(atomic_load(&shared->wins[what][round]), 1);
            assert_int_equal(atomic_load(&shared->losses[what][round]), CALLERS - 1);
            wins += atomic_load(&shared->wins[what][round]);
            losses += atomic_load(&shared->losses[what][round]);
        }
        check_rows(p, round);
        arena_reset(p->a);
    }
    assert_int_equal(get_refresh(p, "shared")->uses, shared->rounds);
    print_message("%d rounds, %d winners, %d conflicts\n", shared->rounds, wins, losses);
    pthread_barrier_destroy(&shared->start);
    munmap(shared, sizeof *shared);
}

static void exactly_one_of_sixty_four_wins(void **state)
{
    play_t *p = *state;
    shared_t *shared = share(p);
    put_what_is_raced_for(p, shared->rounds);
    run_threads(shared, p->store, 0, THREADS);
    check(p, shared);
}

/* The other process: half of the threads, on a store of its own. */
static void race_as_child(const play_t *p, shared_t *shared)
{
    play_t child;
    play_twin(p, &child);
    play_open(&child);
    run_threads(shared, child.store, THREADS / 2, THREADS / 2);
    play_close(&child);
    _exit(0);
}

static void exactly_one_of_sixty_four_wins_across_two_processes(void **state)
{
    play_t *p = *state;
    shared_t *shared = share(p);
    int status;
    put_what_is_raced_for(p, shared->rounds);
    play_close(p);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        race_as_child(p, shared);
    play_open(p);
    run_threads(shared, p->store, 0, THREADS / 2);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check(p, shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(exactly_one_of_sixty_four_wins),
        ON_SHARED_STORES(exactly_one_of_sixty_four_wins_across_two_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
