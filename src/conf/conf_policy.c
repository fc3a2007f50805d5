#include "conf/conf_policy.h"

#include "conf/conf_gate_rule.h"
#include "conf/conf_node.h"
#include "conf/conf_table.h"
#include "core/glob.h"

#include <stddef.h>

static const str_t USE[] = {STR_INIT("mcp:use")};
static const conf_policy_t READY = {
    .name = STR_INIT("ready"),
    .default_scopes = {USE, 1},
    .default_initial = true,
    .groups_claim = STR_INIT("groups"),
    .roles_claim = STR_INIT("roles"),
};

const conf_policy_t *conf_policy_ready(void)
{
    return &READY;
}

const conf_policy_t *conf_policy_find(const conf_t *conf, str_t name)
{
    for (size_t i = 0; i < conf->n_policies; i++)
        if (str_eq(conf->policies[i].name, name))
            return &conf->policies[i];
    return str_eq(name, READY.name) ? &READY : NULL;
}

static const conf_member_t DEFAULT[] = {
    {STR_INIT("scopes"), conf_read_needs, offsetof(conf_policy_t, default_scopes)},
    {STR_INIT("initial"), conf_read_flag, offsetof(conf_policy_t, default_initial)},
};

static rc_t check_default(arena_t *a, const conf_node_t *node, const conf_policy_t *p, str_t *why)
{
    if (p->default_scopes.n == 0)
        return conf_policy_refuse(a, node, "default is deny, or a map with scopes", why);
    for (size_t i = 0; i < p->default_scopes.n; i++)
        if (p->default_initial && conf_scope_has_name(p->default_scopes.v[i]))
            return conf_policy_refuse(
                a, node, "a scope with {name} cannot be initial: there is no name yet", why);
    return RC_OK;
}

static rc_t read_default(arena_t *a, const conf_node_t *node, void *into, str_t *why)
{
    if (node->kind == CONF_SCALAR && str_eq(node->value, STR("deny")))
        return RC_OK;
    if (node->kind == CONF_SCALAR && str_eq(node->value, STR("allow")))
        return conf_policy_refuse(a, node,
                                  "default: allow is not taken: what nobody thought of would be "
                                  "open; say deny, or {scopes: [...]}",
                                  why);
    if (node->kind != CONF_MAP)
        return conf_policy_refuse(a, node, "default is deny, or a map with scopes", why);
    TRY(conf_read_members(a, node, DEFAULT, sizeof DEFAULT / sizeof DEFAULT[0], into, why));
    return check_default(a, node, into, why);
}

/* Whether a rule, once it names a message, lets no later one have it. */
static bool is_final(const conf_gate_rule_t *r)
{
    return !conf_rule_is_conditional(r) || !(r->deny || r->next);
}

static const str_list_t *objects(const conf_gate_rule_t *r, size_t kind)
{
    const str_list_t *const LISTS[] = {&r->tools, &r->resources, &r->prompts, &r->methods};
    return LISTS[kind];
}

enum { TOOLS, METHODS = 3, KINDS };

static bool takes_every_method(const conf_gate_rule_t *r)
{
    for (size_t i = 0; i < r->methods.n; i++)
        if (glob_covers(r->methods.v[i], STR("*")))
            return true;
    return false;
}

/* A broad rule takes everything but what the protocol itself needs, which only methods name. */
static bool takes(const conf_gate_rule_t *earlier, size_t kind, str_t name)
{
    if (!is_final(earlier))
        return false;
    if (takes_every_method(earlier) || (conf_rule_is_broad(earlier) && kind != METHODS))
        return true;
    const str_list_t *same = objects(earlier, kind);
    for (size_t i = 0; i < same->n; i++)
        if (glob_covers(same->v[i], name))
            return true;
    for (size_t i = 0; kind == TOOLS && i < earlier->methods.n; i++)
        if (glob_covers(earlier->methods.v[i], STR("tools/call")))
            return true;
    return false;
}

static const conf_gate_rule_t *taker(const conf_policy_t *p, size_t rule, size_t kind, str_t name)
{
    for (size_t i = 0; i < rule; i++)
        if (takes(&p->rules[i], kind, name))
            return &p->rules[i];
    return NULL;
}

/* The last of the earlier rules that leave nothing to this one; NULL: something is left. */
static const conf_gate_rule_t *blocker(const conf_policy_t *p, size_t rule)
{
    const conf_gate_rule_t *found = NULL;
    const conf_gate_rule_t *r = &p->rules[rule];
    for (size_t i = 0; conf_rule_is_broad(r) && i < rule; i++) {
        const conf_gate_rule_t *e = &p->rules[i];
        if (is_final(e) && (conf_rule_is_broad(e) || takes_every_method(e)))
            return e;
    }
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < objects(r, kind)->n; i++) {
            const conf_gate_rule_t *by = taker(p, rule, kind, objects(r, kind)->v[i]);
            if (!by)
                return NULL;
            found = found > by ? found : by;
        }
    return found;
}

static rc_t check_order(arena_t *a, const conf_node_t *node, const conf_policy_t *p, str_t *why)
{
    size_t i = 0;
    for (const conf_node_t *c = node->child; c; c = c->next, i++) {
        for (size_t k = 0; k < i; k++)
            if (str_eq(p->rules[k].name, p->rules[i].name))
                return conf_policy_refuse_value(a, c, p->rules[i].name,
                                                "is the name of a rule above, too", why);
        const conf_gate_rule_t *by = blocker(p, i);
        if (!by)
            continue;
        str_t mend = arena_printf(a,
                                  "is never asked: the rule '%" PRIstr "' above takes all that it "
                                  "names; put it higher, or take it out",
                                  STR_ARG(by->name));
        return str_is_set(mend) ? conf_policy_refuse_value(a, c, p->rules[i].name, mend.p, why)
                                : RC_MEMORY;
    }
    return RC_OK;
}

static rc_t read_rules(arena_t *a, const conf_node_t *node, void *into, str_t *why)
{
    conf_policy_t *p = into;
    size_t n = conf_node_count(node);
    if (conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST)
        return conf_policy_refuse(a, node, "rules is a list of maps, each with its name", why);
    if (n > CONF_RULES_MAX)
        return conf_policy_refuse(a, node, "a policy has at most 1000 rules", why);
    conf_gate_rule_t *v = ARENA_ARRAY(a, n ? n : 1, conf_gate_rule_t);
    if (!v)
        return RC_MEMORY;
    p->rules = v;
    p->n_rules = n;
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(conf_read_gate_rule(a, c, v++, why));
    return check_order(a, node, p, why);
}

static const conf_member_t POLICY[] = {
    {STR_INIT("name"), conf_read_name, offsetof(conf_policy_t, name)},
    {STR_INIT("default"), read_default, 0},
    {STR_INIT("groups_claim"), conf_read_line, offsetof(conf_policy_t, groups_claim)},
    {STR_INIT("roles_claim"), conf_read_line, offsetof(conf_policy_t, roles_claim)},
    {STR_INIT("rules"), read_rules, 0},
};

static rc_t read_policy(arena_t *a, const conf_node_t *node, conf_policy_t *p, str_t *why)
{
    *p = (conf_policy_t){.groups_claim = READY.groups_claim, .roles_claim = READY.roles_claim};
    if (node->kind != CONF_MAP)
        return conf_policy_refuse(a, node, "each policy is a map with its name and rules", why);
    TRY(conf_read_members(a, node, POLICY, sizeof POLICY / sizeof POLICY[0], p, why));
    if (!str_is_set(p->name))
        return conf_policy_refuse(a, node, "a policy needs a name", why);
    if (str_eq(p->name, READY.name))
        return conf_policy_refuse(
            a, node, "the name ready is taken: it is the policy of those who name none", why);
    if (p->n_rules == 0 && p->default_scopes.n == 0)
        return conf_policy_refuse(a, node, "a policy without rules and default allows nothing",
                                  why);
    return RC_OK;
}

static bool is_known(const conf_t *conf, str_t name)
{
    for (size_t i = 0; i < conf->n_policies; i++)
        if (str_eq(conf->policies[i].name, name))
            return true;
    return false;
}

rc_t conf_read_policies(arena_t *a, const conf_node_t *node, conf_t *conf, str_t *why)
{
    if (!node || conf_node_is_nothing(node))
        return RC_OK;
    size_t n = conf_node_count(node);
    if (node->kind != CONF_LIST || n > CONF_POLICIES_MAX)
        return conf_policy_refuse(a, node,
                                  "policies is a list of at most 64 maps, each with its name and "
                                  "rules",
                                  why);
    conf_policy_t *v = ARENA_ARRAY(a, n ? n : 1, conf_policy_t);
    if (!v)
        return RC_MEMORY;
    conf->policies = v;
    for (const conf_node_t *c = node->child; c; c = c->next, v++) {
        TRY(read_policy(a, c, v, why));
        if (is_known(conf, v->name))
            return conf_policy_refuse_value(a, c, v->name, "is the name of a policy above, too",
                                            why);
        conf->n_policies++;
    }
    return RC_OK;
}
