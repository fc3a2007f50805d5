#include "cmd/admin_test_play.h"

#include "cmd/command.h"

/* The last of `n` entries in all. */
static revoked_t last_of(admin_play_t *p, size_t n)
{
    ask_t list = {.kind = ASK_REVOCATIONS};
    admin_play_store(p);
    admin_play_ask(p, &list);
    assert_int_equal(list.count, n);
    return list.u.revoked[n - 1];
}

static revoked_t only_entry(admin_play_t *p)
{
    return last_of(p, 1);
}

static void is(revoked_t r, revoked_kind_t kind, str_t key)
{
    assert_int_equal(r.kind, kind);
    assert_true(str_eq(r.key, key));
    assert_int_equal(r.expires_at - r.at, MODEL_ACCESS_TOKEN_MAX_S + 120);
}

static void a_person(void **state)
{
    admin_play_t *p = *state;
    admin_play_user(p, "alice");
    size_t lines = admin_play_trail_lines(p);
    admin_play_run(p, "admin revoke --user Alice");
    assert_int_equal(admin_play_trail_lines(p), lines + 1);
    revoked_t r = only_entry(p);
    ask_t user = {.kind = ASK_USER_BY_NAME, .key = STR("alice")};
    admin_play_ask(p, &user);
    is(r, REVOKED_SUBJECT, user.u.user->id);
    assert_non_null(strstr(admin_play_trail(p), "\"revoked_by_admin\""));
}

static void a_client(void **state)
{
    /* The one before is of the tokens whose subject the client is: a machine's. */
    admin_play_run(*state, "admin revoke --client https://app.test/client.json");
    is(last_of(*state, 2), REVOKED_CLIENT, STR("https://app.test/client.json"));
}

static void a_token(void **state)
{
    admin_play_run(*state, "admin revoke --token f.j");
    is(only_entry(*state), REVOKED_TOKEN, STR("f.j"));
}

static void everything(void **state)
{
    admin_play_run(*state, "admin revoke --all");
    is(only_entry(*state), REVOKED_ALL, STR(""));
}

static void what_cannot_be_is_refused(void **state)
{
    admin_play_t *p = *state;
    admin_play_refused(p, "admin revoke", EXIT_USAGE, "--user NAME");
    admin_play_refused(p, "admin revoke --all --user alice", EXIT_USAGE, "one of");
    admin_play_refused(p, "admin revoke --token=", EXIT_USAGE, "one of");
    admin_play_refused(p, "admin revoke --user nobody", EXIT_REFUSED, "no user");
    admin_play_refused(p, "admin revoke --user a~b", EXIT_REFUSED, "no user");
    assert_int_equal(admin_play_trail_lines(p), 0);
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_person),
        PLAY_TEST(a_client),
        PLAY_TEST(a_token),
        PLAY_TEST(everything),
        PLAY_TEST(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
