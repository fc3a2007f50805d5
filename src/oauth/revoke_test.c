#include "oauth/oauth_test_tokens.h"

#include "oauth/revoke.h"

typedef struct {
    tokens_play_t t;
    oauth_revoke_facts_t facts;
    oauth_revoke_verdict_t out;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    tokens_begin(&p->t);
}

static void end(play_t *p)
{
    tokens_end(&p->t);
}

static void decide(play_t *p)
{
    p->facts = (oauth_revoke_facts_t){
        .now = TEST_NOW,
        .claim = &p->t.claim,
        .query = &p->t.query,
        .client = tokens_client(&p->t),
        .token = p->t.known,
    };
    assert_int_equal(oauth_revoke_decide(p->t.w.a, &p->facts, &p->out), RC_OK);
}

static void revoked(play_t *p, str_t token)
{
    tokens_read(&p->t, tokens_form(&p->t, token));
    decide(p);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_int_equal(p->out.status, 200);
    assert_text(p->out.body, "");
    assert_int_equal(p->out.event.kind, AUDIT_REVOKE);
    assert_true(p->out.event.allowed);
}

static str_t jwt(play_t *p, int64_t exp)
{
    str_t claims = arena_printf(p->t.w.a,
                                "{\"iss\":\"https://as.test\",\"jti\":\"family-1.x\",\"sub\":\"u\","
                                "\"client_id\":\"client-1\",\"iat\":1,\"exp\":%lld}",
                                (long long)exp);
    return tokens_sign(&p->t, STR("at+jwt"), claims);
}

/* attack case: MGT-003 */
static void a_refresh_token_ends_its_family(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    revoked(&p, STR("the-refresh&token_type_hint=access_token"));
    assert_effects(&p.out.effects, EFFECT_FAMILY_REVOKE);
    assert_text(p.out.effects.v[0].u.family->revoked_reason, "revoked_by_client");
    assert_text(p.out.event.family, "family-1");
    p.t.family.revoked_at = 1;
    revoked(&p, STR("the-refresh"));
    assert_no_effects(&p.out.effects);
    end(&p);
}

/* attack case: MGT-003 */
static void an_access_token_ends_alone(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const str_t tokens[] = {jwt(&p, TEST_NOW + 60), STR("the-opaque&token_type_hint=nonsense")};
    const char *const jtis[] = {"family-1.x", "family-1.j"};
    for (size_t i = 0; i < 2; i++) {
        revoked(&p, tokens[i]);
        assert_effects(&p.out.effects, EFFECT_REVOCATION_PUT);
        const revoked_t *r = p.out.effects.v[0].u.revoked;
        assert_int_equal(r->kind, REVOKED_TOKEN);
        assert_str(r->key, str_c(jtis[i]));
        assert_int_equal(r->at, TEST_NOW);
        /* Until nobody's clock takes the token any more. */
        assert_int_equal(r->expires_at, (i ? p.t.opaque.expires_at : TEST_NOW + 60) + 120);
        assert_str(p.out.event.token, str_c(jtis[i]));
    }
    end(&p);
}

static void what_has_ended_needs_no_revocation(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    revoked(&p, jwt(&p, TEST_NOW - 120));
    assert_no_effects(&p.out.effects);
    revoked(&p, jwt(&p, TEST_NOW - 119));
    assert_effects(&p.out.effects, EFFECT_REVOCATION_PUT);
    p.t.known.revoked = 1; /* once is enough */
    decide(&p);
    assert_no_effects(&p.out.effects);
    end(&p);
}

static void an_unknown_token_is_no_error(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    revoked(&p, STR("nonsense"));
    assert_no_effects(&p.out.effects);
    assert_true(str_is_set(p.out.event.detail));
    end(&p);
}

static void refused(play_t *p, oauth_reason_t reason)
{
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(world_json(&p->t.w, p->out.body), STR("error")),
               oauth_reason_error(reason));
    assert_no_effects(&p->out.effects);
    assert_false(p->out.event.allowed);
}

static void token_missing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    tokens_read(&p.t, tokens_form(&p.t, STR("")));
    decide(&p);
    refused(&p, OAUTH_TOKEN_MISSING);
    tokens_read(&p.t, tokens_form(&p.t, STR("a&token=b")));
    decide(&p);
    refused(&p, OAUTH_PARAMETER_REPEATED);
    end(&p);
}

/* attack case: MGT-003 */
static void token_other_client(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.family.client_id = p.t.opaque.client_id = STR("client-2");
    const str_t tokens[] = {STR("the-refresh"), STR("the-opaque")};
    for (size_t i = 0; i < 2; i++) {
        tokens_read(&p.t, tokens_form(&p.t, tokens[i]));
        decide(&p);
        assert_reason(p.out.reason, OAUTH_TOKEN_OTHER_CLIENT);
        assert_int_equal(p.out.status, 200); /* as for an unknown token */
        assert_text(p.out.body, "");
        assert_unset(p.out.www_authenticate);
        assert_no_effects(&p.out.effects);
        assert_false(p.out.event.allowed);
        assert_text(p.out.event.reason, "token_other_client");
    }
    end(&p);
}

/* An exchanged token belongs to a grant of another client: the service ends the token, and not the
 * grant; the grant's client ends neither by that token. */
static void an_exchanged_token_is_its_services(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.family.client_id = STR("client-2");
    revoked(&p, STR("the-opaque"));
    assert_effects(&p.out.effects, EFFECT_REVOCATION_PUT);
    end(&p);
}

static void client_unknown(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    tokens_read(&p.t, "client_id=ghost&token=the-refresh");
    decide(&p);
    refused(&p, OAUTH_CLIENT_UNKNOWN);
    tokens_read(&p.t, "token=the-refresh");
    decide(&p);
    refused(&p, OAUTH_CLIENT_AUTH_MISSING);
    end(&p);
}

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    oauth_revoke_verdict_t out;
    (void)w;
    return oauth_revoke_decide(a, &p->facts, &out);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    revoked(&p, STR("the-refresh"));
    world_starve(decide_in, &p.t.w, &p);
    end(&p);
}

/* A grant that its client revoked says so at the next refresh (records.h: revoked_reason). */
static void revoked_by_client(void **state)
{
    (void)state;
    assert_text(oauth_reason_name(OAUTH_REVOKED_BY_CLIENT), "revoked_by_client");
    assert_text(oauth_reason_error(OAUTH_REVOKED_BY_CLIENT), "invalid_grant");
}

static void revoked_by_admin(void **state)
{
    (void)state;
    assert_text(oauth_reason_name(OAUTH_REVOKED_BY_ADMIN), "revoked_by_admin");
    assert_text(oauth_reason_error(OAUTH_REVOKED_BY_ADMIN), "invalid_grant");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refresh_token_ends_its_family),
        cmocka_unit_test(an_access_token_ends_alone),
        cmocka_unit_test(what_has_ended_needs_no_revocation),
        cmocka_unit_test(an_unknown_token_is_no_error),
        cmocka_unit_test(token_missing),
        cmocka_unit_test(token_other_client),
        cmocka_unit_test(an_exchanged_token_is_its_services),
        cmocka_unit_test(client_unknown),
        cmocka_unit_test(revoked_by_client),
        cmocka_unit_test(revoked_by_admin),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
