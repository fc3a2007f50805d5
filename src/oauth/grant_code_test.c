#include "oauth/oauth_test_token.h"

#define FRONT "client_id=client-1&grant_type=authorization_code"
#define GOOD  FRONT "&code=the-code&code_verifier=" TEST_VERIFIER

static void redeems(token_play_t *p, const char *form)
{
    token_ask(p, form);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_true(str_is_set(p->out.claims));
}

static void refused_then_good(const char *form, oauth_reason_t reason)
{
    token_play_t p;
    token_begin(&p);
    token_refused(&p, form, reason);
    redeems(&p, GOOD);
    token_end(&p);
}

static void a_code_opens_a_family(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    redeems(&p, GOOD);
    assert_effects(&p.out.effects, EFFECT_CODE_CONSUME, EFFECT_FAMILY_INSERT,
                   EFFECT_REFRESH_INSERT);
    assert_memory_equal(p.out.effects.v[0].u.hash, &p.code.id, sizeof(hash_t));
    assert_int_equal(p.out.effects.v[0].at, TEST_NOW);
    const family_t *family = p.out.effects.v[1].u.family;
    assert_text(family->id, "family-1");
    assert_text(family->user_id, "user-1");
    assert_text(family->scope, "a:read a:write");
    assert_text(family->resource, "https://rs.test/mcp");
    assert_text(family->redirect_uri, "https://c.test/cb");
    assert_int_equal(family->auth_time, TEST_NOW - 20);
    assert_int_equal(family->expires_at, TEST_NOW + p.w.settings.refresh_token_lifetime);
    const refresh_t *refresh = p.out.effects.v[2].u.refresh;
    assert_int_equal(refresh->expires_at, TEST_NOW + p.w.settings.refresh_token_idle);
    assert_text(refresh->family_id, "family-1");
    assert_true(p.out.event.allowed);
    assert_text(p.out.event.detail, "authorization_code");
    assert_text(p.out.event.user, "user-1");
    assert_text(p.out.event.family, "family-1");
    token_end(&p);
}

static void no_refresh_token_without_its_grant(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.w.client.grants = GRANT_AUTHORIZATION_CODE;
    redeems(&p, GOOD);
    assert_effects(&p.out.effects, EFFECT_CODE_CONSUME, EFFECT_FAMILY_INSERT);
    assert_unset(p.out.refresh_token);
    token_end(&p);
}

static void redirect_uri_and_resource_may_be_repeated_or_left_out(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    redeems(&p, GOOD "&redirect_uri=https://c.test/cb");
    redeems(&p, GOOD "&resource=https://rs.test/mcp/&resource=https://rs.test");
    redeems(&p, GOOD "&redirect_uri=&resource=&scope=whatever");
    assert_text(p.out.scope, "a:read a:write");
    token_end(&p);
}

static void code_missing(void **state)
{
    (void)state;
    refused_then_good(FRONT "&code_verifier=" TEST_VERIFIER, OAUTH_CODE_MISSING);
}

static void code_unknown(void **state)
{
    (void)state;
    refused_then_good(FRONT "&code=other&code_verifier=" TEST_VERIFIER, OAUTH_CODE_UNKNOWN);
}

/* attack case: TOK-003 */
static void code_other_client(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.code.request.client_id = STR("client-2");
    token_refused(&p, GOOD, OAUTH_CODE_OTHER_CLIENT);
    p.code.consumed_at = TEST_NOW - 1; /* a thief's replay revokes nothing */
    token_refused(&p, GOOD, OAUTH_CODE_OTHER_CLIENT);
    token_end(&p);
}

static void code_redirect_uri(void **state)
{
    (void)state;
    refused_then_good(GOOD "&redirect_uri=https://c.test/other", OAUTH_CODE_REDIRECT_URI);
}

static void pkce_verifier_missing(void **state)
{
    (void)state;
    refused_then_good(FRONT "&code=the-code", OAUTH_PKCE_VERIFIER_MISSING);
}

static void pkce_verifier_malformed(void **state)
{
    (void)state;
    refused_then_good(FRONT "&code=the-code&code_verifier=short", OAUTH_PKCE_VERIFIER_MALFORMED);
}

/* attack case: PKCE-003 */
static void pkce_mismatch(void **state)
{
    (void)state;
    refused_then_good(FRONT "&code=the-code&code_verifier=" TEST_CHALLENGE, OAUTH_PKCE_MISMATCH);
}

/* attack case: TOK-005 */
static void code_expired(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.now = p.code.expires_at;
    token_refused(&p, GOOD, OAUTH_CODE_EXPIRED);
    p.now--;
    redeems(&p, GOOD);
    token_end(&p);
}

/* attack case: TOK-003 */
static void code_replayed(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.code.consumed_at = TEST_NOW - 1;
    for (int late = 0; late < 2; late++) { /* also after its end */
        p.now = late ? p.code.expires_at + 5 : TEST_NOW;
        token_ask(&p, GOOD);
        assert_reason(p.out.reason, OAUTH_CODE_REPLAYED);
        assert_int_equal(p.out.status, 400);
        assert_text(json_get_str(world_json(&p.w, p.out.body), STR("error")), "invalid_grant");
        assert_effects(&p.out.effects, EFFECT_FAMILY_REVOKE);
        assert_text(p.out.effects.v[0].u.family->id, "family-1");
        assert_int_equal(p.out.effects.v[0].u.family->revoked_at, p.now);
        assert_text(p.out.effects.v[0].u.family->revoked_reason, "code_replayed");
        assert_int_equal(p.out.event.kind, AUDIT_CODE_REPLAY);
        assert_text(p.out.event.family, "family-1");
        assert_unset(p.out.claims);
    }
    p.family.revoked_at = TEST_NOW;
    token_ask(&p, GOOD);
    assert_reason(p.out.reason, OAUTH_CODE_REPLAYED);
    assert_no_effects(&p.out.effects);
    token_end(&p);
}

/* attack case: TOK-003 */
static void a_replay_that_is_otherwise_wrong_revokes_nothing(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.code.consumed_at = TEST_NOW - 1;
    token_refused(&p, FRONT "&code=the-code&code_verifier=" TEST_CHALLENGE, OAUTH_PKCE_MISMATCH);
    token_refused(&p, FRONT "&code=the-code", OAUTH_PKCE_VERIFIER_MISSING);
    token_refused(&p, GOOD "&redirect_uri=https://x.test/", OAUTH_CODE_REDIRECT_URI);
    token_end(&p);
}

static void user_gone(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.w.user.disabled = true;
    token_refused(&p, GOOD, OAUTH_USER_GONE);
    p.w.user.disabled = false;
    p.no_owner = true;
    token_refused(&p, GOOD, OAUTH_USER_GONE);
    token_end(&p);
}

/* attack case: META-004 */
static void resource_not_granted(void **state)
{
    (void)state;
    refused_then_good(GOOD "&resource=https://other.test", OAUTH_RESOURCE_NOT_GRANTED);
    refused_then_good(GOOD "&resource=https://unknown.test", OAUTH_RESOURCE_UNKNOWN);
    refused_then_good(GOOD "&resource=x", OAUTH_RESOURCE_MALFORMED);
    refused_then_good(GOOD "&resource=https://rs.test/mcp&resource=https://other.test",
                      OAUTH_RESOURCE_SEVERAL);
}

static void resource_withdrawn(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.code.request.resource = STR("https://gone.test");
    token_refused(&p, GOOD, OAUTH_RESOURCE_WITHDRAWN);
    token_end(&p);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    redeems(&p, GOOD);
    world_starve(token_decide_in, &p.w, &p);
    p.random = world_no_random();
    assert_int_equal(oauth_token_decide(p.w.a, &p.facts, &p.out), RC_IO);
    token_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_opens_a_family),
        cmocka_unit_test(no_refresh_token_without_its_grant),
        cmocka_unit_test(redirect_uri_and_resource_may_be_repeated_or_left_out),
        cmocka_unit_test(code_missing),
        cmocka_unit_test(code_unknown),
        cmocka_unit_test(code_other_client),
        cmocka_unit_test(code_redirect_uri),
        cmocka_unit_test(pkce_verifier_missing),
        cmocka_unit_test(pkce_verifier_malformed),
        cmocka_unit_test(pkce_mismatch),
        cmocka_unit_test(code_expired),
        cmocka_unit_test(code_replayed),
        cmocka_unit_test(a_replay_that_is_otherwise_wrong_revokes_nothing),
        cmocka_unit_test(user_gone),
        cmocka_unit_test(resource_not_granted),
        cmocka_unit_test(resource_withdrawn),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
