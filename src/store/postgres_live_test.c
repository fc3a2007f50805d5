/* The driver against a real server: many calls at once, locks that are held, two stores over one
 * database, the end. */
#include "store/postgres_test_util.h"

#include "store/upkeep.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { CALLS = 1000 };

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

static void a_thousand_calls_at_once_are_all_answered(void **state)
{
    PLAY(p);
    pg_call_t *calls = calloc(CALLS, sizeof *calls);
    for (int i = 0; i < CALLS; i++)
        pg_issue(p->play.conn, &calls[i], i);
    for (int i = 0; i < CALLS; i++) {
        pg_await(&p->play, &calls[i]);
        assert_int_equal(calls[i].result.rc, RC_OK);
    }
    assert_int_equal(pg_health(p).waiting, 0);
    pg_check_counts(p);
    assert_non_null(get_refresh(&p->play, calls[CALLS - 1].name));
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
    pg_call_t *mine = calloc(RACES, sizeof *mine), *theirs = calloc(RACES, sizeof *theirs);
    for (int i = 0; i < RACES; i++) {
        pg_spend(p->play.conn, &mine[i], i);
        pg_spend(conn, &theirs[i], i);
    }
    for (int i = 0; i < RACES; i++) {
        pg_await(&p->play, &mine[i]);
        while (!theirs[i].result.done)
            test_loop_step(&loop);
        assert_int_equal((mine[i].result.rc == RC_OK) + (theirs[i].result.rc == RC_OK), 1);
        assert_int_equal((mine[i].result.rc == RC_CONFLICT) + (theirs[i].result.rc == RC_CONFLICT),
                         1);
    }
    pg_check_counts(p);
    store_disconnect(conn);
    store_close(other);
    test_loop_free(&loop);
    free(mine);
    free(theirs);
}

static void closing_waits_for_what_is_under_way(void **state)
{
    PLAY(p);
    enum { BUSY = 300 };
    pg_call_t *calls = calloc(BUSY, sizeof *calls);
    for (int i = 0; i < BUSY; i++)
        pg_issue(p->play.conn, &calls[i], i);
    pg_play_close(p);
    for (int i = 0; i < BUSY; i++) {
        pg_await(&p->play, &calls[i]);
        assert_int_equal(calls[i].result.rc, RC_OK);
    }
    pg_play_open(p);
    pg_check_counts(p);
    assert_non_null(get_refresh(&p->play, calls[BUSY - 1].name));
    free(calls);
}

static void calls_of_a_loop_that_is_gone_are_carried_out_and_forgotten(void **state)
{
    PLAY(p);
    pg_call_t c;
    pthread_mutex_lock(&p->play.loop.lock);
    p->play.loop.gone = true;
    pthread_mutex_unlock(&p->play.loop.lock);
    pg_issue(p->play.conn, &c, 1);
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

static void what_waits_for_a_lock_holds_up_nobody(void **state)
{
    PLAY(p);
    pg_call_t late;
    pg_await_up(p, p->connections);
    PGconn *holder = hold_lock(p, "SELECT value FROM quota WHERE name='spent' FOR UPDATE");
    pg_spend(p->play.conn, &late, 1);
    pg_pause_ms(100);
    for (int i = 0; i < 20; i++)
        get_family(&p->play, STR("f"));
    assert_false(late.result.done); /* they were not behind it */
    PQfinish(holder);
    pg_await(&p->play, &late);
    assert_int_equal(late.result.rc, RC_OK);
    pg_check_counts(p);
}

static void what_waits_for_a_lock_ends_in_time(void **state)
{
    PLAY(p);
    pg_call_t late;
    pg_play_close(p);
    p->wait_ms = 3000;
    pg_play_open(p);
    pg_await_up(p, p->connections);
    PGconn *holder = hold_lock(p, "SELECT value FROM quota WHERE name='spent' FOR UPDATE");
    uint64_t reconnects = pg_health(p).reconnects;
    pg_spend(p->play.conn, &late, 1);
    pg_await(&p->play, &late); /* while the lock is held */
    assert_int_equal(late.result.rc, RC_IO);
    PQfinish(holder);
    pg_pause_ms(50);
    /* It was undone, and its connection is still the same. */
    assert_int_equal(pg_health(p).unsure, 0);
    assert_int_equal(pg_health(p).reconnects, reconnects);
    pg_check_counts(p);
}

static uint64_t newest_revocation(pg_play_t *p)
{
    revoked_t r = {
        .kind = REVOKED_TOKEN, .key = STR("j"), .at = TEST_NOW, .expires_at = TEST_NOW + 60};
    ask_t list = {.kind = ASK_REVOCATIONS};
    play_add(&p->play, EFFECT_REVOCATION_PUT)->u.revoked = &r;
    assert_applied(&p->play);
    play_ask(&p->play, &list);
    assert_true(list.count > 0);
    return list.u.revoked[list.count - 1].seq;
}

static uint64_t change_resource(pg_play_t *p)
{
    resource_t r = {.uri = STR("r")};
    play_add(&p->play, EFFECT_RESOURCE_PUT)->u.resource = &r;
    assert_applied(&p->play);
    return store_generation(p->play.conn);
}

/* A standby that takes over may lack what was committed last, and with it the newest numbers: those
 * that it gives then must not be the lost ones again, which caches and followers know. */
static void numbers_that_a_failover_lost_do_not_come_again(void **state)
{
    PLAY(p);
    char own[1024];
    pg_with(own, sizeof own, p->admin, "dbname", p->name);
    uint64_t seq = newest_revocation(p), generation = change_resource(p);
    pg_say(own, "DELETE FROM revoked; UPDATE meta SET value=1 WHERE name IN ('revocation', "
                "'generation')");
    assert_true(newest_revocation(p) > seq);
    assert_true(newest_revocation(p) < (uint64_t)1 << 53);
    assert_true(change_resource(p) > generation);
}

/* Whoever ends all of a person waits for those who make something of the person, and must see it
 * then: with one view for all of a transaction, taken before the wait, it would not. */
static void what_the_database_says_of_isolation_changes_nothing(void **state)
{
    PLAY(p);
    char own[1024], sql[200];
    test_result_t result = {0};
    user_t u = test_user(STR("u"), STR("name"));
    family_t f = test_family(STR("f"));
    f.user_id = u.id;
    f.revoked_at = 0;
    pg_with(own, sizeof own, p->admin, "dbname", p->name);
    put_user(&p->play, &u);
    put_family(&p->play, &f);
    pg_play_close(p);
    snprintf(sql, sizeof sql,
             "ALTER DATABASE %s SET default_transaction_isolation='repeatable read'", p->name);
    pg_say(p->admin, sql);
    pg_kill_connections(p);
    /* A proxy notices that its own are gone when it uses them. */
    str_t why = STR_UNSET;
    for (int i = 0; i < 100 && pg_play_open_to(p, p->conninfo, &p->play.store, &why) != RC_OK; i++)
        pg_pause_ms(50);
    assert_non_null(p->play.store);
    p->play.conn = play_connect(p->play.store, &p->play.loop);
    PGconn *maker = hold_lock(p, "SELECT 1 FROM \"user\" WHERE id='u' FOR SHARE");
    PQclear(PQexec(maker, "CREATE TEMPORARY TABLE late AS SELECT * FROM family; UPDATE late SET "
                          "id='late'; INSERT INTO family SELECT * FROM late"));
    effects_t effects = {.n = 0};
    effects_add(&effects, EFFECT_USER_DISABLE, TEST_NOW)->u.key = u.id;
    store_apply(p->play.conn, &effects, test_done, &result);
    pg_pause_ms(200);
    assert_false(result.done);
    PGresult *r = PQexec(maker, "COMMIT");
    assert_string_equal(PQcmdStatus(r), "COMMIT");
    PQclear(r);
    PQfinish(maker);
    while (!result.done)
        test_loop_step(&p->play.loop);
    assert_int_equal(result.rc, RC_OK);
    assert_int_equal(pg_say(own, "SELECT count(*) FROM family"), 2);
    assert_int_equal(pg_say(own, "SELECT count(*) FROM family WHERE revoked_at=0"), 0);
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
    pg_await_up(p, p->connections);
    assert_int_equal(pthread_create(&thread, NULL, touch_pairs, &pair), 0);
    /* Until something was written beside. */
    for (int i = 0; i < 400 || (last == first && i < 100000); i++) {
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
    assert_true(last > first);
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
    int64_t begin = pg_now_ms();
    while (store_generation(conn) == before && pg_now_ms() < begin + 30000)
        pg_pause_ms(1);
    print_message("seen after %d ms\n", (int)(pg_now_ms() - begin));
    assert_true(pg_now_ms() - begin < 30 * STORE_GENERATION_MS);
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

static rc_t take_slowly(void *ctx, table_id_t table, const void *record)
{
    (void)table;
    (void)record;
    ++*(int *)ctx;
    pg_pause_ms(300);
    return RC_OK;
}

static void find_nothing(void *ctx, str_t sentence)
{
    (void)ctx;
    fail_msg("%" PRIstr, STR_ARG(sentence));
}

/* Whoever only looks needs the right to read and no other; what the role's limits are does not end
 * what takes long. */
static void who_may_only_read_looks_the_store_over(void **state)
{
    PLAY(p);
    char own[1024], reader[1024], sql[400];
    int rows = 0;
    store_t *store;
    store_stats_t stats;
    str_t why = STR_UNSET;
    user_t u = test_user(STR("u"), STR("name"));
    family_t f = test_family(STR("f"));
    f.user_id = u.id;
    put_user(&p->play, &u);
    put_family(&p->play, &f);
    pg_with(own, sizeof own, p->admin, "dbname", p->name);
    pg_with(reader, sizeof reader, own, "user", p->name);
    snprintf(
        sql, sizeof sql,
        "CREATE ROLE %s LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO %s; ALTER ROLE %s "
        "SET idle_in_transaction_session_timeout='100ms'",
        p->name, p->name, p->name);
    pg_say(own, sql);
    if (pg_play_open_to(p, reader, &store, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_int_equal(store_stats(store, &stats, p->play.a, &why), RC_OK);
    assert_int_equal(stats.table[TABLE_FAMILY].rows, 1);
    assert_int_equal(store_check(store, p->play.a, &(store_finder_t){find_nothing, NULL}, &why),
                     RC_OK);
    if (store_dump(store, p->play.a, &(store_sink_t){take_slowly, &rows, NULL}, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_int_equal(rows, 2);
    store_close(store);
    snprintf(sql, sizeof sql, "DROP OWNED BY %s; DROP ROLE %s", p->name, p->name);
    pg_say(own, sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SERVER(a_call_is_answered),
        ON_PROXY(a_call_is_answered),
        ON_SERVER(a_thousand_calls_at_once_are_all_answered),
        ON_PROXY(a_thousand_calls_at_once_are_all_answered),
        ON_SERVER(of_two_stores_that_race_one_wins),
        ON_PROXY(of_two_stores_that_race_one_wins),
        ON_SERVER(all_questions_of_a_call_see_one_moment),
        ON_PROXY(all_questions_of_a_call_see_one_moment),
        ON_SERVER(closing_waits_for_what_is_under_way),
        ON_SERVER(calls_of_a_loop_that_is_gone_are_carried_out_and_forgotten),
        ON_SERVER(what_waits_for_a_lock_holds_up_nobody),
        ON_PROXY(what_waits_for_a_lock_holds_up_nobody),
        ON_SERVER(what_waits_for_a_lock_ends_in_time),
        ON_PROXY(what_waits_for_a_lock_ends_in_time),
        ON_SERVER(numbers_that_a_failover_lost_do_not_come_again),
        ON_SERVER(what_the_database_says_of_isolation_changes_nothing),
        ON_PROXY(what_the_database_says_of_isolation_changes_nothing),
        ON_SERVER(a_change_of_keys_shows_in_other_processes_in_time),
        ON_SERVER(who_may_only_read_looks_the_store_over),
        ON_SERVER(a_database_that_is_not_there_is_named_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
