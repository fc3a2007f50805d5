#include "conf/conf_test_util.h"

#define ISSUER "login_issuer: https://op.test/t/\n"
#define CLIENT "login_client_id: c\n"

static void provider_is_loaded_as_it_is_written(void **state)
{
    const conf_t *conf = test_load_file(
        *state, STR(ISSUER CLIENT "login_allowed: ['email=*@example.com', groups=staff]\n"));
    assert_str(conf->login_issuer, STR("https://op.test/t/"));
    assert_str(conf->login_scopes, STR("openid profile email"));
    assert_int_equal(conf->login_allowed.n, 2);
    assert_str(conf->login_allowed.v[0], STR("email=*@example.com"));
    assert_false(conf->login_only);
    assert_str(test_load_file(*state, STR(""))->login_issuer, STR(""));
    test_load_file(*state, STR(CLIENT)); /* a start warns of it */
    test_load_file(*state, STR("login_issuer: http://127.0.0.1:9\n" CLIENT "login_only: true\n"));
}

static void refusals_name_setting_and_mend(void **state)
{
    static const struct {
        const char *file, *key, *says;
    } ROWS[] = {
        {"login_issuer: accounts\n" CLIENT, "login_issuer", "give the issuer's URL"},
        {"login_issuer: http://op.test\n" CLIENT, "login_issuer", "https"},
        {"login_issuer: https://u@op.test\n" CLIENT, "login_issuer", "leave out user"},
        {"login_issuer: https://op.test?a\n" CLIENT, "login_issuer", "query"},
        {ISSUER, "login_client_id", "give the client_id"},
        {ISSUER CLIENT "login_scopes: email\n", "login_scopes", "openid"},
        {ISSUER CLIENT "login_scopes: openids\n", "login_scopes", "openid"},
        {ISSUER CLIENT "login_allowed: [staff]\n", "login_allowed", "groups=staff"},
        {ISSUER CLIENT "login_allowed: [=staff]\n", "login_allowed", "groups=staff"},
        {ISSUER CLIENT "login_allowed: [groups=]\n", "login_allowed", "groups=staff"},
        {ISSUER CLIENT "login_allowed: ['email=*']\n", "login_allowed", "groups=staff"},
        {"login_only: true\n", "login_only", "login_issuer"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t why = test_file_refusal(*state, str_c(ROWS[i].file));
        if (!str_starts(why, str_c(ROWS[i].key)) || !str_contains(why, str_c(ROWS[i].says)))
            fail_msg("%s: %" PRIstr, ROWS[i].file, STR_ARG(why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(provider_is_loaded_as_it_is_written),
        ARENA_TEST(refusals_name_setting_and_mend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
