/* The settings of a PostgreSQL server: what is refused and why, what is added, what is said of a
 * server that cannot be reached. */
#include "store/store_test_util.h"

#include "store/postgres_link.h"

#include <stdlib.h>

static rc_t read_with(arena_t *a, const char *conninfo, const char *password,
                      postgres_settings_t *out, str_t *why)
{
    store_config_t config = {
        .driver = STR("postgres"),
        .postgres = {.conninfo = str_c(conninfo), .password = str_c(password), .wait_ms = 4000}};
    return postgres_settings_read(a, &config, out, why);
}

static const char *get(const postgres_settings_t *s, const char *key)
{
    const char *last = NULL;
    for (size_t i = 0; i < s->n_keys; i++)
        last = strcmp(s->keys[i], key) == 0 ? s->values[i] : last;
    return last;
}

static void assert_refused_with(const char *conninfo, const char *sentence, const char *never)
{
    arena_t *a = arena_new(1 << 20);
    postgres_settings_t s;
    str_t why = STR_UNSET;
    assert_int_equal(read_with(a, conninfo, NULL, &s, &why), RC_CONFIG);
    if (!str_contains(why, str_c(sentence)))
        fail_msg("%" PRIstr " does not say: %s", STR_ARG(why), sentence);
    assert_false(never && str_contains(why, str_c(never)));
    arena_free(a);
}

static void assert_taken(const char *conninfo)
{
    arena_t *a = arena_new(1 << 20);
    postgres_settings_t s;
    str_t why = STR_UNSET;
    if (read_with(a, conninfo, NULL, &s, &why) != RC_OK)
        fail_msg("%s: %" PRIstr, conninfo, STR_ARG(why));
    arena_free(a);
}

static void no_server_is_refused(void **state)
{
    (void)state;
    assert_refused_with("", "needs a server", NULL);
}

static void a_password_in_the_settings_is_refused_and_not_repeated(void **state)
{
    (void)state;
    assert_refused_with("postgresql://warder:hunter2@localhost/warder", "postgres_password_file",
                        "hunter2");
    assert_refused_with("host=localhost password=hunter2", "postgres_password_file", "hunter2");
}

static void what_cannot_be_read_is_not_repeated(void **state)
{
    (void)state;
    assert_refused_with("postgresql://warder:hunt%er2@localhost/warder", "cannot be read", "er2");
    assert_refused_with("host=localhost password='hunter2", "cannot be read", "hunter2");
    assert_refused_with("hunter2", "cannot be read", "hunter2");
}

static void an_unknown_key_is_named(void **state)
{
    (void)state;
    assert_refused_with("host=localhost colour=blue", "a key colour", "blue");
    assert_refused_with("postgresql://localhost/warder?colour=blue", "a key colour", "blue");
}

static void keys_that_would_break_us_are_refused(void **state)
{
    static const struct {
        const char *conninfo, *key;
    } ROWS[] = {
        {"host=localhost options='-c synchronous_commit=off'", "options holds"},
        {"host=localhost service=x", "service names"},
        {"host=localhost replication=database", "replication asks"},
        {"host=localhost client_encoding=LATIN1", "client_encoding asks"},
        {"host=localhost target_session_attrs=standby", "target_session_attrs asks"},
        {"host=localhost target_session_attrs=any", "target_session_attrs asks"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_refused_with(ROWS[i].conninfo, ROWS[i].key, NULL);
    assert_taken("host=localhost target_session_attrs=primary client_encoding=utf8");
}

static void another_machine_without_verified_tls_is_refused(void **state)
{
    static const char *const REFUSED[] = {
        "host=db.example.com",
        "host=db.example.com sslmode=require",
        "host=db.example.com sslmode=prefer",
        "host=localhost,db.example.com",
        "host=localhost hostaddr=10.0.0.1",
        "host=127.evil.example",
        "host=127.0.0.1.evil.example",
        "host=10.0.0.1 sslmode=disable",
        "postgresql://db.example.com/warder",
        "postgresql://[2001:db8::1]/warder",
    };
    static const char *const TAKEN[] = {
        "host=db.example.com sslmode=verify-full",
        "host=db.example.com sslmode=verify-ca",
        "host=127.0.0.1",
        "host=127.8.9.10",
        "host=::1",
        "host=localhost",
        "host=/run/postgresql",
        "host=@abstract",
        "host=db.example.com hostaddr=127.0.0.1",
        "postgresql:///warder?host=/run/postgresql",
        "postgresql://a.example,b.example:5433/warder?sslmode=verify-full",
    };
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++)
        assert_refused_with(REFUSED[i], "sslmode=verify-full", NULL);
    for (size_t i = 0; i < sizeof TAKEN / sizeof TAKEN[0]; i++)
        assert_taken(TAKEN[i]);
}

static void a_host_of_the_environment_is_judged_as_well(void **state)
{
    (void)state;
    setenv("PGHOST", "db.example.com", 1);
    assert_refused_with("dbname=warder", "sslmode=verify-full", NULL);
    setenv("PGSSLMODE", "verify-full", 1);
    assert_taken("dbname=warder");
    unsetenv("PGHOST");
    unsetenv("PGSSLMODE");
    assert_taken("dbname=warder");
}

static void parts_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    assert_refused_with("host=localhost,localhost port=1,2,3", "as many parts", NULL);
    assert_refused_with("host=localhost,localhost hostaddr=127.0.0.1", "as many parts", NULL);
    assert_refused_with(
        "host=localhost,localhost,localhost,localhost,localhost,localhost,localhost,"
        "localhost,localhost,localhost,localhost,localhost,localhost,localhost,"
        "localhost,localhost,localhost",
        "more than 16", NULL);
}

static void what_was_not_said_is_added(void **state)
{
    arena_t *a = arena_new(1 << 20);
    postgres_settings_t s;
    str_t why;
    (void)state;
    assert_int_equal(read_with(a, "host=localhost,127.0.0.1 port=5433 dbname=w", NULL, &s, &why),
                     RC_OK);
    assert_string_equal(get(&s, "target_session_attrs"), "read-write");
    assert_string_equal(get(&s, "application_name"), "warder");
    assert_string_equal(get(&s, "client_encoding"), "UTF8");
    assert_string_equal(get(&s, "tcp_user_timeout"), "4000");
    assert_string_equal(get(&s, "dbname"), "w");
    assert_int_equal(s.n_hosts, 2);
    assert_string_equal(s.hosts[1].host, "127.0.0.1");
    assert_string_equal(s.hosts[1].port, "5433");
    assert_int_equal(s.connections, POSTGRES_CONNECTIONS_DEFAULT);
    assert_int_equal(s.connect_ms, POSTGRES_CONNECT_MS);
    assert_true(postgres_statement_ms(&s) < s.wait_ms);
    assert_int_equal(
        read_with(a, "host=localhost application_name=x connect_timeout=7", NULL, &s, &why), RC_OK);
    assert_string_equal(get(&s, "application_name"), "x");
    assert_int_equal(s.connect_ms, 7000);
    arena_free(a);
}

static void a_password_over_tls_is_bound_to_its_channel(void **state)
{
    arena_t *a = arena_new(1 << 20);
    postgres_settings_t s;
    str_t why;
    (void)state;
    assert_int_equal(read_with(a, "host=db.example.com sslmode=verify-full", "secret", &s, &why),
                     RC_OK);
    assert_string_equal(get(&s, "password"), "secret");
    assert_string_equal(get(&s, "channel_binding"), "require");
    assert_int_equal(read_with(a, "host=db.example.com sslmode=verify-full channel_binding=prefer",
                               "secret", &s, &why),
                     RC_OK);
    assert_string_equal(get(&s, "channel_binding"), "prefer");
    assert_int_equal(read_with(a, "host=/tmp", "secret", &s, &why), RC_OK);
    assert_string_not_equal(get(&s, "channel_binding"), "require");
    assert_int_equal(read_with(a, "host=localhost", NULL, &s, &why), RC_OK);
    assert_null(get(&s, "password"));
    arena_free(a);
}

static void assert_explained(const char *sqlstate, const char *message, const char *sentence)
{
    arena_t *a = arena_new(1 << 16);
    postgres_fault_t fault = {0};
    strcpy(fault.sqlstate, sqlstate);
    strcpy(fault.why, message);
    str_t why = postgres_explain(a, &fault);
    if (!str_contains(why, str_c(sentence)))
        fail_msg("%" PRIstr " does not say: %s", STR_ARG(why), sentence);
    arena_free(a);
}

static void each_fault_of_a_start_has_its_mend(void **state)
{
    (void)state;
    assert_explained("28P01", "FATAL: ...", "does not take the password");
    assert_explained("28000", "no pg_hba.conf entry", "pg_hba.conf");
    assert_explained("3D000", "...", "create it");
    assert_explained("42501", "...", "grant it");
    assert_explained("53300", "...", "max_connections");
    assert_explained("57P03", "...", "try again soon");
    assert_explained(POSTGRES_TOO_OLD, "12.4", "upgrade it");
    assert_explained("", "fe_sendauth: no password supplied", "postgres_password_file");
    assert_explained("", "server does not support SSL, but SSL was required", "TLS");
    assert_explained("", "SSL error: certificate verify failed", "sslrootcert");
    assert_explained("", "channel binding required but not supported", "scram-sha-256");
    assert_explained("", "session is read-only", "name the primary");
    assert_explained("", "server is in hot standby mode", "name the primary");
    assert_explained("", "Connection refused", "see that it runs");
}

static void a_server_that_is_away_is_named_so(void **state)
{
    arena_t *a = arena_new(1 << 20);
    store_config_t config = {
        .driver = STR("postgres"),
        .postgres = {.conninfo = STR("host=127.0.0.1 port=1"), .password = STR("hunter2")}};
    store_t *store;
    str_t why = STR_UNSET;
    (void)state;
    assert_int_equal(store_open(a, &config, &store, &why), RC_IO);
    assert_true(str_starts(why, STR("the PostgreSQL server cannot be reached")));
    assert_false(str_contains(why, STR("hunter2")));
    config.postgres.conninfo = STR("host=no-such-name.invalid sslmode=verify-full");
    assert_int_equal(store_open(a, &config, &store, &why), RC_IO);
    assert_true(str_contains(why, STR("no-such-name.invalid")));
    config.postgres.conninfo = STR("host=127.0.0.1 password=hunter2");
    assert_int_equal(store_open(a, &config, &store, &why), RC_CONFIG);
    assert_false(str_contains(why, STR("hunter2")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_server_is_refused),
        cmocka_unit_test(a_password_in_the_settings_is_refused_and_not_repeated),
        cmocka_unit_test(what_cannot_be_read_is_not_repeated),
        cmocka_unit_test(an_unknown_key_is_named),
        cmocka_unit_test(keys_that_would_break_us_are_refused),
        cmocka_unit_test(another_machine_without_verified_tls_is_refused),
        cmocka_unit_test(a_host_of_the_environment_is_judged_as_well),
        cmocka_unit_test(parts_that_do_not_fit_are_refused),
        cmocka_unit_test(what_was_not_said_is_added),
        cmocka_unit_test(a_password_over_tls_is_bound_to_its_channel),
        cmocka_unit_test(each_fault_of_a_start_has_its_mend),
        cmocka_unit_test(a_server_that_is_away_is_named_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
