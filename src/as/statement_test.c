/* Software statements through the whole server: whose keys are fetched, and when. */
#include "as/as_test_browser.h"

#include "jose/jws.h"

#define VOUCHER  "https://vouch.test"
#define KEYS     VOUCHER "/keys"
#define METADATA VOUCHER "/.well-known/openid-configuration"

typedef struct {
    jose_key_t *key;
    str_t kid;
} signer_t;

static void free_key(void *key)
{
    jose_key_free(key);
}

static signer_t signer_new(world_t *w, const char *kid)
{
    signer_t s = {.kid = str_c(kid)};
    assert_ok(jose_key_generate(ALG_ES256, &s.key));
    assert_ok(arena_cleanup(w->a, free_key, s.key));
    return s;
}

static const char *jwks_of(world_t *w, const signer_t *s)
{
    str_t text;
    jwk_t jwk = {.key = s->key, .alg = ALG_ES256, .kid = s->kid};
    const jwks_t set = {&jwk, 1, 0};
    buf_t b = buf_new(w->a, 4096);
    json_writer_t writer = json_writer(&b);
    assert_ok(jwks_write(w->a, &writer, &set));
    assert_ok(buf_done(&b, &text));
    return arena_cstr(w->a, text);
}

static str_t statement(world_t *w, const signer_t *s)
{
    str_t token;
    jwk_t jwk = {.key = s->key, .alg = ALG_ES256, .kid = s->kid};
    const jwks_t set = {&jwk, 1, 0};
    signer_local_t *local;
    assert_ok(signer_local_new(&set, &local));
    signer_port_t port = signer_local_port(local);
    const jws_sign_t what = {ALG_ES256, s->kid, STR("JWT"),
                             STR("{\"iss\":\"" VOUCHER "\",\"client_name\":\"Vouched\","
                                 "\"redirect_uris\":[\"" W_REDIRECT "\"]}")};
    assert_ok(jws_sign(w->a, &port, &what, &token));
    signer_local_free(local);
    return token;
}

static void trust(world_t *w, str_t jwks, str_t jwks_uri)
{
    oauth_issuer_t *v = ARENA_NEW(w->a, oauth_issuer_t);
    assert_non_null(v);
    *v = (oauth_issuer_t){.issuer = STR(VOUCHER),
                          .jwks = jwks,
                          .jwks_uri = jwks_uri,
                          .uses = OAUTH_ISSUER_SOFTWARE_STATEMENT};
    w->as->oauth.issuers = (oauth_issuers_t){v, 1};
    w->as->oauth.registration = OAUTH_REGISTER_STATEMENT;
}

static http_fetch_fake_row_t *serve(world_t *w, size_t n)
{
    http_fetch_fake_row_t *rows = ARENA_ARRAY(w->a, n, http_fetch_fake_row_t);
    assert_non_null(rows);
    w->web.rows = rows;
    w->web.n = n;
    return rows;
}

static http_fetch_fake_row_t page(const char *url, const char *body)
{
    return (http_fetch_fake_row_t){.url = url,
                                   .status = 200,
                                   .content_type = "application/json",
                                   .body = body,
                                   .cache_control = "max-age=3600"};
}

/* The body of a registration, with `more` in front of its members. */
static str_t body_of(world_t *w, const char *more, const signer_t *s)
{
    return arena_printf(w->a,
                        "{%s\"redirect_uris\":[\"" W_REDIRECT "\"],\"client_name\":\"Mine\","
                        "\"token_endpoint_auth_method\":\"none\",\"software_statement\":"
                        "\"%" PRIstr "\"}",
                        more, STR_ARG(statement(w, s)));
}

static answer_t ask(world_t *w, const signer_t *s)
{
    return world_ask(w, world_request(w, "POST", STR("/register"), W_JSON, body_of(w, "", s)));
}

/* Replaces what `registered` was the answer to. */
static answer_t replace(world_t *w, const json_t *registered, const signer_t *s)
{
    str_t id = json_get_str(registered, STR("client_id"));
    str_t token = json_get_str(registered, STR("registration_access_token"));
    const char *more = arena_printf(w->a, "\"client_id\":\"%" PRIstr "\",", STR_ARG(id)).p;
    const char *headers =
        arena_printf(w->a, W_JSON "Authorization: Bearer %" PRIstr "\r\n", STR_ARG(token)).p;
    str_t target = arena_printf(w->a, "/register/%" PRIstr, STR_ARG(id));
    return world_ask(w, world_request(w, "PUT", target, headers, body_of(w, more, s)));
}

static void assert_vouched(world_t *w, answer_t r)
{
    assert_status(r, 201);
    const json_t *json = answer_json(w, &r);
    assert_text(json_get_str(json, STR("client_name")), "Vouched");
    str_t id = json_get_str(json, STR("client_id"));
    const client_t *row = world_look(w, (ask_t){.kind = ASK_CLIENT, .key = id}).u.client;
    assert_text(row->vouched_by, VOUCHER);
}

static void keys_of_the_settings(void **state)
{
    world_t *w = *state;
    signer_t s = signer_new(w, "k"), other = signer_new(w, "k");
    trust(w, str_c(jwks_of(w, &s)), STR_UNSET);
    answer_t r = ask(w, &other);
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "invalid_software_statement");
    assert_vouched(w, ask(w, &s));
    assert_int_equal(w->web.calls, 0);
}

static void keys_of_a_url(void **state)
{
    world_t *w = *state;
    signer_t s = signer_new(w, "k");
    trust(w, STR_UNSET, STR(KEYS));
    serve(w, 1)[0] = page(KEYS, jwks_of(w, &s));
    assert_vouched(w, ask(w, &s));
    assert_vouched(w, ask(w, &s));
    assert_int_equal(w->web.calls, 1);
}

static void keys_that_the_metadata_name(void **state)
{
    world_t *w = *state;
    signer_t s = signer_new(w, "k");
    trust(w, STR_UNSET, STR_UNSET);
    http_fetch_fake_row_t *rows = serve(w, 2);
    rows[0] = page(METADATA, "{\"issuer\":\"" VOUCHER "\",\"jwks_uri\":\"" KEYS "\"}");
    rows[1] = page(KEYS, jwks_of(w, &s));
    assert_vouched(w, ask(w, &s));
    assert_int_equal(w->web.calls, 2);
}

static void a_new_key_is_fetched_once_more(void **state)
{
    world_t *w = *state;
    signer_t old = signer_new(w, "old"), new = signer_new(w, "new");
    trust(w, STR_UNSET, STR(KEYS));
    http_fetch_fake_row_t *rows = serve(w, 1);
    rows[0] = page(KEYS, jwks_of(w, &old));
    assert_vouched(w, ask(w, &old));
    rows[0] = page(KEYS, jwks_of(w, &new));
    world_pass(w, 60);
    assert_vouched(w, ask(w, &new));
    assert_int_equal(w->web.calls, 2);
}

static void also_when_a_registration_is_replaced(void **state)
{
    world_t *w = *state;
    signer_t old = signer_new(w, "old"), new = signer_new(w, "new");
    trust(w, STR_UNSET, STR(KEYS));
    http_fetch_fake_row_t *rows = serve(w, 1);
    rows[0] = page(KEYS, jwks_of(w, &old));
    answer_t r = ask(w, &old);
    assert_status(r, 201);
    const json_t *registered = answer_json(w, &r);
    rows[0] = page(KEYS, jwks_of(w, &new));
    world_pass(w, 60);
    r = replace(w, registered, &new);
    assert_status(r, 200);
    assert_text(json_get_str(answer_json(w, &r), STR("client_name")), "Vouched");
    assert_int_equal(w->web.calls, 2);
}

static void keys_that_are_away_are_no_verdict(void **state)
{
    world_t *w = *state;
    signer_t s = signer_new(w, "k");
    trust(w, STR_UNSET, STR(KEYS));
    http_fetch_fake_row_t *rows = serve(w, 1);
    rows[0] = page(KEYS, "");
    rows[0].status = 502;
    answer_t r = ask(w, &s);
    assert_status(r, 503);
    assert_int_equal(trail_count(w, "client.registered", "deny", "statement_keys_away"), 1);
    rows[0] = page(KEYS, jwks_of(w, &s));
    assert_vouched(w, ask(w, &s));
}

static void the_consent_page_says_who_vouched(void **state)
{
    world_t *w = *state;
    signer_t s = signer_new(w, "k");
    trust(w, str_c(jwks_of(w, &s)), STR_UNSET);
    answer_t r = ask(w, &s);
    str_t id = json_get_str(answer_json(w, &r), STR("client_id"));
    browser_t b = browser_new(w);
    browser_sign_in(&b);
    r = browser_get(&b, authorize_target(w, arena_cstr(w->a, id), ""));
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("Vouched for by <bdi>vouch.test</bdi>")));
    assert_false(str_contains(r.body, STR("Unverified")));
    w->as->oauth.issuers.n = 0; /* the operator trusts them no longer */
    r = browser_get(&b, authorize_target(w, arena_cstr(w->a, id), ""));
    assert_status(r, 200);
    assert_false(str_contains(r.body, STR("Vouched for by")));
    assert_true(str_contains(r.body, STR("Unverified")));
}

static void nobody_else_is_asked(void **state)
{
    world_t *w = *state;
    signer_t s = signer_new(w, "k");
    trust(w, STR_UNSET, STR("https://elsewhere.test/keys"));
    oauth_issuer_t *v = ARENA_NEW(w->a, oauth_issuer_t);
    *v = w->as->oauth.issuers.v[0];
    v->issuer = STR("https://elsewhere.test");
    w->as->oauth.issuers = (oauth_issuers_t){v, 1};
    answer_t r = ask(w, &s);
    assert_status(r, 400);
    assert_text(answer_error(w, &r), "unapproved_software_statement");
    assert_int_equal(w->web.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(keys_of_the_settings),
        WORLD_TEST(keys_of_a_url),
        WORLD_TEST(keys_that_the_metadata_name),
        WORLD_TEST(a_new_key_is_fetched_once_more),
        WORLD_TEST(also_when_a_registration_is_replaced),
        WORLD_TEST(keys_that_are_away_are_no_verdict),
        WORLD_TEST(the_consent_page_says_who_vouched),
        WORLD_TEST(nobody_else_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
