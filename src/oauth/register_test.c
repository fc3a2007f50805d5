#include "oauth/oauth_test_world.h"

#include "core/limits.h"
#include "jose/jwk.h"
#include "oauth/handle.h"
#include "oauth/register.h"
#include "oauth/sealed_client.h"

#define CALLBACK "\"redirect_uris\":[\"https://c.test/cb\"]"
#define PUBLIC   CALLBACK ",\"token_endpoint_auth_method\":\"none\""
#define SIGNS    CALLBACK ",\"token_endpoint_auth_method\":\"private_key_jwt\""

static const str_t SCHEMES[] = {STR_INIT("cursor")};
static const str_t SEAL_KEY = STR_INIT("0123456789abcdef0123456789abcdef");

typedef struct {
    world_t w;
    registration_token_t record;
    oauth_register_facts_t facts;
    oauth_register_verdict_t out;
    const json_t *body;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    p->w.settings.redirects.schemes = (str_list_t){SCHEMES, 1};
    p->facts = (oauth_register_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = TEST_NOW,
        .resources = &p->w.resources,
    };
}

static void ask(play_t *p, const char *body)
{
    p->facts.body = str_c(body);
    assert_int_equal(oauth_register_decide(p->w.a, &p->facts, &p->out), RC_OK);
    p->body = world_json(&p->w, p->out.body);
    assert_int_equal(p->out.event.kind, AUDIT_CLIENT_REGISTERED);
    assert_false(str_contains(p->out.body, STR("null")));
}

static const client_t *registered(play_t *p, const char *body)
{
    ask(p, body);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_int_equal(p->out.status, 201);
    assert_true(p->out.event.allowed);
    const effect_t *last = &p->out.effects.v[p->out.effects.n - 1];
    assert_int_equal(last->kind, EFFECT_CLIENT_INSERT);
    return last->u.client;
}

static void refused(play_t *p, const char *body, oauth_reason_t reason)
{
    ask(p, body);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(p->body, STR("error")), oauth_reason_error(reason));
    assert_no_effects(&p->out.effects);
    assert_false(p->out.event.allowed);
}

static bool lists(const json_t *array, const char *const *texts)
{
    const json_t *v = json_is(array, JSON_ARRAY) ? array->child : NULL;
    for (; v && *texts; v = v->next, texts++)
        if (!str_eq(v->str, str_c(*texts)))
            return false;
    return !v && !*texts;
}

#define LISTS(p, name, ...)                                                                        \
    assert_true(lists(json_get((p)->body, STR(name)), (const char *const[]){__VA_ARGS__, NULL}))

static void a_client_of_bound_tokens(void **state)
{
    (void)state;
    play_t p;
    bool bound;
    begin(&p);
    assert_true(registered(&p, "{" PUBLIC ",\"dpop_bound_access_tokens\":true}")->dpop_bound);
    assert_true(json_get_bool(p.body, STR("dpop_bound_access_tokens"), &bound) && bound);
    assert_false(registered(&p, "{" PUBLIC ",\"dpop_bound_access_tokens\":false}")->dpop_bound);
    assert_false(registered(&p, "{" PUBLIC "}")->dpop_bound);
    assert_null(json_get(p.body, STR("dpop_bound_access_tokens")));
    world_end(&p.w);
}

static void a_public_client(void **state)
{
    (void)state;
    play_t p;
    int64_t n;
    begin(&p);
    const client_t *c =
        registered(&p, "{" PUBLIC ",\"client_name\":\"Cl\",\"grant_types\":[\"authorization_code\","
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
    LISTS(&p, "redirect_uris", "https://c.test/cb");
    LISTS(&p, "grant_types", "authorization_code", "refresh_token");
    LISTS(&p, "response_types", "code");
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
    play_t p;
    int64_t n;
    begin(&p);
    const client_t *c = registered(&p, "{" CALLBACK ",\"client_id\":\"https://c.test/c.json\"}");
    str_t secret = json_get_str(p.body, STR("client_secret"));
    assert_text(json_get_str(p.body, STR("token_endpoint_auth_method")), "client_secret_basic");
    assert_true(json_get_i64(p.body, STR("client_secret_expires_at"), &n) && n == 0);
    LISTS(&p, "grant_types", "authorization_code");
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
    play_t p;
    begin(&p);
    const client_t *c = registered(
        &p, "{" PUBLIC ",\"client_id\":\"chosen\",\"client_secret\":\"chosen\",\"owner\":\"alice\","
            "\"is_admin\":true,\"trusted\":true,\"skip_consent\":true,\"scope\":\"admin *\","
            "\"registration_access_token\":\"x\",\"origin\":0,\"expires_at\":0,\"foo\":{\"a\":[1,"
            "null]},\"resource\":\"x\",\"code_challenge_method\":\"S256\"}");
    assert_false(str_eq(c->id, STR("chosen")));
    assert_null(json_get(p.body, STR("client_secret")));
    assert_null(json_get(p.body, STR("is_admin")));
    assert_null(json_get(p.body, STR("foo")));
    assert_int_equal(c->origin, CLIENT_BY_REGISTRATION);
    assert_false(str_contains(json_get_str(p.body, STR("scope")), STR("admin")));
    c = registered(&p, "{" CALLBACK ",\"grant_types\":[\"authorization_code\","
                       "\"client_credentials\"]}");
    assert_int_equal(c->grants, GRANT_AUTHORIZATION_CODE);
    world_end(&p.w);
}

static void grants_that_nobody_offers_are_left_out(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const client_t *c = registered(
        &p, "{" PUBLIC ",\"grant_types\":[\"refresh_token\",\"authorization_code\","
            "\"urn:ietf:params:oauth:grant-type:jwt-bearer\"],\"response_types\":[\"token\","
            "\"code\"]}");
    assert_int_equal(c->grants, GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN);
    LISTS(&p, "response_types", "code");
    world_end(&p.w);
}

static void empty_and_null_members_are_absent(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const client_t *c = registered(
        &p, "{" PUBLIC ",\"logo_uri\":\"\",\"tos_uri\":null,\"client_uri\":\"javascript:x\","
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
    play_t p;
    bool said;
    begin(&p);
    assert_true(registered(&p, "{" PUBLIC ",\"require_pushed_authorization_requests\":true}")
                    ->par_required);
    assert_true(json_get_bool(p.body, STR("require_pushed_authorization_requests"), &said) && said);
    assert_false(registered(&p, "{" PUBLIC ",\"require_pushed_authorization_requests\":false}")
                     ->par_required);
    assert_false(registered(&p, "{" PUBLIC "}")->par_required);
    refused(&p, "{" PUBLIC ",\"require_pushed_authorization_requests\":\"true\"}",
            OAUTH_METADATA_TYPE);
    world_end(&p.w);
}

static void names_are_fit_to_be_shown(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const client_t *c =
        registered(&p, "{" PUBLIC ",\"client_name\":\" A\\u202eevil\\n\\u0000<b>\\u200b \"}");
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
    play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t body =
            arena_printf(p.w.a, "{\"redirect_uris\":[\"%s\"]%s}", ROWS[i].uri, ROWS[i].type);
        registered(&p, body.p);
        assert_str(json_get_str(p.body, STR("application_type")), str_c(ROWS[i].effective));
    }
    world_end(&p.w);
}

/* attack case: DCR-011 */
static void metadata_application_type(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.settings.strict_application_type = true;
    refused(&p, "{\"redirect_uris\":[\"http://localhost/cb\"],\"application_type\":\"web\"}",
            OAUTH_METADATA_APPLICATION_TYPE);
    assert_true(str_contains(p.out.body, STR("application_type")));
    registered(&p, "{" CALLBACK ",\"application_type\":\"web\"}");
    world_end(&p.w);
}

static void one_bad_uri_does_not_lose_the_rest(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    static const char BODY[] =
        "{\"redirect_uris\":[\"javascript:alert(1)\",\"https://c.test/cb\",\"https://c.test/cb\","
        "\"cursor://x/cb\",\"http://localhost:8787/callback\"]}";
    registered(&p, BODY);
    LISTS(&p, "redirect_uris", "https://c.test/cb", "cursor://x/cb",
          "http://localhost:8787/callback");
    p.w.settings.redirects.schemes.n = 0;
    registered(&p, BODY);
    LISTS(&p, "redirect_uris", "https://c.test/cb", "http://localhost:8787/callback");
    p.w.settings.drop_bad_redirect_uris = false;
    refused(&p, BODY, OAUTH_REDIRECT_URI_SCHEME);
    world_end(&p.w);
}

/* pain row 10 */
static void an_open_registration_leaves_no_row(void **state)
{
    (void)state;
    play_t p;
    const client_t *c;
    begin(&p);
    p.facts.seal_keys = (str_list_t){&SEAL_KEY, 1};
    p.facts.full = false;
    ask(&p, "{" PUBLIC ",\"client_name\":\"Claude\"}");
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
    play_t p;
    const client_t *c;
    int64_t n;
    begin(&p);
    p.facts.seal_keys = (str_list_t){&SEAL_KEY, 1};
    ask(&p, "{" CALLBACK "}");
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
    play_t p;
    begin(&p);
    p.facts.seal_keys = (str_list_t){&SEAL_KEY, 1};
    buf_t b = buf_new(p.w.a, 65536); /* too large for an id */
    buf_put(&b, STR("{\"token_endpoint_auth_method\":\"none\",\"redirect_uris\":["));
    for (size_t i = 0; i < LIMIT_REDIRECT_URIS; i++)
        buf_fmt(&b, "%s\"https://c.test/a/long/path/to/the/callback/%zu\"", i ? "," : "", i);
    buf_put(&b, STR("]}"));
    buf_char(&b, '\0');
    const client_t *c = registered(&p, b.p);
    assert_true(str_starts(c->id, STR("wrd_")) && !c->sealed);
    assert_int_equal(c->redirect_uris.n, LIMIT_REDIRECT_URIS);
    p.w.settings.stateless_clients = false;
    assert_false(registered(&p, "{" PUBLIC "}")->sealed);
    p.w.settings.stateless_clients = true;
    p.w.settings.registration = OAUTH_REGISTER_TOKEN;
    p.facts.token.given = true;
    p.record.expires_at = TEST_NOW + 1;
    p.facts.registration_token = &p.record;
    c = registered(&p, "{" PUBLIC "}");
    assert_int_equal(c->expires_at, TEST_NOW + 86400);
    assert_false(c->sealed);
    world_end(&p.w);
}

static void the_registration_access_token(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const client_t *c = registered(&p, "{" PUBLIC "}");
    str_t token = json_get_str(p.body, STR("registration_access_token"));
    hash_t hash = oauth_handle_hash(token);
    assert_true(str_starts(token, STR("wrm_")));
    assert_memory_equal(&c->management, &hash, sizeof hash);
    assert_str(json_get_str(p.body, STR("registration_client_uri")),
               arena_printf(p.w.a, "https://as.test/register/%" PRIstr, STR_ARG(c->id)));
    p.w.settings.registration_management = false;
    registered(&p, "{" PUBLIC "}");
    assert_null(json_get(p.body, STR("registration_access_token")));
    assert_null(json_get(p.body, STR("registration_client_uri")));
    world_end(&p.w);
}

/* Every refusal of the body. attack case: DCR-008 */
static const struct row {
    const char *reason, *body;
} ROWS[] = {
    {"metadata_malformed", ""},
    {"metadata_malformed", "{"},
    {"metadata_malformed", "[]"},
    {"metadata_malformed", "\"x\""},
    {"metadata_malformed", "null"},
    {"metadata_malformed", "{" CALLBACK "," CALLBACK "}"},
    {"metadata_type", "{" CALLBACK ",\"client_name\":1}"},
    {"metadata_type", "{" CALLBACK ",\"grant_types\":\"authorization_code\"}"},
    {"metadata_type", "{" CALLBACK ",\"grant_types\":[1]}"},
    {"metadata_type", "{" CALLBACK ",\"response_types\":[[]]}"},
    {"metadata_type", "{" CALLBACK ",\"token_endpoint_auth_method\":[]}"},
    {"metadata_type", "{" CALLBACK ",\"contacts\":[1]}"},
    {"metadata_type", "{" CALLBACK ",\"jwks\":[]}"},
    {"metadata_type", "{" CALLBACK ",\"dpop_bound_access_tokens\":\"true\"}"},
    {"metadata_auth_method", "{" CALLBACK ",\"token_endpoint_auth_method\":\"magic\"}"},
    {"metadata_keys_missing", "{" SIGNS "}"},
    {"metadata_keys_missing", "{" SIGNS ",\"jwks_uri\":\"\"}"},
    {"metadata_jwks_uri", "{" SIGNS ",\"jwks_uri\":\"http://c.test/keys\"}"},
    {"metadata_jwks_uri", "{" SIGNS ",\"jwks_uri\":\"keys\"}"},
    {"metadata_jwks_uri", "{" SIGNS ",\"jwks_uri\":\"https://u@c.test/keys\"}"},
    {"metadata_jwks_uri", "{" SIGNS ",\"jwks_uri\":\"https://c.test/keys#a\"}"},
    {"metadata_grants", "{" CALLBACK ",\"grant_types\":[]}"},
    {"metadata_grants", "{" CALLBACK ",\"grant_types\":[\"implicit\"]}"},
    {"metadata_grants", "{" CALLBACK ",\"grant_types\":[\"refresh_token\"]}"},
    {"metadata_grants", "{\"redirect_uris\":[],\"grant_types\":[\"client_credentials\"]}"},
    {"metadata_grants", "{" PUBLIC ",\"grant_types\":[\"authorization_code\","
                        "\"client_credentials\"]}"},
    {"metadata_response_types", "{" CALLBACK ",\"response_types\":[\"token\"]}"},
    {"metadata_response_types", "{" CALLBACK ",\"response_types\":[]}"},
    {"metadata_scope", "{" CALLBACK ",\"scope\":\"a\\\"b\"}"},
    {"metadata_jwks_twice",
     "{" CALLBACK ",\"jwks\":{\"keys\":[]},\"jwks_uri\":\"https://c.test\"}"},
    {"metadata_jwks", "{" CALLBACK ",\"jwks\":{}}"},
    {"metadata_jwks", "{" CALLBACK ",\"jwks\":{\"keys\":[]}}"},
    {"metadata_jwks", "{" CALLBACK ",\"jwks\":{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}}"},
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
    play_t p;
    begin(&p);
    refused(&p, row->body, world_reason(row->reason));
    registered(&p, "{" PUBLIC "}");
    world_end(&p.w);
}

static void redirect_uris_many(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    for (size_t more = 0; more < 2; more++) {
        buf_t b = buf_new(p.w.a, 65536);
        buf_put(&b, STR("{\"redirect_uris\":[\"https://c.test/0\""));
        for (size_t i = 1; i < LIMIT_REDIRECT_URIS + more; i++)
            buf_fmt(&b, ",\"https://c.test/%zu\"", i);
        buf_put(&b, STR("]}"));
        buf_char(&b, '\0');
        if (more)
            refused(&p, b.p, OAUTH_REDIRECT_URIS_MANY);
        else
            assert_int_equal(registered(&p, b.p)->redirect_uris.n, LIMIT_REDIRECT_URIS);
    }
    world_end(&p.w);
}

/* Its keys are what it authenticates with: it gets no secret. RFC 7523 section 2.2 */
static void a_client_that_signs(void **state)
{
    (void)state;
    static const char KEYS[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                               "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
                               "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"kid\":\"a\"}]}";
    play_t p;
    begin(&p);
    str_t body = arena_printf(p.w.a, "{" SIGNS ",\"jwks\":%s}", KEYS);
    const client_t *c = registered(&p, arena_cstr(p.w.a, body));
    assert_int_equal(c->auth, CLIENT_AUTH_PRIVATE_KEY_JWT);
    assert_false(c->has_secret);
    assert_null(json_get(p.body, STR("client_secret")));
    assert_str(c->jwks, str_c(KEYS));
    assert_str(json_get(p.body, STR("jwks"))->raw, str_c(KEYS));
    c = registered(&p, "{" SIGNS ",\"jwks_uri\":\"https://c.test/keys\"}");
    assert_text(c->jwks_uri, "https://c.test/keys");
    assert_unset(c->jwks);
    assert_text(json_get_str(p.body, STR("jwks_uri")), "https://c.test/keys");
    c = registered(&p, "{" PUBLIC ",\"jwks_uri\":\"ftp://c.test\"}");
    assert_unset(c->jwks_uri);
    world_end(&p.w);
}

static const char *with_keys(play_t *p, const char *one, const char *two)
{
    return arena_printf(p->w.a, "{" CALLBACK ",\"jwks\":{\"keys\":[%s%s%s]}}", one, *two ? "," : "",
                        two)
        .p;
}

/* attack case: DCR-007 */
static void metadata_jwks(void **state)
{
    (void)state;
    play_t p;
    str_t text;
    jwk_t key = {.alg = ALG_ES256, .kid = STR("k")};
    begin(&p);
    assert_int_equal(jose_key_generate(ALG_ES256, &key.key), RC_OK);
    buf_t b = buf_new(p.w.a, 4096);
    json_writer_t writer = json_writer(&b);
    assert_int_equal(jwk_write(p.w.a, &writer, &key), RC_OK);
    assert_int_equal(buf_done(&b, &text), RC_OK);
    jose_key_free(key.key);
    const char *good = arena_cstr(p.w.a, text);
    str_t front = str_first(text, text.n - 1); /* without its brace */
    registered(&p, with_keys(&p, good, ""));
    assert_null(json_get(p.body, STR("jwks"))); /* sound, but not what it authenticates with */
    refused(&p, with_keys(&p, good, good), OAUTH_METADATA_JWKS); /* one kid twice */
    static const char *const MORE[] = {"\"d\":\"AAAA\"", "\"x5u\":\"https://evil.test\"",
                                       "\"x5c\":[\"AAAA\"]"};
    for (size_t i = 0; i < 3; i++) {
        str_t bad = arena_printf(p.w.a, "%" PRIstr ",%s}", STR_ARG(front), MORE[i]);
        refused(&p, with_keys(&p, bad.p, ""), OAUTH_METADATA_JWKS);
    }
    refused(&p, with_keys(&p, good, "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQ\"}"),
            OAUTH_METADATA_JWKS);
    refused(&p, with_keys(&p, good, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}"),
            OAUTH_METADATA_JWKS);
    refused(&p, with_keys(&p, good, "1"), OAUTH_METADATA_JWKS);
    world_end(&p.w);
}

/* attack case: DCR-001 */
static void registration_off(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.settings.registration = OAUTH_REGISTER_OFF;
    refused(&p, "{" PUBLIC "}", OAUTH_REGISTRATION_OFF);
    assert_unset(p.out.www_authenticate);
    world_end(&p.w);
}

/* attack case: DCR-001 */
static void registration_token_missing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.settings.registration = OAUTH_REGISTER_TOKEN;
    refused(&p, "{" PUBLIC "}", OAUTH_REGISTRATION_TOKEN_MISSING);
    assert_text(p.out.www_authenticate, "Bearer");
    world_end(&p.w);
}

/* attack case: DCR-001 */
static void registration_token_invalid(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.settings.registration = OAUTH_REGISTER_TOKEN;
    const str_t header = STR("bearer the-token");
    p.facts.token = oauth_register_token((str_list_t){&header, 1});
    assert_true(p.facts.token.given);
    refused(&p, "{" PUBLIC "}", OAUTH_REGISTRATION_TOKEN_INVALID);
    assert_true(str_starts(p.out.www_authenticate, STR("Bearer error=\"invalid_token\"")));
    p.record = (registration_token_t){.id = p.facts.token.hash, .expires_at = TEST_NOW};
    p.facts.registration_token = &p.record;
    refused(&p, "{" PUBLIC "}", OAUTH_REGISTRATION_TOKEN_INVALID);
    p.record.expires_at++;
    registered(&p, "{" PUBLIC "}");
    assert_effects(&p.out.effects, EFFECT_REGISTRATION_TOKEN_CONSUME, EFFECT_CLIENT_INSERT);
    hash_t hash = oauth_handle_hash(STR("the-token"));
    assert_memory_equal(p.out.effects.v[0].u.hash, &hash, sizeof hash);
    refused(&p, "{}", OAUTH_REDIRECT_URIS_MISSING); /* a mistake does not spend the token */
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
    play_t p;
    begin(&p);
    p.facts.full = true;
    refused(&p, "{" PUBLIC "}", OAUTH_REGISTRATION_FULL);
    assert_int_equal(p.out.status, 503);
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
    play_t *p = ctx;
    oauth_register_verdict_t out;
    (void)w;
    return oauth_register_decide(a, &p->facts, &out);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    registered(&p, "{" CALLBACK ",\"client_name\":\"x\",\"contacts\":[\"a\"],\"scope\":\"a b\"}");
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct CMUnitTest OTHERS[] = {
    cmocka_unit_test(a_client_of_bound_tokens),
    cmocka_unit_test(a_public_client),
    cmocka_unit_test(a_confidential_client_by_default),
    cmocka_unit_test(nothing_but_metadata_is_taken),
    cmocka_unit_test(grants_that_nobody_offers_are_left_out),
    cmocka_unit_test(empty_and_null_members_are_absent),
    cmocka_unit_test(a_client_may_demand_that_its_requests_are_pushed),
    cmocka_unit_test(names_are_fit_to_be_shown),
    cmocka_unit_test(the_application_type_is_what_the_uris_are),
    cmocka_unit_test(metadata_application_type),
    cmocka_unit_test(one_bad_uri_does_not_lose_the_rest),
    cmocka_unit_test(redirect_uris_many),
    cmocka_unit_test(metadata_jwks),
    cmocka_unit_test(a_client_that_signs),
    cmocka_unit_test(registration_off),
    cmocka_unit_test(registration_token_missing),
    cmocka_unit_test(registration_token_invalid),
    cmocka_unit_test(initial_tokens),
    cmocka_unit_test(registration_full),
    cmocka_unit_test(an_open_registration_leaves_no_row),
    cmocka_unit_test(a_sealed_client_with_a_secret),
    cmocka_unit_test(what_is_stored_all_the_same),
    cmocka_unit_test(the_registration_access_token),
    cmocka_unit_test(clients_of_an_administrator),
    cmocka_unit_test(without_random_and_memory),
};

int main(void)
{
    struct CMUnitTest tests[COUNT(ROWS) + COUNT(OTHERS)];
    for (size_t i = 0; i < COUNT(ROWS); i++)
        tests[i] = world_row_test(ROWS[i].reason, refused_row, &ROWS[i]);
    memcpy(tests + COUNT(ROWS), OTHERS, sizeof OTHERS);
    return world_run(tests, COUNT(tests));
}
