/* Requests that demand how well, and how lately, the person signed in (RFC 9470). */
#include "rs/rs_test_world.h"

#define STRONG "urn:test:two-factors"
#define WEAK   "urn:test:password"
#define SIGNED_IN(acr, ago)                                                                        \
    "{" W_WHO W_AUD W_TIME ",\"scope\":\"files:read\",\"acr\":\"" acr "\",\"auth_time\":" #ago "}"

typedef struct {
    const char *claims, *acr_values, *scope;
    int max_age_s;
} demand_t;

static warder_rs_verdict_t *ask(world_t *w, const demand_t *d)
{
    const char *value = arena_printf(w->a, "Bearer %s", world_sign(w, &w->key, d->claims)).p;
    const warder_rs_request_t req = {.headers = &value,
                                     .header_count = 1,
                                     .scope = d->scope,
                                     .acr_values = d->acr_values,
                                     .max_age_s = d->max_age_s};
    warder_rs_verdict_t *v = warder_rs_check(w->rs, &req);
    assert_non_null(v);
    return v;
}

static void allows(world_t *w, demand_t d)
{
    warder_rs_verdict_t *v = ask(w, &d);
    assert_allowed(v);
    warder_rs_verdict_free(v);
}

static void demands(world_t *w, demand_t d, const char *members)
{
    warder_rs_verdict_t *v = ask(w, &d);
    assert_denied(v, 401, "insufficient_user_authentication");
    assert_string_equal(v->error, "insufficient_user_authentication");
    str_t challenge = arena_printf(
        w->a,
        "Bearer error=\"insufficient_user_authentication\", error_description=\"The operation "
        "needs the person to sign in again, or in a stronger way\", %s, resource_metadata="
        "\"https://rs.test/.well-known/oauth-protected-resource/mcp\"",
        members);
    assert_string_equal(v->www_authenticate, challenge.p);
    assert_string_equal(v->sub, "alice"); /* the token is good, and the trail says whose */
    warder_rs_verdict_free(v);
}

static void tokens_say_how_and_when(void **state)
{
    world_t *w = *state;
    world_open(w);
    for (int i = 0; i < 2; i++) { /* the second comes out of the memory */
        warder_rs_verdict_t *v = ask(w, &(demand_t){.claims = SIGNED_IN(WEAK, 1699999900)});
        assert_allowed(v);
        assert_string_equal(v->acr, WEAK);
        assert_int_equal(v->auth_time, 1699999900);
        warder_rs_verdict_free(v);
    }
    warder_rs_verdict_t *v = ask(w, &(demand_t){.claims = W_GOOD});
    assert_string_equal(v->acr, "");
    assert_int_equal(v->auth_time, 0);
    warder_rs_verdict_free(v);
}

static void insufficient_user_authentication(void **state)
{
    world_t *w = *state;
    world_open(w);
    demands(w, (demand_t){.claims = SIGNED_IN(WEAK, 1699999900), .acr_values = STRONG " urn:x"},
            "scope=\"files:read\", acr_values=\"" STRONG " urn:x\"");
    demands(w, (demand_t){.claims = W_GOOD, .acr_values = WEAK},
            "scope=\"files:read\", acr_values=\"" WEAK "\"");
    allows(w, (demand_t){.claims = SIGNED_IN(WEAK, 1699999900), .acr_values = STRONG " " WEAK});
}

static void too_long_ago(void **state)
{
    world_t *w = *state;
    world_open(w);
    demands(w, (demand_t){.claims = SIGNED_IN(WEAK, 1699999000), .max_age_s = 300},
            "scope=\"files:read\", max_age=\"300\"");
    demands(w, (demand_t){.claims = W_GOOD, .max_age_s = 300},
            "scope=\"files:read\", max_age=\"300\"");
    allows(w, (demand_t){.claims = SIGNED_IN(WEAK, 1699999900), .max_age_s = 300});
    world_pass(w, 231); /* 331 s: one more than the leeway */
    demands(w, (demand_t){.claims = SIGNED_IN(WEAK, 1699999900), .max_age_s = 300},
            "scope=\"files:read\", max_age=\"300\"");
}

/* Both needs go out in one challenge, or the client would have to come twice. */
static void with_all_the_scope_the_operation_needs(void **state)
{
    world_t *w = *state;
    world_open(w);
    demands(w,
            (demand_t){.claims = SIGNED_IN(WEAK, 1699999900),
                       .acr_values = STRONG,
                       .scope = "files:write",
                       .max_age_s = 60},
            "scope=\"files:write\", acr_values=\"" STRONG "\", max_age=\"60\"");
}

static void a_bad_token_stays_a_bad_token(void **state)
{
    world_t *w = *state;
    world_open(w);
    warder_rs_verdict_t *v =
        ask(w, &(demand_t){.claims = "{" W_WHO ",\"aud\":\"https://x.test\"" W_TIME "}",
                           .acr_values = STRONG});
    assert_denied(v, 401, "jwt_aud");
    assert_string_equal(v->error, "invalid_token");
    warder_rs_verdict_free(v);
    v = ask(w, &(demand_t){.claims = "{" W_WHO W_AUD W_TIME ",\"auth_time\":\"now\"}"});
    assert_denied(v, 401, "jwt_malformed");
    warder_rs_verdict_free(v);
}

static int setup(void **state)
{
    int failed = world_setup(state);
    world_t *w = *state;
    if (!failed)
        w->config.scopes = "files:read";
    return failed;
}

#define STEP_UP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STEP_UP_TEST(tokens_say_how_and_when),
        STEP_UP_TEST(insufficient_user_authentication),
        STEP_UP_TEST(too_long_ago),
        STEP_UP_TEST(with_all_the_scope_the_operation_needs),
        STEP_UP_TEST(a_bad_token_stays_a_bad_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
