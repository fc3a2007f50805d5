/* The driver against a real server: many calls at once, locks that are held, connections that are
 * killed under way, a server that lets nobody in. WARDER_POSTGRES_ROUNDS says how often connections
 * are killed. */
#include "store/postgres_test_util.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PLAY(name)                                                                                 \
    pg_play_t *name = *state;                                                                      \
    if (!name)                                                                                     \
    skip()

enum { KILLS = 20, CALLS = 2000 };

/* One call under way. */
typedef struct {
    char name[32];
    family_t family;
    refresh_t refresh;
    spent_t spent;
    effects_t effects;
    test_result_t result;
} call_t;

static int64_t now_ms(void)
{
    return clock_micros() / 1000;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000l}, NULL);
}

static hash_t numbered(const char *what, int i)
{
    char name[32];
    snprintf(name, sizeof name, "%s-%d", what, i);
    return test_hash(name);
}

/* A grant of its own, and a name that is counted when it is spent. */
static void issue(pg_play_t *p, store_conn_t *conn, call_t *c, int i)
{
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "call-%d", i);
    c->family = test_family(str_c(c->name));
    c->refresh = test_refresh(c->name, c->family.id);
    c->spent = (spent_t){numbered("spent", i), TEST_NOW + 60};
    effects_add(&c->effects, EFFECT_FAMILY_INSERT, TEST_NOW)->u.family = &c->family;
    effects_add(&c->effects, EFFECT_REFRESH_INSERT, TEST_NOW)->u.refresh = &c->refresh;
    effect_t *e = effects_add(&c->effects, EFFECT_SPEND, TEST_NOW);
    e->u.spent = &c->spent;
    e->quota.max_rows = 10000000;
    store_apply(conn, &c->effects, test_done, &c->result);
    (void)p;
}

static void spend(store_conn_t *conn, call_t *c, int i)
{
    memset(c, 0, sizeof *c);
    c->spent = (spent_t){numbered("raced", i), TEST_NOW + 60};
    effect_t *e = effects_add(&c->effects, EFFECT_SPEND, TEST_NOW);
    e->u.spent = &c->spent;
    e->quota.max_rows = 10000000;
    store_apply(conn, &c->effects, test_done, &c->result);
}

static void await(play_t *p, const call_t *c)
{
    while (!c->result.done)
        test_loop_step(&p->loop);
}

static store_health_t health(const pg_play_t *p)
{
    store_health_t h;
    store_health(p->play.store, &h);
    return h;
}

static void await_up(const pg_play_t *p, uint32_t connections)
{
    int64_t until = now_ms() + 10000;
    while (health(p).connections < connections && now_ms() < until)
        pause_ms(5);
    assert_int_equal(health(p).connections, connections);
}

/* What was counted is what is there: nothing was done twice, nothing in part. */
static void check_counts(pg_play_t *p)
{
    assert_int_equal(pg_say(p->admin, "SELECT 1"), 1);
    char own[1024];
    pg_with(own, sizeof own, p->admin, "dbname", p->name);
    assert_int_equal(pg_say(own, "SELECT count(*) - (SELECT sum(value) FROM quota WHERE "
                                 "name='spent') FROM spent"),
                     0);
    assert_int_equal(pg_say(own, "SELECT (SELECT count(*) FROM family) - count(*) FROM refresh"),
                     0);
}

static void a_call_is_answered(void **state)
{
    PLAY(p);
    family_t f = test_family(STR("f"));
    put_family(&p->play, &f);
    const family_t *got = get_family(&p->play, STR("f"));
    assert_non_null(got);
    assert_str(got->id, STR("f"));
    assert_null(get_family(&p->play, STR("g")));
}

static void thousands_of_calls_at_once_are_all_answered(void **state)
{
    PLAY(p);
    call_t *calls = calloc(CALLS, sizeof *calls);
    for (int i = 0; i < CALLS; i++)
        issue(p, p->play.conn, &calls[i], i);
    for (int i = 0; i < CALLS; i++) {
        await(&p->play, &calls[i]);
        assert_int_equal(calls[i].result.rc, RC_OK);
    }
    assert_int_equal(health(p).waiting, 0);
    check_counts(p);
    assert_non_null(get_refresh(&p->play, calls[CALLS - 1].name));
    free(calls);
}

/* Kills the connections of the store, all at once, again and again. */
typedef struct {
    pg_play_t *p;
    int rounds;
    atomic_bool done;
} killer_t;

static void kill_connections(const pg_play_t *p)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname='%s' "
             "AND pid<>pg_backend_pid()",
             p->name);
    pg_say(p->admin, sql);
}

static void *kill_again_and_again(void *arg)
{
    killer_t *k = arg;
    for (int i = 0; i < k->rounds; i++) {
        pause_ms(40 + i % 7 * 20);
        kill_connections(k->p);
    }
    atomic_store(&k->done, true);
    return NULL;
}

static int kills_wanted(void)
{
    const char *text = getenv("WARDER_POSTGRES_ROUNDS");
    int n = text ? atoi(text) : KILLS;
    return n > 0 ? n : KILLS;
}

/* What was said of a call is so. */
static void check_call(pg_play_t *p, const call_t *c, int *unknown)
{
    const refresh_t *there = get_refresh(&p->play, c->name);
    const family_t *family = get_family(&p->play, c->family.id);
    /* Nobody else has these names: a conflict would be with itself. */
    assert_int_not_equal(c->result.rc, RC_CONFLICT);
    assert_int_equal(there != NULL, family != NULL);
    if (c->result.rc == RC_OK)
        assert_non_null(there);
    *unknown += c->result.rc != RC_OK;
    arena_reset(p->play.a);
}

static void killed_connections_lose_and_double_nothing(void **state)
{
    PLAY(p);
    enum { AT_ONCE = 32, MOST = 400000 };
    killer_t killer = {.p = p, .rounds = kills_wanted()};
    call_t *calls = calloc(MOST, sizeof *calls);
    pthread_t thread;
    int n = 0, unknown = 0;
    assert_int_equal(pthread_create(&thread, NULL, kill_again_and_again, &killer), 0);
    while (!atomic_load(&killer.done) && n + AT_ONCE <= MOST) {
        for (int i = 0; i < AT_ONCE; i++)
            issue(p, p->play.conn, &calls[n + i], n + i);
        for (int i = 0; i < AT_ONCE; i++)
            await(&p->play, &calls[n + i]);
        n += AT_ONCE;
    }
    pthread_join(thread, NULL);
    await_up(p, p->connections);
    for (int i = 0; i < n; i++)
        check_call(p, &calls[i], &unknown);
    check_counts(p);
    store_health_t h = health(p);
    print_message("%d kills, %d calls, %d of them failed; %d sent again, %d unsure\n",
                  killer.rounds, n, unknown, (int)h.retries, (int)h.unsure);
    assert_true(h.reconnects > 0);
    free(calls);
}

static void of_two_stores_that_race_one_wins(void **state)
{
    PLAY(p);
    enum { RACES = 300 };
    store_t *other;
    str_t why;
    test_loop_t loop;
    test_loop_init(&loop);
    assert_int_equal(pg_play_open_to(p, p->conninfo, &other, &why), RC_OK);
    store_conn_t *conn = play_connect(other, &loop);
    call_t *mine = calloc(RACES, sizeof *mine), *theirs = calloc(RACES, sizeof *theirs);
    for (int i = 0; i < RACES; i++) {
        spend(p->play.conn, &mine[i], i);
        spend(conn, &theirs[i], i);
    }
    for (int i = 0; i < RACES; i++) {
        await(&p->play, &mine[i]);
        while (!theirs[i].result.done)
            test_loop_step(&loop);
        assert_int_equal((mine[i].result.rc == RC_OK) + (theirs[i].result.rc == RC_OK), 1);
        assert_int_equal((mine[i].result.rc == RC_CONFLICT) + (theirs[i].result.rc == RC_CONFLICT),
                         1);
    }
    check_counts(p);
    store_disconnect(conn);
    store_close(other);
    test_loop_free(&loop);
    free(mine);
    free(theirs);
}

static void closing_waits_for_what_is_under_way(void **state)
{
    PLAY(p);
    enum { BUSY = 500 };
    call_t *calls = calloc(BUSY, sizeof *calls);
    for (int i = 0; i < BUSY; i++)
        issue(p, p->play.conn, &calls[i], i);
    pg_play_close(p);
    for (int i = 0; i < BUSY; i++) {
        await(&p->play, &calls[i]);
        assert_int_equal(calls[i].result.rc, RC_OK);
    }
    pg_play_open(p);
    check_counts(p);
    assert_non_null(get_refresh(&p->play, calls[BUSY - 1].name));
    free(calls);
}

static void calls_of_a_loop_that_is_gone_are_carried_out_and_forgotten(void **state)
{
    PLAY(p);
    call_t c;
    pthread_mutex_lock(&p->play.loop.lock);
    p->play.loop.gone = true;
    pthread_mutex_unlock(&p->play.loop.lock);
    issue(p, p->play.conn, &c, 1);
    pg_play_close(p);
    assert_false(c.result.done);
    p->play.loop.gone = false;
    pg_play_open(p);
    assert_non_null(get_refresh(&p->play, c.name));
}

/* A lock that another program holds. */
static PGconn *hold_lock(const pg_play_t *p, const char *sql)
{
    char own[1024];
    pg_with(own, sizeof own, p->admin, "dbname", p->name);
    PGconn *pg = PQconnectdb(own);
    assert_int_equal(PQstatus(pg), CONNECTION_OK);
    PQclear(PQexec(pg, "BEGIN"));
    PGresult *r = PQexec(pg, sql);
    assert_int_equal(PQresultStatus(r), PGRES_TUPLES_OK);
    PQclear(r);
    return pg;
}

static void what_waits_for_a_lock_ends_in_time_and_holds_up_nobody(void **state)
{
    PLAY(p);
    call_t late;
    pg_play_close(p);
    p->wait_ms = 1000;
    pg_play_open(p);
    await_up(p, p->connections);
    PGconn *holder = hold_lock(p, "SELECT value FROM quota WHERE name='spent' FOR UPDATE");
    uint64_t reconnects = health(p).reconnects;
    int64_t begin = now_ms();
    spend(p->play.conn, &late, 1);
    pause_ms(100);
    for (int i = 0; i < 20; i++)
        get_family(&p->play, STR("f"));
    assert_true(now_ms() - begin < 500);
    assert_false(late.result.done);
    await(&p->play, &late);
    assert_int_equal(late.result.rc, RC_IO);
    assert_true(now_ms() - begin < p->wait_ms + 200);
    PQfinish(holder);
    pause_ms(50);
    /* It was undone, and its connection is still the same. */
    assert_int_equal(health(p).unsure, 0);
    assert_int_equal(health(p).reconnects, reconnects);
    check_counts(p);
}

/* Writes two rows in one transaction, again and again. */
typedef struct {
    pg_play_t *p;
    atomic_bool stop;
} pair_t;

static void *touch_pairs(void *arg)
{
    pair_t *pair = arg;
    test_loop_t *loop = calloc(1, sizeof *loop);
    test_loop_init(loop);
    store_conn_t *conn = play_connect(pair->p->play.store, loop);
    session_t a = test_session("a", STR("u")), b = test_session("b", STR("u"));
    for (int64_t at = TEST_NOW; !atomic_load(&pair->stop); at++) {
        effects_t effects = {.n = 0};
        test_result_t result = {0};
        a.seen_at = b.seen_at = at;
        effects_add(&effects, EFFECT_SESSION_TOUCH, at)->u.session = &a;
        effects_add(&effects, EFFECT_SESSION_TOUCH, at)->u.session = &b;
        store_apply(conn, &effects, test_done, &result);
        while (!result.done)
            test_loop_step(loop);
    }
    store_disconnect(conn);
    test_loop_free(loop);
    free(loop);
    return NULL;
}

static void all_questions_of_a_call_see_one_moment(void **state)
{
    PLAY(p);
    pair_t pair = {.p = p};
    pthread_t thread;
    session_t a = test_session("a", STR("u")), b = test_session("b", STR("u"));
    int64_t first = 0, last = 0;
    put_session(&p->play, &a);
    put_session(&p->play, &b);
    await_up(p, p->connections);
    assert_int_equal(pthread_create(&thread, NULL, touch_pairs, &pair), 0);
    for (int i = 0; i < 400; i++) {
        ask_t asks[] = {{.kind = ASK_SESSION, .hash = test_hash("a")},
                        {.kind = ASK_SESSION, .hash = test_hash("b")}};
        assert_int_equal(play_ask_all(&p->play, asks, 2), RC_OK);
        last = asks[0].u.session->seen_at;
        first = i == 0 ? last : first;
        if (last != asks[1].u.session->seen_at)
            fail_msg("one saw %lld, the other %lld", (long long)last,
                     (long long)asks[1].u.session->seen_at);
    }
    atomic_store(&pair.stop, true);
    pthread_join(thread, NULL);
    assert_true(last > first); /* something was written beside */
}

static void let_in(const pg_play_t *p, const char *whether)
{
    char sql[128];
    snprintf(sql, sizeof sql, "ALTER DATABASE %s ALLOW_CONNECTIONS %s", p->name, whether);
    pg_say(p->admin, sql);
}

static void without_a_server_calls_fail_at_once_until_it_is_back(void **state)
{
    PLAY(p);
    call_t c;
    let_in(p, "false");
    kill_connections(p);
    int64_t until = now_ms() + 5000;
    while (health(p).up && now_ms() < until)
        pause_ms(1);
    int64_t begin = now_ms();
    spend(p->play.conn, &c, 1);
    assert_true(c.result.done);
    assert_int_equal(c.result.rc, RC_IO);
    assert_true(now_ms() - begin < 50);
    pause_ms(1500); /* so that its pauses have grown */
    let_in(p, "true");
    begin = now_ms();
    while (!health(p).up && now_ms() < begin + 10000)
        pause_ms(1);
    print_message("back after %d ms\n", (int)(now_ms() - begin));
    assert_true(now_ms() - begin < 2000);
    spend(p->play.conn, &c, 2);
    await(&p->play, &c);
    assert_int_equal(c.result.rc, RC_OK);
}

static void a_change_of_keys_shows_in_other_processes_in_time(void **state)
{
    PLAY(p);
    store_t *other;
    str_t why;
    test_loop_t loop;
    test_loop_init(&loop);
    assert_int_equal(pg_play_open_to(p, p->conninfo, &other, &why), RC_OK);
    store_conn_t *conn = play_connect(other, &loop);
    resource_t r = {.uri = STR("r")};
    uint64_t before = store_generation(conn), mine = store_generation(p->play.conn);
    play_add(&p->play, EFFECT_RESOURCE_PUT)->u.resource = &r;
    assert_applied(&p->play);
    assert_true(store_generation(p->play.conn) > mine);
    int64_t begin = now_ms();
    while (store_generation(conn) == before && now_ms() < begin + 5000)
        pause_ms(1);
    print_message("seen after %d ms\n", (int)(now_ms() - begin));
    assert_true(now_ms() - begin < 4 * STORE_GENERATION_MS);
    assert_int_equal(store_generation(conn), store_generation(p->play.conn));
    store_disconnect(conn);
    store_close(other);
    test_loop_free(&loop);
}

static void a_database_that_is_not_there_is_named_so(void **state)
{
    PLAY(p);
    char conninfo[1024];
    store_t *store;
    str_t why = STR_UNSET;
    pg_with(conninfo, sizeof conninfo, p->admin, "dbname", "warder_nobody_made");
    assert_int_not_equal(pg_play_open_to(p, conninfo, &store, &why), RC_OK);
    assert_true(str_starts(why, STR("the database does not exist")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SERVER(a_call_is_answered),
        ON_PROXY(a_call_is_answered),
        ON_SERVER(thousands_of_calls_at_once_are_all_answered),
        ON_PROXY(thousands_of_calls_at_once_are_all_answered),
        ON_SERVER(killed_connections_lose_and_double_nothing),
        ON_PROXY(killed_connections_lose_and_double_nothing),
        ON_SERVER(of_two_stores_that_race_one_wins),
        ON_PROXY(of_two_stores_that_race_one_wins),
        ON_SERVER(all_questions_of_a_call_see_one_moment),
        ON_PROXY(all_questions_of_a_call_see_one_moment),
        ON_SERVER(closing_waits_for_what_is_under_way),
        ON_SERVER(calls_of_a_loop_that_is_gone_are_carried_out_and_forgotten),
        ON_SERVER(what_waits_for_a_lock_ends_in_time_and_holds_up_nobody),
        ON_PROXY(what_waits_for_a_lock_ends_in_time_and_holds_up_nobody),
        ON_SERVER(without_a_server_calls_fail_at_once_until_it_is_back),
        ON_SERVER(a_change_of_keys_shows_in_other_processes_in_time),
        ON_SERVER(a_database_that_is_not_there_is_named_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
