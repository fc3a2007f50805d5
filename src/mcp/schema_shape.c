/* The values of keywords. */
#include "mcp/schema_read.h"

#include <stdlib.h>

typedef rc_t (*shape_fn)(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule);

static str_t name_of(const schema_rule_t *rule)
{
    return SCHEMA_KEYWORD[rule->id].name;
}

static rc_t refuse(schema_reader_t *r, const schema_rule_t *rule, const char *must)
{
    return schema_config(r, rule->value, "%" PRIstr " must be %s", STR_ARG(name_of(rule)), must);
}

static rc_t read_any(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    return RC_OK;
}

static unsigned type_named(str_t name)
{
    static const struct {
        str_t name;
        unsigned types;
    } TYPES[] = {
        {STR_INIT("object"), TYPE_OBJECT},   {STR_INIT("array"), TYPE_ARRAY},
        {STR_INIT("string"), TYPE_STRING},   {STR_INIT("number"), TYPE_NUMBER},
        {STR_INIT("integer"), TYPE_INTEGER}, {STR_INIT("boolean"), TYPE_BOOLEAN},
        {STR_INIT("null"), TYPE_NULL},
    };
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (str_eq(TYPES[i].name, name))
            return TYPES[i].types;
    return 0;
}

static rc_t read_type(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    static const char MUST[] =
        "object, array, string, number, integer, boolean or null, or a list of these";
    const json_t *v = rule->value;
    if (v->type != JSON_ARRAY) {
        rule->types = type_named(v->str);
        return rule->types ? RC_OK : refuse(r, rule, MUST);
    }
    for (const json_t *one = v->child; one; one = one->next) {
        unsigned types = type_named(one->str);
        if (!types)
            return refuse(r, rule, MUST);
        rule->types |= types;
    }
    return rule->types ? RC_OK : refuse(r, rule, MUST);
}

static rc_t read_list(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    return rule->value->type == JSON_ARRAY ? RC_OK : refuse(r, rule, "a list");
}

static rc_t read_number(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    if (rule->value->type != JSON_NUMBER)
        return refuse(r, rule, "a number");
    rule->number = schema_number(rule->value->raw);
    return RC_OK;
}

static rc_t read_divisor(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    TRY(read_number(r, node, rule));
    if (rule->number.n == 0 || rule->number.negative)
        return refuse(r, rule, "above 0");
    if (rule->number.n > SCHEMA_DIVISOR_DIGITS)
        return refuse(r, rule, "of at most 18 digits");
    return RC_OK;
}

static rc_t read_count(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    rule->number = schema_number(rule->value->raw);
    if (rule->value->type != JSON_NUMBER || !schema_number_count(&rule->number, &rule->count))
        return refuse(r, rule, "an integer of at least 0");
    return RC_OK;
}

static rc_t read_flag(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    json_type_t type = rule->value->type;
    return type == JSON_TRUE || type == JSON_FALSE ? RC_OK : refuse(r, rule, "true or false");
}

static rc_t read_regex(schema_reader_t *r, const json_t *at, str_t text, mcp_pattern_t **out)
{
    str_t why = STR("");
    rc_t rc = mcp_pattern_read(r->a, text, out, &why);
    if (rc == RC_CONFIG)
        return schema_config(r, at, "this is no pattern: %" PRIstr, STR_ARG(why));
    return rc;
}

static rc_t read_pattern(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    if (rule->value->type != JSON_STRING)
        return refuse(r, rule, "a string");
    return read_regex(r, rule->value, rule->value->str, &rule->pattern);
}

static bool is_names(const json_t *v)
{
    if (v->type != JSON_ARRAY)
        return false;
    for (const json_t *one = v->child; one; one = one->next)
        if (one->type != JSON_STRING)
            return false;
    return true;
}

static rc_t read_names(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    return is_names(rule->value) ? RC_OK : refuse(r, rule, "a list of names");
}

static rc_t new_parts(schema_reader_t *r, schema_rule_t *rule, size_t n)
{
    rule->n = n;
    rule->parts = ARENA_ARRAY(r->a, n + 1, schema_part_t);
    return rule->parts ? RC_OK : RC_MEMORY;
}

static rc_t read_schema(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    if (rule->id == SCHEMA_ITEMS && rule->value->type == JSON_ARRAY)
        return refuse(r, rule, "one schema; those of single places are prefixItems");
    TRY(new_parts(r, rule, 1));
    return schema_read_node(r, rule->value, node->resource, &rule->parts[0].node);
}

static rc_t read_schemas(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    if (rule->value->type != JSON_ARRAY || rule->value->count == 0)
        return refuse(r, rule, "a list of at least one schema");
    TRY(new_parts(r, rule, rule->value->count));
    schema_part_t *part = rule->parts;
    for (const json_t *v = rule->value->child; v; v = v->next)
        TRY(schema_read_node(r, v, node->resource, &(part++)->node));
    return RC_OK;
}

static rc_t read_items(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    if (rule->value->type != JSON_ARRAY)
        return read_schema(r, node, rule);
    return rule->value->count > 0 ? read_schemas(r, node, rule) : RC_OK;
}

static int order_parts(const void *a, const void *b)
{
    const schema_part_t *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

/* One member of a map: a schema, or where the shape has them names. */
static rc_t read_part(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule,
                      schema_part_t *part)
{
    schema_shape_t shape = SCHEMA_KEYWORD[rule->id].shape;
    bool names = shape == SHAPE_NAME_LISTS ||
                 (shape == SHAPE_DEPENDENCIES && part->names->type == JSON_ARRAY);
    if (names)
        return is_names(part->names) ? RC_OK : refuse(r, rule, "lists of names");
    if (shape == SHAPE_PATTERN_MAP)
        TRY(read_regex(r, part->names, part->key, &part->pattern));
    return schema_read_node(r, part->names, node->resource, &part->node);
}

static rc_t read_map(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    if (rule->value->type != JSON_OBJECT)
        return refuse(r, rule, "an object");
    TRY(new_parts(r, rule, rule->value->count));
    schema_part_t *part = rule->parts;
    for (const json_t *v = rule->value->child; v; v = v->next) {
        *part = (schema_part_t){.key = v->key, .names = v};
        TRY(read_part(r, node, rule, part++));
    }
    qsort(rule->parts, rule->n, sizeof *rule->parts, order_parts);
    return RC_OK;
}

static rc_t read_format(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    if (rule->value->type != JSON_STRING)
        return refuse(r, rule, "a string");
    rule->format = r->form ? schema_format(rule->value->str) : NULL;
    return RC_OK;
}

static rc_t read_ref(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    if (rule->value->type != JSON_STRING)
        return refuse(r, rule, "a string");
    TRY(new_parts(r, rule, 1));
    return schema_expect(r, node, rule);
}

static const shape_fn SHAPES[] = {
    [SHAPE_ANY] = read_any,         [SHAPE_TYPE] = read_type,       [SHAPE_LIST] = read_list,
    [SHAPE_NUMBER] = read_number,   [SHAPE_DIVISOR] = read_divisor, [SHAPE_COUNT] = read_count,
    [SHAPE_FLAG] = read_flag,       [SHAPE_PATTERN] = read_pattern, [SHAPE_NAMES] = read_names,
    [SHAPE_NAME_LISTS] = read_map,  [SHAPE_SCHEMA] = read_schema,   [SHAPE_SCHEMAS] = read_schemas,
    [SHAPE_SCHEMA_MAP] = read_map,  [SHAPE_PATTERN_MAP] = read_map, [SHAPE_DEPENDENCIES] = read_map,
    [SHAPE_ITEMS] = read_items,     [SHAPE_FORMAT] = read_format,   [SHAPE_REF] = read_ref,
    [SHAPE_DYNAMIC_REF] = read_ref,
};

rc_t schema_read_rule(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    return SHAPES[SCHEMA_KEYWORD[rule->id].shape](r, node, rule);
}
