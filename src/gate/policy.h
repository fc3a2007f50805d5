/* The policy of one upstream: one table of rules that decides on calls, shapes lists and
 * challenges, and names the scopes of the metadata. Pure: facts in, decision out. */
#ifndef GATE_POLICY_H
#define GATE_POLICY_H

#include "conf/conf.h"
#include "gate/principal.h"
#include "mcp/list.h"

/** A policy made ready; read-only, any thread. Lives in the arena it was made in. */
typedef struct gate_policy gate_policy_t;

/** Makes it ready; `conf` is borrowed. The settings were checked (conf_policy.h). RC_MEMORY. */
rc_t gate_policy_new(arena_t *a, const conf_policy_t *conf, gate_policy_t **out) MUST_USE;

typedef enum {
    GATE_ALLOW,
    GATE_SCOPE,   /* 403 insufficient_scope with `scopes` */
    GATE_STEP_UP, /* 401 insufficient_user_authentication with `acr_values`, `max_age_s` */
    GATE_DENY,    /* 403 that no scope cures: a rule, a group, a claim, an argument, or no rule */
    GATE_SIZE,    /* 413: the body is longer than the rule allows */
} gate_outcome_t;

/** A rate that this call counts towards; the shell counts. */
typedef struct {
    const conf_rate_t *rate;
    str_t rule; /* with `rate`, what the bucket is of */
} gate_toll_t;

enum { GATE_TOLLS_MAX = 8 };

typedef struct {
    gate_outcome_t outcome;
    str_t rule;        /* that decided; "default" where none fits. Static or of the policy */
    str_t reason;      /* a row of gate/reasons.def, for the audit */
    str_t scopes;      /* all that the operation needs, space-separated, in `a`; "" : none */
    str_t acr_values;  /* of step-up; may be unset */
    int64_t max_age_s; /* of step-up; 0: none */
    gate_toll_t tolls[GATE_TOLLS_MAX];
    size_t n_tolls;
} gate_decision_t;

typedef struct {
    const mcp_operation_t *request;
    const gate_principal_t *who;
    size_t body_bytes;
    int64_t now_s;
} gate_question_t;

/** Decides one message. Every message is decided, also notifications and responses; what the
 *  protocol itself needs (initialize, ping, notifications, server/discover, list requests) is
 *  allowed to every caller unless a rule says otherwise. RC_MEMORY through *rc, the decision is
 * then GATE_DENY. */
gate_decision_t gate_policy_decide(arena_t *a, const gate_policy_t *p, const gate_question_t *q,
                                   rc_t *rc);
/** Whether the caller may use what an entry of a list names, arguments and rates aside. */
bool gate_policy_shows(arena_t *a, const gate_policy_t *p, const gate_principal_t *who,
                       const mcp_item_t *item);
/** All scopes that any rule names: scopes_supported, and what consent can grant. */
str_list_t gate_policy_scopes(const gate_policy_t *p);
/** What a first request needs, for the 401: the scopes of rules marked `initial`, or none. */
str_list_t gate_policy_initial_scopes(const gate_policy_t *p);

#endif
