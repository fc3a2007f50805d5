/* What the resource of an access token decides about it. */
#include "oauth/oauth_test_token.h"

#include "oauth/handle.h"

#define GOOD                                                                                       \
    "client_id=client-1&client_secret=wrs_the-secret-of-the-client&grant_type=client_credentials"
#define REFRESH                                                                                    \
    "client_id=client-1&client_secret=wrs_the-secret-of-the-client&grant_type=refresh_token"       \
    "&refresh_token=the-refresh"

static void begin(token_play_t *p)
{
    token_begin(p);
    p->w.client.auth = CLIENT_AUTH_SECRET_POST;
    p->w.client.grants = GRANT_CLIENT_CREDENTIALS | GRANT_REFRESH_TOKEN;
    p->w.client.origin = CLIENT_BY_ADMIN;
}

static void a_lifetime_of_its_own(void **state)
{
    (void)state;
    static const struct {
        int64_t own, setting, expected;
    } CASES[] = {
        {0, 600, 600},
        {60, 600, 60},
        {3600, 600, 3600},
        {7200, 600, MODEL_ACCESS_TOKEN_MAX_S}, /* whatever a record says */
        {0, 7200, MODEL_ACCESS_TOKEN_MAX_S},
    };
    token_play_t p;
    begin(&p);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        p.w.resource[0].access_token_lifetime = CASES[i].own;
        p.w.settings.access_token_lifetime = CASES[i].setting;
        token_ask(&p, GOOD);
        assert_reason(p.out.reason, OAUTH_FINE);
        assert_int_equal(p.out.expires_in, CASES[i].expected);
        int64_t exp;
        assert_true(json_get_i64(world_json(&p.w, p.out.claims), STR("exp"), &exp));
        assert_int_equal(exp, TEST_NOW + CASES[i].expected);
    }
    token_end(&p);
}

static void a_jwt_or_a_handle(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    token_ask(&p, GOOD);
    assert_true(str_is_set(p.out.claims));
    assert_unset(p.out.access_token);
    assert_no_effects(&p.out.effects);
    p.w.resource[0].token_format = TOKEN_OPAQUE;
    token_ask(&p, GOOD);
    assert_unset(p.out.claims);
    assert_true(str_starts(p.out.access_token, STR("wra_")));
    assert_int_equal(p.out.access_token.n, 47);
    assert_effects(&p.out.effects, EFFECT_ACCESS_TOKEN_INSERT);
    const access_token_t *t = p.out.effects.v[0].u.access_token;
    hash_t hash = oauth_handle_hash(p.out.access_token);
    assert_memory_equal(&t->id, &hash, sizeof hash);
    assert_text(t->sub, "client-1");
    assert_text(t->client_id, "client-1");
    assert_text(t->scope, "a:read");
    assert_text(t->resource, "https://rs.test/mcp");
    assert_unset(t->family_id);
    assert_unset(t->act);
    assert_int_equal(t->created_at, TEST_NOW);
    assert_int_equal(t->expires_at, TEST_NOW + 600);
    assert_str(p.out.event.token, t->jti); /* and the token itself nowhere */
    token_end(&p);
}

/* A handle names its grant as a JWT does, and is born with it in one transaction. */
static void a_handle_belongs_to_its_grant(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.w.resource[0].token_format = TOKEN_OPAQUE;
    p.family.acr = STR("pwd");
    token_ask(&p, REFRESH);
    assert_reason(p.out.reason, OAUTH_FINE);
    assert_effects(&p.out.effects, EFFECT_REFRESH_ROTATE, EFFECT_REFRESH_INSERT,
                   EFFECT_ACCESS_TOKEN_INSERT);
    const access_token_t *t = p.out.effects.v[2].u.access_token;
    assert_text(t->family_id, "family-1");
    assert_true(str_starts(t->jti, STR("family-1.")));
    assert_text(t->acr, "pwd");
    assert_int_equal(t->auth_time, TEST_NOW - 20);
    token_end(&p);
}

/* RFC 9068 section 2.2.3.1: those of the account as it is now, of a person only. */
static void groups_of_the_person(void **state)
{
    (void)state;
    static const str_t GROUPS[] = {STR_INIT("heads"), STR_INIT("traders")};
    token_play_t p;
    begin(&p);
    token_ask(&p, REFRESH);
    assert_null(json_get(world_json(&p.w, p.out.claims), STR("groups")));
    p.w.user.groups = (str_list_t){GROUPS, 2};
    token_ask(&p, REFRESH);
    const json_t *groups = json_get(world_json(&p.w, p.out.claims), STR("groups"));
    assert_non_null(groups);
    assert_str(groups->raw, STR("[\"heads\",\"traders\"]"));
    p.w.user.groups.n = 1;
    token_ask(&p, REFRESH);
    groups = json_get(world_json(&p.w, p.out.claims), STR("groups"));
    assert_str(groups->raw, STR("[\"heads\"]"));
    token_ask(&p, GOOD);
    assert_null(json_get(world_json(&p.w, p.out.claims), STR("groups")));
    token_end(&p);
}

static void without_memory(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.w.resource[0].token_format = TOKEN_OPAQUE;
    token_ask(&p, REFRESH);
    world_starve(token_decide_in, &p.w, &p);
    token_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lifetime_of_its_own),
        cmocka_unit_test(a_jwt_or_a_handle),
        cmocka_unit_test(a_handle_belongs_to_its_grant),
        cmocka_unit_test(groups_of_the_person),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
