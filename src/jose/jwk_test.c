#include "jose/jose_test_util.h"

#include "core/b64.h"
#include "core/limits.h"

/* The keys of RFC 7515 appendix A.3, RFC 8037 appendix A.1 and RFC 7638 section 3.1. */
#define EC_X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define EC_Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC   "\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X "," EC_Y
#define EC_D ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""
#define OKP                                                                                        \
    "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define OKP_D ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\""
#define RSA_N                                                                                      \
    "\"n\":"                                                                                       \
    "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc"     \
    "_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"    \
    "FDW2Q"                                                                                        \
    "vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-"                 \
    "bFTWhAI4vMQFh6WeZu"                                                                           \
    "0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\""
#define RSA "\"kty\":\"RSA\",\"e\":\"AQAB\"," RSA_N

static jwk_verdict_t judge(arena_t *a, str_t text)
{
    jwk_t jwk;
    jwk_verdict_t verdict = jwk_parse(a, test_json(a, text), &jwk);
    jwk_free(&jwk);
    return verdict;
}

static jwk_verdict_t judge_private(arena_t *a, str_t text)
{
    jwk_t jwk;
    jwk_verdict_t verdict = jwk_parse_private(a, test_json(a, text), &jwk);
    jwk_free(&jwk);
    return verdict;
}

static alg_t alg_of(arena_t *a, str_t text)
{
    jwk_t jwk;
    assert_int_equal(jwk_parse(a, test_json(a, text), &jwk), JWK_OK);
    jwk_free(&jwk);
    return jwk.alg;
}

static void algorithm_comes_from_the_key(void **state)
{
    arena_t *a = *state;
    assert_int_equal(alg_of(a, STR("{" EC "}")), ALG_ES256);
    assert_int_equal(alg_of(a, STR("{" OKP "}")), ALG_EDDSA);
    assert_int_equal(alg_of(a, STR("{" RSA "}")), ALG_RS256);
    assert_int_equal(alg_of(a, STR("{" RSA ",\"alg\":\"PS256\"}")), ALG_PS256);
}

static void jwk_unsupported(void **state)
{
    arena_t *a = *state;
    static const str_t BAD[] = {
        STR_INIT("{\"kty\":\"AKP\"}"),
        STR_INIT("{\"kty\":\"ec\"}"),
        STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-384\"," EC_X "," EC_Y "}"),
        STR_INIT("{\"kty\":\"EC\"," EC_X "," EC_Y "}"),
        STR_INIT("{\"kty\":\"OKP\",\"crv\":\"X25519\"," EC_X "}"),
        STR_INIT("{" EC ",\"alg\":\"RS256\"}"),
        STR_INIT("{" EC ",\"alg\":\"HS256\"}"),
        STR_INIT("{" EC ",\"alg\":\"none\"}"),
        STR_INIT("{" EC ",\"alg\":7}"),
        STR_INIT("{" RSA ",\"alg\":\"RSA-OAEP\"}"),
        STR_INIT("{" EC ",\"use\":\"enc\"}"),
        STR_INIT("{" EC ",\"use\":1}"),
        STR_INIT("{" EC ",\"key_ops\":[\"sign\"]}"),
        STR_INIT("{" EC ",\"key_ops\":[]}"),
        STR_INIT("{" EC ",\"key_ops\":\"verify\"}"),
        STR_INIT("{" EC ",\"use\":\"enc\",\"key_ops\":[\"verify\"]}"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(judge(a, BAD[i]), JWK_UNSUPPORTED);
    assert_int_equal(
        judge(a, STR("{" EC ",\"use\":\"sig\",\"key_ops\":[\"verify\"],\"x5t\":\"y\"}")), JWK_OK);
}

static void jwk_private(void **state)
{
    arena_t *a = *state;
    static const char *const MEMBERS[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++)
        assert_int_equal(judge(a, arena_printf(a, "{" RSA ",\"%s\":\"AQ\"}", MEMBERS[i])),
                         JWK_PRIVATE);
    assert_int_equal(judge(a, STR("{" EC EC_D "}")), JWK_PRIVATE);
    assert_int_equal(judge_private(a, STR("{" EC EC_D "}")), JWK_OK);
}

static void jwk_symmetric(void **state)
{
    arena_t *a = *state;
    assert_int_equal(judge(a, STR("{\"kty\":\"oct\",\"k\":\"AAAA\"}")), JWK_SYMMETRIC);
    assert_int_equal(judge(a, STR("{\"kty\":\"oct\"}")), JWK_SYMMETRIC);
    assert_int_equal(judge(a, STR("{" EC ",\"k\":\"AAAA\"}")), JWK_SYMMETRIC);
    assert_int_equal(judge_private(a, STR("{\"kty\":\"oct\",\"k\":\"AAAA\"}")), JWK_SYMMETRIC);
}

static void jwk_malformed(void **state)
{
    arena_t *a = *state;
    static const str_t BAD[] = {
        STR_INIT("[]"),
        STR_INIT("{}"),
        STR_INIT("{\"kty\":1}"),
        STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X "}"),
        STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X ",\"y\":\"AQ\"}"),
        STR_INIT("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X ",\"y\":1}"),
        STR_INIT("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
                 "7TyWQHOg7hcvPapiMlrwIaaPcHUR==\"}"),
        STR_INIT("{\"kty\":\"RSA\"," RSA_N "}"),
        STR_INIT("{\"kty\":\"RSA\",\"e\":\"\"," RSA_N "}"),
        STR_INIT("{\"kty\":\"RSA\",\"e\":\"AAEAAQ\"," RSA_N "}"),
        STR_INIT("{" EC ",\"kid\":5}"),
        STR_INIT("{" EC ",\"kid\":\"\"}"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(judge(a, BAD[i]), JWK_MALFORMED);
    assert_int_equal(judge(a, STR("{" EC ",\"kid\":\"5\"}")), JWK_OK);
}

static void jwk_unsound_point(void **state)
{
    arena_t *a = *state;
    /* y of another point, the point at (0,0), coordinates above the field */
    assert_int_equal(judge(a, STR("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X ",\"y\":"
                                  "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}")),
                     JWK_UNSOUND);
    assert_int_equal(judge(a, STR("{\"kty\":\"EC\",\"crv\":\"P-256\","
                                  "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
                                  "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}")),
                     JWK_UNSOUND);
    assert_int_equal(judge(a, STR("{\"kty\":\"EC\",\"crv\":\"P-256\","
                                  "\"x\":\"__________________________________________8\","
                                  "\"y\":\"__________________________________________8\"}")),
                     JWK_UNSOUND);
    assert_int_equal(judge(a, STR("{" EC "}")), JWK_OK);
}

/* attack case: JWT-009: with a key of small order one signature fits many messages. */
static void jwk_unsound_small_order(void **state)
{
    arena_t *a = *state;
    static const str_t SMALL[] = {
        STR_INIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        STR_INIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA"),
        STR_INIT("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        STR_INIT("7P________________________________________38"),
        STR_INIT("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"),
        STR_INIT("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU"),
        STR_INIT("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o"),
    };
    for (size_t i = 0; i < sizeof SMALL / sizeof SMALL[0]; i++) {
        str_t text = arena_printf(a, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%" PRIstr "\"}",
                                  STR_ARG(SMALL[i]));
        assert_int_not_equal(judge(a, text), JWK_OK);
    }
    assert_int_equal(judge(a, STR("{" OKP "}")), JWK_OK);
}

/* An odd number of `bits` bits as base64url; with no mark of weak generators. */
static str_t odd_number(arena_t *a, unsigned bits)
{
    size_t n = (bits + 7) / 8;
    uint8_t *p = arena_alloc(a, n);
    memset(p, 0x5b, n);
    p[0] = (uint8_t)(1u << ((bits - 1) % 8));
    p[n - 1] = 0x35;
    return b64url_encode(a, p, n);
}

/* attack case: JWT-008 */
static void jwk_unsound_rsa(void **state)
{
    arena_t *a = *state;
    static const struct {
        unsigned bits;
        const char *e;
        jwk_verdict_t verdict;
    } ROWS[] = {
        {1024, "AQAB", JWK_UNSOUND},
        {2047, "AQAB", JWK_UNSOUND},
        {2048, "AQAB", JWK_OK},
        {8192, "AQAB", JWK_OK},
        {8193, "AQAB", JWK_UNSOUND},
        {2048, "AQ", JWK_UNSOUND},
        {2048, "Ag", JWK_UNSOUND},
        {2048, "Aw", JWK_OK},
        {2048, "AQAA", JWK_UNSOUND},
        {2048, "__________8", JWK_OK},
        {2048, "AQAAAAAAAAAB", JWK_UNSOUND},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t text = arena_printf(a, "{\"kty\":\"RSA\",\"n\":\"%" PRIstr "\",\"e\":\"%s\"}",
                                  STR_ARG(odd_number(a, ROWS[i].bits)), ROWS[i].e);
        assert_int_equal(judge(a, text), ROWS[i].verdict);
    }
}

static void private_half_must_fit(void **state)
{
    arena_t *a = *state;
    assert_int_equal(judge_private(a, STR("{" EC "}")), JWK_MALFORMED);
    assert_int_equal(
        judge_private(a, STR("{" EC ",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}")),
        JWK_UNSOUND);
    assert_int_equal(
        judge_private(a, STR("{" OKP ",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}")),
        JWK_UNSOUND);
    assert_int_equal(judge_private(a, STR("{" EC EC_D ",\"key_ops\":[\"verify\"]}")),
                     JWK_UNSUPPORTED);
    assert_int_equal(judge_private(a, STR("{" EC EC_D ",\"key_ops\":[\"sign\"]}")), JWK_OK);
    assert_int_equal(judge_private(a, STR("{" OKP OKP_D "}")), JWK_OK);
}

static void thumbprint_is(arena_t *a, str_t text, str_t expected)
{
    jwk_t jwk;
    str_t thumbprint;
    assert_int_equal(jwk_parse(a, test_json(a, text), &jwk), JWK_OK);
    assert_int_equal(jwk_thumbprint(a, jwk.key, &thumbprint), RC_OK);
    assert_str(thumbprint, expected);
    jwk_free(&jwk);
}

/* RFC 7638 section 3.1 and RFC 8037 appendix A.3 */
static void thumbprints_of_the_rfcs(void **state)
{
    thumbprint_is(*state, STR("{" RSA ",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"),
                  STR("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    thumbprint_is(*state, STR("{" OKP "}"), STR("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
}

static void writes_only_public_members(void **state)
{
    arena_t *a = *state;
    jwk_t jwk;
    str_t text = STR("{" EC EC_D ",\"kid\":\"k1\"}");
    assert_int_equal(jwk_parse_private(a, test_json(a, text), &jwk), JWK_OK);
    buf_t b = buf_new(a, 4096);
    json_writer_t w = json_writer(&b);
    assert_int_equal(jwk_write(a, &w, &jwk), RC_OK);
    jwk_free(&jwk);
    assert_str(buf_str(&b), STR("{\"crv\":\"P-256\",\"kty\":\"EC\"," EC_X "," EC_Y
                                ",\"kid\":\"k1\",\"use\":\"sig\",\"alg\":\"ES256\"}"));
    assert_int_equal(judge(a, buf_str(&b)), JWK_OK);
}

static void pkcs8_round_trip(void **state)
{
    arena_t *a = *state;
    for (alg_t alg = ALG_ES256; alg <= ALG_RS256; alg++) {
        jwk_t key = test_key(a, alg);
        str_t der, one, two;
        jose_key_t *back;
        assert_int_equal(jose_key_pkcs8(a, key.key, &der), RC_OK);
        assert_int_equal(jose_key_from_pkcs8(der, &back), RC_OK);
        assert_int_equal(jwk_thumbprint(a, key.key, &one), RC_OK);
        assert_int_equal(jwk_thumbprint(a, back, &two), RC_OK);
        assert_str(one, two);
        jose_key_free(back);
        char *tail = arena_alloc(a, der.n + 1);
        memcpy(tail, der.p, der.n);
        assert_int_equal(jose_key_from_pkcs8(str_of(tail, der.n + 1), &back), RC_MALFORMED);
        assert_int_equal(jose_key_from_pkcs8(str_first(der, der.n - 1), &back), RC_MALFORMED);
    }
    jose_key_t *none;
    assert_int_equal(jose_key_from_pkcs8(STR_UNSET, &none), RC_MALFORMED);
    assert_int_equal(jose_key_from_pkcs8(STR("0\x03\x02\x01\x05"), &none), RC_MALFORMED);
}

static void public_key_has_no_pkcs8(void **state)
{
    arena_t *a = *state;
    jwk_t jwk;
    str_t der;
    jose_signing_t *signing;
    assert_int_equal(jwk_parse(a, test_json(a, STR("{" EC "}")), &jwk), JWK_OK);
    assert_int_equal(jose_key_pkcs8(a, jwk.key, &der), RC_NOT_FOUND);
    assert_int_equal(jose_signing_new(jwk.key, ALG_ES256, &signing), RC_MALFORMED);
    jwk_free(&jwk);
}

/* RFC 7517 appendix A.1: its first key is for encryption, its second for RS256 */
static void set_of_the_rfc(void **state)
{
    jwks_t set;
    str_t text = STR("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                     "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
                     "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\","
                     "\"use\":\"enc\",\"kid\":\"1\"},"
                     "{" RSA ",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}]}");
    assert_int_equal(jwks_parse(*state, text, &set), RC_OK);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.skipped, 1);
    assert_non_null(jwks_find(&set, STR("2011-04-29"), ALG_RS256));
    assert_null(jwks_find(&set, STR("1"), ALG_ES256));
}

static void sets_skip_what_they_do_not_know(void **state)
{
    jwks_t set;
    str_t text = STR("{\"keys\":[1,{},{\"kty\":\"AKP\"},{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":"
                     "\"a\"},{" EC EC_D ",\"kid\":\"b\"},{" EC ",\"kid\":\"c\"}],\"more\":true}");
    assert_int_equal(jwks_parse(*state, text, &set), RC_OK);
    assert_int_equal(set.n, 1);
    assert_int_equal(set.skipped, 5);
    assert_null(jwks_find(&set, STR("b"), ALG_ES256));
    assert_non_null(jwks_find(&set, STR("c"), ALG_ES256));
}

static void sets_are_bounded_and_strict(void **state)
{
    arena_t *a = *state;
    jwks_t set;
    static const str_t BAD[] = {STR_INIT(""), STR_INIT("[]"), STR_INIT("{}"),
                                STR_INIT("{\"keys\":{}}"), STR_INIT("{\"keys\":[],\"keys\":[]}")};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(jwks_parse(a, BAD[i], &set), RC_MALFORMED);
    buf_t b = buf_new(a, 4096);
    buf_put(&b, STR("{\"keys\":[1"));
    for (int i = 0; i < LIMIT_JWKS_KEYS; i++)
        buf_put(&b, STR(",1"));
    buf_put(&b, STR("]}"));
    assert_int_equal(jwks_parse(a, buf_str(&b), &set), RC_LIMIT);
    char *big = arena_alloc(a, LIMIT_JWKS_BYTES + 1);
    memset(big, ' ', LIMIT_JWKS_BYTES + 1);
    assert_int_equal(jwks_parse(a, str_of(big, LIMIT_JWKS_BYTES + 1), &set), RC_LIMIT);
    assert_int_equal(jwks_parse(a, STR("{\"keys\":[]}"), &set), RC_OK);
}

static void a_choice_among_keys_is_no_key(void **state)
{
    jwks_t set;
    str_t text = STR("{\"keys\":[{" EC ",\"kid\":\"a\"},{" OKP ",\"kid\":\"a\"},"
                     "{" RSA ",\"kid\":\"b\"},{" RSA ",\"kid\":\"b\",\"alg\":\"RS256\"},"
                     "{" RSA ",\"kid\":\"b\",\"alg\":\"PS256\"}]}");
    assert_int_equal(jwks_parse(*state, text, &set), RC_OK);
    assert_int_equal(set.n, 5);
    assert_null(jwks_find(&set, STR("b"), ALG_RS256));
    assert_null(jwks_find(&set, STR_UNSET, ALG_RS256));
    assert_non_null(jwks_find(&set, STR("b"), ALG_PS256));
    assert_non_null(jwks_find(&set, STR_UNSET, ALG_ES256));
    assert_ptr_not_equal(jwks_find(&set, STR("a"), ALG_ES256),
                         jwks_find(&set, STR("a"), ALG_EDDSA));
}

static void verify_example(arena_t *a, str_t key, str_t token)
{
    jwk_t jwk;
    assert_int_equal(jwk_parse(a, test_json(a, key), &jwk), JWK_OK);
    assert_int_equal(test_verify(a, token, &jwk), JWS_FINE);
    jwk_free(&jwk);
}

/* RFC 7515 appendix A.3 */
static void es256_of_rfc_7515(void **state)
{
    verify_example(*state, STR("{" EC "}"),
                   STR("eyJhbGciOiJFUzI1NiJ9."
                       "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvb"
                       "S9pc19yb290Ijp0cnVlfQ."
                       "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTU"
                       "JqPP3-Kg6NU1Q"));
}

/* RFC 7515 appendix A.2 */
static void rs256_of_rfc_7515(void **state)
{
    verify_example(
        *state,
        STR("{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmf"
            "HQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZ"
            "o9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVM"
            "TBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk"
            "2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"),
        STR("eyJhbGciOiJSUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290I"
            "jp0cnVlfQ."
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
            "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIA"
            "RNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPq"
            "vhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77"
            "Rw"));
}

/* RFC 8037 appendix A.4: Ed25519 is deterministic, so that the signature can be made again */
static void eddsa_of_rfc_8037(void **state)
{
    arena_t *a = *state;
    str_t token = STR("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvp"
                      "Ar_MuM0KAg");
    verify_example(a, STR("{" OKP "}"), token);
    jwk_t key;
    assert_int_equal(jwk_parse_private(a, test_json(a, STR("{" OKP OKP_D "}")), &key), JWK_OK);
    assert_str(test_token(a, &key, STR("{\"alg\":\"EdDSA\"}"), STR("Example of Ed25519 signing")),
               token);
    jwk_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(algorithm_comes_from_the_key),
        ARENA_TEST(jwk_unsupported),
        ARENA_TEST(jwk_private),
        ARENA_TEST(jwk_symmetric),
        ARENA_TEST(jwk_malformed),
        ARENA_TEST(jwk_unsound_point),
        ARENA_TEST(jwk_unsound_small_order),
        ARENA_TEST(jwk_unsound_rsa),
        ARENA_TEST(private_half_must_fit),
        ARENA_TEST(thumbprints_of_the_rfcs),
        ARENA_TEST(writes_only_public_members),
        ARENA_TEST(pkcs8_round_trip),
        ARENA_TEST(public_key_has_no_pkcs8),
        ARENA_TEST(set_of_the_rfc),
        ARENA_TEST(sets_skip_what_they_do_not_know),
        ARENA_TEST(sets_are_bounded_and_strict),
        ARENA_TEST(a_choice_among_keys_is_no_key),
        ARENA_TEST(es256_of_rfc_7515),
        ARENA_TEST(rs256_of_rfc_7515),
        ARENA_TEST(eddsa_of_rfc_8037),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
