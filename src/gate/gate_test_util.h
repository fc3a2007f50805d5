/* What the tests of gate share: a policy from its text, a caller, and questions in a line. */
#ifndef GATE_GATE_TEST_UTIL_H
#define GATE_GATE_TEST_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gate/policy.h"

typedef struct {
    arena_t *a;
    gate_policy_t *policy;
    gate_principal_t who;
    size_t body_bytes;
    int64_t now_s;
} gate_test_t;

int test_gate_setup(void **state);
int test_gate_teardown(void **state);
/** Makes the policy ready whose members (YAML, flow style) these are. */
void test_policy(gate_test_t *t, const char *members);
/** The same with rules only. */
void test_rules(gate_test_t *t, const char *rules);
/** The caller's claims, as JSON. */
void test_claims(gate_test_t *t, const char *json);
/** A message on one object; params as the method has them; arguments JSON or NULL. */
mcp_operation_t test_message(gate_test_t *t, const char *method, const char *name,
                             const char *arguments);
gate_decision_t test_ask(gate_test_t *t, const mcp_operation_t *m);
/** "allow RULE REASON [SCOPES]" of a decision. */
const char *test_text(gate_test_t *t, const gate_decision_t *d);
/** What tools/call of `tool` gets, as such a text. */
const char *test_call(gate_test_t *t, const char *tool, const char *arguments);
const char *test_method(gate_test_t *t, const char *method, const char *name);
bool test_shows(gate_test_t *t, mcp_list_kind_t kind, const char *name);

#define GATE_TEST(fn) cmocka_unit_test_setup_teardown(fn, test_gate_setup, test_gate_teardown)
#define ROWS(table)   (sizeof(table) / sizeof((table)[0]))
#define assert_str(left, right)                                                                    \
    do {                                                                                           \
        str_t left_ = (left), right_ = (right);                                                    \
        if (!str_eq(left_, right_))                                                                \
            fail_msg("'%" PRIstr "' is not '%" PRIstr "'", STR_ARG(left_), STR_ARG(right_));       \
    } while (0)

#endif
