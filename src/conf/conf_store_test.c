#include "conf/conf_store.h"
#include "conf/conf_test_util.h"

#define URI "postgresql://warder@db.test,db2.test:5433/warder?sslmode=verify-full"

static void a_server_is_loaded_as_it_is_written(void **state)
{
    const conf_t *conf = test_load_file(*state, STR("store: postgres\npostgres: " URI
                                                    "\npostgres_password_file: /etc/pw\n"
                                                    "postgres_timeout: 800\nnode: a-1.b_2\n"));
    assert_str(conf->store, STR("postgres"));
    assert_str(conf->postgres, STR(URI));
    assert_str(conf->postgres_password_file, STR("/etc/pw"));
    assert_int_equal(conf->postgres_timeout, 800);
    assert_int_equal(conf->postgres_connections, 8);
    assert_str(conf->node, STR("a-1.b_2"));
}

/* Two of them may stand in one file, for who moves between them. */
static void a_server_may_be_named_and_not_used(void **state)
{
    assert_str(test_load_file(*state, STR("postgres: " URI "\n"))->store, STR("sqlite"));
}

static void refusals_name_setting_and_mend(void **state)
{
    static const struct {
        const char *file, *key, *says;
    } ROWS[] = {
        {"store: postgres\n", "store", "say by postgres how the server is reached"},
        {"node: a b\n", "node", "letters, digits"},
        {"node: -a\n", "node", "beginning with a letter"},
        {"node: a/b\n", "node", "letters, digits"},
        {"node: \xc3\xa4\n", "node", "letters, digits"},
        {"node: a2345678901234567890123456789012345678901234567890123456789012345\n", "node",
         "up to 64"},
        {"postgres: host=h password=hush\n", "postgres", "postgres_password_file"},
        {"postgres_connections: 0\n", "postgres_connections", "from 1 to 1000"},
        {"postgres_timeout: 99\n", "postgres_timeout", "from 100"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t why = test_file_refusal(*state, str_c(ROWS[i].file));
        if (!str_starts(why, str_c(ROWS[i].key)) || !str_contains(why, str_c(ROWS[i].says)) ||
            str_contains(why, STR("hush")))
            fail_msg("%s: %" PRIstr, ROWS[i].file, STR_ARG(why));
    }
}

static void passwords_are_found(void **state)
{
    (void)state;
    static const char *const SECRET[] = {
        "password=x",
        "host=h  password = 'x y' user=u",
        "host=h\tsslpassword=x",
        "oauth_client_secret=x",
        "postgres://u:x@h/d",
        "postgresql://u:@h",
        "postgresql://h/d?password=x",
        "postgres:///d?user=u&sslpassword=x",
        "postgresql://h/d?%70assword=x",
    };
    static const char *const PLAIN[] = {
        "",
        "host=h user=u dbname=d",
        "host=/run/postgresql passfile=/etc/pgpass",
        "require_auth=scram-sha-256 dbname=password",
        "postgresql://u@h:5432/d",
        "postgresql://h:5432,[::1]:5433/d?target_session_attrs=read-write",
        "postgres:///d?host=/run/postgresql&passfile=%2Fetc%2Fp",
        "postgresql://h:5432/a@b",
    };
    for (size_t i = 0; i < ROWS(SECRET); i++)
        if (!conf_has_password(str_c(SECRET[i])))
            fail_msg("not found: %s", SECRET[i]);
    for (size_t i = 0; i < ROWS(PLAIN); i++)
        if (conf_has_password(str_c(PLAIN[i])))
            fail_msg("found: %s", PLAIN[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_server_is_loaded_as_it_is_written),
        ARENA_TEST(a_server_may_be_named_and_not_used),
        ARENA_TEST(refusals_name_setting_and_mend),
        cmocka_unit_test(passwords_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
