/* The policy of one upstream: one table of rules that decides on calls, shapes lists and
 * challenges, and names the scopes of the metadata. Pure: facts in, decision out. */
#ifndef GATE_POLICY_H
#define GATE_POLICY_H

#include "conf/conf.h"
#include "gate/principal.h"
#include "mcp/list.h"

enum {
    GATE_NAME_BYTES = 4096,      /* of a tool, prompt or URI; longer ones are denied */
    GATE_SCOPE_NAME_BYTES = 128, /* of a name that fills {name} */
    GATE_LISTEN_MAX = 256,       /* resources of one subscriptions/listen */
};

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
    str_t rule;        /* that decided; "default" where none fits, "protocol" where none has to.
                        * Static or of the policy */
    str_t reason;      /* a row of gate/reasons.def, for the audit; static */
    str_t scopes;      /* all that the operation needs, space-separated, in `a` or of the policy;
                        * "": none. Also of step-up, so that one challenge can ask for both */
    str_t acr_values;  /* of step-up; may be unset */
    int64_t max_age_s; /* of step-up; 0: none */
    gate_toll_t tolls[GATE_TOLLS_MAX]; /* of GATE_ALLOW */
    size_t n_tolls;
} gate_decision_t;

typedef struct {
    const mcp_operation_t *request;
    const gate_principal_t *who;
    size_t body_bytes;
    int64_t now_s;
    int64_t skew_s; /* by which clocks may differ, for the age of a sign-in */
} gate_question_t;

/** Decides one message. Every message is decided, also notifications and responses; what the
 *  protocol itself needs (initialize, ping, notifications, server/discover, list requests,
 *  logging/setLevel, responses) is allowed to every caller unless a rule names its method.
 *
 *  Refusals come in the order of what could cure them: what no scope and no sign-in cures (rule,
 *  conditions, size) first, so that nobody steps up for nothing; then the sign-in, whose challenge
 *  also names the scopes; then the scopes, all of them (MCP 2025-11-25 and 2026-07-28,
 *  Authorization, "Scope Challenge Handling"; RFC 9470 section 3). RC_MEMORY through *rc, the
 *  decision is then GATE_DENY. Without `{name}` in its scopes nothing is allocated. */
gate_decision_t gate_policy_decide(arena_t *a, const gate_policy_t *p, const gate_question_t *q,
                                   rc_t *rc);
/** Whether the caller may use what an entry of a list names, arguments, rates, sizes and the age of
 *  the sign-in aside: what is shown can be called, if need be after a fresh sign-in. A template is
 *  shown where some URI of it may fit. False without memory. */
bool gate_policy_shows(arena_t *a, const gate_policy_t *p, const gate_principal_t *who,
                       const mcp_item_t *item);
/** All scopes that any rule and the default name, each once: what consent can grant. `{name}` is
 *  `*` here. */
str_list_t gate_policy_scopes(const gate_policy_t *p);
/** What a first request needs, for the 401: the scopes marked `initial`, each once, or none. */
str_list_t gate_policy_initial_scopes(const gate_policy_t *p);

/** What a decision of a shadow policy says in an audit event: "allow", or reason and rule. Unset
 *  without memory. */
str_t gate_policy_shadow_text(arena_t *a, const gate_decision_t *d);
/** The sentence of a row of gate/reasons.def; "" for other texts. Static. */
str_t gate_reason_sentence(str_t reason);

/** What one rule did with a question. */
typedef struct {
    str_t rule; /* of the policy; the last one is the one that decided, or "default", "protocol" */
    bool asked; /* it names the message */
    str_t reason; /* why it let the message go on, or decided so; unset when it was not asked */
} gate_step_t;
/** The way to the decision of gate_policy_decide, rule by rule, in `a`. For listening to several
 *  resources: the way of the one that was decisive. RC_MEMORY. */
rc_t gate_policy_explain(arena_t *a, const gate_policy_t *p, const gate_question_t *q,
                         gate_decision_t *out, const gate_step_t **steps, size_t *n) MUST_USE;

#endif
