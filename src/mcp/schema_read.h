/* Reading a schema: from JSON to nodes (schema_read.c), the values of keywords (schema_shape.c),
 * and where references lead (schema_ref.c). Within the files of schema.h. */
#ifndef MCP_SCHEMA_READ_H
#define MCP_SCHEMA_READ_H

#include "mcp/schema_node.h"

typedef struct schema_pending schema_pending_t;

typedef struct {
    arena_t *a;
    const json_t *root;
    bool form;             /* formats are asserted */
    schema_node_t **table; /* nodes by the address of their JSON */
    size_t mask;           /* of the table, whose size is a power of two */
    unsigned depth;
    schema_resource_t *resources;
    schema_pending_t *pending; /* references whose targets are not known yet */
    str_t *why;
} schema_reader_t;

/** RC_CONFIG, with "`#/properties/x/type`: …" in *why. */
rc_t schema_config(schema_reader_t *r, const json_t *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** The node of a subschema that stands in `resource`; read now, if it was not before. */
rc_t schema_read_node(schema_reader_t *r, const json_t *json, schema_resource_t *resource,
                      schema_node_t **out) MUST_USE;
/** The node that was read of that JSON, or NULL. */
schema_node_t *schema_node_of(const schema_reader_t *r, const json_t *json);
/** Reads the value of a keyword into its rule, which has id and value. */
rc_t schema_read_rule(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule) MUST_USE;

/** The resource that begins at the node, or the one around it. */
rc_t schema_read_resource(schema_reader_t *r, schema_node_t *node,
                          schema_resource_t *around) MUST_USE;
rc_t schema_read_anchors(schema_reader_t *r, schema_node_t *node) MUST_USE;
/** Remembers a reference until all of the schema was read. */
rc_t schema_expect(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule) MUST_USE;
/** Finds the targets of all references. */
rc_t schema_resolve(schema_reader_t *r) MUST_USE;
/** RC_CONFIG where a schema leads to itself without going into the value. */
rc_t schema_refuse_loops(schema_reader_t *r, schema_node_t *node) MUST_USE;

/** RC_CONFIG where the root is no requestedSchema: a flat object of primitives (MCP 2025-11-25,
 *  client/elicitation, "Requested Schema"). */
rc_t schema_form(schema_reader_t *r) MUST_USE;
/** The check of a format that forms may have (MCP, elicitation); NULL: another one. */
bool (*schema_format(str_t name))(str_t s);

#endif
