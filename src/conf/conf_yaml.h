/* The settings file as a tree: YAML without anchors, aliases, tags and with bounded depth. */
#ifndef CONF_CONF_YAML_H
#define CONF_CONF_YAML_H

#include "core/arena.h"

typedef enum { CONF_SCALAR, CONF_LIST, CONF_MAP } conf_node_kind_t;

/** A node in the arena. Of a map, children are the values and `key` their names. */
typedef struct conf_node {
    conf_node_kind_t kind;
    str_t key;   /* unset in lists and at the top */
    str_t value; /* of a scalar; empty for an empty or null one */
    unsigned line;
    struct conf_node *child, *next;
} conf_node_t;

/** Parses one document. An empty file is an empty map. RC_CONFIG: *why is one sentence. */
rc_t conf_yaml_parse(arena_t *a, str_t text, conf_node_t **out, str_t *why) MUST_USE;

#endif
