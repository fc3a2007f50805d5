#include "store/postgres_test_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void pg_with(char *out, size_t size, const char *conninfo, const char *key, const char *value)
{
    PQconninfoOption *all = PQconninfoParse(conninfo, NULL);
    size_t n = 0;
    assert_non_null(all);
    *out = '\0';
    for (PQconninfoOption *o = all; o->keyword; o++) {
        const char *here = strcmp(o->keyword, key) == 0 ? value : o->val;
        if (here && *here)
            n += (size_t)snprintf(out + n, size - n, "%s='%s' ", o->keyword, here);
        assert_true(n < size);
    }
    PQconninfoFree(all);
}

long pg_say(const char *conninfo, const char *sql)
{
    PGconn *pg = PQconnectdb(conninfo);
    if (PQstatus(pg) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(pg));
    PGresult *r = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    long n = PQntuples(r) > 0 && PQnfields(r) > 0 ? atol(PQgetvalue(r, 0, 0)) : 0;
    PQclear(r);
    PQfinish(pg);
    return n;
}

rc_t pg_play_open_to(pg_play_t *p, const char *conninfo, store_t **out, str_t *why)
{
    store_config_t config = {.driver = STR("postgres"),
                             .postgres = {.conninfo = str_c(conninfo),
                                          .connections = p->connections,
                                          .wait_ms = p->wait_ms},
                             .clock = clock_fake(&p->play.clock)};
    return store_open(p->play.a, &config, out, why);
}

void pg_play_open(pg_play_t *p)
{
    str_t why = STR_UNSET;
    if (pg_play_open_to(p, p->conninfo, &p->play.store, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    p->play.conn = play_connect(p->play.store, &p->play.loop);
}

void pg_play_close(pg_play_t *p)
{
    if (!p->play.store)
        return;
    store_disconnect(p->play.conn);
    store_close(p->play.store);
    p->play.store = NULL;
}

static int begin(void **state, const char *server)
{
    static int count;
    char sql[128];
    const char *admin = getenv("WARDER_TEST_POSTGRES");
    *state = NULL;
    if (!admin || !server) {
        print_message("skipped: WARDER_TEST_POSTGRES or WARDER_TEST_PGBOUNCER names no server\n");
        return 0;
    }
    pg_play_t *p = calloc(1, sizeof *p);
    p->play.a = arena_new(64 << 20);
    p->play.clock.ms = TEST_NOW * 1000ll;
    p->play.driver = "postgres";
    p->connections = 2;
    p->wait_ms = 30000; /* the machine may be busy */
    test_loop_init(&p->play.loop);
    snprintf(p->admin, sizeof p->admin, "%s", admin);
    snprintf(p->name, sizeof p->name, "warder_pool_%d_%d", (int)getpid(), count++);
    pg_with(p->conninfo, sizeof p->conninfo, server, "dbname", p->name);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", p->name);
    pg_say(admin, sql);
    pg_play_open(p);
    *state = p;
    return 0;
}

int pg_play_begin(void **state)
{
    return begin(state, getenv("WARDER_TEST_POSTGRES"));
}

int pg_play_begin_proxied(void **state)
{
    return begin(state, getenv("WARDER_TEST_PGBOUNCER"));
}

int pg_play_end(void **state)
{
    pg_play_t *p = *state;
    char sql[128];
    if (!p)
        return 0;
    pg_play_close(p);
    snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", p->name);
    pg_say(p->admin, sql);
    test_loop_free(&p->play.loop);
    arena_free(p->play.a);
    free(p);
    return 0;
}

int64_t pg_now_ms(void)
{
    return clock_micros() / 1000;
}

void pg_pause_ms(int ms)
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
void pg_issue(store_conn_t *conn, pg_call_t *c, int i)
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
}

void pg_spend(store_conn_t *conn, pg_call_t *c, int i)
{
    memset(c, 0, sizeof *c);
    c->spent = (spent_t){numbered("raced", i), TEST_NOW + 60};
    effect_t *e = effects_add(&c->effects, EFFECT_SPEND, TEST_NOW);
    e->u.spent = &c->spent;
    e->quota.max_rows = 10000000;
    store_apply(conn, &c->effects, test_done, &c->result);
}

void pg_await(play_t *p, const pg_call_t *c)
{
    while (!c->result.done)
        test_loop_step(&p->loop);
}

store_health_t pg_health(const pg_play_t *p)
{
    store_health_t h;
    store_health(p->play.store, &h);
    return h;
}

void pg_await_up(const pg_play_t *p, uint32_t connections)
{
    int64_t until = pg_now_ms() + 60000;
    while (pg_health(p).connections < connections && pg_now_ms() < until)
        pg_pause_ms(5);
    assert_int_equal(pg_health(p).connections, connections);
}

/* What was counted is what is there: nothing was done twice, nothing in part. */
void pg_check_counts(pg_play_t *p)
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

void pg_kill_connections(const pg_play_t *p)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname='%s' "
             "AND pid<>pg_backend_pid()",
             p->name);
    pg_say(p->admin, sql);
}
