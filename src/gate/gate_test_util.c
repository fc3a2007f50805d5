#include "gate/gate_test_util.h"

#include <stdlib.h>

int test_gate_setup(void **state)
{
    gate_test_t *t = calloc(1, sizeof *t);
    *state = t;
    if (!t)
        return -1;
    t->a = arena_new(64 << 20);
    t->now_s = 1000000;
    t->who = (gate_principal_t){.issuer = STR("https://as.example.com"),
                                .subject = STR("alice"),
                                .client = STR("inspector"),
                                .scope = STR("news:read")};
    test_claims(t, "{}");
    return t->a ? 0 : -1;
}

int test_gate_teardown(void **state)
{
    gate_test_t *t = *state;
    arena_free(t->a);
    free(t);
    return 0;
}

void test_policy(gate_test_t *t, const char *members)
{
    const conf_t *conf;
    str_t why;
    conf_sources_t s = {.file_name = STR("f"),
                        .file = arena_printf(t->a, "policies: [{name: p, %s}]", members)};
    if (conf_load(t->a, &s, &conf, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_int_equal(gate_policy_new(t->a, &conf->policies[0], &t->policy), RC_OK);
}

void test_rules(gate_test_t *t, const char *rules)
{
    test_policy(t, arena_printf(t->a, "rules: [%s]", rules).p);
}

static const json_t *parse(gate_test_t *t, const char *json)
{
    const json_t *v;
    assert_int_equal(json_parse(t->a, str_c(json), NULL, &v), RC_OK);
    return v;
}

void test_claims(gate_test_t *t, const char *json)
{
    t->who.claims = parse(t, json);
}

static mcp_object_t object_of(str_t method)
{
    if (str_eq(method, STR("tools/call")))
        return MCP_ON_TOOL;
    if (str_eq(method, STR("prompts/get")))
        return MCP_ON_PROMPT;
    return str_eq(method, STR("completion/complete")) || str_starts(method, STR("resources/"))
               ? MCP_ON_RESOURCE
               : MCP_ON_METHOD;
}

mcp_operation_t test_message(gate_test_t *t, const char *method, const char *name,
                             const char *arguments)
{
    return (mcp_operation_t){
        .message = {.kind = MCP_REQUEST, .id = STR("1"), .method = str_c(method)},
        .object = name ? object_of(str_c(method)) : MCP_ON_METHOD,
        .name = str_c(name),
        .arguments = arguments ? parse(t, arguments) : NULL,
    };
}

gate_decision_t test_ask(gate_test_t *t, const mcp_operation_t *m)
{
    rc_t rc;
    gate_question_t q = {
        .request = m, .who = &t->who, .body_bytes = t->body_bytes, .now_s = t->now_s, .skew_s = 30};
    gate_decision_t d = gate_policy_decide(t->a, t->policy, &q, &rc);
    assert_int_equal(rc, RC_OK);
    assert_true(gate_reason_sentence(d.reason).n > 0);
    assert_true(str_is_set(d.rule) && str_is_set(d.scopes));
    return d;
}

const char *test_text(gate_test_t *t, const gate_decision_t *d)
{
    static const char *const WORDS[] = {[GATE_ALLOW] = "allow",
                                        [GATE_SCOPE] = "scope",
                                        [GATE_STEP_UP] = "step-up",
                                        [GATE_DENY] = "deny",
                                        [GATE_SIZE] = "size"};
    return arena_printf(t->a, "%s %" PRIstr " %" PRIstr "%s%" PRIstr, WORDS[d->outcome],
                        STR_ARG(d->rule), STR_ARG(d->reason), d->scopes.n ? " " : "",
                        STR_ARG(d->scopes))
        .p;
}

const char *test_call(gate_test_t *t, const char *tool, const char *arguments)
{
    mcp_operation_t m = test_message(t, "tools/call", tool, arguments);
    gate_decision_t d = test_ask(t, &m);
    return test_text(t, &d);
}

const char *test_method(gate_test_t *t, const char *method, const char *name)
{
    mcp_operation_t m = test_message(t, method, name, NULL);
    gate_decision_t d = test_ask(t, &m);
    return test_text(t, &d);
}

bool test_shows(gate_test_t *t, mcp_list_kind_t kind, const char *name)
{
    mcp_item_t item = {.kind = kind, .name = str_c(name)};
    return gate_policy_shows(t->a, t->policy, &t->who, &item);
}
