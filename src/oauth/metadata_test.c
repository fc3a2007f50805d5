#include "oauth/oauth_test_world.h"

#include "oauth/metadata.h"

static const json_t *document(world_t *w, oauth_metadata_kind_t kind)
{
    str_t text;
    const oauth_metadata_facts_t facts = {&w->settings, &w->resources, STR("ES256")};
    assert_int_equal(oauth_metadata_write(w->a, &facts, kind, &text), RC_OK);
    assert_false(str_contains(text, STR("null")));
    return world_json(w, text);
}

/* All of the server's document: a member that comes or goes is a row. */
static const struct {
    const char *name, *json;
} MEMBERS[] = {
    {"issuer", "\"https://as.test\""},
    {"authorization_endpoint", "\"https://as.test/authorize\""},
    {"token_endpoint", "\"https://as.test/token\""},
    {"jwks_uri", "\"https://as.test/jwks\""},
    {"registration_endpoint", "\"https://as.test/register\""},
    {"revocation_endpoint", "\"https://as.test/revoke\""},
    {"pushed_authorization_request_endpoint", "\"https://as.test/par\""},
    {"device_authorization_endpoint", "\"https://as.test/device_authorization\""},
    {"introspection_endpoint", "\"https://as.test/introspect\""},
    {"warder_revocations_endpoint", "\"https://as.test/revocations\""},
    {"scopes_supported", "[\"a:read\",\"a:write\",\"b\"]"},
    {"response_types_supported", "[\"code\"]"},
    {"response_modes_supported", "[\"query\"]"},
    {"grant_types_supported",
     "[\"authorization_code\",\"refresh_token\",\"client_credentials\",\"urn:ietf:params:oauth:"
     "grant-type:device_code\",\"urn:ietf:params:oauth:grant-type:token-exchange\"]"},
    {"token_endpoint_auth_methods_supported",
     "[\"none\",\"client_secret_basic\",\"client_secret_post\",\"private_key_jwt\"]"},
    {"token_endpoint_auth_signing_alg_values_supported",
     "[\"ES256\",\"EdDSA\",\"Ed25519\",\"RS256\",\"PS256\"]"},
    {"revocation_endpoint_auth_methods_supported",
     "[\"none\",\"client_secret_basic\",\"client_secret_post\",\"private_key_jwt\"]"},
    {"revocation_endpoint_auth_signing_alg_values_supported",
     "[\"ES256\",\"EdDSA\",\"Ed25519\",\"RS256\",\"PS256\"]"},
    {"introspection_endpoint_auth_methods_supported",
     "[\"client_secret_basic\",\"client_secret_post\",\"private_key_jwt\"]"},
    {"introspection_endpoint_auth_signing_alg_values_supported",
     "[\"ES256\",\"EdDSA\",\"Ed25519\",\"RS256\",\"PS256\"]"},
    {"code_challenge_methods_supported", "[\"S256\"]"},
    {"dpop_signing_alg_values_supported", "[\"ES256\",\"EdDSA\",\"Ed25519\",\"PS256\"]"},
    {"authorization_response_iss_parameter_supported", "true"},
    {"acr_values_supported",
     "[\"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\"]"},
    {"require_pushed_authorization_requests", "false"},
    {"client_id_metadata_document_supported", "true"},
};

enum { N_MEMBERS = sizeof MEMBERS / sizeof *MEMBERS };

static void assert_expected(const json_t *member)
{
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (str_eq(member->key, str_c(MEMBERS[i].name))) {
            assert_str(member->raw, str_c(MEMBERS[i].json));
            return;
        }
    fail_msg("%" PRIstr " is in no row", STR_ARG(member->key));
}

/* attack case: META-001 */
static void all_of_it(void **state)
{
    (void)state;
    world_t w;
    size_t n = 0;
    world_begin(&w);
    const json_t *all = document(&w, OAUTH_METADATA_SERVER);
    for (const json_t *m = all->child; m; m = m->next, n++)
        assert_expected(m);
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (!json_get(all, str_c(MEMBERS[i].name)))
            fail_msg("%s is missing", MEMBERS[i].name);
    assert_int_equal(n, N_MEMBERS);
    world_end(&w);
}

static void both_documents_agree(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    const json_t *server = document(&w, OAUTH_METADATA_SERVER);
    const json_t *openid = document(&w, OAUTH_METADATA_OPENID);
    for (const json_t *m = server->child; m; m = m->next)
        assert_str(json_get(openid, m->key)->raw, m->raw);
    assert_text(json_get(openid, STR("subject_types_supported"))->raw, "[\"public\"]");
    assert_text(json_get(openid, STR("id_token_signing_alg_values_supported"))->raw, "[\"ES256\"]");
    assert_text(json_get(openid, STR("request_uri_parameter_supported"))->raw, "false");
    world_end(&w);
}

/* attack case: DCR-001 */
static void registration_is_named_only_while_it_is_on(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    w.settings.registration = OAUTH_REGISTER_TOKEN;
    assert_non_null(json_get(document(&w, OAUTH_METADATA_SERVER), STR("registration_endpoint")));
    w.settings.registration = OAUTH_REGISTER_OFF;
    assert_null(json_get(document(&w, OAUTH_METADATA_SERVER), STR("registration_endpoint")));
    world_end(&w);
}

static void proofs_are_named_only_where_they_are_read(void **state)
{
    (void)state;
    world_t w;
    const str_t name = STR("dpop_signing_alg_values_supported");
    world_begin(&w);
    w.settings.dpop = OAUTH_DPOP_REQUIRED;
    assert_non_null(json_get(document(&w, OAUTH_METADATA_SERVER), name));
    w.settings.dpop = OAUTH_DPOP_OFF;
    assert_null(json_get(document(&w, OAUTH_METADATA_SERVER), name));
    world_end(&w);
}

static void without_resources_no_scopes(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    w.resources.n = 0;
    assert_null(json_get(document(&w, OAUTH_METADATA_SERVER), STR("scopes_supported")));
    world_end(&w);
}

static void paths(void **state)
{
    (void)state;
    assert_text(oauth_endpoint_path(OAUTH_ENDPOINT_AUTHORIZE), "/authorize");
    assert_text(oauth_endpoint_path(OAUTH_ENDPOINT_REVOKE), "/revoke");
}

static rc_t write_in(world_t *w, arena_t *a, void *ctx)
{
    str_t text;
    const oauth_metadata_facts_t facts = {&w->settings, &w->resources, STR("ES256")};
    (void)ctx;
    return oauth_metadata_write(a, &facts, OAUTH_METADATA_OPENID, &text);
}

static void without_memory(void **state)
{
    (void)state;
    world_t w;
    world_begin(&w);
    world_starve(write_in, &w, NULL);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it),
        cmocka_unit_test(both_documents_agree),
        cmocka_unit_test(registration_is_named_only_while_it_is_on),
        cmocka_unit_test(proofs_are_named_only_where_they_are_read),
        cmocka_unit_test(without_resources_no_scopes),
        cmocka_unit_test(paths),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
