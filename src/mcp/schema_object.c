/* Keywords about members (2020-12 core, section 10.3.2; validation, section 6.5). */
#include "mcp/schema_check.h"

enum { LOOKS_A_STEP = 16 }; /* names compared within one step */

static rc_t find(schema_checker_t *c, const json_t *object, str_t name, bool *there)
{
    TRY(schema_spend(c, 1 + object->count / LOOKS_A_STEP));
    *there = json_get(object, name) != NULL;
    return RC_OK;
}

static rc_t check_names(schema_checker_t *c, schema_frame_t *f, const json_t *names, str_t because,
                        bool *fits)
{
    for (const json_t *v = names->child; v; v = v->next) {
        bool there;
        TRY(find(c, f->value, v->str, &there));
        if (!there)
            return schema_fault_missing(c, f, fits, v->str, because);
    }
    return RC_OK;
}

rc_t schema_check_required(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    return check_names(c, f, f->rule->value, STR_UNSET, fits);
}

/* dependentRequired, dependentSchemas, and draft-07's dependencies, which are both. */
rc_t schema_check_dependent(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    for (size_t i = 0; i < f->rule->n && *fits; i++) {
        const schema_part_t *part = &f->rule->parts[i];
        bool there;
        TRY(find(c, f->value, part->key, &there));
        if (there && part->node)
            TRY(schema_apply(c, f, part->node, f->value, fits));
        else if (there)
            TRY(check_names(c, f, part->names, part->key, fits));
    }
    return RC_OK;
}

rc_t schema_check_names(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    for (const json_t *v = f->value->child; v && *fits; v = v->next) {
        json_t name = {.type = JSON_STRING, .str = v->key, .key = v->key};
        TRY(schema_apply(c, f, f->rule->parts[0].node, &name, fits));
    }
    return RC_OK;
}

static const schema_part_t *part_named(const schema_rule_t *rule, str_t name)
{
    size_t low = 0, high = rule ? rule->n : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(rule->parts[middle].key, name);
        if (order == 0)
            return &rule->parts[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

rc_t schema_check_properties(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    size_t i = 0;
    for (const json_t *v = f->value->child; v && *fits; v = v->next, i++) {
        const schema_part_t *part = part_named(f->rule, v->key);
        TRY(schema_spend(c, 1));
        if (!part)
            continue;
        TRY(schema_apply(c, f, part->node, v, fits));
        schema_mark(c, f, i);
    }
    return RC_OK;
}

/* Calls for each pattern that the name matches, or only counts them where `fits` is NULL. */
static rc_t match_patterns(schema_checker_t *c, schema_frame_t *f, const json_t *v, size_t *matched,
                           bool *fits)
{
    const schema_rule_t *rule = schema_rule(f->node, SCHEMA_PATTERN_PROPERTIES);
    *matched = 0;
    for (size_t i = 0; rule && i < rule->n && (!fits || *fits); i++) {
        bool matches;
        TRY(schema_spend(c, 1));
        TRY(mcp_pattern_match(rule->parts[i].pattern, v->key, &c->steps, &matches));
        *matched += matches;
        if (matches && fits)
            TRY(schema_apply(c, f, rule->parts[i].node, v, fits));
    }
    return RC_OK;
}

rc_t schema_check_patterns(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    size_t i = 0, matched;
    for (const json_t *v = f->value->child; v && *fits; v = v->next, i++) {
        TRY(match_patterns(c, f, v, &matched, fits));
        if (matched > 0)
            schema_mark(c, f, i);
    }
    return RC_OK;
}

rc_t schema_check_additional(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    const schema_rule_t *properties = schema_rule(f->node, SCHEMA_PROPERTIES);
    size_t i = 0, matched;
    for (const json_t *v = f->value->child; v && *fits; v = v->next, i++) {
        if (part_named(properties, v->key))
            continue;
        TRY(match_patterns(c, f, v, &matched, NULL));
        if (matched > 0)
            continue;
        TRY(schema_apply(c, f, f->rule->parts[0].node, v, fits));
        schema_mark(c, f, i);
    }
    return RC_OK;
}

/* Of objects and lists alike. */
rc_t schema_check_unevaluated(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    size_t i = 0;
    for (const json_t *v = f->value->child; v && *fits; v = v->next, i++) {
        TRY(schema_spend(c, 1));
        if (schema_marked(c, f, i))
            continue;
        TRY(schema_apply(c, f, f->rule->parts[0].node, v, fits));
        schema_mark(c, f, i);
    }
    return RC_OK;
}
