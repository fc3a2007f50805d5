#include "identity/identity_test_util.h"

#include "identity/login.h"

static const user_t USER = {.name = STR_INIT("alice")};
static const user_t DISABLED = {.name = STR_INIT("bob"), .disabled = true};

static void signed_in(void **state)
{
    (void)state;
    assert_int_equal(identity_login_judge(&USER, true), IDENTITY_LOGIN_FINE);
}

/* An account that is not there has no password that fits, whatever somebody says. */
static void login_user_unknown(void **state)
{
    (void)state;
    assert_int_equal(identity_login_judge(NULL, false), IDENTITY_LOGIN_USER_UNKNOWN);
    assert_int_equal(identity_login_judge(NULL, true), IDENTITY_LOGIN_USER_UNKNOWN);
}

/* Of a disabled account too: who does not know the password learns nothing. */
static void login_password_wrong(void **state)
{
    (void)state;
    assert_int_equal(identity_login_judge(&USER, false), IDENTITY_LOGIN_PASSWORD_WRONG);
    assert_int_equal(identity_login_judge(&DISABLED, false), IDENTITY_LOGIN_PASSWORD_WRONG);
}

static void login_user_disabled(void **state)
{
    (void)state;
    assert_int_equal(identity_login_judge(&DISABLED, true), IDENTITY_LOGIN_USER_DISABLED);
}

static void each_verdict_has_its_own_words(void **state)
{
    (void)state;
    for (identity_login_t i = 0; i < IDENTITY_LOGIN_COUNT; i++) {
        assert_true(identity_login_about(i).n > 0);
        assert_true(str_is_printable_ascii(identity_login_about(i)));
        for (identity_login_t k = 0; k < i; k++)
            assert_false(str_eq(identity_login_reason(i), identity_login_reason(k)));
    }
    assert_text(identity_login_reason(IDENTITY_LOGIN_FINE), "signed_in");
    assert_text(identity_login_reason(IDENTITY_LOGIN_THROTTLED), "login_throttled");
    assert_text(identity_login_reason(IDENTITY_LOGIN_PASSWORD_OFF), "login_password_off");
    assert_text(identity_login_about(IDENTITY_LOGIN_USER_UNKNOWN), "no such account");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_in),
        cmocka_unit_test(login_user_unknown),
        cmocka_unit_test(login_password_wrong),
        cmocka_unit_test(login_user_disabled),
        cmocka_unit_test(each_verdict_has_its_own_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
