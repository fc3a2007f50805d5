#include "client/client_test_util.h"

#include "client/proof.h"
#include "core/b64.h"
#include "core/json.h"
#include "core/limits.h"
#include "oauth/oauth_test_dpop.h"

enum { NOW = 1800000000 };

typedef struct {
    random_fake_t random_state;
    jwk_t key;
    client_proof_want_t want;
    oauth_dpop_expect_t expect;
    str_t proof;
} play_t;

static void begin(play_t *p, arena_t *a)
{
    *p = (play_t){0};
    p->key = dpop_test_key(a, ALG_ES256);
    p->want = (client_proof_want_t){.key = &p->key,
                                    .method = STR("POST"),
                                    .url = STR("https://rs.test/mcp"),
                                    .now = NOW,
                                    .random = random_fake(&p->random_state)};
    p->expect = (oauth_dpop_expect_t){
        .method = STR("POST"), .url = STR("https://rs.test/mcp"), .now_ms = NOW * 1000LL};
}

/* The server's own check is the judge. */
static oauth_dpop_t judge(arena_t *a, play_t *p)
{
    oauth_dpop_t out;
    assert_ok(client_proof_write(a, &p->want, &p->proof));
    assert_ok(oauth_dpop_check(a, (str_list_t){&p->proof, 1}, &p->expect, &out));
    return out;
}

/* Header (0) or payload (1) of the proof. */
static const json_t *part(arena_t *a, str_t proof, unsigned i)
{
    str_t piece, text;
    const json_t *json;
    for (str_t rest = proof; str_split(&rest, '.', &piece); i--)
        if (i == 0)
            break;
    assert_ok(b64url_decode(a, piece, &text));
    assert_ok(json_parse(a, text, NULL, &json));
    return json;
}

static void a_proof_for_each_algorithm(void **state)
{
    static const alg_t ALGS[] = {ALG_ES256, ALG_EDDSA};
    arena_t *a = *state;
    play_t p;
    begin(&p, a);
    for (size_t i = 0; i < ROWS(ALGS); i++) {
        p.key = dpop_test_key(a, ALGS[i]);
        p.key.kid = STR("not to be told");
        oauth_dpop_t got = judge(a, &p);
        assert_int_equal(got.reason, OAUTH_FINE);
        assert_str(got.jkt, dpop_test_jkt(a, &p.key));
        assert_int_equal(got.iat, NOW);
        const json_t *header = part(a, p.proof, 0);
        assert_int_equal(header->count, 3);
        assert_int_equal(json_get(header, STR("jwk"))->count, ALGS[i] == ALG_ES256 ? 4 : 3);
        assert_int_equal(part(a, p.proof, 1)->count, 4);
    }
}

static void a_jti_of_its_own_each_time(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p, a);
    str_t first = judge(a, &p).jti, second = judge(a, &p).jti;
    assert_int_equal(first.n, 22);
    assert_false(str_eq(first, second));
}

/* RFC 9449 section 7.1: the token of figure 12 and the hash in its proof. */
static void the_hash_of_the_token_in_rfc_9449(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p, a);
    p.want.access_token = p.expect.access_token =
        STR("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
    assert_int_equal(judge(a, &p).reason, OAUTH_FINE);
    assert_str(json_get_str(part(a, p.proof, 1), STR("ath")),
               STR("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"));
    p.expect.access_token = STR("another");
    assert_int_not_equal(judge(a, &p).reason, OAUTH_FINE);
}

static void the_nonce_of_the_server(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p, a);
    p.want.nonce = STR("eyJ7S_zG.eyJH0-Z.HX4w-7v");
    assert_int_equal(judge(a, &p).reason, OAUTH_FINE);
    assert_str(json_get_str(part(a, p.proof, 1), STR("nonce")), p.want.nonce);
}

static void the_url_has_neither_query_nor_fragment(void **state)
{
    static const struct {
        const char *url, *htu;
    } CASES[] = {
        {"https://rs.test/mcp?a=b#c", "https://rs.test/mcp"},
        {"https://rs.test/mcp#c?d", "https://rs.test/mcp"},
        {"https://rs.test/mcp?", "https://rs.test/mcp"},
        {"https://rs.test", "https://rs.test/"},
        {"https://rs.test?x", "https://rs.test/"},
        {"https://rs.test:8443/a%2Fb/", "https://rs.test:8443/a%2Fb/"},
        {"http://[::1]:80/mcp", "http://[::1]:80/mcp"},
    };
    arena_t *a = *state;
    play_t p;
    begin(&p, a);
    for (size_t i = 0; i < ROWS(CASES); i++) {
        p.want.url = str_c(CASES[i].url);
        p.expect.url = str_first(p.want.url, str_find(p.want.url, '?', 0));
        p.expect.url = str_first(p.expect.url, str_find(p.expect.url, '#', 0));
        assert_int_equal(judge(a, &p).reason, OAUTH_FINE);
        assert_str(json_get_str(part(a, p.proof, 1), STR("htu")), str_c(CASES[i].htu));
    }
}

static void the_method_as_it_is_sent(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p, a);
    p.want.method = p.expect.method = STR("DELETE");
    assert_int_equal(judge(a, &p).reason, OAUTH_FINE);
    p.expect.method = STR("POST");
    assert_int_not_equal(judge(a, &p).reason, OAUTH_FINE);
}

static rc_t try_key(arena_t *a, play_t *p, const jwk_t *key)
{
    p->want.key = key;
    return client_proof_write(a, &p->want, &p->proof);
}

static void a_key_that_cannot_prove(void **state)
{
    arena_t *a = *state;
    play_t p;
    jwk_t public_half = {0};
    const json_t *json;
    begin(&p, a);
    jwk_t rsa = dpop_test_key(a, ALG_RS256), wrong = p.key;
    wrong.alg = ALG_EDDSA;
    assert_ok(json_parse(a, dpop_test_jwk(a, &p.key), NULL, &json));
    assert_int_equal(jwk_parse(a, json, &public_half), JWK_OK);
    assert_int_equal(try_key(a, &p, NULL), RC_MALFORMED);
    assert_int_equal(try_key(a, &p, &(jwk_t){0}), RC_MALFORMED);
    assert_int_equal(try_key(a, &p, &rsa), RC_MALFORMED);
    assert_int_equal(try_key(a, &p, &wrong), RC_MALFORMED);
    assert_int_equal(try_key(a, &p, &public_half), RC_MALFORMED);
    assert_ok(try_key(a, &p, &p.key));
    jwk_free(&public_half);
}

static void what_is_no_url(void **state)
{
    static const char *const CASES[] = {
        "", "mcp", "/mcp", "ftp://rs.test/mcp", "https://", "https://rs test/"};
    arena_t *a = *state;
    play_t p;
    begin(&p, a);
    for (size_t i = 0; i < ROWS(CASES); i++) {
        p.want.url = str_c(CASES[i]);
        assert_int_equal(client_proof_write(a, &p.want, &p.proof), RC_MALFORMED);
    }
    p.want.url = STR("https://rs.test/mcp");
    assert_int_equal(judge(a, &p).reason, OAUTH_FINE);
}

static void too_long_or_without_randomness(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p, a);
    char *nonce = arena_alloc(a, LIMIT_DPOP_BYTES);
    memset(nonce, 'n', LIMIT_DPOP_BYTES);
    p.want.nonce = str_of(nonce, LIMIT_DPOP_BYTES);
    assert_int_equal(client_proof_write(a, &p.want, &p.proof), RC_LIMIT);
    p.want.nonce = str_of(nonce, LIMIT_DPOP_BYTES - 500);
    assert_int_equal(client_proof_write(a, &p.want, &p.proof), RC_LIMIT);
    p.want.nonce = STR_UNSET;
    p.want.random = client_test_no_random();
    assert_int_equal(client_proof_write(a, &p.want, &p.proof), RC_IO);
    p.want.random = random_fake(&p.random_state);
    assert_int_equal(judge(a, &p).reason, OAUTH_FINE);
}

static rc_t write_in(arena_t *a, void *ctx)
{
    play_t *p = ctx;
    return client_proof_write(a, &p->want, &p->proof);
}

static void no_memory(void **state)
{
    play_t p;
    begin(&p, *state);
    p.want.url = STR("https://rs.test");
    p.want.access_token = STR("token");
    client_test_starve(write_in, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_proof_for_each_algorithm),
        ARENA_TEST(a_jti_of_its_own_each_time),
        ARENA_TEST(the_hash_of_the_token_in_rfc_9449),
        ARENA_TEST(the_nonce_of_the_server),
        ARENA_TEST(the_url_has_neither_query_nor_fragment),
        ARENA_TEST(the_method_as_it_is_sent),
        ARENA_TEST(a_key_that_cannot_prove),
        ARENA_TEST(what_is_no_url),
        ARENA_TEST(too_long_or_without_randomness),
        ARENA_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
