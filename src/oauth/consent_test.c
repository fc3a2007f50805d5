#include "oauth/oauth_test_world.h"

#include "oauth/consent.h"
#include "oauth/handle.h"

static const char KEY[] = "0123456789abcdef0123456789abcdef";

typedef struct {
    world_t w;
    consent_t before;
    interaction_t interaction;
    oauth_authorize_facts_t facts;
    oauth_authorize_verdict_t out;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    const str_t handle = STR("wri_handle");
    p->interaction = (interaction_t){
        .id = oauth_handle_hash(handle),
        .state = INTERACTION_CONSENT,
        .session_id = p->w.session.id,
        .created_at = TEST_NOW - 10,
        .expires_at = TEST_NOW + 100,
        .request =
            {
                .client_id = p->w.client.id,
                .redirect_uri = STR("https://c.test/cb"),
                .state = STR("st"),
                .code_challenge = STR("challenge"),
                .scope = STR("a:read"),
                .resource = STR("https://rs.test/mcp"),
                .max_age = -1,
            },
    };
    p->facts = (oauth_authorize_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = TEST_NOW,
        .resources = &p->w.resources,
        .client = &p->w.client,
        .session = &p->w.session,
        .user = &p->w.user,
        .interaction = &p->interaction,
        .handle = handle,
    };
}

static void decide(play_t *p, bool approve)
{
    const oauth_decision_t decision = {approve, str_of(KEY, OAUTH_DERIVE_KEY_BYTES)};
    assert_int_equal(oauth_consent_decide(p->w.a, &p->facts, &decision, &p->out), RC_OK);
}

static void refused(play_t *p, oauth_reason_t reason)
{
    decide(p, true);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.kind, OAUTH_AUTHORIZE_PAGE);
    assert_unset(p->out.redirect);
    assert_no_effects(&p->out.effects);
    assert_int_equal(p->out.event.kind, AUDIT_CONSENT);
    assert_false(p->out.event.allowed);
}

static void approved(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    decide(&p, true);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE, EFFECT_CONSENT_PUT,
                   EFFECT_CODE_INSERT, EFFECT_SESSION_TOUCH, EFFECT_CLIENT_KEEP);
    const interaction_t *done = p.out.effects.v[0].u.interaction;
    assert_int_equal(p.out.effects.v[0].expect_interaction, INTERACTION_CONSENT);
    assert_int_equal(done->state, INTERACTION_DONE);
    assert_int_equal(done->decision, DECISION_APPROVED);
    assert_int_equal(done->decided_at, TEST_NOW);
    assert_text(done->granted_scope, "a:read");
    assert_text(p.out.effects.v[1].u.consent->scope, "a:read");
    assert_text(p.out.effects.v[1].u.consent->redirect_uri, "https://c.test/cb");
    assert_int_equal(p.out.effects.v[1].u.consent->used_at, TEST_NOW);
    assert_int_equal(p.out.effects.v[4].at, TEST_NOW); /* so is the client, from now on */
    hash_t hash = oauth_handle_hash(world_parameter(&p.w, p.out.redirect, "code"));
    assert_memory_equal(&p.out.effects.v[2].u.code->id, &hash, sizeof hash);
    assert_text(p.out.effects.v[2].u.code->user_id, "user-1");
    assert_text(p.out.effects.v[4].u.key, "client-1");
    assert_text(world_parameter(&p.w, p.out.redirect, "state"), "st");
    assert_text(world_parameter(&p.w, p.out.redirect, "iss"), "https://as.test");
    assert_true(p.out.has_event && p.out.event.allowed);
    assert_int_equal(p.out.event.kind, AUDIT_CONSENT);
    world_end(&p.w);
}

/* attack case: AZ-003 */
static void access_denied(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    decide(&p, false);
    assert_reason(p.out.reason, OAUTH_ACCESS_DENIED);
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE);
    assert_int_equal(p.out.effects.v[0].u.interaction->decision, DECISION_DENIED);
    assert_text(world_parameter(&p.w, p.out.redirect, "error"), "access_denied");
    assert_text(world_parameter(&p.w, p.out.redirect, "iss"), "https://as.test");
    assert_unset(world_parameter(&p.w, p.out.redirect, "code"));
    assert_int_equal(p.out.event.kind, AUDIT_CONSENT);
    assert_false(p.out.event.allowed);
    world_end(&p.w);
}

static void a_second_click_gets_the_same_answer(void **state)
{
    (void)state;
    for (int approve = 0; approve < 2; approve++) {
        play_t p;
        begin(&p);
        decide(&p, approve);
        str_t first = p.out.redirect;
        p.interaction = *p.out.effects.v[0].u.interaction;
        p.facts.now += p.w.settings.decision_replay;
        for (int click = 0; click < 2; click++) { /* whatever is clicked */
            decide(&p, click);
            assert_str(p.out.redirect, first);
            assert_no_effects(&p.out.effects);
            assert_false(p.out.has_event);
        }
        p.facts.now++;
        refused(&p, OAUTH_INTERACTION_UNKNOWN);
        world_end(&p.w);
    }
}

static void the_code_needs_handle_and_key(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    decide(&p, true);
    str_t first = world_parameter(&p.w, p.out.redirect, "code");
    p.facts.handle = STR("wri_another");
    decide(&p, true);
    assert_false(str_eq(world_parameter(&p.w, p.out.redirect, "code"), first));
    p.facts.handle = STR("wri_handle");
    const oauth_decision_t decision = {true, STR("another-key-another-key-another-")};
    assert_int_equal(oauth_consent_decide(p.w.a, &p.facts, &decision, &p.out), RC_OK);
    assert_false(str_eq(world_parameter(&p.w, p.out.redirect, "code"), first));
    world_end(&p.w);
}

static void remember(play_t *p, const char *redirect_uri, const char *scope)
{
    p->before = (consent_t){
        .user_id = p->w.user.id,
        .client_id = p->w.client.id,
        .resource = STR("https://rs.test/mcp"),
        .redirect_uri = str_c(redirect_uri),
        .scope = str_c(scope),
    };
    p->facts.consent = &p->before;
}

static str_t remembered(play_t *p, const char *redirect_uri, const char *scope)
{
    remember(p, redirect_uri, scope);
    decide(p, true);
    return p->out.effects.v[1].u.consent->scope;
}

static void consents_add_up_for_one_redirect_uri(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    assert_text(remembered(&p, "https://c.test/cb", "a:write"), "a:write a:read");
    assert_text(remembered(&p, "https://c.test/other", "a:write"), "a:read");
    const str_t loopback = STR("http://127.0.0.1/cb");
    p.w.client.redirect_uris = (str_list_t){&loopback, 1};
    p.interaction.request.redirect_uri = STR("http://127.0.0.1:4711/cb");
    assert_text(remembered(&p, "http://127.0.0.1/cb", "a:write"), "a:write a:read");
    assert_text(p.out.effects.v[1].u.consent->redirect_uri, "http://127.0.0.1/cb");
    world_end(&p.w);
}

/* What was approved of the client as it was is not approved of what it has become. */
static void consents_do_not_add_up_over_a_changed_client(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.client.document = oauth_handle_hash(STR("now"));
    remember(&p, "https://c.test/cb", "a:write");
    const oauth_decision_t decision = {true, str_of(KEY, OAUTH_DERIVE_KEY_BYTES),
                                       p.w.client.document};
    assert_int_equal(oauth_consent_decide(p.w.a, &p.facts, &decision, &p.out), RC_OK);
    assert_text(p.out.effects.v[1].u.consent->scope, "a:read");
    p.before.document = p.w.client.document;
    assert_int_equal(oauth_consent_decide(p.w.a, &p.facts, &decision, &p.out), RC_OK);
    assert_text(p.out.effects.v[1].u.consent->scope, "a:write a:read");
    world_end(&p.w);
}

/* A changed password, a disabled account and a login that ends take the session with them: an
 * approval at the same moment conflicts. */
static void an_approval_needs_the_session_to_be_there(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    decide(&p, true);
    size_t i = 0;
    while (i < p.out.effects.n && p.out.effects.v[i].kind != EFFECT_SESSION_TOUCH)
        i++;
    assert_true(i < p.out.effects.n);
    assert_memory_equal(&p.out.effects.v[i].u.session->id, &p.w.session.id, sizeof(hash_t));
    assert_int_equal(p.out.effects.v[i].u.session->seen_at, p.w.session.seen_at);
    world_end(&p.w);
}

static void interaction_unknown(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.facts.interaction = NULL;
    refused(&p, OAUTH_INTERACTION_UNKNOWN);
    p.facts.interaction = &p.interaction;
    p.interaction.state = INTERACTION_DONE; /* by a silent code: nothing to replay */
    p.interaction.decided_at = TEST_NOW;
    refused(&p, OAUTH_INTERACTION_UNKNOWN);
    world_end(&p.w);
}

static void interaction_expired(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.facts.now = p.interaction.expires_at;
    refused(&p, OAUTH_INTERACTION_EXPIRED);
    world_end(&p.w);
}

static void interaction_state(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.interaction.state = INTERACTION_LOGIN;
    refused(&p, OAUTH_INTERACTION_STATE);
    world_end(&p.w);
}

static void interaction_other_session(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.session.id = oauth_handle_hash(STR("another browser"));
    refused(&p, OAUTH_INTERACTION_OTHER_SESSION);
    p.facts.session = NULL;
    refused(&p, OAUTH_INTERACTION_OTHER_SESSION);
    world_end(&p.w);
    begin(&p);
    p.w.user.disabled = true;
    refused(&p, OAUTH_INTERACTION_OTHER_SESSION);
    world_end(&p.w);
}

static void an_answer_is_not_replayed_to_another_session(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    decide(&p, true);
    p.interaction = *p.out.effects.v[0].u.interaction;
    p.w.session.id = oauth_handle_hash(STR("another browser"));
    refused(&p, OAUTH_INTERACTION_OTHER_SESSION);
    world_end(&p.w);
}

static void client_not_registered(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.facts.client = NULL;
    refused(&p, OAUTH_CLIENT_NOT_REGISTERED);
    world_end(&p.w);
}

typedef struct {
    play_t *p;
    oauth_decision_t decision;
} starving_t;

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    starving_t *s = ctx;
    oauth_authorize_verdict_t out;
    (void)w;
    return oauth_consent_decide(a, &s->p->facts, &s->decision, &out);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    for (int approve = 0; approve < 2; approve++) {
        starving_t s = {&p, {approve, str_of(KEY, OAUTH_DERIVE_KEY_BYTES)}};
        world_starve(decide_in, &p.w, &s);
    }
    world_end(&p.w);
}

/* The client as the page showed it, by document. */
static void by_document(play_t *p)
{
    begin(p);
    p->w.client.origin = CLIENT_BY_DOCUMENT;
    p->w.client.expires_at = p->w.client.created_at = 0;
    p->w.client.document = oauth_handle_hash(STR("document"));
}

static void decide_seeing(play_t *p, bool approve, hash_t seen)
{
    const oauth_decision_t decision = {approve, str_of(KEY, OAUTH_DERIVE_KEY_BYTES), seen};
    assert_int_equal(oauth_consent_decide(p->w.a, &p->facts, &decision, &p->out), RC_OK);
}

static void a_document_is_kept_as_it_was_approved(void **state)
{
    (void)state;
    play_t p;
    by_document(&p);
    decide_seeing(&p, true, p.w.client.document);
    assert_effects(&p.out.effects, EFFECT_INTERACTION_UPDATE, EFFECT_CONSENT_PUT, EFFECT_CLIENT_PUT,
                   EFFECT_CODE_INSERT, EFFECT_SESSION_TOUCH);
    const consent_t *consent = p.out.effects.v[1].u.consent;
    const client_t *snapshot = p.out.effects.v[2].u.client;
    assert_memory_equal(&consent->document, &p.w.client.document, sizeof(hash_t));
    assert_memory_equal(&snapshot->document, &p.w.client.document, sizeof(hash_t));
    assert_int_equal(snapshot->origin, CLIENT_BY_DOCUMENT);
    assert_int_equal(snapshot->created_at, TEST_NOW);
    assert_int_equal(snapshot->used_at, TEST_NOW);
    assert_text(snapshot->name, "Client");
    world_end(&p.w);
}

static void another_document_than_the_one_shown_is_shown_first(void **state)
{
    (void)state;
    play_t p;
    by_document(&p);
    decide_seeing(&p, true, oauth_handle_hash(STR("before")));
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_no_effects(&p.out.effects);
    decide(&p, true); /* the page said nothing of it */
    assert_int_equal(p.out.kind, OAUTH_AUTHORIZE_CONSENT);
    decide_seeing(&p, false, (hash_t){{0}}); /* denied is denied */
    assert_reason(p.out.reason, OAUTH_ACCESS_DENIED);
    world_end(&p.w);
}

static void a_redirect_uri_that_is_gone_gets_no_code(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.interaction.request.redirect_uri = STR("https://c.test/gone");
    refused(&p, OAUTH_REDIRECT_URI_NOT_REGISTERED);
    world_end(&p.w);
}

/* The operator denied the host while the person read the page. */
static void redirect_uri_host(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const str_t denied = STR("c.test");
    p.w.client.origin = CLIENT_BY_REGISTRATION;
    p.w.settings.redirects.denied_hosts = (str_list_t){&denied, 1};
    refused(&p, OAUTH_REDIRECT_URI_HOST);
    p.w.client.origin = CLIENT_BY_ADMIN; /* beyond the policy */
    decide(&p, true);
    assert_reason(p.out.reason, OAUTH_FINE);
    world_end(&p.w);
}

static void a_document_that_cannot_be_had_is_said_to_be_so(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.facts.client = NULL;
    p.facts.client_reason = OAUTH_CLIENT_DOCUMENT_UNAVAILABLE;
    refused(&p, OAUTH_CLIENT_DOCUMENT_UNAVAILABLE);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_kept_as_it_was_approved),
        cmocka_unit_test(another_document_than_the_one_shown_is_shown_first),
        cmocka_unit_test(a_redirect_uri_that_is_gone_gets_no_code),
        cmocka_unit_test(a_document_that_cannot_be_had_is_said_to_be_so),
        cmocka_unit_test(approved),
        cmocka_unit_test(access_denied),
        cmocka_unit_test(a_second_click_gets_the_same_answer),
        cmocka_unit_test(the_code_needs_handle_and_key),
        cmocka_unit_test(consents_add_up_for_one_redirect_uri),
        cmocka_unit_test(consents_do_not_add_up_over_a_changed_client),
        cmocka_unit_test(an_approval_needs_the_session_to_be_there),
        cmocka_unit_test(redirect_uri_host),
        cmocka_unit_test(interaction_unknown),
        cmocka_unit_test(interaction_expired),
        cmocka_unit_test(interaction_state),
        cmocka_unit_test(interaction_other_session),
        cmocka_unit_test(an_answer_is_not_replayed_to_another_session),
        cmocka_unit_test(client_not_registered),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
