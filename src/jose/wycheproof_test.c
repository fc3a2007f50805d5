/* All of Wycheproof that concerns us, each case as expected, but for the written differences: cases
 * that Wycheproof takes and Warder refuses. There are none the other way round. */
#include "jose/jose_test_util.h"

#include "jose/digest.h"

typedef struct {
    int64_t first, last;
    const char *why;
} difference_t;

/* Why a case that Wycheproof holds valid, or acceptable, is refused here. */
#define SHARED   "a shared secret is no key for tokens: whoever checks could also sign (RFC 8725 3.2)"
#define DIGEST   "SHA-256 everywhere: RFC 9068 needs no other, and each algorithm is surface"
#define CURVE    "P-256 is the curve of ES256; no other algorithm over EC is taken"
#define FIGURE20 "the key says PS256, the header PS384: the algorithm comes from the key"
#define JWE      "an encrypted token has five parts; access tokens are signed, not encrypted"
#define NO_NULL  "DigestInfo without NULL is an old encoder's mistake; RFC 8017 9.2 has one encoding"

static const difference_t JWS_DIFFERENCES[] = {
    {1, 1, SHARED},       {264, 271, DIGEST}, {320, 323, DIGEST}, {325, 328, DIGEST},
    {346, 346, FIGURE20}, {347, 347, CURVE},  {348, 348, SHARED}, {350, 350, FIGURE20},
    {351, 351, CURVE},    {352, 352, SHARED}, {357, 359, SHARED}, {372, 373, SHARED},
    {376, 377, SHARED},   {0, 0, NULL},
};
static const difference_t JWK_DIFFERENCES[] = {{2, 2, SHARED}, {13, 15, SHARED}, {0, 0, NULL}};
static const difference_t CRYPTO_DIFFERENCES[] = {
    {1, 1, SHARED}, {48, 48, SHARED}, {50, 50, JWE}, {67, 67, JWE}, {0, 0, NULL}};
static const difference_t RSA_DIFFERENCES[] = {{8, 8, NO_NULL}, {0, 0, NULL}};
static const difference_t NO_DIFFERENCES[] = {{0, 0, NULL}};

static bool differs(const difference_t *table, int64_t id)
{
    for (; table->why; table++)
        if (id >= table->first && id <= table->last)
            return true;
    return false;
}

typedef struct {
    const difference_t *differences;
    unsigned cases, taken, differing, wrong;
} tally_t;

static void count(tally_t *tally, const json_t *test, bool taken)
{
    int64_t id = 0;
    assert_true(json_get_i64(test, STR("tcId"), &id));
    bool invalid = str_eq(json_get_str(test, STR("result")), STR("invalid"));
    bool listed = differs(tally->differences, id);
    tally->cases++;
    tally->taken += taken;
    tally->differing += listed;
    /* A difference that is none any more must leave the table. */
    bool right = listed ? !taken && !invalid : taken == !invalid;
    if (right)
        return;
    tally->wrong++;
    print_error("case %d (%.*s): taken is %d\n", (int)id,
                STR_ARG(json_get_str(test, STR("comment"))), taken);
}

static void close_tally(const tally_t *tally, unsigned cases)
{
    print_message("%u cases, %u taken, %u refused on purpose\n", tally->cases, tally->taken,
                  tally->differing);
    assert_int_equal(tally->wrong, 0);
    assert_int_equal(tally->cases, cases);
    assert_true(tally->taken > 0);
}

/* ---- tokens against JWKs and sets ---- */

static bool taken_by_set(arena_t *a, const json_t *set, str_t token)
{
    jwks_t keys;
    jws_t jws;
    if (jwks_parse(a, set->raw, &keys) != RC_OK || jws_parse(a, token, 0, &jws) != RC_OK)
        return false;
    const jwk_t *key = jws.refusal == JWS_FINE ? jwks_find(&keys, jws.kid, jws.alg) : NULL;
    return key && jws_verify(&jws, key) == JWS_FINE;
}

static bool taken_by_key(arena_t *a, const json_t *json, str_t token)
{
    jwk_t key;
    if (jwk_parse(a, json, &key) != JWK_OK)
        return false;
    bool taken = test_verify(a, token, &key) == JWS_FINE;
    jwk_free(&key);
    return taken;
}

static void run_tokens(arena_t *files, const char *file, const difference_t *differences,
                       unsigned cases)
{
    const json_t *root = test_shared_json(files, file);
    arena_t *a = arena_new(TEST_ARENA_BYTES);
    tally_t tally = {.differences = differences};
    for (const json_t *g = json_get(root, STR("testGroups"))->child; g; g = g->next) {
        const json_t *key = json_get(g, STR("public"));
        if (!key)
            key = json_get(g, STR("private"));
        bool is_set = json_get(key, STR("keys")) != NULL;
        for (const json_t *t = json_get(g, STR("tests"))->child; t; t = t->next) {
            str_t token = json_get_str(t, STR("jws"));
            if (!str_is_set(token))
                token = json_get_str(t, STR("jwe"));
            arena_reset(a);
            count(&tally, t, is_set ? taken_by_set(a, key, token) : taken_by_key(a, key, token));
        }
    }
    arena_free(a);
    close_tally(&tally, cases);
}

static void json_web_signature(void **state)
{
    run_tokens(*state, "vectors/wycheproof/json_web_signature_test.json", JWS_DIFFERENCES, 401);
}

static void json_web_key(void **state)
{
    run_tokens(*state, "vectors/wycheproof/json_web_key_test.json", JWK_DIFFERENCES, 26);
}

static void json_web_crypto(void **state)
{
    run_tokens(*state, "vectors/wycheproof/json_web_crypto_test.json", CRYPTO_DIFFERENCES, 83);
}

/* ---- signatures alone ---- */

static jose_key_t *ec_key(arena_t *a, const json_t *group)
{
    str_t point = test_hex(a, json_get_str(json_get(group, STR("publicKey")), STR("uncompressed")));
    assert_int_equal(point.n, 65);
    key_parts_t parts = {.x = str_of(point.p + 1, 32), .y = str_of(point.p + 33, 32)};
    jose_key_t *key;
    assert_int_equal(jose_key_from_public(KEY_EC_P256, &parts, &key), RC_OK);
    return key;
}

static jose_key_t *jwk_key(arena_t *a, const json_t *group)
{
    const json_t *json = json_get(group, STR("publicKeyJwk"));
    if (!json)
        json = json_get(group, STR("keyJwk"));
    jwk_t jwk;
    assert_int_equal(jwk_parse(a, json, &jwk), JWK_OK);
    return jwk.key;
}

typedef struct {
    const char *file;
    jose_key_t *(*key)(arena_t *a, const json_t *group);
    alg_t alg;
    const difference_t *differences;
    unsigned cases;
} suite_t;

static void run_signatures(arena_t *files, const suite_t *suite)
{
    const json_t *root = test_shared_json(files, suite->file);
    arena_t *a = arena_new(TEST_ARENA_BYTES);
    tally_t tally = {.differences = suite->differences};
    for (const json_t *g = json_get(root, STR("testGroups"))->child; g; g = g->next) {
        arena_reset(a);
        jose_key_t *key = suite->key(a, g);
        for (const json_t *t = json_get(g, STR("tests"))->child; t; t = t->next) {
            str_t msg = test_hex(a, json_get_str(t, STR("msg")));
            str_t sig = test_hex(a, json_get_str(t, STR("sig")));
            count(&tally, t, jose_key_verify(key, suite->alg, msg, sig));
        }
        jose_key_free(key);
    }
    arena_free(a);
    close_tally(&tally, suite->cases);
}

static void ecdsa_p1363(void **state)
{
    run_signatures(*state, &(suite_t){"vectors/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json",
                                      ec_key, ALG_ES256, NO_DIFFERENCES, 262});
}

/* attack case: JWT-009 */
static void ed25519(void **state)
{
    run_signatures(*state, &(suite_t){"vectors/wycheproof/ed25519_test.json", jwk_key, ALG_EDDSA,
                                      NO_DIFFERENCES, 151});
}

/* attack case: JWT-008 */
static void rsa_signature_2048(void **state)
{
    run_signatures(*state, &(suite_t){"vectors/wycheproof/rsa_signature_2048_sha256_test.json",
                                      jwk_key, ALG_RS256, RSA_DIFFERENCES, 259});
}

/* attack case: JWT-008 */
static void rsa_signature_3072(void **state)
{
    run_signatures(*state, &(suite_t){"vectors/wycheproof/rsa_signature_3072_sha256_test.json",
                                      jwk_key, ALG_RS256, RSA_DIFFERENCES, 259});
}

/* attack case: JWT-008 */
static void rsa_pss_2048(void **state)
{
    run_signatures(*state, &(suite_t){"vectors/wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json",
                                      jwk_key, ALG_PS256, NO_DIFFERENCES, 108});
}

static void hmac(void **state)
{
    arena_t *a = *state;
    const json_t *root = test_shared_json(a, "vectors/wycheproof/hmac_sha256_test.json");
    tally_t tally = {.differences = NO_DIFFERENCES};
    for (const json_t *g = json_get(root, STR("testGroups"))->child; g; g = g->next)
        for (const json_t *t = json_get(g, STR("tests"))->child; t; t = t->next) {
            str_t key = test_hex(a, json_get_str(t, STR("key")));
            str_t msg = test_hex(a, json_get_str(t, STR("msg")));
            str_t tag = test_hex(a, json_get_str(t, STR("tag")));
            uint8_t mac[SHA256_BYTES];
            hmac_sha256(key, msg, mac);
            count(&tally, t, str_eq_ct(str_of(mac, tag.n), tag));
        }
    close_tally(&tally, 174);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(json_web_signature), ARENA_TEST(json_web_key), ARENA_TEST(json_web_crypto),
        ARENA_TEST(ecdsa_p1363),        ARENA_TEST(ed25519),      ARENA_TEST(rsa_signature_2048),
        ARENA_TEST(rsa_signature_3072), ARENA_TEST(rsa_pss_2048), ARENA_TEST(hmac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
