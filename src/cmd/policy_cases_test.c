#include "cmd/policy_test_play.h"

#include <stdio.h>

static void put(admin_play_t *p, const char *text)
{
    test_file(p->folder, "cases.yaml", text);
}

static void run(admin_play_t *p, int code)
{
    char words[256];
    snprintf(words, sizeof words, "test %s/cases.yaml", p->folder);
    policy_play(p, words, code);
}

static void refused(admin_play_t *p, const char *text, int code, const char *says)
{
    char words[256];
    put(p, text);
    snprintf(words, sizeof words, "test %s/cases.yaml", p->folder);
    policy_play_refused(p, words, code, says);
}

static void cases_that_hold(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    put(p, "cases:\n"
           "  - {name: reads, tool: weather, scopes: ['news:read'], expect: allow, rule: read}\n"
           "  - name: trades\n"
           "    tool: place_order\n"
           "    subject: alice\n"
           "    client: inspector\n"
           "    groups: [traders]\n"
           "    arguments: '{\"amount\": 10}'\n"
           "    signed_in: 5\n"
           "    expect: scope\n"
           "    needs: orders:write\n"
           "  - {name: too much, tool: place_order, claims: '{\"groups\":\"traders\"}', arguments: "
           "'{\"amount\": 1e6}', expect: deny, reason: wrong_argument}\n"
           "  - {name: anybody, method: ping, expect: allow, rule: protocol}\n");
    run(p, EXIT_DONE);
    assert_string_equal(p->ran.out, "4 cases, 0 failed\n");
}

static void cases_that_fail_are_named(void **state)
{
    admin_play_t *p = *state;
    char words[256];
    policy_play_file(p);
    put(p, "cases:\n"
           "  - {name: good, tool: weather, expect: scope}\n"
           "  - {name: bad, tool: weather, expect: allow}\n"
           "  - {name: other rule, tool: weather, expect: scope, rule: trade}\n");
    snprintf(words, sizeof words, "policy test %s/cases.yaml --config %s/warder.yaml", p->folder,
             p->folder);
    test_command(words, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_REFUSED);
    assert_string_equal(
        p->ran.out,
        "line 3, bad: expected allow, got scope by read (scope_missing), needs news:read\n"
        "line 4, other rule: expected scope, got scope by read (scope_missing), needs news:read\n"
        "3 cases, 2 failed\n");
}

static void files_that_are_no_cases(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    refused(p, "", EXIT_USAGE, "line 1: the file holds cases: a list of maps");
    refused(p, "case: []", EXIT_USAGE, "the file holds cases");
    refused(p, "cases: [x]", EXIT_USAGE, "each case is a map");
    refused(p, "cases: [{expect: allow, tool: a}]", EXIT_USAGE, "a case needs a name");
    refused(p, "cases: [{name: a, tool: a}]", EXIT_USAGE, "expect is allow, scope, step-up");
    refused(p, "cases: [{name: a, expect: allow}]", EXIT_USAGE, "name one of tool");
    refused(p, "cases: [{name: a, tol: b, expect: allow}]", EXIT_USAGE, "there is no such member");
    refused(p, "cases: [{name: a, tool: b, scopes: c, expect: allow}]", EXIT_USAGE,
            "scopes, groups and roles are lists");
    refused(p, "cases: [{name: a, tool: b, arguments: {c: d}, expect: allow}]", EXIT_USAGE,
            "arguments and claims are JSON in quotes");
    refused(p, "cases: [{name: a, tool: b, bytes: x, expect: allow}]", EXIT_USAGE,
            "here belongs a whole number");
    refused(p, "cases: [", EXIT_USAGE, "cases.yaml line ");
    assert_null(strstr(p->ran.err, "settings file"));
    policy_play_refused(p, "test", EXIT_USAGE, "name one file of cases");
    policy_play_refused(p, "test /none.yaml", EXIT_FAILED, "cannot be read");
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(cases_that_hold),
        PLAY_TEST(cases_that_fail_are_named),
        PLAY_TEST(files_that_are_no_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
