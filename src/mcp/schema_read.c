#include "mcp/schema_read.h"

#include "mcp/schema_pointer.h"

#include <stdarg.h>
#include <stdio.h>

enum { WHERE_BYTES = 1024, WHAT_BYTES = 512, JSON_NESTING = 128 };

rc_t schema_config(schema_reader_t *r, const json_t *at, const char *fmt, ...)
{
    char what[WHAT_BYTES], place[WHERE_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    buf_t where = buf_fixed(place, sizeof place);
    bool found = at && schema_pointer_find(&where, r->root, at) && where.failed == RC_OK;
    str_t pointer = found ? buf_str(&where) : STR("");
    *r->why = arena_printf(r->a, "`#%" PRIstr "`: %s", STR_ARG(pointer), what);
    return str_is_set(*r->why) ? RC_CONFIG : RC_MEMORY;
}

static size_t slot_of(const schema_reader_t *r, const json_t *json)
{
    return (size_t)(((uintptr_t)json >> 4) * 0x9e3779b97f4a7c15ull >> 20) & r->mask;
}

schema_node_t *schema_node_of(const schema_reader_t *r, const json_t *json)
{
    size_t slot = slot_of(r, json);
    while (r->table[slot] && r->table[slot]->json != json)
        slot = (slot + 1) & r->mask;
    return r->table[slot];
}

static schema_node_t *new_node(schema_reader_t *r, const json_t *json)
{
    schema_node_t *node = ARENA_NEW(r->a, schema_node_t);
    if (!node)
        return NULL;
    node->json = json;
    size_t slot = slot_of(r, json);
    while (r->table[slot])
        slot = (slot + 1) & r->mask;
    r->table[slot] = node;
    return node;
}

/* Draft-07 (section 8.3): beside $ref nothing counts. */
static bool is_read(const schema_node_t *node, schema_keyword_id_t id)
{
    if (!(SCHEMA_KEYWORD[id].dialects & node->resource->dialect))
        return false;
    if (node->resource->dialect != DIALECT_07 || id == SCHEMA_REF || id == SCHEMA_DEFINITIONS)
        return true;
    return !json_get(node->json, SCHEMA_KEYWORD[SCHEMA_REF].name);
}

static rc_t read_rules(schema_reader_t *r, schema_node_t *node)
{
    const json_t *values[SCHEMA_KEYWORDS];
    for (schema_keyword_id_t id = 0; id < SCHEMA_KEYWORDS; id++) {
        values[id] = is_read(node, id) ? json_get(node->json, SCHEMA_KEYWORD[id].name) : NULL;
        node->n += values[id] != NULL;
    }
    node->rules = ARENA_ARRAY(r->a, node->n + 1, schema_rule_t);
    if (!node->rules)
        return RC_MEMORY;
    schema_rule_t *rule = node->rules;
    for (schema_keyword_id_t id = 0; id < SCHEMA_KEYWORDS; id++) {
        if (!values[id])
            continue;
        rule->id = id;
        rule->value = values[id];
        TRY(schema_read_rule(r, node, rule++));
    }
    node->unevaluated = schema_rule(node, SCHEMA_UNEVALUATED_ITEMS) ||
                        schema_rule(node, SCHEMA_UNEVALUATED_PROPERTIES);
    return RC_OK;
}

static rc_t read_object(schema_reader_t *r, schema_node_t *node, schema_resource_t *resource)
{
    TRY(schema_read_resource(r, node, resource));
    TRY(schema_read_anchors(r, node));
    return read_rules(r, node);
}

rc_t schema_read_node(schema_reader_t *r, const json_t *json, schema_resource_t *resource,
                      schema_node_t **out)
{
    *out = schema_node_of(r, json);
    if (*out)
        return RC_OK;
    bool boolean = json->type == JSON_TRUE || json->type == JSON_FALSE;
    if (!boolean && json->type != JSON_OBJECT)
        return schema_config(r, json, "a schema is an object, true or false");
    if (r->depth == MCP_SCHEMA_DEPTH) {
        *r->why = STR("schemas nest deeper than 64");
        return RC_LIMIT;
    }
    schema_node_t *node = new_node(r, json);
    if (!node)
        return RC_MEMORY;
    *out = node;
    node->resource = resource;
    node->refused = json->type == JSON_FALSE;
    if (boolean)
        return RC_OK;
    r->depth++;
    rc_t rc = read_object(r, node, resource);
    r->depth--;
    return rc;
}

/* Values in it, or more than the limit; so, too, where it nests too deep. */
static size_t count(const json_t *json, unsigned depth)
{
    size_t n = depth > JSON_NESTING ? MCP_SCHEMA_NODES + 1 : 1;
    if (depth > JSON_NESTING)
        return n;
    for (const json_t *v = json->child; v && n <= MCP_SCHEMA_NODES; v = v->next)
        n += count(v, depth + 1);
    return n;
}

static rc_t new_table(schema_reader_t *r, size_t values)
{
    size_t size = 16;
    while (size < 2 * values)
        size *= 2;
    r->mask = size - 1;
    r->table = ARENA_ARRAY(r->a, size, schema_node_t *);
    return r->table ? RC_OK : RC_MEMORY;
}

static rc_t read_all(schema_reader_t *r, mcp_schema_t *schema)
{
    size_t values = count(r->root, 0);
    if (values > MCP_SCHEMA_NODES || r->root->raw.n > MCP_SCHEMA_BYTES) {
        *r->why = STR("the schema has more than 20000 values, 256 KiB or 128 levels");
        return RC_LIMIT;
    }
    TRY(new_table(r, values));
    schema_resource_t *around = ARENA_NEW(r->a, schema_resource_t);
    if (!around)
        return RC_MEMORY;
    *around = (schema_resource_t){.uri = STR(""), .dialect = DIALECT_2020_12};
    r->resources = around;
    TRY(schema_read_node(r, r->root, around, &schema->root));
    TRY(schema_resolve(r));
    for (size_t i = 0; i <= r->mask; i++)
        if (r->table[i])
            TRY(schema_refuse_loops(r, r->table[i]));
    return RC_OK;
}

static rc_t read_as(schema_reader_t *r, const mcp_schema_t **out)
{
    *out = NULL;
    mcp_schema_t *schema = ARENA_NEW(r->a, mcp_schema_t);
    rc_t rc = schema ? read_all(r, schema) : RC_MEMORY;
    if (rc == RC_MEMORY)
        *r->why = STR("there is no memory for the schema");
    if (rc == RC_OK)
        *out = schema;
    return rc;
}

rc_t mcp_schema_read(arena_t *a, const json_t *json, const mcp_schema_t **out, str_t *why)
{
    schema_reader_t r = {.a = a, .root = json, .why = why};
    return read_as(&r, out);
}

rc_t mcp_schema_read_form(arena_t *a, const json_t *json, const mcp_schema_t **out, str_t *why)
{
    schema_reader_t r = {.a = a, .root = json, .form = true, .why = why};
    *out = NULL;
    TRY(schema_form(&r));
    return read_as(&r, out);
}
