#include "oauth/oauth_test_issuers.h"

static const oauth_rule_claim_t NIGHTLY[] = {{STR_INIT("sub"), STR_INIT("repo:acme/"), true},
                                             {STR_INIT("env"), STR_INIT("prod"), false}};
static const oauth_rule_claim_t TWO[] = {{STR_INIT("sub"), STR_INIT("two"), false}};
static const str_t RESOURCES[] = {STR_INIT("https://rs.test/mcp"), STR_INIT("https://other.test")};
static const oauth_rule_t RULES[] = {
    {STR_INIT("workload:nightly"), NIGHTLY, 2, {RESOURCES, 1}, STR_INIT("a:read b")},
    {STR_INIT("workload:both"), TWO, 1, {RESOURCES, 2}, STR_INIT("a:read a:write b")},
};

oauth_issuer_t *test_trust(token_play_t *p)
{
    oauth_issuer_t *v = ARENA_ARRAY(p->w.a, 2, oauth_issuer_t);
    assert_non_null(v);
    v[0] = (oauth_issuer_t){.issuer = STR(TEST_IDP), .uses = OAUTH_ISSUER_ID_JAG};
    v[1] = (oauth_issuer_t){
        .issuer = STR(TEST_PLATFORM), .uses = OAUTH_ISSUER_WORKLOAD, .rules = RULES, .n_rules = 2};
    p->w.settings.issuers = (oauth_issuers_t){v, 2};
    return v;
}
