#include "rs/rs_test_world.h"
#include "rs/verdict.h"

#include <stdio.h>

#define CHALLENGE(members)                                                                         \
    "Bearer " members                                                                              \
    "resource_metadata=\"https://rs.test/.well-known/oauth-protected-resource/mcp\""
#define INVALID_TOKEN                                                                              \
    CHALLENGE("error=\"invalid_token\", error_description=\"The access token is not valid for "    \
              "this resource\", scope=\"files:read\", ")

/* Whatever is wrong with a token, the caller sees the same. attack case: JWT-029 */
static void assert_invalid(const warder_rs_verdict_t *v, const char *reason)
{
    assert_denied(v, 401, reason);
    assert_string_equal(v->www_authenticate, INVALID_TOKEN);
    assert_string_equal(v->error, "invalid_token");
    assert_string_equal(v->body, "{\"error\":\"invalid_token\",\"error_description\":\"The access "
                                 "token is not valid for this resource\"}");
    assert_string_equal(v->sub, "");
}

static void control(world_t *w)
{
    assert_allowed(world_ask(w, world_sign(w, &w->key, W_GOOD), "files:read"));
}

static void good_token_says_who_it_is(void **state)
{
    world_t *w = *state;
    world_open(w);
    const warder_rs_verdict_t *v = world_ask(w, world_sign(w, &w->key, W_GOOD), "files:read");
    assert_allowed(v);
    assert_string_equal(v->iss, W_ISSUER);
    assert_string_equal(v->sub, "alice");
    assert_string_equal(v->client_id, "c1");
    assert_string_equal(v->scope, "files:read");
    assert_string_equal(v->jti, "j1");
    assert_int_equal(v->exp, 1700000600);
    assert_string_equal(v->www_authenticate, "");
}

static void every_algorithm_is_taken(void **state)
{
    world_t *w = *state;
    jwk_t keys[] = {w->key, world_key(w, ALG_EDDSA, "k2"), world_key(w, ALG_RS256, "k3"),
                    world_key(w, ALG_PS256, "k4")};
    world_publish(w, keys, 4);
    world_open(w);
    for (size_t i = 0; i < 4; i++)
        assert_allowed(world_ask(w, world_sign(w, &keys[i], W_GOOD), NULL));
}

static void no_token(void **state)
{
    world_t *w = *state;
    world_open(w);
    const warder_rs_verdict_t *v = world_ask_headers(w, NULL, 0);
    assert_denied(v, 401, "no_token");
    assert_string_equal(v->www_authenticate, CHALLENGE("scope=\"files:read\", "));
    assert_string_equal(v->body, "");
    assert_string_equal(v->error, "");
    control(w);
}

static void other_scheme(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *values[] = {"Basic YTpi", "DPoP abc", "Digest a=\"b\"", "Bearerx abc", "Bear abc"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const warder_rs_verdict_t *v = world_ask_headers(w, &values[i], 1);
        assert_denied(v, 401, "other_scheme");
        assert_string_equal(v->www_authenticate, CHALLENGE("scope=\"files:read\", "));
    }
    control(w);
}

/* attack case: JWT-023 */
static void authorization_repeated(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = world_sign(w, &w->key, W_GOOD);
    const char *value = arena_printf(w->a, "Bearer %s", token).p;
    const char *two[] = {value, value};
    const warder_rs_verdict_t *v = world_ask_headers(w, two, 2);
    assert_denied(v, 400, "authorization_repeated");
    assert_string_equal(
        v->www_authenticate,
        CHALLENGE("error=\"invalid_request\", error_description=\"Send one Authorization header "
                  "with one bearer token\", scope=\"files:read\", "));
    assert_string_equal(v->error, "invalid_request");
    const char *mixed[] = {"Basic YTpi", value};
    assert_denied(world_ask_headers(w, mixed, 2), 400, "authorization_repeated");
    control(w);
}

/* attack case: JWT-023 */
static void authorization_malformed(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *t = world_sign(w, &w->key, W_GOOD);
    const char *values[] = {
        "",
        " ",
        "Bearer",
        "Bearer ",
        arena_printf(w->a, "Bearer %s, Bearer %s", t, t).p,
        arena_printf(w->a, "Bearer %s %s", t, t).p,
        arena_printf(w->a, "Bearer %s,", t).p,
        arena_printf(w->a, "Bearer \"%s\"", t).p,
        arena_printf(w->a, "Bearer token=%s", t).p,
        arena_printf(w->a, "Bearer %s\n", t).p,
        arena_printf(w->a, "Bearer \t%s", t).p,
        "Bearer a=b",
        "Bearer ===",
        "Bearer \xc3\xa9",
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_denied(world_ask_headers(w, &values[i], 1), 400, "authorization_malformed");
    const char *good[] = {arena_printf(w->a, "bearer %s", t).p,
                          arena_printf(w->a, "BEARER  %s ", t).p};
    assert_allowed(world_ask_headers(w, &good[0], 1));
    assert_allowed(world_ask_headers(w, &good[1], 1));
}

/* attack case: JWT-029, and JWT-001, JWT-013, JWT-016 end to end */
static void refused_tokens_look_alike(void **state)
{
    world_t *w = *state;
    world_open(w);
    jwk_t stranger = world_key(w, ALG_ES256, "k1"), unknown = world_key(w, ALG_ES256, "k9");
    assert_invalid(world_ask(w, "abc", NULL), "jws_parts");
    assert_invalid(world_ask(w, "a.b.c", NULL), "jws_base64");
    assert_invalid(world_ask(w, world_sign_as(w, &w->key, "{\"alg\":\"none\"}", W_GOOD), NULL),
                   "jws_alg");
    assert_invalid(
        world_ask(w, world_sign_as(w, &w->key, "{\"alg\":\"ES256\",\"zip\":\"DEF\"}", W_GOOD),
                  NULL),
        "jws_transform");
    assert_invalid(world_ask(w, world_sign(w, &stranger, W_GOOD), NULL), "jws_signature");
    assert_invalid(world_ask(w, world_sign(w, &unknown, W_GOOD), NULL), "key_unknown");
    assert_invalid(world_ask(w, world_sign(w, &w->key, "{" W_WHO W_AUD ",\"exp\":1}"), NULL),
                   "jwt_expired");
    assert_invalid(world_ask(w, world_sign(w, &w->key, "{" W_WHO W_TIME ",\"aud\":\"x\"}"), NULL),
                   "jwt_aud");
    assert_invalid(world_ask(w, world_sign(w, &w->key, "[]"), NULL), "jwt_malformed");
    assert_invalid(
        world_ask(
            w,
            world_sign(w, &w->key, "{\"iss\":\"https://evil.test\",\"sub\":\"a\"" W_AUD W_TIME "}"),
            NULL),
        "issuer_unknown");
    control(w);
}

static void token_too_long(void **state)
{
    world_t *w = *state;
    world_open(w);
    char *big = arena_alloc(w->a, 20001);
    memset(big, 'a', 20000);
    assert_invalid(world_ask(w, big, NULL), "jws_too_long");
    control(w);
}

/* attack case: JWT-020 */
static void other_kinds_of_tokens(void **state)
{
    world_t *w = *state;
    world_open(w);
    static const char *const TYPES[] = {"JWT", "dpop+jwt", "logout+jwt",
                                        "",    "rt+jwt",   "client-authentication+jwt"};
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        const char *header =
            arena_printf(w->a, "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"%s\"}", TYPES[i]).p;
        assert_invalid(world_ask(w, world_sign_as(w, &w->key, header, W_GOOD), NULL), "jwt_typ");
    }
    assert_invalid(
        world_ask(w, world_sign_as(w, &w->key, "{\"alg\":\"ES256\",\"kid\":\"k1\"}", W_GOOD), NULL),
        "jwt_typ");
    const char *full = "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"Application/AT+jwt\"}";
    assert_allowed(world_ask(w, world_sign_as(w, &w->key, full, W_GOOD), NULL));
}

/* attack case: JWT-019 */
static void audience(void **state)
{
    world_t *w = *state;
    world_open(w);
    static const char *const BAD[] = {
        "",
        ",\"aud\":[]",
        ",\"aud\":\"https://other.test/mcp\"",
        ",\"aud\":\"https://rs.test\"",
        ",\"aud\":\"https://rs.test/\"",
        ",\"aud\":\"https://rs.test/mcp/\"",
        ",\"aud\":\"https://rs.test/mcp/x\"",
        ",\"aud\":\"https://rs.test/other\"",
        ",\"aud\":\"https://rs.test:443/mcp\"",
        ",\"aud\":\"https://RS.TEST/mcp\"",
        ",\"aud\":\"https://rs.test/mc\"",
        ",\"aud\":[\"https://a.test\",\"https://b.test\"]",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        const char *claims = arena_printf(w->a, "{" W_WHO W_TIME "%s}", BAD[i]).p;
        assert_invalid(world_ask(w, world_sign(w, &w->key, claims), NULL), "jwt_aud");
    }
    const char *number = "{" W_WHO W_TIME ",\"aud\":7}";
    assert_invalid(world_ask(w, world_sign(w, &w->key, number), NULL), "jwt_malformed");
    const char *array = "{" W_WHO W_TIME ",\"aud\":[\"https://x.test\",\"" W_RESOURCE "\"]}";
    assert_allowed(world_ask(w, world_sign(w, &w->key, array), NULL));
}

/* attack case: JWT-019: the one spelling that makes no difference */
static void audience_of_a_resource_without_path(void **state)
{
    world_t *w = *state;
    w->config.resource = "https://rs.test/";
    world_open(w);
    assert_allowed(world_ask(
        w, world_sign(w, &w->key, "{" W_WHO W_TIME ",\"aud\":\"https://rs.test\"}"), NULL));
    assert_allowed(world_ask(
        w, world_sign(w, &w->key, "{" W_WHO W_TIME ",\"aud\":\"https://rs.test/\"}"), NULL));
    assert_denied(world_ask(w, world_sign(w, &w->key, W_GOOD), NULL), 401, "jwt_aud");
}

/* attack case: JWT-021 */
static void token_of_another_resource(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = world_sign(w, &w->key, W_GOOD);
    assert_allowed(world_ask(w, token, NULL));
    w->config.resource = "https://rs2.test/mcp";
    world_open(w);
    const warder_rs_verdict_t *v = world_ask(w, token, NULL);
    assert_denied(v, 401, "jwt_aud");
    assert_non_null(strstr(v->www_authenticate, "resource_metadata=\"https://rs2.test/.well-known/"
                                                "oauth-protected-resource/mcp\""));
}

/* Keys of one authorization server vouch for no other. */
static void issuers_do_not_share_keys(void **state)
{
    world_t *w = *state;
    jwk_t other = world_key(w, ALG_ES256, "o1");
    world_publish(w, &other, 1);
    world_page(w, "https://as2.test/jwks", w->pages[0].body);
    world_publish(w, &w->key, 1);
    w->servers[1] = (warder_rs_server_t){"https://as2.test", "https://as2.test/jwks"};
    w->config.server_count = 2;
    world_open(w);
    static const char SECOND[] = "{\"iss\":\"https://as2.test\",\"sub\":\"bob\"" W_AUD W_TIME "}";
    assert_denied(world_ask(w, world_sign(w, &w->key, SECOND), NULL), 401, "key_unknown");
    assert_denied(world_ask(w, world_sign(w, &other, W_GOOD), NULL), 401, "key_unknown");
    assert_allowed(world_ask(w, world_sign(w, &other, SECOND), NULL));
    control(w);
}

static void token_bound(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *claims = "{" W_WHO W_AUD W_TIME ",\"cnf\":{\"jkt\":\"abc\"}}";
    assert_invalid(world_ask(w, world_sign(w, &w->key, claims), NULL), "token_bound");
    control(w);
}

/* A subject with a NUL inside would be cut short as a C string, and pass for somebody else. */
static void claim_unfit(void **state)
{
    world_t *w = *state;
    world_open(w);
    static const char *const SUBJECTS[] = {"admin\\u0000.evil", "a\\nb", "a\\u007fb"};
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof SUBJECTS[0]; i++) {
        const char *claims =
            arena_printf(w->a, "{\"iss\":\"" W_ISSUER "\",\"sub\":\"%s\"" W_AUD W_TIME "}",
                         SUBJECTS[i])
                .p;
        assert_invalid(world_ask(w, world_sign(w, &w->key, claims), NULL), "claim_unfit");
    }
    control(w);
}

/* attack case: CHL-002 */
static void insufficient_scope(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *token = world_sign(w, &w->key, W_GOOD);
    const warder_rs_verdict_t *v = world_ask(w, token, "files:read files:write");
    assert_denied(v, 403, "insufficient_scope");
    assert_string_equal(
        v->www_authenticate,
        CHALLENGE("error=\"insufficient_scope\", error_description=\"The operation needs more "
                  "scope\", scope=\"files:read files:write\", "));
    assert_string_equal(v->error, "insufficient_scope");
    assert_string_equal(v->sub, "alice");
    /* found out later, e.g. from the body */
    warder_rs_verdict_t *later = warder_rs_insufficient(w->rs, "a b");
    assert_denied(later, 403, "insufficient_scope");
    assert_non_null(strstr(later->www_authenticate, "scope=\"a b\""));
    warder_rs_verdict_free(later);
    control(w);
}

static void scope_of_a_403(world_t *w, const char *token, const char *scope)
{
    const warder_rs_verdict_t *v = world_ask(w, token, "files:write");
    assert_denied(v, 403, "insufficient_scope");
    assert_non_null(strstr(v->www_authenticate, scope));
}

/* RS-41: for clients that ask for what a challenge names and nothing else. */
static void a_403_may_repeat_what_is_granted(void **state)
{
    world_t *w = *state;
    enum { LONG = 5000 };
    static char longest[LONG];
    w->config.repeat_scopes = true;
    world_open(w);
    scope_of_a_403(w, world_sign(w, &w->key, W_GOOD), "scope=\"files:read files:write\"");
    scope_of_a_403(w,
                   world_sign(w, &w->key,
                              "{" W_WHO W_AUD W_TIME
                              ",\"scope\":\"a:* offline_access  b\\\\c a:* openid\"}"),
                   "scope=\"a:* openid files:write\"");
    scope_of_a_403(w, world_sign(w, &w->key, "{" W_WHO W_AUD W_TIME "}"), "scope=\"files:write\"");
    buf_t b = buf_fixed(longest, LONG - 1);
    for (unsigned i = 1000; b.n + 16 < LONG; i++)
        buf_fmt(&b, "scope%u ", i);
    scope_of_a_403(
        w,
        world_sign(w, &w->key,
                   arena_printf(w->a, "{" W_WHO W_AUD W_TIME ",\"scope\":\"%s\"}", longest).p),
        "scope=\"files:write\"");
    warder_rs_verdict_t *later = warder_rs_insufficient_beyond(w->rs, "", "a b", "c");
    assert_denied(later, 403, "insufficient_scope");
    assert_non_null(strstr(later->www_authenticate, "scope=\"a b c\""));
    warder_rs_verdict_free(later);
    control(w);
}

static void scopes_with_wildcards(void **state)
{
    world_t *w = *state;
    world_open(w);
    const char *wide =
        world_sign(w, &w->key, "{" W_WHO W_AUD W_TIME ",\"scope\":\"files:* openid\"}");
    assert_allowed(world_ask(w, wide, "files:read"));
    assert_denied(world_ask(w, wide, "files"), 403, "insufficient_scope");
    assert_denied(world_ask(w, wide, "openid.x"), 403, "insufficient_scope");
    const char *none = world_sign(w, &w->key, "{" W_WHO W_AUD W_TIME "}");
    assert_denied(world_ask(w, none, "files:read"), 403, "insufficient_scope");
    assert_allowed(world_ask(w, none, NULL));
    assert_true(warder_rs_scope_covers("a:*", "a:b"));
    assert_false(warder_rs_scope_covers(NULL, "a:b"));
}

/* attack case: CHL-003 */
static void needed_scope_cannot_break_the_challenge(void **state)
{
    world_t *w = *state;
    world_open(w);
    warder_rs_verdict_t *v = warder_rs_insufficient(w->rs, "x\", realm=\"y\r\nA: b");
    assert_non_null(v);
    assert_null(strchr(v->www_authenticate, '\r'));
    assert_null(strchr(v->www_authenticate, '\n'));
    assert_null(strstr(v->www_authenticate, "realm=\""));
    warder_rs_verdict_free(v);
}

static void without_baseline_the_operation_decides(void **state)
{
    world_t *w = *state;
    w->config.scopes = NULL;
    world_open(w);
    warder_rs_request_t req = {.scope = "files:write"};
    warder_rs_verdict_t *v = warder_rs_check(w->rs, &req);
    assert_string_equal(v->www_authenticate, CHALLENGE("scope=\"files:write\", "));
    warder_rs_verdict_free(v);
    assert_string_equal(world_ask_headers(w, NULL, 0)->www_authenticate, CHALLENGE(""));
}

static void leeway(void **state)
{
    world_t *w = *state;
    w->config.leeway_s = -1;
    world_open(w);
    const char *token = world_sign(w, &w->key, W_GOOD);
    world_pass(w, 600);
    assert_denied(world_ask(w, token, NULL), 401, "jwt_expired");
    w->config.leeway_s = 60;
    world_open(w);
    assert_allowed(world_ask(w, token, NULL));
    world_pass(w, 59);
    assert_allowed(world_ask(w, token, NULL));
    world_pass(w, 1);
    assert_denied(world_ask(w, token, NULL), 401, "jwt_expired");
}

/* With less memory than it takes there is no verdict; never another one. */
static void memory_runs_out(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_true(warder_rs_refresh(w->rs));
    const char *value = arena_printf(w->a, "Bearer %s", world_sign(w, &w->key, W_GOOD)).p;
    warder_rs_request_t req = {.headers = &value, .header_count = 1, .scope = "files:write"};
    unsigned failed = 0;
    for (size_t budget = 0; budget < 65536; budget += 48) {
        rs_finding_t found;
        arena_t *small = arena_new(budget);
        rc_t rc = rs_check(w->rs, small, &req, &found);
        assert_true(rc == RC_OK || rc == RC_MEMORY);
        failed += rc == RC_MEMORY;
        if (rc == RC_OK)
            assert_int_equal(found.reason, RS_SCOPE);
        warder_rs_verdict_t *v =
            rc == RC_OK ? rs_verdict_make(&w->rs->settings, small, &found, STR("files:write"))
                        : NULL;
        if (v)
            assert_denied(v, 403, "insufficient_scope");
        if (rc != RC_OK)
            arena_free(small);
        warder_rs_verdict_free(v);
    }
    assert_true(failed > 0);
    control(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(good_token_says_who_it_is),
        WORLD_TEST(every_algorithm_is_taken),
        WORLD_TEST(no_token),
        WORLD_TEST(other_scheme),
        WORLD_TEST(authorization_repeated),
        WORLD_TEST(authorization_malformed),
        WORLD_TEST(refused_tokens_look_alike),
        WORLD_TEST(token_too_long),
        WORLD_TEST(other_kinds_of_tokens),
        WORLD_TEST(audience),
        WORLD_TEST(audience_of_a_resource_without_path),
        WORLD_TEST(token_of_another_resource),
        WORLD_TEST(issuers_do_not_share_keys),
        WORLD_TEST(token_bound),
        WORLD_TEST(claim_unfit),
        WORLD_TEST(insufficient_scope),
        WORLD_TEST(a_403_may_repeat_what_is_granted),
        WORLD_TEST(scopes_with_wildcards),
        WORLD_TEST(needed_scope_cannot_break_the_challenge),
        WORLD_TEST(without_baseline_the_operation_decides),
        WORLD_TEST(leeway),
        WORLD_TEST(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
