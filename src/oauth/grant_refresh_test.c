#include "oauth/oauth_test_token.h"

#define FRONT "client_id=client-1&grant_type=refresh_token"
#define GOOD  FRONT "&refresh_token=the-refresh"

static void refreshes(token_play_t *p, const char *form)
{
    token_ask(p, form);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_effects(&p->out.effects, EFFECT_REFRESH_ROTATE, EFFECT_REFRESH_INSERT);
    assert_true(str_is_set(p->out.claims));
    assert_true(str_is_set(p->out.refresh_token));
}

/* attack case: REF-001 */
static void rotation(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    refreshes(&p, GOOD);
    const refresh_t *old = p.out.effects.v[0].u.refresh, *new = p.out.effects.v[1].u.refresh;
    assert_memory_equal(&old->id, &p.refresh.id, sizeof(hash_t));
    assert_int_equal(old->uses, 0);
    assert_memory_equal(&new->parent, &p.refresh.id, sizeof(hash_t));
    assert_text(new->family_id, "family-1");
    assert_int_equal(new->expires_at, TEST_NOW + p.w.settings.refresh_token_idle);
    assert_text(p.out.scope, "a:read a:write");
    assert_text(token_claim(&p, "aud"), "https://rs.test/mcp");
    assert_true(p.out.event.allowed);
    assert_text(p.out.event.detail, "refresh_token");
    token_end(&p);
}

static void a_racing_caller_gets_a_pair_of_its_own(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.refresh.rotated_at = TEST_NOW - p.w.settings.refresh_grace;
    p.refresh.uses = 1;
    refreshes(&p, GOOD);
    assert_int_equal(p.out.effects.v[0].u.refresh->uses, 1);
    str_t first = p.out.refresh_token;
    refreshes(&p, GOOD);
    assert_false(str_eq(p.out.refresh_token, first));
    token_end(&p);
}

/* attack case: REF-012 */
static void refresh_storm(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.refresh.rotated_at = TEST_NOW;
    p.refresh.uses = OAUTH_REFRESH_SIBLINGS_MAX;
    token_refused(&p, GOOD, OAUTH_REFRESH_STORM);
    p.refresh.uses--;
    refreshes(&p, GOOD);
    token_end(&p);
}

static void reuse_revokes(token_play_t *p)
{
    token_ask(p, GOOD);
    assert_reason(p->out.reason, OAUTH_REFRESH_REUSED);
    assert_int_equal(p->out.status, 400);
    assert_text(json_get_str(world_json(&p->w, p->out.body), STR("error")), "invalid_grant");
    assert_effects(&p->out.effects, EFFECT_FAMILY_REVOKE);
    assert_text(p->out.effects.v[0].u.family->revoked_reason, "refresh_reused");
    assert_int_equal(p->out.event.kind, AUDIT_REFRESH_REUSE);
    assert_text(p->out.event.family, "family-1");
    assert_unset(p->out.claims);
}

/* attack case: REF-001 */
static void refresh_reused(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.refresh.uses = 1;
    p.refresh.rotated_at = TEST_NOW - p.w.settings.refresh_grace - 1;
    reuse_revokes(&p);
    p.now = p.refresh.expires_at + 1; /* also when it would have ended anyway */
    reuse_revokes(&p);
    p.now = TEST_NOW;
    p.refresh.rotated_at = TEST_NOW;
    p.w.settings.refresh_grace = 0; /* never again */
    reuse_revokes(&p);
    token_end(&p);
}

static void refresh_missing(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    token_refused(&p, FRONT, OAUTH_REFRESH_MISSING);
    token_refused(&p, FRONT "&refresh_token=", OAUTH_REFRESH_MISSING);
    token_end(&p);
}

/* attack case: REF-010 */
static void refresh_unknown(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    static const char *const BENT[] = {"the-refres",     "the-refresh%3D",
                                       "THE-REFRESH",    "%20the-refresh",
                                       "the-refresh%0A", "the-refreshthe-refresh"};
    for (size_t i = 0; i < sizeof BENT / sizeof BENT[0]; i++) {
        str_t form = arena_printf(p.w.a, FRONT "&refresh_token=%s", BENT[i]);
        token_refused(&p, form.p, OAUTH_REFRESH_UNKNOWN);
    }
    p.no_family = true;
    token_refused(&p, GOOD, OAUTH_REFRESH_UNKNOWN);
    p.no_family = false;
    refreshes(&p, GOOD);
    token_end(&p);
}

/* attack case: REF-006 */
static void refresh_other_client(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.family.client_id = STR("client-2");
    token_refused(&p, GOOD, OAUTH_REFRESH_OTHER_CLIENT);
    p.refresh.rotated_at = 1; /* a stranger's reuse revokes nothing */
    token_refused(&p, GOOD, OAUTH_REFRESH_OTHER_CLIENT);
    token_end(&p);
}

/* attack case: REF-006 */
static void client_auth_method(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.w.client.auth = CLIENT_AUTH_SECRET_BASIC;
    token_refused(&p, GOOD, OAUTH_CLIENT_AUTH_METHOD);
    token_refused(&p, "grant_type=refresh_token&refresh_token=the-refresh",
                  OAUTH_CLIENT_AUTH_MISSING);
    p.w.client.auth = CLIENT_AUTH_SECRET_POST;
    token_refused(&p, GOOD "&client_secret=wrong", OAUTH_CLIENT_AUTH_SECRET);
    refreshes(&p, GOOD "&client_secret=wrs_the-secret-of-the-client");
    token_end(&p);
}

/* attack case: REF-009 */
static void refresh_revoked(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.family.revoked_at = TEST_NOW - 1;
    token_refused(&p, GOOD, OAUTH_REFRESH_REVOKED);
    p.refresh.rotated_at = 1;
    token_refused(&p, GOOD, OAUTH_REFRESH_REVOKED);
    token_end(&p);
}

/* attack case: REF-011 */
static void refresh_expired(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.now = p.refresh.expires_at;
    token_refused(&p, GOOD, OAUTH_REFRESH_EXPIRED);
    p.now--;
    refreshes(&p, GOOD);
    token_end(&p);
}

/* attack case: REF-011 */
static void refresh_grant_ended(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.refresh.expires_at = p.family.expires_at + 1000;
    p.now = p.family.expires_at - 1;
    refreshes(&p, GOOD); /* just before the end: the new one ends with the grant */
    assert_int_equal(p.out.effects.v[1].u.refresh->expires_at, p.family.expires_at);
    p.now++;
    token_refused(&p, GOOD, OAUTH_REFRESH_GRANT_ENDED);
    token_end(&p);
}

/* attack case: REF-009 */
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

/* attack case: REF-008 */
static void resource_not_granted(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    token_refused(&p, GOOD "&resource=https://other.test", OAUTH_RESOURCE_NOT_GRANTED);
    token_refused(&p, GOOD "&resource=https://unknown.test", OAUTH_RESOURCE_UNKNOWN);
    refreshes(&p, GOOD "&resource=https://rs.test/mcp/");
    token_end(&p);
}

static void resource_withdrawn(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    p.family.resource = STR("https://gone.test");
    token_refused(&p, GOOD, OAUTH_RESOURCE_WITHDRAWN);
    token_end(&p);
}

static void the_scope_is_narrowed_and_never_widened(void **state)
{
    (void)state;
    static const struct {
        const char *family, *asked, *granted;
    } ROWS[] = {
        {"a:read a:write", "", "a:read a:write"},
        {"a:read a:write", "&scope=a:write", "a:write"},
        {"a:read", "&scope=a:read+a:write", "a:read"},
        {"a:read", "&scope=openid+a:read+offline_access", "a:read"},
        {"a:read", "&scope=openid+profile+email+offline_access", "a:read"},
        {"a:read withdrawn", "", "a:read"},
    };
    token_play_t p;
    token_begin(&p);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        str_t form = arena_printf(p.w.a, GOOD "%s", ROWS[i].asked);
        p.family.scope = str_c(ROWS[i].family);
        refreshes(&p, form.p);
        assert_str(p.out.scope, str_c(ROWS[i].granted));
        assert_str(token_claim(&p, "scope"), str_c(ROWS[i].granted));
    }
    token_end(&p);
}

static void scope_empty(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    token_refused(&p, GOOD "&scope=other", OAUTH_SCOPE_EMPTY);
    token_refused(&p, GOOD "&scope=%22", OAUTH_SCOPE_MALFORMED);
    str_t form = arena_printf(p.w.a, GOOD "&scope=%05000d", 1);
    token_refused(&p, form.p, OAUTH_SCOPE_TOO_LONG);
    token_end(&p);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    token_play_t p;
    token_begin(&p);
    refreshes(&p, GOOD);
    world_starve(token_decide_in, &p.w, &p);
    p.random = world_no_random();
    assert_int_equal(oauth_token_decide(p.w.a, &p.facts, &p.out), RC_IO);
    p.random = p.w.random;
    p.refresh.rotated_at = 1;
    token_ask(&p, GOOD);
    world_starve(token_decide_in, &p.w, &p);
    token_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotation),
        cmocka_unit_test(a_racing_caller_gets_a_pair_of_its_own),
        cmocka_unit_test(refresh_storm),
        cmocka_unit_test(refresh_reused),
        cmocka_unit_test(refresh_missing),
        cmocka_unit_test(refresh_unknown),
        cmocka_unit_test(refresh_other_client),
        cmocka_unit_test(client_auth_method),
        cmocka_unit_test(refresh_revoked),
        cmocka_unit_test(refresh_expired),
        cmocka_unit_test(refresh_grant_ended),
        cmocka_unit_test(user_gone),
        cmocka_unit_test(resource_not_granted),
        cmocka_unit_test(resource_withdrawn),
        cmocka_unit_test(the_scope_is_narrowed_and_never_widened),
        cmocka_unit_test(scope_empty),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
