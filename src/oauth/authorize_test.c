/* The way of a checked request: login, consent, a code, or an error. */
#include "oauth/oauth_test_world.h"

#include "oauth/authorize.h"
#include "oauth/handle.h"

typedef struct {
    world_t w;
    authz_request_t request;
    consent_t consent;
    interaction_t interaction;
    oauth_authorize_facts_t facts;
    oauth_authorize_verdict_t out;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    p->request = (authz_request_t){
        .client_id = p->w.client.id,
        .redirect_uri = STR("https://c.test/cb"),
        .state = STR("st"),
        .code_challenge = STR("challenge"),
        .scope = STR("a:read"),
        .resource = STR("https://rs.test/mcp"),
        .nonce = STR("n"),
        .max_age = -1,
    };
    p->consent = (consent_t){
        .user_id = p->w.user.id,
        .client_id = p->w.client.id,
        .resource = p->request.resource,
        .redirect_uri = p->request.redirect_uri,
        .scope = STR("a:read"),
    };
    p->facts = (oauth_authorize_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = TEST_NOW,
        .resources = &p->w.resources,
        .client = &p->w.client,
        .session = &p->w.session,
        .user = &p->w.user,
    };
}

static void next(play_t *p)
{
    const authz_request_t *request =
        p->facts.interaction ? &p->facts.interaction->request : &p->request;
    assert_int_equal(oauth_authorize_next(p->w.a, &p->facts, request, &p->out), RC_OK);
}

/* Goes on with the interaction that the last verdict made. */
static void go_on(play_t *p)
{
    p->interaction = *p->out.interaction;
    p->facts.interaction = &p->interaction;
    p->facts.handle = p->out.handle;
}

static void nobody(play_t *p)
{
    p->facts.session = NULL;
    p->facts.user = NULL;
}

/* Signs in: each time in a session of its own. */
static void somebody(play_t *p, int64_t auth_time)
{
    p->w.session.auth_time = auth_time;
    p->w.session.id = oauth_handle_hash(STR("a session begun for this request"));
    p->facts.session = &p->w.session;
    p->facts.user = &p->w.user;
}

static void who_is_not_signed_in_gets_the_login_page(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    nobody(&p);
    next(&p);
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
    play_t p;
    begin(&p);
    nobody(&p);
    next(&p);
    go_on(&p);
    next(&p); /* the login page loaded again */
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    assert_no_effects(&p.out.effects);
    somebody(&p, TEST_NOW);
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE);
    assert_int_equal(p.out.effects.v[0].expect_interaction, INTERACTION_LOGIN);
    assert_int_equal(p.out.interaction->state, INTERACTION_CONSENT);
    assert_memory_equal(&p.out.interaction->session_id, &p.w.session.id, sizeof(hash_t));
    go_on(&p);
    next(&p); /* the consent page loaded again */
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_no_effects(&p.out.effects);
    nobody(&p); /* the session ended meanwhile */
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE);
    assert_int_equal(p.out.effects.v[0].expect_interaction, INTERACTION_CONSENT);
    world_end(&p.w);
}

static void who_is_signed_in_is_asked_at_once(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_INSERT);
    world_end(&p.w);
}

/* attack case: UI-019 */
static void a_remembered_consent_is_silent(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.facts.consent = &p.consent;
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_effects(&p.out.effects, EFFECT_CODE_INSERT, EFFECT_CLIENT_KEEP);
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
    play_t p;
    begin(&p);
    p.facts.consent = &p.consent;
    p.w.client.expires_at = 0;
    next(&p);
    assert_effects(&p.out.effects, EFFECT_CODE_INSERT);
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
        play_t p;
        begin(&p);
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
        next(&p);
        assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
        world_end(&p.w);
    }
}

static void login_required(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    nobody(&p);
    p.request.prompt = STR("none");
    p.w.client.origin = CLIENT_BY_ADMIN;
    next(&p);
    assert_reason(p.out.reason, OAUTH_LOGIN_REQUIRED);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_text(world_parameter(&p.w, p.out.redirect, "error"), "login_required");
    world_end(&p.w);
}

/* attack case: RED-014 */
static void prompt_none_of_a_stranger_is_a_page(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    nobody(&p);
    p.request.prompt = STR("none");
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    assert_reason(p.out.reason, OAUTH_LOGIN_REQUIRED);
    assert_no_effects(&p.out.effects);
    world_end(&p.w);
}

static void consent_required(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.request.prompt = STR("none");
    next(&p);
    assert_reason(p.out.reason, OAUTH_CONSENT_REQUIRED);
    assert_text(world_parameter(&p.w, p.out.redirect, "error"), "consent_required");
    p.facts.consent = &p.consent;
    next(&p);
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_true(str_is_set(world_parameter(&p.w, p.out.redirect, "code")));
    world_end(&p.w);
}

static void prompt_login_asks_once(void **state)
{
    (void)state;
    static const char *const PROMPTS[] = {"login", "select_account", "consent login"};
    for (size_t i = 0; i < 3; i++) {
        play_t p;
        begin(&p);
        p.facts.consent = &p.consent;
        p.request.prompt = str_c(PROMPTS[i]);
        next(&p);
        assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
        go_on(&p);
        next(&p); /* still the old session */
        assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
        assert_no_effects(&p.out.effects);
        p.w.session.auth_time = TEST_NOW; /* begun in this very second, but before the request */
        next(&p);
        assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
        somebody(&p, TEST_NOW);
        next(&p);
        assert_int_equal(p.out.kind, i == 2 ? OAUTH_AUTHORIZE_CONSENT : OAUTH_AUTHORIZE_REDIRECT);
        world_end(&p.w);
    }
}

static void max_age_asks_once(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.request.max_age = 50;
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    p.request.max_age = 49;
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    p.request.max_age = 0; /* as prompt=login, however short ago the last one was */
    p.w.session.auth_time = TEST_NOW;
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    go_on(&p);
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    somebody(&p, TEST_NOW + 1);
    p.facts.now = TEST_NOW + 5; /* a slow hash, a slow person */
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    world_end(&p.w);
}

#define ACR_PASSWORD "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

/* RFC 9470 section 5 */
static void acr_values_ask_once(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.request.acr_values = STR("phr " ACR_PASSWORD);
    p.w.session.auth_time = TEST_NOW - 50; /* how is not known */
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_LOGIN);
    go_on(&p);
    somebody(&p, TEST_NOW);
    p.w.session.acr = STR(ACR_PASSWORD);
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    p.facts.interaction = NULL;
    p.facts.handle = STR_UNSET;
    p.facts.consent = &p.consent;
    next(&p); /* another request of the same session is met already */
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_text(p.out.effects.v[0].u.code->acr, ACR_PASSWORD);
    world_end(&p.w);
}

static void acr_unmet(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.request.acr_values = STR("phr");
    nobody(&p);
    next(&p);
    go_on(&p);
    somebody(&p, TEST_NOW);
    p.w.session.acr = STR(ACR_PASSWORD);
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_reason(p.out.reason, OAUTH_ACR_UNMET);
    assert_text(world_parameter(&p.w, p.out.redirect, "error"),
                "unmet_authentication_requirements");
    world_end(&p.w);
}

static void a_weaker_session_and_prompt_none(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.request.acr_values = STR(ACR_PASSWORD);
    p.request.prompt = STR("none");
    next(&p);
    assert_reason(p.out.reason, OAUTH_LOGIN_REQUIRED);
    world_end(&p.w);
}

static void a_silent_code_ends_its_interaction(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    nobody(&p);
    next(&p);
    go_on(&p);
    somebody(&p, TEST_NOW);
    p.facts.consent = &p.consent;
    next(&p);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE, EFFECT_CODE_INSERT,
                   EFFECT_CLIENT_KEEP);
    assert_int_equal(p.out.effects.v[0].u.interaction->state, INTERACTION_DONE);
    assert_int_equal(p.out.effects.v[0].expect_interaction, INTERACTION_LOGIN);
    world_end(&p.w);
}

static str_t scope_shown(play_t *p, const char *consented, const char *asked)
{
    p->consent.scope = str_c(consented);
    p->facts.consent = &p->consent;
    p->request.scope = str_c(asked);
    p->request.prompt = STR("consent");
    next(p);
    assert_int_equal(p->out.kind, OAUTH_AUTHORIZE_CONSENT);
    return p->out.interaction->request.scope;
}

static void stepping_up_keeps_what_was_approved(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
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
    play_t p;
    begin(&p);
    p.facts.handle = STR("wri_never-begun");
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    assert_reason(p.out.reason, OAUTH_INTERACTION_UNKNOWN);
    assert_unset(p.out.redirect);
    p.facts.handle = STR_UNSET;
    next(&p);
    go_on(&p);
    p.interaction.state = INTERACTION_DONE;
    next(&p);
    assert_reason(p.out.reason, OAUTH_INTERACTION_UNKNOWN);
    world_end(&p.w);
}

static void interaction_expired(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    next(&p);
    go_on(&p);
    p.facts.now = p.interaction.expires_at;
    next(&p);
    assert_reason(p.out.reason, OAUTH_INTERACTION_EXPIRED);
    p.facts.now--;
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    world_end(&p.w);
}

static void interaction_other_session(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    next(&p);
    go_on(&p);
    p.w.session.id = oauth_handle_hash(STR("another browser"));
    next(&p);
    assert_reason(p.out.reason, OAUTH_INTERACTION_OTHER_SESSION);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_PAGE);
    world_end(&p.w);
}

static void client_not_registered(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    next(&p);
    go_on(&p);
    p.facts.client = NULL;
    next(&p);
    assert_reason(p.out.reason, OAUTH_CLIENT_NOT_REGISTERED);
    world_end(&p.w);
}

static void without_random_nothing_is_made(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    random_port_t none = world_no_random();
    p.facts.random = &none;
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &p.request, &p.out), RC_IO);
    p.facts.consent = &p.consent;
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &p.request, &p.out), RC_IO);
    world_end(&p.w);
}

static rc_t next_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    oauth_authorize_verdict_t out;
    (void)w;
    return oauth_authorize_next(a, &p->facts, &p->request, &out);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    world_starve(next_in, &p.w, &p); /* consent */
    p.facts.consent = &p.consent;
    world_starve(next_in, &p.w, &p); /* silent */
    p.consent.scope = STR("a:write");
    world_starve(next_in, &p.w, &p); /* widened */
    nobody(&p);
    world_starve(next_in, &p.w, &p); /* login */
    p.request.prompt = STR("none");
    world_starve(next_in, &p.w, &p); /* error */
    world_end(&p.w);
}

/* The interaction of a consent page that p's session was shown. */
static void wait_for_consent(play_t *p)
{
    next(p);
    go_on(p);
    assert_int_equal(p->interaction.state, INTERACTION_CONSENT);
}

static effects_t release(play_t *p, const session_t *before)
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
    play_t p;
    begin(&p);
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
    somebody(&p, TEST_NOW);
    next(&p);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_memory_equal(&p.out.interaction->session_id, &p.w.session.id, sizeof(hash_t));
    world_end(&p.w);
}

static void a_request_of_another_session_stays_there(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
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
    play_t p;
    begin(&p);
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
    play_t *p = ctx;
    effects_t effects = {.n = 0};
    rc_t rc = oauth_authorize_release(a, &p->interaction, &w->session, TEST_NOW, &effects);
    assert_int_equal(effects.n, rc == RC_OK);
    return rc;
}

static void without_memory_nothing_is_released(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    wait_for_consent(&p);
    world_starve(release_in, &p.w, &p);
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
        cmocka_unit_test(login_required),
        cmocka_unit_test(prompt_none_of_a_stranger_is_a_page),
        cmocka_unit_test(consent_required),
        cmocka_unit_test(prompt_login_asks_once),
        cmocka_unit_test(max_age_asks_once),
        cmocka_unit_test(acr_values_ask_once),
        cmocka_unit_test(acr_unmet),
        cmocka_unit_test(a_weaker_session_and_prompt_none),
        cmocka_unit_test(a_silent_code_ends_its_interaction),
        cmocka_unit_test(stepping_up_keeps_what_was_approved),
        cmocka_unit_test(interaction_unknown),
        cmocka_unit_test(interaction_expired),
        cmocka_unit_test(interaction_other_session),
        cmocka_unit_test(client_not_registered),
        cmocka_unit_test(without_random_nothing_is_made),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(who_signs_in_anew_takes_the_request_along),
        cmocka_unit_test(a_request_of_another_session_stays_there),
        cmocka_unit_test(only_a_request_that_waits_for_consent_is_released),
        cmocka_unit_test(without_memory_nothing_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
