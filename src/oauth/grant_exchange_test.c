#include "oauth/oauth_test_token.h"

#include "core/limits.h"

#define TYPE "urn:ietf:params:oauth:token-type:access_token"
#define BASE                                                                                       \
    "client_id=client-1&client_secret=wrs_the-secret-of-the-client&grant_type="                    \
    "urn:ietf:params:oauth:grant-type:token-exchange"
#define GOOD BASE "&subject_token=s&subject_token_type=" TYPE

/* client-1 is the server of https://rs.test/mcp and may call https://other.test; the subject token
 * is alice's for client-2. */
typedef struct {
    token_play_t t;
    str_t serves[1], calls[2];
    access_token_t subject, actor;
    scope_text_t other_scopes[3];
} play_t;

static void begin(play_t *p)
{
    *p = (play_t){.serves = {STR("https://rs.test/mcp")}, .calls = {STR("https://other.test")}};
    token_begin(&p->t);
    client_t *c = &p->t.w.client;
    c->auth = CLIENT_AUTH_SECRET_POST;
    c->grants = GRANT_TOKEN_EXCHANGE;
    c->origin = CLIENT_BY_ADMIN;
    c->resources = (str_list_t){p->serves, 1};
    c->exchange_to = (str_list_t){p->calls, 1};
    p->t.family.client_id = STR("client-2");
    p->subject = (access_token_t){.jti = STR("family-1.j"),
                                  .family_id = STR("family-1"),
                                  .client_id = STR("client-2"),
                                  .sub = p->t.w.user.id,
                                  .scope = STR("a:read"),
                                  .resource = STR("https://rs.test/mcp"),
                                  .acr = STR("pwd"),
                                  .auth_time = TEST_NOW - 99,
                                  .created_at = TEST_NOW - 10,
                                  .expires_at = TEST_NOW + 590};
    p->actor = (access_token_t){.jti = STR("k"),
                                .client_id = c->id,
                                .sub = STR("robot"),
                                .resource = STR("https://other.test"),
                                .created_at = TEST_NOW - 10,
                                .expires_at = TEST_NOW + 590};
    p->other_scopes[0] = (scope_text_t){STR("a:read"), STR("Read a")};
    p->other_scopes[1] = (scope_text_t){STR("a:write"), STR("Write a")};
    p->other_scopes[2] = (scope_text_t){STR("b"), STR("Use b")};
    p->t.w.resource[1].scopes = p->other_scopes;
    p->t.w.resource[1].n_scopes = 3;
    p->t.subject =
        (oauth_own_facts_t){.access = &p->subject, .family = &p->t.family, .owner = &p->t.w.user};
    p->t.actor = (oauth_own_facts_t){.access = &p->actor};
}

static void end(play_t *p)
{
    token_end(&p->t);
}

static void gets(play_t *p, const char *client_scope, const char *asked, const char *granted)
{
    str_t form = arena_printf(p->t.w.a, GOOD "%s", asked);
    p->t.w.client.scope = str_c(client_scope);
    token_ask(&p->t, form.p);
    assert_reason(p->t.out.reason, OAUTH_FINE);
    assert_str(token_claim(&p->t, "scope"), str_c(granted));
}

static void a_token_for_the_next_resource(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    token_ask(&p.t, GOOD);
    assert_reason(p.t.out.reason, OAUTH_FINE);
    assert_str(token_claim(&p.t, "sub"), p.t.w.user.id);
    assert_text(token_claim(&p.t, "client_id"), "client-1");
    assert_text(token_claim(&p.t, "aud"), "https://other.test");
    assert_text(token_claim(&p.t, "scope"), "a:read");
    assert_text(token_claim(&p.t, "acr"), "pwd");
    assert_true(str_starts(token_claim(&p.t, "jti"), STR("family-1.")));
    const json_t *claims = world_json(&p.t.w, p.t.out.claims);
    assert_text(json_get(claims, STR("act"))->raw,
                "{\"sub\":\"client-1\",\"client_id\":\"client-1\"}");
    int64_t exp, auth_time;
    assert_true(json_get_i64(claims, STR("exp"), &exp));
    assert_true(json_get_i64(claims, STR("auth_time"), &auth_time));
    assert_int_equal(exp, p.subject.expires_at); /* and no later */
    assert_int_equal(auth_time, TEST_NOW - 99);
    assert_int_equal(p.t.out.expires_in, 590);
    assert_unset(p.t.out.refresh_token);
    assert_no_effects(&p.t.out.effects);
    str_t body;
    assert_int_equal(oauth_token_answer(p.t.w.a, &p.t.out, STR("a.b.c"), &body), RC_OK);
    assert_text(json_get_str(world_json(&p.t.w, body), STR("issued_token_type")), TYPE);
    /* The trail names both tokens and both clients. */
    assert_text(p.t.out.event.client, "client-1");
    assert_text(p.t.out.event.detail,
                "token family-1.j of client client-2 was exchanged for this one");
    assert_str(p.t.out.event.token, token_claim(&p.t, "jti"));
    assert_text(p.t.out.event.family, "family-1");
    end(&p);
}

static void it_ends_with_its_own_resources_lifetime(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.w.resource[1].access_token_lifetime = 60;
    token_ask(&p.t, GOOD);
    assert_int_equal(p.t.out.expires_in, 60);
    end(&p);
}

static void the_groups_are_the_subjects(void **state)
{
    (void)state;
    static const str_t GROUPS[] = {STR_INIT("traders")};
    play_t p;
    begin(&p);
    p.t.w.user.groups = (str_list_t){GROUPS, 1};
    p.subject.sub = p.t.w.user.id;
    token_ask(&p.t, GOOD);
    assert_reason(p.t.out.reason, OAUTH_FINE);
    const json_t *groups = json_get(world_json(&p.t.w, p.t.out.claims), STR("groups"));
    assert_non_null(groups);
    assert_str(groups->raw, STR("[\"traders\"]"));
    end(&p);
}

static void the_scope_is_the_subjects_and_the_clients(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    /* Without a list of its own: what the subject token holds and the target knows. */
    gets(&p, NULL, "", "a:read");
    gets(&p, NULL, "&scope=a:read+a:write+b", "a:read");
    /* The list bounds, and opens what only the target knows. */
    gets(&p, "a:read a:write b", "", "a:read b");
    gets(&p, "a:read a:write b", "&scope=a:write+b", "b");
    gets(&p, "b", "", "b");
    end(&p);
}

static void scope_empty(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    token_refused(&p.t, GOOD "&scope=a:write", OAUTH_SCOPE_EMPTY);
    p.t.w.client.scope = STR("a:write"); /* which the subject does not hold */
    token_refused(&p.t, GOOD, OAUTH_SCOPE_EMPTY);
    token_refused(&p.t, GOOD "&scope=%22", OAUTH_SCOPE_MALFORMED);
    end(&p);
}

static void actors_stand_within_one_another(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.subject.act = STR("{\"sub\":\"s1\",\"act\":{\"sub\":\"s0\"}}");
    token_ask(&p.t, GOOD "&actor_token=k&actor_token_type=" TYPE);
    assert_reason(p.t.out.reason, OAUTH_FINE);
    assert_text(json_get(world_json(&p.t.w, p.t.out.claims), STR("act"))->raw,
                "{\"sub\":\"robot\",\"client_id\":\"client-1\",\"act\":{\"sub\":\"s1\",\"act\":{"
                "\"sub\":\"s0\"}}}");
    end(&p);
}

static void a_machines_token_is_exchanged_too(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.subject.family_id = STR_UNSET;
    p.subject.sub = STR("client-2");
    p.t.subject.family = NULL;
    p.t.subject.owner = NULL;
    token_ask(&p.t, GOOD);
    assert_reason(p.t.out.reason, OAUTH_FINE);
    assert_text(token_claim(&p.t, "sub"), "client-2");
    end(&p);
}

/* attack case: GWM-017 */
static void exchange_too_deep(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    str_t act = STR("{\"sub\":\"s\"}");
    for (size_t i = 1; i < LIMIT_ACT_DEPTH; i++) {
        p.subject.act = act;
        token_ask(&p.t, GOOD);
        assert_reason(p.t.out.reason, OAUTH_FINE);
        act = arena_printf(p.t.w.a, "{\"sub\":\"s\",\"act\":%" PRIstr "}", STR_ARG(act));
    }
    p.subject.act = act;
    token_refused(&p.t, GOOD, OAUTH_EXCHANGE_TOO_DEEP);
    end(&p);
}

static void exchange_subject_missing(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    token_refused(&p.t, BASE, OAUTH_EXCHANGE_SUBJECT_MISSING);
    token_refused(&p.t, BASE "&subject_token=s", OAUTH_EXCHANGE_SUBJECT_MISSING);
    token_refused(&p.t, BASE "&subject_token_type=" TYPE, OAUTH_EXCHANGE_SUBJECT_MISSING);
    token_refused(&p.t, GOOD "&subject_token=t", OAUTH_PARAMETER_REPEATED);
    end(&p);
}

static void exchange_actor_incomplete(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    token_refused(&p.t, GOOD "&actor_token=k", OAUTH_EXCHANGE_ACTOR_INCOMPLETE);
    token_refused(&p.t, GOOD "&actor_token_type=" TYPE, OAUTH_EXCHANGE_ACTOR_INCOMPLETE);
    end(&p);
}

static void exchange_token_type(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    token_refused(&p.t,
                  BASE "&subject_token=s&subject_token_type=urn:ietf:params:oauth:token-type:"
                       "id_token",
                  OAUTH_EXCHANGE_TOKEN_TYPE);
    token_refused(&p.t, GOOD "&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token",
                  OAUTH_EXCHANGE_TOKEN_TYPE);
    token_refused(&p.t, GOOD "&actor_token=k&actor_token_type=urn:ietf:params:oauth:token-type:jwt",
                  OAUTH_EXCHANGE_TOKEN_TYPE);
    token_ask(&p.t, GOOD "&requested_token_type=" TYPE);
    assert_reason(p.t.out.reason, OAUTH_FINE);
    end(&p);
}

/* attack case: GWM-017 */
static void exchange_subject_invalid(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.subject.revoked = 1;
    token_refused(&p.t, GOOD, OAUTH_EXCHANGE_SUBJECT_INVALID);
    p.t.subject.revoked = 0;
    p.t.family.revoked_at = 1;
    token_refused(&p.t, GOOD, OAUTH_EXCHANGE_SUBJECT_INVALID);
    p.t.family.revoked_at = 0;
    p.t.now = p.subject.expires_at;
    token_refused(&p.t, GOOD, OAUTH_EXCHANGE_SUBJECT_INVALID);
    p.t.now = TEST_NOW;
    p.t.subject.access = NULL; /* nonsense, or a refresh token */
    p.t.subject.refresh = &p.t.refresh;
    token_refused(&p.t, GOOD, OAUTH_EXCHANGE_SUBJECT_INVALID);
    end(&p);
}

/* A token that was for another service, or that a client holds itself, is nobody's to pass on. */
static void exchange_subject_not_yours(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.serves[0] = STR("https://third.test");
    token_refused(&p.t, GOOD, OAUTH_EXCHANGE_SUBJECT_NOT_YOURS);
    p.subject.client_id = STR("client-1");
    token_refused(&p.t, GOOD, OAUTH_EXCHANGE_SUBJECT_NOT_YOURS);
    end(&p);
}

/* Else the scopes that the resource had would be the client's own list's to give: a reader of it
 * would write elsewhere. */
static void resource_withdrawn(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.w.client.scope = STR("a:read a:write");
    token_refused(&p.t, GOOD "&scope=a:write", OAUTH_SCOPE_EMPTY);
    p.serves[0] = p.subject.resource = STR("https://gone.test");
    token_refused(&p.t, GOOD "&scope=a:write", OAUTH_RESOURCE_WITHDRAWN);
    token_refused(&p.t, GOOD, OAUTH_RESOURCE_WITHDRAWN);
    end(&p);
}

static void exchange_actor_invalid(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
#define WITH_ACTOR GOOD "&actor_token=k&actor_token_type=" TYPE
    token_ask(&p.t, WITH_ACTOR);
    assert_reason(p.t.out.reason, OAUTH_FINE);
    p.actor.client_id = STR("client-2");
    token_refused(&p.t, WITH_ACTOR, OAUTH_EXCHANGE_ACTOR_INVALID);
    p.actor.client_id = STR("client-1");
    p.actor.act = STR("{\"sub\":\"s\"}");
    token_refused(&p.t, WITH_ACTOR, OAUTH_EXCHANGE_ACTOR_INVALID);
    p.t.actor.access = NULL;
    token_refused(&p.t, WITH_ACTOR, OAUTH_EXCHANGE_ACTOR_INVALID);
    end(&p);
}

static void exchange_target(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    token_refused(&p.t, GOOD "&resource=https://rs.test/mcp", OAUTH_EXCHANGE_TARGET);
    token_refused(&p.t, GOOD "&resource=https://unknown.test", OAUTH_RESOURCE_UNKNOWN);
    token_refused(&p.t, GOOD "&resource=https://other.test&audience=https://rs.test/mcp",
                  OAUTH_RESOURCE_SEVERAL);
    token_ask(&p.t, GOOD "&audience=https://other.test");
    assert_reason(p.t.out.reason, OAUTH_FINE);
    p.calls[1] = STR("https://rs.test/mcp"); /* which of two? The default must be among them. */
    p.t.w.client.exchange_to.n = 2;
    p.t.w.resources.default_uri = STR_UNSET;
    token_refused(&p.t, GOOD, OAUTH_RESOURCE_MISSING);
    p.t.w.client.exchange_to.n = 0;
    token_refused(&p.t, GOOD "&resource=https://other.test", OAUTH_EXCHANGE_TARGET);
    end(&p);
}

static void only_who_is_registered_for_it_and_authenticates(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.w.client.grants = GRANT_CLIENT_CREDENTIALS;
    token_refused(&p.t, GOOD, OAUTH_GRANT_NOT_REGISTERED);
    p.t.w.client.grants = GRANT_TOKEN_EXCHANGE;
    p.t.w.client.auth = CLIENT_AUTH_NONE;
    token_refused(&p.t,
                  "client_id=client-1&grant_type=urn:ietf:params:oauth:grant-type:token-exchange&"
                  "subject_token=s&subject_token_type=" TYPE,
                  OAUTH_GRANT_CONFIDENTIAL_ONLY);
    end(&p);
}

static void an_opaque_token_where_the_target_wants_it(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.t.w.resource[1].token_format = TOKEN_OPAQUE;
    token_ask(&p.t, GOOD);
    assert_unset(p.t.out.claims);
    assert_true(str_starts(p.t.out.access_token, STR("wra_")));
    assert_effects(&p.t.out.effects, EFFECT_ACCESS_TOKEN_INSERT);
    const access_token_t *t = p.t.out.effects.v[0].u.access_token;
    assert_text(t->family_id, "family-1");
    assert_text(t->act, "{\"sub\":\"client-1\",\"client_id\":\"client-1\"}");
    assert_int_equal(t->expires_at, p.subject.expires_at);
    end(&p);
}

static void without_memory(void **state)
{
    (void)state;
    play_t p;
    begin(&p);
    p.subject.act = STR("{\"sub\":\"s\"}");
    token_ask(&p.t, GOOD "&scope=a:read");
    world_starve(token_decide_in, &p.t.w, &p.t);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_for_the_next_resource),
        cmocka_unit_test(it_ends_with_its_own_resources_lifetime),
        cmocka_unit_test(the_groups_are_the_subjects),
        cmocka_unit_test(the_scope_is_the_subjects_and_the_clients),
        cmocka_unit_test(scope_empty),
        cmocka_unit_test(actors_stand_within_one_another),
        cmocka_unit_test(a_machines_token_is_exchanged_too),
        cmocka_unit_test(exchange_too_deep),
        cmocka_unit_test(exchange_subject_missing),
        cmocka_unit_test(exchange_actor_incomplete),
        cmocka_unit_test(exchange_token_type),
        cmocka_unit_test(exchange_subject_invalid),
        cmocka_unit_test(exchange_subject_not_yours),
        cmocka_unit_test(resource_withdrawn),
        cmocka_unit_test(exchange_actor_invalid),
        cmocka_unit_test(exchange_target),
        cmocka_unit_test(only_who_is_registered_for_it_and_authenticates),
        cmocka_unit_test(an_opaque_token_where_the_target_wants_it),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
