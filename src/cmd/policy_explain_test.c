#include "cmd/policy_test_play.h"

static void the_way_to_a_decision(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    policy_play_prints(
        p, "explain --tool place_order --group traders --arguments {\"amount\":5} --signed-in 10",
        "policy finance, tools/call place_order by somebody\n"
        "  never                 names other things\n"
        "  read                  names other things\n"
        "  trade                 decides: the token lacks a scope that the rule needs\n"
        "scope: 403 insufficient_scope, scope=\"orders:write\": the client may ask for more and "
        "try "
        "again\n"
        "lists do not show it to this caller\n");
    policy_play_prints(
        p, "explain --path /mcp --tool delete_all --subject bob",
        "policy finance, tools/call delete_all by bob\n"
        "  never                 goes on: the caller is in none of the rule's groups\n"
        "  read                  names other things\n"
        "  trade                 names other things\n"
        "  default               decides: no rule names it\n"
        "deny: 403 without a challenge: nothing that the client can ask for helps\n"
        "lists do not show it to this caller\n");
}

typedef struct {
    const char *words, *last;
} row_t;

static void what_the_client_sees(void **state)
{
    admin_play_t *p = *state;
    static const row_t ROWS[] = {
        {"explain --tool weather --scope news:read", "allow: what the server answers\n"},
        {"explain --tool place_order --group traders --arguments {\"amount\":5} --signed-in 10 "
         "--scope news:read~orders:write",
         "allow: what the server answers, or 429 once a rate is used up\n"},
        {"explain --tool place_order --group traders --arguments {\"amount\":5} --signed-in 1000",
         "step-up: 401 insufficient_user_authentication, max_age=300, scope=\"orders:write\": the "
         "client may have the person sign in again\n"},
        {"explain --tool place_order --group traders --arguments {\"amount\":50000}",
         "deny: 403 without a challenge"},
        {"explain --method ping", "allow: what the server answers\n"},
        {"explain --policy next --resource file:///x --scope mcp:use",
         "allow: what the server answers\n"},
        {"explain --policy next --prompt x --claims {\"scope\":\"mcp:use\"}",
         "allow: what the server answers\n"},
        {"explain --tool place_order --claims "
         "{\"groups\":[\"traders\"],\"auth_time\":1,\"scope\":\"orders:write\"} --arguments "
         "{\"amount\":1}",
         "step-up: 401"},
    };
    policy_play_file(p);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        policy_play(p, ROWS[i].words, EXIT_DONE);
        if (!strstr(p->ran.out, ROWS[i].last))
            fail_msg("%s: %s", ROWS[i].words, p->ran.out);
    }
}

static void as_json(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    policy_play_prints(
        p, "explain --tool weather --scope news:read --json",
        "{\"policy\":\"finance\",\"outcome\":\"allow\",\"rule\":\"read\",\"reason\":\"rule_"
        "allows\","
        "\"scope\":\"news:read\",\"listed\":true,\"steps\":[{\"rule\":\"never\",\"asked\":false},"
        "{\"rule\":\"read\",\"asked\":true,\"reason\":\"rule_allows\"}]}\n");
}

static void what_is_wrong_is_said(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    policy_play_refused(p, "explain", EXIT_USAGE, "name one of tool, resource, prompt and method");
    policy_play_refused(p, "explain --tool a --prompt b", EXIT_USAGE, "name one of tool");
    policy_play_refused(p, "explain --tool a --arguments [1]", EXIT_USAGE,
                        "arguments is no JSON object");
    policy_play_refused(p, "explain --tool a --claims x", EXIT_USAGE, "claims is no JSON object");
    policy_play_refused(p, "explain --tool a --signed-in x", EXIT_USAGE,
                        "--signed-in wants seconds");
    policy_play_refused(p, "explain --tool a --policy none", EXIT_REFUSED,
                        "there is no policy 'none' in the settings file");
    policy_play_refused(p, "explain --tool a --path /x", EXIT_REFUSED,
                        "there is no upstream at the path '/x'");
    policy_play_refused(p, "explain word --tool a", EXIT_USAGE, "more words");
    admin_play_refused(p, "policy explain --tool a", EXIT_USAGE, "there is no upstream");
}

/* Without any file the ready policy can be asked. */
static void the_ready_policy(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "policy explain --policy ready --tool a --scope mcp:use");
    assert_non_null(strstr(p->ran.out, "allow: what the server answers"));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(the_way_to_a_decision), PLAY_TEST(what_the_client_sees), PLAY_TEST(as_json),
        PLAY_TEST(what_is_wrong_is_said), PLAY_TEST(the_ready_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
