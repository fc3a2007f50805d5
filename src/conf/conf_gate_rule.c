#include "conf/conf_gate_rule.h"

#include "conf/conf_node.h"
#include "conf/conf_table.h"
#include "core/buf.h"
#include "core/glob.h"
#include "core/num.h"

#include <stddef.h>

enum { NAME_BYTES = 64, MEMBERS_MAX = 32, MESSAGE_BYTES_MAX = 8 << 20, AGE_MAX_S = 31536000 };

rc_t conf_policy_refuse(arena_t *a, const conf_node_t *node, const char *mend, str_t *why)
{
    return conf_node_refuse(a, node, STR("policies"), mend, why);
}

rc_t conf_policy_refuse_value(arena_t *a, const conf_node_t *node, str_t value, const char *mend,
                              str_t *why)
{
    str_t shown = conf_shown(a, value);
    str_t text = arena_printf(a, "'%" PRIstr "' %s", STR_ARG(shown), mend);
    return str_is_set(text) ? conf_policy_refuse(a, node, text.p, why) : RC_MEMORY;
}

static rc_t no_such_member(arena_t *a, const conf_node_t *node, const conf_member_t *rows, size_t n,
                           str_t *why)
{
    str_t keys[MEMBERS_MAX];
    buf_t b = buf_new(a, 1024);
    for (size_t i = 0; i < n; i++) {
        keys[i] = rows[i].key;
        buf_fmt(&b, "%s%" PRIstr, i > 0 ? ", " : "here belong ", STR_ARG(rows[i].key));
    }
    str_t near = conf_nearest((str_list_t){keys, n}, node->key);
    str_t mend = str_is_set(near)
                     ? arena_printf(a, "is not known; did you mean '%" PRIstr "'?", STR_ARG(near))
                     : arena_printf(a, "is not known; %" PRIstr, STR_ARG(buf_str(&b)));
    return str_is_set(mend) ? conf_policy_refuse_value(a, node, node->key, mend.p, why) : RC_MEMORY;
}

rc_t conf_read_members(arena_t *a, const conf_node_t *node, const conf_member_t *rows, size_t n,
                       void *into, str_t *why)
{
    for (const conf_node_t *c = node->child; c; c = c->next) {
        size_t i = 0;
        while (i < n && !str_eq(rows[i].key, c->key))
            i++;
        if (i == n)
            return no_such_member(a, c, rows, n, why);
        TRY(rows[i].read(a, c, (char *)into + rows[i].offset, why));
    }
    return RC_OK;
}

rc_t conf_read_line(arena_t *a, const conf_node_t *node, void *str, str_t *why)
{
    return conf_node_text(a, node, STR("policies"), str, why);
}

static bool is_name(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';
        if (!good)
            return false;
    }
    return s.n > 0 && s.n <= NAME_BYTES;
}

/* It stands in audit events, and in lines that people read. */
rc_t conf_read_name(arena_t *a, const conf_node_t *node, void *str, str_t *why)
{
    if (node->kind == CONF_SCALAR && is_name(node->value)) {
        *(str_t *)str = node->value;
        return RC_OK;
    }
    return conf_policy_refuse_value(
        a, node, node->value, "is no name of at most 64 letters, digits, '-', '_' and '.'", why);
}

rc_t conf_read_flag(arena_t *a, const conf_node_t *node, void *flag, str_t *why)
{
    bool yes = node->kind == CONF_SCALAR && str_eq(node->value, STR("true"));
    *(bool *)flag = yes;
    if (yes || (node->kind == CONF_SCALAR && str_eq(node->value, STR("false"))))
        return RC_OK;
    return conf_policy_refuse_value(a, node, node->key, "is true or false", why);
}

/* An empty list would be no restriction, where whoever wrote it meant that nothing fits. */
rc_t conf_read_words(arena_t *a, const conf_node_t *node, void *str_list, str_t *why)
{
    str_list_t *list = str_list;
    TRY(conf_node_words(a, node, STR("policies"), list, why));
    if (list->n > 0)
        return RC_OK;
    return conf_policy_refuse_value(a, node, node->key,
                                    "is empty: leave it out, or say what it holds", why);
}

rc_t conf_read_patterns(arena_t *a, const conf_node_t *node, void *str_list, str_t *why)
{
    const str_list_t *list = str_list;
    TRY(conf_read_words(a, node, str_list, why));
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i].n > GLOB_BYTES)
            return conf_policy_refuse_value(a, node, list->v[i], "is longer than 256 bytes", why);
        if (str_contains(list->v[i], STR("**")))
            return conf_policy_refuse_value(
                a, node, list->v[i],
                "says '**', which is no more than '*': one takes any run, also over slashes", why);
    }
    return RC_OK;
}

bool conf_scope_has_name(str_t scope)
{
    str_t segment;
    while (str_split(&scope, ':', &segment))
        if (str_eq(segment, STR("{name}")))
            return true;
    return false;
}

/* Braces anywhere else are a slip of the pen: a scope that nobody can ever hold. */
static bool has_stray_brace(str_t scope)
{
    str_t segment;
    while (str_split(&scope, ':', &segment))
        if (!str_eq(segment, STR("{name}")) &&
            (str_find(segment, '{', 0) < segment.n || str_find(segment, '}', 0) < segment.n))
            return true;
    return false;
}

rc_t conf_read_needs(arena_t *a, const conf_node_t *node, void *str_list, str_t *why)
{
    const str_list_t *list = str_list;
    TRY(conf_read_words(a, node, str_list, why));
    for (size_t i = 0; i < list->n; i++) {
        if (!conf_is_scope(list->v[i]))
            return conf_policy_refuse_value(
                a, node, list->v[i],
                "is no scope: printable ASCII without space, quote and backslash", why);
        if (has_stray_brace(list->v[i]))
            return conf_policy_refuse_value(
                a, node, list->v[i],
                "has braces: only {name} is known, as a whole part between colons", why);
    }
    return RC_OK;
}

static rc_t read_otherwise(arena_t *a, const conf_node_t *node, void *field, str_t *why)
{
    bool next = node->kind == CONF_SCALAR && str_eq(node->value, STR("next"));
    *(bool *)field = next;
    if (next || (node->kind == CONF_SCALAR && str_eq(node->value, STR("deny"))))
        return RC_OK;
    return conf_policy_refuse_value(a, node, node->value,
                                    "must be deny, or next to ask the rules that follow", why);
}

static rc_t read_claims(arena_t *a, const conf_node_t *node, void *into, str_t *why)
{
    conf_gate_rule_t *rule = into;
    size_t n = conf_node_count(node);
    if (node->kind != CONF_MAP || n == 0)
        return conf_policy_refuse(a, node, "claims are written as 'name: value'", why);
    conf_claim_t *v = ARENA_ARRAY(a, n, conf_claim_t);
    if (!v)
        return RC_MEMORY;
    rule->claims = v;
    rule->n_claims = n;
    for (const conf_node_t *c = node->child; c; c = c->next, v++) {
        TRY(conf_read_line(a, c, &v->value, why));
        if (v->value.n > GLOB_BYTES || !conf_is_text(c->key) || c->key.n == 0)
            return conf_policy_refuse_value(a, c, c->key, "or its value is no text of a claim",
                                            why);
        v->name = c->key;
    }
    return RC_OK;
}

static rc_t read_bytes(arena_t *a, const conf_node_t *node, void *field, str_t *why)
{
    if (node->kind == CONF_SCALAR && num_i64(node->value, 1, MESSAGE_BYTES_MAX, field))
        return RC_OK;
    return conf_policy_refuse_value(a, node, node->value,
                                    "must be a whole number from 1 to 8388608", why);
}

static rc_t read_age(arena_t *a, const conf_node_t *node, void *field, str_t *why)
{
    if (node->kind == CONF_SCALAR && num_i64(node->value, 1, AGE_MAX_S, field))
        return RC_OK;
    return conf_policy_refuse_value(a, node, node->value,
                                    "must be a whole number of seconds from 1 to 31536000", why);
}

/* Values go into a space-separated list within quotes (RFC 9470 section 3). */
static rc_t read_acr(arena_t *a, const conf_node_t *node, void *str_list, str_t *why)
{
    const str_list_t *list = str_list;
    TRY(conf_read_words(a, node, str_list, why));
    for (size_t i = 0; i < list->n; i++)
        if (!conf_is_scope(list->v[i]))
            return conf_policy_refuse_value(
                a, node, list->v[i],
                "is no acr value: printable ASCII without space, quote and backslash", why);
    return RC_OK;
}

#define AT(member) offsetof(conf_gate_rule_t, member)

static const conf_member_t RULE[] = {
    {STR_INIT("name"), conf_read_name, AT(name)},
    {STR_INIT("deny"), conf_read_flag, AT(deny)},
    {STR_INIT("otherwise"), read_otherwise, AT(next)},
    {STR_INIT("tools"), conf_read_patterns, AT(tools)},
    {STR_INIT("resources"), conf_read_patterns, AT(resources)},
    {STR_INIT("prompts"), conf_read_patterns, AT(prompts)},
    {STR_INIT("methods"), conf_read_patterns, AT(methods)},
    {STR_INIT("groups"), conf_read_words, AT(groups)},
    {STR_INIT("roles"), conf_read_words, AT(roles)},
    {STR_INIT("issuers"), conf_read_words, AT(issuers)},
    {STR_INIT("clients"), conf_read_patterns, AT(clients)},
    {STR_INIT("subjects"), conf_read_patterns, AT(subjects)},
    {STR_INIT("claims"), read_claims, 0},
    {STR_INIT("arguments"), conf_read_conditions, 0},
    {STR_INIT("scopes"), conf_read_needs, AT(scopes)},
    {STR_INIT("rates"), conf_read_rates, 0},
    {STR_INIT("max_bytes"), read_bytes, AT(max_bytes)},
    {STR_INIT("max_age"), read_age, AT(max_age)},
    {STR_INIT("acr"), read_acr, AT(acr)},
    {STR_INIT("initial"), conf_read_flag, AT(initial)},
};

bool conf_rule_is_conditional(const conf_gate_rule_t *r)
{
    return r->groups.n > 0 || r->roles.n > 0 || r->issuers.n > 0 || r->clients.n > 0 ||
           r->subjects.n > 0 || r->n_claims > 0 || r->n_arguments > 0;
}

bool conf_rule_is_broad(const conf_gate_rule_t *r)
{
    return r->tools.n + r->resources.n + r->prompts.n + r->methods.n == 0;
}

static bool has_name(str_list_t scopes)
{
    for (size_t i = 0; i < scopes.n; i++)
        if (conf_scope_has_name(scopes.v[i]))
            return true;
    return false;
}

static bool names_method(const conf_gate_rule_t *r, const char *method)
{
    for (size_t i = 0; i < r->methods.n; i++)
        if (glob_fits(r->methods.v[i], str_c(method)))
            return true;
    return false;
}

/* Objects are alternatives: beside the method of an object its names say nothing, though they look
 * as if they narrowed it. */
static const char *mend_of_objects(const conf_gate_rule_t *r)
{
    if (r->tools.n > 0 && names_method(r, "tools/call"))
        return "methods names tools/call, which is every tool: leave out one of methods and tools";
    if (r->resources.n > 0 && names_method(r, "resources/read"))
        return "methods names resources/read, which is every resource: leave out one of methods "
               "and resources";
    if (r->prompts.n > 0 && names_method(r, "prompts/get"))
        return "methods names prompts/get, which is every prompt: leave out one of methods and "
               "prompts";
    bool called = r->tools.n + r->prompts.n > 0 && r->resources.n + r->methods.n == 0;
    if (r->n_arguments > 0 && !called)
        return "arguments are those of tools and prompts: name these, and nothing else";
    if (has_name(r->scopes) && r->resources.n + r->methods.n > 0)
        return "{name} is for names of tools and prompts: a URI or a method has characters that "
               "scopes have not";
    return NULL;
}

static const char *mend_of_rule(const conf_gate_rule_t *r)
{
    bool needs = r->scopes.n > 0 || r->n_rates > 0 || r->max_bytes > 0 || r->max_age > 0 ||
                 r->acr.n > 0 || r->initial;
    if (!str_is_set(r->name))
        return "a rule needs a name";
    if (str_eq(r->name, STR("default")) || str_eq(r->name, STR("protocol")))
        return "the names default and protocol are taken: audit events say them where no rule fits";
    if (r->deny && needs)
        return "a rule that denies has no scopes, rates, max_bytes, max_age, acr and initial";
    if (r->deny && r->next)
        return "a rule that denies lets everybody else go on to the next one anyway: leave out "
               "otherwise";
    if (r->next && !conf_rule_is_conditional(r))
        return "otherwise: next needs a condition that may not hold: groups, roles, issuers, "
               "clients, subjects, claims or arguments";
    if (r->initial && r->scopes.n == 0)
        return "initial is about scopes, and the rule has none";
    if (r->initial && has_name(r->scopes))
        return "a scope with {name} cannot be initial: there is no name yet";
    return mend_of_objects(r);
}

rc_t conf_read_gate_rule(arena_t *a, const conf_node_t *node, conf_gate_rule_t *rule, str_t *why)
{
    if (node->kind != CONF_MAP)
        return conf_policy_refuse(a, node, "each rule is a map with its name", why);
    TRY(conf_read_members(a, node, RULE, sizeof RULE / sizeof RULE[0], rule, why));
    const char *mend = mend_of_rule(rule);
    return mend ? conf_policy_refuse(a, node, mend, why) : RC_OK;
}
