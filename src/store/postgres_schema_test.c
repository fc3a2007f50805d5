/* The schema: made once by many, beside other programs and other versions of this one. Each test
 * has a schema of its own within the database. */
#include "store/postgres_test_run.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 8 };

typedef struct {
    PGconn *pg;
    arena_t *a;
    str_t why;
} setup_t;

static PGconn *connect_bare(void)
{
    PGconn *pg = pg_test_connect(pg_test_database("WARDER_TEST_POSTGRES"));
    pg_test_sql(pg, "SET search_path=bare");
    return pg;
}

static setup_t begin(void)
{
    PGconn *first = pg_test_begin();
    pg_test_sql(first, "DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare");
    PQfinish(first);
    return (setup_t){connect_bare(), arena_new(1 << 20), STR_UNSET};
}

static void end(setup_t *s)
{
    PQfinish(s->pg);
    arena_free(s->a);
}

static rc_t migrate(setup_t *s)
{
    return postgres_migrate(s->pg, s->a, &s->why);
}

static void assert_refused_with(setup_t *s, rc_t rc, const char *part)
{
    assert_int_equal(migrate(s), rc);
    if (!str_contains(s->why, str_c(part)))
        fail_msg("%" PRIstr " says nothing of: %s", STR_ARG(s->why), part);
}

static int child(void)
{
    setup_t s = {connect_bare(), arena_new(1 << 20), STR_UNSET};
    rc_t rc = migrate(&s);
    if (rc != RC_OK)
        print_message("%" PRIstr "\n", STR_ARG(s.why));
    end(&s);
    return (int)rc;
}

static void many_processes_start_at_once(void **state)
{
    (void)state;
    setup_t s = begin();
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(child());
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(pg_test_sql(s.pg, "SELECT count(*) FROM meta"), 7);
    assert_int_equal(pg_test_sql(s.pg, "SELECT value FROM meta WHERE name='schema'"), 5);
    assert_int_equal(pg_test_sql(s.pg, "SELECT count(*) FROM quota"), 5 * 33);
    assert_int_equal(migrate(&s), RC_OK);
    end(&s);
}

static void database_of_another_program_is_refused(void **state)
{
    (void)state;
    static const char *const OTHERS[] = {
        "CREATE TABLE invoice(id int)",
        "CREATE TABLE meta(version int)",
        "CREATE TABLE meta(name text, value text)",
        "CREATE TABLE meta(name text, value bigint); INSERT INTO meta VALUES('application', 7)",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        setup_t s = begin();
        pg_test_sql(s.pg, OTHERS[i]);
        assert_refused_with(&s, RC_CONFIG, "belongs to another program");
        assert_int_equal(pg_test_sql(s.pg, "SELECT count(*) FROM information_schema.tables WHERE "
                                           "table_schema='bare'"),
                         1);
        end(&s);
    }
}

static void newer_schema_is_used_where_it_says_so(void **state)
{
    (void)state;
    setup_t s = begin();
    assert_int_equal(migrate(&s), RC_OK);
    pg_test_sql(s.pg, "UPDATE meta SET value=99 WHERE name='schema'");
    assert_int_equal(migrate(&s), RC_OK);
    assert_int_equal(pg_test_sql(s.pg, "SELECT value FROM meta WHERE name='schema'"), 99);
    end(&s);
}

static void newer_schema_is_refused_where_it_says_so(void **state)
{
    (void)state;
    setup_t s = begin();
    assert_int_equal(migrate(&s), RC_OK);
    pg_test_sql(s.pg, "UPDATE meta SET value=99 WHERE name IN ('schema', 'schema_min')");
    assert_refused_with(&s, RC_CONFIG, "start the newer program");
    end(&s);
}

/* As the first program left it. */
static void go_back_to_the_first(setup_t *s)
{
    assert_int_equal(migrate(s), RC_OK);
    pg_test_sql(s->pg, "ALTER TABLE client DROP COLUMN used_at; ALTER TABLE consent DROP COLUMN "
                       "used_at; ALTER TABLE lease DROP COLUMN known_until; DROP INDEX client_kept;"
                       "CREATE INDEX client_listed ON client(created_at DESC, id) WHERE "
                       "deleted_at=0; UPDATE meta SET value=1 WHERE name='schema'");
}

/* The index of a table of millions takes minutes: whoever reads it must not wait for that. */
static void readers_do_not_wait_for_the_indexes(void **state)
{
    (void)state;
    setup_t s = begin();
    go_back_to_the_first(&s);
    pg_test_sql(s.pg, "CREATE FUNCTION locked() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
                      "IF EXISTS(SELECT 1 FROM pg_locks WHERE pid=pg_backend_pid() AND "
                      "mode='AccessExclusiveLock' AND relation IN ('bare.client'::regclass, "
                      "'bare.consent'::regclass)) THEN RAISE 'readers wait'; END IF; END $$;"
                      "CREATE EVENT TRIGGER locked ON ddl_command_start WHEN TAG IN ('CREATE "
                      "INDEX') EXECUTE FUNCTION locked()");
    rc_t rc = migrate(&s);
    pg_test_sql(s.pg, "DROP EVENT TRIGGER locked");
    if (rc != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(s.why));
    assert_int_equal(pg_test_sql(s.pg,
                                 "SELECT count(*) FROM pg_indexes WHERE schemaname='bare' AND "
                                 "indexname IN ('client_used', 'client_kept', "
                                 "'consent_used')"),
                     3);
    end(&s);
}

/* Where a table is too large for that, somebody did it before, beside the writers. */
static void index_that_was_made_by_hand_is_taken(void **state)
{
    (void)state;
    setup_t s = begin();
    go_back_to_the_first(&s);
    pg_test_sql(s.pg, "ALTER TABLE consent ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0");
    pg_test_sql(s.pg, "CREATE INDEX CONCURRENTLY consent_used ON consent(used_at)");
    assert_int_equal(migrate(&s), RC_OK);
    assert_int_equal(pg_test_sql(s.pg, "SELECT value FROM meta WHERE name='schema'"), 5);
    end(&s);
}

/* A process that died between two steps leaves the rest to the next one. */
static void migration_goes_on_where_it_was_cut_off(void **state)
{
    (void)state;
    setup_t s = begin();
    go_back_to_the_first(&s);
    pg_test_sql(s.pg, "CREATE SCHEMA keep; ALTER TABLE lease SET SCHEMA keep"); /* the last one */
    assert_refused_with(&s, RC_IO, "cannot be prepared");
    assert_int_equal(pg_test_sql(s.pg, "SELECT value FROM meta WHERE name='schema'"), 4);
    pg_test_sql(s.pg, "ALTER TABLE keep.lease SET SCHEMA bare; DROP SCHEMA keep");
    assert_int_equal(migrate(&s), RC_OK);
    assert_int_equal(pg_test_sql(s.pg, "SELECT value FROM meta WHERE name='schema'"), 5);
    end(&s);
}

/* What a newer program adds has a default: this one names the columns that it knows. */
static void works_beside_columns_of_a_newer_program(void **state)
{
    (void)state;
    setup_t s = begin();
    size_t failed = 0;
    effects_t effects = {0};
    client_t client = test_client(STR("c")), changed = client;
    changed.name = STR("another");
    assert_int_equal(migrate(&s), RC_OK);
    pg_test_sql(s.pg, "ALTER TABLE client ADD COLUMN later BIGINT NOT NULL DEFAULT 7;"
                      "CREATE TABLE later(id BIGINT);"
                      "UPDATE meta SET value=99 WHERE name='schema'");
    effects_add(&effects, EFFECT_CLIENT_INSERT, TEST_NOW)->u.client = &client;
    effects_add(&effects, EFFECT_CLIENT_PUT, TEST_NOW)->u.client = &changed;
    assert_int_equal(pg_test_apply(s.pg, &effects, &failed), RC_OK);
    pg_test_sql(s.pg, "UPDATE client SET later=8");
    effects.n = 1;
    effects.v[0].kind = EFFECT_CLIENT_PUT;
    assert_int_equal(pg_test_apply(s.pg, &effects, &failed), RC_OK);
    ask_t ask = {.kind = ASK_CLIENT, .key = client.id};
    assert_int_equal(pg_test_ask(s.pg, s.a, &ask, 1), RC_OK);
    assert_str(ask.u.client->name, client.name);
    assert_int_equal(pg_test_sql(s.pg, "SELECT later FROM client"), 8);
    end(&s);
}

static void who_may_not_create_tables_is_told(void **state)
{
    (void)state;
    setup_t s = begin();
    pg_test_sql(s.pg, "GRANT USAGE ON SCHEMA bare TO pg_monitor; SET ROLE pg_monitor");
    assert_refused_with(&s, RC_IO, "give its user the right to create tables");
    end(&s);
}

/* Once it is made, the program's own user needs no more than to read and write. */
static void schema_that_is_up_to_date_needs_no_rights(void **state)
{
    (void)state;
    setup_t s = begin();
    assert_int_equal(migrate(&s), RC_OK);
    pg_test_sql(s.pg, "GRANT USAGE ON SCHEMA bare TO pg_monitor;"
                      "GRANT SELECT ON meta TO pg_monitor; SET ROLE pg_monitor");
    assert_int_equal(migrate(&s), RC_OK);
    end(&s);
}

static void server_that_takes_no_writes_is_told(void **state)
{
    (void)state;
    setup_t s = begin();
    pg_test_sql(s.pg, "SET default_transaction_read_only=on");
    assert_refused_with(&s, RC_IO, "read-only");
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_processes_start_at_once),
        cmocka_unit_test(database_of_another_program_is_refused),
        cmocka_unit_test(newer_schema_is_used_where_it_says_so),
        cmocka_unit_test(newer_schema_is_refused_where_it_says_so),
        cmocka_unit_test(readers_do_not_wait_for_the_indexes),
        cmocka_unit_test(index_that_was_made_by_hand_is_taken),
        cmocka_unit_test(migration_goes_on_where_it_was_cut_off),
        cmocka_unit_test(works_beside_columns_of_a_newer_program),
        cmocka_unit_test(who_may_not_create_tables_is_told),
        cmocka_unit_test(schema_that_is_up_to_date_needs_no_rights),
        cmocka_unit_test(server_that_takes_no_writes_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
