#include "jose/jose_test_util.h"

#include "core/limits.h"

#define HEADER(rest) STR("{\"alg\":\"ES256\",\"kid\":\"k\"" rest "}")

static jws_refusal_t refusal_of(arena_t *a, str_t text)
{
    jws_t jws;
    assert_int_equal(jws_parse(a, text, 0, &jws), RC_OK);
    return jws.refusal;
}

/* The refusal of a token that `key` really signed under `header`. */
static jws_refusal_t refusal_of_header(arena_t *a, const jwk_t *key, str_t header)
{
    return test_verify(a, test_token(a, key, header, STR("{}")), key);
}

static void signs_and_verifies_each_algorithm(void **state)
{
    arena_t *a = *state;
    for (alg_t alg = ALG_ES256; alg <= ALG_PS256; alg++) {
        jwk_t key = test_key(a, alg);
        jwks_t set = {&key, 1, 0};
        signer_local_t *signer;
        assert_int_equal(signer_local_new(&set, &signer), RC_OK);
        signer_port_t port = signer_local_port(signer);
        jws_sign_t what = {.alg = alg, .kid = STR("k"), .typ = STR("at+jwt"), .payload = STR("x")};
        str_t token;
        assert_int_equal(jws_sign(a, &port, &what, &token), RC_OK);
        jws_t jws;
        assert_int_equal(jws_parse(a, token, 0, &jws), RC_OK);
        assert_int_equal(jws_verify(&jws, &key), JWS_FINE);
        assert_str(jws.typ, STR("at+jwt"));
        assert_str(jws.kid, STR("k"));
        assert_str(jws.payload, STR("x"));
        signer_local_free(signer);
    }
}

static void signer_knows_only_its_keys(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    jwks_t set = {&key, 1, 0};
    signer_local_t *signer;
    assert_int_equal(signer_local_new(&set, &signer), RC_OK);
    signer_port_t port = signer_local_port(signer);
    str_t token;
    jws_sign_t other_kid = {.alg = ALG_ES256, .kid = STR("z"), .payload = STR("x")};
    assert_int_equal(jws_sign(a, &port, &other_kid, &token), RC_NOT_FOUND);
    jws_sign_t other_alg = {.alg = ALG_RS256, .kid = STR("k"), .payload = STR("x")};
    assert_int_equal(jws_sign(a, &port, &other_alg, &token), RC_NOT_FOUND);
    jws_sign_t control = {.alg = ALG_ES256, .kid = STR("k"), .payload = STR("x")};
    assert_int_equal(jws_sign(a, &port, &control, &token), RC_OK);
    signer_local_free(signer);
}

static void payload_too_long_to_sign(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    jwks_t set = {&key, 1, 0};
    signer_local_t *signer;
    assert_int_equal(signer_local_new(&set, &signer), RC_OK);
    signer_port_t port = signer_local_port(signer);
    char *big = arena_alloc(a, LIMIT_JWS_BYTES);
    memset(big, 'x', LIMIT_JWS_BYTES);
    jws_sign_t what = {.alg = ALG_ES256, .kid = STR("k"), .payload = str_of(big, LIMIT_JWS_BYTES)};
    str_t token;
    assert_int_equal(jws_sign(a, &port, &what, &token), RC_LIMIT);
    signer_local_free(signer);
}

/* attack case: JWT-001 */
static void jws_alg(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    static const str_t HEADERS[] = {
        STR_INIT("{\"alg\":\"none\"}"),
        STR_INIT("{\"alg\":\"None\"}"),
        STR_INIT("{\"alg\":\"NONE\"}"),
        STR_INIT("{\"alg\":\"nOnE\"}"),
        STR_INIT("{\"alg\":\"\"}"),
        STR_INIT("{\"alg\":null}"),
        STR_INIT("{}"),
        STR_INIT("{\"alg\":0}"),
        STR_INIT("{\"alg\":[\"RS256\"]}"),
        STR_INIT("{\"alg\":\"es256\"}"),
        STR_INIT("{\"alg\":\"HS256\"}"),
        STR_INIT("{\"alg\":\"RS384\"}"),
    };
    for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++) {
        str_t token = test_token(a, &key, HEADERS[i], STR("{\"sub\":\"x\"}"));
        assert_int_equal(test_verify(a, token, &key), JWS_ALG);
        str_t rest = token, header, payload;
        str_split(&rest, '.', &header);
        str_split(&rest, '.', &payload);
        assert_int_equal(test_verify(a, str_first(token, token.n - rest.n), &key), JWS_ALG);
        assert_int_equal(test_verify(a, str_first(token, token.n - rest.n - 1), &key), JWS_PARTS);
        assert_int_equal(test_verify(a, header, &key), JWS_PARTS);
    }
    assert_int_equal(refusal_of_header(a, &key, HEADER("")), JWS_FINE);
}

/* attack case: JWT-002: no public bytes ever serve as a shared secret, since no symmetric algorithm
 * exists here; even a genuine MAC over them is refused. */
static void public_key_as_shared_secret(void **state)
{
    arena_t *a = *state;
    jwk_t rsa = test_key(a, ALG_RS256);
    jwk_t ec = test_key(a, ALG_ES256);
    str_t text = STR("{\"alg\":\"HS256\",\"kid\":\"k\"}");
    assert_int_equal(test_verify(a, test_token(a, &rsa, text, STR("{}")), &rsa), JWS_ALG);
    assert_int_equal(test_verify(a, test_token(a, &ec, text, STR("{}")), &ec), JWS_ALG);
    jwk_t secret;
    const json_t *oct = test_json(a, STR("{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}"));
    assert_int_equal(jwk_parse(a, oct, &secret), JWK_SYMMETRIC);
    str_t control = STR("{\"alg\":\"RS256\",\"kid\":\"k\"}");
    assert_int_equal(test_verify(a, test_token(a, &rsa, control, STR("{}")), &rsa), JWS_FINE);
}

static void jws_alg_mismatch(void **state)
{
    arena_t *a = *state;
    jwk_t rs = test_key(a, ALG_RS256);
    jwk_t ps = rs;
    ps.alg = ALG_PS256;
    /* One RSA key, good signatures of both kinds: the key's algorithm decides. */
    str_t rs_token = test_token(a, &rs, STR("{\"alg\":\"RS256\"}"), STR("{}"));
    str_t ps_token = test_token(a, &ps, STR("{\"alg\":\"PS256\"}"), STR("{}"));
    assert_int_equal(test_verify(a, rs_token, &ps), JWS_ALG_MISMATCH);
    assert_int_equal(test_verify(a, ps_token, &rs), JWS_ALG_MISMATCH);
    assert_int_equal(test_verify(a, rs_token, &rs), JWS_FINE);
    assert_int_equal(test_verify(a, ps_token, &ps), JWS_FINE);
}

static void jws_kid_mismatch(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    str_t other = STR("{\"alg\":\"ES256\",\"kid\":\"other\"}");
    assert_int_equal(refusal_of_header(a, &key, other), JWS_KID_MISMATCH);
    assert_int_equal(refusal_of_header(a, &key, STR("{\"alg\":\"ES256\"}")), JWS_FINE);
}

static void jws_signature(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256), other = test_key(a, ALG_ES256);
    str_t token = test_token(a, &key, HEADER(""), STR("{}"));
    assert_int_equal(test_verify(a, token, &other), JWS_SIGNATURE);
    char *bent = arena_cstr(a, token);
    bent[token.n - 10] = bent[token.n - 10] == 'A' ? 'B' : 'A';
    assert_int_equal(test_verify(a, str_of(bent, token.n), &key), JWS_SIGNATURE);
    assert_int_equal(test_verify(a, token, &key), JWS_FINE);
}

/* ES256 is 64 raw bytes, EdDSA 64, RSA as long as the modulus: nothing shorter or longer is padded
 * or cut (RFC 7518 section 3.4). */
static void jws_signature_length(void **state)
{
    arena_t *a = *state;
    for (alg_t alg = ALG_ES256; alg <= ALG_PS256; alg++) {
        jwk_t key = test_key(a, alg);
        jose_signing_t *signing;
        uint8_t sig[KEY_SIGNATURE_MAX] = {0};
        size_t n;
        assert_int_equal(jose_signing_new(key.key, alg, &signing), RC_OK);
        assert_int_equal(jose_signing_sign(signing, STR("x"), sig, &n), RC_OK);
        jose_signing_free(signing);
        assert_int_equal(n, alg <= ALG_EDDSA ? 64 : RSA_BITS_MIN / 8);
        assert_false(jose_key_verify(key.key, alg, STR("x"), str_of(sig, n - 1)));
        assert_false(jose_key_verify(key.key, alg, STR("x"), str_of(sig, n + 1)));
        assert_false(jose_key_verify(key.key, alg, STR("x"), str_of(sig, 0)));
        assert_true(jose_key_verify(key.key, alg, STR("x"), str_of(sig, n)));
    }
}

static void jws_unsigned(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    str_t token = test_token(a, &key, HEADER(""), STR("{}"));
    size_t dot = str_find(token, '.', str_find(token, '.', 0) + 1);
    assert_int_equal(test_verify(a, str_first(token, dot + 1), &key), JWS_UNSIGNED);
    assert_int_equal(test_verify(a, token, &key), JWS_FINE);
}

static void jws_parts(void **state)
{
    arena_t *a = *state;
    static const str_t TEXTS[] = {
        STR_INIT(""),  STR_INIT("."),    STR_INIT(".."),      STR_INIT("..."),
        STR_INIT("a"), STR_INIT(".a.b"), STR_INIT("a.b.c.d"), STR_INIT("a.b.c."),
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        assert_int_equal(refusal_of(a, TEXTS[i]), JWS_PARTS);
    assert_int_equal(refusal_of(a, STR_UNSET), JWS_PARTS);
}

static void jws_too_long(void **state)
{
    arena_t *a = *state;
    char *big = arena_alloc(a, LIMIT_JWS_BYTES + 1);
    memset(big, 'a', LIMIT_JWS_BYTES + 1);
    assert_int_equal(refusal_of(a, str_of(big, LIMIT_JWS_BYTES + 1)), JWS_TOO_LONG);
    assert_int_equal(refusal_of(a, str_of(big, LIMIT_JWS_BYTES)), JWS_PARTS);
}

/* attack case: JWT-013 */
static void jws_base64(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    str_t token = test_token(a, &key, HEADER(""), STR("{}"));
    str_t part[3], rest = token;
    for (size_t i = 0; i < 3; i++)
        str_split(&rest, '.', &part[i]);
    /* "{}" is "e30"; its last character carries two unused bits. */
    assert_str(part[1], STR("e30"));
    static const str_t BAD[] = {
        STR_INIT("e30="),       STR_INIT("e3+0"),  STR_INIT("e3/0"), STR_INIT("e30 "),
        STR_INIT(" e30"),       STR_INIT("e\n30"), STR_INIT("e31"),  STR_INIT("e30aa"),
        STR_INIT("e3\xc3\xa9"), STR_INIT("e"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        for (size_t at = 0; at < 3; at++) {
            str_t bent[3] = {part[0], part[1], part[2]};
            bent[at] = BAD[i];
            str_t text = arena_printf(a, "%" PRIstr ".%" PRIstr ".%" PRIstr, STR_ARG(bent[0]),
                                      STR_ARG(bent[1]), STR_ARG(bent[2]));
            assert_int_equal(refusal_of(a, text), JWS_BASE64);
        }
    }
    assert_int_equal(test_verify(a, token, &key), JWS_FINE);
}

/* attack case: JWT-010 */
static void jws_header_duplicate(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    str_t twice = STR("{\"alg\":\"ES256\",\"alg\":\"none\"}");
    assert_int_equal(refusal_of_header(a, &key, twice), JWS_HEADER);
    str_t escaped = STR("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}");
    assert_int_equal(refusal_of_header(a, &key, escaped), JWS_HEADER);
    assert_int_equal(refusal_of_header(a, &key, HEADER("")), JWS_FINE);
}

static void jws_header(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    static const str_t BAD[] = {
        STR_INIT("[]"),
        STR_INIT("\"ES256\""),
        STR_INIT("{\"alg\":\"ES256\""),
        STR_INIT("{\"alg\":\"ES256\",\"kid\":1}"),
        STR_INIT("{\"alg\":\"ES256\",\"typ\":[]}"),
        STR_INIT("{\"alg\":\"ES256\",\"kid\":null}"),
        STR_INIT("{\"alg\":\"ES256\"} x"),
        STR_INIT("{\"alg\":\"ES256\",\"a\":[[[[[1]]]]]}"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(refusal_of_header(a, &key, BAD[i]), JWS_HEADER);
    str_t unknown = STR("{\"alg\":\"ES256\",\"x5t\":\"abc\",\"cty\":\"JWT\",\"other\":{\"a\":1}}");
    assert_int_equal(refusal_of_header(a, &key, unknown), JWS_FINE);
}

static void jws_crit(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    static const str_t BAD[] = {
        STR_INIT("{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}"),
        STR_INIT("{\"alg\":\"ES256\",\"crit\":[]}"),
        STR_INIT("{\"alg\":\"ES256\",\"crit\":null}"),
        STR_INIT("{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}"),
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(refusal_of_header(a, &key, BAD[i]), JWS_CRIT);
    assert_int_equal(refusal_of_header(a, &key, HEADER("")), JWS_FINE);
}

/* attack case: JWT-016 */
static void jws_transform(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    assert_int_equal(refusal_of_header(a, &key, HEADER(",\"zip\":\"DEF\"")), JWS_TRANSFORM);
    assert_int_equal(refusal_of_header(a, &key, HEADER(",\"b64\":false")), JWS_TRANSFORM);
    assert_int_equal(refusal_of_header(a, &key, HEADER(",\"b64\":true")), JWS_TRANSFORM);
    /* JWE in compact form has five parts */
    assert_int_equal(refusal_of(a, STR("eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA")), JWS_PARTS);
    assert_int_equal(refusal_of_header(a, &key, HEADER("")), JWS_FINE);
}

static void jws_header_key(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    assert_int_equal(refusal_of_header(a, &key, HEADER(",\"jwk\":{}")), JWS_HEADER_KEY);
    assert_int_equal(refusal_of_header(a, &key, HEADER(",\"jku\":\"https://x\"")), JWS_HEADER_KEY);
    assert_int_equal(refusal_of_header(a, &key, HEADER(",\"x5u\":\"https://x\"")), JWS_HEADER_KEY);
    assert_int_equal(refusal_of_header(a, &key, HEADER(",\"x5c\":[]")), JWS_HEADER_KEY);
    /* A proof of possession may bring its key, where the caller says so. */
    jws_t jws;
    str_t proof = test_token(a, &key, HEADER(",\"jwk\":{}"), STR("{}"));
    assert_int_equal(jws_parse(a, proof, JWS_ALLOW_JWK, &jws), RC_OK);
    assert_int_equal(jws.refusal, JWS_FINE);
    str_t url = test_token(a, &key, HEADER(",\"jku\":\"https://x\""), STR("{}"));
    assert_int_equal(jws_parse(a, url, JWS_ALLOW_JWK, &jws), RC_OK);
    assert_int_equal(jws.refusal, JWS_HEADER_KEY);
}

static void memory_runs_out(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_ES256);
    str_t token = test_token(a, &key, HEADER(""), STR("{\"a\":\"b\"}"));
    bool done = false;
    for (size_t budget = 0; budget < 65536 && !done; budget += 64) {
        arena_t *small = arena_new(budget);
        jws_t jws;
        rc_t rc = jws_parse(small, token, 0, &jws);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        done = rc == RC_OK;
        arena_free(small);
    }
    assert_true(done);
}

/* RFC 9864 section 2.2: one algorithm under two names. */
static void ed25519_is_another_name_of_eddsa(void **state)
{
    arena_t *a = *state;
    jwk_t key = test_key(a, ALG_EDDSA);
    str_t text = test_token(a, &key, STR("{\"alg\":\"Ed25519\"}"), STR("{}"));
    assert_int_equal(test_verify(a, text, &key), JWS_FINE);
    assert_int_equal(alg_parse(STR("Ed448")), ALG_UNKNOWN);
    assert_int_equal(alg_parse(STR("ED25519")), ALG_UNKNOWN);
    key = test_key(a, ALG_ES256);
    text = test_token(a, &key, STR("{\"alg\":\"Ed25519\"}"), STR("{}"));
    assert_int_equal(test_verify(a, text, &key), JWS_ALG_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(ed25519_is_another_name_of_eddsa),
        ARENA_TEST(signs_and_verifies_each_algorithm),
        ARENA_TEST(signer_knows_only_its_keys),
        ARENA_TEST(payload_too_long_to_sign),
        ARENA_TEST(jws_alg),
        ARENA_TEST(public_key_as_shared_secret),
        ARENA_TEST(jws_alg_mismatch),
        ARENA_TEST(jws_kid_mismatch),
        ARENA_TEST(jws_signature),
        ARENA_TEST(jws_signature_length),
        ARENA_TEST(jws_unsigned),
        ARENA_TEST(jws_parts),
        ARENA_TEST(jws_too_long),
        ARENA_TEST(jws_base64),
        ARENA_TEST(jws_header_duplicate),
        ARENA_TEST(jws_header),
        ARENA_TEST(jws_crit),
        ARENA_TEST(jws_transform),
        ARENA_TEST(jws_header_key),
        ARENA_TEST(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
