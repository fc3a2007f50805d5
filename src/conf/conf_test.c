#include "conf/conf_test_util.h"

#include "conf/conf_table.h"
#include "core/limits.h"

static void nothing_gives_the_defaults(void **state)
{
    conf_sources_t none = {0};
    const conf_t *c = test_load(*state, &none);
    assert_str(c->listen, STR("127.0.0.1:8080"));
    assert_str(c->listen_host, STR("127.0.0.1"));
    assert_int_equal(c->listen_port, 8080);
    assert_str(c->public_url, STR(""));
    assert_str(c->store, STR("sqlite"));
    assert_int_equal(c->access_token_lifetime, 600);
    assert_int_equal(c->code_lifetime, 60);
    assert_true(c->registration_management);
    assert_int_equal(c->trusted_proxies.n, 0);
    assert_int_equal(c->n_resources, 0);
}

/* A default that its own check refuses would stop every start. */
static void every_row_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONF_N_ROWS; i++) {
        const conf_row_t *row = &CONF_ROWS[i];
        assert_true(row->text.n > 10);
        assert_int_equal(conf_row_find(row->key), i);
        if (row->type == CONF_INT)
            assert_true(row->min <= row->max);
        if (row->type == CONF_ENUM)
            assert_true(str_contains(row->words, row->def));
    }
    assert_int_equal(conf_row_find(STR("nothing")), CONF_N_ROWS);
}

static void the_later_source_wins(void **state)
{
    conf_value_t env[] = {{STR("workers"), STR("2")}, {STR("log_level"), STR("warn")}};
    conf_value_t flags[] = {{STR("workers"), STR("3")}};
    conf_sources_t s = test_file(STR("workers: 1\nlog_level: debug\nstore: memory\n"));
    const conf_t *c = test_load(*state, &s);
    assert_int_equal(c->workers, 1);
    assert_str(c->log_level, STR("debug"));
    s.env = env;
    s.n_env = 2;
    c = test_load(*state, &s);
    assert_int_equal(c->workers, 2);
    assert_str(c->log_level, STR("warn"));
    s.flags = flags;
    s.n_flags = 1;
    c = test_load(*state, &s);
    assert_int_equal(c->workers, 3);
    assert_str(c->log_level, STR("warn"));
    assert_str(c->store, STR("memory"));
    assert_int_equal(c->access_token_lifetime, 600);
}

static void lists_come_in_two_spellings(void **state)
{
    static const str_t FILES[] = {
        STR_INIT("trusted_proxies: [10.0.0.0/8, '::1']\n"),
        STR_INIT("trusted_proxies:\n  - 10.0.0.0/8\n  - ::1\n"),
        STR_INIT("trusted_proxies: \" 10.0.0.0/8 ,, ::1,\"\n"),
    };
    for (size_t i = 0; i < ROWS(FILES); i++) {
        const conf_t *c = test_load_file(*state, FILES[i]);
        assert_int_equal(c->trusted_proxies.n, 2);
        assert_str(c->trusted_proxies.v[0], STR("10.0.0.0/8"));
        assert_str(c->trusted_proxies.v[1], STR("::1"));
    }
    conf_value_t env[] = {{STR("trusted_proxies"), STR("")}};
    conf_sources_t s = test_file(FILES[0]);
    s.env = env;
    s.n_env = 1;
    assert_int_equal(test_load(*state, &s)->trusted_proxies.n, 0);
}

static void bounds_are_inside(void **state)
{
    assert_int_equal(
        test_load_file(*state, STR("access_token_lifetime: 60"))->access_token_lifetime, 60);
    assert_int_equal(
        test_load_file(*state, STR("access_token_lifetime: 3600"))->access_token_lifetime, 3600);
    assert_int_equal(test_load_file(*state, STR("refresh_grace: 0"))->refresh_grace, 0);
}

/* Each sentence names the key, its source and the mend. */
static void wrong_values(void **state)
{
    static const struct {
        str_t file, why;
    } TABLE[] = {
        {STR_INIT("\nworkers: many"),
         STR_INIT(
             "workers (from line 2 of the settings file) is 'many'; give a whole number from 0 "
             "to 256")},
        {STR_INIT("workers: 257"),
         STR_INIT("workers (from line 1 of the settings file) is '257'; give a whole number from 0 "
                  "to 256")},
        {STR_INIT("workers: -1"),
         STR_INIT("workers (from line 1 of the settings file) is '-1'; give a whole number from 0 "
                  "to 256")},
        {STR_INIT("workers:"),
         STR_INIT("workers (from line 1 of the settings file) is ''; give a whole number from 0 to "
                  "256")},
        {STR_INIT("workers: 1.5"),
         STR_INIT("workers (from line 1 of the settings file) is '1.5'; give a whole number from 0 "
                  "to 256")},
        {STR_INIT("workers: [1]"),
         STR_INIT("workers (from line 1 of the settings file) takes one value")},
        {STR_INIT("workers: {a: 1}"),
         STR_INIT("workers (from line 1 of the settings file) takes one value")},
        {STR_INIT("access_token_lifetime: 3601"),
         STR_INIT(
             "access_token_lifetime (from line 1 of the settings file) is '3601'; give a whole "
             "number from 60 to 3600")},
        {STR_INIT("registration_management: yes"),
         STR_INIT("registration_management (from line 1 of the settings file) is 'yes'; say "
                  "true or false")},
        {STR_INIT("store: postgresql"),
         STR_INIT("store (from line 1 of the settings file) is 'postgresql'; say one of: sqlite "
                  "memory postgres")},
        {STR_INIT("store: ''"),
         STR_INIT("store (from line 1 of the settings file) is ''; say one of: sqlite memory "
                  "postgres")},
        {STR_INIT("store: 'sqlite memory'"),
         STR_INIT("store (from line 1 of the settings file) is 'sqlite memory'; say one of: sqlite "
                  "memory postgres")},
        {STR_INIT("signing_alg: none"),
         STR_INIT("signing_alg (from line 1 of the settings file) is 'none'; say one of: ES256 "
                  "EdDSA RS256")},
        {STR_INIT("data: \"a\\0b\""),
         STR_INIT("data (from line 1 of the settings file) is 'a?b'; leave out what is no text: "
                  "control characters")},
        {STR_INIT("data: \"a\\e[2Jb\""),
         STR_INIT("data (from line 1 of the settings file) is 'a?[2Jb'; leave out what is no text: "
                  "control characters")},
        {STR_INIT("listen: 8080"),
         STR_INIT("listen (from line 1 of the settings file) is '8080'; give ADDRESS:PORT, such as "
                  "127.0.0.1:8080 or [::1]:8080")},
        {STR_INIT("metrics_listen: 9464"),
         STR_INIT("metrics_listen (from line 1 of the settings file) is '9464'; give ADDRESS:PORT, "
                  "such as 127.0.0.1:9464")},
        {STR_INIT("listen: localhost:81\nmetrics_listen: 127.0.0.1:81"),
         STR_INIT("metrics_listen (from line 2 of the settings file) is '127.0.0.1:81'; listen is "
                  "that address, too: give another port, such as 127.0.0.1:9464")},
        {STR_INIT("tls_certificate: a"),
         STR_INIT("tls_certificate (from line 1 of the settings file) is 'a'; tls_certificate and "
                  "tls_key_file come together: set the other one, too")},
        {STR_INIT("tls_key_file: a"),
         STR_INIT("tls_key_file (from line 1 of the settings file) is 'a'; tls_certificate and "
                  "tls_key_file come together: set the other one, too")},
        {STR_INIT("default_resource: mcp"),
         STR_INIT("default_resource (from line 1 of the settings file) is 'mcp'; give the URI of a "
                  "resource, such as https://mcp.example.com/mcp")},
        {STR_INIT("sandbox_connect_ports: [443, https]"),
         STR_INIT("sandbox_connect_ports (from line 1 of the settings file) is '443,https'; give "
                  "numbers of TCP ports, such as 443")},
        {STR_INIT("trusted_proxies: [10.0.0.0/8, proxy]"),
         STR_INIT("trusted_proxies (from line 1 of the settings file) is '10.0.0.0/8,proxy'; "
                  "'proxy' is no address or CIDR such as 10.0.0.0/8")},
        {STR_INIT("client_document_hosts: [a.test, '*']"),
         STR_INIT("client_document_hosts (from line 1 of the settings file) is 'a.test,*'; '*' is "
                  "no host such as example.com, *.example.com or example.com:8443")},
        {STR_INIT("client_document_denied_hosts: ['https://a.test']"),
         STR_INIT("client_document_denied_hosts (from line 1 of the settings file) is "
                  "'https://a.test'; 'https://a.test' is no host such as example.com, "
                  "*.example.com or example.com:8443")},
        {STR_INIT("client_document_private_hosts: ['localhost:x']"),
         STR_INIT("client_document_private_hosts (from line 1 of the settings file) is "
                  "'localhost:x'; 'localhost:x' is no host such as example.com, *.example.com or "
                  "example.com:8443")},
        {STR_INIT("trusted_proxies: ['']"),
         STR_INIT("trusted_proxies (from line 1 of the settings file) is ''; '' is no address or "
                  "CIDR such as 10.0.0.0/8")},
        {STR_INIT("trusted_proxies: [[a]]"),
         STR_INIT("trusted_proxies (from line 1 of the settings file) takes a list of words")},
        {STR_INIT("trusted_proxies: {a: b}"),
         STR_INIT("trusted_proxies (from line 1 of the settings file) takes one value")},
        {STR_INIT("redirect_hosts: [claude.ai, 'https://x']"),
         STR_INIT("redirect_hosts (from line 1 of the settings file) is 'claude.ai,https://x'; "
                  "'https://x' is no host such as example.com, *.example.com or localhost:8443")},
        {STR_INIT("redirect_denied_hosts: ['a b']"),
         STR_INIT("redirect_denied_hosts (from line 1 of the settings file) is 'a b'; 'a b' is no "
                  "host such as example.com, *.example.com or localhost:8443")},
        {STR_INIT("redirect_schemes: ['cursor://']"),
         STR_INIT("redirect_schemes (from line 1 of the settings file) is 'cursor://'; 'cursor://' "
                  "is no scheme such as cursor or com.example.app")},
        {STR_INIT("redirect_schemes: [1a]"),
         STR_INIT("redirect_schemes (from line 1 of the settings file) is '1a'; '1a' is no scheme "
                  "such as cursor or com.example.app")},
        {STR_INIT("redirect_schemes: [cursor, JavaScript]"),
         STR_INIT("redirect_schemes (from line 1 of the settings file) is 'cursor,JavaScript'; "
                  "'JavaScript' is no private-use scheme of an application")},
        {STR_INIT("store: memory\npubic_url: x"),
         STR_INIT(
             "there is no setting 'pubic_url' (from line 2 of the settings file); did you mean "
             "'public_url'?")},
        {STR_INIT("zzz: x"),
         STR_INIT("there is no setting 'zzz' (from line 1 of the settings file); docs/SETTINGS.md "
                  "lists the settings")},
        {STR_INIT("'': x"),
         STR_INIT(
             "there is no setting '' (from line 1 of the settings file); docs/SETTINGS.md lists "
             "the settings")},
        {STR_INIT("\"a\\nb\": x"),
         STR_INIT("there is no setting 'a?b' (from line 1 of the settings file); docs/SETTINGS.md "
                  "lists the settings")},
        {STR_INIT("Workers: 1"),
         STR_INIT("there is no setting 'Workers' (from line 1 of the settings file); did you mean "
                  "'workers'?")},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        assert_str(test_file_refusal(*state, TABLE[i].file), TABLE[i].why);
}

static void the_sentence_names_the_source(void **state)
{
    conf_value_t bad[] = {{STR("workers"), STR("x")}}, unknown[] = {{STR("data_dir"), STR("x")}};
    conf_sources_t env = {.env = bad, .n_env = 1}, flag = {.flags = bad, .n_flags = 1};
    assert_str(test_refusal(*state, &env),
               STR("workers (from the environment) is 'x'; give a whole "
                   "number from 0 to 256"));
    assert_str(test_refusal(*state, &flag), STR("workers (from the command line) is 'x'; give a "
                                                "whole number from 0 to 256"));
    env.env = unknown;
    flag.flags = unknown;
    assert_str(test_refusal(*state, &env),
               STR("there is no setting 'data_dir' (from the environment); did you mean 'data'?"));
    assert_str(test_refusal(*state, &flag),
               STR("there is no setting 'data_dir' (from the command line); did you mean 'data'?"));
}

/* A wrong value that a later source mends is never used, and stops nothing. */
static void a_later_source_mends(void **state)
{
    conf_value_t flags[] = {{STR("workers"), STR("4")}};
    conf_sources_t s = test_file(STR("workers: many"));
    s.flags = flags;
    s.n_flags = 1;
    assert_int_equal(test_load(*state, &s)->workers, 4);
}

static void a_long_value_is_cut_in_the_sentence(void **state)
{
    char value[3000];
    memset(value, 'x', sizeof value);
    conf_value_t env[] = {{STR("workers"), str_of(value, sizeof value)}};
    conf_sources_t s = {.env = env, .n_env = 1};
    assert_true(test_refusal(*state, &s).n < 250);
    value[0] = '\xff';
    env[0].key = STR("data");
    assert_true(str_contains(test_refusal(*state, &s), STR("'?xxx")));
}

static void what_is_text(void **state)
{
    (void)state;
    static const struct {
        str_t text;
        bool good;
    } TABLE[] = {
        {STR_INIT(""), true},
        {STR_INIT("a ~"), true},
        {STR_INIT("\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80"), true},
        {STR_INIT("\xe2\x80\xa7"), true},
        {STR_INIT("\xef\xbf\xbd"), true},
        {STR_INIT("a\0"), false},
        {STR_INIT("\t"), false},
        {STR_INIT("\n"), false},
        {STR_INIT("\x1f"), false},
        {STR_INIT("\x7f"), false},
        {STR_INIT("\xc2\x80"), false},
        {STR_INIT("\xc2\x85"), false},
        {STR_INIT("\xc2\x9f"), false},
        {STR_INIT("x\xe2\x80\xa8"), false},
        {STR_INIT("\xe2\x80\xa9"), false},
        {STR_INIT("\xef\xbb\xbf"), false},
        {STR_INIT("\xef\xbf\xbe"), false},
        {STR_INIT("\xef\xbf\xbf"), false},
        {STR_INIT("\xff"), false},
        {STR_INIT("\xc2"), false},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++)
        if (conf_is_text(TABLE[i].text) != TABLE[i].good)
            fail_msg("row %zu", i);
    assert_true(conf_is_text(STR_UNSET));
}

static void public_urls(void **state)
{
    static const struct {
        str_t in, out;
    } GOOD[] = {
        {STR_INIT("https://auth.example.com"), STR_INIT("https://auth.example.com")},
        {STR_INIT("HTTPS://Auth.Example.com:443/"), STR_INIT("https://auth.example.com")},
        {STR_INIT("https://auth.example.com:8443/"), STR_INIT("https://auth.example.com:8443")},
        {STR_INIT("http://localhost:8080"), STR_INIT("http://localhost:8080")},
        {STR_INIT("http://127.0.0.1:8080"), STR_INIT("http://127.0.0.1:8080")},
        {STR_INIT("http://[::1]:8080/"), STR_INIT("http://[::1]:8080")},
        {STR_INIT("https://[2001:DB8::1]"), STR_INIT("https://[2001:db8::1]")},
    };
    for (size_t i = 0; i < ROWS(GOOD); i++) {
        str_t out, why;
        assert_int_equal(conf_check_public_url(*state, GOOD[i].in, &out, &why), RC_OK);
        assert_str(out, GOOD[i].out);
        conf_value_t env[] = {{STR("public_url"), GOOD[i].in}};
        conf_sources_t s = {.env = env, .n_env = 1};
        assert_str(test_load(*state, &s)->public_url, GOOD[i].out);
    }
}

static void public_urls_refused(void **state)
{
#define FORM  "give a URL such as https://auth.example.com"
#define PLAIN "plain http is for loopback only: give the https URL that clients use"
#define PARTS "leave out user, query and fragment"
#define PATH  "leave out the path: many clients lose the path of an issuer"
    static const struct {
        const char *url, *mend;
    } BAD[] = {
        {"auth.example.com", FORM},
        {"localhost:8080", FORM},
        {"ftp://h", FORM},
        {"https://", FORM},
        {"https:///x", FORM},
        {"https://h/a b", FORM},
        {"https://h:99999", FORM},
        {"https://m\xc3\xbcller.example", FORM},
        {"http://auth.example.com", PLAIN},
        {"http://127.0.0.2", PLAIN},
        {"http://localhost.evil.example", PLAIN},
        {"http://10.0.0.1:8080", PLAIN},
        {"https://h?x", PARTS},
        {"https://h?", PARTS},
        {"https://h/#", PARTS},
        {"https://h/tenant", PATH},
        {"https://h//", PATH},
        {"https://h/%2e", PATH},
    };
    for (size_t i = 0; i < ROWS(BAD); i++) {
        str_t out, why, shown = conf_shown(*state, str_c(BAD[i].url));
        assert_int_equal(conf_check_public_url(*state, str_c(BAD[i].url), &out, &why), RC_CONFIG);
        assert_str(why, arena_printf(*state, "public_url is '%" PRIstr "'; %s", STR_ARG(shown),
                                     BAD[i].mend));
        conf_value_t env[] = {{STR("public_url"), str_c(BAD[i].url)}};
        conf_sources_t s = {.env = env, .n_env = 1};
        assert_str(test_refusal(*state, &s),
                   arena_printf(*state, "public_url (from the environment) is '%" PRIstr "'; %s",
                                STR_ARG(shown), BAD[i].mend));
    }
}

static void a_password_in_a_url_is_not_repeated(void **state)
{
    static const str_t URLS[] = {STR_INIT("https://admin:hunter2@h/"),
                                 STR_INIT("https://admin:hunter2 @h/")};
    for (size_t i = 0; i < ROWS(URLS); i++) {
        conf_value_t env[] = {{STR("public_url"), URLS[i]}};
        conf_sources_t s = {.env = env, .n_env = 1};
        str_t out, why = test_refusal(*state, &s);
        assert_true(str_starts(why, STR("public_url (from the environment) is '***'; ")));
        assert_false(str_contains(why, STR("hunter2")));
        assert_int_equal(conf_check_public_url(*state, URLS[i], &out, &why), RC_CONFIG);
        assert_false(str_contains(why, STR("hunter2")));
    }
}

static void the_nearest_key(void **state)
{
    (void)state;
    assert_str(conf_row_nearest(STR("publicurl")), STR("public_url"));
    assert_str(conf_row_nearest(STR("public-url")), STR("public_url"));
    assert_str(conf_row_nearest(STR("trusted_proxy")), STR("trusted_proxies"));
    assert_str(conf_row_nearest(STR("sesion_idle")), STR("session_idle"));
    assert_false(str_is_set(conf_row_nearest(STR("xyz"))));
    assert_false(str_is_set(conf_row_nearest(STR(""))));
}

/* Whatever the budget: settings, or RC_MEMORY. */
static void every_failing_allocation(void **state)
{
    (void)state;
    conf_sources_t s = test_file(STR("trusted_proxies: ['::1', 10.0.0.0/8]\npublic_url: https://h\n"
                                     "resources:\n - uri: https://h/mcp\n   scopes: {a: b}\n"
                                     "   default_scopes: [a]\n   aliases: ['https://h']\n"));
    size_t failures = 0;
    rc_t rc = RC_MEMORY;
    for (size_t budget = 0; rc != RC_OK; budget += 16) {
        arena_t *a = arena_new(budget);
        const conf_t *conf;
        str_t why;
        rc = conf_load(a, &s, &conf, &why);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        assert_true((rc == RC_OK) == (conf != NULL));
        failures += rc != RC_OK;
        arena_free(a);
    }
    assert_true(failures > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(nothing_gives_the_defaults),
        ARENA_TEST(every_row_is_sound),
        ARENA_TEST(the_later_source_wins),
        ARENA_TEST(lists_come_in_two_spellings),
        ARENA_TEST(bounds_are_inside),
        ARENA_TEST(wrong_values),
        ARENA_TEST(the_sentence_names_the_source),
        ARENA_TEST(a_later_source_mends),
        ARENA_TEST(a_long_value_is_cut_in_the_sentence),
        cmocka_unit_test(what_is_text),
        ARENA_TEST(public_urls),
        ARENA_TEST(public_urls_refused),
        ARENA_TEST(a_password_in_a_url_is_not_repeated),
        ARENA_TEST(the_nearest_key),
        ARENA_TEST(every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
