#include "identity/identity_test_util.h"

#include "identity/upstream.h"

#define ISSUER   "https://op.test/tenant"
#define META     ISSUER "/.well-known/openid-configuration"
#define CALLBACK "https://as.test/login/callback"
#define DOCUMENT                                                                                   \
    "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"https://op.test/authorize\","         \
    "\"token_endpoint\":\"https://op.test/token\",\"jwks_uri\":\"https://op.test/jwks\""

static const identity_upstream_t SETTINGS = {
    .issuer = STR_INIT(ISSUER),
    .client_id = STR_INIT("c 1"),
    .scopes = STR_INIT("openid email"),
    .redirect_uri = STR_INIT(CALLBACK),
};
static const identity_upstream_provider_t PROVIDER = {
    .issuer = STR_INIT(ISSUER),
    .authorization_endpoint = STR_INIT("https://op.test/authorize"),
    .token_endpoint = STR_INIT("https://op.test/token"),
    .jwks_uri = STR_INIT("https://op.test/jwks"),
};
#define KEY    STR("0123456789abcdef0123456789abcdef")
#define OTHER  STR("0123456789abcdef0123456789abcdeX")
#define HANDLE "wri_a+b&c"
enum { NOW = 1700000000 };

/* ---- metadata ---- */

static rc_t provider(arena_t *a, const char *json, identity_upstream_provider_t *out)
{
    return identity_upstream_provider(a, STR(META), str_c(json), out);
}

static void metadata_stands_below_the_issuer(void **state)
{
    (void)state;
    str_t url;
    arena_t *a = test_arena();
    assert_ok(identity_upstream_metadata_url(a, STR(ISSUER), &url));
    assert_text(url, META);
    assert_ok(identity_upstream_metadata_url(a, STR(ISSUER "/"), &url));
    assert_text(url, META);
    arena_free(a);
}

static void metadata_is_read(void **state)
{
    (void)state;
    identity_upstream_provider_t p;
    arena_t *a = test_arena();
    assert_ok(provider(a, DOCUMENT "}", &p));
    assert_text(p.issuer, ISSUER);
    assert_text(p.authorization_endpoint, "https://op.test/authorize");
    assert_text(p.token_endpoint, "https://op.test/token");
    assert_text(p.jwks_uri, "https://op.test/jwks");
    assert_true(p.takes_basic);
    assert_false(p.says_issuer);
    assert_ok(provider(a,
                       DOCUMENT ",\"authorization_response_iss_parameter_supported\":true,"
                                "\"token_endpoint_auth_methods_supported\":["
                                "\"client_secret_post\"]}",
                       &p));
    assert_false(p.takes_basic);
    assert_true(p.says_issuer);
    arena_free(a);
}

static void issuer_may_end_in_a_slash(void **state)
{
    (void)state;
    identity_upstream_provider_t p;
    arena_t *a = test_arena();
    assert_ok(identity_upstream_provider(
        a, STR("https://op.test/.well-known/openid-configuration"),
        STR("{\"issuer\":\"https://op.test/\",\"authorization_endpoint\":\"https://op.test/a\","
            "\"token_endpoint\":\"https://op.test/t\",\"jwks_uri\":\"https://op.test/j\"}"),
        &p));
    assert_text(p.issuer, "https://op.test/");
    arena_free(a);
}

static void metadata_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "[]",
        "{}",
        DOCUMENT,
        "{\"issuer\":\"" ISSUER "\"}",
        "{\"issuer\":\"https://evil.test\",\"authorization_endpoint\":\"https://op.test/a\","
        "\"token_endpoint\":\"https://op.test/t\",\"jwks_uri\":\"https://op.test/j\"}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"http://op.test/a\","
        "\"token_endpoint\":\"https://op.test/t\",\"jwks_uri\":\"https://op.test/j\"}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"javascript:alert(1)\","
        "\"token_endpoint\":\"https://op.test/t\",\"jwks_uri\":\"https://op.test/j\"}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"https://op.test/a\","
        "\"token_endpoint\":\"https://u@op.test/t\",\"jwks_uri\":\"https://op.test/j\"}",
        "{\"issuer\":\"" ISSUER "\",\"authorization_endpoint\":\"https://op.test/a\","
        "\"token_endpoint\":\"https://op.test/t\",\"jwks_uri\":7}",
    };
    arena_t *a = test_arena();
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        identity_upstream_provider_t p;
        assert_int_equal(provider(a, BAD[i], &p), RC_MALFORMED);
        assert_unset(p.issuer);
    }
    arena_free(a);
}

/* ---- there and back ---- */

typedef struct {
    arena_t *a;
    identity_upstream_pending_t pending;
    identity_upstream_begun_t begun;
} begun_t;

static begun_t begin(const identity_upstream_provider_t *p, bool again)
{
    begun_t b = {.a = test_arena(),
                 .pending = {.interaction = STR(HANDLE), .again = again, .begun_at = NOW}};
    random_port_t random = random_system();
    assert_ok(identity_upstream_begin(b.a, &random, &SETTINGS, p, KEY, &b.pending, &b.begun));
    return b;
}

static str_t parameter(arena_t *a, str_t url, const char *name)
{
    form_t form;
    str_t value;
    assert_ok(form_parse(a, str_skip(url, str_find(url, '?', 0) + 1), &form));
    form_get(&form, str_c(name), &value);
    return value;
}

static void the_person_is_sent_with_all_that_binds_the_answer(void **state)
{
    (void)state;
    begun_t b = begin(&PROVIDER, false);
    str_t url = b.begun.url;
    assert_true(str_starts(url, STR("https://op.test/authorize?response_type=code&")));
    assert_text(parameter(b.a, url, "client_id"), "c 1");
    assert_text(parameter(b.a, url, "redirect_uri"), CALLBACK);
    assert_text(parameter(b.a, url, "scope"), "openid email");
    assert_text(parameter(b.a, url, "code_challenge_method"), "S256");
    assert_str(parameter(b.a, url, "state"), b.pending.state);
    assert_str(parameter(b.a, url, "nonce"), b.pending.nonce);
    assert_int_equal(parameter(b.a, url, "code_challenge").n, 43);
    assert_unset(parameter(b.a, url, "prompt"));
    assert_false(str_contains(url, b.pending.verifier));
    assert_false(str_contains(b.begun.cookie, b.pending.state));
    assert_false(str_eq(b.pending.state, b.pending.nonce));
    assert_false(str_eq(b.pending.verifier, b.pending.nonce));
    arena_free(b.a);
}

static void an_endpoint_with_a_query_keeps_it(void **state)
{
    (void)state;
    identity_upstream_provider_t p = PROVIDER;
    p.authorization_endpoint = STR("https://op.test/authorize?p=x");
    begun_t b = begin(&p, true);
    assert_true(str_starts(b.begun.url, STR("https://op.test/authorize?p=x&response_type=code&")));
    assert_text(parameter(b.a, b.begun.url, "prompt"), "login");
    assert_text(parameter(b.a, b.begun.url, "max_age"), "0");
    arena_free(b.a);
}

typedef struct {
    str_t key, cookie, state;
    int64_t now;
    const identity_upstream_t *settings;
} return_t;

static identity_upstream_verdict_t come_back(const begun_t *b, const return_t *r,
                                             identity_upstream_pending_t *out)
{
    form_field_t field = {STR("state"), r->state};
    form_t answer = {&field, str_is_set(r->state) ? 1 : 0};
    return identity_upstream_open(b->a, r->settings, r->key, r->cookie, &answer, r->now, out);
}

static return_t good_return(const begun_t *b)
{
    return (return_t){KEY, b->begun.cookie, b->pending.state, NOW + IDENTITY_UPSTREAM_S - 1,
                      &SETTINGS};
}

static void what_was_begun_comes_back(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        identity_upstream_pending_t p;
        begun_t b = begin(&PROVIDER, again);
        const return_t r = good_return(&b);
        assert_int_equal(come_back(&b, &r, &p), IDENTITY_UPSTREAM_FINE);
        assert_text(p.interaction, HANDLE);
        assert_str(p.nonce, b.pending.nonce);
        assert_str(p.verifier, b.pending.verifier);
        assert_int_equal(p.begun_at, NOW);
        assert_int_equal(p.again, again);
        arena_free(b.a);
    }
}

static identity_upstream_verdict_t bent(void (*bend)(return_t *r, begun_t *b))
{
    identity_upstream_pending_t p;
    begun_t b = begin(&PROVIDER, false);
    return_t r = good_return(&b);
    bend(&r, &b);
    identity_upstream_verdict_t verdict = come_back(&b, &r, &p);
    arena_free(b.a);
    return verdict;
}

static void no_cookie(return_t *r, begun_t *b)
{
    (void)b;
    r->cookie = STR_UNSET;
}

static void other_key(return_t *r, begun_t *b)
{
    (void)b;
    r->key = OTHER;
}

static void cut_cookie(return_t *r, begun_t *b)
{
    (void)b;
    r->cookie = str_first(r->cookie, r->cookie.n - 4);
}

static void other_provider(return_t *r, begun_t *b)
{
    identity_upstream_t *other = ARENA_NEW(b->a, identity_upstream_t);
    assert_non_null(other);
    *other = SETTINGS;
    other->issuer = STR("https://other.test");
    r->settings = other;
}

static void other_state(return_t *r, begun_t *b)
{
    r->state = b->pending.nonce;
}

static void no_state(return_t *r, begun_t *b)
{
    (void)b;
    r->state = STR_UNSET;
}

static void too_late(return_t *r, begun_t *b)
{
    (void)b;
    r->now++;
}

static void login_state_missing(void **state)
{
    (void)state;
    assert_int_equal(bent(no_cookie), IDENTITY_UPSTREAM_STATE_MISSING);
    assert_int_equal(bent(other_key), IDENTITY_UPSTREAM_STATE_MISSING);
    assert_int_equal(bent(cut_cookie), IDENTITY_UPSTREAM_STATE_MISSING);
    assert_int_equal(bent(other_provider), IDENTITY_UPSTREAM_STATE_MISSING);
}

static void login_state_wrong(void **state)
{
    (void)state;
    assert_int_equal(bent(other_state), IDENTITY_UPSTREAM_STATE_WRONG);
    assert_int_equal(bent(no_state), IDENTITY_UPSTREAM_STATE_WRONG);
}

static void login_state_expired(void **state)
{
    (void)state;
    assert_int_equal(bent(too_late), IDENTITY_UPSTREAM_STATE_EXPIRED);
}

static void what_is_spent_outlives_the_cookie(void **state)
{
    (void)state;
    begun_t b = begin(&PROVIDER, false), c = begin(&PROVIDER, false);
    const spent_t one = identity_upstream_spent(&b.pending),
                  two = identity_upstream_spent(&c.pending);
    assert_true(one.expires_at > NOW + IDENTITY_UPSTREAM_S);
    assert_memory_not_equal(one.id.b, two.id.b, sizeof one.id.b);
    arena_free(b.a);
    arena_free(c.a);
}

/* ---- the answer ---- */

static identity_upstream_verdict_t answer(const char *query, bool says_issuer, str_t *code,
                                          str_t *detail, arena_t *a)
{
    form_t form;
    identity_upstream_provider_t p = PROVIDER;
    p.says_issuer = says_issuer;
    assert_ok(form_parse(a, str_c(query), &form));
    return identity_upstream_answer(&p, &form, code, detail);
}

static void answers_are_judged(void **state)
{
    (void)state;
#define ISS "iss=https%3A%2F%2Fop.test%2Ftenant"
    static const struct {
        const char *query;
        bool says_issuer;
        identity_upstream_verdict_t verdict;
    } ROWS[] = {
        {"code=x", false, IDENTITY_UPSTREAM_FINE},
        {"code=x&" ISS, false, IDENTITY_UPSTREAM_FINE},
        {"code=x&" ISS, true, IDENTITY_UPSTREAM_FINE},
        {"code=x", true, IDENTITY_UPSTREAM_ANSWER_ISSUER},
        {"code=x&iss=https%3A%2F%2Fevil.test", false, IDENTITY_UPSTREAM_ANSWER_ISSUER},
        {"code=x&" ISS "&" ISS, true, IDENTITY_UPSTREAM_ANSWER_ISSUER},
        {"error=access_denied&" ISS, true, IDENTITY_UPSTREAM_PROVIDER_ERROR},
        {"error=access_denied", true, IDENTITY_UPSTREAM_ANSWER_ISSUER},
        {"error=a&code=x", false, IDENTITY_UPSTREAM_PROVIDER_ERROR},
        {"", false, IDENTITY_UPSTREAM_CODE_MISSING},
        {"code=", false, IDENTITY_UPSTREAM_CODE_MISSING},
        {"code=x&code=y", false, IDENTITY_UPSTREAM_CODE_MISSING},
    };
    arena_t *a = test_arena();
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        str_t code, detail;
        assert_int_equal(answer(ROWS[i].query, ROWS[i].says_issuer, &code, &detail, a),
                         ROWS[i].verdict);
        if (ROWS[i].verdict == IDENTITY_UPSTREAM_FINE)
            assert_text(code, "x");
    }
    arena_free(a);
}

static void each_verdict_has_its_own_words(void **state)
{
    (void)state;
    for (identity_upstream_verdict_t i = 0; i < IDENTITY_UPSTREAM_COUNT; i++) {
        assert_true(str_is_printable_ascii(identity_upstream_about(i)));
        for (identity_upstream_verdict_t k = 0; k < i; k++)
            assert_false(str_eq(identity_upstream_reason(i), identity_upstream_reason(k)));
    }
}

static rc_t begin_starving(arena_t *a, void *ctx)
{
    identity_upstream_begun_t begun;
    identity_upstream_pending_t pending = {.interaction = STR(HANDLE), .begun_at = NOW};
    return identity_upstream_begin(a, ctx, &SETTINGS, &PROVIDER, KEY, &pending, &begun);
}

static void begin_fails_without_memory_or_randomness(void **state)
{
    (void)state;
    random_port_t random = random_system(), none = test_no_random();
    arena_t *a = test_arena();
    test_starve(begin_starving, &random);
    assert_int_equal(begin_starving(a, &none), RC_IO);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_stands_below_the_issuer),
        cmocka_unit_test(metadata_is_read),
        cmocka_unit_test(issuer_may_end_in_a_slash),
        cmocka_unit_test(metadata_that_is_none_is_refused),
        cmocka_unit_test(the_person_is_sent_with_all_that_binds_the_answer),
        cmocka_unit_test(an_endpoint_with_a_query_keeps_it),
        cmocka_unit_test(what_was_begun_comes_back),
        cmocka_unit_test(login_state_missing),
        cmocka_unit_test(login_state_wrong),
        cmocka_unit_test(login_state_expired),
        cmocka_unit_test(what_is_spent_outlives_the_cookie),
        cmocka_unit_test(answers_are_judged),
        cmocka_unit_test(each_verdict_has_its_own_words),
        cmocka_unit_test(begin_fails_without_memory_or_randomness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
