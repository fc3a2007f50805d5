/* Keywords that lead to schemas for the same value (2020-12 core, sections 8.2.3 and 10.2). */
#include "mcp/schema_check.h"

rc_t schema_check_all(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    for (size_t i = 0; i < f->rule->n && *fits; i++)
        TRY(schema_apply(c, f, f->rule->parts[i].node, f->value, fits));
    return RC_OK;
}

/* The outermost resource on the way here that has the anchor counts (section 8.2.3.2). */
rc_t schema_check_dynamic_ref(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    const schema_node_t *target = f->rule->parts[0].node;
    const schema_resource_t *asked = NULL;
    for (const schema_frame_t *at = f; at && f->rule->anchor.p; at = at->up) {
        if (at->node->resource == asked)
            continue;
        asked = at->node->resource;
        TRY(schema_spend(c, 1));
        const schema_anchor_t *anchor = schema_anchor(asked, f->rule->anchor);
        if (anchor && anchor->dynamic)
            target = anchor->node;
    }
    return schema_apply(c, f, target, f->value, fits);
}

typedef struct {
    size_t fitting;
    const schema_node_t *best; /* of those that do not fit: whose fault tells most */
    unsigned score;
} branches_t;

/* A fault within the value tells more than one about the whole, and one that is not of its kind
 * more than "must be a string". */
static void note_fault(const schema_checker_t *c, const schema_frame_t *f,
                       const schema_node_t *node, branches_t *b)
{
    unsigned score = 2 * (c->fault_place - f->place) + !c->fault_of_kind;
    if (score <= b->score)
        return;
    b->score = score;
    b->best = node;
}

/* Until `enough` fit. Who marks wants to know all that fit (section 11.2). */
static rc_t try_branches(schema_checker_t *c, schema_frame_t *f, size_t enough, branches_t *b)
{
    *b = (branches_t){0};
    for (size_t i = 0; i < f->rule->n; i++) {
        const schema_node_t *node = f->rule->parts[i].node;
        bool one;
        TRY(schema_try(c, f, node, f->value, &one));
        b->fitting += one;
        if (!one)
            note_fault(c, f, node, b);
        if (b->fitting == enough && f->marks == SCHEMA_UNMARKED)
            return RC_OK;
    }
    return RC_OK;
}

/* Nothing fits. The best branch is asked once more, for its words. */
static rc_t blame(schema_checker_t *c, schema_frame_t *f, const branches_t *b, bool *fits)
{
    if (!b->best)
        return schema_fault_choice(c, f, fits);
    if (c->quiet == 0)
        return schema_apply(c, f, b->best, f->value, fits);
    /* What a branch around this one shall hear of it. */
    c->fault_place = f->place + b->score / 2;
    c->fault_of_kind = !(b->score % 2);
    *fits = false;
    return RC_OK;
}

rc_t schema_check_any(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    branches_t b;
    TRY(try_branches(c, f, 1, &b));
    return b.fitting > 0 ? RC_OK : blame(c, f, &b, fits);
}

rc_t schema_check_one(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    branches_t b;
    TRY(try_branches(c, f, 2, &b));
    if (b.fitting == 1)
        return RC_OK;
    if (b.fitting == 0)
        return blame(c, f, &b, fits);
    return schema_fault(c, f, fits, "must fit exactly one of %zu forms, and fits more", f->rule->n);
}

rc_t schema_check_not(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    bool fits_it;
    /* What a schema that must not fit has looked at counts for nobody. */
    int64_t marks = f->marks;
    f->marks = SCHEMA_UNMARKED;
    rc_t rc = schema_try(c, f, f->rule->parts[0].node, f->value, &fits_it);
    f->marks = marks;
    TRY(rc);
    return fits_it ? schema_fault(c, f, fits, "has a form that is ruled out") : RC_OK;
}

rc_t schema_check_if(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    bool yes;
    TRY(schema_try(c, f, f->rule->parts[0].node, f->value, &yes));
    const schema_rule_t *then = schema_rule(f->node, yes ? SCHEMA_THEN : SCHEMA_ELSE);
    return then ? schema_apply(c, f, then->parts[0].node, f->value, fits) : RC_OK;
}
