/* The way of a checked request: login, consent, a code, or an error. */
#include "oauth/oauth_test_way.h"

#include "oauth/handle.h"

static void who_is_not_signed_in_gets_the_login_page(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_of_nobody(&p);
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_INSERT);
    assert_int_equal(p.out.effects.v[0].quota.max_interactions, p.w.settings.max_interactions);
    const interaction_t *i = p.out.interaction;
    hash_t hash = oauth_handle_hash(p.out.handle);
    assert_memory_equal(&i->id, &hash, sizeof hash);
    assert_int_equal(i->state, INTERACTION_LOGIN);
    assert_int_equal(i->expires_at, TEST_NOW + p.w.settings.interaction_lifetime);
    assert_text(i->request.state, "st");
    assert_false(p.out.has_event);
    world_end(&p.w);
}

static void after_login_comes_consent(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_of_nobody(&p);
    way_next(&p);
    way_go_on(&p);
    way_next(&p); /* the login page loaded again */
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    assert_no_effects(&p.out.effects);
    way_of_somebody(&p, TEST_NOW);
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE);
    assert_int_equal(p.out.effects.v[0].expect_interaction, INTERACTION_LOGIN);
    assert_int_equal(p.out.interaction->state, INTERACTION_CONSENT);
    assert_memory_equal(&p.out.interaction->session_id, &p.w.session.id, sizeof(hash_t));
    way_go_on(&p);
    way_next(&p); /* the consent page loaded again */
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_no_effects(&p.out.effects);
    way_of_nobody(&p); /* the session ended meanwhile */
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE);
    assert_int_equal(p.out.effects.v[0].expect_interaction, INTERACTION_CONSENT);
    world_end(&p.w);
}

static void who_is_signed_in_is_asked_at_once(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_INSERT);
    world_end(&p.w);
}

/* attack case: UI-019 */
static void a_remembered_consent_is_silent(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    p.facts.consent = &p.consent;
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_effects(&p.out.effects, EFFECT_CODE_INSERT, EFFECT_SESSION_TOUCH, EFFECT_CLIENT_KEEP,
                   EFFECT_CONSENT_USE);
    const code_t *code = p.out.effects.v[0].u.code;
    str_t sent = world_parameter(&p.w, p.out.redirect, "code");
    hash_t hash = oauth_handle_hash(sent);
    assert_memory_equal(&code->id, &hash, sizeof hash);
    assert_true(str_starts(sent, STR("wrc_")) && sent.n == 47);
    assert_text(world_parameter(&p.w, p.out.redirect, "state"), "st");
    assert_text(world_parameter(&p.w, p.out.redirect, "iss"), "https://as.test");
    assert_int_equal(code->expires_at, TEST_NOW + 60);
    assert_int_equal(code->auth_time, p.w.session.auth_time);
    assert_int_equal(code->family_id.n, 32);
    assert_text(code->request.code_challenge, "challenge");
    assert_unset(code->request.state);
    assert_unset(code->request.nonce);
    assert_true(p.out.has_event && p.out.event.allowed);
    assert_int_equal(p.out.event.kind, AUDIT_AUTHORIZE);
    assert_str(p.out.event.family, code->family_id);
    world_end(&p.w);
}

static void a_client_in_use_is_not_kept_again(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    p.facts.consent = &p.consent;
    p.w.client.expires_at = 0;
    way_next(&p);
    assert_effects(&p.out.effects, EFFECT_CODE_INSERT, EFFECT_SESSION_TOUCH, EFFECT_CONSENT_USE);
    world_end(&p.w);
}

/* attack case: UI-019 */
static void everything_else_asks_again(void **state)
{
    (void)state;
    enum {
        SCOPE,
        RESOURCE,
        REDIRECT,
        CLIENT,
        USER,
        PROMPT,
        NATIVE,
        LOOPBACK,
        PRIVATE,
        DOCUMENT,
        N
    };
    for (int bent = 0; bent < N; bent++) {
        way_t p;
        way_begin(&p);
        p.facts.consent = &p.consent;
        p.request.scope = bent == SCOPE ? STR("a:read a:write") : p.request.scope;
        p.consent.resource = bent == RESOURCE ? STR("https://other.test") : p.consent.resource;
        p.request.redirect_uri =
            bent == REDIRECT ? STR("https://c.test/other") : p.request.redirect_uri;
        p.consent.client_id = bent == CLIENT ? STR("client-2") : p.consent.client_id;
        p.consent.user_id = bent == USER ? STR("user-2") : p.consent.user_id;
        p.request.prompt = bent == PROMPT ? STR("consent") : p.request.prompt;
        p.w.client.type = bent == NATIVE ? CLIENT_NATIVE : CLIENT_WEB;
        if (bent == DOCUMENT)
            p.w.client.document = oauth_handle_hash(STR("changed"));
        if (bent == LOOPBACK)
            p.request.redirect_uri = p.consent.redirect_uri = STR("http://127.0.0.1:7/cb");
        if (bent == PRIVATE)
            p.request.redirect_uri = p.consent.redirect_uri = STR("cursor://x/cb");
        way_next(&p);
        assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
        world_end(&p.w);
    }
}

static void a_silent_code_ends_its_interaction(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_of_nobody(&p);
    way_next(&p);
    way_go_on(&p);
    way_of_somebody(&p, TEST_NOW);
    p.facts.consent = &p.consent;
    way_next(&p);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE, EFFECT_CODE_INSERT,
                   EFFECT_SESSION_TOUCH, EFFECT_CLIENT_KEEP, EFFECT_CONSENT_USE);
    assert_int_equal(p.out.effects.v[0].u.interaction->state, INTERACTION_DONE);
    assert_int_equal(p.out.effects.v[0].expect_interaction, INTERACTION_LOGIN);
    world_end(&p.w);
}

static str_t scope_shown(way_t *p, const char *consented, const char *asked)
{
    p->consent.scope = str_c(consented);
    p->facts.consent = &p->consent;
    p->request.scope = str_c(asked);
    p->request.prompt = STR("consent");
    way_next(p);
    assert_int_equal(p->out.kind, OAUTH_AUTHORIZE_CONSENT);
    return p->out.interaction->request.scope;
}

static void stepping_up_keeps_what_was_approved(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    assert_text(scope_shown(&p, "a:read", "a:write"), "a:write a:read");
    assert_text(scope_shown(&p, "a:read a:write", "a:read"), "a:read"); /* less stays less */
    assert_text(scope_shown(&p, "a:read gone", "a:write"), "a:write a:read");
    p.w.settings.keep_consented = false;
    assert_text(scope_shown(&p, "a:read", "a:write"), "a:write");
    world_end(&p.w);
}

static void interaction_unknown(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    p.facts.handle = STR("wri_never-begun");
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    assert_reason(p.out.reason, OAUTH_INTERACTION_UNKNOWN);
    assert_unset(p.out.redirect);
    p.facts.handle = STR_UNSET;
    way_next(&p);
    way_go_on(&p);
    p.interaction.state = INTERACTION_DONE;
    way_next(&p);
    assert_reason(p.out.reason, OAUTH_INTERACTION_UNKNOWN);
    world_end(&p.w);
}

static void interaction_expired(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_next(&p);
    way_go_on(&p);
    p.facts.now = p.interaction.expires_at;
    way_next(&p);
    assert_reason(p.out.reason, OAUTH_INTERACTION_EXPIRED);
    p.facts.now--;
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    world_end(&p.w);
}

static void interaction_other_session(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_next(&p);
    way_go_on(&p);
    p.w.session.id = oauth_handle_hash(STR("another browser"));
    way_next(&p);
    assert_reason(p.out.reason, OAUTH_INTERACTION_OTHER_SESSION);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    world_end(&p.w);
}

static void client_not_registered(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_next(&p);
    way_go_on(&p);
    p.facts.client = NULL;
    way_next(&p);
    assert_reason(p.out.reason, OAUTH_CLIENT_NOT_REGISTERED);
    world_end(&p.w);
}

static void without_random_nothing_is_made(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    random_port_t none = world_no_random();
    p.facts.random = &none;
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &p.request, &p.out), RC_IO);
    p.facts.consent = &p.consent;
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &p.request, &p.out), RC_IO);
    world_end(&p.w);
}

static rc_t next_in(world_t *w, arena_t *a, void *ctx)
{
    way_t *p = ctx;
    oauth_authorize_verdict_t out;
    (void)w;
    return oauth_authorize_next(a, &p->facts, &p->request, &out);
}

static void without_memory(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    world_starve(next_in, &p.w, &p); /* consent */
    p.facts.consent = &p.consent;
    world_starve(next_in, &p.w, &p); /* silent */
    p.consent.scope = STR("a:write");
    world_starve(next_in, &p.w, &p); /* widened */
    way_of_nobody(&p);
    world_starve(next_in, &p.w, &p); /* login */
    p.request.prompt = STR("none");
    world_starve(next_in, &p.w, &p); /* error */
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_not_signed_in_gets_the_login_page),
        cmocka_unit_test(after_login_comes_consent),
        cmocka_unit_test(who_is_signed_in_is_asked_at_once),
        cmocka_unit_test(a_remembered_consent_is_silent),
        cmocka_unit_test(a_client_in_use_is_not_kept_again),
        cmocka_unit_test(everything_else_asks_again),
        cmocka_unit_test(a_silent_code_ends_its_interaction),
        cmocka_unit_test(stepping_up_keeps_what_was_approved),
        cmocka_unit_test(interaction_unknown),
        cmocka_unit_test(interaction_expired),
        cmocka_unit_test(interaction_other_session),
        cmocka_unit_test(client_not_registered),
        cmocka_unit_test(without_random_nothing_is_made),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
