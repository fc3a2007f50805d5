#include "gate/judge.h"

#include "core/buf.h"
#include "core/glob.h"
#include "core/limits.h"
#include "oauth/scope.h"

gate_decision_t gate_refusal(gate_reason_t reason)
{
    return (gate_decision_t){.outcome = GATE_DENY,
                             .rule = STR("default"),
                             .reason = gate_reason_name(reason),
                             .scopes = STR("")};
}

/* What names of tools should be made of (MCP 2025-11-25, Tools, "Tool Names"), and the slash. A
 * colon would add a segment, a star could stand for others' names. */
static bool is_scope_safe(str_t name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '.' || c == '/';
        if (!good)
            return false;
    }
    return name.n > 0 && name.n <= GATE_SCOPE_NAME_BYTES;
}

static void put_filled(buf_t *b, str_t scope, str_t name)
{
    str_t segment;
    for (bool first = true; str_split(&scope, ':', &segment); first = false) {
        if (!first)
            buf_char(b, ':');
        buf_put(b, str_eq(segment, STR("{name}")) ? name : segment);
    }
}

/* The scopes of a rule with the name in its place. */
static rc_t fill(arena_t *a, str_t scopes, str_t name, str_t *out)
{
    str_t scope;
    buf_t b = buf_new(a, (size_t)LIMIT_CONF_VALUE_BYTES * 4);
    while (oauth_scope_next(&scopes, &scope)) {
        if (b.n > 0)
            buf_char(&b, ' ');
        put_filled(&b, scope, name);
    }
    return buf_done(&b, out);
}

static gate_reason_t needed_scopes(arena_t *a, const gate_needs_t *needs, const gate_case_t *c,
                                   str_t *out)
{
    *out = needs->scopes;
    if (!needs->has_name)
        return GATE_REASON_FITS;
    bool named = c->key.kind == GATE_TOOLS || c->key.kind == GATE_PROMPTS;
    if (!named || !is_scope_safe(c->key.name))
        return GATE_REASON_UNSAFE_NAME;
    return fill(a, needs->scopes, c->key.name, out) == RC_OK ? GATE_REASON_FITS
                                                             : GATE_REASON_MEMORY;
}

static gate_reason_t sign_in_lacks(const conf_gate_rule_t *rule, const gate_question_t *q)
{
    const gate_principal_t *who = q->who;
    int64_t age = rule->max_age + q->skew_s;
    if (rule->acr.n > 0 && !(str_is_set(who->acr) && str_list_has(rule->acr, who->acr)))
        return GATE_REASON_ACR;
    if (rule->max_age > 0 && (who->auth_time <= 0 || q->now_s - who->auth_time > age))
        return GATE_REASON_AGE;
    return GATE_REASON_FITS;
}

static gate_reason_t conditions_lack(const gate_policy_t *p, const conf_gate_rule_t *rule,
                                     const gate_case_t *c)
{
    gate_reason_t lacks = gate_who_lacks(p->conf, rule, c->q->who);
    if (lacks != GATE_REASON_FITS)
        return lacks;
    if (c->loose && rule->n_arguments > 0)
        return rule->deny ? GATE_REASON_ARGUMENT : GATE_REASON_FITS;
    return gate_arguments_fit(rule, c->arguments) ? GATE_REASON_FITS : GATE_REASON_ARGUMENT;
}

static bool decide(gate_decision_t *out, gate_outcome_t outcome, gate_reason_t reason)
{
    out->outcome = outcome;
    out->reason = gate_reason_name(reason);
    return true;
}

/* After the conditions hold: size, sign-in, scopes. `rule` NULL is the default. */
static bool judge_needs(arena_t *a, const gate_needs_t *needs, const conf_gate_rule_t *rule,
                        const gate_case_t *c, gate_decision_t *out)
{
    gate_reason_t fits = rule ? GATE_REASON_FITS : GATE_REASON_DEFAULT;
    str_t scopes;
    gate_reason_t lacks = needed_scopes(a, needs, c, &scopes);
    if (lacks != GATE_REASON_FITS)
        return decide(out, GATE_DENY, lacks);
    out->scopes = scopes;
    if (rule && !c->listing) {
        if (rule->max_bytes > 0 && c->q->body_bytes > (size_t)rule->max_bytes)
            return decide(out, GATE_SIZE, GATE_REASON_SIZE);
        lacks = sign_in_lacks(rule, c->q);
        out->acr_values = lacks == GATE_REASON_FITS ? STR_UNSET : needs->acr_values;
        out->max_age_s = lacks == GATE_REASON_FITS ? 0 : rule->max_age;
        if (lacks != GATE_REASON_FITS)
            return decide(out, GATE_STEP_UP, lacks);
    }
    if (!oauth_scope_covers(c->q->who->scope, out->scopes))
        return decide(out, GATE_SCOPE, GATE_REASON_SCOPE);
    for (size_t i = 0; rule && i < rule->n_rates; i++)
        out->tolls[out->n_tolls++] = (gate_toll_t){&rule->rates[i], rule->name};
    return decide(out, GATE_ALLOW, fits);
}

static bool judge_default(arena_t *a, const gate_policy_t *p, const gate_case_t *c,
                          gate_decision_t *out)
{
    out->rule = STR("default");
    if (c->key.protocol) {
        out->rule = STR("protocol");
        return decide(out, GATE_ALLOW, GATE_REASON_PROTOCOL);
    }
    if (p->conf->default_scopes.n == 0)
        return decide(out, GATE_DENY, GATE_REASON_UNNAMED);
    return judge_needs(a, &p->needs[p->conf->n_rules], NULL, c, out);
}

static bool judge_rule(arena_t *a, const gate_policy_t *p, unsigned i, const gate_case_t *c,
                       gate_decision_t *out)
{
    const conf_gate_rule_t *rule = &p->conf->rules[i];
    gate_reason_t lacks = conditions_lack(p, rule, c);
    out->rule = rule->name;
    if (lacks == GATE_REASON_FITS && rule->deny)
        return decide(out, GATE_DENY, GATE_REASON_DENIED);
    if (lacks == GATE_REASON_FITS)
        return judge_needs(a, &p->needs[i], rule, c, out);
    decide(out, GATE_DENY, lacks);
    return !rule->deny && !rule->next;
}

bool gate_judge(arena_t *a, const gate_policy_t *p, unsigned rule, const gate_case_t *c,
                gate_decision_t *out, rc_t *rc)
{
    *out = (gate_decision_t){.scopes = STR("")};
    bool decided =
        rule == GATE_NO_RULE ? judge_default(a, p, c, out) : judge_rule(a, p, rule, c, out);
    if (str_eq(out->reason, gate_reason_name(GATE_REASON_MEMORY)))
        *rc = RC_MEMORY;
    return decided;
}
