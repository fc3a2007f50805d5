/* Pushed requests: at their own endpoint, and when the browser comes with one. */
#include "oauth/pushed.h"

#include "oauth/oauth_test_world.h"

#include "oauth/consent.h"
#include "oauth/handle.h"

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define CLIENT    "client_id=client-1&client_secret=wrs_the-secret-of-the-client"
#define REST                                                                                       \
    "&redirect_uri=https://c.test/cb&state=s%20t&response_type=code&code_challenge=" CHALLENGE     \
    "&code_challenge_method=S256"
#define GOOD CLIENT REST

typedef struct {
    world_t w;
    int64_t now;
    bool unknown, full, gone;
    form_t form;
    oauth_client_claim_t claim;
    oauth_dpop_t proof; /* none, until a test puts one here */
    oauth_pushed_verdict_t out;
    pushed_t pushed; /* what the last push left */
    oauth_authorize_facts_t facts;
    authz_request_t request;
    bool fine;
    oauth_authorize_verdict_t came;
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){.now = TEST_NOW};
    world_begin(&p->w);
    p->w.client.auth = CLIENT_AUTH_SECRET_POST;
}

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    const oauth_pushed_facts_t facts = {
        .settings = &w->settings,
        .random = &w->random,
        .now = p->now,
        .resources = &w->resources,
        .claim = &p->claim,
        .client = p->unknown ? NULL : &w->client,
        .form = &p->form,
        .proof = &p->proof,
        .full = p->full,
    };
    return oauth_pushed_decide(a, &facts, &p->out);
}

static void push(play_t *p, const char *text)
{
    p->form = world_form(&p->w, text);
    assert_int_equal(oauth_client_auth_read(p->w.a, (str_list_t){0}, &p->form, &p->claim), RC_OK);
    assert_int_equal(decide_in(&p->w, p->w.a, p), RC_OK);
    assert_int_equal(p->out.event.kind, AUDIT_PUSHED);
}

static void pushes(play_t *p, const char *text)
{
    push(p, text);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_effects(&p->out.effects, EFFECT_PUSHED_INSERT);
    p->pushed = *p->out.effects.v[0].u.pushed;
}

/* The browser comes with what was pushed; `rest` stands beside it. */
static void come(play_t *p, const char *rest)
{
    str_t uri = json_get_str(world_json(&p->w, p->out.body), STR("request_uri"));
    str_t query = arena_printf(p->w.a, "client_id=client-1&request_uri=%.*s%s", STR_ARG(uri), rest);
    form_t form = world_form(&p->w, query.p);
    oauth_authorize_request_t in = oauth_authorize_read(&form, NULL);
    assert_true(in.is_pushed);
    assert_memory_equal(&in.pushed, &p->pushed.id, sizeof in.pushed);
    p->facts = (oauth_authorize_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = p->now,
        .resources = &p->w.resources,
        .client = &p->w.client,
        .session = &p->w.session,
        .user = &p->w.user,
        .pushed = p->gone ? NULL : &p->pushed,
    };
    assert_int_equal(oauth_authorize_check(p->w.a, &p->facts, &in, &p->request, &p->fine, &p->came),
                     RC_OK);
}

static void kept_from_the_browser(play_t *p, oauth_reason_t reason)
{
    come(p, "");
    assert_false(p->fine);
    assert_reason(p->came.reason, reason);
    assert_int_equal(p->came.kind, OAUTH_AUTHORIZE_PAGE);
    assert_unset(p->came.redirect);
    assert_no_effects(&p->came.effects);
}

static void a_request_is_kept_without_credentials(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    pushes(&p, GOOD "&resource=https://rs.test/mcp&scope=a:write&foo=bar");
    assert_int_equal(p.out.status, 201);
    const json_t *body = world_json(&p.w, p.out.body);
    str_t uri = json_get_str(body, STR("request_uri"));
    assert_true(str_starts(uri, STR("urn:ietf:params:oauth:request_uri:wrp_")));
    assert_text(json_get(body, STR("expires_in"))->raw, "90");
    assert_text(p.pushed.client_id, "client-1");
    assert_unset(p.pushed.dpop_jkt);
    assert_int_equal(p.pushed.expires_at, TEST_NOW + 90 + p.w.settings.interaction_lifetime);
    assert_false(str_contains(p.pushed.form, STR("secret")));
    assert_false(str_contains(p.pushed.form, STR("foo")));
    assert_false(str_contains(p.pushed.form, STR("client")));
    assert_int_equal(p.out.effects.v[0].quota.max_rows, p.w.settings.max_pushed);
    assert_true(p.out.event.allowed);
    assert_text(p.out.event.scope, "a:write");
    assert_text(p.out.event.client, "client-1");
    world_end(&p.w);
}

/* attack case: PAR-004 */
static void only_what_was_pushed_counts(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    pushes(&p, GOOD "&scope=a:read");
    come(&p, "&scope=a:write&redirect_uri=https://evil.test/cb&state=other&response_type=token"
             "&request=e30.e30.&max_age=x");
    assert_true(p.fine);
    assert_text(p.request.scope, "a:read");
    assert_text(p.request.redirect_uri, "https://c.test/cb");
    assert_text(p.request.state, "s t");
    assert_unset(p.request.dpop_jkt);
    assert_memory_equal(&p.request.pushed, &p.pushed.id, sizeof(hash_t));
    come(&p, ""); /* loaded again, before anybody has decided */
    assert_true(p.fine);
    world_end(&p.w);
}

static void pushed_unknown(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    pushes(&p, GOOD);
    p.gone = true;
    kept_from_the_browser(&p, OAUTH_PUSHED_UNKNOWN);
    world_end(&p.w);
}

static void pushed_expired(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    pushes(&p, GOOD);
    p.now = TEST_NOW + 89;
    come(&p, "");
    assert_true(p.fine);
    p.now = TEST_NOW + 90;
    kept_from_the_browser(&p, OAUTH_PUSHED_EXPIRED);
    world_end(&p.w);
}

/* attack case: PAR-001 */
static void pushed_other_client(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    pushes(&p, GOOD);
    p.pushed.client_id = STR("client-2");
    kept_from_the_browser(&p, OAUTH_PUSHED_OTHER_CLIENT);
    p.pushed.client_id = STR("client-1");
    come(&p, "");
    assert_true(p.fine);
    world_end(&p.w);
}

static void pushed_required(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    const form_t form = world_form(&p.w, "client_id=client-1" REST);
    const oauth_authorize_request_t in = oauth_authorize_read(&form, NULL);
    for (int by_client = 0; by_client < 2; by_client++) {
        p.w.settings.pushed_required = !by_client;
        p.w.client.par_required = by_client;
        pushes(&p, GOOD);
        come(&p, "");
        assert_true(p.fine);
        assert_int_equal(oauth_authorize_check(p.w.a, &p.facts, &in, &p.request, &p.fine, &p.came),
                         RC_OK);
        assert_false(p.fine);
        assert_reason(p.came.reason, OAUTH_PUSHED_REQUIRED);
        assert_text(world_parameter(&p.w, p.came.redirect, "error"), "invalid_request");
    }
    world_end(&p.w);
}

static void refused(play_t *p, const char *text, oauth_reason_t reason, const char *error)
{
    push(p, text);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(world_json(&p->w, p->out.body), STR("error")), str_c(error));
    assert_no_effects(&p->out.effects);
    assert_false(p->out.event.allowed);
}

/* attack case: PAR-005 */
static void the_checks_of_the_authorization_endpoint(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        oauth_reason_t reason;
        const char *error;
    } ROWS[] = {
        {"client_id=client-1" REST, OAUTH_CLIENT_AUTH_METHOD, "invalid_client"},
        {"client_id=client-1&client_secret=wrong" REST, OAUTH_CLIENT_AUTH_SECRET, "invalid_client"},
        {"state=x" REST, OAUTH_CLIENT_AUTH_MISSING, "invalid_client"},
        {CLIENT "&redirect_uri=https://evil.test/cb&response_type=code",
         OAUTH_REDIRECT_URI_NOT_REGISTERED, "invalid_request"},
        {CLIENT "&redirect_uri=https://c.test/cb&response_type=code", OAUTH_PKCE_MISSING,
         "invalid_request"},
        {CLIENT "&response_type=code&code_challenge_method=plain&code_challenge=" CHALLENGE,
         OAUTH_PKCE_METHOD, "invalid_request"},
        {GOOD "&state=again", OAUTH_PARAMETER_REPEATED, "invalid_request"},
        {GOOD "&client_id=client-1", OAUTH_PARAMETER_REPEATED, "invalid_request"},
        {GOOD "&request_uri=https://evil.test/r", OAUTH_PUSHED_REQUEST_URI, "invalid_request"},
        {GOOD "&request_uri=urn:ietf:params:oauth:request_uri:x", OAUTH_PUSHED_REQUEST_URI,
         "invalid_request"},
        {GOOD "&request=e30.e30.", OAUTH_REQUEST_NOT_SUPPORTED, "request_not_supported"},
        {GOOD "&resource=https://unknown.test", OAUTH_RESOURCE_UNKNOWN, "invalid_target"},
        {GOOD "&acr_values=phr", OAUTH_ACR_UNMET, "unmet_authentication_requirements"},
        {GOOD "&scope=%22", OAUTH_SCOPE_MALFORMED, "invalid_scope"},
    };
    play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        refused(&p, ROWS[i].body, ROWS[i].reason, ROWS[i].error);
    p.unknown = true;
    refused(&p, GOOD, OAUTH_CLIENT_UNKNOWN, "invalid_client");
    p.unknown = false;
    pushes(&p, GOOD);
    world_end(&p.w);
}

static void pushed_request_uri(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    refused(&p, GOOD "&request_uri=a&request_uri=b", OAUTH_PUSHED_REQUEST_URI, "invalid_request");
    pushes(&p, GOOD "&request_uri=");
    world_end(&p.w);
}

#define JKT  "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
#define JKT2 "1ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

/* RFC 9449 section 10.1 */
static void the_key_of_the_proof_is_the_key_of_the_code(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.proof = (oauth_dpop_t){.jkt = STR(JKT), .jti = STR("j"), .iat = TEST_NOW};
    push(&p, GOOD "&dpop_jkt=" JKT);
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_effects(&p.out.effects, EFFECT_PUSHED_INSERT, EFFECT_SPEND);
    p.pushed = *p.out.effects.v[0].u.pushed;
    come(&p, "");
    assert_text(p.request.dpop_jkt, JKT);
    push(&p, GOOD);
    p.pushed = *p.out.effects.v[0].u.pushed;
    come(&p, "&dpop_jkt=" JKT2);
    assert_text(p.request.dpop_jkt, JKT);
    p.proof = (oauth_dpop_t){.reason = OAUTH_FINE};
    pushes(&p, GOOD "&dpop_jkt=" JKT2); /* named without a proof */
    come(&p, "");
    assert_text(p.request.dpop_jkt, JKT2);
    world_end(&p.w);
}

static void dpop_jkt_other(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.proof = (oauth_dpop_t){.jkt = STR(JKT), .jti = STR("j"), .iat = TEST_NOW};
    refused(&p, GOOD "&dpop_jkt=" JKT2, OAUTH_DPOP_JKT_OTHER, "invalid_dpop_proof");
    p.proof = (oauth_dpop_t){.reason = OAUTH_DPOP_SIGNATURE};
    refused(&p, GOOD, OAUTH_DPOP_SIGNATURE, "invalid_dpop_proof");
    world_end(&p.w);
}

static void pushed_full(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.full = true;
    refused(&p, GOOD, OAUTH_PUSHED_FULL, "temporarily_unavailable");
    world_end(&p.w);
}

static void a_public_client_names_itself(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.w.client.auth = CLIENT_AUTH_NONE;
    pushes(&p, "client_id=client-1" REST);
    world_end(&p.w);
}

static bool consumes(const effects_t *effects, const hash_t *id)
{
    for (size_t i = 0; i < effects->n; i++)
        if (effects->v[i].kind == EFFECT_PUSHED_CONSUME)
            return memcmp(effects->v[i].u.hash, id, sizeof *id) == 0;
    return false;
}

/* attack case: PAR-001 */
static void whatever_ends_it_consumes_it(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    pushes(&p, GOOD);
    come(&p, "");
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &p.request, &p.came), RC_OK);
    assert_int_equal(p.came.kind, OAUTH_AUTHORIZE_CONSENT);
    assert_false(consumes(&p.came.effects, &p.pushed.id));
    interaction_t waiting = *p.came.interaction;
    p.facts.interaction = &waiting;
    p.facts.handle = p.came.handle;
    for (int approve = 0; approve < 2; approve++) {
        const oauth_decision_t decision = {approve, STR("0123456789abcdef0123456789abcdef")};
        assert_int_equal(oauth_consent_decide(p.w.a, &p.facts, &decision, &p.came), RC_OK);
        assert_int_equal(p.came.kind, OAUTH_AUTHORIZE_REDIRECT);
        assert_true(consumes(&p.came.effects, &p.pushed.id));
    }
    p.facts.pushed = NULL; /* another window was faster */
    const oauth_decision_t decision = {true, STR("0123456789abcdef0123456789abcdef")};
    assert_int_equal(oauth_consent_decide(p.w.a, &p.facts, &decision, &p.came), RC_OK);
    assert_reason(p.came.reason, OAUTH_PUSHED_UNKNOWN);
    assert_unset(p.came.redirect);
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &waiting.request, &p.came), RC_OK);
    assert_reason(p.came.reason, OAUTH_PUSHED_UNKNOWN);
    world_end(&p.w);
}

static void a_silent_code_consumes_it(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    pushes(&p, GOOD);
    come(&p, "");
    const consent_t consent = {
        .user_id = p.w.user.id,
        .client_id = p.w.client.id,
        .resource = p.request.resource,
        .redirect_uri = p.request.redirect_uri,
        .scope = p.request.scope,
    };
    p.facts.consent = &consent;
    assert_int_equal(oauth_authorize_next(p.w.a, &p.facts, &p.request, &p.came), RC_OK);
    assert_int_equal(p.came.kind, OAUTH_AUTHORIZE_REDIRECT);
    assert_effects(&p.came.effects, EFFECT_CODE_INSERT, EFFECT_PUSHED_CONSUME, EFFECT_SESSION_TOUCH,
                   EFFECT_CLIENT_KEEP, EFFECT_CONSENT_USE);
    world_end(&p.w);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    pushes(&p, GOOD);
    world_starve(decide_in, &p.w, &p);
    push(&p, GOOD "&resource=https://x.test");
    world_starve(decide_in, &p.w, &p);
    push(&p, GOOD);
    p.w.random = world_no_random();
    assert_int_equal(decide_in(&p.w, p.w.a, &p), RC_IO);
    world_end(&p.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_kept_without_credentials),
        cmocka_unit_test(only_what_was_pushed_counts),
        cmocka_unit_test(pushed_unknown),
        cmocka_unit_test(pushed_expired),
        cmocka_unit_test(pushed_other_client),
        cmocka_unit_test(pushed_required),
        cmocka_unit_test(the_checks_of_the_authorization_endpoint),
        cmocka_unit_test(pushed_request_uri),
        cmocka_unit_test(the_key_of_the_proof_is_the_key_of_the_code),
        cmocka_unit_test(dpop_jkt_other),
        cmocka_unit_test(pushed_full),
        cmocka_unit_test(a_public_client_names_itself),
        cmocka_unit_test(whatever_ends_it_consumes_it),
        cmocka_unit_test(a_silent_code_consumes_it),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
