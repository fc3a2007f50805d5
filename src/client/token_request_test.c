#include "client/client_test_util.h"

#include "client/authorization_fields.h"
#include "client/token_request.h"
#include "core/limits.h"
#include "oauth/client_auth.h"
#include "oauth/oauth_test_dpop.h"

#define RESOURCE "https://rs.test:8443/mcp/%7Ea?b=c&d"
#define GRANT    "urn:ietf:params:oauth:grant-type:"
#define TYPE     "urn:ietf:params:oauth:token-type:"

enum { NOW = 1800000000 };

typedef struct {
    random_fake_t random_state;
    client_server_metadata_t server;
    client_credentials_t who;
    client_token_want_t want;
    client_pending_t pending;
    client_token_request_t out;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    p->server = (client_server_metadata_t){
        .issuer = STR("https://as.test/tenant"),
        .token_endpoint = STR("https://as.test/token"),
        .revocation_endpoint = STR("https://as.test/revoke"),
        .device_authorization_endpoint = STR("https://as.test/device"),
        .pushed_authorization_request_endpoint = STR("https://as.test/par"),
        .authorization_endpoint = STR("https://as.test/authorize"),
    };
    p->who = (client_credentials_t){.client_id = STR("me")};
    p->want = (client_token_want_t){.server = &p->server,
                                    .who = &p->who,
                                    .method = CLIENT_METHOD_NONE,
                                    .resource = STR(RESOURCE),
                                    .scope = STR("a b"),
                                    .random = random_fake(&p->random_state),
                                    .now = NOW};
    p->pending = (client_pending_t){.token_endpoint = STR("https://as.test/token"),
                                    .client_id = STR("me"),
                                    .redirect_uri = STR("http://127.0.0.1:1/cb"),
                                    .scope = STR("a b"),
                                    .resource = STR(RESOURCE),
                                    .state = STR("st"),
                                    .verifier = secret_of(STR("ver"))};
}

/* The whole form, in order: nothing may be there that was not asked for. */
static void expect(arena_t *a, const play_t *p, const char *url, const char *form)
{
    assert_str(p->out.url, str_c(url));
    assert_str(p->out.form, str_c(form));
    (void)client_test_form(a, p->out.form);
}

#define RESOURCE_SENT "resource=https%3A%2F%2Frs.test%3A8443%2Fmcp%2F%257Ea%3Fb%3Dc%26d"

/* Each grant */

static void a_code_goes_to_the_server_that_was_asked(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.server.token_endpoint = STR("https://other.test/token");
    assert_ok(client_token_code(a, &p.want, &p.pending, STR("c/d"), &p.out));
    expect(a, &p, "https://as.test/token",
           "grant_type=authorization_code&code=c%2Fd&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb&"
           "code_verifier=ver&" RESOURCE_SENT "&client_id=me");
    assert_false(str_is_set(p.out.authorization));
}

static void a_refresh_names_the_resource_again(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    assert_ok(client_token_refresh(a, &p.want, STR("r+t"), &p.out));
    expect(a, &p, "https://as.test/token",
           "grant_type=refresh_token&refresh_token=r%2Bt&scope=a%20b&" RESOURCE_SENT
           "&client_id=me");
    p.want.scope = p.want.resource = STR_UNSET;
    assert_ok(client_token_refresh(a, &p.want, STR("rt"), &p.out));
    expect(a, &p, "https://as.test/token",
           "grant_type=refresh_token&refresh_token=rt&client_id=me");
}

static void client_credentials(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.who.secret = secret_of(STR("s"));
    p.want.method = CLIENT_METHOD_POST;
    assert_ok(client_token_credentials(a, &p.want, &p.out));
    expect(a, &p, "https://as.test/token",
           "grant_type=client_credentials&scope=a%20b&" RESOURCE_SENT
           "&client_id=me&client_secret=s");
}

static void a_workload_has_no_client_id_unless_it_is_given(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.want.scope = STR_UNSET;
    p.who.client_id = STR_UNSET;
    assert_ok(client_token_jwt_bearer(a, &p.want, STR("e.y.s"), &p.out));
    expect(a, &p, "https://as.test/token",
           "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=e.y."
           "s&" RESOURCE_SENT);
    p.who.client_id = STR("me");
    assert_ok(client_token_jwt_bearer(a, &p.want, STR("e.y.s"), &p.out));
    form_t f = client_test_form(a, p.out.form);
    assert_field(&f, "client_id", "me");
    assert_field(&f, "grant_type", GRANT "jwt-bearer");
}

static void an_id_jag_goes_along_with_the_clients_own_credentials(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.who.secret = secret_of(STR("s"));
    p.want.method = CLIENT_METHOD_BASIC;
    assert_ok(client_token_jwt_bearer(a, &p.want, STR("e.y.s"), &p.out));
    form_t f = client_test_form(a, p.out.form);
    assert_field(&f, "assertion", "e.y.s");
    assert_no_field(&f, "client_id");
    assert_str(p.out.authorization, STR("Basic bWU6cw=="));
}

static void an_id_token_is_exchanged_at_the_identity_provider(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    assert_ok(client_token_exchange(a, &p.want, STR("i.d.t"), STR("https://as.test/x/"), &p.out));
    form_t f = client_test_form(a, p.out.form);
    assert_field(&f, "grant_type", GRANT "token-exchange");
    assert_field(&f, "requested_token_type", TYPE "id-jag");
    assert_field(&f, "audience", "https://as.test/x/");
    assert_field(&f, "subject_token", "i.d.t");
    assert_field(&f, "subject_token_type", TYPE "id_token");
    assert_field(&f, "resource", RESOURCE);
    assert_field(&f, "scope", "a b");
    assert_field(&f, "client_id", "me");
    assert_int_equal(f.n, 8);
}

static void a_device_asks_and_polls(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    assert_ok(client_token_device_begin(a, &p.want, &p.out));
    expect(a, &p, "https://as.test/device", "scope=a%20b&" RESOURCE_SENT "&client_id=me");
    assert_ok(client_token_device(a, &p.want, STR("dc"), &p.out));
    expect(a, &p, "https://as.test/token",
           "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code="
           "dc&" RESOURCE_SENT "&client_id=me");
}

static void a_token_is_revoked(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    assert_ok(client_token_revoke(a, &p.want, STR("t"), STR("refresh_token"), &p.out));
    expect(a, &p, "https://as.test/revoke", "token=t&token_type_hint=refresh_token&client_id=me");
}

static void a_request_is_pushed_with_what_the_client_shows(void **state)
{
    arena_t *a = *state;
    play_t p;
    client_fields_t plain = {0};
    str_t form;
    begin(&p);
    const client_authorization_want_t want = {.server = &p.server,
                                              .client_id = STR("me"),
                                              .redirect_uri = STR("http://127.0.0.1:1/cb"),
                                              .scope = STR("a b"),
                                              .resource = STR(RESOURCE)};
    assert_ok(client_authorization_fields(a, &want, &p.pending, &plain));
    assert_ok(client_fields_form(a, &plain, &form));
    assert_ok(client_token_pushed(a, &p.want, &want, &p.pending, &p.out));
    expect(a, &p, "https://as.test/par", arena_cstr(a, form));
    p.who.secret = secret_of(STR("s"));
    p.want.method = CLIENT_METHOD_POST;
    assert_ok(client_token_pushed(a, &p.want, &want, &p.pending, &p.out));
    form_t f = client_test_form(a, p.out.form);
    assert_field(&f, "client_id", "me");
    assert_field(&f, "client_secret", "s");
}

static void an_endpoint_that_is_not_there(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.server = (client_server_metadata_t){.issuer = STR("https://as.test")};
    assert_int_equal(client_token_refresh(a, &p.want, STR("t"), &p.out), RC_MALFORMED);
    assert_int_equal(client_token_device_begin(a, &p.want, &p.out), RC_MALFORMED);
    assert_int_equal(client_token_revoke(a, &p.want, STR("t"), STR("x"), &p.out), RC_MALFORMED);
    p.server.token_endpoint = STR("https://as.test/token");
    assert_ok(client_token_refresh(a, &p.want, STR("t"), &p.out));
}

/* Each method */

/* The server's own reader is the judge: it decodes both halves as a form. */
static void basic_encodes_id_and_secret_as_a_form(void **state)
{
    static const struct {
        const char *id, *secret;
    } CASES[] = {
        {"me", "s"},
        {"s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw"},
        {"https://client.test/me", "a:b/c+d e%f"},
        {"a:b", "\xc3\xa4\xe2\x82\xac"},
        {"a", ">>>???~~~"},
    };
    arena_t *a = *state;
    oauth_client_claim_t claim;
    play_t p;
    for (size_t i = 0; i < ROWS(CASES); i++) {
        begin(&p);
        p.who.client_id = str_c(CASES[i].id);
        p.who.secret = secret_of(str_c(CASES[i].secret));
        p.want.method = CLIENT_METHOD_BASIC;
        assert_ok(client_token_refresh(a, &p.want, STR("t"), &p.out));
        form_t f = client_test_form(a, p.out.form);
        assert_no_field(&f, "client_id");
        assert_no_field(&f, "client_secret");
        assert_ok(oauth_client_auth_read(a, (str_list_t){&p.out.authorization, 1}, &f, &claim));
        assert_int_equal(claim.reason, OAUTH_FINE);
        assert_str(claim.client_id, str_c(CASES[i].id));
        assert_str(claim.secret.hidden, str_c(CASES[i].secret));
    }
}

/* RFC 6749 section 2.3.1. */
static void the_example_of_rfc_6749(void **state)
{
    play_t p;
    begin(&p);
    p.who.client_id = STR("s6BhdRkqt3");
    p.who.secret = secret_of(STR("7Fjfp0ZBr1KtDRbnfVdmIw"));
    p.want.method = CLIENT_METHOD_BASIC;
    assert_ok(client_token_refresh(*state, &p.want, STR("t"), &p.out));
    assert_str(p.out.authorization, STR("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"));
}

static void sign_with(play_t *p, const jwk_t *key)
{
    p->who.key = key;
    p->want.method = CLIENT_METHOD_JWT;
}

static void assertion_of(arena_t *a, const play_t *p, oauth_assertion_t *out)
{
    str_t text;
    assert_ok(client_assertion_sign(a, &p->want, &text));
    assert_ok(oauth_assertion_read(a, text, out));
    assert_true(out->readable);
}

static void an_assertion_is_signed_short_and_used_once(void **state)
{
    static const oauth_assertion_reasons_t NAMES = {0};
    static const alg_t ALGS[] = {ALG_ES256, ALG_EDDSA, ALG_RS256, ALG_PS256};
    arena_t *a = *state;
    play_t p;
    oauth_assertion_t first, second;
    begin(&p);
    for (size_t i = 0; i < ROWS(ALGS); i++) {
        jwk_t key = dpop_test_key(a, ALGS[i]);
        key.kid = STR("k1");
        sign_with(&p, &key);
        assertion_of(a, &p, &first);
        assert_int_equal(first.jws.alg, ALGS[i]);
        assert_int_equal(jws_verify(&first.jws, &key), JWS_FINE);
        assert_str(first.jws.kid, STR("k1"));
        assert_true(oauth_assertion_typ_is(&first, STR("x"), true));
        assert_str(first.claims.iss, STR("me"));
        assert_str(first.claims.sub, STR("me"));
        assert_int_equal(first.claims.exp_ms, (NOW + 60) * 1000LL);
        assert_int_equal(oauth_assertion_check_times(&first, NOW, &NAMES), OAUTH_FINE);
        assertion_of(a, &p, &second);
        assert_false(str_eq(first.claims.jti, second.claims.jti));
    }
}

/* attack case: CLI-013. An endpoint may be that of another server, the issuer was validated. */
static void an_assertion_is_for_the_issuer_alone(void **state)
{
    static const str_t ISSUER = STR_INIT("https://as.test/tenant");
    arena_t *a = *state;
    jwk_t key = dpop_test_key(a, ALG_ES256);
    oauth_assertion_t got;
    play_t p;
    begin(&p);
    sign_with(&p, &key);
    p.server.token_endpoint = STR("https://victim.test/token");
    assertion_of(a, &p, &got);
    assert_true(oauth_assertion_is_for(&got, (str_list_t){&ISSUER, 1}, false));
    assert_false(str_is_set(got.jws.kid));
    p.server.issuer = STR_UNSET;
    assertion_of(a, &p, &got);
    assert_true(oauth_assertion_is_for(&got, (str_list_t){&p.server.token_endpoint, 1}, false));
}

static void an_assertion_goes_in_the_form(void **state)
{
    arena_t *a = *state;
    jwk_t key = dpop_test_key(a, ALG_ES256);
    oauth_client_claim_t claim;
    play_t p;
    begin(&p);
    sign_with(&p, &key);
    assert_ok(client_token_credentials(a, &p.want, &p.out));
    assert_false(str_is_set(p.out.authorization));
    form_t f = client_test_form(a, p.out.form);
    assert_field(&f, "client_id", "me");
    assert_field(&f, "client_assertion_type",
                 "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_ok(oauth_client_auth_read(a, (str_list_t){0}, &f, &claim));
    assert_int_equal(claim.reason, OAUTH_FINE);
    assert_str(claim.client_id, STR("me"));
    assert_non_null(claim.assertion);
}

static void a_key_that_cannot_sign(void **state)
{
    arena_t *a = *state;
    jwk_t key = dpop_test_key(a, ALG_ES256), wrong = key;
    wrong.alg = ALG_EDDSA;
    play_t p;
    begin(&p);
    sign_with(&p, NULL);
    assert_int_equal(client_token_credentials(a, &p.want, &p.out), RC_MALFORMED);
    sign_with(&p, &wrong);
    assert_int_equal(client_token_credentials(a, &p.want, &p.out), RC_MALFORMED);
    sign_with(&p, &key);
    assert_ok(client_token_credentials(a, &p.want, &p.out));
}

static void no_randomness(void **state)
{
    arena_t *a = *state;
    jwk_t key = dpop_test_key(a, ALG_ES256);
    play_t p;
    begin(&p);
    sign_with(&p, &key);
    p.want.random = client_test_no_random();
    assert_int_equal(client_token_credentials(a, &p.want, &p.out), RC_IO);
}

/* Limits */

static void a_form_or_credentials_too_long(void **state)
{
    arena_t *a = *state;
    play_t p;
    char *text = arena_alloc(a, LIMIT_FORM_BYTES + 1);
    memset(text, '/', LIMIT_FORM_BYTES + 1);
    begin(&p);
    assert_int_equal(client_token_refresh(a, &p.want, str_of(text, LIMIT_FORM_BYTES / 3), &p.out),
                     RC_LIMIT);
    assert_int_equal(client_token_refresh(a, &p.want, str_of(text, LIMIT_FORM_BYTES + 1), &p.out),
                     RC_LIMIT);
    p.who.secret = secret_of(str_of(text, LIMIT_FORM_BYTES));
    p.want.method = CLIENT_METHOD_BASIC;
    assert_int_equal(client_token_refresh(a, &p.want, STR("t"), &p.out), RC_LIMIT);
    p.who.secret = secret_of(STR("s"));
    assert_ok(client_token_refresh(a, &p.want, str_of(text, LIMIT_FORM_BYTES / 4), &p.out));
}

static void what_is_secret_is_wiped(void **state)
{
    arena_t *a = arena_new(1 << 16);
    play_t p;
    (void)state;
    begin(&p);
    p.who.secret = secret_of(STR("s"));
    p.want.method = CLIENT_METHOD_BASIC;
    assert_ok(client_token_refresh(a, &p.want, STR("refresh"), &p.out));
    client_test_wiped(a, (const str_t[]){p.out.form, p.out.authorization}, 2);
    arena_free(a);
}

static rc_t ask_in(arena_t *a, void *ctx)
{
    play_t *p = ctx;
    return client_token_code(a, &p->want, &p->pending, STR("code"), &p->out);
}

static void no_memory(void **state)
{
    arena_t *a = *state;
    jwk_t key = dpop_test_key(a, ALG_ES256);
    play_t p;
    begin(&p);
    client_test_starve(ask_in, &p);
    p.who.secret = secret_of(STR("s"));
    p.want.method = CLIENT_METHOD_BASIC;
    client_test_starve(ask_in, &p);
    sign_with(&p, &key);
    client_test_starve(ask_in, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_code_goes_to_the_server_that_was_asked),
        ARENA_TEST(a_refresh_names_the_resource_again),
        ARENA_TEST(client_credentials),
        ARENA_TEST(a_workload_has_no_client_id_unless_it_is_given),
        ARENA_TEST(an_id_jag_goes_along_with_the_clients_own_credentials),
        ARENA_TEST(an_id_token_is_exchanged_at_the_identity_provider),
        ARENA_TEST(a_device_asks_and_polls),
        ARENA_TEST(a_token_is_revoked),
        ARENA_TEST(a_request_is_pushed_with_what_the_client_shows),
        ARENA_TEST(an_endpoint_that_is_not_there),
        ARENA_TEST(basic_encodes_id_and_secret_as_a_form),
        ARENA_TEST(the_example_of_rfc_6749),
        ARENA_TEST(an_assertion_is_signed_short_and_used_once),
        ARENA_TEST(an_assertion_is_for_the_issuer_alone),
        ARENA_TEST(an_assertion_goes_in_the_form),
        ARENA_TEST(a_key_that_cannot_sign),
        ARENA_TEST(no_randomness),
        ARENA_TEST(a_form_or_credentials_too_long),
        ARENA_TEST(what_is_secret_is_wiped),
        ARENA_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
