#include "gate/policy.h"

#include "conf/conf_policy.h"
#include "gate/gate_test_util.h"

static void scopes(gate_test_t *t, const char *scope)
{
    t->who.scope = str_c(scope);
}

static void the_first_rule_that_names_it_decides(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: one, tools: [weather], scopes: [news:read]},"
                  "{name: two, tools: [get_*, weather2], scopes: [a]},"
                  "{name: three, tools: [get_price, '*'], scopes: [b]}");
    assert_string_equal(test_call(t, "weather", NULL), "allow one rule_allows news:read");
    assert_string_equal(test_call(t, "weather2", NULL), "scope two scope_missing a");
    assert_string_equal(test_call(t, "get_price", NULL), "scope two scope_missing a");
    assert_string_equal(test_call(t, "other", NULL), "scope three scope_missing b");
}

static void what_no_rule_names(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: one, tools: [weather]}");
    assert_string_equal(test_call(t, "other", NULL), "deny default default_denies");
    assert_string_equal(test_method(t, "resources/read", "weather"), "deny default default_denies");
    assert_string_equal(test_method(t, "prompts/get", "weather"), "deny default default_denies");
    assert_string_equal(test_method(t, "tasks/get", NULL), "deny default default_denies");
    assert_string_equal(test_method(t, "TOOLS/CALL", NULL), "deny default default_denies");
    assert_string_equal(test_method(t, "tools/callx", NULL), "deny default default_denies");
    assert_string_equal(test_call(t, "weather", NULL), "allow one rule_allows");
    test_policy(t, "default: {scopes: ['mcp:use', 'mcp:tools:{name}']}");
    assert_string_equal(test_call(t, "other", NULL),
                        "scope default scope_missing mcp:use mcp:tools:other");
    scopes(t, "mcp:use mcp:tools:*");
    assert_string_equal(test_call(t, "other", NULL),
                        "allow default default_allows mcp:use mcp:tools:other");
    assert_string_equal(test_method(t, "tasks/get", NULL), "deny default name_not_scope_safe");
}

static void the_ready_policy(void **state)
{
    gate_test_t *t = *state;
    assert_int_equal(gate_policy_new(t->a, conf_policy_ready(), &t->policy), RC_OK);
    assert_string_equal(test_call(t, "any", NULL), "scope default scope_missing mcp:use");
    assert_string_equal(test_method(t, "tools/list", NULL), "allow protocol protocol");
    assert_false(test_shows(t, MCP_LIST_TOOLS, "any"));
    scopes(t, "mcp:use");
    assert_string_equal(test_call(t, "any", NULL), "allow default default_allows mcp:use");
    assert_string_equal(test_method(t, "tasks/get", NULL), "allow default default_allows mcp:use");
    assert_true(test_shows(t, MCP_LIST_TEMPLATES, "file:///{path}"));
    assert_int_equal(gate_policy_initial_scopes(t->policy).n, 1);
    assert_str(gate_policy_scopes(t->policy).v[0], STR("mcp:use"));
}

static void what_the_protocol_needs(void **state)
{
    gate_test_t *t = *state;
    static const char *const NEEDED[] = {
        "initialize",           "ping",           "server/discover",          "tools/list",
        "prompts/list",         "resources/list", "resources/templates/list", "logging/setLevel",
        "subscriptions/listen",
    };
    scopes(t, "");
    test_rules(t, "{name: deny-all, deny: true}");
    for (size_t i = 0; i < ROWS(NEEDED); i++)
        assert_string_equal(test_method(t, NEEDED[i], NULL), "allow protocol protocol");
    mcp_operation_t m = test_message(t, "notifications/cancelled", NULL, NULL);
    m.message.kind = MCP_NOTIFICATION;
    assert_int_equal(test_ask(t, &m).outcome, GATE_ALLOW);
    m.message.kind = MCP_REQUEST;
    assert_int_equal(test_ask(t, &m).outcome, GATE_DENY);
    m.message = (mcp_message_t){.kind = MCP_NOTIFICATION, .method = STR("tasks/cancel")};
    assert_int_equal(test_ask(t, &m).outcome, GATE_DENY);
    m.message = (mcp_message_t){.kind = MCP_RESPONSE, .id = STR("1")};
    assert_int_equal(test_ask(t, &m).outcome, GATE_ALLOW);
    assert_string_equal(test_call(t, "ping", NULL), "deny deny-all rule_denies");
    test_rules(t, "{name: staff, methods: [initialize], groups: [staff]}, {name: all}");
    assert_string_equal(test_method(t, "initialize", NULL), "deny staff wrong_group");
    assert_string_equal(test_method(t, "ping", NULL), "allow protocol protocol");
}

/* Otherwise a message would pass by the rules for its object. */
static void an_object_without_a_name(void **state)
{
    gate_test_t *t = *state;
    static const char *const METHODS[] = {"tools/call",          "resources/read",
                                          "resources/subscribe", "resources/unsubscribe",
                                          "prompts/get",         "completion/complete"};
    test_rules(t, "{name: all}");
    for (size_t i = 0; i < ROWS(METHODS); i++) {
        assert_string_equal(test_method(t, METHODS[i], NULL), "deny default name_missing");
        assert_string_equal(test_method(t, METHODS[i], "x"), "allow all rule_allows");
    }
}

/* GWM-004: names that look like a denied one are other names; the denied one stays denied. */
static void lookalikes(void **state)
{
    gate_test_t *t = *state;
    static const char *const OTHERS[] = {"secrettool", "secretTool ", " secretTool",
                                         ("\xef\xbd\x93"
                                          "ecretTool"),
                                         "secretTool\xcc\x81"};
    test_rules(t, "{name: no, tools: [secretTool], deny: true}, {name: some, tools: [weather]}");
    for (size_t i = 0; i < ROWS(OTHERS); i++)
        assert_string_equal(test_call(t, OTHERS[i], NULL), "deny default default_denies");
    mcp_operation_t m = test_message(t, "tools/call", "x", NULL);
    m.name = STR("weather\0");
    assert_int_equal(test_ask(t, &m).outcome, GATE_DENY);
    assert_string_equal(test_call(t, "secretTool", NULL), "deny no rule_denies");
    assert_string_equal(test_call(t, "weather", NULL), "allow some rule_allows");
}

static gate_decision_t listen(gate_test_t *t, const str_t *uris, size_t n)
{
    mcp_operation_t m = test_message(t, "subscriptions/listen", NULL, NULL);
    m.resources = (str_list_t){uris, n};
    return test_ask(t, &m);
}

static void names_that_are_too_long(void **state)
{
    gate_test_t *t = *state;
    mcp_operation_t m = test_message(t, "tools/call", "x", NULL);
    char *p = arena_alloc(t->a, GATE_NAME_BYTES + 1);
    memset(p, 'a', GATE_NAME_BYTES + 1);
    test_rules(t, "{name: all}");
    m.name = str_of(p, GATE_NAME_BYTES + 1);
    assert_str(test_ask(t, &m).reason, STR("name_too_long"));
    m.name.n--;
    assert_int_equal(test_ask(t, &m).outcome, GATE_ALLOW);
}

/* What a server resolves to another resource passes by no rule for that one. */
static void uris_with_another_spelling(void **state)
{
    gate_test_t *t = *state;
    static const char *const OTHERS[] = {
        "file:///public/../secret/x", "file:///public/..",
        "file:///public/./x",         "file:///public/%2e%2e/secret",
        "file:///public/.%2E/s",      "file:///public/..%2fsecret/x",
        "file:///public\\..\\secret", "file:///public/..%5Cs",
        "file:///public/%73ecret",    "file:///public/..;/secret",
        "file:///public/..?x",        "file:///public/x?/../../s",
        "file:///public/..#x",        "../secret",
        "file:///public/%7Eroot",     "file:///public/secret%00.png"};
    static const char *const GOOD[] = {
        "file:///public/a..b",  "file:///public/...",   "file:///public/.hidden",
        "file:///public/x%20y", "file:///public/a%2Fb", "file:///public/100%",
        "file:///public/%zz",   "file:///public/x?y=.", "file:///public/%C3%A4.",
        "file:///public/x%0Ay", "file:///public/%0"};
    test_rules(t, "{name: public, resources: ['file:///public*', '*secret']}");
    for (size_t i = 0; i < ROWS(OTHERS); i++) {
        str_t uri = str_c(OTHERS[i]);
        assert_string_equal(test_method(t, "resources/read", OTHERS[i]),
                            "deny default uri_not_normal");
        assert_string_equal(test_method(t, "completion/complete", OTHERS[i]),
                            "deny default uri_not_normal");
        gate_decision_t d = listen(t, &uri, 1);
        assert_string_equal(test_text(t, &d), "deny default uri_not_normal");
        assert_false(test_shows(t, MCP_LIST_RESOURCES, OTHERS[i]));
    }
    for (size_t i = 0; i < ROWS(GOOD); i++)
        assert_string_equal(test_method(t, "resources/read", GOOD[i]), "allow public rule_allows");
}

static void names_in_scopes(void **state)
{
    gate_test_t *t = *state;
    static const char *const UNSAFE[] = {"a b", "a:b", "*", "a\"", "\xc3\xa4", "", "a\\", "a\n"};
    scopes(t, "mcp:tools:* news:read");
    test_rules(t, "{name: all, tools: ['*'], prompts: ['*'], scopes: ['mcp:tools:{name}', "
                  "news:read]}");
    for (size_t i = 0; i < ROWS(UNSAFE); i++)
        assert_string_equal(test_call(t, UNSAFE[i], NULL), "deny all name_not_scope_safe");
    char *p = arena_alloc(t->a, 130);
    memset(p, 'a', 129);
    assert_string_equal(test_call(t, p, NULL), "deny all name_not_scope_safe");
    p[128] = 0;
    assert_true(strncmp(test_call(t, p, NULL), "allow", 5) == 0);
    assert_string_equal(test_call(t, "get.a/b_c-D9", NULL),
                        "allow all rule_allows mcp:tools:get.a/b_c-D9 news:read");
    scopes(t, "mcp:tools:get");
    assert_string_equal(test_call(t, "put", NULL),
                        "scope all scope_missing mcp:tools:put news:read");
}

/* The scopes that resources in the field have, granted as they are and with a wildcard. */
static void scopes_of_the_field(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: weather, tools: [weather], scopes: ['mcp:tools:weather']},"
                  "{name: customers, resources: ['customer-data://*'], scopes: "
                  "['mcp:resources:customer-data:read']},"
                  "{name: flows, tools: ['flow_*'], scopes: ['mcp:exec:workflows:{name}']},"
                  "{name: any-flow, tools: [all_flows], scopes: ['mcp:exec:workflows:*']}");
    scopes(t, "mcp:tools:weather mcp:resources:*:read mcp:exec:workflows:*");
    assert_string_equal(test_call(t, "weather", NULL),
                        "allow weather rule_allows mcp:tools:weather");
    assert_string_equal(test_method(t, "resources/read", "customer-data://1"),
                        "allow customers rule_allows mcp:resources:customer-data:read");
    assert_string_equal(test_call(t, "flow_a", NULL),
                        "allow flows rule_allows mcp:exec:workflows:flow_a");
    assert_string_equal(test_call(t, "all_flows", NULL),
                        "allow any-flow rule_allows mcp:exec:workflows:*");
    /* What needs all is not met by one that merely holds more. */
    scopes(t, "mcp:exec:*");
    assert_string_equal(test_call(t, "flow_a", NULL),
                        "allow flows rule_allows mcp:exec:workflows:flow_a");
    assert_string_equal(test_call(t, "all_flows", NULL),
                        "scope any-flow scope_missing mcp:exec:workflows:*");
}

static void all_scopes_at_once(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: r, tools: [t], scopes: [a, news:read, b]}");
    assert_string_equal(test_call(t, "t", NULL), "scope r scope_missing a news:read b");
    scopes(t, "a b news:read x");
    assert_string_equal(test_call(t, "t", NULL), "allow r rule_allows a news:read b");
}

static void deny_with_conditions(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: no, tools: [t], deny: true, groups: [interns]}, {name: yes, tools: [t]}");
    assert_string_equal(test_call(t, "t", NULL), "allow yes rule_allows");
    test_claims(t, "{\"groups\":[\"interns\"]}");
    assert_string_equal(test_call(t, "t", NULL), "deny no rule_denies");
}

static void otherwise_next(void **state)
{
    gate_test_t *t = *state;
    test_rules(t,
               "{name: small, tools: [pay], otherwise: next, groups: [clerks], arguments: [{path: "
               "sum, max: 10}], scopes: [news:read]},"
               "{name: big, tools: [pay], groups: [heads], scopes: [pay]},"
               "{name: rest, tools: ['*']}");
    assert_string_equal(test_call(t, "pay", "{\"sum\":5}"), "deny big wrong_group");
    test_claims(t, "{\"groups\":[\"clerks\"]}");
    assert_string_equal(test_call(t, "pay", "{\"sum\":5}"), "allow small rule_allows news:read");
    assert_string_equal(test_call(t, "pay", "{\"sum\":50}"), "deny big wrong_group");
    test_claims(t, "{\"groups\":[\"clerks\",\"heads\"]}");
    assert_string_equal(test_call(t, "pay", "{\"sum\":50}"), "scope big scope_missing pay");
    /* A missing scope is no condition: who fits is asked for it. */
    scopes(t, "");
    assert_string_equal(test_call(t, "pay", "{\"sum\":5}"), "scope small scope_missing news:read");
}

/* Who does not fit a rule does not fall through to a later, wider one. */
static void no_fall_through(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: trade, tools: [order], groups: [traders]}, {name: rest, tools: ['*']}");
    assert_string_equal(test_call(t, "order", NULL), "deny trade wrong_group");
    assert_string_equal(test_call(t, "other", NULL), "allow rest rule_allows");
}

static void order_of_refusals(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: r, tools: [t], groups: [g], arguments: [{path: a, max: 1}], max_bytes: "
                  "100, max_age: 300, acr: [mfa, otp], scopes: [x]}");
    t->body_bytes = 101;
    assert_string_equal(test_call(t, "t", NULL), "deny r wrong_group");
    test_claims(t, "{\"groups\":\"g\"}");
    assert_string_equal(test_call(t, "t", NULL), "deny r wrong_argument");
    assert_string_equal(test_call(t, "t", "{\"a\":1}"), "size r message_too_large x");
    t->body_bytes = 100;
    assert_string_equal(test_call(t, "t", "{\"a\":1}"), "step-up r wrong_acr x");
    t->who.acr = STR("otp");
    assert_string_equal(test_call(t, "t", "{\"a\":1}"), "step-up r sign_in_too_old x");
    t->who.auth_time = t->now_s - 330;
    assert_string_equal(test_call(t, "t", "{\"a\":1}"), "scope r scope_missing x");
    scopes(t, "x");
    assert_string_equal(test_call(t, "t", "{\"a\":1}"), "allow r rule_allows x");
    t->who.auth_time--;
    mcp_operation_t m = test_message(t, "tools/call", "t", "{\"a\":1}");
    gate_decision_t d = test_ask(t, &m);
    assert_int_equal(d.outcome, GATE_STEP_UP);
    assert_str(d.acr_values, STR("mfa otp"));
    assert_int_equal(d.max_age_s, 300);
}

static void tolls_of_what_is_allowed(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: r, tools: [t], scopes: [news:read], rates: [{per: subject, calls: 1, "
                  "seconds: 2}, {per: tool, calls: 3, seconds: 4}]}");
    mcp_operation_t m = test_message(t, "tools/call", "t", NULL);
    gate_decision_t d = test_ask(t, &m);
    assert_int_equal(d.n_tolls, 2);
    assert_int_equal(d.tolls[1].rate->calls, 3);
    assert_str(d.tolls[1].rule, STR("r"));
    scopes(t, "");
    assert_int_equal(test_ask(t, &m).n_tolls, 0);
}

static void listening_to_resources(void **state)
{
    gate_test_t *t = *state;
    const str_t URIS[] = {STR("a://1"), STR("b://1"), STR("c://1"), STR("a://2")};
    test_rules(t, "{name: a, resources: ['a://*'], scopes: [news:read], rates: [{per: rule, calls: "
                  "1, seconds: 1}]}, {name: b, resources: ['b://*'], scopes: [y]}");
    gate_decision_t d = listen(t, URIS, 1);
    assert_int_equal(d.outcome, GATE_ALLOW);
    assert_int_equal(d.n_tolls, 1);
    d = listen(t, URIS, 2);
    assert_string_equal(test_text(t, &d), "scope b scope_missing news:read y");
    d = listen(t, URIS, 3);
    assert_int_equal(d.outcome, GATE_DENY);
    scopes(t, "news:read y");
    d = listen(t, (str_t[]){URIS[0], URIS[3], URIS[1]}, 3);
    assert_string_equal(test_text(t, &d), "allow a rule_allows news:read y");
    assert_int_equal(d.n_tolls, 1);
    str_t *many = ARENA_ARRAY(t->a, GATE_LISTEN_MAX + 1, str_t);
    for (size_t i = 0; i <= GATE_LISTEN_MAX; i++)
        many[i] = URIS[0];
    assert_int_equal(listen(t, many, GATE_LISTEN_MAX).outcome, GATE_ALLOW);
    d = listen(t, many, GATE_LISTEN_MAX + 1);
    assert_string_equal(test_text(t, &d), "deny default too_many_names");
}

/* A rate that there is no room for is not left out. */
static void more_rates_than_can_be_counted(void **state)
{
    gate_test_t *t = *state;
    buf_t b = buf_new(t->a, 1 << 16);
    str_t uris[3] = {STR("r://0"), STR("r://1"), STR("r://2")};
    for (int i = 0; i < 3; i++)
        buf_fmt(&b,
                "%s{name: r%d, resources: ['r://%d'], rates: [{per: rule, calls: 1, seconds: 1}, "
                "{per: rule, calls: 2, seconds: 2}, {per: rule, calls: 3, seconds: 3}]}",
                i ? "," : "", i, i);
    buf_char(&b, 0);
    test_rules(t, buf_str(&b).p);
    assert_int_equal(listen(t, uris, 2).n_tolls, 6);
    gate_decision_t d = listen(t, uris, 3);
    assert_string_equal(test_text(t, &d), "deny default too_many_names");
}

static void completions(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: no, resources: ['file:///secret/*'], deny: true},"
                  "{name: files, resources: ['file:///*'], scopes: [news:read]},"
                  "{name: letter, prompts: [letter], arguments: [{path: to, one_of: [bob]}]}");
    assert_string_equal(test_method(t, "completion/complete", "file:///{path}"),
                        "allow files rule_allows news:read");
    assert_string_equal(test_method(t, "completion/complete", "file:///secret/{x}"),
                        "deny no rule_denies");
    assert_string_equal(test_method(t, "completion/complete", "db://{x}"),
                        "deny default default_denies");
    mcp_operation_t m = test_message(t, "completion/complete", "letter", NULL);
    m.object = MCP_ON_PROMPT;
    assert_int_equal(test_ask(t, &m).outcome, GATE_ALLOW);
    m.name = STR("other");
    assert_int_equal(test_ask(t, &m).outcome, GATE_DENY);
    test_rules(t, "{name: fresh, resources: ['file:///*'], max_age: 60}");
    assert_string_equal(test_method(t, "completion/complete", "file:///{path}"),
                        "step-up fresh sign_in_too_old");
}

static void methods(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: tasks, methods: ['tasks/*'], scopes: [news:read]},"
                  "{name: subs, methods: [resources/subscribe], deny: true},"
                  "{name: read, resources: ['*']}, {name: calls, methods: [tools/call]}");
    assert_string_equal(test_method(t, "tasks/get", NULL), "allow tasks rule_allows news:read");
    assert_string_equal(test_method(t, "resources/subscribe", "x"), "deny subs rule_denies");
    assert_string_equal(test_method(t, "resources/read", "x"), "allow read rule_allows");
    assert_string_equal(test_call(t, "any", NULL), "allow calls rule_allows");
}

static void scopes_of_the_policy(void **state)
{
    gate_test_t *t = *state;
    test_policy(t, "default: {scopes: [z, a]}, rules: [{name: r, tools: [t], scopes: [a, "
                   "'mcp:tools:{name}'], initial: false}, {name: s, tools: [u], scopes: [b, a], "
                   "initial: true}]");
    str_list_t all = gate_policy_scopes(t->policy), first = gate_policy_initial_scopes(t->policy);
    assert_int_equal(all.n, 4);
    assert_str(all.v[0], STR("a"));
    assert_str(all.v[1], STR("mcp:tools:*"));
    assert_str(all.v[2], STR("b"));
    assert_str(all.v[3], STR("z"));
    assert_int_equal(first.n, 2);
    assert_str(first.v[0], STR("b"));
}

static void texts_of_shadows(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: r, tools: [t], scopes: [x]}");
    mcp_operation_t m = test_message(t, "tools/call", "t", NULL);
    gate_decision_t d = test_ask(t, &m);
    assert_str(gate_policy_shadow_text(t->a, &d), STR("scope_missing r"));
    scopes(t, "x");
    d = test_ask(t, &m);
    assert_str(gate_policy_shadow_text(t->a, &d), STR("allow"));
    assert_str(gate_reason_sentence(STR("none")), STR(""));
}

static void no_memory(void **state)
{
    gate_test_t *t = *state;
    rc_t rc;
    test_rules(t, "{name: r, tools: ['*'], scopes: ['x:{name}']}");
    mcp_operation_t m = test_message(t, "tools/call", "t", NULL);
    gate_question_t q = {.request = &m, .who = &t->who};
    arena_t *none = arena_new(0);
    gate_decision_t d = gate_policy_decide(none, t->policy, &q, &rc);
    assert_int_equal(rc, RC_MEMORY);
    assert_int_equal(d.outcome, GATE_DENY);
    mcp_item_t item = {.kind = MCP_LIST_TEMPLATES, .name = STR("a{b}")};
    assert_false(gate_policy_shows(none, t->policy, &t->who, &item));
    /* Without a name to fill in nothing is allocated. */
    test_rules(t, "{name: r, tools: ['*'], scopes: [news:read]}");
    d = gate_policy_decide(none, t->policy, &q, &rc);
    assert_int_equal(d.outcome, GATE_ALLOW);
    arena_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATE_TEST(the_first_rule_that_names_it_decides),
        GATE_TEST(what_no_rule_names),
        GATE_TEST(the_ready_policy),
        GATE_TEST(what_the_protocol_needs),
        GATE_TEST(an_object_without_a_name),
        GATE_TEST(lookalikes),
        GATE_TEST(names_that_are_too_long),
        GATE_TEST(uris_with_another_spelling),
        GATE_TEST(names_in_scopes),
        GATE_TEST(scopes_of_the_field),
        GATE_TEST(all_scopes_at_once),
        GATE_TEST(deny_with_conditions),
        GATE_TEST(otherwise_next),
        GATE_TEST(no_fall_through),
        GATE_TEST(order_of_refusals),
        GATE_TEST(tolls_of_what_is_allowed),
        GATE_TEST(listening_to_resources),
        GATE_TEST(more_rates_than_can_be_counted),
        GATE_TEST(completions),
        GATE_TEST(methods),
        GATE_TEST(scopes_of_the_policy),
        GATE_TEST(texts_of_shadows),
        GATE_TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
