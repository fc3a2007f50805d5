/* A schema that was read: nodes of rules, in the order of schema_keywords.def. Within the files of
 * schema.h. */
#ifndef MCP_SCHEMA_NODE_H
#define MCP_SCHEMA_NODE_H

#include "mcp/pattern.h"
#include "mcp/schema.h"
#include "mcp/schema_number.h"

typedef struct schema_node schema_node_t;
typedef struct schema_resource schema_resource_t;
typedef struct schema_checker schema_checker_t;
typedef struct schema_frame schema_frame_t;

typedef enum {
#define KEYWORD(id, name, shape, types, dialects, check) SCHEMA_##id,
#include "mcp/schema_keywords.def"
#undef KEYWORD
    SCHEMA_KEYWORDS
} schema_keyword_id_t;

/* What the value of a keyword must be, and where subschemas stand in it. */
typedef enum {
    SHAPE_ANY,
    SHAPE_TYPE,
    SHAPE_LIST,
    SHAPE_NUMBER,
    SHAPE_DIVISOR,
    SHAPE_COUNT,
    SHAPE_FLAG,
    SHAPE_PATTERN,
    SHAPE_NAMES,      /* required */
    SHAPE_NAME_LISTS, /* dependentRequired */
    SHAPE_SCHEMA,
    SHAPE_SCHEMAS,      /* allOf */
    SHAPE_SCHEMA_MAP,   /* properties */
    SHAPE_PATTERN_MAP,  /* patternProperties */
    SHAPE_DEPENDENCIES, /* draft-07: schemas or names */
    SHAPE_ITEMS,        /* draft-07: a schema, or one for each place */
    SHAPE_FORMAT,       /* an annotation, but in forms */
    SHAPE_REF,
    SHAPE_DYNAMIC_REF,
} schema_shape_t;

enum { DIALECT_2020_12 = 1, DIALECT_07 = 2, DIALECT_BOTH = 3 };

/* Sets of types of values: one bit for each of json_type_t. */
enum {
    TYPE_NUMBER = 1 << JSON_NUMBER,
    TYPE_STRING = 1 << JSON_STRING,
    TYPE_ARRAY = 1 << JSON_ARRAY,
    TYPE_OBJECT = 1 << JSON_OBJECT,
    TYPE_BOOLEAN = 1 << JSON_TRUE | 1 << JSON_FALSE,
    TYPE_NULL = 1 << JSON_NULL,
    TYPE_ALL = TYPE_NUMBER | TYPE_STRING | TYPE_ARRAY | TYPE_OBJECT | TYPE_BOOLEAN | TYPE_NULL,
    TYPE_INTEGER = 1 << 7, /* in the value of `type` only */
};

/** Looks at the frame's value with its rule; *fits was true. */
typedef rc_t (*schema_check_fn)(schema_checker_t *c, schema_frame_t *f, bool *fits);

typedef struct {
    str_t name;
    schema_shape_t shape;
    unsigned types;        /* of values that it says something of */
    unsigned dialects;     /* that know it */
    schema_check_fn check; /* NULL: another keyword reads it */
} schema_keyword_t;

extern const schema_keyword_t SCHEMA_KEYWORD[SCHEMA_KEYWORDS];

/** One subschema in the value of a keyword, or one list of names. */
typedef struct {
    str_t key;              /* in a map: its name; else unset */
    schema_node_t *node;    /* NULL: `names` it is */
    mcp_pattern_t *pattern; /* of patternProperties */
    const json_t *names;
} schema_part_t;

typedef struct {
    schema_keyword_id_t id;
    unsigned types; /* of `type` */
    const json_t *value;
    schema_part_t *parts; /* of maps without patterns: sorted by key */
    size_t n;
    schema_number_t number;
    uint64_t count;
    mcp_pattern_t *pattern;
    bool (*format)(str_t s);
    str_t anchor; /* of $dynamicRef, where it is one that can be overridden */
} schema_rule_t;

struct schema_node {
    const json_t *json;
    schema_resource_t *resource;
    schema_rule_t *rules;
    size_t n;
    bool refused;     /* the schema `false` */
    bool unevaluated; /* it has a rule for what no other one has looked at */
    uint8_t height;   /* of references and compositions above it; see schema_ref.c */
};

typedef struct schema_anchor {
    str_t name;
    schema_node_t *node;
    bool dynamic;
    const struct schema_anchor *next;
} schema_anchor_t;

/** A schema with an id of its own, within which anchors and references are read. */
struct schema_resource {
    str_t uri; /* without fragment; empty where none was given */
    schema_node_t *node;
    unsigned dialect;
    const schema_anchor_t *anchors;
    schema_resource_t *next;
};

struct mcp_schema {
    schema_node_t *root;
};

/** The rule of a node, or NULL. */
const schema_rule_t *schema_rule(const schema_node_t *node, schema_keyword_id_t id);
/** Whether the values of a keyword's subschemas are the keyword's own value. */
bool schema_is_in_place(schema_keyword_id_t id);
/** NULL: there is no such anchor. */
const schema_anchor_t *schema_anchor(const schema_resource_t *r, str_t name);

#endif
