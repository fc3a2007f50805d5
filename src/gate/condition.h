/* Conditions of a rule on who asks and with what. Pure; nothing is allocated. */
#ifndef GATE_CONDITION_H
#define GATE_CONDITION_H

#include "conf/conf.h"
#include "gate/principal.h"

typedef enum {
#define GATE_REASON(name, text, sentence) GATE_REASON_##name,
#include "gate/reasons.def"
#undef GATE_REASON
    GATE_REASON_COUNT
} gate_reason_t;

/** The name for the audit; static. */
str_t gate_reason_name(gate_reason_t r);

/** What the caller lacks of groups, roles, issuers, clients, subjects and claims, or FITS. Claims
 *  are texts, lists of texts, or lists of objects with `value` (RFC 9068 section 2.2.3.1, RFC 7643
 *  section 4.1.2); a claim that is no member of the token is looked for as a path. */
gate_reason_t gate_who_lacks(const conf_policy_t *policy, const conf_gate_rule_t *rule,
                             const gate_principal_t *who);
/** Whether any rule asks for a claim: else they need not be read. */
bool gate_asks_claims(const conf_policy_t *policy);
/** Whether all conditions on arguments hold: of a rule that allows, only what surely fits; of one
 *  that denies, also what cannot be judged. `arguments` NULL: there are none. */
bool gate_arguments_fit(const conf_gate_rule_t *rule, const json_t *arguments);

#endif
