/* What registering makes. */
#include "oauth/oauth_test_register.h"

#include "core/limits.h"
#include "oauth/handle.h"
#include "oauth/sealed_client.h"

static const str_t SEAL_KEY = STR_INIT("0123456789abcdef0123456789abcdef");

static void a_client_of_bound_tokens(void **state)
{
    (void)state;
    reg_t p;
    bool bound;
    reg_begin(&p);
    assert_true(reg_fine(&p, "{" R_PUBLIC ",\"dpop_bound_access_tokens\":true}")->dpop_bound);
    assert_true(json_get_bool(p.body, STR("dpop_bound_access_tokens"), &bound) && bound);
    assert_false(reg_fine(&p, "{" R_PUBLIC ",\"dpop_bound_access_tokens\":false}")->dpop_bound);
    assert_false(reg_fine(&p, "{" R_PUBLIC "}")->dpop_bound);
    assert_null(json_get(p.body, STR("dpop_bound_access_tokens")));
    world_end(&p.w);
}

static void a_public_client(void **state)
{
    (void)state;
    reg_t p;
    int64_t n;
    reg_begin(&p);
    const client_t *c =
        reg_fine(&p, "{" R_PUBLIC ",\"client_name\":\"Cl\",\"grant_types\":[\"authorization_code\","
                     "\"refresh_token\"],\"response_types\":[\"code\"],\"software_id\":\"s\"}");
    assert_str(json_get_str(p.body, STR("client_id")), c->id);
    assert_true(str_starts(c->id, STR("wrd_")) && c->id.n == 36);
    assert_true(json_get_i64(p.body, STR("client_id_issued_at"), &n) && n == TEST_NOW);
    assert_null(json_get(p.body, STR("client_secret")));
    assert_null(json_get(p.body, STR("client_secret_expires_at")));
    assert_text(json_get_str(p.body, STR("token_endpoint_auth_method")), "none");
    assert_text(json_get_str(p.body, STR("application_type")), "web");
    assert_text(json_get_str(p.body, STR("client_name")), "Cl");
    assert_text(json_get_str(p.body, STR("software_id")), "s");
    assert_text(json_get_str(p.body, STR("scope")), "a:read a:write b");
    R_LISTS(&p, "redirect_uris", "https://c.test/cb");
    R_LISTS(&p, "grant_types", "authorization_code", "refresh_token");
    R_LISTS(&p, "response_types", "code");
    assert_false(c->has_secret);
    assert_int_equal(c->auth, CLIENT_AUTH_NONE);
    assert_int_equal(c->origin, CLIENT_BY_REGISTRATION);
    assert_int_equal(c->expires_at, TEST_NOW + 86400);
    assert_unset(c->scope);
    assert_effects(&p.out.effects, EFFECT_CLIENT_INSERT);
    assert_int_equal(p.out.effects.v[0].quota.max_clients, p.w.settings.max_clients);
    world_end(&p.w);
}

/* attack case: DCR-010 */
static void a_confidential_client_by_default(void **state)
{
    (void)state;
    reg_t p;
    int64_t n;
    reg_begin(&p);
    const client_t *c = reg_fine(&p, "{" R_CALLBACK ",\"client_id\":\"https://c.test/c.json\"}");
    str_t secret = json_get_str(p.body, STR("client_secret"));
    assert_text(json_get_str(p.body, STR("token_endpoint_auth_method")), "client_secret_basic");
    assert_true(json_get_i64(p.body, STR("client_secret_expires_at"), &n) && n == 0);
    R_LISTS(&p, "grant_types", "authorization_code");
    assert_true(str_starts(secret, STR("wrs_")) && secret.n == 47);
    hash_t hash = oauth_handle_hash(secret);
    assert_true(c->has_secret);
    assert_memory_equal(&c->secret_hash, &hash, sizeof hash);
    for (size_t i = 0; i < c->id.n; i++)
        assert_true(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                           c->id.p[i]) != NULL);
    world_end(&p.w);
}

/* attack case: DCR-003 */
static void nothing_but_metadata_is_taken(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    const client_t *c = reg_fine(
        &p,
        "{" R_PUBLIC ",\"client_id\":\"chosen\",\"client_secret\":\"chosen\",\"owner\":\"alice\","
        "\"is_admin\":true,\"trusted\":true,\"skip_consent\":true,\"scope\":\"admin *\","
        "\"registration_access_token\":\"x\",\"origin\":0,\"expires_at\":0,\"foo\":{\"a\":[1,"
        "null]},\"resource\":\"x\",\"code_challenge_method\":\"S256\"}");
    assert_false(str_eq(c->id, STR("chosen")));
    assert_null(json_get(p.body, STR("client_secret")));
    assert_null(json_get(p.body, STR("is_admin")));
    assert_null(json_get(p.body, STR("foo")));
    assert_int_equal(c->origin, CLIENT_BY_REGISTRATION);
    assert_false(str_contains(json_get_str(p.body, STR("scope")), STR("admin")));
    c = reg_fine(&p, "{" R_CALLBACK ",\"grant_types\":[\"authorization_code\","
                     "\"client_credentials\"]}");
    assert_int_equal(c->grants, GRANT_AUTHORIZATION_CODE);
    world_end(&p.w);
}

static void grants_that_nobody_offers_are_left_out(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    const client_t *c = reg_fine(
        &p, "{" R_PUBLIC ",\"grant_types\":[\"refresh_token\",\"authorization_code\","
            "\"urn:ietf:params:oauth:grant-type:jwt-bearer\"],\"response_types\":[\"token\","
            "\"code\"]}");
    assert_int_equal(c->grants, GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN);
    R_LISTS(&p, "response_types", "code");
    world_end(&p.w);
}

static void empty_and_null_members_are_absent(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    const client_t *c = reg_fine(
        &p, "{" R_PUBLIC ",\"logo_uri\":\"\",\"tos_uri\":null,\"client_uri\":\"javascript:x\","
            "\"policy_uri\":\"https://c.test/p\",\"jwks_uri\":\"\",\"jwks\":null,\"contacts\":"
            "[\"a@b.test\",\"\"],\"client_name\":\"\",\"grant_types\":null,\"scope\":\"\"}");
    assert_unset(c->logo_uri);
    assert_unset(c->tos_uri);
    assert_unset(c->client_uri);
    assert_unset(c->name);
    assert_text(c->policy_uri, "https://c.test/p");
    assert_int_equal(c->contacts.n, 1);
    assert_int_equal(c->grants, GRANT_AUTHORIZATION_CODE);
    assert_null(json_get(p.body, STR("client_name")));
    world_end(&p.w);
}

/* RFC 9126 section 6 */
static void a_client_may_demand_that_its_requests_are_pushed(void **state)
{
    (void)state;
    reg_t p;
    bool said;
    reg_begin(&p);
    assert_true(reg_fine(&p, "{" R_PUBLIC ",\"require_pushed_authorization_requests\":true}")
                    ->par_required);
    assert_true(json_get_bool(p.body, STR("require_pushed_authorization_requests"), &said) && said);
    assert_false(reg_fine(&p, "{" R_PUBLIC ",\"require_pushed_authorization_requests\":false}")
                     ->par_required);
    assert_false(reg_fine(&p, "{" R_PUBLIC "}")->par_required);
    reg_refused(&p, "{" R_PUBLIC ",\"require_pushed_authorization_requests\":\"true\"}",
                OAUTH_METADATA_TYPE);
    world_end(&p.w);
}

static void names_are_fit_to_be_shown(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    const client_t *c =
        reg_fine(&p, "{" R_PUBLIC ",\"client_name\":\" A\\u202eevil\\n\\u0000<b>\\u200b \"}");
    assert_text(c->name, "Aevil<b>");
    assert_text(p.out.event.detail, "Aevil<b>");
    world_end(&p.w);
}

/* attack case: DCR-011 */
static void the_application_type_is_what_the_uris_are(void **state)
{
    (void)state;
    static const struct {
        const char *type, *uri, *effective;
    } ROWS[] = {
        {"", "https://c.test/cb", "web"},
        {"", "http://localhost/cb", "native"},
        {"", "cursor://x/cb", "native"},
        {",\"application_type\":\"web\"", "https://c.test/cb", "web"},
        {",\"application_type\":\"web\"", "http://localhost:1234/cb", "native"},
        {",\"application_type\":\"web\"", "cursor://x/cb", "native"},
        {",\"application_type\":\"native\"", "https://c.test/cb", "native"},
        {",\"application_type\":\"native\"", "http://127.0.0.1/cb", "native"},
        {",\"application_type\":\"browser\"", "https://c.test/cb", "web"},
    };
    reg_t p;
    reg_begin(&p);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t body =
            arena_printf(p.w.a, "{\"redirect_uris\":[\"%s\"]%s}", ROWS[i].uri, ROWS[i].type);
        reg_fine(&p, body.p);
        assert_str(json_get_str(p.body, STR("application_type")), str_c(ROWS[i].effective));
    }
    world_end(&p.w);
}

/* pain row 10 */
static void an_open_registration_leaves_no_row(void **state)
{
    (void)state;
    reg_t p;
    const client_t *c;
    reg_begin(&p);
    p.facts.seal_keys = (str_list_t){&SEAL_KEY, 1};
    p.facts.full = false;
    reg_ask(&p, "{" R_PUBLIC ",\"client_name\":\"Claude\"}");
    assert_int_equal(p.out.status, 201);
    assert_no_effects(&p.out.effects);
    assert_true(p.out.event.allowed);
    str_t id = json_get_str(p.body, STR("client_id"));
    assert_str(p.out.event.client, id);
    assert_str(p.out.client->id, id);
    assert_int_equal(oauth_sealed_client_open(p.w.a, p.facts.seal_keys, id, &c, NULL), RC_OK);
    assert_non_null(c);
    assert_text(c->name, "Claude");
    assert_int_equal(c->created_at, TEST_NOW);
    assert_null(json_get(p.body, STR("client_secret")));
    world_end(&p.w);
}

static void a_sealed_client_with_a_secret(void **state)
{
    (void)state;
    reg_t p;
    const client_t *c;
    int64_t n;
    reg_begin(&p);
    p.facts.seal_keys = (str_list_t){&SEAL_KEY, 1};
    reg_ask(&p, "{" R_CALLBACK "}");
    assert_no_effects(&p.out.effects);
    assert_true(json_get_i64(p.body, STR("client_secret_expires_at"), &n) && n == 0);
    str_t id = json_get_str(p.body, STR("client_id"));
    hash_t hash = oauth_handle_hash(json_get_str(p.body, STR("client_secret")));
    assert_int_equal(oauth_sealed_client_open(p.w.a, p.facts.seal_keys, id, &c, NULL), RC_OK);
    assert_true(c->has_secret);
    assert_memory_equal(&c->secret_hash, &hash, sizeof hash);
    hash = oauth_handle_hash(json_get_str(p.body, STR("registration_access_token")));
    assert_memory_equal(&c->management, &hash, sizeof hash);
    world_end(&p.w);
}

static void what_is_stored_all_the_same(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    p.facts.seal_keys = (str_list_t){&SEAL_KEY, 1};
    buf_t b = buf_new(p.w.a, 65536); /* too large for an id */
    buf_put(&b, STR("{\"token_endpoint_auth_method\":\"none\",\"redirect_uris\":["));
    for (size_t i = 0; i < LIMIT_REDIRECT_URIS; i++)
        buf_fmt(&b, "%s\"https://c.test/a/long/path/to/the/callback/%zu\"", i ? "," : "", i);
    buf_put(&b, STR("]}"));
    buf_char(&b, '\0');
    const client_t *c = reg_fine(&p, b.p);
    assert_true(str_starts(c->id, STR("wrd_")) && !c->sealed);
    assert_int_equal(c->redirect_uris.n, LIMIT_REDIRECT_URIS);
    p.w.settings.stateless_clients = false;
    assert_false(reg_fine(&p, "{" R_PUBLIC "}")->sealed);
    p.w.settings.stateless_clients = true;
    p.w.settings.registration = OAUTH_REGISTER_TOKEN;
    p.facts.token.given = true;
    p.record.expires_at = TEST_NOW + 1;
    p.facts.registration_token = &p.record;
    c = reg_fine(&p, "{" R_PUBLIC "}");
    assert_int_equal(c->expires_at, TEST_NOW + 86400);
    assert_false(c->sealed);
    world_end(&p.w);
}

static void the_registration_access_token(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    const client_t *c = reg_fine(&p, "{" R_PUBLIC "}");
    str_t token = json_get_str(p.body, STR("registration_access_token"));
    hash_t hash = oauth_handle_hash(token);
    assert_true(str_starts(token, STR("wrm_")));
    assert_memory_equal(&c->management, &hash, sizeof hash);
    assert_str(json_get_str(p.body, STR("registration_client_uri")),
               arena_printf(p.w.a, "https://as.test/register/%" PRIstr, STR_ARG(c->id)));
    p.w.settings.registration_management = false;
    reg_fine(&p, "{" R_PUBLIC "}");
    assert_null(json_get(p.body, STR("registration_access_token")));
    assert_null(json_get(p.body, STR("registration_client_uri")));
    world_end(&p.w);
}

/* Its keys are what it authenticates with: it gets no secret. RFC 7523 section 2.2 */
static void a_client_that_signs(void **state)
{
    (void)state;
    static const char KEYS[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                               "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
                               "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"kid\":\"a\"}]}";
    reg_t p;
    reg_begin(&p);
    str_t body = arena_printf(p.w.a, "{" R_SIGNS ",\"jwks\":%s}", KEYS);
    const client_t *c = reg_fine(&p, arena_cstr(p.w.a, body));
    assert_int_equal(c->auth, CLIENT_AUTH_PRIVATE_KEY_JWT);
    assert_false(c->has_secret);
    assert_null(json_get(p.body, STR("client_secret")));
    assert_str(c->jwks, str_c(KEYS));
    assert_str(json_get(p.body, STR("jwks"))->raw, str_c(KEYS));
    c = reg_fine(&p, "{" R_SIGNS ",\"jwks_uri\":\"https://c.test/keys\"}");
    assert_text(c->jwks_uri, "https://c.test/keys");
    assert_unset(c->jwks);
    assert_text(json_get_str(p.body, STR("jwks_uri")), "https://c.test/keys");
    c = reg_fine(&p, "{" R_PUBLIC ",\"jwks_uri\":\"ftp://c.test\"}");
    assert_unset(c->jwks_uri);
    world_end(&p.w);
}

static void clients_of_an_administrator(void **state)
{
    (void)state;
    world_t w;
    str_t secret;
    world_begin(&w);
    client_t client = {.auth = CLIENT_AUTH_SECRET_POST};
    assert_int_equal(oauth_client_credentials_new(w.a, &w.random, &client, &secret), RC_OK);
    hash_t hash = oauth_handle_hash(secret);
    assert_true(client.has_secret);
    assert_memory_equal(&client.secret_hash, &hash, sizeof hash);
    client = (client_t){.auth = CLIENT_AUTH_NONE};
    assert_int_equal(oauth_client_credentials_new(w.a, &w.random, &client, &secret), RC_OK);
    assert_unset(secret);
    assert_false(client.has_secret);
    world_end(&w);
}

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    reg_t *p = ctx;
    oauth_register_verdict_t out;
    (void)w;
    return oauth_register_decide(a, &p->facts, &out);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    reg_t p;
    reg_begin(&p);
    reg_fine(&p, "{" R_CALLBACK ",\"client_name\":\"x\",\"contacts\":[\"a\"],\"scope\":\"a b\"}");
    world_starve(decide_in, &p.w, &p);
    p.w.settings.registration = OAUTH_REGISTER_TOKEN;
    p.facts.token.given = true;
    world_starve(decide_in, &p.w, &p);
    p.w.settings.registration = OAUTH_REGISTER_OPEN;
    random_port_t none = world_no_random();
    p.facts.random = &none;
    assert_int_equal(oauth_register_decide(p.w.a, &p.facts, &p.out), RC_IO);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_of_bound_tokens),
        cmocka_unit_test(a_public_client),
        cmocka_unit_test(a_confidential_client_by_default),
        cmocka_unit_test(nothing_but_metadata_is_taken),
        cmocka_unit_test(grants_that_nobody_offers_are_left_out),
        cmocka_unit_test(empty_and_null_members_are_absent),
        cmocka_unit_test(a_client_may_demand_that_its_requests_are_pushed),
        cmocka_unit_test(names_are_fit_to_be_shown),
        cmocka_unit_test(the_application_type_is_what_the_uris_are),
        cmocka_unit_test(a_client_that_signs),
        cmocka_unit_test(an_open_registration_leaves_no_row),
        cmocka_unit_test(a_sealed_client_with_a_secret),
        cmocka_unit_test(what_is_stored_all_the_same),
        cmocka_unit_test(the_registration_access_token),
        cmocka_unit_test(clients_of_an_administrator),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
