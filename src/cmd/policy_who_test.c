#include "cmd/policy_test_play.h"

static void what_it_takes(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    policy_play_prints(
        p, "who-can --tool place_order",
        "tool place_order of policy finance:\n"
        "  trade: scopes orders:write; one of the groups traders; argument amount at "
        "most 10000; signed in at most 300 seconds ago; at most 10 calls in 60 seconds "
        "of each subject\n");
    policy_play_prints(p, "who-can --path /mcp --tool delete_it",
                       "tool delete_it of policy finance:\n"
                       "  never: denies one of the groups guests\n"
                       "  default: nobody\n");
    policy_play_prints(p, "who-can --policy next --method tasks/get",
                       "method tasks/get of policy next:\n  default: scopes mcp:use\n");
    policy_play_refused(p, "who-can", EXIT_USAGE, "name one of tool, resource");
    policy_play_refused(p, "who-can --users --policy next --tool x", EXIT_USAGE,
                        "--users needs an upstream");
}

static void put_consent(admin_play_t *p, const char *user, const char *scope)
{
    ask_t ask = {.kind = ASK_USER_BY_NAME, .key = str_c(user)};
    effects_t effects = {0};
    admin_play_ask(p, &ask);
    consent_t consent = {.user_id = ask.u.user->id,
                         .client_id = STR("inspector"),
                         .resource = STR("https://mcp.example.com/mcp"),
                         .redirect_uri = STR("http://localhost/"),
                         .scope = str_c(scope)};
    once_result_t done = {0};
    effects_add(&effects, EFFECT_CONSENT_PUT, 1)->u.consent = &consent;
    store_apply(p->conn, &effects, once_done, &done);
    once_wait(&p->once, &done);
    assert_int_equal(done.rc, RC_OK);
}

static void accounts_that_can(void **state)
{
    admin_play_t *p = *state;
    policy_play_file(p);
    admin_play_user(p, "alice");
    admin_play_user(p, "bob");
    admin_play_user(p, "carol");
    admin_play_run(p, "admin user groups alice traders");
    admin_play_run(p, "admin user groups carol traders");
    admin_play_store(p);
    put_consent(p, "alice", "orders:write");
    put_consent(p, "bob", "orders:write");
    put_consent(p, "carol", "news:read");
    policy_play(p, "who-can --tool place_order --users", EXIT_DONE);
    assert_non_null(strstr(p->ran.out, "  alice  by inspector\n"));
    assert_null(strstr(p->ran.out, "bob"));
    assert_null(strstr(p->ran.out, "carol"));
    policy_play(p, "who-can --tool weather --users", EXIT_DONE);
    assert_null(strstr(p->ran.out, "alice"));
    assert_non_null(strstr(p->ran.out, "  carol  by inspector\n"));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(what_it_takes),
        PLAY_TEST(accounts_that_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
