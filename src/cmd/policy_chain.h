/* All rules of a policy that name one thing, for commands that speak of policies and not of calls.
 */
#ifndef CMD_POLICY_CHAIN_H
#define CMD_POLICY_CHAIN_H

#include "cmd/policy.h"
#include "gate/index.h"

/** Rules in their order, up to the first that lets nobody go on; `open`: the default is asked, too.
 */
typedef struct {
    const conf_gate_rule_t **rules;
    size_t n;
    bool open;
} policy_chain_t;

/** What rules can name; a pattern is taken as a name. */
typedef struct {
    gate_kind_t kind;
    str_t name;
} policy_thing_t;

/** "tool", "resource", "prompt", "method"; static. */
str_t policy_kind_word(gate_kind_t kind);
/** In the arena. RC_MEMORY. */
rc_t policy_chain_new(arena_t *a, const conf_policy_t *policy, const policy_thing_t *thing,
                      policy_chain_t *out) MUST_USE;
/** One line a rule, with two spaces before it. */
void policy_put_chain(buf_t *b, const conf_policy_t *policy, const policy_chain_t *chain);

#endif
