/* Tokens bound to a key, and the proofs that come with them. */
#include "rs/rs_test_world.h"

#include "core/b64.h"
#include "core/limits.h"
#include "jose/digest.h"
#include "oauth/oauth_test_dpop.h"

#define METADATA "resource_metadata=\"https://rs.test/.well-known/oauth-protected-resource/mcp\""
#define ALGS     "algs=\"ES256 EdDSA Ed25519 PS256\""
#define SCOPE    "scope=\"files:read\", "
#define INVALID                                                                                    \
    "error=\"invalid_token\", error_description=\"The access token is not valid for this "         \
    "resource\", "
#define BAD_PROOF                                                                                  \
    "error=\"invalid_dpop_proof\", error_description=\"The DPoP proof is not valid for this "      \
    "request\", "

typedef struct {
    world_t *w;
    jwk_t key; /* the client's */
    const char *token;
} play_t;

static play_t begin(void **state, warder_rs_dpop_t mode)
{
    play_t p = {.w = *state};
    p.key = dpop_test_key(p.w->a, ALG_ES256);
    str_t claims = arena_printf(p.w->a,
                                "{" W_WHO W_AUD W_TIME ",\"scope\":\"files:read\","
                                "\"cnf\":{\"jkt\":\"%" PRIstr "\"}}",
                                STR_ARG(dpop_test_jkt(p.w->a, &p.key)));
    p.token = world_sign(p.w, &p.w->key, claims.p);
    p.w->config.dpop = mode;
    world_open(p.w);
    return p;
}

static const char *ath(play_t *p, const char *token)
{
    uint8_t digest[SHA256_BYTES];
    sha256(str_c(token), digest);
    str_t text = b64url_encode(p->w->a, digest, sizeof digest);
    return arena_printf(p->w->a, ",\"ath\":\"%" PRIstr "\"", STR_ARG(text)).p;
}

static str_t good_with(play_t *p, const char *more)
{
    str_t all = arena_printf(p->w->a, "%s%s", ath(p, p->token), more);
    return dpop_test_good(p->w->a, &p->key, W_RESOURCE, p->w->wall_ms / 1000, all.p);
}

static str_t good(play_t *p)
{
    return good_with(p, "");
}

static void free_verdict(void *verdict)
{
    warder_rs_verdict_free(verdict);
}

static const warder_rs_verdict_t *ask(play_t *p, warder_rs_request_t *req)
{
    warder_rs_verdict_t *v = warder_rs_check(p->w->rs, req);
    assert_non_null(v);
    assert_int_equal(arena_cleanup(p->w->a, free_verdict, v), RC_OK);
    return v;
}

/* "SCHEME <the bound token>" with this proof, unset: none. */
static const warder_rs_verdict_t *ask_as(play_t *p, const char *scheme, str_t proof)
{
    const char *value = arena_printf(p->w->a, "%s %s", scheme, p->token).p;
    const char *text = str_is_set(proof) ? arena_cstr(p->w->a, proof) : NULL;
    warder_rs_request_t req = {.headers = &value,
                               .header_count = 1,
                               .scope = "files:read",
                               .method = "POST",
                               .proofs = &text,
                               .proof_count = text ? 1 : 0};
    return ask(p, &req);
}

static void control(play_t *p)
{
    assert_allowed(ask_as(p, "DPoP", good(p)));
}

static void a_bound_token_with_its_proof(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_OPTIONAL);
    const warder_rs_verdict_t *v = ask_as(&p, "DPoP", good(&p));
    assert_allowed(v);
    assert_string_equal(v->sub, "alice");
    assert_string_equal(v->jkt, dpop_test_jkt(p.w->a, &p.key).p);
    assert_string_equal(v->dpop_nonce, "");
    /* bearer tokens are good beside it, and say so */
    v = world_ask(p.w, world_sign(p.w, &p.w->key, W_GOOD), "files:read");
    assert_allowed(v);
    assert_string_equal(v->jkt, "");
    control(&p);
}

/* attack case: RDP-002 */
static void the_scheme_knows_no_case(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    assert_allowed(ask_as(&p, "dpop", good(&p)));
    assert_allowed(ask_as(&p, "DPOP", good(&p)));
    control(&p);
}

/* attack case: RDP-003 */
static void token_bound(void **state)
{
    for (int mode = WARDER_RS_DPOP_OPTIONAL; mode <= WARDER_RS_DPOP_REQUIRED; mode++) {
        play_t p = begin(state, mode);
        for (int i = 0; i < 2; i++) { /* the second time it is remembered */
            const warder_rs_verdict_t *v = ask_as(&p, "Bearer", STR_UNSET);
            assert_denied(v, 401, "token_bound");
            assert_string_equal(v->www_authenticate, "DPoP " INVALID SCOPE METADATA ", " ALGS);
            assert_string_equal(v->sub, "");
            assert_denied(ask_as(&p, "Bearer", good(&p)), 401, "token_bound");
        }
        control(&p);
    }
}

/* attack case: RDP-004 */
static void bound_tokens_are_refused_where_dpop_is_off(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_OFF);
    const warder_rs_verdict_t *v = ask_as(&p, "Bearer", good(&p));
    assert_denied(v, 401, "token_bound");
    assert_string_equal(v->www_authenticate, "Bearer " INVALID SCOPE METADATA);
    v = ask_as(&p, "DPoP", good(&p));
    assert_denied(v, 401, "other_scheme");
    assert_string_equal(v->www_authenticate, "Bearer " SCOPE METADATA);
    assert_allowed(world_ask(p.w, world_sign(p.w, &p.w->key, W_GOOD), "files:read"));
}

/* What a token is bound to beside or instead of one key cannot be seen here. */
static void a_confirmation_is_never_ignored(void **state)
{
    static const char *const CNFS[] = {"{}",
                                       "null",
                                       "\"x\"",
                                       "{\"jkt\":\"\"}",
                                       "{\"jkt\":5}",
                                       "{\"x5t#S256\":\"abc\"}",
                                       "{\"jkt\":\"abc\",\"x5t#S256\":\"abc\"}",
                                       "[]"};
    play_t p = begin(state, WARDER_RS_DPOP_OPTIONAL);
    const char *good_token = p.token;
    for (size_t i = 0; i < sizeof CNFS / sizeof CNFS[0]; i++) {
        str_t claims = arena_printf(
            p.w->a, "{" W_WHO W_AUD W_TIME ",\"scope\":\"files:read\",\"cnf\":%s}", CNFS[i]);
        p.token = world_sign(p.w, &p.w->key, claims.p);
        assert_denied(ask_as(&p, "Bearer", STR_UNSET), 401, "token_bound");
        assert_denied(ask_as(&p, "DPoP", good(&p)), 401, "token_bound");
    }
    p.token = good_token;
    control(&p);
}

static void token_not_bound(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    const char *bound = p.token;
    p.token = world_sign(p.w, &p.w->key, W_GOOD);
    assert_denied(ask_as(&p, "DPoP", good(&p)), 401, "token_not_bound");
    const warder_rs_verdict_t *v = ask_as(&p, "Bearer", STR_UNSET);
    assert_denied(v, 401, "token_not_bound");
    assert_string_equal(v->www_authenticate, "DPoP " INVALID SCOPE METADATA ", " ALGS);
    p.token = bound;
    control(&p);
}

static void token_other_key(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    jwk_t own = p.key;
    p.key = dpop_test_key(p.w->a, ALG_ES256);
    const warder_rs_verdict_t *v = ask_as(&p, "DPoP", good(&p));
    assert_denied(v, 401, "token_other_key");
    assert_string_equal(v->error, "invalid_token");
    p.key = own;
    control(&p);
}

static void refused_proof(play_t *p, str_t proof, const char *reason)
{
    const warder_rs_verdict_t *v = ask_as(p, "DPoP", proof);
    assert_denied(v, 401, reason);
    assert_string_equal(v->www_authenticate, "DPoP " BAD_PROOF SCOPE METADATA ", " ALGS);
    assert_string_equal(v->error, "invalid_dpop_proof");
    assert_string_equal(v->sub, "");
}

static void proof_refused(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    int64_t now = p.w->wall_ms / 1000;
    refused_proof(&p, STR_UNSET, "dpop_missing");
    refused_proof(&p, STR(""), "dpop_malformed");
    refused_proof(&p, dpop_test_good(p.w->a, &p.key, W_RESOURCE, now, ""), "dpop_token");
    refused_proof(&p, dpop_test_good(p.w->a, &p.key, W_RESOURCE, now, ath(&p, "other")),
                  "dpop_token");
    refused_proof(&p, dpop_test_good(p.w->a, &p.key, W_RESOURCE, now - 3600, ath(&p, p.token)),
                  "dpop_time");
    refused_proof(&p, dpop_test_good(p.w->a, &p.key, W_ISSUER, now, ath(&p, p.token)), "dpop_url");
    control(&p);
}

static void two_proofs(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    const char *value = arena_printf(p.w->a, "DPoP %s", p.token).p;
    const char *two[] = {good(&p).p, good(&p).p};
    warder_rs_request_t req = {
        .headers = &value, .header_count = 1, .method = "POST", .proofs = two, .proof_count = 2};
    assert_denied(ask(&p, &req), 401, "dpop_repeated");
    control(&p);
}

static void a_proof_counts_once(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    str_t proof = good(&p);
    assert_allowed(ask_as(&p, "DPoP", proof));
    refused_proof(&p, proof, "dpop_replayed");
    world_pass(p.w, LIMIT_DPOP_WINDOW_S);
    refused_proof(&p, proof, "dpop_replayed");
    world_pass(p.w, 1);
    refused_proof(&p, proof, "dpop_time");
    control(&p);
}

static void proofs_full(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    p.w->config.dpop_proofs = 16;
    world_open(p.w);
    const warder_rs_verdict_t *v = NULL;
    size_t n = 0;
    for (size_t i = 0; i < 400 && (!v || v->outcome == WARDER_RS_ALLOW || n < 16); i++) {
        v = ask_as(&p, "DPoP", good(&p));
        n += v->outcome == WARDER_RS_ALLOW;
    }
    assert_int_equal(n, 16);
    v = ask_as(&p, "DPoP", good(&p));
    assert_denied(v, 503, "proofs_full");
    assert_string_equal(v->www_authenticate, "");
    assert_true(v->retry_after_s > 0);
    world_pass(p.w, LIMIT_DPOP_WINDOW_S + 2);
    control(&p);
}

/* attack case: RDP-006 */
static void the_url_is_the_resources(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    int64_t now = p.w->wall_ms / 1000;
    static const char *const OTHERS[] = {"http://127.0.0.1:8080/mcp", "https://evil.test/mcp",
                                         "https://rs.test/internal"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        refused_proof(&p, dpop_test_good(p.w->a, &p.key, OTHERS[i], now, ath(&p, p.token)),
                      "dpop_url");
    assert_allowed(ask_as(
        &p, "DPoP",
        dpop_test_good(p.w->a, &p.key, "https://RS.test:443/mcp?a=b", now, ath(&p, p.token))));
    const char *value = arena_printf(p.w->a, "DPoP %s", p.token).p;
    const char *proof =
        dpop_test_good(p.w->a, &p.key, "https://rs.test/files/7", now, ath(&p, p.token)).p;
    warder_rs_request_t req = {.headers = &value,
                               .header_count = 1,
                               .method = "POST",
                               .path = "/files/7?x=y",
                               .proofs = &proof,
                               .proof_count = 1};
    assert_allowed(ask(&p, &req));
    req.path = "/files/8";
    assert_denied(ask(&p, &req), 401, "dpop_url");
    req.path = NULL;
    req.method = "GET";
    assert_denied(ask(&p, &req), 401, "dpop_method");
    req.method = NULL;
    assert_denied(ask(&p, &req), 401, "dpop_method");
    control(&p);
}

/* A proxy may hand on the one for the other. */
static void a_resource_has_two_spellings(void **state)
{
    static const struct {
        const char *resource, *htu;
        bool fine;
    } ROWS[] = {
        {"https://rs.test/mcp", "https://rs.test/mcp/", true},
        {"https://rs.test/mcp", "https://rs.test/mcp", true},
        {"https://rs.test/mcp", "https://rs.test/mcp//", false},
        {"https://rs.test/mcp", "https://rs.test/", false},
        {"https://rs.test/mcp/", "https://rs.test/mcp", true},
        {"https://rs.test/mcp/", "https://rs.test/mcp/", true},
        {"https://rs.test/mcp/", "https://rs.test/mcp//", false},
        {"https://rs.test", "https://rs.test/", true},
        {"https://rs.test", "https://rs.test//", false},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
        p.w->config.resource = ROWS[i].resource;
        world_open(p.w);
        str_t claims = arena_printf(p.w->a,
                                    "{" W_WHO ",\"aud\":\"%s\"" W_TIME ",\"cnf\":{\"jkt\":\""
                                    "%" PRIstr "\"},\"scope\":\"files:read\"}",
                                    ROWS[i].resource, STR_ARG(dpop_test_jkt(p.w->a, &p.key)));
        p.token = world_sign(p.w, &p.w->key, claims.p);
        str_t proof =
            dpop_test_good(p.w->a, &p.key, ROWS[i].htu, p.w->wall_ms / 1000, ath(&p, p.token));
        if (ROWS[i].fine)
            assert_allowed(ask_as(&p, "DPoP", proof));
        else
            assert_denied(ask_as(&p, "DPoP", proof), 401, "dpop_url");
    }
}

static void proof_nonce(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    p.w->config.dpop_nonce = true;
    world_open(p.w);
    const warder_rs_verdict_t *v = ask_as(&p, "DPoP", good(&p));
    assert_denied(v, 401, "dpop_nonce_missing");
    assert_string_equal(
        v->www_authenticate,
        "DPoP error=\"use_dpop_nonce\", error_description=\"The DPoP proof must hold the nonce of "
        "the DPoP-Nonce header\", " SCOPE METADATA ", " ALGS);
    const char *more = arena_printf(p.w->a, ",\"nonce\":\"%s\"", v->dpop_nonce).p;
    v = ask_as(&p, "DPoP", good_with(&p, more));
    assert_allowed(v);
    assert_int_equal(strlen(v->dpop_nonce), 32);
    world_pass(p.w, LIMIT_DPOP_NONCE_S + 1);
    v = ask_as(&p, "DPoP", good_with(&p, more));
    assert_denied(v, 401, "dpop_nonce_stale");
    more = arena_printf(p.w->a, ",\"nonce\":\"%s\"", v->dpop_nonce).p;
    assert_allowed(ask_as(&p, "DPoP", good_with(&p, more)));
}

static void processes_share_nonces_by_a_secret(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_REQUIRED);
    p.w->config.dpop_nonce = true;
    world_open(p.w);
    const char *foreign =
        arena_printf(p.w->a, ",\"nonce\":\"%s\"", ask_as(&p, "DPoP", good(&p))->dpop_nonce).p;
    p.w->config.dpop_nonce_secret = "0123456789abcdef0123456789abcdef";
    world_open(p.w);
    assert_denied(ask_as(&p, "DPoP", good_with(&p, foreign)), 401, "dpop_nonce_stale");
    const char *shared =
        arena_printf(p.w->a, ",\"nonce\":\"%s\"", ask_as(&p, "DPoP", good(&p))->dpop_nonce).p;
    world_open(p.w);
    assert_allowed(ask_as(&p, "DPoP", good_with(&p, shared)));
}

static void a_remembered_token_needs_its_proof_as_well(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_OPTIONAL);
    control(&p);
    world_publish(p.w, &p.w->key, 1);
    refused_proof(&p, STR_UNSET, "dpop_missing");
    assert_denied(ask_as(&p, "Bearer", STR_UNSET), 401, "token_bound");
    control(&p);
}

static void challenges_without_a_token(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_OPTIONAL);
    warder_rs_request_t none = {.method = "POST"};
    assert_string_equal(ask(&p, &none)->www_authenticate,
                        "Bearer " SCOPE METADATA ", DPoP " METADATA ", " ALGS);
    p = begin(state, WARDER_RS_DPOP_REQUIRED);
    assert_string_equal(ask(&p, &none)->www_authenticate, "DPoP " SCOPE METADATA ", " ALGS);
}

static void insufficient_scope_in_the_scheme_of_the_token(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_OPTIONAL);
    const char *value = arena_printf(p.w->a, "DPoP %s", p.token).p;
    const char *proof = good(&p).p;
    warder_rs_request_t req = {.headers = &value,
                               .header_count = 1,
                               .scope = "files:write",
                               .method = "POST",
                               .proofs = &proof,
                               .proof_count = 1};
    const warder_rs_verdict_t *v = ask(&p, &req);
    assert_denied(v, 403, "insufficient_scope");
    const char *expected = "DPoP error=\"insufficient_scope\", error_description=\"The operation "
                           "needs more scope\", scope=\"files:write\", " METADATA ", " ALGS;
    assert_string_equal(v->www_authenticate, expected);
    warder_rs_verdict_t *later = warder_rs_insufficient_for(p.w->rs, v->jkt, "files:write");
    assert_string_equal(later->www_authenticate, expected);
    warder_rs_verdict_free(later);
    later = warder_rs_insufficient(p.w->rs, "files:write");
    assert_true(str_starts(str_c(later->www_authenticate), STR("Bearer error=")));
    assert_false(str_contains(str_c(later->www_authenticate), STR("DPoP")));
    warder_rs_verdict_free(later);
}

static void the_metadata_says_so(void **state)
{
    play_t p = begin(state, WARDER_RS_DPOP_OFF);
    assert_false(str_contains(str_c(warder_rs_metadata(p.w->rs)), STR("dpop")));
    p = begin(state, WARDER_RS_DPOP_OPTIONAL);
    str_t text = str_c(warder_rs_metadata(p.w->rs));
    assert_true(str_contains(
        text,
        STR("\"dpop_signing_alg_values_supported\":[\"ES256\",\"EdDSA\",\"Ed25519\",\"PS256\"]")));
    assert_false(str_contains(text, STR("dpop_bound_access_tokens_required")));
    p = begin(state, WARDER_RS_DPOP_REQUIRED);
    assert_true(str_contains(str_c(warder_rs_metadata(p.w->rs)),
                             STR("\"dpop_bound_access_tokens_required\":true")));
}

static void settings_that_cannot_be(void **state)
{
    char why[256];
    play_t p = begin(state, WARDER_RS_DPOP_OPTIONAL);
    warder_rs_config_t config = p.w->config;
    config.dpop_nonce_secret = "too short";
    assert_null(warder_rs_new(&config, why, sizeof why));
    assert_non_null(strstr(why, "dpop_nonce_secret"));
    config = p.w->config;
    config.dpop_proofs = (size_t)LIMIT_RS_PROOFS + 1;
    assert_null(warder_rs_new(&config, why, sizeof why));
    assert_non_null(strstr(why, "dpop_proofs"));
    config = p.w->config;
    config.dpop = 3;
    assert_null(warder_rs_new(&config, why, sizeof why));
    assert_non_null(strstr(why, "dpop must be"));
    control(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_bound_token_with_its_proof),
        WORLD_TEST(the_scheme_knows_no_case),
        WORLD_TEST(token_bound),
        WORLD_TEST(bound_tokens_are_refused_where_dpop_is_off),
        WORLD_TEST(a_confirmation_is_never_ignored),
        WORLD_TEST(token_not_bound),
        WORLD_TEST(token_other_key),
        WORLD_TEST(proof_refused),
        WORLD_TEST(two_proofs),
        WORLD_TEST(a_proof_counts_once),
        WORLD_TEST(proofs_full),
        WORLD_TEST(the_url_is_the_resources),
        WORLD_TEST(a_resource_has_two_spellings),
        WORLD_TEST(proof_nonce),
        WORLD_TEST(processes_share_nonces_by_a_secret),
        WORLD_TEST(a_remembered_token_needs_its_proof_as_well),
        WORLD_TEST(challenges_without_a_token),
        WORLD_TEST(insufficient_scope_in_the_scheme_of_the_token),
        WORLD_TEST(the_metadata_says_so),
        WORLD_TEST(settings_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
