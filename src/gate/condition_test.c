#include "gate/condition.h"

#include "gate/gate_test_util.h"

typedef struct {
    const char *rule, *json;
    const char *want;
} row_t;

/* What the token says of groups, roles and other claims, in the shapes that providers have. */
static void claims(void **state)
{
    gate_test_t *t = *state;
    static const row_t TABLE[] = {
        {"groups: [a, b]", "{\"groups\":[\"x\",\"b\"]}", "rule_allows"},
        {"groups: [a]", "{\"groups\":\"a\"}", "rule_allows"},
        {"groups: [a]", "{\"groups\":\"a b\"}", "wrong_group"},
        {"groups: [a]", "{\"groups\":[]}", "wrong_group"},
        {"groups: [a]", "{}", "wrong_group"},
        {"groups: [a]", "{\"groups\":null}", "wrong_group"},
        {"groups: ['1']", "{\"groups\":[1]}", "wrong_group"},
        {"groups: ['true']", "{\"groups\":true}", "wrong_group"},
        {"groups: [a]", "{\"Groups\":[\"a\"]}", "wrong_group"},
        {"groups: [a]", "{\"groups\":[\"A\"]}", "wrong_group"},
        {"groups: [a]", "{\"groups\":[[\"a\"]]}", "wrong_group"},
        {"groups: ['*']", "{\"groups\":[\"a\"]}", "wrong_group"},
        /* SCIM (RFC 7643 section 4.1.2) */
        {"groups: [e9e]", "{\"groups\":[{\"value\":\"e9e\",\"display\":\"Traders\"}]}",
         "rule_allows"},
        {"groups: [Traders]", "{\"groups\":[{\"value\":\"e9e\",\"display\":\"Traders\"}]}",
         "wrong_group"},
        /* Microsoft: too many groups for the token */
        {"groups: [a]", "{\"_claim_names\":{\"groups\":\"src1\"},\"hasgroups\":true}",
         "wrong_group"},
        {"roles: [Task.Write]", "{\"roles\":[\"Task.Read\",\"Task.Write\"]}", "rule_allows"},
        {"roles: [a]", "{\"groups\":[\"a\"]}", "wrong_role"},
        {"groups: [a], roles: [b]", "{\"groups\":\"a\",\"roles\":[\"b\"]}", "rule_allows"},
        {"groups: [a], roles: [b]", "{\"groups\":\"a\",\"roles\":[\"c\"]}", "wrong_role"},
        {"claims: {tenant: acme}", "{\"tenant\":\"acme\"}", "rule_allows"},
        {"claims: {tenant: acme}", "{\"tenant\":\"acme2\"}", "wrong_claim"},
        {"claims: {tenant: acme}", "{}", "wrong_claim"},
        {"claims: {tenant: '*'}", "{\"tenant\":\"any\"}", "rule_allows"},
        {"claims: {tenant: '*'}", "{\"tenant\":null}", "wrong_claim"},
        {"claims: {email: '*@example.com'}", "{\"email\":\"a@example.com\"}", "rule_allows"},
        {"claims: {email: '*@example.com'}", "{\"email\":\"a@example.com.evil\"}", "wrong_claim"},
        {"claims: {email_verified: true}", "{\"email_verified\":true}", "rule_allows"},
        {"claims: {email_verified: true}", "{\"email_verified\":false}", "wrong_claim"},
        {"claims: {level: 3}", "{\"level\":3}", "rule_allows"},
        {"claims: {amr: mfa}", "{\"amr\":[\"pwd\",\"mfa\"]}", "rule_allows"},
        {"claims: {realm_access.roles: trader}", "{\"realm_access\":{\"roles\":[\"trader\"]}}",
         "rule_allows"},
        {"claims: {'https://x.example/dept': r}", "{\"https://x.example/dept\":\"r\"}",
         "rule_allows"},
        {"claims: {a.b: x}", "{\"a.b\":\"y\",\"a\":{\"b\":\"x\"}}", "wrong_claim"},
        {"claims: {a: x, b: y}", "{\"a\":\"x\"}", "wrong_claim"},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        test_rules(t, arena_printf(t->a, "{name: r, tools: [t], %s}", TABLE[i].rule).p);
        test_claims(t, TABLE[i].json);
        mcp_operation_t m = test_message(t, "tools/call", "t", NULL);
        gate_decision_t d = test_ask(t, &m);
        if (!str_eq(d.reason, str_c(TABLE[i].want)))
            fail_msg("%s with %s: %" PRIstr, TABLE[i].rule, TABLE[i].json, STR_ARG(d.reason));
    }
}

static void claims_of_the_policy(void **state)
{
    gate_test_t *t = *state;
    test_policy(t,
                "groups_claim: 'cognito:groups', roles_claim: realm_access.roles, rules: [{name: "
                "r, tools: [t], groups: [a], roles: [b]}]");
    test_claims(t, "{\"cognito:groups\":[\"a\"],\"realm_access\":{\"roles\":[\"b\"]}}");
    assert_string_equal(test_call(t, "t", NULL), "allow r rule_allows");
    test_claims(t, "{\"groups\":[\"a\"],\"roles\":[\"b\"]}");
    assert_string_equal(test_call(t, "t", NULL), "deny r wrong_group");
}

static void clients_subjects_issuers(void **state)
{
    gate_test_t *t = *state;
    static const row_t TABLE[] = {
        {"subjects: [alice]", "", "rule_allows"},
        {"subjects: ['al*', bob]", "", "rule_allows"},
        {"subjects: [alic]", "", "wrong_subject"},
        {"clients: ['insp*']", "", "rule_allows"},
        {"clients: ['https://*']", "", "wrong_client"},
        {"issuers: ['https://as.example.com']", "", "rule_allows"},
        {"issuers: ['https://as.example.co*']", "", "wrong_issuer"},
        {"issuers: ['https://other'], subjects: [alice]", "", "wrong_issuer"},
    };
    for (size_t i = 0; i < ROWS(TABLE); i++) {
        test_rules(t, arena_printf(t->a, "{name: r, tools: [t], %s}", TABLE[i].rule).p);
        mcp_operation_t m = test_message(t, "tools/call", "t", NULL);
        assert_str(test_ask(t, &m).reason, str_c(TABLE[i].want));
    }
    /* A client without a name is nobody's. */
    t->who.client = STR("");
    test_rules(t, "{name: r, tools: [t], clients: ['?*']}");
    assert_string_equal(test_call(t, "t", NULL), "deny r wrong_client");
}

static const row_t ARGUMENTS[] = {
    {"path: a, max: 10", "{\"a\":10}", "yes"},
    {"path: a, max: 10", "{\"a\":10.0}", "yes"},
    {"path: a, max: 10", "{\"a\":1e1}", "yes"},
    {"path: a, max: 10", "{\"a\":10.000001}", "no"},
    {"path: a, max: 10", "{\"a\":1e400}", "unknown"},
    {"path: a, max: 10", "{\"a\":\"9\"}", "unknown"},
    {"path: a, max: 10", "{\"a\":[9]}", "unknown"},
    {"path: a, max: 10", "{\"a\":{\"a\":9}}", "unknown"},
    {"path: a, max: 10", "{\"a\":null}", "unknown"},
    {"path: a, max: 10", "{\"a\":true}", "unknown"},
    {"path: a, max: 10", "{}", "no"},
    /* Another argument to a server that folds case. */
    {"path: a, max: 10", "{\"A\":9}", "unknown"},
    {"path: a, max: 10", "{\"a\":9,\"A\":99}", "unknown"},
    {"path: a, max: 10, optional: true", "{\"A\":99}", "unknown"},
    {"path: task, max: 10", "{\"task\":9,\"ta\\u017fk\":99}", "unknown"},
    {"path: a.b, max: 10", "{\"a\":{\"b\":9,\"B\":99}}", "unknown"},
    {"path: a.b, max: 10", "{\"a\":{\"b\":9},\"A\":{\"b\":99}}", "unknown"},
    {"path: a.b, max: 10", "{\"a\":{\"b\":9},\"B\":99}", "yes"},
    {"path: a.0.b, max: 10", "{\"a\":[{\"b\":9,\"B\":99}]}", "unknown"},
    {"path: a, max: 10, optional: true", "{}", "yes"},
    {"path: a, max: 10, optional: true", "{\"a\":null}", "unknown"},
    {"path: a, max: 10, optional: true", "{\"a\":11}", "no"},
    {"path: a, min: -5", "{\"a\":-5}", "yes"},
    {"path: a, min: -5", "{\"a\":-5.1}", "no"},
    {"path: a, min: 0, max: 0", "{\"a\":-0.0}", "yes"},
    {"path: a, max: 9007199254740991", "{\"a\":9007199254740992}", "no"},
    {"path: a, max: 9007199254740991", "{\"a\":9007199254740993}", "no"},
    {"path: a, max: 9007199254740991", "{\"a\":9007199254740991}", "yes"},
    {"path: a", "{\"a\":0}", "yes"},
    {"path: a", "{\"a\":null}", "unknown"},
    {"path: a", "{}", "no"},
    {"path: a, one_of: [EUR, USD]", "{\"a\":\"USD\"}", "yes"},
    {"path: a, one_of: [EUR]", "{\"a\":\"eur\"}", "no"},
    {"path: a, one_of: [EUR]", "{\"a\":[\"EUR\"]}", "unknown"},
    {"path: a, one_of: [1, 2]", "{\"a\":2}", "yes"},
    {"path: a, one_of: [1, 2]", "{\"a\":2.0}", "yes"},
    {"path: a, one_of: [1, 2]", "{\"a\":3}", "no"},
    {"path: a, one_of: [9007199254740992]", "{\"a\":9007199254740993}", "no"},
    {"path: a, one_of: [true]", "{\"a\":true}", "yes"},
    {"path: a, one_of: [true]", "{\"a\":false}", "no"},
    {"path: a, matches: ['ab*', x]", "{\"a\":\"abc\"}", "yes"},
    {"path: a, matches: ['ab*', x]", "{\"a\":\"bc\"}", "no"},
    {"path: a, matches: ['*']", "{\"a\":1}", "unknown"},
    {"path: a, max_length: 2", "{\"a\":\"\\u00e4\\u00e4\"}", "yes"},
    {"path: a, max_length: 2", "{\"a\":\"abc\"}", "no"},
    {"path: a, max_length: 2", "{\"a\":[1,2]}", "yes"},
    {"path: a, max_length: 2", "{\"a\":[1,2,3]}", "no"},
    {"path: a, max_length: 2", "{\"a\":{}}", "unknown"},
    {"path: a, max_length: 0", "{\"a\":\"\"}", "yes"},
    {"path: a.b.1, max: 5", "{\"a\":{\"b\":[9,5]}}", "yes"},
    {"path: a.b.1, max: 5", "{\"a\":{\"b\":[5,9]}}", "no"},
    {"path: a.b.1, max: 5", "{\"a\":{\"b\":[5]}}", "no"},
    {"path: a.b.1, max: 5", "{\"a\":{\"b\":{\"1\":5}}}", "yes"},
    {"path: a.b.1, max: 5", "{\"a\":\"b\"}", "no"},
    {"path: a.01, max: 5", "{\"a\":[1,2]}", "yes"},
    {"path: a.-1, max: 5", "{\"a\":[1,2]}", "no"},
};

/* Of a rule that allows: only what surely fits. */
static void arguments(void **state)
{
    gate_test_t *t = *state;
    for (size_t i = 0; i < ROWS(ARGUMENTS); i++) {
        const row_t *row = &ARGUMENTS[i];
        test_rules(t, arena_printf(t->a, "{name: r, tools: [t], arguments: [{%s}]}", row->rule).p);
        const char *got = test_call(t, "t", row->json);
        const char *want =
            strcmp(row->want, "yes") == 0 ? "allow r rule_allows" : "deny r wrong_argument";
        if (strcmp(got, want) != 0)
            fail_msg("%s with %s: %s", row->rule, row->json, got);
    }
}

/* Of a rule that denies: whatever does not surely differ. */
static void arguments_that_are_denied(void **state)
{
    gate_test_t *t = *state;
    for (size_t i = 0; i < ROWS(ARGUMENTS); i++) {
        const row_t *row = &ARGUMENTS[i];
        test_rules(
            t, arena_printf(t->a, "{name: d, tools: [t], deny: true, arguments: [{%s}]}, {name: r}",
                            row->rule)
                   .p);
        const char *got = test_call(t, "t", row->json);
        const char *want =
            strcmp(row->want, "no") == 0 ? "allow r rule_allows" : "deny d rule_denies";
        if (strcmp(got, want) != 0)
            fail_msg("%s with %s: %s", row->rule, row->json, got);
    }
}

static void no_arguments_at_all(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: r, tools: [t], arguments: [{path: a, max: 1, optional: true}]}");
    assert_string_equal(test_call(t, "t", NULL), "allow r rule_allows");
    test_rules(t, "{name: r, tools: [t], arguments: [{path: a, max: 1}, {path: b}]}");
    assert_string_equal(test_call(t, "t", NULL), "deny r wrong_argument");
    assert_string_equal(test_call(t, "t", "{\"a\":1}"), "deny r wrong_argument");
    assert_string_equal(test_call(t, "t", "{\"a\":1,\"b\":2}"), "allow r rule_allows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATE_TEST(claims),
        GATE_TEST(claims_of_the_policy),
        GATE_TEST(clients_subjects_issuers),
        GATE_TEST(arguments),
        GATE_TEST(arguments_that_are_denied),
        GATE_TEST(no_arguments_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
