#include "conf/conf_yaml.h"

#include "core/limits.h"

#include <yaml.h>

typedef struct {
    arena_t *a;
    yaml_parser_t parser;
    yaml_event_t event; /* current; valid while have_event */
    bool have_event;
    unsigned depth, nodes;
    str_t *why;
} loader_t;

static rc_t refuse(loader_t *l, const char *what, size_t line)
{
    *l->why = arena_printf(l->a, "line %zu of the settings file: %s", line + 1, what);
    return RC_CONFIG;
}

static rc_t next(loader_t *l)
{
    if (l->have_event)
        yaml_event_delete(&l->event);
    l->have_event = false;
    l->have_event = yaml_parser_parse(&l->parser, &l->event);
    if (l->have_event)
        return RC_OK;
    if (l->parser.error == YAML_MEMORY_ERROR)
        return RC_MEMORY;
    return refuse(l, l->parser.problem ? l->parser.problem : "not YAML",
                  l->parser.problem_mark.line);
}

static rc_t read_node(loader_t *l, conf_node_t **out);

/* Anchors make bombs, and tags make types: neither has a use in settings. */
static bool is_marked(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor || e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor || e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor || e->data.mapping_start.tag;
    default:
        return false;
    }
}

/* A name that stands twice would hide one of its values. */
static bool has_key(const conf_node_t *map, str_t key)
{
    for (const conf_node_t *n = map->child; n; n = n->next)
        if (str_eq(n->key, key))
            return true;
    return false;
}

static rc_t read_key(loader_t *l, const conf_node_t *map, str_t *key)
{
    size_t line = l->event.start_mark.line;
    if (l->event.type != YAML_SCALAR_EVENT)
        return refuse(l, "a key must be a plain word", line);
    if (is_marked(&l->event))
        return refuse(l, "anchors and tags are not taken", line);
    if (l->event.data.scalar.length > LIMIT_CONF_VALUE_BYTES)
        return refuse(l, "the key is too long", line);
    *key = arena_dup(l->a, str_of(l->event.data.scalar.value, l->event.data.scalar.length));
    if (!str_is_set(*key))
        return RC_MEMORY;
    if (has_key(map, *key))
        return refuse(l, "a key stands twice", line);
    return next(l);
}

static rc_t read_children(loader_t *l, conf_node_t *node, yaml_event_type_t end)
{
    conf_node_t **tail = &node->child;
    TRY(next(l));
    while (l->event.type != end) {
        str_t key = STR_UNSET;
        if (node->kind == CONF_MAP)
            TRY(read_key(l, node, &key));
        conf_node_t *child = NULL;
        TRY(read_node(l, &child));
        child->key = key;
        *tail = child;
        tail = &child->next;
        TRY(next(l));
    }
    return RC_OK;
}

static rc_t read_scalar(loader_t *l, conf_node_t *node)
{
    str_t text = str_of(l->event.data.scalar.value, l->event.data.scalar.length);
    yaml_scalar_style_t style = l->event.data.scalar.style;
    bool plain = style == YAML_PLAIN_SCALAR_STYLE;
    /* A block ends in a newline that nobody means. */
    if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
        text = str_trim(text, "\n");
    if (plain && (str_eq(text, STR("~")) || str_eq(text, STR("null"))))
        text = STR("");
    if (text.n > LIMIT_CONF_VALUE_BYTES)
        return refuse(l, "the value is too long", node->line);
    node->value = arena_dup(l->a, text);
    return str_is_set(node->value) ? RC_OK : RC_MEMORY;
}

/* The current event begins a node; afterwards it is the node's last event. */
static rc_t read_node(loader_t *l, conf_node_t **out)
{
    size_t line = l->event.start_mark.line;
    if (l->depth == LIMIT_CONF_DEPTH || ++l->nodes > LIMIT_CONF_NODES)
        return refuse(l, "nested too deep, or too long", line);
    if (is_marked(&l->event))
        return refuse(l, "anchors and tags are not taken", line);
    conf_node_t *node = ARENA_NEW(l->a, conf_node_t);
    if (!node)
        return RC_MEMORY;
    node->line = (unsigned)line;
    *out = node;
    l->depth++;
    rc_t rc;
    switch (l->event.type) {
    case YAML_SCALAR_EVENT:
        node->kind = CONF_SCALAR;
        rc = read_scalar(l, node);
        break;
    case YAML_SEQUENCE_START_EVENT:
        node->kind = CONF_LIST;
        rc = read_children(l, node, YAML_SEQUENCE_END_EVENT);
        break;
    case YAML_MAPPING_START_EVENT:
        node->kind = CONF_MAP;
        rc = read_children(l, node, YAML_MAPPING_END_EVENT);
        break;
    default:
        rc = refuse(l, "aliases are not taken; write the value out", line);
    }
    l->depth--;
    return rc;
}

static rc_t read_document(loader_t *l, conf_node_t **out)
{
    TRY(next(l)); /* stream start */
    TRY(next(l));
    if (l->event.type == YAML_STREAM_END_EVENT) {
        *out = ARENA_NEW(l->a, conf_node_t);
        if (!*out)
            return RC_MEMORY;
        (*out)->kind = CONF_MAP;
        return RC_OK;
    }
    TRY(next(l));
    TRY(read_node(l, out));
    TRY(next(l)); /* document end */
    TRY(next(l));
    if (l->event.type != YAML_STREAM_END_EVENT)
        return refuse(l, "one document only", l->event.start_mark.line);
    if ((*out)->kind == CONF_SCALAR && (*out)->value.n == 0)
        (*out)->kind = CONF_MAP; /* "---" alone, as good as an empty file */
    if ((*out)->kind != CONF_MAP)
        return refuse(l, "settings are written as 'key: value'", 0);
    return RC_OK;
}

rc_t conf_yaml_parse(arena_t *a, str_t text, conf_node_t **out, str_t *why)
{
    *out = NULL;
    if (text.n > LIMIT_CONF_FILE_BYTES) {
        *why = STR("the settings file is too large");
        return RC_CONFIG;
    }
    loader_t l = {.a = a, .why = why};
    if (!yaml_parser_initialize(&l.parser))
        return RC_MEMORY;
    yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    rc_t rc = read_document(&l, out);
    if (l.have_event)
        yaml_event_delete(&l.event);
    yaml_parser_delete(&l.parser);
    return rc;
}
