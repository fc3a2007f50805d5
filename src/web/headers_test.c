#include "web/web_test_page.h"

#include "web/headers.h"

static str_t header(const char *name)
{
    size_t n, found = 0;
    str_t value = STR_UNSET;
    const web_header_t *headers = web_security_headers(&n);
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(headers[i].name, str_c(name))) {
            value = headers[i].value;
            found++;
        }
    assert_int_equal(found, 1);
    return value;
}

static void the_policy_knows_no_scripts_and_nothing_foreign(void **state)
{
    (void)state;
    static const char *const DIRECTIVES[] = {"default-src 'none'", "style-src 'self'",
                                             "img-src 'self'",     "form-action 'self'",
                                             "base-uri 'none'",    "frame-ancestors 'none'"};
    str_t policy = header("Content-Security-Policy"), directive;
    size_t n = 0;
    for (str_t rest = policy; str_split(&rest, ';', &directive); n++)
        assert_true(n < 6 && str_eq(str_trim(directive, " "), str_c(DIRECTIVES[n])));
    assert_int_equal(n, 6);
}

static void the_others(void **state)
{
    (void)state;
    static const char *const ROWS[][2] = {
        {"Content-Type", "text/html; charset=utf-8"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        assert_true(str_eq(header(ROWS[i][0]), str_c(ROWS[i][1])));
    size_t n;
    web_security_headers(&n);
    assert_int_equal(n, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_knows_no_scripts_and_nothing_foreign),
        cmocka_unit_test(the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
