#include "client/client_test_util.h"

#include "client/server_metadata.h"

#define A "https://a.example"

static client_reason_t read_as(arena_t *a, const char *body, bool plain_ok,
                               client_server_metadata_t *out, str_t *why)
{
    rc_t rc;
    client_reason_t reason =
        client_server_metadata_read(a, test_exact(a, str_c(body)), STR(A), plain_ok, out, why, &rc);
    assert_ok(rc);
    return reason;
}

#define NEEDED "\"issuer\":\"" A "\",\"token_endpoint\":\"" A "/token\""
#define CODE                                                                                       \
    NEEDED ",\"authorization_endpoint\":\"" A                                                      \
           "/authorize?x=y\",\"response_types_supported\":[\"code\"]"

static void a_whole_document(void **state)
{
    client_server_metadata_t m;
    str_t why;
    assert_reason(
        read_as(*state,
                "{" CODE ",\"registration_endpoint\":\"" A "/register\","
                "\"revocation_endpoint\":\"" A "/revoke\",\"device_authorization_endpoint\":\"" A
                "/device\",\"pushed_authorization_request_endpoint\":\"" A "/par\","
                "\"jwks_uri\":\"http://inside.example/jwks\",\"grant_types_supported\":[\"a\"],"
                "\"token_endpoint_auth_methods_supported\":[\"none\",\"private_key_jwt\"],"
                "\"token_endpoint_auth_signing_alg_values_supported\":[\"ES256\"],"
                "\"code_challenge_methods_supported\":[\"plain\",\"S256\"],"
                "\"dpop_signing_alg_values_supported\":[\"EdDSA\"],"
                "\"scopes_supported\":[\"openid\",\"offline_access\"],"
                "\"client_id_metadata_document_supported\":true,"
                "\"authorization_response_iss_parameter_supported\":true,"
                "\"require_pushed_authorization_requests\":true,"
                "\"authorization_grant_profiles_supported\":"
                "[\"urn:ietf:params:oauth:grant-profile:id-jag\"],\"mtls_endpoint_aliases\":{}}",
                false, &m, &why),
        CLIENT_FINE);
    assert_str(m.issuer, STR(A));
    assert_str(m.authorization_endpoint, STR(A "/authorize?x=y"));
    assert_str(m.token_endpoint, STR(A "/token"));
    assert_str(m.registration_endpoint, STR(A "/register"));
    assert_str(m.revocation_endpoint, STR(A "/revoke"));
    assert_str(m.device_authorization_endpoint, STR(A "/device"));
    assert_str(m.pushed_authorization_request_endpoint, STR(A "/par"));
    assert_str(m.jwks_uri, STR("http://inside.example/jwks"));
    assert_true(m.has_grant_types && m.has_auth_methods && m.has_challenge_methods && m.has_scopes);
    assert_true(str_list_has(m.response_types, STR("code")));
    assert_true(str_list_has(m.grant_types, STR("a")));
    assert_true(str_list_has(m.auth_methods, STR("private_key_jwt")));
    assert_true(str_list_has(m.auth_algs, STR("ES256")));
    assert_true(str_list_has(m.challenge_methods, STR("S256")));
    assert_true(str_list_has(m.dpop_algs, STR("EdDSA")));
    assert_true(str_list_has(m.scopes, STR("offline_access")));
    assert_true(m.client_id_metadata_document && m.iss_parameter && m.require_pushed && m.id_jag);
    assert_false(str_is_set(m.note) || str_is_set(why));
    assert_non_null(m.all);
}

static void the_least_document(void **state)
{
    client_server_metadata_t m;
    str_t why;
    assert_reason(read_as(*state, "{" NEEDED "}", false, &m, &why), CLIENT_FINE);
    assert_false(m.has_grant_types || m.has_auth_methods || m.has_challenge_methods ||
                 m.has_scopes);
    assert_false(m.client_id_metadata_document || m.iss_parameter || m.require_pushed || m.id_jag);
    assert_false(str_is_set(m.registration_endpoint) || str_is_set(m.authorization_endpoint));
    assert_false(str_is_set(m.note));
}

static void lenient_in_what_is_optional(void **state)
{
    client_server_metadata_t m;
    str_t why;
    assert_reason(read_as(*state,
                          "{" NEEDED ",\"registration_endpoint\":null,\"scopes_supported\":null,"
                          "\"revocation_endpoint\":false,\"grant_types_supported\":\"code\","
                          "\"code_challenge_methods_supported\":[null,\"S256\"],"
                          "\"client_id_metadata_document_supported\":\"true\"}",
                          false, &m, &why),
                  CLIENT_FINE);
    assert_false(str_is_set(m.registration_endpoint) || str_is_set(m.revocation_endpoint));
    assert_false(m.has_scopes || m.has_grant_types || m.client_id_metadata_document);
    assert_int_equal(m.challenge_methods.n, 1);
    assert_str(m.note, STR("registration_endpoint is null; revocation_endpoint is no string; "
                           "grant_types_supported is no list; code_challenge_methods_supported "
                           "holds what is no string; scopes_supported is null; "
                           "client_id_metadata_document_supported is no boolean"));
}

static const struct {
    const char *body, *why;
    client_reason_t reason;
} REFUSED[] = {
    {"<html>", "it is no JSON object", CLIENT_SERVER_METADATA_BAD},
    {"null", "it is no JSON object", CLIENT_SERVER_METADATA_BAD},
    {"{" NEEDED "," NEEDED "}", "it is no JSON object", CLIENT_SERVER_METADATA_BAD},
    {"{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", "it is too large", CLIENT_SERVER_METADATA_BAD},
    {"{\"token_endpoint\":\"" A "\"}", "issuer is missing", CLIENT_SERVER_METADATA_BAD},
    {"{\"issuer\":null,\"token_endpoint\":\"" A "\"}", "issuer is missing",
     CLIENT_SERVER_METADATA_BAD},
    {"{\"issuer\":[],\"token_endpoint\":\"" A "\"}", "issuer is no string",
     CLIENT_SERVER_METADATA_BAD},
    {"{\"issuer\":\"" A "\"}", "token_endpoint is missing", CLIENT_SERVER_METADATA_BAD},
    {"{\"issuer\":\"" A "\",\"token_endpoint\":7}", "token_endpoint is no string",
     CLIENT_SERVER_METADATA_BAD},
    {"{" NEEDED ",\"response_types_supported\":\"code\"}", "response_types_supported is no list",
     CLIENT_SERVER_METADATA_BAD},
    /* byte for byte */
    {"{\"issuer\":\"" A "/\",\"token_endpoint\":\"" A "\"}", "issuer is \"" A "/\", not \"" A "\"",
     CLIENT_ISSUER_MISMATCH},
    {"{\"issuer\":\"HTTPS://a.example\",\"token_endpoint\":\"" A "\"}",
     "issuer is \"HTTPS://a.example\", not \"" A "\"", CLIENT_ISSUER_MISMATCH},
    {"{\"issuer\":\"" A ":443\",\"token_endpoint\":\"" A "\"}",
     "issuer is \"" A ":443\", not \"" A "\"", CLIENT_ISSUER_MISMATCH},
    {"{\"issuer\":\"" A "\\u0000\",\"token_endpoint\":\"" A "\"}",
     "issuer is \"" A "\", not \"" A "\"", CLIENT_ISSUER_MISMATCH},
    {"{\"issuer\":\"\",\"token_endpoint\":\"" A "\"}", "issuer is \"\", not \"" A "\"",
     CLIENT_ISSUER_MISMATCH},
    /* where a client would go */
    {"{" NEEDED ",\"authorization_endpoint\":\"javascript:alert(1)\"}",
     "authorization_endpoint is \"javascript:alert(1)\"", CLIENT_URL_SCHEME},
    {"{" NEEDED ",\"authorization_endpoint\":\"\"}", "authorization_endpoint is \"\"",
     CLIENT_URL_BAD},
    {"{" NEEDED ",\"authorization_endpoint\":\"/authorize\"}",
     "authorization_endpoint is \"/authorize\"", CLIENT_URL_BAD},
    {"{\"issuer\":\"" A "\",\"token_endpoint\":\"http://a.example/token\"}",
     "token_endpoint is \"http://a.example/token\"", CLIENT_URL_PLAIN},
    {"{" NEEDED ",\"registration_endpoint\":\"file:///x\"}",
     "registration_endpoint is \"file:///x\"", CLIENT_URL_SCHEME},
    {"{" NEEDED ",\"revocation_endpoint\":\"" A "/#x\"}", "revocation_endpoint is \"" A "/#x\"",
     CLIENT_URL_BAD},
    {"{" NEEDED ",\"device_authorization_endpoint\":\"https://u:p@a.example\"}",
     "device_authorization_endpoint is \"https://u:p@a.example\"", CLIENT_URL_BAD},
    {"{" NEEDED ",\"pushed_authorization_request_endpoint\":\"ftp://a.example\\u001b[m\"}",
     "pushed_authorization_request_endpoint is \"ftp://a.example[m\"", CLIENT_URL_SCHEME},
};

static void documents_that_are_not_used(void **state)
{
    client_server_metadata_t m;
    str_t why;
    for (size_t i = 0; i < ROWS(REFUSED); i++) {
        assert_reason(read_as(*state, REFUSED[i].body, false, &m, &why), REFUSED[i].reason);
        assert_str(why, str_c(REFUSED[i].why));
    }
    assert_reason(read_as(*state, "{" NEEDED "}", false, &m, &why), CLIENT_FINE);
}

static void plain_http_where_it_is_allowed(void **state)
{
    client_server_metadata_t m;
    str_t why;
    static const char BODY[] =
        "{\"issuer\":\"" A "\",\"token_endpoint\":\"http://a.example/token\"}";
    assert_reason(read_as(*state, BODY, true, &m, &why), CLIENT_FINE);
    assert_reason(read_as(*state, BODY, false, &m, &why), CLIENT_URL_PLAIN);
}

static client_reason_t check_code(arena_t *a, const char *more)
{
    client_server_metadata_t m;
    str_t why;
    str_t body = arena_printf(a, "{" NEEDED "%s}", more);
    assert_reason(read_as(a, body.p, false, &m, &why), CLIENT_FINE);
    return client_server_check_code(&m);
}

#define AUTHORIZE ",\"authorization_endpoint\":\"" A "/authorize\""
#define S256      ",\"code_challenge_methods_supported\":[\"S256\"]"

static void pkce_missing(void **state)
{
    static const char *MORE[] = {
        AUTHORIZE,
        AUTHORIZE ",\"code_challenge_methods_supported\":[]",
        AUTHORIZE ",\"code_challenge_methods_supported\":[\"plain\"]",
        AUTHORIZE ",\"code_challenge_methods_supported\":[\"s256\"]",
        AUTHORIZE ",\"code_challenge_methods_supported\":\"S256\"",
        AUTHORIZE ",\"code_challenge_methods_supported\":null",
    };
    for (size_t i = 0; i < ROWS(MORE); i++)
        assert_reason(check_code(*state, MORE[i]), CLIENT_PKCE_MISSING);
    assert_reason(check_code(*state, AUTHORIZE S256), CLIENT_FINE);
}

static void grant_missing(void **state)
{
    static const char *MORE[] = {
        S256,
        AUTHORIZE S256 ",\"response_types_supported\":[\"token\",\"code id_token\"]",
        AUTHORIZE S256 ",\"grant_types_supported\":[\"client_credentials\"]",
        AUTHORIZE S256 ",\"grant_types_supported\":[]",
    };
    for (size_t i = 0; i < ROWS(MORE); i++)
        assert_reason(check_code(*state, MORE[i]), CLIENT_GRANT_MISSING);
    assert_reason(check_code(*state, AUTHORIZE S256 ",\"response_types_supported\":[\"code\"],"
                                                    "\"grant_types_supported\":"
                                                    "[\"authorization_code\"]"),
                  CLIENT_FINE);
    assert_reason(check_code(*state, AUTHORIZE S256 ",\"response_types_supported\":[]"),
                  CLIENT_FINE);
}

/* It publishes nothing, so that it can't be held to what it does not say. */
static void a_guessed_server(void **state)
{
    client_server_metadata_t m;
    assert_ok(client_server_guess(*state, STR("https://H.example:443/v1/mcp?x#y"), &m));
    assert_str(m.authorization_endpoint, STR("https://h.example/authorize"));
    assert_str(m.token_endpoint, STR("https://h.example/token"));
    assert_str(m.registration_endpoint, STR("https://h.example/register"));
    assert_false(str_is_set(m.issuer) || m.all);
    assert_reason(client_server_check_code(&m), CLIENT_FINE);
    static const str_t BAD[] = {STR_INIT(""), STR_INIT("h.example"), STR_INIT("file:///x"),
                                STR_INIT("https://")};
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_int_equal(client_server_guess(*state, BAD[i], &m), RC_MALFORMED);
}

static void grants(void **state)
{
    (void)state;
    static const str_t DEVICE = STR_INIT("urn:ietf:params:oauth:grant-type:device_code");
    static const str_t BEARER = STR_INIT("urn:ietf:params:oauth:grant-type:jwt-bearer");
    client_server_metadata_t m = {0};
    assert_true(client_server_has_grant(&m, STR("authorization_code")));
    assert_true(client_server_has_grant(&m, STR("refresh_token")));
    assert_true(client_server_has_grant(&m, STR("client_credentials")));
    assert_false(client_server_has_grant(&m, BEARER));
    assert_false(client_server_has_grant(&m, DEVICE));
    m.device_authorization_endpoint = STR(A);
    assert_true(client_server_has_grant(&m, DEVICE));
    str_t said[] = {BEARER};
    m.grant_types = (str_list_t){said, 1};
    m.has_grant_types = true;
    assert_true(client_server_has_grant(&m, BEARER));
    assert_false(client_server_has_grant(&m, DEVICE));
    assert_false(client_server_has_grant(&m, STR("authorization_code")));
}

static rc_t read_one(arena_t *a, void *ctx)
{
    client_server_metadata_t m;
    str_t why;
    rc_t rc;
    client_reason_t reason =
        client_server_metadata_read(a, *(const str_t *)ctx, STR(A), false, &m, &why, &rc);
    assert_int_equal(reason == CLIENT_MACHINE, rc != RC_OK);
    assert_true(reason == CLIENT_FINE || reason == CLIENT_MACHINE || str_is_set(why));
    return rc;
}

static rc_t guess_one(arena_t *a, void *ctx)
{
    client_server_metadata_t m;
    (void)ctx;
    return client_server_guess(a, STR(A), &m);
}

static void without_memory(void **state)
{
    (void)state;
    str_t bodies[] = {
        STR("{" CODE ",\"scopes_supported\":[\"a\",1],\"jwks_uri\":null}"),
        STR("{\"issuer\":\"https://evil.example\",\"token_endpoint\":\"" A "\"}"),
        STR("{" NEEDED ",\"authorization_endpoint\":\"javascript:\"}"),
    };
    for (size_t i = 0; i < ROWS(bodies); i++)
        client_test_starve(read_one, &bodies[i]);
    client_test_starve(guess_one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_whole_document),
        ARENA_TEST(the_least_document),
        ARENA_TEST(lenient_in_what_is_optional),
        ARENA_TEST(documents_that_are_not_used),
        ARENA_TEST(plain_http_where_it_is_allowed),
        ARENA_TEST(pkce_missing),
        ARENA_TEST(grant_missing),
        ARENA_TEST(a_guessed_server),
        cmocka_unit_test(grants),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
