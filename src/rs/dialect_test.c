/* Tokens that differ from RFC 9068, and those that must not pass because of it. */
#include "rs/rs_test_world.h"

#define JWT_HEADER  "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"
#define BARE_HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\"}"
#define ISS         "\"iss\":\"" W_ISSUER "\",\"sub\":\"alice\""

/* As Microsoft Entra ID writes them. */
static const warder_rs_dialect_t ENTRA = {
    .typ = "JWT",
    .needs = "scp roles",
    .refuses = "nonce at_hash c_hash",
    .client_claims = "azp appid",
    .scope_claim = "scp",
};
/* As Amazon Cognito does. */
static const warder_rs_dialect_t COGNITO = {
    .typ = "none",
    .needs = "token_use=access",
    .audience_claim = "client_id",
};

static void open_with(world_t *w, const warder_rs_dialect_t *dialect, const char *audience)
{
    static const char *audiences[1];
    audiences[0] = audience;
    w->servers[0].dialect = dialect;
    w->servers[0].audiences = audiences;
    w->servers[0].audience_count = audience ? 1 : 0;
    w->config.revocation_poll_s = -1;
    world_open(w);
}

static const warder_rs_verdict_t *ask_as(world_t *w, const char *header, const char *claims)
{
    return world_ask(w, world_sign_as(w, &w->key, header, claims), NULL);
}

static void claims_stand_elsewhere(void **state)
{
    world_t *w = *state;
    open_with(w, &ENTRA, "api://mcp");
    for (int i = 0; i < 2; i++) { /* verified, and remembered */
        const warder_rs_verdict_t *v = ask_as(
            w, JWT_HEADER, "{" ISS W_TIME ",\"aud\":\"api://mcp\",\"azp\":\"c9\",\"scp\":\"a b\"}");
        assert_allowed(v);
        assert_string_equal(v->client_id, "c9");
        assert_string_equal(v->scope, "a b");
        assert_string_equal(v->claims, "{" ISS W_TIME
                                       ",\"aud\":\"api://mcp\",\"azp\":\"c9\",\"scp\":\"a b\"}");
    }
    const warder_rs_verdict_t *v = ask_as(
        w, JWT_HEADER, "{" ISS W_TIME ",\"aud\":\"api://mcp\",\"appid\":\"c8\",\"roles\":[\"r\"]}");
    assert_allowed(v);
    assert_string_equal(v->client_id, "c8");
    assert_string_equal(v->scope, "");
}

static void scopes_may_be_a_list(void **state)
{
    world_t *w = *state;
    open_with(w, &ENTRA, NULL);
    const warder_rs_verdict_t *v =
        ask_as(w, JWT_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":[\"files:read\",\"b\"]}");
    assert_allowed(v);
    assert_string_equal(v->scope, "files:read b");
}

static void what_is_no_access_token(void **state)
{
    world_t *w = *state;
    static const struct {
        const char *header, *claims;
    } CASES[] = {
        {JWT_HEADER, "{" ISS W_TIME W_AUD "}"},
        {JWT_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":\"a\",\"nonce\":\"n\"}"},
        {JWT_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":\"a\",\"at_hash\":\"n\"}"},
        {BARE_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":\"a\"}"},
        {"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"logout+jwt\"}",
         "{" ISS W_TIME W_AUD ",\"scp\":\"a\"}"},
    };
    open_with(w, &ENTRA, NULL);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_denied(ask_as(w, CASES[i].header, CASES[i].claims), 401, "token_not_access");
    assert_allowed(ask_as(w, JWT_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":\"a\"}"));
}

static void scopes_that_are_none(void **state)
{
    world_t *w = *state;
    open_with(w, &ENTRA, NULL);
    static const char *const CASES[] = {"[1]", "[\"a b\\\"\"]", "7", "\"a  b\"", "{}"};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        str_t claims = arena_printf(w->a, "{" ISS W_TIME W_AUD ",\"scp\":%s}", CASES[i]);
        assert_denied(ask_as(w, JWT_HEADER, claims.p), 401, "jwt_malformed");
    }
    assert_denied(ask_as(w, JWT_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":\"a\",\"azp\":7}"), 401,
                  "jwt_malformed");
    assert_allowed(ask_as(w, JWT_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":\"a\"}"));
}

static void audiences_are_compared_byte_for_byte(void **state)
{
    world_t *w = *state;
    open_with(w, &ENTRA, "api://mcp");
    static const char *const CASES[] = {"api://MCP", "api://mcp/", "api://mc", "api", ""};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        str_t claims =
            arena_printf(w->a, "{" ISS W_TIME ",\"aud\":\"%s\",\"scp\":\"a\"}", CASES[i]);
        assert_denied(ask_as(w, JWT_HEADER, claims.p), 401, "jwt_aud");
    }
    /* what the server may name beside the resource is no audience of another server */
    assert_allowed(ask_as(w, JWT_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":\"a\"}"));
}

static void no_audience_at_all(void **state)
{
    world_t *w = *state;
    open_with(w, &COGNITO, "c7");
    assert_allowed(
        ask_as(w, BARE_HEADER, "{" ISS W_TIME ",\"client_id\":\"c7\",\"token_use\":\"access\"}"));
    assert_denied(
        ask_as(w, BARE_HEADER, "{" ISS W_TIME ",\"client_id\":\"c8\",\"token_use\":\"access\"}"),
        401, "jwt_aud");
    assert_denied(
        ask_as(w, BARE_HEADER, "{" ISS W_TIME ",\"client_id\":\"c7\",\"token_use\":\"id\"}"), 401,
        "token_not_access");
    /* a client that is called like the resource */
    assert_denied(ask_as(w, BARE_HEADER,
                         "{" ISS W_TIME ",\"client_id\":\"" W_RESOURCE
                         "\",\"token_use\":\"access\"}"),
                  401, "jwt_aud");
    assert_denied(ask_as(w, BARE_HEADER, "{" ISS W_TIME ",\"token_use\":\"access\"}"), 401,
                  "jwt_aud");
}

static void strict_by_default(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_denied(ask_as(w, JWT_HEADER, W_GOOD), 401, "jwt_typ");
    assert_denied(ask_as(w, BARE_HEADER, W_GOOD), 401, "jwt_typ");
    assert_allowed(world_ask(w, world_sign(w, &w->key, W_GOOD), "files:read"));
}

/* A second issuer's tokens are not judged by the first one's rules. */
static void each_server_has_its_own(void **state)
{
    world_t *w = *state;
    w->servers[1] = (warder_rs_server_t){.issuer = "https://other.test"};
    w->config.server_count = 2;
    open_with(w, &ENTRA, "api://mcp");
    assert_denied(ask_as(w, JWT_HEADER,
                         "{\"iss\":\"https://other.test\",\"sub\":\"a\",\"scp\":\"a\"" W_TIME
                         ",\"aud\":\"api://mcp\"}"),
                  503, "keys_away");
    assert_allowed(ask_as(w, JWT_HEADER, "{" ISS W_TIME W_AUD ",\"scp\":\"a\"}"));
}

static void long_claims_are_not_remembered(void **state)
{
    world_t *w = *state;
    world_open(w);
    char *pad = arena_alloc(w->a, 9001);
    memset(pad, 'x', 9000);
    str_t claims = arena_printf(w->a, "{" W_WHO W_AUD W_TIME ",\"pad\":\"%s\"}", pad);
    const char *token = world_sign(w, &w->key, claims.p);
    for (int i = 0; i < 2; i++) {
        const warder_rs_verdict_t *v = world_ask(w, token, NULL);
        assert_allowed(v);
        assert_string_equal(v->claims, claims.p);
    }
}

static void refused_settings(void **state)
{
    world_t *w = *state;
    char why[256];
    static const warder_rs_dialect_t LOOSE = {.typ = "JWT"};
    static const char *const EMPTY[] = {"", "", "", "", "", "", "", "", ""};
    w->servers[0].dialect = &LOOSE;
    assert_null(warder_rs_new(&w->config, why, sizeof why));
    assert_non_null(strstr(why, "in needs"));
    w->servers[0].dialect = NULL;
    w->servers[0].audiences = EMPTY;
    w->servers[0].audience_count = 1;
    assert_null(warder_rs_new(&w->config, why, sizeof why));
    assert_non_null(strstr(why, "must not be empty"));
    w->servers[0].audience_count = 9;
    assert_null(warder_rs_new(&w->config, why, sizeof why));
    assert_non_null(strstr(why, "at most 8"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(claims_stand_elsewhere),
        WORLD_TEST(scopes_may_be_a_list),
        WORLD_TEST(what_is_no_access_token),
        WORLD_TEST(scopes_that_are_none),
        WORLD_TEST(audiences_are_compared_byte_for_byte),
        WORLD_TEST(no_audience_at_all),
        WORLD_TEST(strict_by_default),
        WORLD_TEST(each_server_has_its_own),
        WORLD_TEST(long_claims_are_not_remembered),
        WORLD_TEST(refused_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
