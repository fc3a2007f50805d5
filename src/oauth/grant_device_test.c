#include "oauth/oauth_test_token.h"

#define FRONT "client_id=client-1&grant_type=urn:ietf:params:oauth:grant-type:device_code"
#define GOOD  FRONT "&device_code=the-device"

static void begin(token_play_t *p)
{
    token_begin(p);
    p->w.client.grants = GRANT_DEVICE_CODE | GRANT_REFRESH_TOKEN;
}

static void redeems(token_play_t *p)
{
    token_ask(p, GOOD);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_true(str_is_set(p->out.claims));
}

static void refused(token_play_t *p, const char *form, oauth_reason_t reason, const char *error)
{
    token_refused(p, form, reason);
    assert_str(oauth_reason_error(reason), str_c(error));
    assert_false(p->out.quiet);
}

static void an_approved_device_opens_a_family(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    redeems(&p);
    assert_effects(&p.out.effects, EFFECT_DEVICE_CONSUME, EFFECT_FAMILY_INSERT,
                   EFFECT_REFRESH_INSERT);
    assert_memory_equal(p.out.effects.v[0].u.hash, &p.device.id, sizeof(hash_t));
    const family_t *family = p.out.effects.v[1].u.family;
    assert_text(family->id, "family-2");
    assert_text(family->user_id, "user-1");
    assert_text(family->client_id, "client-1");
    assert_text(family->scope, "a:read");
    assert_text(family->resource, "https://rs.test/mcp");
    assert_text(family->acr, "urn:acr");
    assert_text(family->redirect_uri, "");
    assert_int_equal(family->auth_time, TEST_NOW - 20);
    assert_int_equal(family->expires_at, TEST_NOW + p.w.settings.refresh_token_lifetime);
    assert_text(token_claim(&p, "sub"), "user-1");
    assert_text(token_claim(&p, "acr"), "urn:acr");
    assert_true(p.out.event.allowed);
    assert_text(p.out.event.family, "family-2");
    p.w.client.grants = GRANT_DEVICE_CODE;
    redeems(&p);
    assert_unset(p.out.refresh_token);
    token_end(&p);
}

/* RFC 8628 section 3.5: from one poll to the next. */
static void polls(token_play_t *p, int64_t after_s, oauth_reason_t reason, int64_t interval_s)
{
    p->now += after_s;
    token_ask(p, GOOD);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, 400);
    assert_true(p->out.quiet);
    assert_effects(&p->out.effects, EFFECT_DEVICE_POLL);
    const device_t *polled = p->out.effects.v[0].u.device;
    assert_int_equal(polled->polled_at, p->now);
    assert_int_equal(polled->interval_s, interval_s);
    assert_unset(p->out.claims);
    p->device = *polled;
}

static void device_pending(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.device.state = DEVICE_PENDING;
    p.device.polled_at = 0;
    polls(&p, 0, OAUTH_DEVICE_PENDING, 5); /* the first one comes when it likes */
    polls(&p, 5, OAUTH_DEVICE_PENDING, 5);
    assert_text(oauth_reason_error(OAUTH_DEVICE_PENDING), "authorization_pending");
    p.device.state = DEVICE_APPROVED;
    redeems(&p);
    token_end(&p);
}

static void device_slow_down(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.device.state = DEVICE_PENDING;
    polls(&p, 0, OAUTH_DEVICE_PENDING, 5);
    polls(&p, 4, OAUTH_DEVICE_SLOW_DOWN, 10);
    polls(&p, 9, OAUTH_DEVICE_SLOW_DOWN, 15);
    polls(&p, 15, OAUTH_DEVICE_PENDING, 15);
    assert_text(oauth_reason_error(OAUTH_DEVICE_SLOW_DOWN), "slow_down");
    token_end(&p);
}

static void device_denied(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.device.state = DEVICE_DENIED;
    refused(&p, GOOD, OAUTH_DEVICE_DENIED, "access_denied");
    token_end(&p);
}

static void device_code_expired(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.now = p.device.expires_at;
    refused(&p, GOOD, OAUTH_DEVICE_CODE_EXPIRED, "expired_token");
    p.device.state = DEVICE_PENDING;
    refused(&p, GOOD, OAUTH_DEVICE_CODE_EXPIRED, "expired_token");
    token_end(&p);
}

static void device_code_used(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.device.state = DEVICE_CONSUMED;
    refused(&p, GOOD, OAUTH_DEVICE_CODE_USED, "invalid_grant");
    token_end(&p);
}

static void device_code_other_client(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.device.client_id = STR("client-2");
    refused(&p, GOOD, OAUTH_DEVICE_CODE_OTHER_CLIENT, "invalid_grant");
    p.device.state = DEVICE_PENDING; /* and its owner's polls are not disturbed */
    refused(&p, GOOD, OAUTH_DEVICE_CODE_OTHER_CLIENT, "invalid_grant");
    p.device.client_id = STR("client-1");
    p.device.state = DEVICE_APPROVED;
    redeems(&p);
    token_end(&p);
}

static void device_code_other_key(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.device.dpop_jkt = STR("thumb");
    refused(&p, GOOD, OAUTH_DEVICE_CODE_OTHER_KEY, "invalid_grant");
    p.device.state = DEVICE_PENDING;
    refused(&p, GOOD, OAUTH_DEVICE_CODE_OTHER_KEY, "invalid_grant");
    p.device.state = DEVICE_APPROVED;
    token_prove(&p, "thumb");
    redeems(&p);
    assert_text(p.out.effects.v[1].u.family->jkt, "thumb");
    assert_text(p.out.jkt, "thumb");
    token_end(&p);
}

static void device_code_missing(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    refused(&p, FRONT, OAUTH_DEVICE_CODE_MISSING, "invalid_request");
    refused(&p, GOOD "&device_code=the-device", OAUTH_PARAMETER_REPEATED, "invalid_request");
    token_end(&p);
}

static void device_code_unknown(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    refused(&p, FRONT "&device_code=another", OAUTH_DEVICE_CODE_UNKNOWN, "invalid_grant");
    redeems(&p);
    token_end(&p);
}

static void user_gone(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.w.user.disabled = true;
    refused(&p, GOOD, OAUTH_USER_GONE, "invalid_grant");
    token_end(&p);
}

static void only_clients_that_are_registered_for_it(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.w.client.grants = GRANT_AUTHORIZATION_CODE;
    refused(&p, GOOD, OAUTH_GRANT_NOT_REGISTERED, "unauthorized_client");
    token_end(&p);
}

static void without_memory(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    redeems(&p);
    world_starve(token_decide_in, &p.w, &p);
    p.device.state = DEVICE_PENDING;
    world_starve(token_decide_in, &p.w, &p);
    token_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_approved_device_opens_a_family),
        cmocka_unit_test(device_pending),
        cmocka_unit_test(device_slow_down),
        cmocka_unit_test(device_denied),
        cmocka_unit_test(device_code_expired),
        cmocka_unit_test(device_code_used),
        cmocka_unit_test(device_code_other_client),
        cmocka_unit_test(device_code_other_key),
        cmocka_unit_test(device_code_missing),
        cmocka_unit_test(device_code_unknown),
        cmocka_unit_test(user_gone),
        cmocka_unit_test(only_clients_that_are_registered_for_it),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
