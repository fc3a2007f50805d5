/* One rule's word on one message. Pure. */
#ifndef GATE_JUDGE_H
#define GATE_JUDGE_H

#include "gate/condition.h"
#include "gate/index.h"
#include "gate/policy.h"

/** What a rule needs, as one text, and whether the name has to be filled in. */
typedef struct {
    str_t scopes; /* "": none */
    str_t acr_values;
    bool has_name;
} gate_needs_t;

struct gate_policy {
    const conf_policy_t *conf;
    gate_index_t index;
    const gate_needs_t *needs; /* of each rule; behind them of the default */
    str_list_t scopes, initial;
};

/** A question on one name. */
typedef struct {
    gate_key_t key;
    const gate_question_t *q;
    const json_t *arguments;
    bool loose;    /* arguments are not known: what may be */
    bool listing;  /* nor are size and sign-in of the call that may follow */
    bool template; /* the name is a URI template */
    str_t glob;    /* of a template: as a pattern */
} gate_case_t;

/** Whether the rule decides, and how; else it lets the message go on, and out->reason says why.
 *  GATE_NO_RULE is the default. RC_MEMORY through *rc. */
bool gate_judge(arena_t *a, const gate_policy_t *p, unsigned rule, const gate_case_t *c,
                gate_decision_t *out, rc_t *rc);
/** A refusal that no rule makes. */
gate_decision_t gate_refusal(gate_reason_t reason);
/** The whole way of a case through the rules. */
gate_decision_t gate_walk(arena_t *a, const gate_policy_t *p, const gate_case_t *c, rc_t *rc);
/** The first rule from `from` on that names the case, or GATE_NO_RULE. A zeroed cursor is a new
 *  one's place. */
unsigned gate_next_rule(const gate_policy_t *p, const gate_case_t *c, gate_cursor_t *cursor,
                        unsigned from);
/** Whether the rule's word on a case holds for all that the case stands for. */
bool gate_is_certain(const gate_policy_t *p, unsigned rule, const gate_case_t *c);
/** Readies the case of a message's object; `name` is that of the operation, or one of those that it
 *  listens to. RC_MEMORY. */
rc_t gate_case_new(arena_t *a, const gate_question_t *q, str_t name, gate_case_t *out) MUST_USE;
/** Makes it a case of a URI template, which stands for all URIs that it may expand to. RC_MEMORY.
 */
rc_t gate_case_template(arena_t *a, gate_case_t *c) MUST_USE;
/** What is wrong with a message whatever the rules say, or FITS. */
gate_reason_t gate_case_lacks(const mcp_operation_t *m);
/** Whether the protocol itself needs the message. */
bool gate_is_protocol(const mcp_operation_t *m);

#endif
