#include "jose/jose_test_util.h"

#include "jose/jwt.h"

static const int64_t NOW_MS = 1700000000LL * 1000, LEEWAY_MS = 30000;

static const str_t AUDIENCES[] = {STR_INIT("https://rs.test/mcp")};

static jwt_expect_t expectation(void)
{
    return (jwt_expect_t){.typ = STR("at+jwt"),
                          .issuer = STR("https://as.test"),
                          .audiences = {AUDIENCES, 1},
                          .now_ms = NOW_MS,
                          .leeway_ms = LEEWAY_MS};
}

static jwt_refusal_t judge_as(arena_t *a, str_t typ, str_t payload)
{
    jwt_claims_t claims;
    assert_int_equal(jwt_claims_parse(a, payload, &claims), RC_OK);
    jwt_expect_t expect = expectation();
    return jwt_check(typ, &claims, &expect);
}

static jwt_refusal_t judge(arena_t *a, str_t payload)
{
    return judge_as(a, STR("at+jwt"), payload);
}

#define WHO          "\"iss\":\"https://as.test\",\"sub\":\"alice\""
#define AUD          ",\"aud\":\"https://rs.test/mcp\""
#define EXP          ",\"exp\":1700000600"
#define CLAIMS(rest) STR("{" WHO AUD rest "}")
#define GOOD         CLAIMS(EXP)

static void reads_all_claims(void **state)
{
    arena_t *a = *state;
    jwt_claims_t c;
    str_t payload = CLAIMS(EXP ",\"nbf\":1.5,\"iat\":1699999999,\"jti\":\"j\",\"client_id\":\"c\","
                               "\"scope\":\"a b\",\"cnf\":{\"jkt\":\"x\"},\"other\":[1]");
    assert_int_equal(jwt_claims_parse(a, payload, &c), RC_OK);
    assert_int_equal(c.refusal, JWT_FINE);
    assert_str(c.iss, STR("https://as.test"));
    assert_str(c.sub, STR("alice"));
    assert_str(c.jti, STR("j"));
    assert_str(c.client_id, STR("c"));
    assert_str(c.scope, STR("a b"));
    assert_int_equal(c.aud.n, 1);
    assert_int_equal(c.exp_ms, 1700000600000LL);
    assert_int_equal(c.nbf_ms, 1500);
    assert_int_equal(c.iat_ms, 1699999999000LL);
    assert_non_null(c.cnf);
    assert_non_null(json_get(c.all, STR("other")));
}

/* attack case: JWT-020 */
static void jwt_typ(void **state)
{
    arena_t *a = *state;
    static const str_t GOOD_TYPES[] = {STR_INIT("at+jwt"), STR_INIT("AT+JWT"),
                                       STR_INIT("application/at+jwt"),
                                       STR_INIT("Application/AT+jwt")};
    /* ID token, client assertion, DPoP proof, logout token, JARM, key binding, and near misses */
    static const str_t BAD[] = {STR_INIT("JWT"),
                                STR_INIT("jwt"),
                                STR_INIT("client-authentication+jwt"),
                                STR_INIT("dpop+jwt"),
                                STR_INIT("logout+jwt"),
                                STR_INIT("oauth-authz-req+jwt"),
                                STR_INIT("kb+jwt"),
                                STR_INIT(""),
                                STR_INIT("at+jwt "),
                                STR_INIT("at+jwt+x"),
                                STR_INIT("application/application/at+jwt"),
                                STR_INIT("text/at+jwt"),
                                STR_INIT("rt+jwt")};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(judge_as(a, BAD[i], GOOD), JWT_TYP);
    assert_int_equal(judge_as(a, STR_UNSET, GOOD), JWT_TYP);
    for (size_t i = 0; i < sizeof GOOD_TYPES / sizeof GOOD_TYPES[0]; i++)
        assert_int_equal(judge_as(a, GOOD_TYPES[i], GOOD), JWT_FINE);
}

static void jwt_iss(void **state)
{
    arena_t *a = *state;
    assert_int_equal(judge(a, STR("{\"sub\":\"x\"" AUD EXP "}")), JWT_ISS);
    assert_int_equal(judge(a, STR("{\"iss\":\"https://as.test/\",\"sub\":\"x\"" AUD EXP "}")),
                     JWT_ISS);
    assert_int_equal(judge(a, STR("{\"iss\":\"https://AS.test\",\"sub\":\"x\"" AUD EXP "}")),
                     JWT_ISS);
    assert_int_equal(judge(a, GOOD), JWT_FINE);
}

static void jwt_aud(void **state)
{
    arena_t *a = *state;
    static const str_t BAD[] = {
        STR_INIT(""),
        STR_INIT(",\"aud\":[]"),
        STR_INIT(",\"aud\":\"https://other.test/mcp\""),
        STR_INIT(",\"aud\":\"https://rs.test/mcp/\""),
        STR_INIT(",\"aud\":\"https://rs.test\""),
        STR_INIT(",\"aud\":\"https://rs.test:443/mcp\""),
        STR_INIT(",\"aud\":\"https://RS.test/mcp\""),
        STR_INIT(",\"aud\":\"https://rs.test/mcp2\""),
        STR_INIT(",\"aud\":\"https://rs.test/mcp \""),
        STR_INIT(",\"aud\":[\"a\",\"b\"]"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(judge(a, arena_printf(a, "{" WHO EXP "%" PRIstr "}", STR_ARG(BAD[i]))),
                         JWT_AUD);
    assert_int_equal(judge(a, STR("{" WHO EXP ",\"aud\":[\"x\",\"https://rs.test/mcp\"]}")),
                     JWT_FINE);
}

static void jwt_sub(void **state)
{
    arena_t *a = *state;
    assert_int_equal(judge(a, STR("{\"iss\":\"https://as.test\"" AUD EXP "}")), JWT_SUB);
    assert_int_equal(judge(a, STR("{\"iss\":\"https://as.test\",\"sub\":\"\"" AUD EXP "}")),
                     JWT_SUB);
    assert_int_equal(judge(a, GOOD), JWT_FINE);
}

static void jwt_no_exp(void **state)
{
    assert_int_equal(judge(*state, CLAIMS("")), JWT_NO_EXPIRY);
    assert_int_equal(judge(*state, GOOD), JWT_FINE);
}

static void jwt_expired_at_exp_plus_leeway(void **state)
{
    arena_t *a = *state;
    assert_int_equal(judge(a, CLAIMS(",\"exp\":1699999970")), JWT_EXPIRED);
    assert_int_equal(judge(a, CLAIMS(",\"exp\":1699999970.5")), JWT_FINE);
    assert_int_equal(judge(a, CLAIMS(",\"exp\":0")), JWT_EXPIRED);
}

static void jwt_not_yet(void **state)
{
    arena_t *a = *state;
    assert_int_equal(judge(a, CLAIMS(EXP ",\"nbf\":1700000031")), JWT_NOT_YET);
    assert_int_equal(judge(a, CLAIMS(EXP ",\"iat\":1700000031")), JWT_NOT_YET);
    assert_int_equal(judge(a, CLAIMS(EXP ",\"nbf\":1700000030,\"iat\":1700000030")), JWT_FINE);
}

/* attack case: JWT-015 */
static void numeric_dates(void **state)
{
    arena_t *a = *state;
    static const str_t MALFORMED[] = {
        STR_INIT("1e300"),
        STR_INIT("-1"),
        STR_INIT("\"1700000600\""),
        STR_INIT("true"),
        STR_INIT("null"),
        STR_INIT("[]"),
        STR_INIT("{}"),
        STR_INIT("NaN"),
        STR_INIT("1e999"),
        STR_INIT("Infinity"),
        STR_INIT("9223372036854775808"),
        STR_INIT("9223372036854775807"),
        STR_INIT("-9223372036854775808"),
        STR_INIT("18446744073709551617"),
        STR_INIT("253402300800"),
        STR_INIT("01"),
        STR_INIT("0x7fffffff"),
        STR_INIT("-0.5"),
    };
    for (size_t i = 0; i < sizeof MALFORMED / sizeof MALFORMED[0]; i++) {
        str_t payload = arena_printf(a, "{" WHO AUD ",\"exp\":%" PRIstr "}", STR_ARG(MALFORMED[i]));
        assert_int_equal(judge(a, payload), JWT_MALFORMED);
    }
    assert_int_equal(judge(a, CLAIMS(",\"exp\":1.5")), JWT_EXPIRED);
    assert_int_equal(judge(a, CLAIMS(",\"exp\":1700000600.75")), JWT_FINE);
    assert_int_equal(judge(a, CLAIMS(",\"exp\":1.7000006e9")), JWT_FINE);
    assert_int_equal(judge(a, CLAIMS(",\"exp\":253402300799")), JWT_FINE);
}

/* attack case: JWT-015 */
static void deep_nesting(void **state)
{
    arena_t *a = *state;
    enum { DEEP = 100000 };
    buf_t b = buf_new(a, 2 * DEEP + 64);
    buf_put(&b, STR("{\"a\":"));
    for (int i = 0; i < DEEP; i++)
        buf_char(&b, '[');
    for (int i = 0; i < DEEP; i++)
        buf_char(&b, ']');
    buf_char(&b, '}');
    assert_int_equal(judge(a, buf_str(&b)), JWT_MALFORMED);
    assert_int_equal(judge(a, GOOD), JWT_FINE);
}

/* attack case: JWT-010 */
static void duplicate_claims(void **state)
{
    arena_t *a = *state;
    assert_int_equal(judge(a, CLAIMS(EXP EXP)), JWT_MALFORMED);
    assert_int_equal(judge(a, CLAIMS(EXP AUD)), JWT_MALFORMED);
    assert_int_equal(judge(a, CLAIMS(EXP ",\"sub\":\"bob\"")), JWT_MALFORMED);
    assert_int_equal(judge(a, CLAIMS(EXP ",\"scope\":\"a\",\"scope\":\"b\"")), JWT_MALFORMED);
    assert_int_equal(judge(a, CLAIMS(EXP ",\"x\":{\"a\":1,\"a\":2}")), JWT_MALFORMED);
    assert_int_equal(judge(a, GOOD), JWT_FINE);
}

static void jwt_malformed(void **state)
{
    arena_t *a = *state;
    static const str_t BAD[] = {
        STR_INIT(""),
        STR_INIT("[]"),
        STR_INIT("\"x\""),
        STR_INIT("{"),
        STR_INIT("{} "
                 "x"),
        STR_INIT("{\"iss\":1}"),
        STR_INIT("{\"sub\":null}"),
        STR_INIT("{\"aud\":1}"),
        STR_INIT("{\"aud\":[1]}"),
        STR_INIT("{\"aud\":{}}"),
        STR_INIT("{\"scope\":[\"a\"]}"),
        STR_INIT("{\"client_id\":true}"),
        STR_INIT("{\"jti\":5}"),
        STR_INIT("{\"a\":\"\\ud800\"}"),
        STR_INIT("\xef\xbb\xbf{}"),
        STR_INIT("{\"a\":\"\xff\"}"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(judge(a, BAD[i]), JWT_MALFORMED);
    assert_int_equal(judge(a, GOOD), JWT_FINE);
}

static void refusals_have_names(void **state)
{
    (void)state;
    for (jwt_refusal_t r = JWT_FINE; r < JWT_REFUSAL_COUNT; r++)
        assert_true(jwt_refusal_name(r).n > 0);
    for (jws_refusal_t r = JWS_FINE; r < JWS_REFUSAL_COUNT; r++)
        assert_true(jws_refusal_name(r).n > 0);
    for (jwk_verdict_t v = JWK_OK; v < JWK_VERDICT_COUNT; v++)
        assert_true(jwk_verdict_name(v).n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(reads_all_claims),
        ARENA_TEST(jwt_typ),
        ARENA_TEST(jwt_iss),
        ARENA_TEST(jwt_aud),
        ARENA_TEST(jwt_sub),
        ARENA_TEST(jwt_no_exp),
        ARENA_TEST(jwt_expired_at_exp_plus_leeway),
        ARENA_TEST(jwt_not_yet),
        ARENA_TEST(numeric_dates),
        ARENA_TEST(deep_nesting),
        ARENA_TEST(duplicate_claims),
        ARENA_TEST(jwt_malformed),
        ARENA_TEST(refusals_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
