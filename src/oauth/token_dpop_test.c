/* Tokens that are bound to a key, over all grants. */
#include "oauth/oauth_test_token.h"

#include "oauth/handle.h"

#define JKT   "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
#define OTHER "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
#define CODE                                                                                       \
    "client_id=client-1&grant_type=authorization_code&code=the-code&code_verifier=" TEST_VERIFIER
#define REFRESH "client_id=client-1&grant_type=refresh_token&refresh_token=the-refresh"
#define OWN                                                                                        \
    "client_id=client-1&client_secret=wrs_the-secret-of-the-client&grant_type=client_credentials"

static str_t answer(token_play_t *p)
{
    str_t body;
    assert_int_equal(oauth_token_answer(p->w.a, &p->out, STR("a.b.c"), &body), RC_OK);
    return body;
}

/* The new token is bound to `jkt`, and the proof is used up. */
static void binds(token_play_t *p, const char *form, const char *jkt)
{
    token_ask(p, form);
    assert_reason(p->out.reason, OAUTH_FINE);
    const json_t *cnf = json_get(world_json(&p->w, p->out.claims), STR("cnf"));
    assert_int_equal(cnf->count, 1);
    assert_str(json_get_str(cnf, STR("jkt")), str_c(jkt));
    assert_str(p->out.jkt, str_c(jkt));
    assert_true(str_contains(answer(p), STR("\"token_type\":\"DPoP\"")));
    const effect_t *last = &p->out.effects.v[p->out.effects.n - 1];
    hash_t name = oauth_dpop_name(&p->proof);
    assert_int_equal(last->kind, EFFECT_SPEND);
    assert_memory_equal(&last->u.spent->id, &name, sizeof name);
    assert_int_equal(last->u.spent->expires_at, oauth_dpop_forget_at(&p->proof));
    assert_int_equal(last->quota.max_rows, p->seen.max);
}

static void gives_a_bearer_token(token_play_t *p, const char *form)
{
    token_ask(p, form);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_null(json_get(world_json(&p->w, p->out.claims), STR("cnf")));
    assert_unset(p->out.jkt);
    assert_true(str_contains(answer(p), STR("\"token_type\":\"Bearer\"")));
    for (size_t i = 0; i < p->out.effects.n; i++)
        assert_true(p->out.effects.v[i].kind != EFFECT_SPEND);
}

static void every_grant_binds(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.seen.max = 77;
    gives_a_bearer_token(&p, CODE);
    gives_a_bearer_token(&p, REFRESH);
    token_prove(&p, JKT);
    binds(&p, CODE, JKT);
    binds(&p, REFRESH, JKT);
    p.w.client.auth = CLIENT_AUTH_SECRET_POST;
    p.w.client.grants = GRANT_CLIENT_CREDENTIALS;
    binds(&p, OWN, JKT);
    token_prove(&p, NULL);
    gives_a_bearer_token(&p, OWN);
    token_end(&p);
}

static void dpop_missing(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.w.client.dpop_bound = true;
    token_refused(&p, CODE, OAUTH_DPOP_MISSING);
    token_refused(&p, REFRESH, OAUTH_DPOP_MISSING);
    p.w.client.dpop_bound = false;
    p.w.settings.dpop = OAUTH_DPOP_REQUIRED;
    token_refused(&p, CODE, OAUTH_DPOP_MISSING);
    p.w.settings.dpop = OAUTH_DPOP_OPTIONAL;
    p.w.resource[0].dpop_required = true;
    token_refused(&p, CODE, OAUTH_DPOP_MISSING);
    token_refused(&p, REFRESH, OAUTH_DPOP_MISSING);
    assert_unset(p.out.event.token);
    token_prove(&p, JKT);
    binds(&p, CODE, JKT);
    token_end(&p);
}

/* Nothing is spent, and no code is used up, by a request whose proof is no good. */
static void a_bad_proof_is_refused_first(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.proof.reason = OAUTH_DPOP_SIGNATURE;
    token_refused(&p, CODE, OAUTH_DPOP_SIGNATURE);
    p.proof.reason = OAUTH_DPOP_NONCE_MISSING;
    token_refused(&p, CODE, OAUTH_DPOP_NONCE_MISSING);
    p.no_client = true;
    token_refused(&p, CODE, OAUTH_CLIENT_UNKNOWN);
    p.no_client = false;
    token_prove(&p, JKT);
    binds(&p, CODE, JKT);
    token_end(&p);
}

static void dpop_replayed(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    token_prove(&p, JKT);
    p.seen.spent = oauth_dpop_name(&p.proof);
    token_refused(&p, CODE, OAUTH_DPOP_REPLAYED);
    p.proof.jti = STR("proof-2");
    binds(&p, CODE, JKT);
    token_end(&p);
}

/* attack case: ADP-005 */
static void spent_full(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.seen.full = true;
    token_prove(&p, JKT);
    token_refused(&p, CODE, OAUTH_SPENT_FULL);
    assert_int_equal(p.out.status, 503);
    p.seen.full = false;
    binds(&p, CODE, JKT);
    token_end(&p);
}

/* attack case: ADP-002 */
static void code_other_key(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.code.request.dpop_jkt = STR(JKT);
    token_prove(&p, OTHER);
    token_refused(&p, CODE, OAUTH_CODE_OTHER_KEY);
    token_prove(&p, NULL);
    token_refused(&p, CODE, OAUTH_CODE_OTHER_KEY);
    token_prove(&p, JKT);
    binds(&p, CODE, JKT);
    token_end(&p);
}

static const family_t *new_family(token_play_t *p)
{
    for (size_t i = 0; i < p->out.effects.n; i++)
        if (p->out.effects.v[i].kind == EFFECT_FAMILY_INSERT)
            return p->out.effects.v[i].u.family;
    fail();
    return NULL;
}

static void families_of_public_clients_are_bound(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    token_ask(&p, CODE);
    assert_unset(new_family(&p)->jkt);
    token_prove(&p, JKT);
    binds(&p, CODE, JKT);
    assert_text(new_family(&p)->jkt, JKT);
    p.w.client.auth = CLIENT_AUTH_SECRET_POST;
    binds(&p, CODE "&client_secret=wrs_the-secret-of-the-client", JKT);
    assert_unset(new_family(&p)->jkt);
    token_end(&p);
}

/* attack case: ADP-003 */
static void refresh_other_key(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.family.jkt = STR(JKT);
    token_prove(&p, OTHER);
    token_refused(&p, REFRESH, OAUTH_REFRESH_OTHER_KEY);
    token_prove(&p, NULL);
    token_refused(&p, REFRESH, OAUTH_DPOP_MISSING);
    token_prove(&p, JKT);
    binds(&p, REFRESH, JKT);
    token_end(&p);
}

/* Whoever has only a copy of a rotated token cannot end its owner's grant with it. */
static void reuse_without_the_key_ends_nothing(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.family.jkt = STR(JKT);
    p.refresh.rotated_at = 1;
    token_prove(&p, OTHER);
    token_refused(&p, REFRESH, OAUTH_REFRESH_OTHER_KEY);
    token_prove(&p, JKT);
    token_ask(&p, REFRESH);
    assert_reason(p.out.reason, OAUTH_REFRESH_REUSED);
    assert_effects(&p.out.effects, EFFECT_FAMILY_REVOKE);
    token_end(&p);
}

static void bound_refresh_tokens_do_not_rotate(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.family.jkt = STR(JKT);
    token_prove(&p, JKT);
    binds(&p, REFRESH, JKT);
    assert_effects(&p.out.effects, EFFECT_REFRESH_USE, EFFECT_SPEND);
    assert_unset(p.out.refresh_token);
    assert_false(str_contains(answer(&p), STR("refresh_token")));
    const refresh_t *used = p.out.effects.v[0].u.refresh;
    assert_memory_equal(&used->id, &p.refresh.id, sizeof used->id);
    assert_int_equal(used->expires_at, TEST_NOW + p.w.settings.refresh_token_idle);
    p.family.expires_at = TEST_NOW + 100;
    binds(&p, REFRESH, JKT);
    assert_int_equal(p.out.effects.v[0].u.refresh->expires_at, TEST_NOW + 100);
    token_end(&p);
}

static void unless_they_are_told_to(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.family.jkt = STR(JKT);
    token_prove(&p, JKT);
    p.w.settings.refresh_rotate_bound = true;
    binds(&p, REFRESH, JKT);
    assert_effects(&p.out.effects, EFFECT_REFRESH_ROTATE, EFFECT_REFRESH_INSERT, EFFECT_SPEND);
    assert_true(str_is_set(p.out.refresh_token));
    /* one that was rotated while the setting was on goes on within its grace time */
    p.w.settings.refresh_rotate_bound = false;
    p.refresh.rotated_at = TEST_NOW - 1;
    binds(&p, REFRESH, JKT);
    assert_effects(&p.out.effects, EFFECT_REFRESH_ROTATE, EFFECT_REFRESH_INSERT, EFFECT_SPEND);
    token_end(&p);
}

/* A client that authenticates may change its key: its refresh tokens are bound to itself. */
static void a_confidential_client_binds_to_the_key_it_shows(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.w.client.auth = CLIENT_AUTH_SECRET_POST;
    token_prove(&p, OTHER);
    binds(&p, REFRESH "&client_secret=wrs_the-secret-of-the-client", OTHER);
    assert_effects(&p.out.effects, EFFECT_REFRESH_ROTATE, EFFECT_REFRESH_INSERT, EFFECT_SPEND);
    token_end(&p);
}

static void without_memory(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.family.jkt = STR(JKT);
    token_prove(&p, JKT);
    binds(&p, REFRESH, JKT);
    world_starve(token_decide_in, &p.w, &p);
    token_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_grant_binds),
        cmocka_unit_test(dpop_missing),
        cmocka_unit_test(a_bad_proof_is_refused_first),
        cmocka_unit_test(dpop_replayed),
        cmocka_unit_test(spent_full),
        cmocka_unit_test(code_other_key),
        cmocka_unit_test(families_of_public_clients_are_bound),
        cmocka_unit_test(refresh_other_key),
        cmocka_unit_test(reuse_without_the_key_ends_nothing),
        cmocka_unit_test(bound_refresh_tokens_do_not_rotate),
        cmocka_unit_test(unless_they_are_told_to),
        cmocka_unit_test(a_confidential_client_binds_to_the_key_it_shows),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
