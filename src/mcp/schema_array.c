/* Keywords about elements (2020-12 core, section 10.3.1; validation, section 6.4). */
#include "mcp/schema_check.h"

/* Each of the first elements against the schema of its place. */
static rc_t check_places(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    const json_t *v = f->value->child;
    for (size_t i = 0; v && i < f->rule->n && *fits; v = v->next, i++) {
        TRY(schema_apply(c, f, f->rule->parts[i].node, v, fits));
        schema_mark(c, f, i);
    }
    return RC_OK;
}

/* All from the index `first` on against one schema. */
static rc_t check_rest(schema_checker_t *c, schema_frame_t *f, size_t first, bool *fits)
{
    size_t i = 0;
    for (const json_t *v = f->value->child; v && *fits; v = v->next, i++) {
        if (i < first)
            continue;
        TRY(schema_apply(c, f, f->rule->parts[0].node, v, fits));
        schema_mark(c, f, i);
    }
    return RC_OK;
}

rc_t schema_check_prefix(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    return check_places(c, f, fits);
}

rc_t schema_check_items(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    const schema_rule_t *prefix = schema_rule(f->node, SCHEMA_PREFIX_ITEMS);
    return check_rest(c, f, prefix ? prefix->n : 0, fits);
}

rc_t schema_check_items_07(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    bool places = f->rule->value->type == JSON_ARRAY;
    return places ? check_places(c, f, fits) : check_rest(c, f, 0, fits);
}

/* It says nothing unless items is a list (draft-07, section 6.4.2). */
rc_t schema_check_additional_items(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    const schema_rule_t *items = schema_rule(f->node, SCHEMA_ITEMS_07);
    if (!items || items->value->type != JSON_ARRAY)
        return RC_OK;
    return check_rest(c, f, items->n, fits);
}

static uint64_t bound(const schema_frame_t *f, schema_keyword_id_t id, uint64_t unsaid)
{
    const schema_rule_t *rule = schema_rule(f->node, id);
    return rule ? rule->count : unsaid;
}

rc_t schema_check_contains(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    uint64_t least = bound(f, SCHEMA_MIN_CONTAINS, 1),
             most = bound(f, SCHEMA_MAX_CONTAINS, UINT64_MAX);
    uint64_t n = 0;
    size_t i = 0;
    for (const json_t *v = f->value->child; v; v = v->next, i++) {
        bool one;
        TRY(schema_try(c, f, f->rule->parts[0].node, v, &one));
        n += one;
        if (one)
            schema_mark(c, f, i);
    }
    if (n < least)
        return schema_fault(c, f, fits, "must have at least %llu elements of the form of contains",
                            (unsigned long long)least);
    if (n > most)
        return schema_fault(c, f, fits, "must have at most %llu elements of the form of contains",
                            (unsigned long long)most);
    return RC_OK;
}

rc_t schema_check_unique(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    const json_t *twice = NULL;
    if (f->rule->value->type == JSON_TRUE)
        TRY(schema_unique(c, f->value, &twice));
    return twice ? schema_fault(c, f, fits, NULL) : RC_OK;
}
