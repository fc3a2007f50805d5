#include "gate/condition.h"

#include "core/glob.h"
#include "core/num.h"
#include "gate/policy.h"

typedef struct {
    str_t name, sentence;
} row_t;

static const row_t REASONS[] = {
#define GATE_REASON(name, text, sentence) {STR_INIT(text), STR_INIT(sentence)},
#include "gate/reasons.def"
#undef GATE_REASON
};

str_t gate_reason_name(gate_reason_t r)
{
    return REASONS[r].name;
}

str_t gate_reason_sentence(str_t reason)
{
    for (size_t i = 0; i < GATE_REASON_COUNT; i++)
        if (str_eq(REASONS[i].name, reason))
            return REASONS[i].sentence;
    return STR("");
}

/* A value as text: as it is, as JSON writes it, or what a complex value of SCIM is known by. */
static str_t text_of(const json_t *v)
{
    switch (v->type) {
    case JSON_STRING:
        return v->str;
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
        return v->raw;
    case JSON_OBJECT:
        return json_get_str(v, STR("value"));
    default:
        return STR_UNSET;
    }
}

static bool is_in(str_list_t words, const json_t *v)
{
    str_t text = json_is(v, JSON_STRING) || json_is(v, JSON_OBJECT) ? text_of(v) : STR_UNSET;
    return str_is_set(text) && str_list_has(words, text);
}

static bool any_in(str_list_t words, const json_t *v)
{
    if (!v)
        return false;
    if (!json_is(v, JSON_ARRAY))
        return is_in(words, v);
    for (const json_t *e = v->child; e; e = e->next)
        if (is_in(words, e))
            return true;
    return false;
}

static bool fits_any(str_list_t patterns, str_t text)
{
    for (size_t i = 0; i < patterns.n; i++)
        if (glob_fits(patterns.v[i], text))
            return true;
    return false;
}

static bool claim_fits(const conf_claim_t *want, const json_t *v)
{
    if (!v)
        return false;
    if (!json_is(v, JSON_ARRAY))
        return glob_fits(want->value, text_of(v));
    for (const json_t *e = v->child; e; e = e->next)
        if (glob_fits(want->value, text_of(e)))
            return true;
    return false;
}

gate_reason_t gate_who_lacks(const conf_policy_t *policy, const conf_gate_rule_t *rule,
                             const gate_principal_t *who)
{
    if (rule->issuers.n > 0 && !str_list_has(rule->issuers, who->issuer))
        return GATE_REASON_ISSUER;
    if (rule->subjects.n > 0 && !fits_any(rule->subjects, who->subject))
        return GATE_REASON_SUBJECT;
    if (rule->clients.n > 0 && !fits_any(rule->clients, who->client))
        return GATE_REASON_CLIENT;
    if (rule->groups.n > 0 && !any_in(rule->groups, json_claim(who->claims, policy->groups_claim)))
        return GATE_REASON_GROUP;
    if (rule->roles.n > 0 && !any_in(rule->roles, json_claim(who->claims, policy->roles_claim)))
        return GATE_REASON_ROLE;
    for (size_t i = 0; i < rule->n_claims; i++)
        if (!claim_fits(&rule->claims[i], json_claim(who->claims, rule->claims[i].name)))
            return GATE_REASON_CLAIM;
    return GATE_REASON_FITS;
}

bool gate_asks_claims(const conf_policy_t *policy)
{
    for (size_t i = 0; i < policy->n_rules; i++) {
        const conf_gate_rule_t *rule = &policy->rules[i];
        if (rule->groups.n > 0 || rule->roles.n > 0 || rule->n_claims > 0)
            return true;
    }
    return false;
}

/* What a condition says of a value. */
typedef enum { YES, NO, UNKNOWN } answer_t;

static answer_t of(bool fits)
{
    return fits ? YES : NO;
}

/* Whole numbers are compared as such, since a double would round great ones together. */
static bool same_number(const json_t *v, str_t word)
{
    int64_t i, k;
    double x, y;
    if (str_eq(v->raw, word))
        return true;
    if (json_i64(v, &i) && num_i64(word, INT64_MIN, INT64_MAX, &k))
        return i == k;
    return json_f64(v, &x) && num_f64(word, &y) && x >= y && x <= y;
}

static answer_t is_one_of(str_list_t words, const json_t *v)
{
    switch (v->type) {
    case JSON_STRING:
        return of(str_list_has(words, v->str));
    case JSON_TRUE:
    case JSON_FALSE:
        return of(str_list_has(words, v->raw));
    case JSON_NUMBER:
        for (size_t i = 0; i < words.n; i++)
            if (same_number(v, words.v[i]))
                return YES;
        return NO;
    default:
        return UNKNOWN;
    }
}

static answer_t is_within(const conf_condition_t *c, const json_t *v)
{
    double x;
    if (!json_is(v, JSON_NUMBER) || !json_f64(v, &x))
        return UNKNOWN;
    return of((!c->has_min || x >= c->min) && (!c->has_max || x <= c->max));
}

static int64_t length_of(const json_t *v)
{
    int64_t n = 0;
    if (json_is(v, JSON_ARRAY))
        return v->count;
    for (size_t i = 0; i < v->str.n; i++)
        n += ((unsigned char)v->str.p[i] & 0xc0) != 0x80;
    return n;
}

static answer_t is_short(const conf_condition_t *c, const json_t *v)
{
    if (!json_is(v, JSON_STRING) && !json_is(v, JSON_ARRAY))
        return UNKNOWN;
    return of(length_of(v) <= c->max_length);
}

static answer_t is_like(const conf_condition_t *c, const json_t *v)
{
    return json_is(v, JSON_STRING) ? of(fits_any(c->matches, v->str)) : UNKNOWN;
}

static answer_t both(answer_t a, answer_t b)
{
    if (a == NO || b == NO)
        return NO;
    return a == YES ? b : UNKNOWN;
}

/* Whether a server that folds case would find another argument there. */
static bool is_ambiguous(const json_t *from, str_t path)
{
    str_t part;
    bool twin = false;
    while (from && !twin && str_split(&path, '.', &part)) {
        twin = mcp_member_has_twin(from, part);
        from = json_path(from, part);
    }
    return twin;
}

static answer_t holds(const conf_condition_t *c, const json_t *arguments)
{
    answer_t answer = YES;
    if (is_ambiguous(arguments, c->path))
        return UNKNOWN;
    const json_t *v = json_path(arguments, c->path);
    if (!v)
        return of(c->optional);
    if (json_is(v, JSON_NULL))
        return UNKNOWN;
    if (c->one_of.n > 0)
        answer = both(answer, is_one_of(c->one_of, v));
    if (c->has_min || c->has_max)
        answer = both(answer, is_within(c, v));
    if (c->matches.n > 0)
        answer = both(answer, is_like(c, v));
    if (c->max_length >= 0)
        answer = both(answer, is_short(c, v));
    return answer;
}

bool gate_arguments_fit(const conf_gate_rule_t *rule, const json_t *arguments)
{
    for (size_t i = 0; i < rule->n_arguments; i++) {
        answer_t answer = holds(&rule->arguments[i], arguments);
        if (answer == NO || (answer == UNKNOWN && !rule->deny))
            return false;
    }
    return true;
}
