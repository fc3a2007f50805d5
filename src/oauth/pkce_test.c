#include "oauth/oauth_test_world.h"

#include "oauth/pkce.h"

/* RFC 7636 appendix B */
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

/* attack case: PKCE-007 */
static void the_vector_of_rfc_7636(void **state)
{
    (void)state;
    assert_reason(oauth_pkce_check_challenge(STR(CHALLENGE), STR("S256")), OAUTH_FINE);
    assert_reason(oauth_pkce_check_verifier(STR(VERIFIER), STR(CHALLENGE)), OAUTH_FINE);
}

static void pkce_missing(void **state)
{
    (void)state;
    assert_reason(oauth_pkce_check_challenge(STR_UNSET, STR_UNSET), OAUTH_PKCE_MISSING);
    assert_reason(oauth_pkce_check_challenge(STR_UNSET, STR("S256")), OAUTH_PKCE_MISSING);
    assert_reason(oauth_pkce_check_challenge(STR(""), STR("S256")), OAUTH_PKCE_MISSING);
}

/* attack case: PKCE-002 */
static void pkce_method(void **state)
{
    (void)state;
    static const str_t BAD[] = {{NULL, 0},        STR_INIT(""),     STR_INIT("plain"),
                                STR_INIT("s256"), STR_INIT("S512"), STR_INIT("S256 "),
                                STR_INIT("none")};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_reason(oauth_pkce_check_challenge(STR(CHALLENGE), BAD[i]), OAUTH_PKCE_METHOD);
    assert_reason(oauth_pkce_check_challenge(STR(CHALLENGE), STR("S256")), OAUTH_FINE);
}

/* attack case: PKCE-006 */
static void pkce_challenge(void **state)
{
    (void)state;
    static const str_t BAD[] = {
        STR_INIT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c"),   /* 42 characters */
        STR_INIT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMA"), /* 44 */
        STR_INIT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c="),
        STR_INIT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="),
        STR_INIT("/9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        STR_INIT("+9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        STR_INIT("~9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        STR_INIT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN"), /* bits beyond the 32 bytes */
        STR_INIT("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c\0"),
        STR_INIT(CHALLENGE CHALLENGE CHALLENGE),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_reason(oauth_pkce_check_challenge(BAD[i], STR("S256")), OAUTH_PKCE_CHALLENGE);
    assert_reason(oauth_pkce_check_challenge(STR(CHALLENGE), STR("S256")), OAUTH_FINE);
}

static void pkce_verifier_missing(void **state)
{
    (void)state;
    assert_reason(oauth_pkce_check_verifier(STR_UNSET, STR(CHALLENGE)),
                  OAUTH_PKCE_VERIFIER_MISSING);
}

/* attack case: PKCE-003 */
static void pkce_verifier_malformed(void **state)
{
    (void)state;
    static const str_t BAD[] = {
        STR_INIT("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX"), /* 42 characters */
        STR_INIT("+BjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        STR_INIT(VERIFIER "\0"),
        STR_INIT(VERIFIER " "),
        STR_INIT(VERIFIER "\xc3\xa9"),
        STR_INIT(VERIFIER VERIFIER VERIFIER), /* 129 */
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_reason(oauth_pkce_check_verifier(BAD[i], STR(CHALLENGE)),
                      OAUTH_PKCE_VERIFIER_MALFORMED);
}

static void pkce_mismatch(void **state)
{
    (void)state;
    assert_reason(oauth_pkce_check_verifier(STR(CHALLENGE), STR(CHALLENGE)), OAUTH_PKCE_MISMATCH);
    assert_reason(oauth_pkce_check_verifier(STR(VERIFIER "A"), STR(CHALLENGE)),
                  OAUTH_PKCE_MISMATCH);
    assert_reason(oauth_pkce_check_verifier(STR(VERIFIER), STR("")), OAUTH_PKCE_MISMATCH);
    assert_reason(oauth_pkce_check_verifier(STR(VERIFIER), STR_UNSET), OAUTH_PKCE_MISMATCH);
    assert_reason(oauth_pkce_check_verifier(STR(VERIFIER), STR(CHALLENGE)), OAUTH_FINE);
}

static void verifiers_up_to_128_characters(void **state)
{
    (void)state;
    char text[129];
    memset(text, '~', sizeof text);
    assert_reason(oauth_pkce_check_verifier(str_of(text, 128), STR(CHALLENGE)),
                  OAUTH_PKCE_MISMATCH);
    assert_reason(oauth_pkce_check_verifier(str_of(text, 129), STR(CHALLENGE)),
                  OAUTH_PKCE_VERIFIER_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_rfc_7636),
        cmocka_unit_test(pkce_missing),
        cmocka_unit_test(pkce_method),
        cmocka_unit_test(pkce_challenge),
        cmocka_unit_test(pkce_verifier_missing),
        cmocka_unit_test(pkce_verifier_malformed),
        cmocka_unit_test(pkce_mismatch),
        cmocka_unit_test(verifiers_up_to_128_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
