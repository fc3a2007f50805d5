/* The policies of the settings file: the node `policies:` read and checked, so that whoever decides
 * by them has nothing left to refuse. docs/POLICY.md says what they mean. */
#ifndef CONF_CONF_POLICY_H
#define CONF_CONF_POLICY_H

#include "conf/conf.h"
#include "conf/conf_yaml.h"

enum {
    CONF_POLICIES_MAX = 64,
    CONF_RULES_MAX = 1000,
    CONF_RATES_MAX = 4,       /* of one rule */
    CONF_CONDITIONS_MAX = 16, /* likewise */
};

/** Reads the list of policies; `node` NULL: the file has none. */
rc_t conf_read_policies(arena_t *a, const conf_node_t *node, conf_t *conf, str_t *why) MUST_USE;
/** The ready one, of upstreams that name none: everything needs the scope mcp:use. Static; its name
 *  is "ready". */
const conf_policy_t *conf_policy_ready(void);
/** The policy of that name, also the ready one; NULL: there is none. */
const conf_policy_t *conf_policy_find(const conf_t *conf, str_t name);

/** Whether a scope of a policy has the segment `{name}`. */
bool conf_scope_has_name(str_t scope);
/** Whether a rule has conditions on who asks or with what, scopes aside. */
bool conf_rule_is_conditional(const conf_gate_rule_t *rule);
/** Whether a rule names nothing, and so everything. */
bool conf_rule_is_broad(const conf_gate_rule_t *rule);

#endif
