#include "client/client_test_util.h"

#include "client/authorization_fields.h"
#include "core/form.h"
#include "core/limits.h"
#include "oauth/pkce.h"

#define REDIRECT "http://127.0.0.1:49152/callback"
#define RESOURCE "https://rs.test:8443/mcp/%7Ea?b=c&d"

typedef struct {
    random_fake_t random_state;
    random_port_t random;
    client_server_metadata_t server;
    client_authorization_want_t want;
    client_pending_t pending;
    str_t url;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    p->random = random_fake(&p->random_state);
    p->server = (client_server_metadata_t){
        .issuer = STR("https://as.test"),
        .authorization_endpoint = STR("https://as.test/authorize"),
        .token_endpoint = STR("https://as.test/token"),
    };
    p->want = (client_authorization_want_t){.server = &p->server,
                                            .client_id = STR("https://client.test/me?x=1&y"),
                                            .redirect_uri = STR(REDIRECT),
                                            .resource = STR(RESOURCE)};
}

static void ask(play_t *p, arena_t *a)
{
    assert_ok(client_authorization_begin(a, p->random, &p->want, &p->pending, &p->url));
}

static form_t query_of(arena_t *a, str_t url)
{
    form_t form;
    size_t at = str_find(url, '?', 0);
    assert_true(at < url.n);
    assert_ok(form_parse(a, str_skip(url, at + 1), &form));
    return form;
}

/* The request */

static void a_request_with_all_that_is_needed_and_nothing_more(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    ask(&p, a);
    assert_true(str_starts(p.url, STR("https://as.test/authorize?response_type=code&")));
    form_t f = query_of(a, p.url);
    assert_field(&f, "client_id", "https://client.test/me?x=1&y");
    assert_field(&f, "redirect_uri", REDIRECT);
    assert_field(&f, "code_challenge_method", "S256");
    assert_field(&f, "resource", RESOURCE);
    assert_no_field(&f, "scope");
    assert_no_field(&f, "prompt");
    assert_int_equal(f.n, 7);
}

static void what_is_remembered_is_of_the_server_that_was_asked(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.server.iss_parameter = true;
    p.want.scope = STR("a b");
    ask(&p, a);
    assert_str(p.pending.issuer, STR("https://as.test"));
    assert_str(p.pending.token_endpoint, STR("https://as.test/token"));
    assert_str(p.pending.client_id, p.want.client_id);
    assert_str(p.pending.redirect_uri, STR(REDIRECT));
    assert_str(p.pending.resource, STR(RESOURCE));
    assert_str(p.pending.scope, STR("a b"));
    assert_true(p.pending.iss_parameter);
}

static void the_challenge_is_of_the_verifier(void **state)
{
    arena_t *a = *state;
    play_t p;
    str_t challenge, method;
    begin(&p);
    ask(&p, a);
    form_t f = query_of(a, p.url);
    assert_int_equal(form_get(&f, STR("code_challenge"), &challenge), FORM_ONCE);
    assert_int_equal(form_get(&f, STR("code_challenge_method"), &method), FORM_ONCE);
    assert_int_equal(oauth_pkce_check_challenge(challenge, method), OAUTH_FINE);
    assert_int_equal(oauth_pkce_check_verifier(p.pending.verifier.hidden, challenge), OAUTH_FINE);
    assert_false(str_contains(p.url, p.pending.verifier.hidden));
}

/* The verifier of RFC 7636 appendix B is the base64url of 32 octets that it names. */
static rc_t octets_of_appendix_b(void *ctx, void *out, size_t n)
{
    static const uint8_t OCTETS[32] = {116, 24,  223, 180, 151, 153, 224, 37,  79,  250, 96,
                                       125, 216, 173, 187, 186, 22,  212, 37,  77,  105, 214,
                                       191, 240, 91,  88,  5,   88,  83,  132, 141, 121};
    (void)ctx;
    assert_int_equal(n, sizeof OCTETS);
    memcpy(out, OCTETS, n);
    return RC_OK;
}

static void the_example_of_rfc_7636(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.random = (random_port_t){octets_of_appendix_b, NULL};
    ask(&p, a);
    form_t f = query_of(a, p.url);
    assert_str(p.pending.verifier.hidden, STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    assert_field(&f, "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void state_and_verifier_are_new_each_time(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    ask(&p, a);
    client_pending_t first = p.pending;
    ask(&p, a);
    assert_int_equal(first.state.n, CLIENT_STATE_BYTES);
    assert_int_equal(first.verifier.hidden.n, CLIENT_VERIFIER_BYTES);
    assert_false(str_eq(first.state, p.pending.state));
    assert_false(str_eq(first.verifier.hidden, p.pending.verifier.hidden));
    assert_false(str_eq(first.state, first.verifier.hidden));
}

static void the_endpoint_keeps_its_own_query(void **state)
{
    static const struct {
        const char *endpoint, *begins;
    } CASES[] = {
        {"https://as.test/a?tenant=x%20y", "https://as.test/a?tenant=x%20y&response_type=code&"},
        {"https://as.test/a?", "https://as.test/a?response_type=code&"},
        {"https://as.test/a?t=1&", "https://as.test/a?t=1&response_type=code&"},
        {"https://as.test/a?t=1#part", "https://as.test/a?t=1&response_type=code&"},
        {"https://as.test/a#part?x", "https://as.test/a?response_type=code&"},
    };
    arena_t *a = *state;
    play_t p;
    begin(&p);
    for (size_t i = 0; i < ROWS(CASES); i++) {
        p.server.authorization_endpoint = str_c(CASES[i].endpoint);
        ask(&p, a);
        assert_true(str_starts(p.url, str_c(CASES[i].begins)));
        assert_int_equal(str_find(p.url, '#', 0), p.url.n);
    }
}

static void offline_access_comes_with_consent(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.want.scope = STR("a offline_access");
    ask(&p, a);
    form_t f = query_of(a, p.url);
    assert_field(&f, "scope", "a offline_access");
    assert_field(&f, "prompt", "consent");
    p.want.scope = STR("offline_access.not");
    ask(&p, a);
    f = query_of(a, p.url);
    assert_field(&f, "scope", "offline_access.not");
    assert_no_field(&f, "prompt");
}

static void what_a_step_up_of_authentication_asks_for(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.want.acr_values = STR("urn:high urn:higher");
    p.want.max_age = STR("0");
    p.want.dpop_jkt = STR("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    ask(&p, a);
    form_t f = query_of(a, p.url);
    assert_field(&f, "acr_values", "urn:high urn:higher");
    assert_field(&f, "max_age", "0");
    assert_field(&f, "dpop_jkt", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

static void a_pushed_request_holds_the_same(void **state)
{
    arena_t *a = *state;
    play_t p;
    client_fields_t f = {0};
    str_t text, url;
    begin(&p);
    p.want.scope = STR("a b");
    ask(&p, a);
    assert_ok(client_authorization_fields(a, &p.want, &p.pending, &f));
    assert_ok(client_fields_form(a, &f, &text));
    assert_true(str_ends(p.url, text));
    assert_ok(client_authorization_pushed_url(a, &p.server, STR("me"),
                                              STR("urn:ietf:params:oauth:request_uri:x y"), &url));
    assert_str(url, STR("https://as.test/authorize?client_id=me&request_uri="
                        "urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax%20y"));
}

static void a_server_without_an_endpoint_or_a_url_too_long(void **state)
{
    arena_t *a = *state;
    play_t p;
    str_t url;
    begin(&p);
    p.server.authorization_endpoint = STR_UNSET;
    assert_int_equal(client_authorization_begin(a, p.random, &p.want, &p.pending, &p.url),
                     RC_MALFORMED);
    assert_int_equal(client_authorization_pushed_url(a, &p.server, STR("me"), STR("urn:x"), &url),
                     RC_MALFORMED);
    begin(&p);
    char *scope = arena_alloc(a, LIMIT_URL_BYTES);
    memset(scope, 'a', LIMIT_URL_BYTES);
    p.want.scope = str_of(scope, LIMIT_URL_BYTES);
    assert_int_equal(client_authorization_begin(a, p.random, &p.want, &p.pending, &p.url),
                     RC_LIMIT);
    p.want.scope = STR_UNSET;
    ask(&p, a);
}

static void no_randomness(void **state)
{
    play_t p;
    begin(&p);
    assert_int_equal(
        client_authorization_begin(*state, client_test_no_random(), &p.want, &p.pending, &p.url),
        RC_IO);
}

static void state_and_verifier_are_wiped(void **state)
{
    arena_t *a = arena_new(1 << 16);
    play_t p;
    (void)state;
    begin(&p);
    ask(&p, a);
    client_test_wiped(a, (const str_t[]){p.pending.state, p.pending.verifier.hidden}, 2);
    arena_free(a);
}

static rc_t begin_in(arena_t *a, void *ctx)
{
    play_t *p = ctx;
    return client_authorization_begin(a, p->random, &p->want, &p->pending, &p->url);
}

static void no_memory_for_the_request(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.want.scope = STR("a b offline_access");
    client_test_starve(begin_in, &p);
}

/* The answer */

typedef struct {
    str_t code, why;
    bool mine;
    rc_t rc;
} answered_t;

/* %S stands for the state. */
static str_t query_with(arena_t *a, const play_t *p, const char *text)
{
    buf_t b = buf_new(a, 1 << 16);
    for (const char *at = text; *at; at++) {
        if (at[0] == '%' && at[1] == 'S') {
            buf_put(&b, p->pending.state);
            at++;
        } else {
            buf_char(&b, *at);
        }
    }
    return test_exact(a, buf_str(&b));
}

static client_reason_t answer(arena_t *a, const play_t *p, const char *text, answered_t *out)
{
    str_t query = query_with(a, p, text);
    return client_authorization_answer(a, &p->pending, query, &out->code, &out->mine, &out->why,
                                       &out->rc);
}

typedef struct {
    const char *query;
    client_reason_t reason;
    bool mine;
} answer_row_t;

static void refuse_all(arena_t *a, play_t *p, const answer_row_t *rows, size_t n)
{
    answered_t got;
    for (size_t i = 0; i < n; i++) {
        assert_reason(answer(a, p, rows[i].query, &got), rows[i].reason);
        assert_int_equal(got.rc, RC_OK);
        assert_int_equal(got.mine, rows[i].mine);
        assert_false(str_is_set(got.code));
    }
    /* A good answer must still pass. */
    assert_reason(answer(a, p, "state=%S&code=c%2Fd&iss=https%3A%2F%2Fas.test", &got), CLIENT_FINE);
    assert_str(got.code, STR("c/d"));
    assert_true(got.mine);
}

/* attack case: CLI-008. Neither is a flow used up by an answer that is not its own. */
static void state_wrong(void **state)
{
    static const answer_row_t CASES[] = {
        {"", CLIENT_STATE_WRONG, false},
        {"code=c", CLIENT_STATE_WRONG, false},
        {"code=c&state=", CLIENT_STATE_WRONG, false},
        {"code=c&state=%Sx", CLIENT_STATE_WRONG, false},
        {"code=c&state=x%S", CLIENT_STATE_WRONG, false},
        {"code=c&State=%S", CLIENT_STATE_WRONG, false},
        {"error=access_denied&state=other", CLIENT_STATE_WRONG, false},
        {"error=access_denied", CLIENT_STATE_WRONG, false},
        {"code=c&state=%S&x=%", CLIENT_STATE_WRONG, false},
        {"code=c&state=%S&x=%ff", CLIENT_STATE_WRONG, false},
        {"code=c&state=%S&x=%00", CLIENT_STATE_WRONG, false},
    };
    arena_t *a = *state;
    play_t p;
    begin(&p);
    ask(&p, a);
    refuse_all(a, &p, CASES, ROWS(CASES));
}

/* attack cases: CLI-008, CLI-011. */
static void the_state_of_another_sign_in(void **state)
{
    arena_t *a = *state;
    play_t p, other;
    answered_t got;
    begin(&p);
    begin(&other);
    other.random_state.next = 77;
    ask(&p, a);
    ask(&other, a);
    str_t query = query_with(a, &other, "code=c&state=%S");
    assert_reason(
        client_authorization_answer(a, &p.pending, query, &got.code, &got.mine, &got.why, &got.rc),
        CLIENT_STATE_WRONG);
    assert_false(got.mine);
    assert_reason(answer(a, &other, "code=c&state=%S", &got), CLIENT_FINE);
}

static void an_answer_too_long_or_with_too_many_parameters(void **state)
{
    arena_t *a = *state;
    play_t p;
    answered_t got;
    begin(&p);
    ask(&p, a);
    buf_t b = buf_new(a, 1 << 20);
    buf_put(&b, STR("code=c&state=%S&x="));
    for (size_t i = 0; i < CLIENT_CALLBACK_BYTES; i++)
        buf_char(&b, 'x');
    buf_char(&b, '\0');
    assert_reason(answer(a, &p, b.p, &got), CLIENT_STATE_WRONG);
    assert_false(got.mine);
    b = buf_new(a, 1 << 20);
    buf_put(&b, STR("code=c&state=%S"));
    for (size_t i = 0; i < LIMIT_FORM_FIELDS; i++)
        buf_put(&b, STR("&x=1"));
    buf_char(&b, '\0');
    assert_reason(answer(a, &p, b.p, &got), CLIENT_STATE_WRONG);
    assert_false(got.mine);
    assert_reason(answer(a, &p, "code=c&state=%S", &got), CLIENT_FINE);
}

static void parameter_repeated(void **state)
{
    static const answer_row_t CASES[] = {
        {"code=a&code=a&state=%S", CLIENT_PARAMETER_REPEATED, true},
        {"code=a&code=&state=%S", CLIENT_PARAMETER_REPEATED, true},
        {"code=a&state=%S&state=%S", CLIENT_PARAMETER_REPEATED, true},
        {"code=a&state=%S&state=x", CLIENT_PARAMETER_REPEATED, true},
        {"code=a&state=x&state=y", CLIENT_PARAMETER_REPEATED, false},
        {"code=a&state=%S&iss=https://as.test&iss=https://as.test", CLIENT_PARAMETER_REPEATED,
         true},
        {"code=a&state=%S&iss=https://as.test&iss=https://b.test", CLIENT_PARAMETER_REPEATED, true},
        {"error=a&error=b&state=%S", CLIENT_PARAMETER_REPEATED, true},
        {"code=a&%63ode=b&state=%S", CLIENT_PARAMETER_REPEATED, true},
    };
    arena_t *a = *state;
    play_t p;
    begin(&p);
    ask(&p, a);
    refuse_all(a, &p, CASES, ROWS(CASES));
}

static void iss_missing(void **state)
{
    static const answer_row_t CASES[] = {
        {"code=a&state=%S", CLIENT_ISS_MISSING, true},
        {"code=a&state=%S&iss=", CLIENT_ISS_MISSING, true},
        {"error=access_denied&state=%S", CLIENT_ISS_MISSING, true},
    };
    arena_t *a = *state;
    play_t p;
    begin(&p);
    p.server.iss_parameter = true;
    ask(&p, a);
    refuse_all(a, &p, CASES, ROWS(CASES));
}

/* By plain string comparison (RFC 9207 section 2.4), promised or not. */
static void iss_wrong(void **state)
{
    static const answer_row_t CASES[] = {
        {"code=a&state=%S&iss=https://evil.test", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=https://as.test/", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=https://AS.test", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=HTTPS://as.test", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=https://as.test:443", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=https://as.tes%2574", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=+https://as.test", CLIENT_ISS_WRONG, true},
    };
    arena_t *a = *state;
    play_t p;
    for (int promised = 0; promised < 2; promised++) {
        begin(&p);
        p.server.iss_parameter = promised;
        ask(&p, a);
        refuse_all(a, &p, CASES, ROWS(CASES));
    }
}

/* What came from another server may not speak to the person (RFC 9207 section 2.4). */
static void the_words_of_another_server_are_not_shown(void **state)
{
    arena_t *a = *state;
    play_t p;
    answered_t got;
    begin(&p);
    p.server.iss_parameter = true;
    ask(&p, a);
    assert_reason(answer(a, &p,
                         "error=call&error_description=0900&error_uri=https://u.test&state=%S&"
                         "iss=https://evil.test",
                         &got),
                  CLIENT_ISS_WRONG);
    assert_str(got.why, STR("iss is https://evil.test, asked was https://as.test"));
    assert_reason(answer(a, &p, "code=c&state=%S&iss=please+call+0900", &got), CLIENT_ISS_WRONG);
    assert_false(str_is_set(got.why));
    assert_reason(answer(a, &p, "error=call&error_description=0900&state=%S", &got),
                  CLIENT_ISS_MISSING);
    assert_false(str_is_set(got.why));
    assert_reason(answer(a, &p, "error=call&error_description=0900", &got), CLIENT_STATE_WRONG);
    assert_false(str_is_set(got.why));
}

/* It has no issuer, but an origin: an answer that says to come from elsewhere was fetched there,
 * and its code would be handed to another than the one that issued it. */
static void a_server_without_metadata_has_only_its_origin_to_compare(void **state)
{
    static const answer_row_t CASES[] = {
        {"code=a&state=%S&iss=https://other.test", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=https://as.test.other.test", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=https://as.test:8443", CLIENT_ISS_WRONG, true},
        {"code=a&state=%S&iss=http://as.test", CLIENT_ISS_WRONG, true},
        {"error=a&state=%S&iss=https://other.test", CLIENT_ISS_WRONG, true},
    };
    arena_t *a = *state;
    play_t p;
    answered_t got;
    begin(&p);
    p.server.issuer = STR_UNSET;
    ask(&p, a);
    refuse_all(a, &p, CASES, ROWS(CASES));
    assert_reason(answer(a, &p, "code=a&state=%S&iss=https://other.test", &got), CLIENT_ISS_WRONG);
    assert_str(got.why, STR("iss is https://other.test, asked was https://as.test/token"));
    assert_reason(answer(a, &p, "code=a&state=%S", &got), CLIENT_FINE);
    assert_reason(answer(a, &p, "code=a&state=%S&iss=https://as.test", &got), CLIENT_FINE);
    assert_reason(answer(a, &p, "code=a&state=%S&iss=https://as.test/", &got), CLIENT_FINE);
}

static void authorization_refused(void **state)
{
    static const answer_row_t CASES[] = {
        {"error=access_denied&state=%S", CLIENT_AUTHORIZATION_REFUSED, true},
        {"error=access_denied&code=c&state=%S", CLIENT_AUTHORIZATION_REFUSED, true},
        {"error=a&state=%S&iss=https://as.test", CLIENT_AUTHORIZATION_REFUSED, true},
    };
    arena_t *a = *state;
    play_t p;
    answered_t got;
    begin(&p);
    ask(&p, a);
    refuse_all(a, &p, CASES, ROWS(CASES));
    assert_reason(answer(a, &p, "error=access_denied&error_description=not+today&state=%S", &got),
                  CLIENT_AUTHORIZATION_REFUSED);
    assert_str(got.why, STR("access_denied: not today"));
    assert_reason(answer(a, &p, "error=server_error&state=%S", &got), CLIENT_AUTHORIZATION_REFUSED);
    assert_str(got.why, STR("server_error"));
}

static void code_missing(void **state)
{
    static const answer_row_t CASES[] = {
        {"state=%S", CLIENT_CODE_MISSING, true},
        {"code=&state=%S", CLIENT_CODE_MISSING, true},
        {"error=&state=%S", CLIENT_CODE_MISSING, true},
        {"state=%S&error_description=x", CLIENT_CODE_MISSING, true},
    };
    arena_t *a = *state;
    play_t p;
    begin(&p);
    ask(&p, a);
    refuse_all(a, &p, CASES, ROWS(CASES));
}

typedef struct {
    const play_t *p;
    str_t query;
} starved_t;

static rc_t answer_in(arena_t *a, void *ctx)
{
    starved_t *s = ctx;
    answered_t got;
    (void)client_authorization_answer(a, &s->p->pending, s->query, &got.code, &got.mine, &got.why,
                                      &got.rc);
    return got.rc;
}

static void no_memory_for_the_answer(void **state)
{
    arena_t *a = *state;
    play_t p;
    begin(&p);
    ask(&p, a);
    starved_t good = {&p, query_with(a, &p, "code=a&state=%S")};
    starved_t bad = {&p, query_with(a, &p, "error=a&error_description=b&state=%S")};
    client_test_starve(answer_in, &good);
    client_test_starve(answer_in, &bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_request_with_all_that_is_needed_and_nothing_more),
        ARENA_TEST(what_is_remembered_is_of_the_server_that_was_asked),
        ARENA_TEST(the_challenge_is_of_the_verifier),
        ARENA_TEST(the_example_of_rfc_7636),
        ARENA_TEST(state_and_verifier_are_new_each_time),
        ARENA_TEST(the_endpoint_keeps_its_own_query),
        ARENA_TEST(offline_access_comes_with_consent),
        ARENA_TEST(what_a_step_up_of_authentication_asks_for),
        ARENA_TEST(a_pushed_request_holds_the_same),
        ARENA_TEST(a_server_without_an_endpoint_or_a_url_too_long),
        ARENA_TEST(no_randomness),
        ARENA_TEST(state_and_verifier_are_wiped),
        ARENA_TEST(no_memory_for_the_request),
        ARENA_TEST(state_wrong),
        ARENA_TEST(the_state_of_another_sign_in),
        ARENA_TEST(an_answer_too_long_or_with_too_many_parameters),
        ARENA_TEST(parameter_repeated),
        ARENA_TEST(iss_missing),
        ARENA_TEST(iss_wrong),
        ARENA_TEST(the_words_of_another_server_are_not_shown),
        ARENA_TEST(a_server_without_metadata_has_only_its_origin_to_compare),
        ARENA_TEST(authorization_refused),
        ARENA_TEST(code_missing),
        ARENA_TEST(no_memory_for_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
