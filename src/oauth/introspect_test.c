#include "oauth/oauth_test_tokens.h"

typedef struct {
    tokens_play_t t;
    str_t resources[2];
    oauth_introspect_facts_t facts;
    oauth_introspect_verdict_t out;
} play_t;

/* client-1 is the server of https://rs.test/mcp, and its tokens are another client's. */
static void begin(play_t *p)
{
    *p = (play_t){0};
    tokens_begin(&p->t);
    p->resources[0] = STR("https://rs.test/mcp");
    p->t.w.client.resources = (str_list_t){p->resources, 1};
    p->t.opaque.client_id = p->t.family.client_id = STR("client-2");
}

static void end(play_t *p)
{
    tokens_end(&p->t);
}

static void ask(play_t *p, str_t token)
{
    tokens_read(&p->t, tokens_form(&p->t, token));
    p->facts = (oauth_introspect_facts_t){
        .issuer = p->t.w.settings.issuer,
        .now = TEST_NOW,
        .claim = &p->t.claim,
        .client = tokens_client(&p->t),
        .query = &p->t.query,
        .token = p->t.known,
    };
    assert_int_equal(oauth_introspect_decide(p->t.w.a, &p->facts, &p->out), RC_OK);
    assert_int_equal(p->out.event.kind, AUDIT_INTROSPECTION);
}

static void inactive(play_t *p, str_t token, oauth_reason_t reason)
{
    ask(p, token);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, 200);
    assert_text(p->out.body, "{\"active\":false}");
    assert_unset(p->out.www_authenticate);
    assert_false(p->out.event.allowed);
    assert_str(p->out.event.reason, oauth_reason_name(reason));
}

static void an_active_token_says_all_about_itself(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.opaque.jkt = STR("thumb");
    p.t.opaque.act = STR("{\"sub\":\"s\"}");
    p.t.opaque.acr = STR("pwd");
    p.t.opaque.auth_time = 7;
    ask(&p, STR("the-opaque&token_type_hint=refresh_token"));
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_true(p.out.event.allowed);
    str_t expected = arena_printf(
        p.t.w.a,
        "{\"active\":true,\"iss\":\"https://as.test\",\"username\":\"%" PRIstr
        "\",\"token_type\":\"DPoP\",\"sub\":\"%" PRIstr "\",\"aud\":\"https://rs.test/mcp\","
        "\"client_id\":\"client-2\",\"scope\":\"a:read\",\"exp\":%d,\"iat\":%d,\"jti\":"
        "\"family-1.j\",\"auth_time\":7,\"acr\":\"pwd\",\"cnf\":{\"jkt\":\"thumb\"},\"act\":{"
        "\"sub\":\"s\"}}",
        STR_ARG(p.t.w.user.name), STR_ARG(p.t.w.user.id), TEST_NOW + 590, TEST_NOW - 10);
    assert_str(p.out.body, expected);
    assert_text(p.out.event.client, "client-1");
    assert_text(p.out.event.token, "family-1.j");
    assert_text(p.out.event.family, "family-1");
    end(&p);
}

static void groups_are_those_of_now(void **state)
{
    (void)state;
    static const str_t GROUPS[] = {STR_INIT("traders")};
    play_t p;
    begin(&p);
    p.t.w.user.groups = (str_list_t){GROUPS, 1};
    ask(&p, STR("the-opaque"));
    const json_t *groups = json_get(world_json(&p.t.w, p.out.body), STR("groups"));
    assert_non_null(groups);
    assert_str(groups->raw, STR("[\"traders\"]"));
    p.t.opaque.sub = STR("somebody-else");
    ask(&p, STR("the-opaque"));
    assert_null(json_get(world_json(&p.t.w, p.out.body), STR("groups")));
    end(&p);
}

static void a_jwt_is_answered_as_an_opaque_one(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    str_t token = tokens_sign(
        &p.t, STR("at+jwt"),
        STR("{\"iss\":\"https://as.test\",\"jti\":\"family-1.x\",\"sub\":\"u\",\"aud\":"
            "\"https://rs.test/mcp\",\"client_id\":\"client-2\",\"iat\":1,\"exp\":2000000}"));
    ask(&p, token);
    const json_t *json = world_json(&p.t.w, p.out.body);
    bool active;
    assert_true(json_get_bool(json, STR("active"), &active) && active);
    assert_text(json_get_str(json, STR("token_type")), "Bearer");
    assert_text(json_get_str(json, STR("sub")), "u");
    assert_null(json_get(json, STR("act")));
    assert_null(json_get(json, STR("auth_time")));
    end(&p);
}

static void a_machines_token_has_no_username(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.opaque.family_id = STR_UNSET;
    p.t.opaque.sub = STR("client-2");
    ask(&p, STR("the-opaque"));
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_null(json_get(world_json(&p.t.w, p.out.body), STR("username")));
    end(&p);
}

static void a_refresh_token_is_its_clients_business(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    inactive(&p, STR("the-refresh"), OAUTH_INTROSPECTION_NOT_YOURS);
    p.t.family.client_id = STR("client-1");
    ask(&p, STR("the-refresh"));
    assert_reason(p.out.reason, OAUTH_FINE);
    const json_t *json = world_json(&p.t.w, p.out.body);
    int64_t exp;
    assert_true(json_get_i64(json, STR("exp"), &exp));
    assert_int_equal(exp, p.t.refresh.expires_at);
    assert_null(json_get(json, STR("token_type")));
    assert_null(json_get(json, STR("jti")));
    end(&p);
}

static void introspection_inactive(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    inactive(&p, STR("nonsense"), OAUTH_INTROSPECTION_INACTIVE);
    inactive(&p, STR("a.b.c"), OAUTH_INTROSPECTION_INACTIVE);
    p.t.opaque.expires_at = TEST_NOW;
    inactive(&p, STR("the-opaque"), OAUTH_INTROSPECTION_INACTIVE);
    p.t.opaque.expires_at = TEST_NOW + 1;
    p.t.family.revoked_at = 1;
    inactive(&p, STR("the-opaque"), OAUTH_INTROSPECTION_INACTIVE);
    p.t.family.revoked_at = 0;
    ask(&p, STR("the-opaque"));
    assert_reason(p.out.reason, OAUTH_FINE);
    end(&p);
}

/* The same answer as for an unknown one: whose it is, or that it lives, is not theirs to learn. */
static void introspection_not_yours(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.resources[0] = STR("https://other.test");
    inactive(&p, STR("the-opaque"), OAUTH_INTROSPECTION_NOT_YOURS);
    p.t.w.client.resources.n = 0;
    inactive(&p, STR("the-opaque"), OAUTH_INTROSPECTION_NOT_YOURS);
    p.t.opaque.client_id = STR("client-1"); /* nor the token's own client */
    inactive(&p, STR("the-opaque"), OAUTH_INTROSPECTION_NOT_YOURS);
    end(&p);
}

static void refused(play_t *p, const char *form, oauth_reason_t reason)
{
    tokens_read(&p->t, form);
    p->facts.client = tokens_client(&p->t);
    p->facts.claim = &p->t.claim;
    p->facts.query = &p->t.query;
    p->facts.token = p->t.known;
    assert_int_equal(oauth_introspect_decide(p->t.w.a, &p->facts, &p->out), RC_OK);
    assert_reason(p->out.reason, reason);
    assert_int_equal(p->out.status, oauth_reason_status(reason));
    assert_str(json_get_str(world_json(&p->t.w, p->out.body), STR("error")),
               oauth_reason_error(reason));
}

static void who_must_say_what(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    ask(&p, STR("the-opaque"));
    refused(&p, "token=the-opaque", OAUTH_CLIENT_AUTH_MISSING);
    refused(&p, "client_id=ghost&client_secret=x&token=the-opaque", OAUTH_CLIENT_UNKNOWN);
    refused(&p, "client_id=client-1&client_secret=x&token=the-opaque", OAUTH_CLIENT_AUTH_SECRET);
    refused(&p, tokens_form(&p.t, STR("")), OAUTH_TOKEN_MISSING);
    refused(&p, tokens_form(&p.t, STR("a&token=b")), OAUTH_PARAMETER_REPEATED);
    end(&p);
}

static void introspection_confidential_only(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    ask(&p, STR("the-opaque"));
    p.t.w.client.auth = CLIENT_AUTH_NONE;
    refused(&p, "client_id=client-1&token=the-opaque", OAUTH_INTROSPECTION_CONFIDENTIAL_ONLY);
    end(&p);
}

static rc_t decide_in(world_t *w, arena_t *a, void *ctx)
{
    play_t *p = ctx;
    oauth_introspect_verdict_t out;
    (void)w;
    return oauth_introspect_decide(a, &p->facts, &out);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    ask(&p, STR("the-opaque"));
    world_starve(decide_in, &p.t.w, &p);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_active_token_says_all_about_itself),
        cmocka_unit_test(groups_are_those_of_now),
        cmocka_unit_test(a_jwt_is_answered_as_an_opaque_one),
        cmocka_unit_test(a_machines_token_has_no_username),
        cmocka_unit_test(a_refresh_token_is_its_clients_business),
        cmocka_unit_test(introspection_inactive),
        cmocka_unit_test(introspection_not_yours),
        cmocka_unit_test(who_must_say_what),
        cmocka_unit_test(introspection_confidential_only),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
