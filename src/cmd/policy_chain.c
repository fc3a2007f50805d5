#include "cmd/policy_chain.h"

#include "conf/conf_policy.h"

str_t policy_kind_word(gate_kind_t kind)
{
    static const str_t WORDS[] = {
        [GATE_TOOLS] = STR_INIT("tool"),
        [GATE_RESOURCES] = STR_INIT("resource"),
        [GATE_PROMPTS] = STR_INIT("prompt"),
        [GATE_METHODS] = STR_INIT("method"),
    };
    return WORDS[kind];
}

static gate_key_t key_of(const policy_thing_t *thing)
{
    static const str_t CALLS[] = {
        [GATE_TOOLS] = STR_INIT("tools/call"),
        [GATE_RESOURCES] = STR_INIT("resources/read"),
        [GATE_PROMPTS] = STR_INIT("prompts/get"),
    };
    if (thing->kind == GATE_METHODS)
        return (gate_key_t){.kind = GATE_METHODS, .method = thing->name};
    return (gate_key_t){.kind = thing->kind, .name = thing->name, .method = CALLS[thing->kind]};
}

static bool is_final(const conf_gate_rule_t *r)
{
    return !conf_rule_is_conditional(r) || !(r->deny || r->next);
}

rc_t policy_chain_new(arena_t *a, const conf_policy_t *policy, const policy_thing_t *thing,
                      policy_chain_t *out)
{
    gate_index_t index;
    gate_key_t key = key_of(thing);
    *out = (policy_chain_t){.rules = ARENA_ARRAY(a, policy->n_rules + 1, const conf_gate_rule_t *),
                            .open = true};
    if (!out->rules)
        return RC_MEMORY;
    TRY(gate_index_new(a, policy, &index));
    gate_cursor_t cursor = gate_cursor(&index, &key);
    for (unsigned i = gate_cursor_next(&cursor, 0); i != GATE_NO_RULE && out->open;
         i = gate_cursor_next(&cursor, i + 1)) {
        out->rules[out->n++] = &policy->rules[i];
        out->open = !is_final(&policy->rules[i]);
    }
    return RC_OK;
}

void policy_put_chain(buf_t *b, const conf_policy_t *policy, const policy_chain_t *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        const conf_gate_rule_t *r = chain->rules[i];
        buf_fmt(b, "  %" PRIstr ": %s", STR_ARG(r->name), r->deny ? "denies " : "");
        policy_put_rule(b, r);
        if (r->next)
            buf_put(b, STR("; who does not fit is asked by the next"));
        buf_char(b, '\n');
    }
    if (!chain->open)
        return;
    buf_put(b, STR("  default: "));
    policy_put_default(b, policy);
    buf_char(b, '\n');
}
