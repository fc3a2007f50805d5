/* What all grants have in common: the request, the client, the answer. */
#include "oauth/oauth_test_token.h"

#include "oauth/handle.h"

#define CODE                                                                                       \
    "client_id=client-1&grant_type=authorization_code&code=the-code&code_verifier=" TEST_VERIFIER

static void grant_type_missing(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    token_refused(&p, "client_id=client-1", OAUTH_GRANT_TYPE_MISSING);
    token_refused(&p, "client_id=client-1&grant_type=", OAUTH_GRANT_TYPE_MISSING);
    token_end(&p);
}

/* attack case: META-001 */
static void grant_type_unsupported(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    static const char *const OTHERS[] = {"password",
                                         "implicit",
                                         "magic",
                                         "Authorization_Code",
                                         "urn:ietf:params:oauth:grant-type:jwt-bearer",
                                         "urn:ietf:params:oauth:grant-type:device_Code"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        str_t form = arena_printf(p.w.a, "client_id=client-1&grant_type=%s", OTHERS[i]);
        token_refused(&p, form.p, OAUTH_GRANT_TYPE_UNSUPPORTED);
    }
    token_end(&p);
}

static void parameter_repeated(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    static const char *const TWICE[] = {"grant_type=authorization_code", "code=the-code",
                                        ("code_verifier=" TEST_VERIFIER), "client_id=client-1"};
    for (size_t i = 0; i < sizeof TWICE / sizeof TWICE[0]; i++) {
        str_t form = arena_printf(p.w.a, "%s&%s", CODE, TWICE[i]);
        token_refused(&p, form.p, OAUTH_PARAMETER_REPEATED);
    }
    token_refused(&p, CODE "&redirect_uri=a&redirect_uri=a", OAUTH_PARAMETER_REPEATED);
    token_refused(&p, "client_id=client-1&grant_type=refresh_token&refresh_token=a&refresh_token=b",
                  OAUTH_PARAMETER_REPEATED);
    token_ask(&p, CODE "&foo=1&foo=2");
    assert_reason(p.out.reason, OAUTH_FINE);
    token_end(&p);
}

static void grant_not_registered(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.w.client.grants = GRANT_REFRESH_TOKEN;
    token_refused(&p, CODE, OAUTH_GRANT_NOT_REGISTERED);
    p.w.client.grants = GRANT_AUTHORIZATION_CODE;
    token_refused(&p, "client_id=client-1&grant_type=refresh_token&refresh_token=the-refresh",
                  OAUTH_GRANT_NOT_REGISTERED);
    token_end(&p);
}

static void client_unknown(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.no_client = true;
    token_refused(&p, CODE, OAUTH_CLIENT_UNKNOWN);
    assert_int_equal(p.out.status, 401);
    assert_unset(p.out.www_authenticate);
    assert_text(p.out.event.client, "client-1");
    /* The client is judged before what it wants. */
    token_refused(&p, "client_id=client-1&grant_type=magic", OAUTH_CLIENT_UNKNOWN);
    token_refused(&p, "grant_type=magic", OAUTH_CLIENT_AUTH_MISSING);
    token_end(&p);
}

static void basic_is_answered_with_basic(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    const str_t header = STR("Basic !");
    p.form = world_form(&p.w, "grant_type=client_credentials");
    assert_int_equal(oauth_client_auth_read(p.w.a, (str_list_t){&header, 1}, &p.form, &p.claim),
                     RC_OK);
    assert_int_equal(oauth_token_read(p.w.a, &p.form, &p.request), RC_OK);
    p.facts = (oauth_token_facts_t){.settings = &p.w.settings,
                                    .random = &p.random,
                                    .resources = &p.w.resources,
                                    .claim = &p.claim,
                                    .request = &p.request};
    assert_int_equal(oauth_token_decide(p.w.a, &p.facts, &p.out), RC_OK);
    assert_reason(p.out.reason, OAUTH_CLIENT_AUTH_MALFORMED);
    assert_true(str_starts(p.out.www_authenticate, STR("Basic realm=")));
    token_end(&p);
}

/* RFC 9068 section 2.2 */
static void the_claims_of_an_access_token(void **state)
{
    (void)state;
    token_play_t p;
    int64_t n;
    token_begin(&p);
    token_ask(&p, CODE);
    const json_t *claims = world_json(&p.w, p.out.claims);
    assert_text(token_claim(&p, "iss"), "https://as.test");
    assert_text(token_claim(&p, "aud"), "https://rs.test/mcp");
    assert_text(token_claim(&p, "sub"), "user-1");
    assert_text(token_claim(&p, "client_id"), "client-1");
    assert_text(token_claim(&p, "scope"), "a:read a:write");
    assert_true(json_get_i64(claims, STR("iat"), &n) && n == TEST_NOW);
    assert_true(json_get_i64(claims, STR("exp"), &n) && n == TEST_NOW + 600);
    str_t jti = token_claim(&p, "jti");
    assert_true(str_starts(jti, STR("family-1.")));
    assert_int_equal(jti.n, 9 + 32);
    assert_str(p.out.event.token, jti);
    assert_true(json_get_i64(claims, STR("auth_time"), &n) && n == TEST_NOW - 20);
    assert_text(token_claim(&p, "acr"), "urn:acr");
    assert_int_equal(claims->count, 10);
    token_end(&p);
}

/* RFC 9470 section 6: when and how the person signed in stays true for all tokens of the grant. */
static void how_the_person_signed_in_outlives_refreshing(void **state)
{
    (void)state;
    token_play_t p;
    int64_t n;
    token_begin(&p);
    token_ask(&p, CODE);
    p.family = *p.out.effects.v[1].u.family;
    p.now += 100;
    token_ask(&p, "client_id=client-1&grant_type=refresh_token&refresh_token=the-refresh");
    assert_reason(p.out.reason, OAUTH_FINE);
    const json_t *claims = world_json(&p.w, p.out.claims);
    assert_true(json_get_i64(claims, STR("auth_time"), &n) && n == TEST_NOW - 20);
    assert_text(token_claim(&p, "acr"), "urn:acr");
    p.family.acr = STR_UNSET; /* of before it was known */
    token_ask(&p, "client_id=client-1&grant_type=refresh_token&refresh_token=the-refresh");
    assert_unset(token_claim(&p, "acr"));
    token_end(&p);
}

static void the_answer(void **state)
{
    (void)state;
    token_play_t p;
    str_t body;
    int64_t n;
    token_begin(&p);
    token_ask(&p, CODE);
    assert_int_equal(oauth_token_answer(p.w.a, &p.out, STR("a.b.c"), &body), RC_OK);
    const json_t *json = world_json(&p.w, body);
    assert_text(json_get_str(json, STR("access_token")), "a.b.c");
    assert_text(json_get_str(json, STR("token_type")), "Bearer");
    assert_text(json_get_str(json, STR("scope")), "a:read a:write");
    assert_true(json_get_i64(json, STR("expires_in"), &n) && n == 600);
    str_t refresh = json_get_str(json, STR("refresh_token"));
    assert_true(str_starts(refresh, STR("wrr_")) && refresh.n == 47);
    p.out.refresh_token = p.out.scope = STR_UNSET;
    assert_int_equal(oauth_token_answer(p.w.a, &p.out, STR("a.b.c"), &body), RC_OK);
    assert_text(body, "{\"access_token\":\"a.b.c\",\"token_type\":\"Bearer\",\"expires_in\":600}");
    token_end(&p);
}

/* attack case: TOK-021 */
static void handles_are_remembered_by_their_hash(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    token_ask(&p, CODE);
    const refresh_t *stored = p.out.effects.v[2].u.refresh;
    hash_t hash = oauth_handle_hash(p.out.refresh_token);
    assert_memory_equal(&stored->id, &hash, sizeof hash);
    assert_false(str_contains(p.out.event.token, p.out.refresh_token));
    token_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grant_type_missing),
        cmocka_unit_test(grant_type_unsupported),
        cmocka_unit_test(parameter_repeated),
        cmocka_unit_test(grant_not_registered),
        cmocka_unit_test(client_unknown),
        cmocka_unit_test(basic_is_answered_with_basic),
        cmocka_unit_test(the_claims_of_an_access_token),
        cmocka_unit_test(how_the_person_signed_in_outlives_refreshing),
        cmocka_unit_test(the_answer),
        cmocka_unit_test(handles_are_remembered_by_their_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
