#include "client/client_test_util.h"

#include "client/registration.h"
#include "core/json.h"
#include "core/limits.h"

#define DEVICE "urn:ietf:params:oauth:grant-type:device_code"

typedef struct {
    client_server_metadata_t server;
    client_registration_want_t want;
    str_t text;
    const json_t *json;
} play_t;

static const str_t REDIRECTS[] = {STR_INIT("http://127.0.0.1:7/callback")};

static void begin(play_t *p)
{
    *p = (play_t){0};
    p->server = (client_server_metadata_t){
        .issuer = STR("https://as.test"), .registration_endpoint = STR("https://as.test/register")};
    p->want = (client_registration_want_t){.name = STR("Warder"),
                                           .redirect_uris = {REDIRECTS, ROWS(REDIRECTS)}};
}

static void write_one(play_t *p, arena_t *a)
{
    assert_ok(client_registration_write(a, &p->server, &p->want, &p->text));
    assert_ok(json_parse(a, p->text, NULL, &p->json));
}

/* The way */

static void each_way_in_its_order(void **state)
{
    static const struct {
        bool document, registers;
        const char *client_id, *url;
        client_way_t way;
    } CASES[] = {
        {true, true, "me", "https://c.test/me", CLIENT_KNOWN},
        {false, false, "me", NULL, CLIENT_KNOWN},
        {true, true, NULL, "https://c.test/me", CLIENT_DOCUMENT},
        {true, true, "", "https://c.test/me", CLIENT_DOCUMENT},
        {true, true, NULL, NULL, CLIENT_REGISTER},
        {false, true, NULL, "https://c.test/me", CLIENT_REGISTER},
        {true, false, NULL, NULL, CLIENT_ASK},
        {false, false, NULL, "https://c.test/me", CLIENT_ASK},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        const client_server_metadata_t server = {
            .client_id_metadata_document = CASES[i].document,
            .registration_endpoint = CASES[i].registers ? STR("https://as.test/r") : STR_UNSET};
        assert_int_equal(client_way_choose(&server, str_c(CASES[i].client_id), str_c(CASES[i].url)),
                         CASES[i].way);
    }
}

/* What is sent */

static void a_registration_of_a_program_that_people_use(void **state)
{
    play_t p;
    begin(&p);
    write_one(&p, *state);
    assert_str(p.text,
               STR("{\"client_name\":\"Warder\",\"application_type\":\"native\","
                   "\"redirect_uris\":[\"http://127.0.0.1:7/callback\"],"
                   "\"grant_types\":[\"authorization_code\",\"refresh_token\"],"
                   "\"response_types\":[\"code\"],\"token_endpoint_auth_method\":\"none\"}"));
}

static void a_registration_with_all_that_can_be_said(void **state)
{
    play_t p;
    begin(&p);
    p.want.uri = STR("https://warder.test/\"");
    p.want.scope = STR("a b");
    p.want.software_version = STR("1.0");
    write_one(&p, *state);
    assert_str(json_get_str(p.json, STR("client_uri")), p.want.uri);
    assert_str(json_get_str(p.json, STR("scope")), STR("a b"));
    assert_str(json_get_str(p.json, STR("software_version")), STR("1.0"));
}

static void a_machine_has_neither_redirect_uris_nor_response_types(void **state)
{
    static const str_t GRANTS[] = {STR_INIT("client_credentials")};
    play_t p;
    begin(&p);
    p.want.redirect_uris = (str_list_t){0};
    p.want.grant_types = (str_list_t){GRANTS, 1};
    p.want.method = STR("client_secret_basic");
    write_one(&p, *state);
    assert_null(json_get(p.json, STR("redirect_uris")));
    assert_int_equal(json_get(p.json, STR("response_types"))->count, 0);
    assert_str(json_get(p.json, STR("grant_types"))->raw, STR("[\"client_credentials\"]"));
    assert_str(json_get_str(p.json, STR("token_endpoint_auth_method")), STR("client_secret_basic"));
}

static void the_grants_that_the_server_lists(void **state)
{
    static const str_t WANTED[] = {STR_INIT("authorization_code"), STR_INIT("refresh_token"),
                                   STR_INIT(DEVICE)};
    static const str_t LISTED[] = {STR_INIT(DEVICE), STR_INIT("implicit"),
                                   STR_INIT("authorization_code")};
    static const str_t OTHER[] = {STR_INIT("implicit")};
    play_t p;
    begin(&p);
    p.server.has_grant_types = true;
    p.server.grant_types = (str_list_t){LISTED, ROWS(LISTED)};
    p.want.grant_types = (str_list_t){WANTED, ROWS(WANTED)};
    write_one(&p, *state);
    assert_str(json_get(p.json, STR("grant_types"))->raw,
               STR("[\"authorization_code\",\"" DEVICE "\"]"));
    p.server.grant_types = (str_list_t){OTHER, ROWS(OTHER)};
    write_one(&p, *state);
    assert_int_equal(json_get(p.json, STR("grant_types"))->count, 3);
}

static void the_method_that_the_server_lists(void **state)
{
    static const str_t NONE[] = {STR_INIT("client_secret_post"), STR_INIT("none")};
    static const str_t BASIC[] = {STR_INIT("client_secret_post"), STR_INIT("client_secret_basic")};
    static const str_t POST[] = {STR_INIT("client_secret_post")};
    static const str_t OTHER[] = {STR_INIT("tls_client_auth")};
    static const struct {
        str_list_t listed;
        const char *asked, *method;
    } CASES[] = {
        {{NONE, ROWS(NONE)}, NULL, "none"},
        {{BASIC, ROWS(BASIC)}, NULL, "client_secret_basic"},
        {{POST, ROWS(POST)}, NULL, "client_secret_post"},
        {{OTHER, ROWS(OTHER)}, NULL, "none"},
        {{NULL, 0}, NULL, "none"},
        {{NONE, ROWS(NONE)}, "private_key_jwt", "private_key_jwt"},
    };
    play_t p;
    begin(&p);
    for (size_t i = 0; i < ROWS(CASES); i++) {
        p.server.has_auth_methods = CASES[i].listed.n > 0;
        p.server.auth_methods = CASES[i].listed;
        p.want.method = str_c(CASES[i].asked);
        write_one(&p, *state);
        assert_str(json_get_str(p.json, STR("token_endpoint_auth_method")), str_c(CASES[i].method));
    }
}

static void a_registration_too_long(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    char *name = arena_alloc(a, LIMIT_REGISTRATION_BYTES);
    memset(name, 'n', LIMIT_REGISTRATION_BYTES);
    p.want.name = str_of(name, LIMIT_REGISTRATION_BYTES);
    assert_int_equal(client_registration_write(a, &p.server, &p.want, &p.text), RC_LIMIT);
    p.want.name = STR("\xff");
    assert_int_equal(client_registration_write(a, &p.server, &p.want, &p.text), RC_MALFORMED);
    p.want.name = STR("n");
    write_one(&p, a);
}

/* What comes back */

typedef struct {
    client_registered_t got;
    str_t why;
    rc_t rc;
} read_t;

static client_reason_t read_one(arena_t *a, int status, const char *body, read_t *r)
{
    return client_registration_read(a, status, test_exact(a, str_c(body)), &r->got, &r->why,
                                    &r->rc);
}

static void a_public_client(void **state)
{
    read_t r;
    assert_reason(read_one(*state, 201,
                           "{\"client_id\":\"c1\",\"token_endpoint_auth_method\":\"none\","
                           "\"redirect_uris\":[\"http://127.0.0.1/cb\"],\"logo_uri\":\"\",\"x\":1}",
                           &r),
                  CLIENT_FINE);
    assert_str(r.got.client_id, STR("c1"));
    assert_str(r.got.method, STR("none"));
    assert_false(str_is_set(r.got.secret.hidden));
    assert_false(str_is_set(r.got.registration_uri));
    assert_int_equal(r.got.secret_expires_at, 0);
}

static void a_confidential_client(void **state)
{
    read_t r;
    assert_reason(read_one(*state, 200,
                           "{\"client_id\":\"c1\",\"client_secret\":\"s/1\","
                           "\"client_secret_expires_at\":1800000000,"
                           "\"token_endpoint_auth_method\":\"client_secret_post\","
                           "\"registration_client_uri\":\"https://as.test/register/c1\","
                           "\"registration_access_token\":\"rat\"}",
                           &r),
                  CLIENT_FINE);
    assert_str(r.got.secret.hidden, STR("s/1"));
    assert_str(r.got.method, STR("client_secret_post"));
    assert_int_equal(r.got.secret_expires_at, 1800000000);
    assert_str(r.got.registration_uri, STR("https://as.test/register/c1"));
    assert_str(r.got.registration_token, STR("rat"));
}

/* The method of the answer counts; where it says none of it, there is a secret or there is not. */
static void the_method_of_the_answer_counts(void **state)
{
    static const struct {
        const char *body, *want;
    } CASES[] = {
        {"{\"client_id\":\"c\",\"client_secret\":\"s\",\"token_endpoint_auth_method\":\"none\"}",
         "none"},
        {"{\"client_id\":\"c\",\"client_secret\":\"s\"}", "client_secret_basic"},
        {"{\"client_id\":\"c\",\"client_secret\":null,\"token_endpoint_auth_method\":null}",
         "none"},
        {"{\"client_id\":\"c\",\"client_secret\":\"\",\"token_endpoint_auth_method\":\"\"}",
         "none"},
        {"{\"client_id\":\"c\",\"client_secret\":\"s\","
         "\"token_endpoint_auth_method\":\"client_secret_jwt\"}",
         NULL},
        {"{\"client_id\":\"c\",\"token_endpoint_auth_method\":\"client_secret_basic\"}", NULL},
    };
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        client_method_t m;
        const client_server_metadata_t server = {0};
        assert_reason(read_one(*state, 201, CASES[i].body, &r), CLIENT_FINE);
        const client_credentials_t who = {
            .client_id = r.got.client_id, .secret = r.got.secret, .method = r.got.method};
        bool found = client_method_choose(&server, &who, &m);
        assert_str(found ? client_method_name(m) : STR_UNSET, str_c(CASES[i].want));
    }
}

static void times_as_servers_write_them(void **state)
{
    static const struct {
        const char *value;
        int64_t want;
    } CASES[] = {
        {"0", 0},
        {"1800000000", 1800000000},
        {"\"1800000000\"", 1800000000},
        {"1.8e9", 1800000000},
        {"-1", 0},
        {"null", 0},
        {"\"soon\"", 0},
        {"1e300", 253402300799},
        {"true", 0},
    };
    arena_t *a = *state;
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body = arena_printf(
            a, "{\"client_id\":\"c\",\"client_secret\":\"s\",\"client_secret_expires_at\":%s}",
            CASES[i].value);
        assert_reason(read_one(a, 201, body.p, &r), CLIENT_FINE);
        assert_int_equal(r.got.secret_expires_at, CASES[i].want);
    }
}

static void a_registration_token_is_not_kept_for_an_open_wire(void **state)
{
    static const char *const CASES[] = {
        "\"registration_client_uri\":\"http://as.test/r\",\"registration_access_token\":\"t\"",
        "\"registration_client_uri\":\"javascript:x\",\"registration_access_token\":\"t\"",
        "\"registration_client_uri\":\"https://as.test/r\",\"registration_access_token\":\"t\\n\"",
        "\"registration_client_uri\":\"https://as.test/r\"",
        "\"registration_client_uri\":1,\"registration_access_token\":\"t\"",
        "\"registration_access_token\":\"t\"",
    };
    arena_t *a = *state;
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body = arena_printf(a, "{\"client_id\":\"c\",%s}", CASES[i]);
        assert_reason(read_one(a, 201, body.p, &r), CLIENT_FINE);
        assert_false(str_is_set(r.got.registration_uri));
        assert_false(str_is_set(r.got.registration_token));
    }
}

static void what_is_left_out_after_a_refusal(void **state)
{
    play_t p;
    begin(&p);
    assert_false(client_registration_adjust(400, STR("invalid_client_metadata"), &p.want));
    p.want.scope = STR("a b");
    p.want.software_version = STR("1.0");
    assert_false(client_registration_adjust(400, STR("invalid_redirect_uri: no"), &p.want));
    assert_false(client_registration_adjust(403, STR("invalid_client_metadata"), &p.want));
    assert_false(client_registration_adjust(400, STR_UNSET, &p.want));
    assert_true(client_registration_adjust(400, STR("invalid_client_metadata: scope"), &p.want));
    write_one(&p, *state);
    assert_null(json_get(p.json, STR("scope")));
    assert_null(json_get(p.json, STR("software_version")));
    assert_str(json_get_str(p.json, STR("application_type")), STR("native"));
    assert_false(client_registration_adjust(400, STR("invalid_client_metadata"), &p.want));
}

static void registration_refused(void **state)
{
    static const struct {
        int status;
        const char *body, *why;
    } CASES[] = {
        {400, "{\"error\":\"invalid_redirect_uri\",\"error_description\":\"no http\"}",
         "invalid_redirect_uri: no http"},
        {400, "{\"error\":\"invalid_client_metadata\"}", "invalid_client_metadata"},
        {200, "{\"error\":\"x\",\"client_id\":\"c\"}", "x"},
        {401, "{\"message\":\"go away\"}", "status 401"},
        {403, "<html>", "status 403"},
        {503, "", "status 503"},
        {302, "{\"client_id\":\"c\"}", "status 302"},
    };
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        assert_reason(read_one(*state, CASES[i].status, CASES[i].body, &r),
                      CLIENT_REGISTRATION_REFUSED);
        assert_int_equal(r.rc, RC_OK);
        assert_str(r.why, str_c(CASES[i].why));
        assert_false(str_is_set(r.got.client_id));
    }
    assert_reason(read_one(*state, 201, "{\"client_id\":\"c\"}", &r), CLIENT_FINE);
}

static void registration_bad(void **state)
{
    static const char *const CASES[] = {
        "",
        "[]",
        "<html>",
        "{\"client_id\":\"c\"",
        "{\"client_id\":\"c\",\"client_id\":\"d\"}",
        "{}",
        "{\"client_id\":\"\"}",
        "{\"client_id\":null}",
        "{\"client_id\":7}",
        "{\"client_id\":\"a\\u0000b\"}",
        "{\"client_id\":\"a\\r\\nb\"}",
        "{\"client_id\":\"\xc3\xa4\"}",
        "{\"client_id\":\"c\",\"client_secret\":7}",
        "{\"client_id\":\"c\",\"token_endpoint_auth_method\":[\"none\"]}",
    };
    arena_t *a = *state;
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        assert_reason(read_one(a, 201, CASES[i], &r), CLIENT_REGISTRATION_BAD);
        assert_int_equal(r.rc, RC_OK);
        assert_false(str_is_set(r.got.client_id));
        assert_true(str_is_set(r.why));
    }
    buf_t b = buf_new(a, 1 << 20);
    buf_put(&b, STR("{\"client_id\":\""));
    for (size_t i = 0; i <= LIMIT_CLIENT_ID_BYTES; i++)
        buf_char(&b, 'c');
    buf_put(&b, STR("\"}"));
    buf_char(&b, '\0');
    assert_reason(read_one(a, 201, b.p, &r), CLIENT_REGISTRATION_BAD);
    assert_reason(read_one(a, 201, "{\"client_id\":\"c\"}", &r), CLIENT_FINE);
}

/* The document */

static void a_document_is_about_its_own_url(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.want.redirect_uris = (str_list_t){0};
    assert_ok(client_document_write(a, STR("https://c.test/me.json"), &p.want, STR_UNSET, &p.text));
    assert_str(p.text,
               STR("{\"client_id\":\"https://c.test/me.json\",\"client_name\":\"Warder\","
                   "\"application_type\":\"native\",\"redirect_uris\":["
                   "\"http://127.0.0.1/callback\",\"http://[::1]/callback\","
                   "\"http://localhost/callback\"],"
                   "\"grant_types\":[\"authorization_code\",\"refresh_token\"],"
                   "\"response_types\":[\"code\"],\"token_endpoint_auth_method\":\"none\"}"));
}

static void a_document_with_a_key(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    assert_ok(client_document_write(a, STR("https://c.test/me"), &p.want,
                                    STR("https://c.test/keys"), &p.text));
    assert_ok(json_parse(a, p.text, NULL, &p.json));
    assert_str(json_get_str(p.json, STR("token_endpoint_auth_method")), STR("private_key_jwt"));
    assert_str(json_get_str(p.json, STR("jwks_uri")), STR("https://c.test/keys"));
    assert_str(json_get(p.json, STR("redirect_uris"))->raw,
               STR("[\"http://127.0.0.1:7/callback\"]"));
}

static void a_document_that_cannot_be_one(void **state)
{
    static const struct {
        const char *url, *method;
    } CASES[] = {
        {"http://c.test/me", NULL},
        {"https://c.test", NULL},
        {"https://c.test/", NULL},
        {"https://c.test?me", NULL},
        {"https://c.test/me#x", NULL},
        {"https://u@c.test/me", NULL},
        {"https://c.test/a/../me", NULL},
        {"https://c.test/./me", NULL},
        {"c.test/me", NULL},
        {"", NULL},
        {"https://c.test/me", "client_secret_basic"},
        {"https://c.test/me", "client_secret_post"},
        {"https://c.test/me", "private_key_jwt"},
        {"https://c.test/me", "other"},
    };
    arena_t *a = *state;
    play_t p;
    begin(&p);
    for (size_t i = 0; i < ROWS(CASES); i++) {
        p.want.method = str_c(CASES[i].method);
        assert_int_equal(client_document_write(a, str_c(CASES[i].url), &p.want, STR_UNSET, &p.text),
                         RC_MALFORMED);
    }
    p.want.method = STR("none");
    assert_ok(client_document_write(a, STR("https://c.test/me"), &p.want, STR_UNSET, &p.text));
}

/* Memory */

static rc_t write_in(arena_t *a, void *ctx)
{
    play_t *p = ctx;
    return client_registration_write(a, &p->server, &p->want, &p->text);
}

static rc_t read_in(arena_t *a, void *ctx)
{
    read_t r;
    (void)client_registration_read(a, 201, str_c(ctx), &r.got, &r.why, &r.rc);
    return r.rc;
}

static void no_memory(void **state)
{
    (void)state;
    static char good[] = "{\"client_id\":\"c\",\"client_secret\":\"s\"}";
    static char refused[] = "{\"error\":\"c\",\"error_description\":\"s\"}";
    static char bad[] = "<html>";
    play_t p;
    begin(&p);
    client_test_starve(write_in, &p);
    client_test_starve(read_in, good);
    client_test_starve(read_in, refused);
    client_test_starve(read_in, bad);
}

static void redirect_uris_of_a_registration(void **state)
{
    static const char ASKED[] = "http://127.0.0.1:4711/callback";
    static const struct {
        const char *list;
        bool takes;
    } CASES[] = {
        {"null", true},
        {"[]", true},
        {"7", true},
        {"[\"http://127.0.0.1:4711/callback\"]", true},
        {"[\"https://a.example/\",\"http://127.0.0.1/callback\"]", true},
        {"[\"http://localhost:1/callback\"]", true},
        {"[\"http:\\/\\/127.0.0.1:4711\\/callback\"]", true},
        {"[\"https://a.example/callback\"]", false},
        {"[\"http://127.0.0.1.a.example/callback\"]", false},
        {"[\"https://127.0.0.1:4711/callback\"]", false},
        {"[\"http://127.0.0.1:4711/\"]", false},
        {"[\"http://127.0.0.1:4711/callback?x=1\"]", false},
        {"[\"x\"]", false},
    };
    arena_t *a = *state;
    read_t r;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        str_t body = arena_printf(a, "{\"client_id\":\"c\",\"redirect_uris\":%s}", CASES[i].list);
        assert_reason(read_one(a, 201, body.p, &r), CLIENT_FINE);
        if (client_registered_takes(&r.got, str_c(ASKED)) != CASES[i].takes)
            fail_msg("%s", CASES[i].list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(each_way_in_its_order),
        ARENA_TEST(a_registration_of_a_program_that_people_use),
        ARENA_TEST(a_registration_with_all_that_can_be_said),
        ARENA_TEST(a_machine_has_neither_redirect_uris_nor_response_types),
        ARENA_TEST(the_grants_that_the_server_lists),
        ARENA_TEST(the_method_that_the_server_lists),
        ARENA_TEST(a_registration_too_long),
        ARENA_TEST(a_public_client),
        ARENA_TEST(a_confidential_client),
        ARENA_TEST(the_method_of_the_answer_counts),
        ARENA_TEST(times_as_servers_write_them),
        ARENA_TEST(a_registration_token_is_not_kept_for_an_open_wire),
        ARENA_TEST(registration_refused),
        ARENA_TEST(what_is_left_out_after_a_refusal),
        ARENA_TEST(registration_bad),
        ARENA_TEST(a_document_is_about_its_own_url),
        ARENA_TEST(a_document_with_a_key),
        ARENA_TEST(a_document_that_cannot_be_one),
        ARENA_TEST(no_memory),
        ARENA_TEST(redirect_uris_of_a_registration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
