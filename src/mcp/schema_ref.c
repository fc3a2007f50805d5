/* Ids, anchors, and where references lead: into the schema itself, or nowhere (JSON Schema 2020-12
 * core, sections 8.2 and 9). */
#include "mcp/schema_read.h"

#include "core/url.h"
#include "mcp/schema_pointer.h"
#include "mcp/schema_uri.h"

enum { REF_BYTES = 2048, OPEN = UINT8_MAX };

struct schema_pending {
    schema_node_t *node;
    schema_rule_t *rule;
    schema_pending_t *next;
};

static rc_t read_dialect(schema_reader_t *r, const json_t *json, unsigned *out)
{
    static const struct {
        str_t uri;
        unsigned dialect;
    } DIALECTS[] = {
        {STR_INIT("https://json-schema.org/draft/2020-12/schema"), DIALECT_2020_12},
        {STR_INIT("http://json-schema.org/draft-07/schema"), DIALECT_07},
        {STR_INIT("https://json-schema.org/draft-07/schema"), DIALECT_07},
    };
    const json_t *v = json_get(json, STR("$schema"));
    if (!v)
        return RC_OK;
    str_t fragment, uri = schema_uri_split(v->str, &fragment);
    for (size_t i = 0; i < sizeof DIALECTS / sizeof *DIALECTS; i++) {
        if (!str_eq(DIALECTS[i].uri, uri) || fragment.n > 0)
            continue;
        *out = DIALECTS[i].dialect;
        return RC_OK;
    }
    return schema_config(r, v, "this dialect is not known: say %" PRIstr " or nothing",
                         STR_ARG(DIALECTS[0].uri));
}

static rc_t add_anchor(schema_reader_t *r, schema_node_t *node, str_t name, bool dynamic)
{
    schema_anchor_t *anchor = ARENA_NEW(r->a, schema_anchor_t);
    if (!anchor)
        return RC_MEMORY;
    *anchor = (schema_anchor_t){name, node, dynamic, node->resource->anchors};
    node->resource->anchors = anchor;
    return RC_OK;
}

static rc_t new_resource(schema_reader_t *r, schema_node_t *node, str_t uri)
{
    schema_resource_t *resource = ARENA_NEW(r->a, schema_resource_t);
    if (!resource)
        return RC_MEMORY;
    *resource = (schema_resource_t){uri, node, node->resource->dialect, NULL, r->resources};
    r->resources = resource;
    node->resource = resource;
    return read_dialect(r, node->json, &resource->dialect);
}

rc_t schema_read_resource(schema_reader_t *r, schema_node_t *node, schema_resource_t *around)
{
    const json_t *id = json_get(node->json, STR("$id"));
    node->resource = around;
    if (!around->node) {
        around->node = node;
        TRY(read_dialect(r, node->json, &around->dialect));
    }
    bool beside_ref = around->dialect == DIALECT_07 && json_get(node->json, STR("$ref"));
    if (!id || beside_ref)
        return RC_OK;
    if (id->type != JSON_STRING || id->str.n > REF_BYTES)
        return schema_config(r, id, "$id must be a short string");
    str_t fragment, uri = schema_uri_split(id->str, &fragment);
    if (fragment.n > 0 && around->dialect != DIALECT_07)
        return schema_config(r, id, "$id has no fragment; say $anchor");
    if (fragment.n > 0 && uri.n == 0)
        return add_anchor(r, node, fragment, false);
    TRY(schema_uri_resolve(r->a, around->uri, uri, &uri));
    if (around->node != node)
        return new_resource(r, node, uri);
    around->uri = uri;
    return RC_OK;
}

rc_t schema_read_anchors(schema_reader_t *r, schema_node_t *node)
{
    static const str_t NAMES[] = {STR_INIT("$anchor"), STR_INIT("$dynamicAnchor")};
    for (size_t i = 0; i < 2 && node->resource->dialect == DIALECT_2020_12; i++) {
        const json_t *v = json_get(node->json, NAMES[i]);
        if (!v)
            continue;
        if (v->type != JSON_STRING || v->str.n == 0 || v->str.n > REF_BYTES)
            return schema_config(r, v, "%" PRIstr " must be a name", STR_ARG(NAMES[i]));
        TRY(add_anchor(r, node, v->str, i == 1));
    }
    return RC_OK;
}

const schema_anchor_t *schema_anchor(const schema_resource_t *r, str_t name)
{
    const schema_anchor_t *anchor = r->anchors;
    while (anchor && !str_eq(anchor->name, name))
        anchor = anchor->next;
    return anchor;
}

rc_t schema_expect(schema_reader_t *r, schema_node_t *node, schema_rule_t *rule)
{
    schema_pending_t *pending = ARENA_NEW(r->a, schema_pending_t);
    if (!pending)
        return RC_MEMORY;
    *pending = (schema_pending_t){node, rule, r->pending};
    r->pending = pending;
    return RC_OK;
}

static schema_resource_t *resource_named(schema_reader_t *r, str_t uri)
{
    schema_resource_t *resource = r->resources;
    while (resource && !str_eq(resource->uri, uri))
        resource = resource->next;
    return resource;
}

static rc_t refuse_ref(schema_reader_t *r, const schema_pending_t *p, const char *what)
{
    str_t shown = str_first(p->rule->value->str, 200);
    return schema_config(r, p->rule->value, "\"%" PRIstr "\" %s", STR_ARG(shown), what);
}

/* A pointer may lead to what no keyword has shown to be a schema; it is read as one then, in the
 * resource that it was reached through. */
static rc_t follow_pointer(schema_reader_t *r, const schema_pending_t *p,
                           schema_resource_t *resource, str_t pointer)
{
    const json_t *at = resource->node->json;
    str_t token;
    pointer = str_skip(pointer, 1);
    while (at && str_split(&pointer, '/', &token)) {
        at = schema_pointer_step(r->a, at, token);
        schema_node_t *passed = at ? schema_node_of(r, at) : NULL;
        resource = passed ? passed->resource : resource;
    }
    if (!at)
        return refuse_ref(r, p, "leads to nothing in the schema");
    return schema_read_node(r, at, resource, &p->rule->parts[0].node);
}

static rc_t follow_fragment(schema_reader_t *r, const schema_pending_t *p,
                            schema_resource_t *resource, str_t fragment)
{
    p->rule->parts[0].node = resource->node;
    if (fragment.n == 0)
        return RC_OK;
    str_t decoded;
    rc_t rc = url_path_decode(r->a, fragment, &decoded);
    if (rc != RC_OK)
        return rc == RC_MEMORY ? rc : refuse_ref(r, p, "is no reference");
    if (str_starts(decoded, STR("/")))
        return follow_pointer(r, p, resource, decoded);
    const schema_anchor_t *anchor = schema_anchor(resource, decoded);
    if (!anchor)
        return refuse_ref(r, p, "names no anchor of the schema");
    p->rule->parts[0].node = anchor->node;
    if (p->rule->id == SCHEMA_DYNAMIC_REF && anchor->dynamic)
        p->rule->anchor = anchor->name;
    return RC_OK;
}

static rc_t follow(schema_reader_t *r, const schema_pending_t *p)
{
    str_t ref = p->rule->value->str, fragment;
    if (ref.n > REF_BYTES)
        return schema_config(r, p->rule->value, "the reference is longer than 2048 bytes");
    str_t uri = schema_uri_split(ref, &fragment);
    schema_resource_t *resource = p->node->resource;
    if (uri.n > 0) {
        TRY(schema_uri_resolve(r->a, resource->uri, uri, &uri));
        resource = resource_named(r, uri);
    }
    if (!resource)
        return refuse_ref(r, p, "leads out of the schema; nothing is fetched");
    return follow_fragment(r, p, resource, fragment);
}

rc_t schema_resolve(schema_reader_t *r)
{
    while (r->pending) {
        schema_pending_t *p = r->pending;
        r->pending = p->next;
        TRY(follow(r, p));
    }
    return RC_OK;
}

bool schema_is_in_place(schema_keyword_id_t id)
{
    switch (id) {
    case SCHEMA_REF:
    case SCHEMA_DYNAMIC_REF:
    case SCHEMA_ALL_OF:
    case SCHEMA_ANY_OF:
    case SCHEMA_ONE_OF:
    case SCHEMA_NOT:
    case SCHEMA_IF:
    case SCHEMA_THEN:
    case SCHEMA_ELSE:
    case SCHEMA_DEPENDENT_SCHEMAS:
    case SCHEMA_DEPENDENCIES:
        return true;
    default:
        return false;
    }
}

/* What stands above a node once those in place under it are known; they are visited once each. */
static rc_t climb(schema_reader_t *r, const schema_node_t *node, uint8_t *height)
{
    for (size_t i = 0; i < node->n; i++) {
        const schema_rule_t *rule = &node->rules[i];
        for (size_t k = 0; k < rule->n && schema_is_in_place(rule->id); k++) {
            schema_node_t *next = rule->parts[k].node;
            if (!next)
                continue;
            TRY(schema_refuse_loops(r, next));
            if (next->height >= *height)
                *height = (uint8_t)(next->height + 1);
        }
    }
    return RC_OK;
}

rc_t schema_refuse_loops(schema_reader_t *r, schema_node_t *node)
{
    if (node->height == OPEN)
        return schema_config(r, node->json, "the schema leads to itself without an end");
    if (node->height > 0)
        return RC_OK;
    uint8_t height = 1;
    node->height = OPEN;
    if (r->depth < MCP_SCHEMA_DEPTH) {
        r->depth++;
        TRY(climb(r, node, &height));
        r->depth--;
    }
    if (r->depth == MCP_SCHEMA_DEPTH || height > MCP_SCHEMA_DEPTH)
        return schema_config(r, node->json, "it leads on through more than 64 schemas");
    node->height = height;
    return RC_OK;
}
