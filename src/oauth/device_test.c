/* A device asks, a person types its code and decides. */
#include "oauth/device.h"

#include "oauth/oauth_test_world.h"

#include "oauth/consent.h"
#include "oauth/handle.h"
#include "oauth/user_code.h"

#define GOOD "client_id=client-1"

static const char KEY[] = "0123456789abcdef0123456789abcdef";

typedef struct {
    world_t w;
    bool full;
    form_t form;
    oauth_client_claim_t claim;
    oauth_dpop_t proof; /* none, until a test puts one here */
    oauth_device_verdict_t out;
    device_t device; /* what the last one left */
    interaction_t interaction;
    authz_request_t request;
    oauth_authorize_facts_t facts;
    oauth_authorize_verdict_t came;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){0};
    world_begin(&p->w);
    p->w.client.grants = GRANT_DEVICE_CODE | GRANT_REFRESH_TOKEN;
    p->w.settings.registrable_grants |= GRANT_DEVICE_CODE;
    p->w.client.redirect_uris = (str_list_t){NULL, 0};
    p->w.session.acr = STR("urn:acr");
}

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    const oauth_device_facts_t facts = {
        .settings = &w->settings,
        .random = &w->random,
        .now = TEST_NOW,
        .resources = &w->resources,
        .claim = &p->claim,
        .client = &w->client,
        .form = &p->form,
        .proof = &p->proof,
        .full = p->full,
    };
    return oauth_device_decide(a, &facts, &p->out);
}

static void ask(play_t *p, const char *text)
{
    p->form = world_form(&p->w, text);
    assert_int_equal(oauth_client_auth_read(p->w.a, (str_list_t){0}, &p->form, &p->claim), RC_OK);
    assert_int_equal(decide_in(&p->w, p->w.a, p), RC_OK);
    assert_int_equal(p->out.event.kind, AUDIT_DEVICE);
}

static void asks(play_t *p, const char *text)
{
    ask(p, text);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_effects(&p->out.effects, EFFECT_DEVICE_INSERT);
    p->device = *p->out.effects.v[0].u.device;
}

static void refused(play_t *p, const char *text, oauth_reason_t reason)
{
    ask(p, text);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(world_json(&p->w, p->out.body), STR("error")),
               oauth_reason_error(reason));
    assert_no_effects(&p->out.effects);
    assert_false(p->out.event.allowed);
}

static void what_the_device_gets(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    asks(&p, GOOD "&scope=a:write&resource=https://rs.test/mcp");
    assert_int_equal(p.out.status, 200);
    const json_t *body = world_json(&p.w, p.out.body);
    hash_t hash = oauth_handle_hash(json_get_str(body, STR("device_code")));
    assert_memory_equal(&hash, &p.device.id, sizeof hash);
    str_t shown = json_get_str(body, STR("user_code"));
    assert_int_equal(shown.n, 9);
    assert_str(shown, oauth_user_code_show(p.w.a, p.device.user_code));
    assert_text(json_get_str(body, STR("verification_uri")), "https://as.test/device");
    str_t complete = json_get_str(body, STR("verification_uri_complete"));
    assert_str(world_parameter(&p.w, complete, "user_code"), shown);
    assert_text(json_get(body, STR("expires_in"))->raw, "600");
    assert_text(json_get(body, STR("interval"))->raw, "5");
    assert_int_equal(p.device.state, DEVICE_PENDING);
    assert_int_equal(p.device.expires_at, TEST_NOW + 600);
    assert_text(p.device.scope, "a:write");
    assert_unset(p.device.dpop_jkt);
    assert_int_equal(p.out.effects.v[0].quota.max_rows, p.w.settings.max_devices);
    assert_true(p.out.event.allowed);
    world_end(&p.w);
}

static void who_may_not_ask(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    refused(&p, "scope=a:read", OAUTH_CLIENT_AUTH_MISSING);
    refused(&p, GOOD "&client_secret=x", OAUTH_CLIENT_AUTH_METHOD);
    refused(&p, GOOD "&resource=https://unknown.test", OAUTH_RESOURCE_UNKNOWN);
    refused(&p, GOOD "&scope=%22", OAUTH_SCOPE_MALFORMED);
    refused(&p, GOOD "&scope=a:read&scope=a:write", OAUTH_PARAMETER_REPEATED);
    p.w.client.grants = GRANT_AUTHORIZATION_CODE;
    refused(&p, GOOD, OAUTH_GRANT_NOT_REGISTERED);
    p.w.client.grants = GRANT_DEVICE_CODE; /* registered when strangers still might */
    p.w.settings.registrable_grants = GRANT_AUTHORIZATION_CODE;
    refused(&p, GOOD, OAUTH_GRANT_NOT_REGISTERED);
    p.w.client.origin = CLIENT_BY_ADMIN;
    ask(&p, GOOD);
    assert_reason(p.out.reason, OAUTH_FINE);
    p.w.client.grants = GRANT_DEVICE_CODE;
    asks(&p, GOOD);
    assert_text(p.device.scope, "a:read");
    world_end(&p.w);
}

static void a_key_may_be_named_from_the_start(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.proof = (oauth_dpop_t){.jkt = STR("thumb"), .jti = STR("j"), .iat = TEST_NOW};
    ask(&p, GOOD);
    assert_effects(&p.out.effects, EFFECT_DEVICE_INSERT, EFFECT_SPEND);
    assert_text(p.out.effects.v[0].u.device->dpop_jkt, "thumb");
    assert_reason(oauth_device_open(p.out.effects.v[0].u.device, TEST_NOW, &p.request), OAUTH_FINE);
    assert_text(p.request.dpop_jkt, "thumb");
    p.proof = (oauth_dpop_t){.reason = OAUTH_DPOP_KEY};
    refused(&p, GOOD, OAUTH_DPOP_KEY);
    world_end(&p.w);
}

static void device_full(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.full = true;
    refused(&p, GOOD, OAUTH_DEVICE_FULL);
    world_end(&p.w);
}

static void user_code_unknown(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    asks(&p, GOOD);
    assert_reason(oauth_device_open(NULL, TEST_NOW, &p.request), OAUTH_USER_CODE_UNKNOWN);
    assert_reason(oauth_device_open(&p.device, p.device.expires_at, &p.request),
                  OAUTH_USER_CODE_UNKNOWN);
    for (device_state_t s = DEVICE_APPROVED; s <= DEVICE_CONSUMED; s++) {
        p.device.state = s;
        assert_reason(oauth_device_open(&p.device, TEST_NOW, &p.request), OAUTH_USER_CODE_UNKNOWN);
    }
    const audit_event_t event = oauth_device_event(OAUTH_USER_CODE_UNKNOWN, &p.w.user, STR_UNSET);
    assert_int_equal(event.kind, AUDIT_DEVICE);
    assert_false(event.allowed);
    assert_text(event.user, "user-1");
    world_end(&p.w);
}

/* The person has typed the code, and stands before the consent page. */
static void come(play_t *p)
{
    asks(p, GOOD "&scope=a:write");
    assert_reason(oauth_device_open(&p->device, TEST_NOW, &p->request), OAUTH_FINE);
    p->facts = (oauth_authorize_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = TEST_NOW,
        .resources = &p->w.resources,
        .client = &p->w.client,
        .session = &p->w.session,
        .user = &p->w.user,
        .device = &p->device,
    };
    assert_int_equal(oauth_authorize_next(p->w.a, &p->facts, &p->request, &p->came), RC_OK);
    assert_int_equal(p->came.kind, OAUTH_AUTHORIZE_CONSENT);
    p->interaction = *p->came.interaction;
    p->facts.interaction = &p->interaction;
    p->facts.handle = p->came.handle;
}

static void choose(play_t *p, bool approve)
{
    const oauth_decision_t decision = {approve, str_of(KEY, OAUTH_DERIVE_KEY_BYTES)};
    assert_int_equal(oauth_consent_decide(p->w.a, &p->facts, &decision, &p->came), RC_OK);
}

static void approved_by_a_person(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    come(&p);
    choose(&p, true);
    assert_int_equal(p.came.kind, OAUTH_AUTHORIZE_DEVICE);
    assert_reason(p.came.reason, OAUTH_FINE);
    assert_unset(p.came.redirect);
    assert_effects(&p.came.effects, EFFECT_INTERACTION_UPDATE, EFFECT_CONSENT_PUT,
                   EFFECT_DEVICE_DECIDE, EFFECT_SESSION_TOUCH, EFFECT_CLIENT_KEEP);
    assert_text(p.came.effects.v[1].u.consent->redirect_uri, "");
    const device_t *device = p.came.effects.v[2].u.device;
    assert_int_equal(device->state, DEVICE_APPROVED);
    assert_text(device->user_id, "user-1");
    assert_text(device->scope, "a:write");
    assert_text(device->acr, "urn:acr");
    assert_int_equal(device->auth_time, p.w.session.auth_time);
    assert_true(device->family_id.n > 0);
    assert_int_equal(p.came.event.kind, AUDIT_CONSENT);
    assert_true(p.came.has_event && p.came.event.allowed);
    assert_str(p.came.event.family, device->family_id);
    p.interaction = *p.came.effects.v[0].u.interaction; /* clicked twice */
    choose(&p, true);
    assert_int_equal(p.came.kind, OAUTH_AUTHORIZE_DEVICE);
    assert_reason(p.came.reason, OAUTH_FINE);
    assert_no_effects(&p.came.effects);
    assert_false(p.came.has_event);
    world_end(&p.w);
}

/* Without its row nobody could see the client in the account, nor end what it has. */
static void a_client_by_document_is_kept_as_it_was_shown(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.client.origin = CLIENT_BY_DOCUMENT;
    come(&p);
    choose(&p, true);
    assert_reason(p.came.reason, OAUTH_FINE);
    assert_effects(&p.came.effects, EFFECT_INTERACTION_UPDATE, EFFECT_CONSENT_PUT,
                   EFFECT_CLIENT_PUT, EFFECT_DEVICE_DECIDE, EFFECT_SESSION_TOUCH);
    assert_str(p.came.effects.v[2].u.client->id, p.w.client.id);
    world_end(&p.w);
}

static void denied_by_a_person(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    come(&p);
    choose(&p, false);
    assert_int_equal(p.came.kind, OAUTH_AUTHORIZE_DEVICE);
    assert_reason(p.came.reason, OAUTH_ACCESS_DENIED);
    assert_effects(&p.came.effects, EFFECT_INTERACTION_UPDATE, EFFECT_DEVICE_DECIDE);
    assert_int_equal(p.came.effects.v[1].u.device->state, DEVICE_DENIED);
    assert_unset(p.came.effects.v[1].u.device->user_id);
    assert_int_equal(p.came.event.kind, AUDIT_CONSENT);
    assert_false(p.came.event.allowed);
    world_end(&p.w);
}

static void device_gone(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    come(&p);
    p.device.state = DEVICE_DENIED; /* in another window */
    choose(&p, true);
    assert_reason(p.came.reason, OAUTH_DEVICE_GONE);
    assert_no_effects(&p.came.effects);
    p.facts.device = NULL;
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &p.interaction.request, &p.came), RC_OK);
    assert_reason(p.came.reason, OAUTH_DEVICE_GONE);
    assert_int_equal(p.came.kind, OAUTH_AUTHORIZE_PAGE);
    world_end(&p.w);
}

/* What was approved before, for whatever redirect URI, lets no device in. */
static void never_silent(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    come(&p);
    const consent_t consent = {
        .user_id = p.w.user.id,
        .client_id = p.w.client.id,
        .resource = p.request.resource,
        .redirect_uri = STR(""),
        .scope = STR("a:read a:write"),
    };
    p.facts.consent = &consent;
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &p.interaction.request, &p.came), RC_OK);
    assert_int_equal(p.came.kind, OAUTH_AUTHORIZE_CONSENT);
    choose(&p, true);
    assert_text(p.came.effects.v[1].u.consent->scope, "a:read a:write");
    world_end(&p.w);
}

static rc_t choose_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    const oauth_decision_t decision = {true, str_of(KEY, OAUTH_DERIVE_KEY_BYTES)};
    (void)w;
    return oauth_consent_decide(a, &p->facts, &decision, &p->came);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    come(&p);
    world_starve(decide_in, &p.w, &p);
    world_starve(choose_in, &p.w, &p);
    p.w.random = world_no_random();
    assert_int_equal(decide_in(&p.w, p.w.a, &p), RC_IO);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_device_gets),
        cmocka_unit_test(who_may_not_ask),
        cmocka_unit_test(a_key_may_be_named_from_the_start),
        cmocka_unit_test(device_full),
        cmocka_unit_test(user_code_unknown),
        cmocka_unit_test(approved_by_a_person),
        cmocka_unit_test(a_client_by_document_is_kept_as_it_was_shown),
        cmocka_unit_test(denied_by_a_person),
        cmocka_unit_test(device_gone),
        cmocka_unit_test(never_silent),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
