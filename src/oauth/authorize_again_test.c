/* Who must sign in or be asked anew, and what becomes of the request then. */
#include "oauth/oauth_test_way.h"

#include "oauth/handle.h"

#define ACR_PASSWORD "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

static void login_required(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_of_nobody(&p);
    p.request.prompt = STR("none");
    p.w.client.origin = CLIENT_BY_ADMIN;
    way_next(&p);
    assert_reason(p.out.reason, OAUTH_LOGIN_REQUIRED);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_text(world_parameter(&p.w, p.out.redirect, "error"), "login_required");
    world_end(&p.w);
}

/* attack case: RED-014 */
static void prompt_none_of_a_stranger_is_a_page(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    way_of_nobody(&p);
    p.request.prompt = STR("none");
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    assert_reason(p.out.reason, OAUTH_LOGIN_REQUIRED);
    assert_no_effects(&p.out.effects);
    world_end(&p.w);
}

static void consent_required(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    p.request.prompt = STR("none");
    way_next(&p);
    assert_reason(p.out.reason, OAUTH_CONSENT_REQUIRED);
    assert_text(world_parameter(&p.w, p.out.redirect, "error"), "consent_required");
    p.facts.consent = &p.consent;
    way_next(&p);
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_true(str_is_set(world_parameter(&p.w, p.out.redirect, "code")));
    world_end(&p.w);
}

static void prompt_login_asks_once(void **state)
{
    (void)state;
    static const char *const PROMPTS[] = {"login", "select_account", "consent login"};
    for (size_t i = 0; i < 3; i++) {
        way_t p;
        way_begin(&p);
        p.facts.consent = &p.consent;
        p.request.prompt = str_c(PROMPTS[i]);
        way_next(&p);
        assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
        way_go_on(&p);
        way_next(&p); /* still the old session */
        assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
        assert_no_effects(&p.out.effects);
        p.w.session.auth_time = TEST_NOW; /* begun in this very second, but before the request */
        way_next(&p);
        assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
        way_of_somebody(&p, TEST_NOW);
        way_next(&p);
        assert_int_equal(p.out.kind, i == 2 ? OAUTH_AUTHORIZE_CONSENT : OAUTH_AUTHORIZE_REDIRECT);
        world_end(&p.w);
    }
}

static void max_age_asks_once(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    p.request.max_age = 50;
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    p.request.max_age = 49;
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    p.request.max_age = 0; /* as prompt=login, however short ago the last one was */
    p.w.session.auth_time = TEST_NOW;
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    way_go_on(&p);
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    way_of_somebody(&p, TEST_NOW + 1);
    p.facts.now = TEST_NOW + 5; /* a slow hash, a slow person */
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    world_end(&p.w);
}

/* RFC 9470 section 5 */
static void acr_values_ask_once(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    p.request.acr_values = STR("phr " ACR_PASSWORD);
    p.w.session.auth_time = TEST_NOW - 50; /* how is not known */
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    way_go_on(&p);
    way_of_somebody(&p, TEST_NOW);
    p.w.session.acr = STR(ACR_PASSWORD);
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    p.facts.interaction = NULL;
    p.facts.handle = STR_UNSET;
    p.facts.consent = &p.consent;
    way_next(&p); /* another request of the same session is met already */
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_text(p.out.effects.v[0].u.code->acr, ACR_PASSWORD);
    world_end(&p.w);
}

static void acr_unmet(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    p.request.acr_values = STR("phr");
    way_of_nobody(&p);
    way_next(&p);
    way_go_on(&p);
    way_of_somebody(&p, TEST_NOW);
    p.w.session.acr = STR(ACR_PASSWORD);
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_reason(p.out.reason, OAUTH_ACR_UNMET);
    assert_text(world_parameter(&p.w, p.out.redirect, "error"),
                "unmet_authentication_requirements");
    world_end(&p.w);
}

static void a_weaker_session_and_prompt_none(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    p.request.acr_values = STR(ACR_PASSWORD);
    p.request.prompt = STR("none");
    way_next(&p);
    assert_reason(p.out.reason, OAUTH_LOGIN_REQUIRED);
    world_end(&p.w);
}

/* The interaction of a consent page that p's session was shown. */
static void wait_for_consent(way_t *p)
{
    way_next(p);
    way_go_on(p);
    assert_int_equal(p->interaction.state, INTERACTION_CONSENT);
}

static effects_t release(way_t *p, const session_t *before)
{
    effects_t effects = {.n = 0};
    assert_int_equal(
        oauth_authorize_release(p->w.a, &p->interaction, before, TEST_NOW + 5, &effects), RC_OK);
    return effects;
}

static void who_signs_in_anew_takes_the_request_along(void **state)
{
    (void)state;
    static const hash_t NOBODY = {{0}};
    way_t p;
    way_begin(&p);
    wait_for_consent(&p);
    effects_t effects = release(&p, &p.w.session);
    assert_effects(&effects, EFFECT_INTERACTION_UPDATE);
    const effect_t *update = &effects.v[0];
    assert_int_equal(update->expect_interaction, INTERACTION_CONSENT);
    assert_int_equal(update->at, TEST_NOW + 5);
    interaction_t released = *update->u.interaction;
    assert_int_equal(released.state, INTERACTION_LOGIN);
    assert_memory_equal(&released.session_id, &NOBODY, sizeof NOBODY);
    assert_memory_equal(&released.id, &p.interaction.id, sizeof released.id);
    assert_str(released.request.client_id, p.request.client_id);
    assert_int_equal(released.expires_at, p.interaction.expires_at); /* no time is won */
    p.interaction = released;
    p.w.session.id.b[0] ^= 1; /* the new session */
    way_of_somebody(&p, TEST_NOW);
    way_next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_memory_equal(&p.out.interaction->session_id, &p.w.session.id, sizeof(hash_t));
    world_end(&p.w);
}

static void a_request_of_another_session_stays_there(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    wait_for_consent(&p);
    session_t other = p.w.session;
    other.id.b[31] ^= 1;
    effects_t effects = release(&p, &other);
    assert_no_effects(&effects);
    effects = release(&p, NULL);
    assert_no_effects(&effects);
    world_end(&p.w);
}

static void only_a_request_that_waits_for_consent_is_released(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    wait_for_consent(&p);
    p.interaction.state = INTERACTION_LOGIN;
    effects_t effects = release(&p, &p.w.session);
    assert_no_effects(&effects);
    p.interaction.state = INTERACTION_DONE;
    effects = release(&p, &p.w.session);
    assert_no_effects(&effects);
    world_end(&p.w);
}

static rc_t release_in(world_t *w, arena_t *a, void *ctx)
{
    way_t *p = ctx;
    effects_t effects = {.n = 0};
    rc_t rc = oauth_authorize_release(a, &p->interaction, &w->session, TEST_NOW, &effects);
    assert_int_equal(effects.n, rc == RC_OK);
    return rc;
}

static void without_memory_nothing_is_released(void **state)
{
    (void)state;
    way_t p;
    way_begin(&p);
    wait_for_consent(&p);
    world_starve(release_in, &p.w, &p);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login_required),
        cmocka_unit_test(prompt_none_of_a_stranger_is_a_page),
        cmocka_unit_test(consent_required),
        cmocka_unit_test(prompt_login_asks_once),
        cmocka_unit_test(max_age_asks_once),
        cmocka_unit_test(acr_values_ask_once),
        cmocka_unit_test(acr_unmet),
        cmocka_unit_test(a_weaker_session_and_prompt_none),
        cmocka_unit_test(who_signs_in_anew_takes_the_request_along),
        cmocka_unit_test(a_request_of_another_session_stays_there),
        cmocka_unit_test(only_a_request_that_waits_for_consent_is_released),
        cmocka_unit_test(without_memory_nothing_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
