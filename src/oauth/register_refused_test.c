/* What is not registered, and by whom. */
#include "oauth/oauth_test_register.h"

#include "core/limits.h"
#include "jose/jwk.h"
#include "oauth/handle.h"

/* Every refusal of the body. attack case: DCR-008 */
static const struct row {
    const char *reason, *body;
} ROWS[] = {
    {"metadata_malformed", ""},
    {"metadata_malformed", "{"},
    {"metadata_malformed", "[]"},
    {"metadata_malformed", "\"x\""},
    {"metadata_malformed", "null"},
    {"metadata_malformed", "{" R_CALLBACK "," R_CALLBACK "}"},
    {"metadata_type", "{" R_CALLBACK ",\"client_name\":1}"},
    {"metadata_type", "{" R_CALLBACK ",\"grant_types\":\"authorization_code\"}"},
    {"metadata_type", "{" R_CALLBACK ",\"grant_types\":[1]}"},
    {"metadata_type", "{" R_CALLBACK ",\"response_types\":[[]]}"},
    {"metadata_type", "{" R_CALLBACK ",\"token_endpoint_auth_method\":[]}"},
    {"metadata_type", "{" R_CALLBACK ",\"contacts\":[1]}"},
    {"metadata_type", "{" R_CALLBACK ",\"jwks\":[]}"},
    {"metadata_type", "{" R_CALLBACK ",\"dpop_bound_access_tokens\":\"true\"}"},
    {"metadata_auth_method", "{" R_CALLBACK ",\"token_endpoint_auth_method\":\"magic\"}"},
    {"metadata_keys_missing", "{" R_SIGNS "}"},
    {"metadata_keys_missing", "{" R_SIGNS ",\"jwks_uri\":\"\"}"},
    {"metadata_jwks_uri", "{" R_SIGNS ",\"jwks_uri\":\"http://c.test/keys\"}"},
    {"metadata_jwks_uri", "{" R_SIGNS ",\"jwks_uri\":\"keys\"}"},
    {"metadata_jwks_uri", "{" R_SIGNS ",\"jwks_uri\":\"https://u@c.test/keys\"}"},
    {"metadata_jwks_uri", "{" R_SIGNS ",\"jwks_uri\":\"https://c.test/keys#a\"}"},
    {"metadata_grants", "{" R_CALLBACK ",\"grant_types\":[]}"},
    {"metadata_grants", "{" R_CALLBACK ",\"grant_types\":[\"implicit\"]}"},
    {"metadata_grants", "{" R_CALLBACK ",\"grant_types\":[\"refresh_token\"]}"},
    {"metadata_grants", "{\"redirect_uris\":[],\"grant_types\":[\"client_credentials\"]}"},
    {"metadata_grants", "{" R_PUBLIC ",\"grant_types\":[\"authorization_code\","
                        "\"client_credentials\"]}"},
    {"metadata_response_types", "{" R_CALLBACK ",\"response_types\":[\"token\"]}"},
    {"metadata_response_types", "{" R_CALLBACK ",\"response_types\":[]}"},
    {"metadata_scope", "{" R_CALLBACK ",\"scope\":\"a\\\"b\"}"},
    {"metadata_jwks_twice",
     "{" R_CALLBACK ",\"jwks\":{\"keys\":[]},\"jwks_uri\":\"https://c.test\"}"},
    {"metadata_jwks", "{" R_CALLBACK ",\"jwks\":{}}"},
    {"metadata_jwks", "{" R_CALLBACK ",\"jwks\":{\"keys\":[]}}"},
    {"metadata_jwks",
     "{" R_CALLBACK ",\"jwks\":{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}}"},
    {"redirect_uris_missing", "{}"},
    {"redirect_uris_missing", "{\"redirect_uris\":[]}"},
    {"redirect_uris_missing", "{\"redirect_uris\":\"https://c.test/cb\"}"},
    {"redirect_uris_missing", "{\"redirect_uris\":[1]}"},
    {"redirect_uri_malformed", "{\"redirect_uris\":[\"/cb\"]}"},
    {"redirect_uri_fragment", "{\"redirect_uris\":[\"https://c.test/cb#x\"]}"},
    {"redirect_uri_userinfo", "{\"redirect_uris\":[\"https://a@c.test/cb\"]}"},
    {"redirect_uri_wildcard", "{\"redirect_uris\":[\"https://*.c.test/cb\"]}"},
    {"redirect_uri_query", "{\"redirect_uris\":[\"https://c.test/cb?code=1\"]}"},
    {"redirect_uri_scheme", "{\"redirect_uris\":[\"data:text/html,x\"]}"},
    {"redirect_uri_private", "{\"redirect_uris\":[\"other://x/cb\"]}"},
    {"redirect_uri_http", "{\"redirect_uris\":[\"http://c.test/cb\"]}"},
};

static void refused_row(void **state)
{
    const struct row *row = *state;
    reg_t p;
    reg_begin(&p);
    reg_refused(&p, row->body, world_reason(row->reason));
    reg_fine(&p, "{" R_PUBLIC "}");
    world_end(&p.w);
}

/* attack case: DCR-011 */
static void metadata_application_type(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    p.w.settings.strict_application_type = true;
    reg_refused(&p, "{\"redirect_uris\":[\"http://localhost/cb\"],\"application_type\":\"web\"}",
                OAUTH_METADATA_APPLICATION_TYPE);
    assert_true(str_contains(p.out.body, STR("application_type")));
    reg_fine(&p, "{" R_CALLBACK ",\"application_type\":\"web\"}");
    world_end(&p.w);
}

static void one_bad_uri_does_not_lose_the_rest(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    static const char BODY[] =
        "{\"redirect_uris\":[\"javascript:alert(1)\",\"https://c.test/cb\",\"https://c.test/cb\","
        "\"cursor://x/cb\",\"http://localhost:8787/callback\"]}";
    reg_fine(&p, BODY);
    R_LISTS(&p, "redirect_uris", "https://c.test/cb", "cursor://x/cb",
            "http://localhost:8787/callback");
    p.w.settings.redirects.schemes.n = 0;
    reg_fine(&p, BODY);
    R_LISTS(&p, "redirect_uris", "https://c.test/cb", "http://localhost:8787/callback");
    p.w.settings.drop_bad_redirect_uris = false;
    reg_refused(&p, BODY, OAUTH_REDIRECT_URI_SCHEME);
    world_end(&p.w);
}

static void redirect_uris_many(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    for (size_t more = 0; more < 2; more++) {
        buf_t b = buf_new(p.w.a, 65536);
        buf_put(&b, STR("{\"redirect_uris\":[\"https://c.test/0\""));
        for (size_t i = 1; i < LIMIT_REDIRECT_URIS + more; i++)
            buf_fmt(&b, ",\"https://c.test/%zu\"", i);
        buf_put(&b, STR("]}"));
        buf_char(&b, '\0');
        if (more)
            reg_refused(&p, b.p, OAUTH_REDIRECT_URIS_MANY);
        else
            assert_int_equal(reg_fine(&p, b.p)->redirect_uris.n, LIMIT_REDIRECT_URIS);
    }
    world_end(&p.w);
}

static const char *with_keys(reg_t *p, const char *one, const char *two)
{
    return arena_printf(p->w.a, "{" R_CALLBACK ",\"jwks\":{\"keys\":[%s%s%s]}}", one,
                        *two ? "," : "", two)
        .p;
}

/* attack case: DCR-007 */
static void metadata_jwks(void **state)
{
    (void)state;
    reg_t p;
    str_t text;
    jwk_t key = {.alg = ALG_ES256, .kid = STR("k")};
    reg_begin(&p);
    assert_int_equal(jose_key_generate(ALG_ES256, &key.key), RC_OK);
    buf_t b = buf_new(p.w.a, 4096);
    json_writer_t writer = json_writer(&b);
    assert_int_equal(jwk_write(p.w.a, &writer, &key), RC_OK);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    jose_key_free(key.key);
    const char *good = arena_cstr(p.w.a, text);
    str_t front = str_first(text, text.n - 1); /* without its brace */
    reg_fine(&p, with_keys(&p, good, ""));
    assert_null(json_get(p.body, STR("jwks"))); /* sound, but not what it authenticates with */
    reg_refused(&p, with_keys(&p, good, good), OAUTH_METADATA_JWKS); /* one kid twice */
    static const char *const MORE[] = {"\"d\":\"AAAA\"", "\"x5u\":\"https://evil.test\"",
                                       "\"x5c\":[\"AAAA\"]"};
    for (size_t i = 0; i < 3; i++) {
        str_t bad = arena_printf(p.w.a, "%" PRIstr ",%s}", STR_ARG(front), MORE[i]);
        reg_refused(&p, with_keys(&p, bad.p, ""), OAUTH_METADATA_JWKS);
    }
    reg_refused(&p, with_keys(&p, good, "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQ\"}"),
                OAUTH_METADATA_JWKS);
    reg_refused(&p,
                with_keys(&p, good, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}"),
                OAUTH_METADATA_JWKS);
    reg_refused(&p, with_keys(&p, good, "1"), OAUTH_METADATA_JWKS);
    world_end(&p.w);
}

/* attack case: DCR-001 */
static void registration_off(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    p.w.settings.registration = OAUTH_REGISTER_OFF;
    reg_refused(&p, "{" R_PUBLIC "}", OAUTH_REGISTRATION_OFF);
    assert_unset(p.out.www_authenticate);
    world_end(&p.w);
}

/* attack case: DCR-001 */
static void registration_token_missing(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    p.w.settings.registration = OAUTH_REGISTER_TOKEN;
    reg_refused(&p, "{" R_PUBLIC "}", OAUTH_REGISTRATION_TOKEN_MISSING);
    assert_text(p.out.www_authenticate, "Bearer");
    world_end(&p.w);
}

/* attack case: DCR-001 */
static void registration_token_invalid(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    p.w.settings.registration = OAUTH_REGISTER_TOKEN;
    const str_t header = STR("bearer the-token");
    p.facts.token = oauth_register_token((str_list_t){&header, 1});
    assert_true(p.facts.token.given);
    reg_refused(&p, "{" R_PUBLIC "}", OAUTH_REGISTRATION_TOKEN_INVALID);
    assert_true(str_starts(p.out.www_authenticate, STR("Bearer error=\"invalid_token\"")));
    p.record = (registration_token_t){.id = p.facts.token.hash, .expires_at = TEST_NOW};
    p.facts.registration_token = &p.record;
    reg_refused(&p, "{" R_PUBLIC "}", OAUTH_REGISTRATION_TOKEN_INVALID);
    p.record.expires_at++;
    reg_fine(&p, "{" R_PUBLIC "}");
    assert_effects(&p.out.effects, EFFECT_REGISTRATION_TOKEN_CONSUME, EFFECT_CLIENT_INSERT);
    hash_t hash = oauth_handle_hash(STR("the-token"));
    assert_memory_equal(p.out.effects.v[0].u.hash, &hash, sizeof hash);
    reg_refused(&p, "{}", OAUTH_REDIRECT_URIS_MISSING); /* a mistake does not spend the token */
    world_end(&p.w);
}

static void initial_tokens(void **state)
{
    (void)state;
    const str_t bad[] = {STR("Basic abc"), STR("Bearer"), STR("Bearer "), STR("")};
    for (size_t i = 0; i < 4; i++)
        assert_false(oauth_register_token((str_list_t){&bad[i], 1}).given);
    const str_t two[] = {STR("Bearer a"), STR("Bearer b")};
    assert_false(oauth_register_token((str_list_t){two, 2}).given);
    assert_false(oauth_register_token((str_list_t){0}).given);
    assert_true(oauth_register_token((str_list_t){two, 1}).given);
}

/* attack case: DCR-002 */
static void registration_full(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    p.facts.full = true;
    reg_refused(&p, "{" R_PUBLIC "}", OAUTH_REGISTRATION_FULL);
    assert_int_equal(p.out.status, 503);
    world_end(&p.w);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct CMUnitTest OTHERS[] = {
    cmocka_unit_test(metadata_application_type),
    cmocka_unit_test(one_bad_uri_does_not_lose_the_rest),
    cmocka_unit_test(redirect_uris_many),
    cmocka_unit_test(metadata_jwks),
    cmocka_unit_test(registration_off),
    cmocka_unit_test(registration_token_missing),
    cmocka_unit_test(registration_token_invalid),
    cmocka_unit_test(initial_tokens),
    cmocka_unit_test(registration_full),
};

int main(void)
{
    struct CMUnitTest tests[COUNT(ROWS) + COUNT(OTHERS)];
    for (size_t i = 0; i < COUNT(ROWS); i++)
        tests[i] = world_row_test(ROWS[i].reason, refused_row, &ROWS[i]);
    memcpy(tests + COUNT(ROWS), OTHERS, sizeof OTHERS);
    return world_run(tests, COUNT(tests));
}
