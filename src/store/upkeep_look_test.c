/* Counts of a store, and what is found in one that is wrong. */
#include "store/postgres_test_run.h"
#include "store/store_test_dump.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

typedef struct {
    arena_t *a;
    str_t v[32];
    size_t n;
} found_t;

static void found(void *ctx, str_t sentence)
{
    found_t *f = ctx;
    assert_true(f->n < 32);
    f->v[f->n++] = arena_dup(f->a, sentence);
}

static found_t check(play_t *p)
{
    str_t why = STR_UNSET;
    found_t f = {.a = p->a};
    const store_finder_t finder = {found, &f};
    rc_t rc = store_check(p->store, p->a, &finder, &why);
    if (rc != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    return f;
}

static void sound_store_has_nothing_to_find(void **state)
{
    play_t *p = *state;
    assert_int_equal(check(p).n, 0);
    play_put_all(p);
    found_t f = check(p);
    if (f.n > 0)
        fail_msg("%" PRIstr, STR_ARG(f.v[0]));
}

static void stats_count_rows(void **state)
{
    play_t *p = *state;
    store_stats_t s;
    str_t why;
    play_put_all(p);
    assert_int_equal(store_stats(p->store, &s, p->a, &why), RC_OK);
    assert_int_equal(s.table[TABLE_CLIENT].rows, 2);
    assert_int_equal(s.table[TABLE_REVOKED].rows, 4);
    assert_int_equal(s.table[TABLE_LEASE].rows, 1);
    assert_int_equal(s.table[TABLE_KEY].rows, 2);
    ask_t list = {.kind = ASK_REVOCATIONS};
    play_ask(p, &list);
    assert_int_equal(list.count, 4);
    assert_int_equal(s.revocation, list.u.revoked[3].seq);
    assert_int_equal(s.oldest, TEST_NOW - 50);
    assert_true(s.schema >= 1 && s.bytes >= 4096 && s.generation > 1);
    assert_true(s.table[TABLE_CLIENT].bytes == 0 || s.table[TABLE_CLIENT].bytes >= 4096);
}

static void stats_of_an_empty_store_are_nothing(void **state)
{
    play_t *p = *state;
    store_stats_t s;
    str_t why;
    assert_int_equal(store_stats(p->store, &s, p->a, &why), RC_OK);
    for (int t = 0; t < TABLE_COUNT; t++)
        assert_int_equal(s.table[t].rows, 0);
    assert_int_equal(s.oldest, 0);
    assert_int_equal(s.revocation, 0);
}

static void execute(play_t *p, const char *sql)
{
    sqlite3 *handle;
    assert_int_equal(sqlite3_open(p->path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
    sqlite3_close(handle);
}

/* Each damage alone, and what is said of it. */
static const struct {
    const char *sql, *says;
} DAMAGES[] = {
    {"DELETE FROM family WHERE id='f1'", "2 refresh tokens belong to no grant"},
    {"UPDATE refresh SET rotated_at=0", "1 refresh tokens were used"},
    {"UPDATE code SET consumed_at=1", "1 codes were spent and have no grant"},
    {"DELETE FROM user WHERE id='u2'", "1 grants are of people"},
    {"DELETE FROM user WHERE id='u2'", "1 browser sessions are of people"},
    {"DELETE FROM user WHERE id='u1'", "2 consents are of people"},
    {"UPDATE key SET use=0", "1 uses of keys have more than one"},
    {"UPDATE key SET sealed_by='x' WHERE kid='k1'", "encrypted under 2 different keys"},
    {"UPDATE device SET state=1", "1 devices are approved, and nobody"},
    {"UPDATE client SET deleted_at=5, sealed=0", "2 clients are gone"},
    {"DELETE FROM meta WHERE name='spent'", "1 counts of quotas are not there"},
    {"UPDATE meta SET value=9 WHERE name='registered'", "registered clients is wrong by 7"},
    {"UPDATE meta SET value=0 WHERE name='interactions'", "interactions is wrong by 1"},
    {"UPDATE meta SET value=3 WHERE name='pushed'", "pushed requests is wrong by 2"},
    {"UPDATE meta SET value=3 WHERE name='devices'", "devices is wrong by 2"},
    {"UPDATE meta SET value=3 WHERE name='spent'", "spent names is wrong by 2"},
    {"UPDATE sqlite_sequence SET seq=3 WHERE name='revoked'", "1 revocations have a number"},
    {"UPDATE client SET redirect_uris=x'3939' WHERE id='c1'", "1 records of the table client"},
    {"UPDATE session SET id=x'00' WHERE user_id='u1'", "1 records of the table session"},
    {"UPDATE device SET state=77", "1 records of the table device"},
};

static void each_damage_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof DAMAGES / sizeof DAMAGES[0]; i++) {
        void *other;
        play_begin_sqlite(&other);
        play_t *p = other;
        play_put_all(p);
        if (i == 0) {
            refresh_t r = test_refresh("r9", STR("f1"));
            r.uses = 0;
            r.rotated_at = 0;
            put_refresh(p, &r);
        }
        execute(p, DAMAGES[i].sql);
        found_t f = check(p);
        bool said = false;
        for (size_t k = 0; k < f.n; k++)
            said |= str_contains(f.v[k], str_c(DAMAGES[i].says));
        if (!said)
            fail_msg("%s: %zu found, %" PRIstr, DAMAGES[i].sql, f.n,
                     STR_ARG(f.n ? f.v[0] : STR("nothing")));
        play_end(&other);
    }
}

/* The same on a server, where pages are its own affair. */
static const struct {
    const char *sql, *says;
} SERVED[] = {
    {"DELETE FROM family WHERE id='f1'", "refresh tokens belong to no grant"},
    {"UPDATE code SET consumed_at=1", "1 codes were spent and have no grant"},
    {"DELETE FROM \"user\" WHERE id='u2'", "1 grants are of people"},
    {"UPDATE key SET sealed_by='x' WHERE kid='k1'", "encrypted under 2 different keys"},
    {"UPDATE meta SET value=(SELECT max(seq)-1 FROM revoked) WHERE name='revocation'",
     "1 revocations have a number"},
    {"UPDATE client SET redirect_uris='99' WHERE id='c1'", "1 records of the table client"},
    {"UPDATE device SET state=77", "1 records of the table device"},
    {"UPDATE quota SET value=value+7 WHERE name='registered' AND slot=3", "is wrong by 7"},
    {"DELETE FROM quota WHERE name='spent'", "1 counts of quotas are not there"},
};

static void each_damage_is_found_on_a_server(void **state)
{
    play_t *p = *state;
    for (size_t i = 0; i < sizeof SERVED / sizeof SERVED[0]; i++) {
        pg_test_settle(p->conninfo);
        play_put_all(p);
        PGconn *pg = pg_test_connect(p->conninfo);
        pg_test_sql(pg, SERVED[i].sql);
        PQfinish(pg);
        found_t f = check(p);
        bool said = false;
        for (size_t k = 0; k < f.n; k++)
            said |= str_contains(f.v[k], str_c(SERVED[i].says));
        if (!said)
            fail_msg("%s: %zu found, %" PRIstr, SERVED[i].sql, f.n,
                     STR_ARG(f.n ? f.v[0] : STR("nothing")));
    }
}

static void server_is_idle_without_the_lease_of_a_node(void **state)
{
    play_t *p = *state;
    bool idle;
    str_t why;
    store_t *store;
    store_hold_t *hold;
    lease_t lease = {STR("node:west"), STR("x"), TEST_NOW + 60};
    const store_config_t config = {
        .driver = STR("postgres"),
        .postgres = {str_c(p->conninfo), .connections = 1, .wait_ms = 5000},
        .clock = clock_fake(&p->clock)};
    assert_int_equal(store_idle(&config, p->a, &idle, &why), RC_OK);
    assert_true(idle);
    play_add(p, EFFECT_LEASE_TAKE)->u.lease = &lease;
    assert_applied(p);
    assert_int_equal(store_idle(&config, p->a, &idle, &why), RC_OK);
    assert_false(idle);
    assert_str(why, STR("node west"));
    assert_int_equal(store_open_held(p->a, &config, &store, &hold, &why), RC_BUSY);
    assert_str(why, STR("node west"));
    assert_null(hold);
    p->clock.ms += 61000;
    assert_int_equal(store_idle(&config, p->a, &idle, &why), RC_OK);
    assert_true(idle);
}

static bool can_write(const play_t *p)
{
    PGconn *pg = pg_test_connect(p->conninfo);
    pg_test_sql(pg, "SET lock_timeout='50ms'");
    PGresult *r = PQexec(pg, "UPDATE lease SET until=until");
    bool done = PQresultStatus(r) == PGRES_COMMAND_OK;
    if (!done)
        assert_string_equal(PQresultErrorField(r, PG_DIAG_SQLSTATE), "55P03");
    PQclear(r);
    PQfinish(pg);
    return done;
}

/* A node that starts meanwhile takes its name with a write. */
static void server_that_is_held_is_read_and_not_written(void **state)
{
    play_t *p = *state;
    str_t why = STR_UNSET;
    store_t *store;
    store_hold_t *hold;
    const store_config_t config = play_config(p);
    pg_test_settle(p->conninfo);
    play_put_all(p);
    play_close(p);
    assert_true(can_write(p));
    if (store_open_held(p->a, &config, &store, &hold, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    p->store = store;
    p->conn = play_connect(store, &p->loop);
    assert_true(play_dump(p).n > 0);
    assert_false(can_write(p));
    store_release(hold);
    assert_true(can_write(p));
}

static void damaged_page_is_found(void **state)
{
    play_t *p = *state;
    char page[64];
    memset(page, 0x5a, sizeof page);
    play_put_all(p);
    play_close(p);
    FILE *f = fopen(p->path, "r+b");
    assert_non_null(f);
    /* The last page is that of an index or a table with rows. */
    fseek(f, -4096 + 8, SEEK_END);
    fwrite(page, 1, sizeof page, f);
    fclose(f);
    play_open(p);
    assert_true(check(p).n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_STORE(sound_store_has_nothing_to_find),
        ON_EVERY_STORE(stats_count_rows),
        ON_EVERY_STORE(stats_of_an_empty_store_are_nothing),
        cmocka_unit_test(each_damage_is_found),
        ON_SERVED(server_that_is_held_is_read_and_not_written),
        ON_SERVED(each_damage_is_found_on_a_server), /* damaged for good */
        ON_SERVED(server_is_idle_without_the_lease_of_a_node),
        ON_SQLITE(damaged_page_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
