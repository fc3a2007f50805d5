#include "core/core_test_util.h"

#include "core/host_list.h"

static const str_t LIST[] = {
    STR_INIT("example.com"), STR_INIT("*.trusted.test"), STR_INIT("localhost:8443"),
    STR_INIT("[::1]:8443"),  STR_INIT("[fd00::1]"),
};
static const str_list_t HOSTS = {LIST, ROWS(LIST)};

static void hosts_fit_their_rows(void **state)
{
    static const struct {
        const char *url;
        bool has;
    } TABLE[] = {
        {"https://example.com/", true},      {"https://EXAMPLE.com:8443/x", true},
        {"https://www.example.com/", false}, {"https://example.com.evil.test/", false},
        {"https://notexample.com/", false},  {"https://a.trusted.test/", true},
        {"https://b.a.TRUSTED.test/", true}, {"https://trusted.test/", false},
        {"https://.trusted.test/", false},   {"https://untrusted.test/", false},
        {"https://localhost:8443/", true},   {"http://localhost:8443/", true},
        {"https://localhost:8444/", false},  {"https://localhost/", false},
        {"https://[::1]:8443/", true},       {"https://[::1]/", false},
        {"https://[fd00::1]:1/", true},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        url_t u;
        assert_int_equal(url_parse(str_c(TABLE[i].url), &u), RC_OK);
        if (host_list_has(HOSTS, &u) != TABLE[i].has)
            fail_msg("%s", TABLE[i].url);
    }
}

static void a_port_is_that_of_the_scheme_where_none_is_said(void **state)
{
    static const str_t ROW[] = {STR_INIT("example.com:443")};
    url_t u;
    (void)state;
    assert_int_equal(url_parse(STR("https://example.com/"), &u), RC_OK);
    assert_true(host_list_has((str_list_t){ROW, 1}, &u));
    assert_int_equal(url_parse(STR("http://example.com/"), &u), RC_OK);
    assert_false(host_list_has((str_list_t){ROW, 1}, &u));
}

static void a_list_without_rows_has_nobody(void **state)
{
    url_t u;
    (void)state;
    assert_int_equal(url_parse(STR("https://example.com/"), &u), RC_OK);
    assert_false(host_list_has((str_list_t){NULL, 0}, &u));
}

static void rows_have_one_of_three_forms(void **state)
{
    static const char *const GOOD[] = {"a",     "a.test",     "*.a.test",    "a:1", "*.a.test:443",
                                       "[::1]", "[::1]:8443", "127.0.0.1:80"};
    static const char *const BAD[] = {
        "",          "*",   "*.",  "a.*.test", "a:",   "a:0", "a:65536", "a:http",
        "https://a", "a/b", "a b", "[]",       "[::1", "a@b", "[::1]x"};
    (void)state;
    for (size_t i = 0; i < ROWS(GOOD); i++)
        if (!host_list_row_is_sound(str_c(GOOD[i])))
            fail_msg("%s", GOOD[i]);
    for (size_t i = 0; i < ROWS(BAD); i++)
        if (host_list_row_is_sound(str_c(BAD[i])))
            fail_msg("%s", BAD[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_fit_their_rows),
        cmocka_unit_test(a_port_is_that_of_the_scheme_where_none_is_said),
        cmocka_unit_test(a_list_without_rows_has_nobody),
        cmocka_unit_test(rows_have_one_of_three_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
