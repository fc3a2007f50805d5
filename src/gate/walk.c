/* The way of one message through the rules. */
#include "gate/judge.h"

#include "core/buf.h"
#include "core/glob.h"
#include "gate/uri.h"

/* Methods that are about an object, which must be known then. Who could leave out the name would
 * pass by the rules for it. */
static const str_t ABOUT_OBJECTS[] = {
    STR_INIT("tools/call"),          STR_INIT("resources/read"),
    STR_INIT("resources/subscribe"), STR_INIT("resources/unsubscribe"),
    STR_INIT("prompts/get"),         STR_INIT("completion/complete"),
};

/* What clients send before, beside and between calls (MCP 2025-11-25, Lifecycle, Ping, Logging,
 * Pagination; 2026-07-28, Discovery). Lists are filtered by what may be called. */
static const str_t PROTOCOL[] = {
    STR_INIT("initialize"),
    STR_INIT("ping"),
    STR_INIT("server/discover"),
    STR_INIT("tools/list"),
    STR_INIT("prompts/list"),
    STR_INIT("resources/list"),
    STR_INIT("resources/templates/list"),
    STR_INIT("logging/setLevel"),
};

#define LIST(rows) ((str_list_t){rows, sizeof(rows) / sizeof((rows)[0])})

bool gate_is_protocol(const mcp_operation_t *m)
{
    if (m->message.kind == MCP_RESPONSE)
        return true;
    if (m->message.kind == MCP_NOTIFICATION)
        return str_starts(m->message.method, STR("notifications/"));
    if (str_eq(m->message.method, STR("subscriptions/listen")))
        return m->resources.n == 0;
    return str_list_has(LIST(PROTOCOL), m->message.method);
}

gate_reason_t gate_case_lacks(const mcp_operation_t *m)
{
    bool named = m->object != MCP_ON_METHOD && str_is_set(m->name);
    if (!named && str_list_has(LIST(ABOUT_OBJECTS), m->message.method))
        return GATE_REASON_NO_NAME;
    if (m->name.n > GATE_NAME_BYTES)
        return GATE_REASON_LONG_NAME;
    if (m->object == MCP_ON_RESOURCE && !gate_uri_is_normal(m->name))
        return GATE_REASON_UNSAFE_URI;
    if (m->resources.n > GATE_LISTEN_MAX)
        return GATE_REASON_MANY_NAMES;
    for (size_t i = 0; i < m->resources.n; i++) {
        if (m->resources.v[i].n > GATE_NAME_BYTES)
            return GATE_REASON_LONG_NAME;
        if (!gate_uri_is_normal(m->resources.v[i]))
            return GATE_REASON_UNSAFE_URI;
    }
    return GATE_REASON_FITS;
}

/* A template as a pattern: what expands may become anything. A `*` or `?` of its own does, too;
 * that can only show more, and calls are judged by the URI itself. */
rc_t gate_case_template(arena_t *a, gate_case_t *c)
{
    str_t template = c->key.name;
    buf_t b = buf_new(a, GATE_NAME_BYTES + 1);
    c->template = true;
    while (template.n > 0) {
        size_t open = str_find(template, '{', 0), close = str_find(template, '}', open);
        buf_put(&b, str_first(template, open));
        if (open < template.n)
            buf_char(&b, '*');
        template = str_skip(template, close < template.n ? close + 1 : template.n);
    }
    return buf_done(&b, &c->glob);
}

rc_t gate_case_new(arena_t *a, const gate_question_t *q, str_t name, gate_case_t *out)
{
    static const gate_kind_t KINDS[] = {
        [MCP_ON_METHOD] = GATE_METHODS,
        [MCP_ON_TOOL] = GATE_TOOLS,
        [MCP_ON_RESOURCE] = GATE_RESOURCES,
        [MCP_ON_PROMPT] = GATE_PROMPTS,
    };
    const mcp_operation_t *m = q->request;
    bool completes = str_eq(m->message.method, STR("completion/complete"));
    bool responds = m->message.kind == MCP_RESPONSE;
    *out = (gate_case_t){
        .key = {.kind = KINDS[m->object],
                .name = name,
                .method = responds ? STR_UNSET : m->message.method,
                .protocol = gate_is_protocol(m)},
        .q = q,
        .arguments = m->arguments,
        .loose = completes,
    };
    bool template = completes && m->object == MCP_ON_RESOURCE;
    return template ? gate_case_template(a, out) : RC_OK;
}

/* Exactly what a rule names, of a case that stands for more than one name. */
static bool names_some(const conf_gate_rule_t *rule, const gate_case_t *c, bool all)
{
    for (size_t i = 0; i < rule->resources.n; i++) {
        str_t name = rule->resources.v[i];
        if (all ? glob_covers(name, c->glob) : glob_meets(name, c->glob))
            return true;
    }
    for (size_t i = 0; i < rule->methods.n; i++)
        if (glob_fits(rule->methods.v[i], c->key.method))
            return true;
    return rule->tools.n + rule->resources.n + rule->prompts.n + rule->methods.n == 0;
}

unsigned gate_next_rule(const gate_policy_t *p, const gate_case_t *c, gate_cursor_t *cursor,
                        unsigned from)
{
    if (!c->template)
        return gate_cursor_next(cursor, from);
    for (unsigned i = from; i < p->conf->n_rules; i++)
        if (names_some(&p->conf->rules[i], c, false))
            return i;
    return GATE_NO_RULE;
}

bool gate_is_certain(const gate_policy_t *p, unsigned i, const gate_case_t *c)
{
    if (i == GATE_NO_RULE)
        return true;
    const conf_gate_rule_t *rule = &p->conf->rules[i];
    if (c->template && !names_some(rule, c, true))
        return false;
    return !(c->loose && rule->n_arguments > 0 && rule->next);
}

/* Of a case that stands for several, what one of them may is what it may. */
gate_decision_t gate_walk(arena_t *a, const gate_policy_t *p, const gate_case_t *c, rc_t *rc)
{
    gate_decision_t first = {0}, d;
    bool refused = false;
    gate_cursor_t cursor = gate_cursor(&p->index, &c->key);
    unsigned from = 0, rule;
    do {
        rule = gate_next_rule(p, c, &cursor, from);
        from = rule + 1;
        if (!gate_judge(a, p, rule, c, &d, rc))
            continue;
        if (d.outcome == GATE_ALLOW || *rc != RC_OK)
            return d;
        if (!refused)
            first = d;
        refused = true;
        if (gate_is_certain(p, rule, c))
            break;
    } while (rule != GATE_NO_RULE);
    return first;
}
