#include "conf/conf_test_util.h"

#define W "trusted_issuers: [{issuer: 'https://i', uses: [workload], rules: ["
#define J "trusted_issuers: [{issuer: 'https://i', uses: [id-jag], "

static void assert_is(const conf_issuer_t *i, bool id_jag, bool workload, bool statement)
{
    assert_int_equal(i->for_id_jag, id_jag);
    assert_int_equal(i->for_workload, workload);
    assert_int_equal(i->for_software_statement, statement);
}

/* The example of the documentation, which may not promise what no file can say. */
static void issuers_of_the_documentation(void **state)
{
    str_t text, mark = STR("```yaml\ntrusted_issuers:");
    assert_int_equal(conf_document(*state, &text), RC_OK);
    while (text.n > 0 && !str_starts(text, mark))
        text = str_skip(text, 1);
    text = str_skip(text, 8);
    const conf_t *c = test_load_file(*state, str_first(text, str_find(text, '`', 0)));
    assert_int_equal(c->n_issuers, 2);
    const conf_issuer_t *i = &c->issuers[0];
    assert_is(i, true, false, false);
    assert_str(i->issuer, STR("https://idp.example.com"));
    assert_str(i->jwks_uri, STR("https://idp.example.com/keys"));
    assert_int_equal(i->algorithms.n, 2);
    assert_str(i->tenant_claim, STR("tenant"));
    assert_str(i->tenants.v[0], STR("acme"));
    assert_str(i->resources.v[0], STR("https://mcp.example.com/mcp"));
    assert_str(i->scopes.v[0], STR("news:read"));
    i = &c->issuers[1];
    assert_is(i, false, true, false);
    assert_false(str_is_set(i->jwks_uri));
    assert_int_equal(i->n_rules, 1);
    assert_str(i->rules[0].name, STR("nightly"));
    assert_int_equal(i->rules[0].n_claims, 2);
    assert_str(i->rules[0].claims[0].value, STR("repo:acme/"));
    assert_true(i->rules[0].claims[0].prefix);
    assert_false(i->rules[0].claims[1].prefix);
}

static void no_issuers(void **state)
{
    assert_int_equal(test_load_file(*state, STR("trusted_issuers:"))->n_issuers, 0);
    assert_int_equal(test_load_file(*state, STR("trusted_issuers: []"))->n_issuers, 0);
    assert_int_equal(test_load_file(*state, STR("store: memory"))->n_issuers, 0);
}

static void where_keys_come_from(void **state)
{
    static const char *const GOOD[] = {
        "jwks_uri: 'http://127.0.0.1:9/keys', issuer: urn:x",
        "jwks_file: /etc/keys.json, issuer: 'spiffe://acme'",
        "issuer: 'http://localhost:9/idp/'",
        "issuer: 'HTTPS://IDP.example.com/a'",
    };
    for (size_t i = 0; i < ROWS(GOOD); i++) {
        str_t file =
            arena_printf(*state, "trusted_issuers: [{uses: [software-statement], %s}]", GOOD[i]);
        const conf_t *c = test_load_file(*state, file);
        assert_int_equal(c->n_issuers, 1);
        assert_is(&c->issuers[0], false, false, true);
    }
}

/* Only at the end of sub does '*' stand for anything. */
static void a_star_is_a_star_elsewhere(void **state)
{
    const conf_t *c = test_load_file(
        *state, STR(W "{name: a, claims: {ref: 'x*', sub: 'a*b'}, resources: ['https://H/']}]}]"));
    const conf_rule_t *rule = &c->issuers[0].rules[0];
    assert_false(rule->claims[0].prefix);
    assert_str(rule->claims[0].value, STR("x*"));
    assert_false(rule->claims[1].prefix);
    assert_str(rule->resources.v[0], STR("https://h"));
    assert_int_equal(rule->scopes.n, 0);
    assert_false(c->issuers[0].reuse);
    c = test_load_file(*state, STR("trusted_issuers: [{issuer: 'https://i', reuse: true, uses: "
                                   "[workload], rules: [{name: a, claims: {sub: b}, resources: "
                                   "['https://h']}]}]"));
    assert_true(c->issuers[0].reuse);
}

typedef struct {
    const char *file, *mend;
} bad_t;

static void assert_refused(arena_t *a, const char *what, const bad_t *bad, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_str(test_file_refusal(a, str_c(bad[i].file)),
                   arena_printf(a, "%s, in line 1 of the settings file: %s", what, bad[i].mend));
}

static void issuers_refused(void **state)
{
    static const char USES[] = "uses are id-jag, workload and software-statement";
    static const char KEYS[] = "an issuer that is no https URL needs jwks_uri or jwks_file: where "
                               "else would its keys come from?";
    static const char URI[] = "jwks_uri must be an https URL without user and fragment";
    static const bad_t BAD[] = {
        {"trusted_issuers: x", "trusted_issuers is a list of maps, each with its issuer"},
        {"trusted_issuers: [x]", "each issuer is a map with its issuer and uses"},
        {"trusted_issuers: [{}]", "an issuer needs its name: the value of iss in what it signs"},
        {"trusted_issuers: [{issuer: ''}]", "here belongs one line of text"},
        {"trusted_issuers: [{issuer: [a]}]", "here belongs one line of text"},
        {"trusted_issuers: [{issuer: 'https://i'}]",
         "say what the issuer is trusted for: uses: [id-jag], [workload] or [software-statement]"},
        {"trusted_issuers: [{issuer: 'https://i', uses: [login]}]", USES},
        {"trusted_issuers: [{issuer: 'https://i', uses: id-jag}]",
         "here belongs a list, such as [\"a\", \"b\"]"},
        {"trusted_issuers: [{issuer: 'https://i', uses: [workload]}]",
         "uses: [workload] needs rules: without them no workload may do anything"},
        {"trusted_issuers: [{issuer: 'https://i', uses: [id-jag], use: x}]",
         "an issuer has issuer, jwks_uri, jwks_file, uses, algorithms, tenant_claim, tenants, "
         "resources, scopes, reuse and rules"},
        {J "algorithms: [none]}]", "algorithms are ES256, EdDSA, RS256 and PS256"},
        {J "algorithms: [HS256]}]", "algorithms are ES256, EdDSA, RS256 and PS256"},
        {J "tenants: [a]}]", "tenants needs tenant_claim: which claim names the tenant?"},
        {J "scopes: ['a b']}]", "a scope is printable ASCII without space, quote and backslash"},
        {J "resources: [mcp]}]", "resources are http(s) URLs without user and fragment"},
        {J "jwks_uri: 'https://i/k', jwks_file: k}]", "jwks_uri and jwks_file exclude each other"},
        {J "jwks_uri: 'http://idp.example.com/k'}]", URI},
        {J "jwks_uri: 'https://u@i/k'}]", URI},
        {J "jwks_uri: 'file:///k'}]", URI},
        {"trusted_issuers: [{issuer: 'urn:x', uses: [id-jag]}]", KEYS},
        {"trusted_issuers: [{issuer: 'http://idp.example.com', uses: [id-jag]}]", KEYS},
        {"trusted_issuers: [{issuer: 'https://i?a', uses: [id-jag]}]", KEYS},
        {"trusted_issuers: [{issuer: 'https://i', uses: [software-statement], scopes: [a]}]",
         "tenant_claim, resources and scopes bound uses: [id-jag]; those of workloads stand in "
         "rules"},
        {"trusted_issuers: [{issuer: 'https://i', uses: [id-jag]}, {issuer: 'https://i', uses: "
         "[id-jag]}]",
         "an issuer of this name stands above already"},
        {J "rules: [{name: a, claims: {sub: a}, resources: ['https://h']}]}]",
         "rules and reuse are for uses: [workload]"},
        {J "reuse: true}]", "rules and reuse are for uses: [workload]"},
        {J "reuse: often}]", "reuse is true or false"},
    };
    assert_refused(*state, "trusted_issuers", BAD, ROWS(BAD));
}

static void rules_refused(void **state)
{
    static const char NAME[] =
        "a rule needs a name of at most 64 letters, digits, '-', '_' and '.'";
    static const bad_t BAD[] = {
        {J "rules: {name: a}}]", "rules is a list of maps, each with its name"},
        {W "a]}]", "each rule is a map with name and claims"},
        {W "{claims: {sub: a}, resources: ['https://h']}]}]", NAME},
        {W "{name: 'a b', claims: {sub: a}, resources: ['https://h']}]}]", NAME},
        {W "{name: a, claims: {sub: '*'}, resources: ['https://h']}]}]",
         "a sub of '*' would be everybody: say how it begins"},
        {W "{name: a, claims: {ref: a}, resources: ['https://h']}]}]",
         "the claims of a rule must name sub: the issuer signs for others, too"},
        {W "{name: a, resources: ['https://h']}]}]",
         "the claims of a rule must name sub: the issuer signs for others, too"},
        {W "{name: a, claims: [sub]}]}]", "claims are written as 'name: value'"},
        {W "{name: a, claims: {sub: ''}}]}]", "here belongs one line of text"},
        {W "{name: a, claims: {sub: a}}]}]",
         "a rule needs the resources that its workload may use"},
        {W "{name: a, claims: {sub: a}, resources: ['https://h#f']}]}]",
         "resources are http(s) URLs without user and fragment"},
        {W "{name: a, scope: b}]}]", "a rule has name, claims, resources and scopes"},
    };
    assert_refused(*state, "rules of trusted_issuers", BAD, ROWS(BAD));
}

static void the_line_is_that_of_the_mistake(void **state)
{
    str_t why = test_file_refusal(
        *state, STR("trusted_issuers:\n  - issuer: https://i\n    uses: [workload]\n    rules:\n"
                    "      - name: a\n        claims:\n          sub: \"*\"\n"));
    assert_str(why, STR("rules of trusted_issuers, in line 7 of the settings file: a sub of '*' "
                        "would be everybody: say how it begins"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(issuers_of_the_documentation),
        ARENA_TEST(no_issuers),
        ARENA_TEST(where_keys_come_from),
        ARENA_TEST(a_star_is_a_star_elsewhere),
        ARENA_TEST(issuers_refused),
        ARENA_TEST(rules_refused),
        ARENA_TEST(the_line_is_that_of_the_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
