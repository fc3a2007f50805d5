#include "cmd/policy_test_play.h"

#include <stdio.h>

#define ALLOW         "\"decision\":\"allow\",\"rule\":\"x\","
#define PROTOCOL      "\"decision\":\"allow\",\"rule\":\"protocol\",\"upstream\":\"/mcp\","
#define LINE(members) "{\"seq\":1,\"event\":\"call.begin\"," members "}\n"
#define TOOL(decision, rule, tool)                                                                 \
    LINE("\"decision\":\"" decision                                                                \
         "\",\"user\":\"alice\",\"client\":\"c\",\"scope\":\"news:read\","                         \
         "\"tool\":\"" tool "\",\"upstream\":\"/mcp\",\"method\":\"tools/call\",\"rule\":\"" rule  \
         "\",\"reason\":\"default_denies\"")

static void past_messages_are_judged_anew(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    test_file(
        p->folder, "audit.log",
        TOOL("allow", "read", "weather") TOOL("deny", "default", "get_price")
            TOOL("allow", "all", "other") TOOL("allow", "all", "other")
                TOOL("allow", "trade", "place_order") LINE(PROTOCOL "\"method\":\"ping\"")
                    LINE(PROTOCOL "\"method\":\"notifications/cancelled\"")
                        LINE(PROTOCOL "\"method\":\"GET\"") LINE(PROTOCOL "\"method\":\"DELETE\"")
                            LINE(PROTOCOL "\"method\":\"subscriptions/listen\"") LINE(
                                "\"decision\":\"allow\",\"upstream\":\"/mcp\",\"method\":"
                                "\"GET\"")
                                LINE("\"decision\":\"deny\",\"upstream\":\"/mcp\",\"rule\":"
                                     "\"read\",\"reason\":\"rate\"") "{\"event\":\"call.end\","
                                                                     "\"decision\":\"allow\"}\nno "
                                                                     "json\n");
    policy_play_prints(
        p, "replay --policy finance",
        "     1  tools/call get_price: was deny by default, would be allow by read (rule_allows)\n"
        "     2  tools/call other: was allow by all, would be deny by default (default_denies)\n"
        "12 messages: 5 decided alike, 2 would be refused, 1 would be allowed, 2 could not be "
        "judged, 2 were decided without a policy\n"
        "the trail holds no groups, roles, claims and sign-in times, and arguments only where "
        "audit_arguments is on\n");
    policy_play(p, "replay --policy finance --path /other", EXIT_DONE);
    assert_non_null(strstr(p->ran.out, "0 messages"));
}

static void a_policy_of_another_file(void **state)
{
    admin_play_t *p = *state;
    char words[256];
    policy_play_file(p);
    test_file(p->folder, "audit.log", TOOL("allow", "read", "weather"));
    test_file(p->folder, "one.yaml",
              "policies: [{name: x, rules: [{name: b, tools: [weather], subjects: [bob]}]}]");
    snprintf(words, sizeof words, "replay --policy %s/one.yaml %s/audit.log", p->folder, p->folder);
    policy_play(p, words, EXIT_DONE);
    assert_non_null(strstr(p->ran.out, "would be deny by b (wrong_subject)"));
}

static void arguments_of_the_trail(void **state)
{
    admin_play_t *p = *state;
    char words[256];
    policy_play_file(p);
    test_file(p->folder, "audit.log",
              LINE(ALLOW "\"tool\":\"t\",\"method\":\"tools/call\",\"arguments\":{\"a\":5}")
                  LINE(ALLOW "\"tool\":\"t\",\"method\":\"tools/call\"")
                      LINE(ALLOW "\"object\":\"p\",\"method\":\"prompts/get\"")
                          LINE("\"decision\":\"deny\",\"rule\":\"x\",\"reason\":\"rule_denies\","
                               "\"object\":\"r\",\"method\":\"resources/read\"")
                              LINE(ALLOW "\"object\":\"s\",\"method\":\"resources/read\""));
    test_file(p->folder, "one.yaml",
              "policies: [{name: x, rules: [{name: a, tools: [t], arguments: [{path: a, max: 4}]}, "
              "{name: b, prompts: [p]}, {name: c, resources: [r]}, {name: d, resources: [s], "
              "scopes: [y]}]}]");
    snprintf(words, sizeof words, "replay --policy %s/one.yaml", p->folder);
    policy_play(p, words, EXIT_DONE);
    assert_non_null(strstr(p->ran.out,
                           "5 messages: 1 decided alike, 1 would be refused, 1 would be "
                           "allowed, 2 could not be judged"));
}

static void what_is_wrong_is_said(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    policy_play_refused(p, "replay", EXIT_USAGE, "say which policy");
    policy_play_refused(p, "replay --policy /none.yaml", EXIT_SETTING, "cannot be read");
    policy_play_refused(p, "replay --policy finance /none.log", EXIT_FAILED, "cannot be read");
    char words[256];
    snprintf(words, sizeof words, "replay --policy %s/warder.yaml", p->folder);
    policy_play_refused(p, words, EXIT_USAGE, "must hold one policy, and has 2");
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(past_messages_are_judged_anew),
        PLAY_TEST(a_policy_of_another_file),
        PLAY_TEST(arguments_of_the_trail),
        PLAY_TEST(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
