#include "oauth/oauth_test_token.h"

#include "oauth/handle.h"

static void make_code(token_play_t *p)
{
    p->code = (code_t){
        .id = oauth_handle_hash(STR("the-code")),
        .family_id = STR("family-1"),
        .user_id = p->w.user.id,
        .auth_time = TEST_NOW - 20,
        .acr = STR("urn:acr"),
        .created_at = TEST_NOW - 10,
        .expires_at = TEST_NOW + 50,
        .request =
            {
                .client_id = p->w.client.id,
                .redirect_uri = STR("https://c.test/cb"),
                .code_challenge = STR(TEST_CHALLENGE),
                .scope = STR("a:read a:write"),
                .resource = STR("https://rs.test/mcp"),
            },
    };
}

static void make_family(token_play_t *p)
{
    p->family = (family_t){
        .id = STR("family-1"),
        .client_id = p->w.client.id,
        .user_id = p->w.user.id,
        .scope = STR("a:read a:write"),
        .resource = STR("https://rs.test/mcp"),
        .auth_time = TEST_NOW - 20,
        .acr = STR("urn:acr"),
        .created_at = TEST_NOW - 10,
        .expires_at = TEST_NOW + 10000000,
    };
    p->refresh = (refresh_t){
        .id = oauth_handle_hash(STR("the-refresh")),
        .family_id = p->family.id,
        .created_at = TEST_NOW - 10,
        .expires_at = TEST_NOW + 1000,
    };
}

static void make_device(token_play_t *p)
{
    p->device = (device_t){
        .id = oauth_handle_hash(STR("the-device")),
        .user_code = STR("WDJBMJHT"),
        .state = DEVICE_APPROVED,
        .client_id = p->w.client.id,
        .scope = STR("a:read"),
        .resource = STR("https://rs.test/mcp"),
        .user_id = p->w.user.id,
        .family_id = STR("family-2"),
        .auth_time = TEST_NOW - 20,
        .acr = STR("urn:acr"),
        .created_at = TEST_NOW - 60,
        .expires_at = TEST_NOW + 100,
        .polled_at = TEST_NOW - 5,
        .interval_s = 5,
    };
}

void token_begin(token_play_t *p)
{
    *p = (token_play_t){.now = TEST_NOW};
    world_begin(&p->w);
    p->w.settings.registrable_grants = UINT32_MAX;
    p->random = p->w.random;
    p->w.client.expires_at = 0; /* in use */
    make_code(p);
    make_family(p);
    make_device(p);
}

void token_end(token_play_t *p)
{
    world_end(&p->w);
}

static bool is_hash(const token_play_t *p, const hash_t *id)
{
    return p->request.has_hash && memcmp(&p->request.hash, id, sizeof *id) == 0;
}

/* As the store would: the records of the hash that was asked for, with their family. */
static void gather(token_play_t *p)
{
    bool code = is_hash(p, &p->code.id) && !p->no_code;
    bool refresh = is_hash(p, &p->refresh.id) && !p->no_refresh;
    bool client = str_eq(p->claim.client_id, p->w.client.id) && !p->no_client;
    bool family = (refresh || (code && p->code.consumed_at != 0)) && !p->no_family;
    p->facts = (oauth_token_facts_t){
        .settings = &p->w.settings,
        .random = &p->random,
        .now = p->now,
        .resources = &p->w.resources,
        .claim = &p->claim,
        .request = &p->request,
        .client = client ? &p->w.client : NULL,
        .code = code ? &p->code : NULL,
        .refresh = refresh ? &p->refresh : NULL,
        .family = family ? &p->family : NULL,
        .device = is_hash(p, &p->device.id) ? &p->device : NULL,
        .owner = p->no_owner ? NULL : &p->w.user,
        .subject = p->subject,
        .actor = p->actor,
        .proof = &p->proof,
        .seen = p->seen,
    };
}

/* The assertion of a jwt-bearer grant goes its two steps. */
static void gather_bearer(token_play_t *p)
{
    const oauth_bearer_facts_t facts = {
        .settings = &p->w.settings, .now = p->now, .issuer_jwks = p->issuer_jwks, .seen = p->seen};
    if (p->request.grant != GRANT_JWT_BEARER)
        return;
    assert_int_equal(oauth_bearer_read(p->w.a, &p->w.settings, &p->form, &p->bearer_read), RC_OK);
    assert_int_equal(oauth_bearer_check(p->w.a, &facts, &p->bearer_read, &p->bearer), RC_OK);
    p->request.bearer = &p->bearer;
    p->facts.owner = p->person;
}

void token_ask(token_play_t *p, const char *form)
{
    p->form = world_form(&p->w, form);
    assert_int_equal(oauth_client_auth_read(p->w.a, (str_list_t){0}, &p->form, &p->claim), RC_OK);
    assert_int_equal(oauth_token_read(p->w.a, &p->form, &p->request), RC_OK);
    gather(p);
    gather_bearer(p);
    assert_int_equal(oauth_token_decide(p->w.a, &p->facts, &p->out), RC_OK);
}

void token_prove(token_play_t *p, const char *jkt)
{
    p->proof = (oauth_dpop_t){.jkt = str_c(jkt), .jti = STR("proof-1"), .iat = TEST_NOW};
}

void token_refused(token_play_t *p, const char *form, oauth_reason_t reason)
{
    token_ask(p, form);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(world_json(&p->w, p->out.body), STR("error")),
               oauth_reason_error(reason));
    assert_no_effects(&p->out.effects);
    assert_unset(p->out.claims);
    assert_unset(p->out.refresh_token);
    assert_int_equal(p->out.event.kind, AUDIT_TOKEN);
    assert_false(p->out.event.allowed);
    assert_str(p->out.event.reason, oauth_reason_name(reason));
}

str_t token_claim(token_play_t *p, const char *name)
{
    return json_get_str(world_json(&p->w, p->out.claims), str_c(name));
}

rc_t token_decide_in(world_t *w, arena_t *a, void *ctx)
{
    token_play_t *p = ctx;
    oauth_token_verdict_t out;
    str_t body;
    (void)w;
    rc_t rc = oauth_token_decide(a, &p->facts, &out);
    if (rc == RC_OK && out.reason == OAUTH_FINE)
        rc = oauth_token_answer(a, &out, STR("a.b.c"), &body);
    return rc;
}
