/* Which rules of a policy name a message, in their order: exact names by binary search, patterns
 * one after the other. Pure. */
#ifndef GATE_INDEX_H
#define GATE_INDEX_H

#include "conf/conf.h"

/** A name or pattern, and the rule that it stands in. */
typedef struct {
    str_t name;
    str_t prefix; /* what stands before the first `*` or `?` */
    unsigned rule;
} gate_entry_t;

typedef struct {
    const gate_entry_t *exact; /* by name, then rule */
    size_t n_exact;
    const gate_entry_t *patterns; /* by rule */
    size_t n_patterns;
} gate_table_t;

typedef enum { GATE_TOOLS, GATE_RESOURCES, GATE_PROMPTS, GATE_METHODS, GATE_TABLES } gate_kind_t;

typedef struct {
    gate_table_t tables[GATE_TABLES];
    const unsigned *broad; /* rules that name nothing, and so everything */
    size_t n_broad;
} gate_index_t;

enum { GATE_NO_RULE = -1u };

/** Made in `a`; borrows the policy. RC_MEMORY. */
rc_t gate_index_new(arena_t *a, const conf_policy_t *conf, gate_index_t *out) MUST_USE;
/** The names of one kind in a rule. */
str_list_t gate_rule_names(const conf_gate_rule_t *rule, gate_kind_t kind);

/** One table's way through the rules. */
typedef struct {
    str_t name;
    const gate_entry_t *exact, *exact_end;
    const gate_entry_t *pattern, *pattern_end;
    unsigned hit; /* rule of the last pattern that fitted */
} gate_lane_t;

/** All rules that name a message, ascending. */
typedef struct {
    gate_lane_t lanes[2]; /* of the object, of the method */
    size_t n_lanes;
    const unsigned *broad, *broad_end;
} gate_cursor_t;

/** What a message is known by. */
typedef struct {
    gate_kind_t kind; /* GATE_METHODS: nothing narrower */
    str_t name;       /* of the object */
    str_t method;     /* unset: of a list's entry, which has the method of its kind */
    bool protocol;    /* only rules that name its method are asked */
} gate_key_t;

gate_cursor_t gate_cursor(const gate_index_t *index, const gate_key_t *key);
/** The first rule from `from` on, or GATE_NO_RULE. `from` never goes back. */
unsigned gate_cursor_next(gate_cursor_t *c, unsigned from);

#endif
