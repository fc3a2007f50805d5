#include "gate/index.h"

#include "conf/conf_policy.h"
#include "core/glob.h"

#include <stdlib.h>

str_list_t gate_rule_names(const conf_gate_rule_t *rule, gate_kind_t kind)
{
    const str_list_t LISTS[GATE_TABLES] = {
        [GATE_TOOLS] = rule->tools,
        [GATE_RESOURCES] = rule->resources,
        [GATE_PROMPTS] = rule->prompts,
        [GATE_METHODS] = rule->methods,
    };
    return LISTS[kind];
}

static int by_name(const void *left, const void *right)
{
    const gate_entry_t *a = left, *b = right;
    int order = str_cmp(a->name, b->name);
    return order ? order : (a->rule > b->rule) - (a->rule < b->rule);
}

static size_t count_names(const conf_policy_t *conf, gate_kind_t kind)
{
    size_t n = 0;
    for (size_t i = 0; i < conf->n_rules; i++)
        n += gate_rule_names(&conf->rules[i], kind).n;
    return n;
}

static str_t prefix_of(str_t pattern)
{
    size_t star = str_find(pattern, '*', 0), mark = str_find(pattern, '?', 0);
    return str_first(pattern, star < mark ? star : mark);
}

static rc_t make_table(arena_t *a, const conf_policy_t *conf, gate_kind_t kind, gate_table_t *t)
{
    size_t n = count_names(conf, kind);
    gate_entry_t *exact = ARENA_ARRAY(a, n + 1, gate_entry_t);
    gate_entry_t *patterns = ARENA_ARRAY(a, n + 1, gate_entry_t);
    if (!exact || !patterns)
        return RC_MEMORY;
    *t = (gate_table_t){.exact = exact, .patterns = patterns};
    for (unsigned i = 0; i < conf->n_rules; i++) {
        str_list_t names = gate_rule_names(&conf->rules[i], kind);
        for (size_t k = 0; k < names.n; k++) {
            bool pattern = glob_is_pattern(names.v[k]);
            gate_entry_t *to = pattern ? &patterns[t->n_patterns++] : &exact[t->n_exact++];
            *to = (gate_entry_t){names.v[k], prefix_of(names.v[k]), i};
        }
    }
    qsort(exact, t->n_exact, sizeof *exact, by_name);
    return RC_OK;
}

rc_t gate_index_new(arena_t *a, const conf_policy_t *conf, gate_index_t *out)
{
    unsigned *broad = ARENA_ARRAY(a, conf->n_rules + 1, unsigned);
    if (!broad)
        return RC_MEMORY;
    *out = (gate_index_t){.broad = broad};
    for (gate_kind_t kind = 0; kind < GATE_TABLES; kind++)
        TRY(make_table(a, conf, kind, &out->tables[kind]));
    for (unsigned i = 0; i < conf->n_rules; i++)
        if (conf_rule_is_broad(&conf->rules[i]))
            broad[out->n_broad++] = i;
    return RC_OK;
}

/* The first entry that is not before `name`. */
static const gate_entry_t *lower_bound(const gate_table_t *t, str_t name)
{
    size_t low = 0, high = t->n_exact;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(t->exact[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return t->exact + low;
}

static gate_lane_t lane(const gate_table_t *t, str_t name)
{
    return (gate_lane_t){.name = name,
                         .exact = lower_bound(t, name),
                         .exact_end = t->exact + t->n_exact,
                         .pattern = t->patterns,
                         .pattern_end = t->patterns + t->n_patterns,
                         .hit = GATE_NO_RULE};
}

gate_cursor_t gate_cursor(const gate_index_t *index, const gate_key_t *key)
{
    gate_cursor_t c = {.broad = index->broad, .broad_end = index->broad + index->n_broad};
    if (key->protocol)
        c.broad = c.broad_end;
    if (key->kind != GATE_METHODS)
        c.lanes[c.n_lanes++] = lane(&index->tables[key->kind], key->name);
    if (str_is_set(key->method))
        c.lanes[c.n_lanes++] = lane(&index->tables[GATE_METHODS], key->method);
    return c;
}

static unsigned next_exact(gate_lane_t *l, unsigned from)
{
    for (; l->exact < l->exact_end && str_eq(l->exact->name, l->name); l->exact++)
        if (l->exact->rule >= from)
            return l->exact->rule;
    return GATE_NO_RULE;
}

/* Most patterns are told apart by how they begin. */
static bool pattern_fits(const gate_entry_t *e, str_t name)
{
    if (!str_is_set(name) || !str_starts(name, e->prefix))
        return false;
    bool open_end = e->name.n == e->prefix.n + 1 && e->name.p[e->prefix.n] == '*';
    return open_end || glob_fits(e->name, name);
}

/* Rules from `most` on are not looked at. */
static unsigned next_pattern(gate_lane_t *l, unsigned from, unsigned most)
{
    if (l->hit != GATE_NO_RULE && l->hit >= from)
        return l->hit;
    l->hit = GATE_NO_RULE;
    for (; l->pattern < l->pattern_end && l->pattern->rule < most; l->pattern++) {
        if (l->pattern->rule < from || !pattern_fits(l->pattern, l->name))
            continue;
        l->hit = l->pattern->rule;
        return l->hit;
    }
    return GATE_NO_RULE;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned gate_cursor_next(gate_cursor_t *c, unsigned from)
{
    unsigned found = GATE_NO_RULE;
    while (c->broad < c->broad_end && *c->broad < from)
        c->broad++;
    if (c->broad < c->broad_end)
        found = *c->broad;
    for (size_t i = 0; i < c->n_lanes; i++)
        found = least(found, next_exact(&c->lanes[i], from));
    for (size_t i = 0; i < c->n_lanes; i++)
        found = least(found, next_pattern(&c->lanes[i], from, found));
    return found;
}
