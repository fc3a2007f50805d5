/* A check under way. Within the files of schema.h. */
#ifndef MCP_SCHEMA_CHECK_H
#define MCP_SCHEMA_CHECK_H

#include "mcp/schema_node.h"

enum { SCHEMA_UNMARKED = -1 };

struct schema_checker {
    arena_t *a;
    uint64_t steps; /* left */
    unsigned quiet; /* above 0: faults are wanted as a verdict only */
    /* Sets of children that some rule has looked at, one behind the other, one bit a child. */
    uint64_t *marks;
    size_t marks_n, marks_cap; /* words */
    mcp_schema_fault_t *fault;
    unsigned fault_place; /* how deep in the value the last fault was */
    bool fault_of_kind;   /* it was type, enum or const: the value was meant for another branch */
};

/** A node at a value. The chain of frames is the dynamic scope, and the way into the value. */
struct schema_frame {
    const schema_frame_t *up;
    const schema_node_t *node;
    const json_t *value;
    const schema_rule_t *rule; /* looked at now */
    int64_t marks;             /* first word of the set of its children, or SCHEMA_UNMARKED */
    unsigned depth;            /* of frames */
    unsigned place;            /* of the value in the whole */
};

/** Takes n steps. RC_LIMIT: there are no more. */
rc_t schema_spend(schema_checker_t *c, uint64_t n) MUST_USE;
/** Whether `value` (the frame's, or one in it) fits `node`. What the node marks is marked in the
 * frame when it fits and the value is the frame's. */
rc_t schema_apply(schema_checker_t *c, schema_frame_t *f, const schema_node_t *node,
                  const json_t *value, bool *fits) MUST_USE;
/** The same for who will not hand on the fault. */
rc_t schema_try(schema_checker_t *c, schema_frame_t *f, const schema_node_t *node,
                const json_t *value, bool *fits) MUST_USE;
/** The frame's child of that index was looked at. */
void schema_mark(schema_checker_t *c, const schema_frame_t *f, size_t child);
bool schema_marked(const schema_checker_t *c, const schema_frame_t *f, size_t child);

/* Deep equality (2020-12 core, section 4.2.2): numbers by value, members in any order. */
rc_t schema_equal(schema_checker_t *c, const json_t *x, const json_t *y, bool *equal) MUST_USE;
/** Whether all elements of a list differ; *twice is one that does not. */
rc_t schema_unique(schema_checker_t *c, const json_t *list, const json_t **twice) MUST_USE;

/** Notes the frame's fault: *fits is false. `fmt` says what its value must be; NULL has words of
 * the rule's own. RC_OK unless memory fails. */
rc_t schema_fault(schema_checker_t *c, const schema_frame_t *f, bool *fits, const char *fmt, ...)
    __attribute__((format(printf, 4, 5))) MUST_USE;
/** The same for a member that is not there. */
rc_t schema_fault_missing(schema_checker_t *c, const schema_frame_t *f, bool *fits, str_t name,
                          str_t because) MUST_USE;
/** The same for a value that is none of the list's. */
rc_t schema_fault_choice(schema_checker_t *c, const schema_frame_t *f, bool *fits) MUST_USE;
/** The same for the schema `false`. */
rc_t schema_fault_refused(schema_checker_t *c, const schema_frame_t *f, bool *fits) MUST_USE;

/* The checks of schema_keywords.def (schema_check_fn). */
rc_t schema_check_all(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_dynamic_ref(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_type(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_enum(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_const(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_minimum(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_maximum(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_multiple(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_length(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_format(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_pattern(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_required(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_dependent(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_names(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_properties(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_patterns(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_additional(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_prefix(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_items(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_items_07(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_additional_items(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_contains(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_unique(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_any(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_one(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_not(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_if(schema_checker_t *c, schema_frame_t *f, bool *fits);
rc_t schema_check_unevaluated(schema_checker_t *c, schema_frame_t *f, bool *fits);

#endif
