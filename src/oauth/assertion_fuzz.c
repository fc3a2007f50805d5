/* Any bytes as an assertion. What is readable keeps its promises; without its key nothing is ever
 * proved, and no name is spent. */
#include "oauth/bearer.h"
#include "oauth/client_assertion.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_client(arena_t *a, str_t text)
{
    const oauth_settings_t settings = {.issuer = STR("https://as.test"),
                                       .assertion_audience = text.n % 3};
    oauth_client_claim_t claim = {0};
    if (oauth_client_assertion_read(a,
                                    STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                                    text, &claim) != RC_OK)
        return;
    must((claim.reason == OAUTH_FINE) == (claim.assertion != NULL));
    if (claim.reason != OAUTH_FINE)
        return;
    must(claim.client_id.n > 0);
    const client_t client = {.id = claim.client_id, .auth = CLIENT_AUTH_PRIVATE_KEY_JWT};
    const oauth_client_assertion_facts_t facts = {
        &settings,
        1000000,
        &client,
        STR("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
            "\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
            "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}"),
        false,
        {.max = 0}};
    if (oauth_client_assertion_check(a, &facts, &claim) != RC_OK)
        return;
    must(claim.proof != OAUTH_FINE && !claim.spend);
    must(oauth_client_auth_check(&claim, &client, 1000000) == claim.proof);
}

/* The same as a grant, of issuers whose key nobody has. */
static void check_grant(arena_t *a, str_t text)
{
    static const oauth_rule_claim_t SUB[] = {{STR_INIT("sub"), STR_INIT("repo:acme/"), true}};
    static const oauth_rule_t RULES[] = {{STR_INIT("workload:a"), SUB, 1}};
    static const oauth_issuer_t ISSUERS[] = {
        {.issuer = STR_INIT("https://idp.test"), .uses = OAUTH_ISSUER_ID_JAG},
        {.issuer = STR_INIT("https://platform.test"),
         .uses = OAUTH_ISSUER_WORKLOAD,
         .reuse = true,
         .rules = RULES,
         .n_rules = 1}};
    const oauth_settings_t settings = {.issuer = STR("https://as.test"), .issuers = {ISSUERS, 2}};
    const form_field_t field = {STR("assertion"), text};
    const form_t form = {&field, 1};
    const oauth_bearer_facts_t facts = {.settings = &settings, .now = 1000000};
    oauth_bearer_t read, checked;
    if (oauth_bearer_read(a, &settings, &form, &read) != RC_OK)
        return;
    must(oauth_bearer_verdict(&read) != OAUTH_FINE);
    must(read.reason != OAUTH_FINE || (read.issuer && read.assertion && str_is_set(read.subject)));
    if (oauth_bearer_check(a, &facts, &read, &checked) != RC_OK)
        return;
    must(oauth_bearer_verdict(&checked) != OAUTH_FINE && !checked.rule && !checked.spend);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(4 << 20);
    if (!a)
        return 0;
    oauth_assertion_t assertion;
    const spent_t *name;
    str_t text = str_of(data, size);
    if (oauth_assertion_read(a, text, &assertion) == RC_OK && assertion.readable) {
        must(assertion.claims.all != NULL && assertion.jws.alg != ALG_UNKNOWN);
        must(oauth_assertion_spend(a, &assertion, STR("k"), STR("w"), &name) == RC_OK);
    }
    check_client(a, text);
    check_grant(a, text);
    arena_free(a);
    return 0;
}
