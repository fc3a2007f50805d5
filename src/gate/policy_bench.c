/* A measurement, not a test: decisions a second of processor time, by a policy of 100 rules. */
#include "core/buf.h"
#include "gate/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RULES = 100, ROUNDS = 2000000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static str_t policy_of(arena_t *a)
{
    str_t out;
    buf_t b = buf_new(a, 1 << 16);
    buf_put(&b, STR("policies: [{name: p, rules: ["));
    for (int i = 0; i < RULES; i++)
        buf_fmt(
            &b,
            "{name: r%d, tools: ['tool_%d', 'family_%d_*'], scopes: [news:read], groups: [staff], "
            "arguments: [{path: amount, max: 100}]},",
            i, i, i);
    buf_put(&b, STR("{name: named, tools: ['all_*'], scopes: ['mcp:tools:{name}']}]}]"));
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static void measure(const char *what, const gate_policy_t *p, gate_question_t *q, const char *tool)
{
    mcp_operation_t call = *q->request;
    arena_t *a = arena_new(1 << 20);
    size_t allowed = 0;
    rc_t rc;
    call.name = str_c(tool);
    q->request = &call;
    double start = now();
    for (int i = 0; i < ROUNDS; i++) {
        allowed += gate_policy_decide(a, p, q, &rc).outcome == GATE_ALLOW;
        if (i % 1000 == 0)
            arena_reset(a);
    }
    double took = now() - start;
    printf("%-34s %6.2f million a second, %3.0f ns each, %s\n", what, ROUNDS / took / 1e6,
           took / ROUNDS * 1e9, allowed == ROUNDS ? "allowed" : "refused");
    arena_free(a);
}

int main(void)
{
    arena_t *a = arena_new(64 << 20);
    conf_sources_t s = {.file_name = STR("f"), .file = policy_of(a)};
    const conf_t *conf;
    gate_policy_t *p;
    str_t why;
    const json_t *claims, *arguments;
    if (conf_load(a, &s, &conf, &why) != RC_OK ||
        gate_policy_new(a, &conf->policies[0], &p) != RC_OK ||
        json_parse(a, STR("{\"groups\":[\"all\",\"staff\"]}"), NULL, &claims) != RC_OK ||
        json_parse(a, STR("{\"amount\":5}"), NULL, &arguments) != RC_OK)
        return 1;
    gate_principal_t who = {.issuer = STR("i"),
                            .subject = STR("alice"),
                            .client = STR("c"),
                            .scope = STR("openid news:read mcp:tools:*"),
                            .claims = claims};
    mcp_operation_t call = {
        .message = {.kind = MCP_REQUEST, .id = STR("1"), .method = STR("tools/call")},
        .object = MCP_ON_TOOL,
        .arguments = arguments};
    gate_question_t q = {.request = &call, .who = &who};
    measure("exact name, first rule", p, &q, "tool_0");
    measure("exact name, last rule", p, &q, "tool_99");
    measure("pattern of the last rule", p, &q, "family_99_x");
    measure("scope made of the name", p, &q, "all_things");
    measure("named by no rule", p, &q, "unknown");
    arena_free(a);
    return 0;
}
