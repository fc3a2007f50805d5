#include "oauth/oauth_test_token.h"

#define GOOD                                                                                       \
    "client_id=client-1&client_secret=wrs_the-secret-of-the-client&grant_type=client_credentials"

static void begin(token_play_t *p)
{
    token_begin(p);
    p->w.client.auth = CLIENT_AUTH_SECRET_POST;
    p->w.client.grants = GRANT_CLIENT_CREDENTIALS;
    p->w.client.origin = CLIENT_BY_ADMIN;
}

static void gets(token_play_t *p, const char *client_scope, const char *asked, const char *granted)
{
    str_t form = arena_printf(p->w.a, GOOD "%s", asked);
    p->w.client.scope = str_c(client_scope);
    token_ask(p, form.p);
    assert_reason(p->out.reason, OAUTH_FINE);
    assert_str(token_claim(p, "scope"), str_c(granted));
    assert_str(p->out.scope, str_c(granted));
}

/* attack case: TOK-016 */
static void a_token_for_the_client_itself(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    gets(&p, NULL, "", "a:read");
    assert_text(token_claim(&p, "sub"), "client-1");
    assert_text(token_claim(&p, "client_id"), "client-1");
    assert_text(token_claim(&p, "aud"), "https://rs.test/mcp");
    assert_int_equal(token_claim(&p, "jti").n, 32);
    assert_unset(p.out.refresh_token);
    assert_no_effects(&p.out.effects);
    assert_true(p.out.event.allowed);
    assert_unset(p.out.event.family);
    assert_unset(p.out.event.user);
    token_end(&p);
}

static void the_scope_it_is_registered_for(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    gets(&p, "a:write b", "", "a:write");
    gets(&p, "a:write b", "&scope=a:write+b+a:read", "a:write");
    gets(&p, NULL, "&scope=a:write", "a:write");
    gets(&p, "a:write b", "&scope=openid", "a:write");
    gets(&p, NULL, "&scope=offline_access+email", "a:read");
    gets(&p, "a:write b", "&resource=https://other.test", "b");
    token_end(&p);
}

static void scope_empty(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    token_refused(&p, GOOD "&scope=never:heard", OAUTH_SCOPE_EMPTY);
    p.w.client.scope = STR("b");
    token_refused(&p, GOOD, OAUTH_SCOPE_EMPTY);
    token_refused(&p, GOOD "&scope=%5C", OAUTH_SCOPE_MALFORMED);
    str_t form = arena_printf(p.w.a, GOOD "&scope=%05000d", 1);
    token_refused(&p, form.p, OAUTH_SCOPE_TOO_LONG);
    token_end(&p);
}

/* attack case: TOK-016 */
static void grant_confidential_only(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.w.client.auth = CLIENT_AUTH_NONE;
    token_refused(&p, "client_id=client-1&grant_type=client_credentials",
                  OAUTH_GRANT_CONFIDENTIAL_ONLY);
    token_end(&p);
}

/* attack case: TOK-016 */
static void grant_not_registered(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    p.w.client.grants = GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN;
    token_refused(&p, GOOD, OAUTH_GRANT_NOT_REGISTERED);
    token_end(&p);
}

/* attack cases: META-004, META-005 */
static void resource_unknown(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    token_refused(&p, GOOD "&resource=https://unknown.test", OAUTH_RESOURCE_UNKNOWN);
    str_t said = json_get_str(world_json(&p.w, p.out.body), STR("error_description"));
    assert_true(str_contains(said, STR("https://rs.test/mcp")));
    token_refused(&p, GOOD "&resource=mcp", OAUTH_RESOURCE_MALFORMED);
    p.w.resources.default_uri = STR_UNSET;
    token_refused(&p, GOOD, OAUTH_RESOURCE_MISSING);
    token_end(&p);
}

static void without_random_and_memory(void **state)
{
    (void)state;
    token_play_t p;
    begin(&p);
    gets(&p, NULL, "", "a:read");
    world_starve(token_decide_in, &p.w, &p);
    p.random = world_no_random();
    assert_int_equal(oauth_token_decide(p.w.a, &p.facts, &p.out), RC_IO);
    token_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_for_the_client_itself),
        cmocka_unit_test(the_scope_it_is_registered_for),
        cmocka_unit_test(scope_empty),
        cmocka_unit_test(grant_confidential_only),
        cmocka_unit_test(grant_not_registered),
        cmocka_unit_test(resource_unknown),
        cmocka_unit_test(without_random_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
