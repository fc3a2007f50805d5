/* What the policy commands share: which policy is meant, a question in words of the command line or
 * of a file of cases, and rules in words. */
#ifndef CMD_POLICY_H
#define CMD_POLICY_H

#include "cmd/settings.h"
#include "core/buf.h"
#include "gate/policy.h"

/** A question as people write it; what is unset is left to its default. */
typedef struct {
    str_t tool, resource, prompt, method;
    str_t arguments, claims; /* JSON objects */
    str_list_t scopes, groups, roles;
    str_t subject, client, issuer, acr;
    int64_t signed_in; /* seconds ago; -1: the token does not say */
    int64_t bytes;     /* of the message */
} policy_spec_t;

/** A question that can be asked; everything lives in the arena it was made in. */
typedef struct {
    mcp_operation_t request;
    gate_principal_t who;
    gate_question_t q;
} policy_asked_t;

/** A policy to ask, and whose it is. */
typedef struct {
    const conf_policy_t *conf;
    const conf_upstream_t *upstream; /* NULL: it was named by itself */
    gate_policy_t *ready;
} policy_meant_t;

/** The options that name a policy and a question. */
const option_t *policy_question_options(size_t *n);
enum { POLICY_OPTIONS_MAX = 32 };
/** Reads the question off the options. 0 or an exit code. */
int policy_spec_read(arena_t *a, const option_t *rows, policy_spec_t *out);
/** The policy that --policy or --path names, else that of the only upstream. 0 or an exit code. */
int policy_choose(arena_t *a, const conf_t *conf, str_t name, str_t path, policy_meant_t *out);
/** Makes it askable; `conf` decides where groups and roles stand. False: *why says what is wrong.
 */
bool policy_ask_new(arena_t *a, const conf_policy_t *conf, const policy_spec_t *spec,
                    policy_asked_t *out, str_t *why);
/** Reads a settings file by itself. 0 or an exit code. */
int policy_file_load(arena_t *a, str_t path, const conf_t **out);

/** The word of an outcome: allow, scope, step-up, deny, size; static. */
str_t policy_outcome_word(gate_outcome_t outcome);
/** What the client sees of a decision, in one line. */
void policy_put_answer(buf_t *b, const gate_decision_t *d);
/** What a rule asks for, in words: "scopes a b; one of the groups x". */
void policy_put_rule(buf_t *b, const conf_gate_rule_t *rule);
/** The same of the default. */
void policy_put_default(buf_t *b, const conf_policy_t *policy);
/** The frame of a command: parses options, loads the settings, runs, frees. */
typedef int (*policy_run_t)(arena_t *a, const settings_t *settings, const option_t *rows,
                            str_list_t words);
int policy_command(int argc, char **argv, const option_t *own, size_t n_own, policy_run_t run);

#endif
