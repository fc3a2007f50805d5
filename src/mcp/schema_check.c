#include "mcp/schema_check.h"

enum { WORD = 64, MARKS_FIRST = 16 };

const schema_keyword_t SCHEMA_KEYWORD[SCHEMA_KEYWORDS] = {
#define KEYWORD(id, name, shape, types, dialects, check)                                           \
    [SCHEMA_##id] = {STR_INIT(name), shape, types, dialects, check},
#include "mcp/schema_keywords.def"
#undef KEYWORD
};

const schema_rule_t *schema_rule(const schema_node_t *node, schema_keyword_id_t id)
{
    for (size_t i = 0; i < node->n; i++)
        if (node->rules[i].id == id)
            return &node->rules[i];
    return NULL;
}

rc_t schema_spend(schema_checker_t *c, uint64_t n)
{
    if (n > c->steps) {
        c->steps = 0;
        return RC_LIMIT;
    }
    c->steps -= n;
    return RC_OK;
}

static size_t words(const json_t *value)
{
    return value->count / WORD + 1;
}

/* An empty set for the children of the frame's value, if anybody will ask. */
static rc_t open_marks(schema_checker_t *c, schema_frame_t *f)
{
    bool in_place = f->up && f->up->value == f->value && f->up->marks != SCHEMA_UNMARKED;
    f->marks = SCHEMA_UNMARKED;
    if (!f->node->unevaluated && !in_place)
        return RC_OK;
    size_t n = words(f->value);
    TRY(schema_spend(c, n));
    if (n > c->marks_cap - c->marks_n) {
        size_t cap = 2 * (c->marks_cap + n) + MARKS_FIRST;
        uint64_t *grown = ARENA_ARRAY(c->a, cap, uint64_t);
        if (!grown)
            return RC_MEMORY;
        if (c->marks_n > 0)
            memcpy(grown, c->marks, c->marks_n * sizeof *grown);
        c->marks = grown;
        c->marks_cap = cap;
    }
    memset(c->marks + c->marks_n, 0, n * sizeof *c->marks);
    f->marks = (int64_t)c->marks_n;
    c->marks_n += n;
    return RC_OK;
}

static void close_marks(schema_checker_t *c, const schema_frame_t *f, bool fits)
{
    if (f->marks == SCHEMA_UNMARKED)
        return;
    size_t n = words(f->value);
    bool in_place = f->up && f->up->value == f->value && f->up->marks != SCHEMA_UNMARKED;
    for (size_t i = 0; i < n && in_place && fits; i++)
        c->marks[(size_t)f->up->marks + i] |= c->marks[(size_t)f->marks + i];
    c->marks_n = (size_t)f->marks;
}

void schema_mark(schema_checker_t *c, const schema_frame_t *f, size_t child)
{
    if (f->marks != SCHEMA_UNMARKED)
        c->marks[(size_t)f->marks + child / WORD] |= 1ull << child % WORD;
}

bool schema_marked(const schema_checker_t *c, const schema_frame_t *f, size_t child)
{
    return f->marks != SCHEMA_UNMARKED &&
           (c->marks[(size_t)f->marks + child / WORD] >> child % WORD & 1);
}

static rc_t run(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    TRY(schema_spend(c, 1));
    if (f->node->refused)
        return schema_fault_refused(c, f, fits);
    for (size_t i = 0; i < f->node->n && *fits; i++) {
        f->rule = &f->node->rules[i];
        const schema_keyword_t *keyword = &SCHEMA_KEYWORD[f->rule->id];
        if (!keyword->check || !(keyword->types & 1u << f->value->type))
            continue;
        TRY(schema_spend(c, 1));
        TRY(keyword->check(c, f, fits));
    }
    return RC_OK;
}

rc_t schema_apply(schema_checker_t *c, schema_frame_t *f, const schema_node_t *node,
                  const json_t *value, bool *fits)
{
    schema_frame_t below = {.up = f, .node = node, .value = value};
    *fits = true;
    if (f) {
        below.depth = f->depth + 1;
        below.place = f->place + (value != f->value);
    }
    if (below.depth > MCP_SCHEMA_DEPTH)
        return RC_LIMIT;
    TRY(open_marks(c, &below));
    TRY(run(c, &below, fits));
    close_marks(c, &below, *fits);
    return RC_OK;
}

rc_t schema_try(schema_checker_t *c, schema_frame_t *f, const schema_node_t *node,
                const json_t *value, bool *fits)
{
    c->quiet++;
    rc_t rc = schema_apply(c, f, node, value, fits);
    c->quiet--;
    return rc;
}

rc_t mcp_schema_check(arena_t *a, const mcp_schema_t *schema, const json_t *value, bool *fits,
                      mcp_schema_fault_t *fault)
{
    schema_checker_t c = {.a = a, .steps = MCP_SCHEMA_STEPS, .fault = fault};
    *fault = (mcp_schema_fault_t){.at = STR("")};
    rc_t rc = schema_apply(&c, NULL, schema->root, value, fits);
    *fits = *fits && rc == RC_OK;
    if (rc == RC_LIMIT)
        *fault = (mcp_schema_fault_t){STR(""), STR("$schema"),
                                      STR("The value is too much to be checked.")};
    return rc;
}
