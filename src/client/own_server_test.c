/* What this room writes is taken by the decisions of the authorization server, and what those
 * answer is read by this room: both halves were written from the same texts, by two hands. */
#include "oauth/oauth_test_world.h"

#include "client/proof.h"
#include "client/registration.h"
#include "client/token_request.h"
#include "jose/jwk.h"
#include "oauth/authorize.h"
#include "oauth/client_assertion.h"
#include "oauth/client_document.h"
#include "oauth/device.h"
#include "oauth/handle.h"
#include "oauth/metadata.h"
#include "oauth/oauth_test_dpop.h"
#include "oauth/pushed.h"
#include "oauth/redirect_uri.h"
#include "oauth/register.h"
#include "oauth/token.h"

#define REDIRECT "http://127.0.0.1:49152/callback"
#define RESOURCE "https://rs.test/mcp"
#define ok(rc)   assert_int_equal((rc), RC_OK)

typedef struct {
    world_t w;
    client_server_metadata_t server;
    client_t client; /* as the server knows it */
    client_credentials_t who;
    client_token_want_t want;
    client_pending_t pending;
    authz_request_t request; /* as the server understood it */
    oauth_client_claim_t claim;
    oauth_token_request_t token_request;
    client_token_request_t sent;
    client_token_t token;
    const jwk_t *key; /* of proofs; NULL: bearer tokens */
    oauth_dpop_t proof;
} play_t;

static void begin(play_t *p)
{
    str_t document, why;
    rc_t rc;
    *p = (play_t){0};
    world_begin(&p->w);
    p->w.settings.registrable_grants |= GRANT_DEVICE_CODE | GRANT_CLIENT_CREDENTIALS;
    const oauth_metadata_facts_t facts = {
        .settings = &p->w.settings, .resources = &p->w.resources, .signing_alg = STR("ES256")};
    ok(oauth_metadata_write(p->w.a, &facts, OAUTH_METADATA_SERVER, &document));
    assert_int_equal(client_server_metadata_read(p->w.a, document, STR("https://as.test"), false,
                                                 &p->server, &why, &rc),
                     CLIENT_FINE);
    ok(rc);
    assert_int_equal(client_server_check_code(&p->server), CLIENT_FINE);
    p->want = (client_token_want_t){.server = &p->server,
                                    .who = &p->who,
                                    .resource = STR(RESOURCE),
                                    .random = p->w.random,
                                    .now = TEST_NOW};
}

/* The server decides on what is sent, and its answer is read. */
static void enrol(play_t *p, str_list_t grants, const char *method)
{
    static const str_t URIS[] = {STR_INIT(REDIRECT)};
    client_registered_t got;
    oauth_register_verdict_t out;
    str_t why;
    rc_t rc;
    oauth_register_facts_t facts = {.settings = &p->w.settings,
                                    .random = &p->w.random,
                                    .now = TEST_NOW,
                                    .resources = &p->w.resources};
    const client_registration_want_t want = {.name = STR("Warder"),
                                             .redirect_uris = {URIS, 1},
                                             .grant_types = grants,
                                             .method = str_c(method)};
    ok(client_registration_write(p->w.a, &p->server, &want, &facts.body));
    ok(oauth_register_decide(p->w.a, &facts, &out));
    assert_reason(out.reason, OAUTH_FINE);
    p->client = *out.effects.v[out.effects.n - 1].u.client;
    assert_int_equal(client_registration_read(p->w.a, out.status, out.body, &got, &why, &rc),
                     CLIENT_FINE);
    assert_str(got.client_id, p->client.id);
    p->who = (client_credentials_t){
        .client_id = got.client_id, .secret = got.secret, .method = got.method};
    assert_true(client_method_choose(&p->server, &p->who, &p->want.method));
}

static str_t query_of(str_t url)
{
    return str_skip(url, str_find(url, '?', 0) + 1);
}

static client_authorization_want_t want_of(const play_t *p, str_t scope, str_t jkt)
{
    return (client_authorization_want_t){.server = &p->server,
                                         .client_id = p->who.client_id,
                                         .redirect_uri = STR(REDIRECT),
                                         .scope = scope,
                                         .resource = STR(RESOURCE),
                                         .dpop_jkt = jkt};
}

/* The server takes the request at that URL (NULL: nothing was pushed). */
static void take(play_t *p, str_t url, const pushed_t *pushed)
{
    const oauth_authorize_facts_t facts = {.settings = &p->w.settings,
                                           .random = &p->w.random,
                                           .now = TEST_NOW,
                                           .resources = &p->w.resources,
                                           .client = &p->client,
                                           .session = &p->w.session,
                                           .user = &p->w.user,
                                           .pushed = pushed};
    oauth_authorize_verdict_t out;
    form_t form;
    bool fine;
    ok(form_parse(p->w.a, query_of(url), &form));
    const oauth_authorize_request_t in = oauth_authorize_read(&form, NULL);
    assert_int_equal(in.is_pushed, pushed != NULL);
    ok(oauth_authorize_check(p->w.a, &facts, &in, &p->request, &fine, &out));
    assert_true(fine);
}

/* The browser brings back a code. */
static str_t come_back(play_t *p)
{
    const oauth_redirect_answer_t answer = {
        .code = STR("wrc_code"), .state = p->request.state, .iss = p->w.settings.issuer};
    str_t url, code, why;
    bool mine;
    rc_t rc;
    ok(oauth_redirect_uri_answer(p->w.a, p->request.redirect_uri, &answer, &url));
    assert_int_equal(
        client_authorization_answer(p->w.a, &p->pending, query_of(url), &code, &mine, &why, &rc),
        CLIENT_FINE);
    return code;
}

static str_t authorize(play_t *p, str_t scope, str_t jkt)
{
    const client_authorization_want_t want = want_of(p, scope, jkt);
    str_t url;
    ok(client_authorization_begin(p->w.a, p->w.random, &want, &p->pending, &url));
    take(p, url, NULL);
    return come_back(p);
}

/* Reads what was sent, with its proof, as the endpoint does. */
static void arrive(play_t *p, form_t *form)
{
    const oauth_dpop_expect_t expect = {
        .method = STR("POST"), .url = p->sent.url, .now_ms = TEST_NOW * 1000LL};
    const client_proof_want_t want = {.key = p->key,
                                      .method = STR("POST"),
                                      .url = p->sent.url,
                                      .now = TEST_NOW,
                                      .random = p->w.random};
    str_t proof = STR_UNSET;
    if (p->key)
        ok(client_proof_write(p->w.a, &want, &proof));
    ok(oauth_dpop_check(p->w.a, (str_list_t){&proof, p->key != NULL}, &expect, &p->proof));
    assert_reason(p->proof.reason, OAUTH_FINE);
    ok(form_parse(p->w.a, p->sent.form, form));
    const str_list_t headers = {&p->sent.authorization, str_is_set(p->sent.authorization)};
    ok(oauth_client_auth_read(p->w.a, headers, form, &p->claim));
    assert_reason(p->claim.reason, OAUTH_FINE);
    assert_str(p->claim.client_id, p->client.id);
    ok(oauth_token_read(p->w.a, form, &p->token_request));
}

static void decide(play_t *p, const oauth_token_facts_t *facts)
{
    const client_token_expect_t expect = {.dpop = p->key != NULL, .now = TEST_NOW};
    oauth_token_verdict_t out;
    str_t body, error, why;
    rc_t rc;
    ok(oauth_token_decide(p->w.a, facts, &out));
    assert_reason(out.reason, OAUTH_FINE);
    ok(oauth_token_answer(p->w.a, &out, STR("a.t.s"), &body));
    assert_int_equal(client_token_read(p->w.a, 200, body, &expect, &p->token, &error, &why, &rc),
                     CLIENT_FINE);
    assert_text(p->token.access_token.hidden, "a.t.s");
    assert_int_equal(p->token.dpop, p->key != NULL);
    assert_int_equal(p->token.expires_at, TEST_NOW + out.expires_in);
}

static oauth_token_facts_t facts_of(play_t *p)
{
    return (oauth_token_facts_t){.settings = &p->w.settings,
                                 .random = &p->w.random,
                                 .now = TEST_NOW,
                                 .resources = &p->w.resources,
                                 .claim = &p->claim,
                                 .request = &p->token_request,
                                 .client = &p->client,
                                 .owner = &p->w.user,
                                 .proof = &p->proof};
}

static void redeem(play_t *p, str_t code)
{
    form_t form;
    ok(client_token_code(p->w.a, &p->want, &p->pending, code, &p->sent));
    arrive(p, &form);
    assert_reason(p->token_request.reason, OAUTH_FINE);
    const code_t kept = {.id = p->token_request.hash,
                         .family_id = STR("family-1"),
                         .user_id = p->w.user.id,
                         .auth_time = TEST_NOW - 20,
                         .created_at = TEST_NOW - 10,
                         .expires_at = TEST_NOW + 50,
                         .request = p->request};
    oauth_token_facts_t facts = facts_of(p);
    facts.code = &kept;
    decide(p, &facts);
}

static void refresh(play_t *p)
{
    form_t form;
    ok(client_token_refresh(p->w.a, &p->want, p->token.refresh_token.hidden, &p->sent));
    arrive(p, &form);
    assert_reason(p->token_request.reason, OAUTH_FINE);
    assert_int_equal(p->token_request.grant, GRANT_REFRESH_TOKEN);
    const hash_t hash = oauth_handle_hash(p->token.refresh_token.hidden);
    assert_memory_equal(&p->token_request.hash, &hash, sizeof hash);
    assert_int_equal(p->token_request.resources.n, 1);
    assert_text(p->token_request.resources.v[0], RESOURCE);
}

static void a_sign_in_with_each_method(void **state)
{
    static const char *const METHODS[] = {NULL, "client_secret_basic", "client_secret_post"};
    (void)state;
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        play_t p;
        begin(&p);
        enrol(&p, (str_list_t){0}, METHODS[i]);
        assert_int_equal(p.client.type, CLIENT_NATIVE);
        redeem(&p, authorize(&p, STR("a:read"), STR_UNSET));
        assert_text(p.request.resource, RESOURCE);
        assert_text(p.token.scope, "a:read");
        assert_true(str_is_set(p.token.refresh_token.hidden));
        refresh(&p);
        world_end(&p.w);
    }
}

static void a_sign_in_bound_to_a_key(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    jwk_t key = dpop_test_key(p.w.a, ALG_ES256);
    p.key = &key;
    enrol(&p, (str_list_t){0}, NULL);
    redeem(&p, authorize(&p, STR_UNSET, dpop_test_jkt(p.w.a, &key)));
    assert_str(p.request.dpop_jkt, dpop_test_jkt(p.w.a, &key));
    world_end(&p.w);
}

static void a_pushed_sign_in(void **state)
{
    (void)state;
    play_t p;
    form_t form;
    oauth_pushed_verdict_t out;
    str_t url, uri, why;
    rc_t rc;
    begin(&p);
    enrol(&p, (str_list_t){0}, "client_secret_post");
    const client_authorization_want_t want = want_of(&p, STR("a:read"), STR_UNSET);
    ok(client_authorization_begin(p.w.a, p.w.random, &want, &p.pending, &url));
    ok(client_token_pushed(p.w.a, &p.want, &want, &p.pending, &p.sent));
    arrive(&p, &form);
    const oauth_pushed_facts_t facts = {.settings = &p.w.settings,
                                        .random = &p.w.random,
                                        .now = TEST_NOW,
                                        .resources = &p.w.resources,
                                        .claim = &p.claim,
                                        .client = &p.client,
                                        .form = &form,
                                        .proof = &p.proof};
    ok(oauth_pushed_decide(p.w.a, &facts, &out));
    assert_reason(out.reason, OAUTH_FINE);
    assert_int_equal(client_pushed_read(p.w.a, out.status, out.body, &uri, &why, &rc), CLIENT_FINE);
    ok(client_authorization_pushed_url(p.w.a, &p.server, p.who.client_id, uri, &url));
    take(&p, url, out.effects.v[0].u.pushed);
    redeem(&p, come_back(&p));
    assert_text(p.token.scope, "a:read");
    world_end(&p.w);
}

/* An error of the server comes back with its words. */
static void a_refused_sign_in(void **state)
{
    (void)state;
    play_t p;
    str_t url, code, why;
    bool mine;
    rc_t rc;
    begin(&p);
    enrol(&p, (str_list_t){0}, NULL);
    (void)authorize(&p, STR("a:read"), STR_UNSET);
    const oauth_redirect_answer_t answer = {.error = STR("access_denied"),
                                            .error_description = STR("no & no"),
                                            .state = p.request.state,
                                            .iss = p.w.settings.issuer};
    ok(oauth_redirect_uri_answer(p.w.a, p.request.redirect_uri, &answer, &url));
    assert_int_equal(
        client_authorization_answer(p.w.a, &p.pending, query_of(url), &code, &mine, &why, &rc),
        CLIENT_AUTHORIZATION_REFUSED);
    assert_text(why, "access_denied: no & no");
    world_end(&p.w);
}

static void a_machine_signs_its_assertion(void **state)
{
    (void)state;
    play_t p;
    form_t form;
    str_t jwks;
    begin(&p);
    jwk_t key = dpop_test_key(p.w.a, ALG_ES256);
    key.kid = STR("k1");
    buf_t b = buf_new(p.w.a, 4096);
    json_writer_t w = json_writer(&b);
    ok(jwks_write(p.w.a, &w, &(jwks_t){&key, 1, 0}));
    ok(buf_done(&b, &jwks));
    p.client = p.w.client;
    p.client.auth = CLIENT_AUTH_PRIVATE_KEY_JWT;
    p.client.grants = GRANT_CLIENT_CREDENTIALS;
    p.client.origin = CLIENT_BY_ADMIN;
    p.client.expires_at = 0;
    p.who = (client_credentials_t){.client_id = p.client.id, .key = &key};
    assert_true(client_method_choose(&p.server, &p.who, &p.want.method));
    assert_int_equal(p.want.method, CLIENT_METHOD_JWT);
    ok(client_token_credentials(p.w.a, &p.want, &p.sent));
    arrive(&p, &form);
    const oauth_client_assertion_facts_t facts = {
        .settings = &p.w.settings, .now = TEST_NOW, .client = &p.client, .client_jwks = jwks};
    ok(oauth_client_assertion_check(p.w.a, &facts, &p.claim));
    assert_reason(p.claim.proof, OAUTH_FINE);
    assert_reason(oauth_client_auth_check(&p.claim, &p.client, TEST_NOW), OAUTH_FINE);
    oauth_token_facts_t token_facts = facts_of(&p);
    token_facts.owner = NULL;
    decide(&p, &token_facts);
    world_end(&p.w);
}

static void a_device_asks(void **state)
{
    static const str_t GRANTS[] = {STR_INIT("urn:ietf:params:oauth:grant-type:device_code"),
                                   STR_INIT("refresh_token")};
    (void)state;
    play_t p;
    form_t form;
    client_device_t got;
    oauth_device_verdict_t out;
    str_t why;
    rc_t rc;
    begin(&p);
    enrol(&p, (str_list_t){GRANTS, 2}, NULL);
    ok(client_token_device_begin(p.w.a, &p.want, &p.sent));
    arrive(&p, &form);
    const oauth_device_facts_t facts = {.settings = &p.w.settings,
                                        .random = &p.w.random,
                                        .now = TEST_NOW,
                                        .resources = &p.w.resources,
                                        .claim = &p.claim,
                                        .client = &p.client,
                                        .form = &form,
                                        .proof = &p.proof};
    ok(oauth_device_decide(p.w.a, &facts, &out));
    assert_reason(out.reason, OAUTH_FINE);
    assert_int_equal(
        client_device_read(p.w.a, out.status, out.body, TEST_NOW, false, &got, &why, &rc),
        CLIENT_FINE);
    assert_true(got.expires_at > TEST_NOW && str_is_set(got.verification_uri_complete));
    ok(client_token_device(p.w.a, &p.want, got.device_code.hidden, &p.sent));
    arrive(&p, &form);
    assert_reason(p.token_request.reason, OAUTH_FINE);
    assert_int_equal(p.token_request.grant, GRANT_DEVICE_CODE);
    world_end(&p.w);
}

static void a_document_that_the_server_takes(void **state)
{
    static const str_t URL = STR_INIT("https://c.test/warder.json");
    const client_registration_want_t want = {.name = STR("Warder"), .uri = STR("https://c.test/")};
    (void)state;
    play_t p;
    oauth_client_document_t out;
    oauth_client_document_answer_t answer = {.status = 200,
                                             .content_type = STR("application/json")};
    begin(&p);
    assert_reason(oauth_client_document_check_url(&p.w.settings, URL), OAUTH_FINE);
    ok(client_document_write(p.w.a, URL, &want, STR_UNSET, &answer.body));
    ok(oauth_client_document_read(p.w.a, &p.w.settings, URL, &answer, &out));
    assert_reason(out.reason, OAUTH_FINE);
    assert_int_equal(out.client.redirect_uris.n, 3);
    assert_int_equal(out.client.auth, CLIENT_AUTH_NONE);
    assert_int_equal(out.client.grants, GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN);
    ok(client_document_write(p.w.a, URL, &want, STR("https://c.test/keys"), &answer.body));
    ok(oauth_client_document_read(p.w.a, &p.w.settings, URL, &answer, &out));
    assert_reason(out.reason, OAUTH_FINE);
    assert_int_equal(out.client.auth, CLIENT_AUTH_PRIVATE_KEY_JWT);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sign_in_with_each_method),
        cmocka_unit_test(a_sign_in_bound_to_a_key),
        cmocka_unit_test(a_pushed_sign_in),
        cmocka_unit_test(a_refused_sign_in),
        cmocka_unit_test(a_machine_signs_its_assertion),
        cmocka_unit_test(a_device_asks),
        cmocka_unit_test(a_document_that_the_server_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
