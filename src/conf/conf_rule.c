#include "conf/conf_rule.h"

#include "conf/conf_node.h"

static const str_t RULES = STR_INIT("rules of trusted_issuers");

/* A '*' at the end of `sub` leaves its rest open. Alone it would let everybody in whom the issuer
 * signs for, which at a public cloud is everybody. */
static rc_t read_claim(arena_t *a, const conf_node_t *c, conf_claim_t *out, str_t *why)
{
    TRY(conf_node_text(a, c, RULES, &out->value, why));
    out->name = c->key;
    out->prefix = str_eq(c->key, STR("sub")) && str_ends(out->value, STR("*"));
    if (!out->prefix)
        return RC_OK;
    out->value = str_first(out->value, out->value.n - 1);
    if (out->value.n == 0)
        return conf_node_refuse(a, c, RULES, "a sub of '*' would be everybody: say how it begins",
                                why);
    return RC_OK;
}

static rc_t read_claims(arena_t *a, const conf_node_t *node, conf_rule_t *rule, str_t *why)
{
    if (node->kind != CONF_MAP)
        return conf_node_refuse(a, node, RULES, "claims are written as 'name: value'", why);
    size_t n = conf_node_count(node);
    conf_claim_t *v = ARENA_ARRAY(a, n ? n : 1, conf_claim_t);
    if (!v)
        return RC_MEMORY;
    rule->claims = v;
    rule->n_claims = n;
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(read_claim(a, c, v++, why));
    return RC_OK;
}

static bool has_claim(const conf_rule_t *rule, str_t name)
{
    for (size_t i = 0; i < rule->n_claims; i++)
        if (str_eq(rule->claims[i].name, name))
            return true;
    return false;
}

/* It becomes part of a client_id, and of lines that people read. */
static bool is_name(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';
        if (!good)
            return false;
    }
    return s.n > 0 && s.n <= 64;
}

static rc_t read_member(arena_t *a, const conf_node_t *c, conf_rule_t *rule, str_t *why)
{
    if (str_eq(c->key, STR("name")))
        return conf_node_text(a, c, RULES, &rule->name, why);
    if (str_eq(c->key, STR("claims")))
        return read_claims(a, c, rule, why);
    if (str_eq(c->key, STR("resources")))
        return conf_node_urls(a, c, RULES, &rule->resources, why);
    if (str_eq(c->key, STR("scopes")))
        return conf_node_scopes(a, c, RULES, &rule->scopes, why);
    return conf_node_refuse(a, c, RULES, "a rule has name, claims, resources and scopes", why);
}

static rc_t read_rule(arena_t *a, const conf_node_t *node, conf_rule_t *rule, str_t *why)
{
    const char *mend = NULL;
    if (node->kind != CONF_MAP)
        return conf_node_refuse(a, node, RULES, "each rule is a map with name and claims", why);
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(read_member(a, c, rule, why));
    if (!is_name(rule->name))
        mend = "a rule needs a name of at most 64 letters, digits, '-', '_' and '.'";
    else if (!has_claim(rule, STR("sub")))
        mend = "the claims of a rule must name sub: the issuer signs for others, too";
    else if (rule->resources.n == 0)
        mend = "a rule needs the resources that its workload may use";
    return mend ? conf_node_refuse(a, node, RULES, mend, why) : RC_OK;
}

rc_t conf_read_rules(arena_t *a, const conf_node_t *node, conf_issuer_t *issuer, str_t *why)
{
    if (conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST)
        return conf_node_refuse(a, node, RULES, "rules is a list of maps, each with its name", why);
    size_t n = conf_node_count(node);
    conf_rule_t *v = ARENA_ARRAY(a, n ? n : 1, conf_rule_t);
    if (!v)
        return RC_MEMORY;
    issuer->rules = v;
    issuer->n_rules = n;
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(read_rule(a, c, v++, why));
    return RC_OK;
}
