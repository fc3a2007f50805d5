/* One rule of a policy, and what its members have in common with those around it. */
#ifndef CONF_CONF_GATE_RULE_H
#define CONF_CONF_GATE_RULE_H

#include "conf/conf_policy.h"

/** Where a member of a map goes, and how it is read. */
typedef struct {
    str_t key;
    rc_t (*read)(arena_t *a, const conf_node_t *node, void *field, str_t *why);
    size_t offset;
} conf_member_t;

/** Reads a map into `into` by its table of n rows; a key that is none of them is refused with the
 *  one that it looks like. */
rc_t conf_read_members(arena_t *a, const conf_node_t *node, const conf_member_t *rows, size_t n,
                       void *into, str_t *why) MUST_USE;
/** "policies, in line N of the settings file: MEND". Returns RC_CONFIG. */
rc_t conf_policy_refuse(arena_t *a, const conf_node_t *node, const char *mend, str_t *why) MUST_USE;
/** The same with "'VALUE' " before the mend. */
rc_t conf_policy_refuse_value(arena_t *a, const conf_node_t *node, str_t value, const char *mend,
                              str_t *why) MUST_USE;

/* Readers of members; `field` is what each names. */
rc_t conf_read_name(arena_t *a, const conf_node_t *node, void *str, str_t *why) MUST_USE;
rc_t conf_read_line(arena_t *a, const conf_node_t *node, void *str, str_t *why) MUST_USE;
rc_t conf_read_flag(arena_t *a, const conf_node_t *node, void *flag, str_t *why) MUST_USE;
rc_t conf_read_words(arena_t *a, const conf_node_t *node, void *str_list, str_t *why) MUST_USE;
rc_t conf_read_patterns(arena_t *a, const conf_node_t *node, void *str_list, str_t *why) MUST_USE;
rc_t conf_read_needs(arena_t *a, const conf_node_t *node, void *str_list, str_t *why) MUST_USE;
/** Of conf_gate_rule_t: `arguments` and `rates`. */
rc_t conf_read_conditions(arena_t *a, const conf_node_t *node, void *rule, str_t *why) MUST_USE;
rc_t conf_read_rates(arena_t *a, const conf_node_t *node, void *rule, str_t *why) MUST_USE;
/** One rule, checked by itself. */
rc_t conf_read_gate_rule(arena_t *a, const conf_node_t *node, conf_gate_rule_t *rule,
                         str_t *why) MUST_USE;

#endif
