/* The resources of the settings file. */
#ifndef CONF_CONF_RESOURCE_H
#define CONF_CONF_RESOURCE_H

#include "conf/conf.h"

struct conf_node;
/** Reads and checks the node `resources` (NULL: none) into conf. RC_CONFIG: *why is one sentence
 *  with the line. Identifiers and aliases come out canonical. */
rc_t conf_read_resources(arena_t *a, const struct conf_node *node, conf_t *conf,
                         str_t *why) MUST_USE;

#endif
