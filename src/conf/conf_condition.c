/* Conditions on arguments, and rates. */
#include "conf/conf_gate_rule.h"

#include "conf/conf_node.h"
#include "core/num.h"

#include <stddef.h>

/* Whole numbers beyond this are no longer told apart by a double. */
#define NUMBER_MAX 9007199254740991.0

enum { RATE_CALLS_MAX = 1000000, RATE_SECONDS_MAX = 86400, LENGTH_MAX = 1 << 20 };

/* What a condition is while it is read: `max_length` tells absent from 0. */
static rc_t read_number(arena_t *a, const conf_node_t *node, double *out, str_t *why)
{
    if (node->kind == CONF_SCALAR && num_f64(node->value, out) && *out >= -NUMBER_MAX &&
        *out <= NUMBER_MAX)
        return RC_OK;
    return conf_policy_refuse_value(
        a, node, node->value, "must be a number between -9007199254740991 and 9007199254740991",
        why);
}

static rc_t read_min(arena_t *a, const conf_node_t *node, void *condition, str_t *why)
{
    conf_condition_t *c = condition;
    c->has_min = true;
    return read_number(a, node, &c->min, why);
}

static rc_t read_max(arena_t *a, const conf_node_t *node, void *condition, str_t *why)
{
    conf_condition_t *c = condition;
    c->has_max = true;
    return read_number(a, node, &c->max, why);
}

static rc_t read_max_length(arena_t *a, const conf_node_t *node, void *field, str_t *why)
{
    if (node->kind == CONF_SCALAR && num_i64(node->value, 0, LENGTH_MAX, field))
        return RC_OK;
    return conf_policy_refuse_value(a, node, node->value,
                                    "must be a whole number from 0 to 1048576", why);
}

static rc_t read_path(arena_t *a, const conf_node_t *node, void *field, str_t *why)
{
    str_t part, rest;
    TRY(conf_read_line(a, node, field, why));
    rest = node->value;
    while (str_split(&rest, '.', &part))
        if (part.n == 0)
            return conf_policy_refuse_value(a, node, node->value,
                                            "is no path such as amount or order.lines.0", why);
    return RC_OK;
}

static const conf_member_t CONDITION[] = {
    {STR_INIT("path"), read_path, offsetof(conf_condition_t, path)},
    {STR_INIT("one_of"), conf_read_words, offsetof(conf_condition_t, one_of)},
    {STR_INIT("matches"), conf_read_patterns, offsetof(conf_condition_t, matches)},
    {STR_INIT("min"), read_min, 0},
    {STR_INIT("max"), read_max, 0},
    {STR_INIT("max_length"), read_max_length, offsetof(conf_condition_t, max_length)},
    {STR_INIT("optional"), conf_read_flag, offsetof(conf_condition_t, optional)},
};

static const char *mend_of_condition(const conf_condition_t *c)
{
    bool number = c->has_min || c->has_max, text = c->matches.n > 0, length = c->max_length >= 0;
    if (!str_is_set(c->path))
        return "a condition needs the path of its argument";
    if (c->has_min && c->has_max && c->min > c->max)
        return "min is greater than max: no number fits";
    if (c->one_of.n > 0 && (number || text || length))
        return "one_of says which values fit: leave out matches, min, max and max_length";
    if (number && (text || length))
        return "min and max are for numbers, matches and max_length for texts: nothing fits both";
    if (c->optional && c->one_of.n == 0 && !number && !text && !length)
        return "an optional argument without one_of, matches, min, max or max_length is no "
               "condition";
    return NULL;
}

static rc_t read_condition(arena_t *a, const conf_node_t *node, conf_condition_t *c, str_t *why)
{
    *c = (conf_condition_t){.max_length = -1};
    if (node->kind != CONF_MAP)
        return conf_policy_refuse(a, node, "each condition is a map with the path of an argument",
                                  why);
    TRY(conf_read_members(a, node, CONDITION, sizeof CONDITION / sizeof CONDITION[0], c, why));
    const char *mend = mend_of_condition(c);
    return mend ? conf_policy_refuse(a, node, mend, why) : RC_OK;
}

rc_t conf_read_conditions(arena_t *a, const conf_node_t *node, void *into, str_t *why)
{
    conf_gate_rule_t *rule = into;
    size_t n = conf_node_count(node);
    if (conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST)
        return conf_policy_refuse(a, node, "arguments is a list of conditions, each with its path",
                                  why);
    if (n > CONF_CONDITIONS_MAX)
        return conf_policy_refuse(a, node, "a rule has at most 16 conditions on arguments", why);
    conf_condition_t *v = ARENA_ARRAY(a, n ? n : 1, conf_condition_t);
    if (!v)
        return RC_MEMORY;
    rule->arguments = v;
    rule->n_arguments = n;
    for (const conf_node_t *c = node->child; c; c = c->next)
        TRY(read_condition(a, c, v++, why));
    return RC_OK;
}

static rc_t read_per(arena_t *a, const conf_node_t *node, void *into, str_t *why)
{
    static const str_t WORDS[] = {STR_INIT("subject"), STR_INIT("client"), STR_INIT("tool"),
                                  STR_INIT("rule")};
    conf_rate_t *rate = into;
    for (unsigned i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (node->kind == CONF_SCALAR && str_eq(node->value, WORDS[i])) {
            rate->per = i;
            return RC_OK;
        }
    return conf_policy_refuse_value(a, node, node->value, "must be subject, client, tool or rule",
                                    why);
}

static rc_t read_count(arena_t *a, const conf_node_t *node, uint32_t most, uint32_t *out,
                       str_t *why)
{
    uint64_t n;
    if (node->kind != CONF_SCALAR || !num_u64(node->value, most, &n) || n == 0)
        return conf_policy_refuse_value(
            a, node, node->value,
            "must be a whole number: calls up to 1000000, seconds up to 86400", why);
    *out = (uint32_t)n;
    return RC_OK;
}

static rc_t read_calls(arena_t *a, const conf_node_t *node, void *field, str_t *why)
{
    return read_count(a, node, RATE_CALLS_MAX, field, why);
}

static rc_t read_seconds(arena_t *a, const conf_node_t *node, void *field, str_t *why)
{
    return read_count(a, node, RATE_SECONDS_MAX, field, why);
}

static const conf_member_t RATE[] = {
    {STR_INIT("per"), read_per, 0},
    {STR_INIT("calls"), read_calls, offsetof(conf_rate_t, calls)},
    {STR_INIT("seconds"), read_seconds, offsetof(conf_rate_t, seconds)},
};

rc_t conf_read_rates(arena_t *a, const conf_node_t *node, void *into, str_t *why)
{
    conf_gate_rule_t *rule = into;
    size_t n = conf_node_count(node);
    if (conf_node_is_nothing(node))
        return RC_OK;
    if (node->kind != CONF_LIST || n > CONF_RATES_MAX)
        return conf_policy_refuse(a, node,
                                  "rates is a list of at most 4, such as [{per: subject, calls: "
                                  "10, seconds: 60}]",
                                  why);
    conf_rate_t *v = ARENA_ARRAY(a, n ? n : 1, conf_rate_t);
    if (!v)
        return RC_MEMORY;
    rule->rates = v;
    rule->n_rates = n;
    for (const conf_node_t *c = node->child; c; c = c->next, v++) {
        if (c->kind != CONF_MAP)
            return conf_policy_refuse(a, c, "each rate is a map with per, calls and seconds", why);
        TRY(conf_read_members(a, c, RATE, sizeof RATE / sizeof RATE[0], v, why));
        if (v->calls == 0 || v->seconds == 0)
            return conf_policy_refuse(a, c, "a rate needs calls and seconds", why);
    }
    return RC_OK;
}
