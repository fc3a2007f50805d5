#include "oauth/oauth_test_world.h"

#include "oauth/acr.h"

#define PASSWORD "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

static void what_is_offered(void **state)
{
    (void)state;
    assert_text(oauth_acr_value(OAUTH_ACR_PASSWORD), PASSWORD);
    assert_int_equal(oauth_acr_values().n, OAUTH_ACR_COUNT);
    assert_true(oauth_acr_is_offered(STR(PASSWORD)));
    assert_true(oauth_acr_is_offered(STR("phr  " PASSWORD " 2")));
    assert_false(oauth_acr_is_offered(STR("phr")));
    assert_false(oauth_acr_is_offered(STR(PASSWORD "2")));
    assert_false(oauth_acr_is_offered(STR(" ")));
    assert_false(oauth_acr_is_offered(STR_UNSET));
}

static void one_of_the_list_is_enough(void **state)
{
    (void)state;
    assert_true(oauth_acr_meets(STR("b"), STR("a b c")));
    assert_true(oauth_acr_meets(STR("c"), STR("a b c")));
    assert_false(oauth_acr_meets(STR("d"), STR("a b c")));
    assert_false(oauth_acr_meets(STR("a b"), STR("a b c")));
    assert_false(oauth_acr_meets(STR_UNSET, STR("a b c")));
    assert_false(oauth_acr_meets(STR(""), STR("a  b")));
    assert_false(oauth_acr_meets(STR("a"), STR_UNSET));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_offered),
        cmocka_unit_test(one_of_the_list_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
