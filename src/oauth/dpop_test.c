#include "oauth/oauth_test_world.h"

#include "core/b64.h"
#include "core/buf.h"
#include "core/limits.h"
#include "jose/digest.h"
#include "oauth/oauth_test_dpop.h"

#define URL "https://rs.test/mcp"

typedef struct {
    world_t w;
    jwk_t key, rsa;
    oauth_dpop_expect_t expect;
    oauth_dpop_t out;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    p->key = dpop_test_key(p->w.a, ALG_ES256);
    p->expect =
        (oauth_dpop_expect_t){.method = STR("POST"), .url = STR(URL), .now_ms = TEST_NOW * 1000LL};
}

static oauth_reason_t check(play_t *p, str_t proof)
{
    assert_int_equal(oauth_dpop_check(p->w.a, (str_list_t){&proof, 1}, &p->expect, &p->out), RC_OK);
    assert_true(str_is_set(p->out.jkt) == (p->out.reason == OAUTH_FINE));
    return p->out.reason;
}

static oauth_reason_t check_claims(play_t *p, const char *claims)
{
    return check(p, dpop_test_proof(p->w.a, &p->key, str_c(claims)));
}

static str_t good(play_t *p, const char *more)
{
    return dpop_test_good(p->w.a, &p->key, URL, TEST_NOW, more);
}

/* A good proof must pass after everything that was refused. */
static void end(play_t *p)
{
    p->expect =
        (oauth_dpop_expect_t){.method = STR("POST"), .url = STR(URL), .now_ms = TEST_NOW * 1000LL};
    assert_reason(check(p, good(p, "")), OAUTH_FINE);
    world_end(&p->w);
}

/* Signs the claims of a good proof under a header given as text, with %s for the jwk. */
static oauth_reason_t check_header(play_t *p, const char *before, const char *after)
{
    str_t jwk = dpop_test_jwk(p->w.a, &p->key);
    str_t header = arena_printf(p->w.a, "%s%" PRIstr "%s", before, STR_ARG(jwk), after);
    str_t claims = arena_printf(
        p->w.a, "{\"jti\":\"j\",\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":%d}", TEST_NOW);
    return check(p, dpop_test_sign(p->w.a, &p->key, header, claims));
}

static void a_good_proof(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    assert_reason(check(&p, good(&p, "")), OAUTH_FINE);
    assert_str(p.out.jkt, dpop_test_jkt(p.w.a, &p.key));
    assert_int_equal(p.out.iat, TEST_NOW);
    assert_true(str_starts(p.out.jti, STR("proof-")));
    assert_int_equal(oauth_dpop_forget_at(&p.out), TEST_NOW + LIMIT_DPOP_WINDOW_S + 1);
    end(&p);
}

/* The key of RFC 9449 figure 2, and its thumbprint of section 6.1. */
static void the_example_of_rfc_9449(void **state)
{
    (void)state;
    static const char PROOF[] =
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMz"
        "R0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFq"
        "SG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwia"
        "HRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY"
        "yNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV3"
        "7xRZT3Lg";
    play_t p;
    begin(&p);
    p.expect.url = STR("https://server.example.com/token");
    p.expect.now_ms = 1562262620000;
    assert_reason(check(&p, str_of(PROOF, sizeof PROOF - 1)), OAUTH_FINE);
    assert_text(p.out.jkt, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_text(p.out.jti, "-BwC3ESc6acc2lTc");
    end(&p);
}

static void no_proof_is_fine(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    assert_int_equal(oauth_dpop_check(p.w.a, (str_list_t){0}, &p.expect, &p.out), RC_OK);
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_unset(p.out.jkt);
    end(&p);
}

static void every_algorithm_of_the_table(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    str_list_t names = oauth_dpop_alg_names();
    for (size_t i = 0; i < names.n; i++) {
        p.key = dpop_test_key(p.w.a, alg_parse(names.v[i]));
        assert_reason(check(&p, good(&p, "")), OAUTH_FINE);
        assert_str(p.out.jkt, dpop_test_jkt(p.w.a, &p.key));
    }
    p.key = dpop_test_key(p.w.a, ALG_EDDSA);
    assert_reason(check_header(&p, "{\"typ\":\"dpop+jwt\",\"alg\":\"Ed25519\",\"jwk\":", "}"),
                  OAUTH_FINE);
    end(&p);
}

static void dpop_repeated(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const str_t two[] = {good(&p, ""), good(&p, "")};
    assert_int_equal(oauth_dpop_check(p.w.a, (str_list_t){two, 2}, &p.expect, &p.out), RC_OK);
    assert_reason(p.out.reason, OAUTH_DPOP_REPEATED);
    assert_unset(p.out.jkt);
    end(&p);
}

static void dpop_malformed(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    static const char *const BAD[] = {"",
                                      "a",
                                      "a.b",
                                      "a.b.c",
                                      "..",
                                      "e30.e30",
                                      "{}",
                                      "eyJ0eXAiOiJkcG9wK2p3dCJ9..",
                                      "e30.\303\251.e30"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_true(check(&p, str_c(BAD[i])) != OAUTH_FINE);
    assert_reason(check(&p, STR("a.b")), OAUTH_DPOP_MALFORMED);
    str_t proof = good(&p, "");
    assert_reason(
        check(&p, arena_printf(p.w.a, "%" PRIstr ", %" PRIstr, STR_ARG(proof), STR_ARG(proof))),
        OAUTH_DPOP_MALFORMED);
    str_t long_one = arena_printf(p.w.a, ",\"x\":\"%04000d\"", 1);
    assert_reason(check(&p, good(&p, long_one.p)), OAUTH_DPOP_MALFORMED);
    assert_reason(check_claims(&p, "[]"), OAUTH_DPOP_MALFORMED);
    assert_reason(check(&p, good(&p, ",\"exp\":\"soon\"")), OAUTH_DPOP_MALFORMED);
    end(&p);
}

static void dpop_typ(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    assert_reason(check_header(&p, "{\"alg\":\"ES256\",\"jwk\":", "}"), OAUTH_DPOP_TYP);
    assert_reason(check_header(&p, "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":", "}"),
                  OAUTH_DPOP_TYP);
    assert_reason(check_header(&p, "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"jwk\":", "}"),
                  OAUTH_DPOP_TYP);
    assert_reason(check_header(&p, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":", "}"),
                  OAUTH_FINE);
    end(&p);
}

static void dpop_alg(void **state)
{
    (void)state;
    static const char *const BAD[] = {"none", "HS256", "RS256", "ES512", "", "es256"};
    play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        str_t before = arena_printf(p.w.a, "{\"typ\":\"dpop+jwt\",\"alg\":\"%s\",\"jwk\":", BAD[i]);
        assert_reason(check_header(&p, before.p, "}"), OAUTH_DPOP_ALG);
    }
    assert_reason(check_header(&p, "{\"typ\":\"dpop+jwt\",\"jwk\":", "}"), OAUTH_DPOP_ALG);
    p.key = dpop_test_key(p.w.a, ALG_RS256);
    assert_reason(check(&p, good(&p, "")), OAUTH_DPOP_ALG);
    p.key = dpop_test_key(p.w.a, ALG_ES256);
    end(&p);
}

static void dpop_key(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    assert_reason(check_header(&p, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"x\":", "}"),
                  OAUTH_DPOP_KEY);
    static const char *const BAD[] = {
        "null",
        "\"k\"",
        "[]",
        "{}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        str_t before = arena_printf(
            p.w.a, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":%s,\"x\":", BAD[i]);
        assert_reason(check_header(&p, before.p, "}"), OAUTH_DPOP_KEY);
    }
    str_t jwk = dpop_test_jwk(p.w.a, &p.key);
    str_t private =
        arena_printf(p.w.a, "%" PRIstr ",\"d\":\"%043d\"}", STR_ARG(str_first(jwk, jwk.n - 1)), 0);
    str_t before = arena_printf(
        p.w.a,
        "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":%" PRIstr ",\"x\":", STR_ARG(private));
    assert_reason(check_header(&p, before.p, "}"), OAUTH_DPOP_KEY);
    /* from anywhere else than the header itself */
    assert_reason(check_header(&p, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":",
                               ",\"jku\":\"https://evil.test/keys\"}"),
                  OAUTH_DPOP_MALFORMED);
    end(&p);
}

static void dpop_signature(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    str_t proof = good(&p, "");
    char *bytes = (char *)(uintptr_t)arena_dup(p.w.a, proof).p;
    assert_non_null(bytes);
    bytes[proof.n - 10] = bytes[proof.n - 10] == 'A' ? 'B' : 'A';
    assert_reason(check(&p, str_of(bytes, proof.n)), OAUTH_DPOP_SIGNATURE);
    size_t dot = proof.n;
    while (proof.p[dot - 1] != '.')
        dot--;
    assert_reason(check(&p, str_first(proof, dot)), OAUTH_DPOP_SIGNATURE);
    /* signed by another key than the one it shows */
    jwk_t other = dpop_test_key(p.w.a, ALG_ES256);
    str_t jwk = dpop_test_jwk(p.w.a, &p.key);
    str_t header = arena_printf(
        p.w.a, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":%" PRIstr "}", STR_ARG(jwk));
    assert_reason(check(&p, dpop_test_sign(p.w.a, &other, header, STR("{}"))),
                  OAUTH_DPOP_SIGNATURE);
    /* for another algorithm than the key's */
    assert_reason(check_header(&p, "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"jwk\":", "}"),
                  OAUTH_DPOP_SIGNATURE);
    end(&p);
}

static void dpop_jti(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const char *rest = "\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1000000}";
    static const struct {
        const char *jti;
        oauth_reason_t reason;
    } ROWS[] = {{"", OAUTH_DPOP_JTI},
                {"\"jti\":\"\",", OAUTH_DPOP_JTI},
                {"\"jti\":7,", OAUTH_DPOP_MALFORMED},
                {"\"jti\":\"x\",", OAUTH_FINE}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t claims = arena_printf(p.w.a, "{%s%s", ROWS[i].jti, rest);
        assert_reason(check_claims(&p, claims.p), ROWS[i].reason);
    }
    str_t longest = arena_printf(p.w.a, "{\"jti\":\"%0*d\",%s", LIMIT_DPOP_JTI_BYTES, 0, rest);
    assert_reason(check_claims(&p, longest.p), OAUTH_FINE);
    str_t longer = arena_printf(p.w.a, "{\"jti\":\"%0*d\",%s", LIMIT_DPOP_JTI_BYTES + 1, 0, rest);
    assert_reason(check_claims(&p, longer.p), OAUTH_DPOP_JTI);
    end(&p);
}

static void dpop_method(void **state)
{
    (void)state;
    static const char *const BAD[] = {"\"htm\":\"PUT\",", "\"htm\":\"post\",", "\"htm\":\"\",",
                                      "\"htm\":1,", ""};
    play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        str_t claims = arena_printf(p.w.a, "{\"jti\":\"j\",%s\"htu\":\"" URL "\",\"iat\":%d}",
                                    BAD[i], TEST_NOW);
        assert_reason(check_claims(&p, claims.p), OAUTH_DPOP_METHOD);
    }
    p.expect.method = STR_UNSET; /* two that are missing are not the same */
    assert_reason(check_claims(&p, "{\"jti\":\"j\",\"htu\":\"" URL "\",\"iat\":1000000}"),
                  OAUTH_DPOP_METHOD);
    end(&p);
}

static oauth_reason_t check_url(play_t *p, const char *url)
{
    return check(p, dpop_test_good(p->w.a, &p->key, url, TEST_NOW, ""));
}

static void dpop_url(void **state)
{
    (void)state;
    static const char *const BAD[] = {"https://rs.test/",
                                      "https://rs.test/mcp/",
                                      "https://rs.test/MCP",
                                      "http://rs.test/mcp",
                                      "https://rs.test:444/mcp",
                                      "https://evil.test/mcp",
                                      "https://a@rs.test/mcp",
                                      "//rs.test/mcp",
                                      "/mcp",
                                      "https://rs.test/x/../mcp",
                                      "https://rs.test.evil/mcp",
                                      "https://rs.test/m%2fcp",
                                      "",
                                      "https://rs.test/mcp/extra",
                                      "https://rs.test/mc%"};
    play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_reason(check_url(&p, BAD[i]), OAUTH_DPOP_URL);
    assert_reason(check_claims(&p, "{\"jti\":\"j\",\"htm\":\"POST\",\"iat\":1000000}"),
                  OAUTH_DPOP_URL);
    end(&p);
}

/* attack case: RDP-002 */
static void urls_are_normalised_first(void **state)
{
    (void)state;
    static const char *const SAME[] = {"https://RS.test/mcp",     "HTTPS://rs.TEST/mcp",
                                       "https://rs.test:443/mcp", "https://rs.test/mcp?a=b",
                                       "https://rs.test/mcp#top", "https://rs.test/m%63p",
                                       "https://rs.test/mcp?x#y"};
    play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++)
        assert_reason(check_url(&p, SAME[i]), OAUTH_FINE);
    p.expect.url = STR("https://rs.test");
    assert_reason(check_url(&p, "https://rs.test/"), OAUTH_FINE);
    assert_reason(check_url(&p, "https://rs.test"), OAUTH_FINE);
    p.expect.url = STR("https://rs.test/a%2Fb");
    assert_reason(check_url(&p, "https://rs.test/a%2fb"), OAUTH_FINE);
    assert_reason(check_url(&p, "https://rs.test/a/b"), OAUTH_DPOP_URL);
    end(&p);
}

/* attack case: RDP-002 */
static void dpop_time(void **state)
{
    (void)state;
    static const struct {
        int64_t iat;
        const char *more;
        oauth_reason_t reason;
    } ROWS[] = {
        {TEST_NOW - 10, "", OAUTH_FINE},
        {TEST_NOW + 10, "", OAUTH_FINE},
        {TEST_NOW - LIMIT_DPOP_WINDOW_S, "", OAUTH_FINE},
        {TEST_NOW + LIMIT_DPOP_WINDOW_S, "", OAUTH_FINE},
        {TEST_NOW - LIMIT_DPOP_WINDOW_S - 1, "", OAUTH_DPOP_TIME},
        {TEST_NOW + LIMIT_DPOP_WINDOW_S + 1, "", OAUTH_DPOP_TIME},
        {TEST_NOW - 3600, "", OAUTH_DPOP_TIME},
        {TEST_NOW + 3600, "", OAUTH_DPOP_TIME},
        {TEST_NOW, ",\"nbf\":1000000,\"exp\":1000060", OAUTH_FINE},
        {TEST_NOW, ",\"nbf\":1000010", OAUTH_FINE},
        {TEST_NOW, ",\"nbf\":1000011", OAUTH_DPOP_TIME},
        {TEST_NOW, ",\"exp\":999991", OAUTH_FINE},
        {TEST_NOW, ",\"exp\":999990", OAUTH_DPOP_TIME},
        {TEST_NOW, ",\"nbf\":1003600,\"exp\":1007200", OAUTH_DPOP_TIME},
    };
    play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t proof = dpop_test_good(p.w.a, &p.key, URL, ROWS[i].iat, ROWS[i].more);
        assert_reason(check(&p, proof), ROWS[i].reason);
    }
    assert_reason(check_claims(&p, "{\"jti\":\"j\",\"htm\":\"POST\",\"htu\":\"" URL "\"}"),
                  OAUTH_DPOP_TIME);
    end(&p);
}

static void dpop_token(void **state)
{
    (void)state;
    uint8_t digest[SHA256_BYTES];
    play_t p;
    begin(&p);
    sha256(STR("the-token"), digest);
    str_t ath = b64url_encode(p.w.a, digest, sizeof digest);
    str_t right = arena_printf(p.w.a, ",\"ath\":\"%" PRIstr "\"", STR_ARG(ath));
    str_t padded = arena_printf(p.w.a, ",\"ath\":\"%" PRIstr "=\"", STR_ARG(ath));
    p.expect.access_token = STR("the-token");
    assert_reason(check(&p, good(&p, "")), OAUTH_DPOP_TOKEN);
    assert_reason(check(&p, good(&p, ",\"ath\":\"the-token\"")), OAUTH_DPOP_TOKEN);
    assert_reason(check(&p, good(&p, ",\"ath\":5")), OAUTH_DPOP_TOKEN);
    assert_reason(check(&p, good(&p, padded.p)), OAUTH_DPOP_TOKEN);
    assert_reason(check(&p, good(&p, right.p)), OAUTH_FINE);
    p.expect.access_token = STR("other-token");
    assert_reason(check(&p, good(&p, right.p)), OAUTH_DPOP_TOKEN);
    end(&p);
}

static const oauth_dpop_nonces_t NONCES = {STR_INIT("0123456789abcdef0123456789abcdef"),
                                           STR_INIT("https://as.test")};

static void dpop_nonce_missing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.expect.nonces = &NONCES;
    assert_reason(check(&p, good(&p, "")), OAUTH_DPOP_NONCE_MISSING);
    assert_reason(check(&p, good(&p, ",\"nonce\":null")), OAUTH_DPOP_NONCE_MISSING);
    /* nobody gets a nonce for a proof that is bad anyway */
    assert_reason(check_url(&p, "https://evil.test/"), OAUTH_DPOP_URL);
    end(&p);
}

/* attack case: ADP-004 */
static void dpop_nonce_stale(void **state)
{
    (void)state;
    str_t nonce;
    play_t p;
    begin(&p);
    p.expect.nonces = &NONCES;
    assert_reason(check(&p, good(&p, ",\"nonce\":\"\"")), OAUTH_DPOP_NONCE_STALE);
    assert_reason(check(&p, good(&p, ",\"nonce\":\"made-up\"")), OAUTH_DPOP_NONCE_STALE);
    assert_int_equal(oauth_dpop_nonce_make(p.w.a, &NONCES, TEST_NOW - 400, &nonce), RC_OK);
    str_t more = arena_printf(p.w.a, ",\"nonce\":\"%" PRIstr "\"", STR_ARG(nonce));
    assert_reason(check(&p, good(&p, more.p)), OAUTH_DPOP_NONCE_STALE);
    assert_int_equal(oauth_dpop_nonce_make(p.w.a, &NONCES, TEST_NOW, &nonce), RC_OK);
    more = arena_printf(p.w.a, ",\"nonce\":\"%" PRIstr "\"", STR_ARG(nonce));
    assert_reason(check(&p, good(&p, more.p)), OAUTH_FINE);
    end(&p);
}

/* attack case: RDP-002 */
static void what_is_unknown_does_not_matter(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    assert_reason(check(&p, good(&p, ",\"content_digest\":{\"a\":[1]},\"ath\":9,\"nonce\":1")),
                  OAUTH_FINE);
    assert_reason(check_header(&p, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"x\":[1],\"jwk\":",
                               ",\"cty\":\"y\"}"),
                  OAUTH_FINE);
    end(&p);
}

static void a_use_is_one_of_key_and_jti(void **state)
{
    (void)state;
    oauth_dpop_t one = {.jkt = STR("k"), .jti = STR("j")}, same = one;
    oauth_dpop_t other_key = {.jkt = STR("l"), .jti = STR("j")};
    oauth_dpop_t other_jti = {.jkt = STR("k"), .jti = STR("i")};
    hash_t name = oauth_dpop_name(&one), hash = oauth_dpop_name(&same);
    assert_memory_equal(&name, &hash, sizeof hash);
    hash = oauth_dpop_name(&other_key);
    assert_memory_not_equal(&name, &hash, sizeof hash);
    hash = oauth_dpop_name(&other_jti);
    assert_memory_not_equal(&name, &hash, sizeof hash);
}

static void what_is_a_thumbprint(void **state)
{
    (void)state;
    assert_true(oauth_dpop_is_jkt(STR("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")));
    assert_false(oauth_dpop_is_jkt(STR("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J")));
    assert_false(oauth_dpop_is_jkt(STR("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=")));
    assert_false(oauth_dpop_is_jkt(STR("0ZcOCORZNYy+DWpqq30jZyJGHTN0d2HglBV3uiguA4I")));
    assert_false(oauth_dpop_is_jkt(STR("short")));
    assert_false(oauth_dpop_is_jkt(STR("")));
}

static rc_t check_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    oauth_dpop_t out;
    str_t proof = good(p, ",\"ath\":\"x\"");
    p->expect.access_token = STR("t");
    (void)w;
    rc_t rc = oauth_dpop_check(a, (str_list_t){&proof, 1}, &p->expect, &out);
    /* jwk_parse does not tell a key that it has no memory for from one it does not take. */
    if (rc == RC_OK && out.reason == OAUTH_DPOP_KEY)
        return RC_MEMORY;
    assert_true(rc != RC_OK || out.reason == OAUTH_DPOP_TOKEN);
    return rc;
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    world_starve(check_in, &p.w, &p);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_proof),
        cmocka_unit_test(the_example_of_rfc_9449),
        cmocka_unit_test(no_proof_is_fine),
        cmocka_unit_test(every_algorithm_of_the_table),
        cmocka_unit_test(dpop_repeated),
        cmocka_unit_test(dpop_malformed),
        cmocka_unit_test(dpop_typ),
        cmocka_unit_test(dpop_alg),
        cmocka_unit_test(dpop_key),
        cmocka_unit_test(dpop_signature),
        cmocka_unit_test(dpop_jti),
        cmocka_unit_test(dpop_method),
        cmocka_unit_test(dpop_url),
        cmocka_unit_test(urls_are_normalised_first),
        cmocka_unit_test(dpop_time),
        cmocka_unit_test(dpop_token),
        cmocka_unit_test(dpop_nonce_missing),
        cmocka_unit_test(dpop_nonce_stale),
        cmocka_unit_test(what_is_unknown_does_not_matter),
        cmocka_unit_test(a_use_is_one_of_key_and_jti),
        cmocka_unit_test(what_is_a_thumbprint),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
