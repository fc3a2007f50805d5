#include "as/trusted.h"

#include "as/as_test_world.h"

static const str_t WORDS[] = {STR_INIT("ES256"), STR_INIT("PS256")};
static const str_t SCOPES[] = {STR_INIT("a"), STR_INIT("b")};
static const conf_claim_t CLAIMS[] = {{STR_INIT("sub"), STR_INIT("repo:"), true},
                                      {STR_INIT("env"), STR_INIT("x"), false}};
static const conf_rule_t RULES[] = {
    {.name = STR_INIT("nightly"), .claims = CLAIMS, .n_claims = 2, .scopes = {SCOPES, 2}},
    {.name = STR_INIT("hourly"), .claims = CLAIMS, .n_claims = 1}};

static conf_t settings(void)
{
    static const conf_issuer_t ISSUERS[] = {
        {.issuer = STR_INIT("https://idp.test"),
         .for_id_jag = true,
         .algorithms = {WORDS, 2},
         .scopes = {SCOPES, 2}},
        {.issuer = STR_INIT("https://platform.test"),
         .jwks = STR_INIT("{\"keys\":[]}"),
         .for_workload = true,
         .for_software_statement = true,
         .rules = RULES,
         .n_rules = 2},
    };
    return (conf_t){.issuers = ISSUERS, .n_issuers = 2};
}

static void an_issuer_says_what_the_settings_say(void **state)
{
    world_t *w = *state;
    const conf_t conf = settings();
    oauth_issuers_t all;
    assert_ok(as_trusted_issuers(w->a, &conf, &all));
    const oauth_issuer_t *idp = oauth_issuer_find(&all, STR("https://idp.test"), ~0u);
    assert_int_equal(idp->uses, OAUTH_ISSUER_ID_JAG);
    assert_true(oauth_issuer_takes(idp, ALG_ES256) && oauth_issuer_takes(idp, ALG_PS256));
    assert_false(oauth_issuer_takes(idp, ALG_RS256) || oauth_issuer_takes(idp, ALG_UNKNOWN));
    assert_text(idp->scope, "a b");
    const oauth_issuer_t *platform = &all.v[1];
    assert_int_equal(platform->uses, OAUTH_ISSUER_WORKLOAD | OAUTH_ISSUER_SOFTWARE_STATEMENT);
    assert_true(oauth_issuer_takes(platform, ALG_RS256));
    assert_false(str_is_set(platform->scope));
    assert_text(platform->jwks, "{\"keys\":[]}");
    assert_text(platform->rules[0].client_id, "workload:nightly");
    assert_text(platform->rules[0].scope, "a b");
    assert_true(platform->rules[0].claims[0].prefix);
    assert_text(platform->rules[0].claims[1].value, "x");
    assert_int_equal(platform->rules[1].n_claims, 1);
}

/* Who is trusted for one use is nobody for another. */
static void trust_is_for_a_use(void **state)
{
    world_t *w = *state;
    conf_t conf = settings();
    oauth_issuers_t all;
    assert_ok(as_trusted_issuers(w->a, &conf, &all));
    assert_null(oauth_issuer_find(&all, STR("https://idp.test"), OAUTH_ISSUER_WORKLOAD));
    assert_null(oauth_issuer_find(&all, STR("https://idp.test/"), OAUTH_ISSUER_ID_JAG));
    assert_null(oauth_issuer_find(&all, STR_UNSET, OAUTH_ISSUER_ID_JAG));
    assert_non_null(oauth_issuer_find(&all, STR("https://idp.test"), OAUTH_ISSUER_ID_JAG));
    assert_true(oauth_issuer_any(&all, OAUTH_ISSUER_WORKLOAD));
    conf.n_issuers = 1;
    assert_ok(as_trusted_issuers(w->a, &conf, &all));
    assert_false(oauth_issuer_any(&all, OAUTH_ISSUER_WORKLOAD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_issuer_says_what_the_settings_say),
        WORLD_TEST(trust_is_for_a_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
