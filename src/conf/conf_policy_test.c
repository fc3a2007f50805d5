#include "conf/conf_policy.h"

#include "conf/conf_test_util.h"

#include <stdio.h>
#include <stdlib.h>

static const conf_policy_t *load(arena_t *a, const char *policy)
{
    const conf_t *c = test_load_file(a, arena_printf(a, "policies: [{name: p, %s}]", policy));
    assert_int_equal(c->n_policies, 1);
    return &c->policies[0];
}

static const conf_gate_rule_t *load_rule(arena_t *a, const char *rule)
{
    return load(a, arena_printf(a, "rules: [{name: r, %s}]", rule).p)->rules;
}

static void an_example(void **state)
{
    const conf_t *c =
        test_load_file(*state, STR("policies:\n"
                                   "  - name: finance\n"
                                   "    rules:\n"
                                   "      - name: read\n"
                                   "        tools: [get_*, weather]\n"
                                   "        scopes: [news:read]\n"
                                   "        initial: true\n"
                                   "      - name: trade\n"
                                   "        tools: [place_order]\n"
                                   "        scopes: [orders:write]\n"
                                   "        groups: [traders]\n"
                                   "        arguments:\n"
                                   "          - {path: amount, max: 10000}\n"
                                   "          - {path: lines.0.sku, matches: [A*], max_length: 9}\n"
                                   "        rates: [{per: tool, calls: 10, seconds: 60}]\n"
                                   "        max_age: 300\n"));
    const conf_policy_t *p = conf_policy_find(c, STR("finance"));
    assert_ptr_equal(p, &c->policies[0]);
    assert_int_equal(p->n_rules, 2);
    assert_int_equal(p->default_scopes.n, 0);
    assert_str(p->groups_claim, STR("groups"));
    assert_str(p->rules[0].tools.v[1], STR("weather"));
    assert_true(p->rules[0].initial);
    const conf_gate_rule_t *trade = &p->rules[1];
    assert_str(trade->groups.v[0], STR("traders"));
    assert_int_equal(trade->n_arguments, 2);
    assert_true(trade->arguments[0].has_max && !trade->arguments[0].has_min);
    assert_true(trade->arguments[0].max >= 10000 && trade->arguments[0].max <= 10000);
    assert_int_equal(trade->arguments[0].max_length, -1);
    assert_int_equal(trade->arguments[1].max_length, 9);
    assert_int_equal(trade->rates[0].per, CONF_PER_TOOL);
    assert_int_equal(trade->rates[0].calls, 10);
    assert_int_equal(trade->rates[0].seconds, 60);
    assert_int_equal(trade->max_age, 300);
    assert_false(trade->next || trade->deny);
}

static void the_rest_of_the_keys(void **state)
{
    const conf_gate_rule_t *r = load_rule(
        *state, "prompts: [a], otherwise: next, roles: [x], issuers: ['https://i'], clients: [c*], "
                "subjects: ['?'], claims: {tenant: acme}, max_bytes: 9, acr: [mfa], rates: [{per: "
                "rule, calls: 1, seconds: 1}], arguments: [{path: a, min: -1.5, optional: true}]");
    assert_true(r->next);
    assert_str(r->issuers.v[0], STR("https://i"));
    assert_str(r->claims[0].name, STR("tenant"));
    assert_str(r->claims[0].value, STR("acme"));
    assert_true(r->arguments[0].has_min && r->arguments[0].min < -1.4);
    assert_int_equal(r->max_bytes, 9);
    assert_true(conf_rule_is_conditional(r));
    const conf_policy_t *p = load(*state, "default: {scopes: ['mcp:use']}, roles_claim: a.b");
    assert_str(p->default_scopes.v[0], STR("mcp:use"));
    assert_false(p->default_initial);
    assert_str(p->roles_claim, STR("a.b"));
    assert_false(conf_rule_is_conditional(load_rule(*state, "scopes: [a]")));
    assert_true(conf_rule_is_broad(load_rule(*state, "scopes: [a]")));
    assert_int_equal(load(*state, "default: deny, rules: [{name: a}]")->default_scopes.n, 0);
}

static void the_ready_policy(void **state)
{
    const conf_t *c = test_load_file(*state, STR("policies:"));
    const conf_policy_t *p = conf_policy_find(c, STR("ready"));
    assert_ptr_equal(p, conf_policy_ready());
    assert_int_equal(p->n_rules, 0);
    assert_str(p->default_scopes.v[0], STR("mcp:use"));
    assert_true(p->default_initial);
    assert_null(conf_policy_find(c, STR("other")));
}

static void what_is_shown_of_policies(void **state)
{
    conf_sources_t s = test_file(STR("policies: [{name: p, rules: [{name: a}]}]"));
    str_t shown;
    assert_int_equal(conf_show(*state, &s, test_load(*state, &s), &shown), RC_OK);
    assert_true(str_contains(shown, STR("# policy p with 1 rules\n")));
    assert_int_equal(test_load_file(*state, shown)->n_policies, 0);
}

static void names_in_scopes(void **state)
{
    (void)state;
    assert_true(conf_scope_has_name(STR("mcp:tools:{name}")));
    assert_true(conf_scope_has_name(STR("{name}:x")));
    assert_false(conf_scope_has_name(STR("mcp:tools:x")));
}

typedef struct {
    const char *policy, *mend;
} bad_t;

static void assert_refused(arena_t *a, const char *file, const char *mend)
{
    assert_str(test_file_refusal(a, str_c(file)),
               arena_printf(a, "policies, in line 1 of the settings file: %s", mend));
}

static void policies_refused(void **state)
{
    static const bad_t BAD[] = {
        {"policies: x", "policies is a list of at most 64 maps, each with its name and rules"},
        {"policies: [x]", "each policy is a map with its name and rules"},
        {"policies: [{rules: [{name: a}]}]", "a policy needs a name"},
        {"policies: [{name: 'a b'}]",
         "'a b' is no name of at most 64 letters, digits, '-', '_' and '.'"},
        {"policies: [{name: ready, rules: [{name: a}]}]",
         "the name ready is taken: it is the policy of those who name none"},
        {"policies: [{name: a}]", "a policy without rules and default allows nothing"},
        {"policies: [{name: a, default: deny}]",
         "a policy without rules and default allows nothing"},
        {"policies: [{name: a, rule: []}]", "'rule' is not known; did you mean 'rules'?"},
        {"policies: [{name: a, xyz: 1}]",
         "'xyz' is not known; here belong name, default, groups_claim, roles_claim, rules"},
        {"policies: [{name: a, default: allow}]",
         "default: allow is not taken: what nobody thought of would be open; say deny, or {scopes: "
         "[...]}"},
        {"policies: [{name: a, default: x}]", "default is deny, or a map with scopes"},
        {"policies: [{name: a, default: {initial: true}}]",
         "default is deny, or a map with scopes"},
        {"policies: [{name: a, default: {scopes: ['x:{name}'], initial: true}}]",
         "a scope with {name} cannot be initial: there is no name yet"},
        {"policies: [{name: a, rules: x}]", "rules is a list of maps, each with its name"},
        {"policies: [{name: a, rules: [{name: b}]}, {name: a, rules: [{name: b}]}]",
         "'a' is the name of a policy above, too"},
    };
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_refused(*state, BAD[i].policy, BAD[i].mend);
}

static void rules_refused(void **state)
{
    static const bad_t BAD[] = {
        {"x", "each rule is a map with its name"},
        {"{tools: [a]}", "a rule needs a name"},
        {"{name: default}",
         "the names default and protocol are taken: audit events say them where no rule fits"},
        {"{name: protocol}",
         "the names default and protocol are taken: audit events say them where no rule fits"},
        {"{name: a, tols: [b]}", "'tols' is not known; did you mean 'tools'?"},
        {"{name: a, tools: []}", "'tools' is empty: leave it out, or say what it holds"},
        {"{name: a, groups: []}", "'groups' is empty: leave it out, or say what it holds"},
        {"{name: a, tools: b}", "here belongs a list, such as [\"a\", \"b\"]"},
        {"{name: a, tools: ['a**b']}",
         "'a**b' says '**', which is no more than '*': one takes any run, also over slashes"},
        {"{name: a, scopes: ['a b']}",
         "'a b' is no scope: printable ASCII without space, quote and backslash"},
        {"{name: a, scopes: ['a:{tool}']}",
         "'a:{tool}' has braces: only {name} is known, as a whole part between colons"},
        {"{name: a, scopes: ['a:x-{name}']}",
         "'a:x-{name}' has braces: only {name} is known, as a whole part between colons"},
        {"{name: a, deny: maybe}", "'deny' is true or false"},
        {"{name: a, otherwise: allow}",
         "'allow' must be deny, or next to ask the rules that follow"},
        {"{name: a, otherwise: next}",
         "otherwise: next needs a condition that may not hold: groups, roles, issuers, clients, "
         "subjects, claims or arguments"},
        {"{name: a, deny: true, scopes: [b]}",
         "a rule that denies has no scopes, rates, max_bytes, max_age, acr and initial"},
        {"{name: a, deny: true, groups: [b], otherwise: next}",
         "a rule that denies lets everybody else go on to the next one anyway: leave out "
         "otherwise"},
        {"{name: a, initial: true}", "initial is about scopes, and the rule has none"},
        {"{name: a, initial: true, scopes: ['{name}']}",
         "a scope with {name} cannot be initial: there is no name yet"},
        {"{name: a, resources: [b], scopes: ['{name}']}",
         "{name} is for names of tools and prompts: a URI or a method has characters that scopes "
         "have not"},
        {"{name: a, tools: [b], methods: [tools/*]}",
         "methods names tools/call, which is every tool: leave out one of methods and tools"},
        {"{name: a, resources: [b], methods: ['*']}",
         "methods names resources/read, which is every resource: leave out one of methods and "
         "resources"},
        {"{name: a, prompts: [b], methods: [prompts/get]}",
         "methods names prompts/get, which is every prompt: leave out one of methods and prompts"},
        {"{name: a, arguments: [{path: b}]}",
         "arguments are those of tools and prompts: name these, and nothing else"},
        {"{name: a, claims: x}", "claims are written as 'name: value'"},
        {"{name: a, claims: {b: ''}}", "here belongs one line of text"},
        {"{name: a, max_bytes: 0}", "'0' must be a whole number from 1 to 8388608"},
        {"{name: a, max_age: -1}", "'-1' must be a whole number of seconds from 1 to 31536000"},
        {"{name: a, acr: ['a b']}",
         "'a b' is no acr value: printable ASCII without space, quote and backslash"},
    };
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_refused(*state,
                       arena_printf(*state, "policies: [{name: p, rules: [%s]}]", BAD[i].policy).p,
                       BAD[i].mend);
    str_t longest = arena_printf(*state, "tools: ['%0256d']", 0);
    load_rule(*state, longest.p);
    str_t too_long =
        arena_printf(*state, "policies: [{name: p, rules: [{name: r, tools: ['%0257d']}]}]", 0);
    assert_true(str_contains(test_file_refusal(*state, too_long), STR("is longer than 256 bytes")));
}

static void conditions_and_rates_refused(void **state)
{
    static const bad_t BAD[] = {
        {"arguments: x", "arguments is a list of conditions, each with its path"},
        {"arguments: [x]", "each condition is a map with the path of an argument"},
        {"arguments: [{max: 1}]", "a condition needs the path of its argument"},
        {"arguments: [{path: a..b}]", "'a..b' is no path such as amount or order.lines.0"},
        {"arguments: [{path: .a}]", "'.a' is no path such as amount or order.lines.0"},
        {"arguments: [{path: a, min: 2, max: 1}]", "min is greater than max: no number fits"},
        {"arguments: [{path: a, max: many}]",
         "'many' must be a number between -9007199254740991 and 9007199254740991"},
        {"arguments: [{path: a, max: 9007199254740992}]",
         "'9007199254740992' must be a number between -9007199254740991 and 9007199254740991"},
        {"arguments: [{path: a, max_length: -1}]", "'-1' must be a whole number from 0 to 1048576"},
        {"arguments: [{path: a, one_of: [b], max: 1}]",
         "one_of says which values fit: leave out matches, min, max and max_length"},
        {"arguments: [{path: a, matches: [b], max: 1}]",
         "min and max are for numbers, matches and max_length for texts: nothing fits both"},
        {"arguments: [{path: a, optional: true}]",
         "an optional argument without one_of, matches, min, max or max_length is no condition"},
        {"rates: {per: rule}",
         "rates is a list of at most 4, such as [{per: subject, calls: 10, seconds: 60}]"},
        {"rates: [a, a, a, a, a]",
         "rates is a list of at most 4, such as [{per: subject, calls: 10, seconds: 60}]"},
        {"rates: [x]", "each rate is a map with per, calls and seconds"},
        {"rates: [{per: day}]", "'day' must be subject, client, tool or rule"},
        {"rates: [{per: rule, calls: 0}]",
         "'0' must be a whole number: calls up to 1000000, seconds up to 86400"},
        {"rates: [{per: rule, calls: 1}]", "a rate needs calls and seconds"},
    };
    for (size_t i = 0; i < ROWS(BAD); i++)
        assert_refused(*state,
                       arena_printf(*state,
                                    "policies: [{name: p, rules: [{name: r, tools: [t], %s}]}]",
                                    BAD[i].policy)
                           .p,
                       BAD[i].mend);
    load_rule(*state, "tools: [t], arguments: [{path: a}]");
}

static void assert_never_asked(arena_t *a, const char *rules, const char *by)
{
    str_t file = arena_printf(a, "policies: [{name: p, rules: [%s]}]", rules);
    assert_refused(a, file.p,
                   arena_printf(a,
                                "'last' is never asked: the rule '%s' above takes all that it "
                                "names; put it higher, or take it out",
                                by)
                       .p);
}

static void rules_that_are_never_asked(void **state)
{
    assert_never_asked(*state, "{name: a}, {name: last, tools: [x]}", "a");
    assert_never_asked(*state, "{name: a, deny: true}, {name: last}", "a");
    assert_never_asked(*state, "{name: a, methods: ['*']}, {name: last}", "a");
    assert_never_asked(*state, "{name: a, methods: ['*']}, {name: last, resources: [x]}", "a");
    assert_never_asked(*state, "{name: a, methods: [tools/*]}, {name: last, tools: [x]}", "a");
    assert_never_asked(*state, "{name: a, methods: [tasks/*]}, {name: last, methods: [tasks/get]}",
                       "a");
    assert_never_asked(*state, "{name: a, tools: [x*], groups: [g]}, {name: last, tools: [xy*]}",
                       "a");
    assert_never_asked(
        *state, "{name: a, tools: [x]}, {name: b, tools: [y]}, {name: last, tools: [x, y]}", "b");
}

/* The same with a way left to the last rule. */
static void rules_that_are_asked(void **state)
{
    static const char *const GOOD[] = {
        "{name: a, tools: [x*], deny: true, groups: [g]}, {name: last, tools: [xy]}",
        "{name: a, tools: [x*], otherwise: next, groups: [g]}, {name: last, tools: [xy]}",
        "{name: a}, {name: last, methods: [ping]}",
        "{name: a, tools: [xy]}, {name: last, tools: [x*]}",
        "{name: a, tools: ['*']}, {name: last, prompts: [x]}",
        "{name: a, tools: [x]}, {name: last, tools: [x], resources: [y]}",
        "{name: a, methods: [resources/read]}, {name: last, resources: [x]}",
        "{name: a, tools: ['*']}, {name: last}",
    };
    for (size_t i = 0; i < ROWS(GOOD); i++) {
        str_t rules = arena_printf(*state, "rules: [%s]", GOOD[i]);
        assert_int_equal(load(*state, rules.p)->n_rules, 2);
    }
    assert_refused(*state,
                   "policies: [{name: p, rules: [{name: a, tools: [x]}, {name: a, tools: [y]}]}]",
                   "'a' is the name of a rule above, too");
}

/* Every example of docs/POLICY.md that begins a settings file. */
static void the_examples_of_the_page_load(void **state)
{
    enum { PAGE_MAX = 1 << 17 };
    const char *folder = getenv("WARDER_SOURCE");
    size_t examples = 0;
    if (!folder) {
        print_message("skipped: WARDER_SOURCE is not set\n");
        skip();
    }
    FILE *f = fopen(arena_printf(*state, "%s/docs/POLICY.md", folder).p, "r");
    assert_non_null(f);
    char *page = arena_alloc(*state, PAGE_MAX);
    size_t n = fread(page, 1, PAGE_MAX - 1, f);
    fclose(f);
    str_t rest = str_of(page, n), mark = STR("```yaml\npolicies:");
    for (; rest.n > 0; rest = str_skip(rest, 1)) {
        if (!str_starts(rest, mark))
            continue;
        str_t text = str_skip(rest, 8);
        test_load_file(*state, str_first(text, str_find(text, '`', 0)));
        examples++;
    }
    assert_true(examples >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(an_example),
        ARENA_TEST(the_rest_of_the_keys),
        ARENA_TEST(the_ready_policy),
        ARENA_TEST(what_is_shown_of_policies),
        ARENA_TEST(names_in_scopes),
        ARENA_TEST(policies_refused),
        ARENA_TEST(rules_refused),
        ARENA_TEST(conditions_and_rates_refused),
        ARENA_TEST(rules_that_are_never_asked),
        ARENA_TEST(rules_that_are_asked),
        ARENA_TEST(the_examples_of_the_page_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
