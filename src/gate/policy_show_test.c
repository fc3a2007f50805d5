/* What lists show, and how a decision is explained. */
#include "gate/gate_test_util.h"
#include "gate/policy.h"

#include <stdio.h>
#include <stdlib.h>

static void what_may_be_called_is_shown(void **state)
{
    gate_test_t *t = *state;
    test_rules(t,
               "{name: a, tools: [a], scopes: [news:read]}, {name: b, tools: [b], scopes: [x]},"
               "{name: c, tools: [c], deny: true}, {name: d, prompts: [d]}, {name: e, resources: "
               "['e://*']}, {name: f, tools: [f], groups: [g]}");
    assert_true(test_shows(t, MCP_LIST_TOOLS, "a"));
    assert_false(test_shows(t, MCP_LIST_TOOLS, "b"));
    assert_false(test_shows(t, MCP_LIST_TOOLS, "c"));
    assert_false(test_shows(t, MCP_LIST_TOOLS, "d"));
    assert_true(test_shows(t, MCP_LIST_PROMPTS, "d"));
    assert_true(test_shows(t, MCP_LIST_RESOURCES, "e://1"));
    assert_false(test_shows(t, MCP_LIST_RESOURCES, "f://1"));
    assert_false(test_shows(t, MCP_LIST_TOOLS, "f"));
    assert_false(test_shows(t, MCP_LIST_NONE, "a"));
}

/* What stands and falls with the call is not known when the list is made. */
static void what_only_a_call_tells(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: a, tools: [a], arguments: [{path: x, max: 1}]},"
                  "{name: b, tools: [b], max_age: 60, acr: [mfa], max_bytes: 1},"
                  "{name: c, tools: [c], deny: true, arguments: [{path: x, max: 1}]},"
                  "{name: c2, tools: [c]},"
                  "{name: d, tools: [d], otherwise: next, scopes: [x], arguments: [{path: x, max: "
                  "1}]}, {name: d2, tools: [d], scopes: [news:read]},"
                  "{name: e, tools: [e], otherwise: next, scopes: [x], groups: [g]},"
                  "{name: e2, tools: [e], scopes: [news:read]}");
    assert_true(test_shows(t, MCP_LIST_TOOLS, "a"));
    assert_true(test_shows(t, MCP_LIST_TOOLS, "b"));
    assert_true(test_shows(t, MCP_LIST_TOOLS, "c"));
    assert_true(test_shows(t, MCP_LIST_TOOLS, "d"));
    assert_true(test_shows(t, MCP_LIST_TOOLS, "e"));
    test_claims(t, "{\"groups\":[\"g\"]}");
    assert_false(test_shows(t, MCP_LIST_TOOLS, "e"));
}

static void templates(void **state)
{
    gate_test_t *t = *state;
    test_rules(t, "{name: no, resources: ['file:///secret/*'], deny: true},"
                  "{name: pub, resources: ['file:///public/*'], scopes: [news:read]},"
                  "{name: one, resources: ['note://1'], scopes: [news:read]},"
                  "{name: two, resources: ['note://*'], scopes: [x]}");
    assert_true(test_shows(t, MCP_LIST_TEMPLATES, "file:///{+path}"));
    assert_true(test_shows(t, MCP_LIST_TEMPLATES, "file:///public/{name}"));
    assert_true(test_shows(t, MCP_LIST_TEMPLATES, "{scheme}:///public/x"));
    assert_false(test_shows(t, MCP_LIST_TEMPLATES, "file:///secret/{name}"));
    assert_false(test_shows(t, MCP_LIST_TEMPLATES, "file:///private/{name}"));
    assert_true(test_shows(t, MCP_LIST_TEMPLATES, "note://{n}"));
    assert_false(test_shows(t, MCP_LIST_TEMPLATES, "note://2{n}"));
    assert_true(test_shows(t, MCP_LIST_TEMPLATES, "note://{unclosed"));
    t->who.scope = STR("");
    assert_false(test_shows(t, MCP_LIST_TEMPLATES, "file:///{+path}"));
}

/* Small, and the same each time: enough for policies that differ. */
static unsigned next(unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % n;
}

static void put_rule(buf_t *b, unsigned *seed, unsigned number)
{
    static const char *const NAMES[] = {"a", "b", "ab", "a*", "*b", "?", "b?", "*"};
    static const char *const WHO[] = {"",
                                      ", groups: [g]",
                                      ", groups: [h]",
                                      ", subjects: ['al*']",
                                      ", clients: [other]",
                                      ", claims: {t: x}"};
    static const char *const NEEDS[] = {"", ", scopes: [news:read]", ", scopes: [x]",
                                        ", scopes: ['t:{name}']", ", max_age: 5"};
    bool deny = next(seed, 4) == 0;
    unsigned who = next(seed, 6);
    bool go_on = !deny && who > 0 && next(seed, 2) == 0;
    buf_fmt(b, "%s{name: r%u, tools: ['%s']%s%s%s}", number ? "," : "", number,
            NAMES[next(seed, 8)], WHO[who], deny ? ", deny: true" : NEEDS[next(seed, 5)],
            go_on ? ", otherwise: next" : "");
}

static bool load(gate_test_t *t, const char *rules)
{
    const conf_t *conf;
    str_t why;
    conf_sources_t s = {.file_name = STR("f"),
                        .file = arena_printf(t->a, "policies: [{name: p, rules: [%s]}]", rules)};
    return conf_load(t->a, &s, &conf, &why) == RC_OK &&
           gate_policy_new(t->a, &conf->policies[0], &t->policy) == RC_OK;
}

/* Of policies without conditions on arguments: shown is what can be called, if need be after a
 * fresh sign-in; and the explanation ends where the decision does. */
static void shown_is_callable(void **state)
{
    gate_test_t *t = *state;
    static const char *const TOOLS[] = {"a", "b", "ab", "ba", "bb", "c", "a:b"};
    unsigned seed = 7, policies = 0, shown = 0;
    test_claims(t, "{\"groups\":[\"g\"],\"t\":\"x\"}");
    t->who.scope = STR("news:read t:a");
    for (unsigned i = 0; i < 4000; i++) {
        buf_t b = buf_new(t->a, 4096);
        unsigned n = 1 + next(&seed, 5);
        for (unsigned k = 0; k < n; k++)
            put_rule(&b, &seed, k);
        buf_char(&b, 0);
        if (!load(t, buf_str(&b).p))
            continue; /* a rule that is never asked */
        policies++;
        for (size_t k = 0; k < ROWS(TOOLS); k++) {
            mcp_operation_t m = test_message(t, "tools/call", TOOLS[k], NULL);
            gate_decision_t d = test_ask(t, &m), again;
            bool may = d.outcome == GATE_ALLOW || d.outcome == GATE_STEP_UP;
            bool shows = test_shows(t, MCP_LIST_TOOLS, TOOLS[k]);
            if (shows && !may)
                fail_msg("%s of %" PRIstr, TOOLS[k], STR_ARG(buf_str(&b)));
            assert_true(shows || d.outcome != GATE_ALLOW);
            shown += shows;
            const gate_step_t *steps;
            size_t n_steps;
            gate_question_t q = {.request = &m, .who = &t->who, .now_s = t->now_s, .skew_s = 30};
            assert_int_equal(gate_policy_explain(t->a, t->policy, &q, &again, &steps, &n_steps),
                             RC_OK);
            assert_str(again.rule, d.rule);
            assert_str(steps[n_steps - 1].rule, d.rule);
            assert_str(steps[n_steps - 1].reason, d.reason);
        }
    }
    assert_true(policies > 1000 && shown > 1000);
}

static void explained(void **state)
{
    gate_test_t *t = *state;
    const gate_step_t *steps;
    size_t n;
    gate_decision_t d;
    test_rules(t, "{name: other, tools: [x]}, {name: heads, tools: [pay], groups: [heads], "
                  "otherwise: next}, {name: no, tools: [pay], deny: true, subjects: [bob]}, {name: "
                  "clerks, tools: [pay], scopes: [pay]}, {name: rest, tools: ['*']}");
    mcp_operation_t m = test_message(t, "tools/call", "pay", NULL);
    gate_question_t q = {.request = &m, .who = &t->who};
    assert_int_equal(gate_policy_explain(t->a, t->policy, &q, &d, &steps, &n), RC_OK);
    assert_int_equal(n, 4);
    assert_false(steps[0].asked);
    assert_str(steps[1].reason, STR("wrong_group"));
    assert_str(steps[2].reason, STR("wrong_subject"));
    assert_str(steps[3].rule, STR("clerks"));
    assert_str(steps[3].reason, STR("scope_missing"));
    m = test_message(t, "tools/call", NULL, NULL);
    assert_int_equal(gate_policy_explain(t->a, t->policy, &q, &d, &steps, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_str(steps[0].reason, STR("name_missing"));
    m = test_message(t, "ping", NULL, NULL);
    assert_int_equal(gate_policy_explain(t->a, t->policy, &q, &d, &steps, &n), RC_OK);
    assert_str(steps[n - 1].rule, STR("protocol"));
    m = test_message(t, "subscriptions/listen", NULL, NULL);
    m.resources = (str_list_t){(str_t[]){STR("a://1")}, 1};
    assert_int_equal(gate_policy_explain(t->a, t->policy, &q, &d, &steps, &n), RC_OK);
    assert_str(steps[n - 1].reason, STR("default_denies"));
}

/* docs/POLICY.md has a row for each reason, with its sentence. */
static void the_page_names_every_reason(void **state)
{
    enum { PAGE_MAX = 1 << 17 };
    static const char *const NAMES[] = {
#define GATE_REASON(name, text, sentence) text,
#include "gate/reasons.def"
#undef GATE_REASON
    };
    gate_test_t *t = *state;
    const char *folder = getenv("WARDER_SOURCE");
    if (!folder) {
        print_message("skipped: WARDER_SOURCE is not set\n");
        skip();
    }
    FILE *f = fopen(arena_printf(t->a, "%s/docs/POLICY.md", folder).p, "r");
    assert_non_null(f);
    char *page = arena_alloc(t->a, PAGE_MAX);
    assert_true(fread(page, 1, PAGE_MAX - 1, f) > 0);
    fclose(f);
    for (size_t i = 0; i < ROWS(NAMES); i++) {
        str_t sentence = gate_reason_sentence(str_c(NAMES[i]));
        str_t row = arena_printf(t->a, "\n| `%s` | %" PRIstr " |\n", NAMES[i], STR_ARG(sentence));
        if (!strstr(page, row.p))
            fail_msg("docs/POLICY.md has no row for %s", NAMES[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATE_TEST(what_may_be_called_is_shown),
        GATE_TEST(what_only_a_call_tells),
        GATE_TEST(templates),
        GATE_TEST(shown_is_callable),
        GATE_TEST(explained),
        GATE_TEST(the_page_names_every_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
