/* The rules for workloads of a trusted issuer. */
#ifndef CONF_CONF_RULE_H
#define CONF_CONF_RULE_H

#include "conf/conf.h"

struct conf_node;
/** Reads the node `rules` into the issuer. RC_CONFIG: *why is one sentence with the line. */
rc_t conf_read_rules(arena_t *a, const struct conf_node *node, conf_issuer_t *issuer,
                     str_t *why) MUST_USE;

#endif
