#include "conf/conf_reload.h"
#include "conf/conf_table.h"
#include "conf/conf_test_util.h"

static str_list_t reload(arena_t *a, const char *running, const char *next, conf_t *out)
{
    str_list_t kept;
    *out = *test_load_file(a, str_c(next));
    assert_int_equal(conf_reload(a, test_load_file(a, str_c(running)), out, &kept), RC_OK);
    return kept;
}

static void what_needs_a_restart_keeps_its_value(void **state)
{
    conf_t c;
    str_list_t kept = reload(*state, "workers: 1\nregistration: open\nredirect_hosts: [a.example]",
                             "workers: 2\nregistration: open\nredirect_hosts: [b.example]\n"
                             "dpop_nonce: true\nlisten: 127.0.0.1:9",
                             &c);
    assert_int_equal(kept.n, 4);
    assert_true(str_list_has(kept, STR("workers")));
    assert_true(str_list_has(kept, STR("redirect_hosts")));
    assert_true(str_list_has(kept, STR("dpop_nonce")));
    assert_true(str_list_has(kept, STR("listen")));
    assert_int_equal(c.workers, 1);
    assert_str(c.redirect_hosts.v[0], STR("a.example"));
    assert_false(c.dpop_nonce);
    assert_int_equal(c.listen_port, 8080);
}

static void what_changes_at_once(void **state)
{
    conf_t c;
    str_list_t kept = reload(*state, "log_level: info\ntls_certificate: a\ntls_key_file: b",
                             "log_level: debug\ntls_certificate: c\ntls_key_file: d\n"
                             "policies: [{name: p, default: {scopes: [x]}, rules: []}]\n"
                             "resources: [{uri: 'https://r.example'}]\n"
                             "upstreams: [{path: /a, url: 'http://127.0.0.1:1', policy: p}]",
                             &c);
    assert_int_equal(kept.n, 0);
    assert_str(c.log_level, STR("debug"));
    assert_str(c.tls_certificate, STR("c"));
    assert_int_equal(c.n_upstreams, 1);
    assert_int_equal(c.n_resources, 1);
}

static void a_listener_stays_plain_or_not(void **state)
{
    conf_t c;
    str_list_t kept = reload(*state, "", "tls_certificate: c\ntls_key_file: d", &c);
    assert_int_equal(kept.n, 2);
    assert_int_equal(c.tls_certificate.n, 0);
    assert_int_equal(c.tls_key_file.n, 0);
    kept = reload(*state, "tls_certificate: c\ntls_key_file: d", "", &c);
    assert_int_equal(kept.n, 2);
    assert_str(c.tls_key_file, STR("d"));
}

#define ISSUER(rest)                                                                               \
    "trusted_issuers: [{issuer: 'https://i', uses: [workload], rules: [{name: n, claims: "         \
    "{sub: a}, resources: ['https://r']" rest "}]}]"

static void issuers_need_a_restart(void **state)
{
    conf_t c;
    assert_int_equal(reload(*state, ISSUER(""), ISSUER(""), &c).n, 0);
    str_list_t kept = reload(*state, ISSUER(""), ISSUER(", scopes: [x]"), &c);
    assert_int_equal(kept.n, 1);
    assert_str(kept.v[0], STR("trusted_issuers"));
    assert_int_equal(c.issuers[0].rules[0].scopes.n, 0);
    assert_int_equal(reload(*state, ISSUER(""), "", &c).n, 1);
    assert_int_equal(c.n_issuers, 1);
}

/* A key of the list that is no setting would never be taken. */
static void every_key_is_a_setting(void **state)
{
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < CONF_N_ROWS; i++)
        n += conf_reload_takes(CONF_ROWS[i].key);
    assert_int_equal(n, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_needs_a_restart_keeps_its_value),
        ARENA_TEST(what_changes_at_once),
        ARENA_TEST(a_listener_stays_plain_or_not),
        ARENA_TEST(issuers_need_a_restart),
        ARENA_TEST(every_key_is_a_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
