#include "cmd/admin_test_play.h"

#include "cmd/command.h"

#include <time.h>
#include <unistd.h>

static void user_is_added_and_listed(void **state)
{
    admin_play_t *p = *state;
    admin_play_user(p, "Alice");
    admin_play_run(p, "admin user list");
    assert_true(str_starts(str_c(p->ran.out), STR("u_")));
    assert_non_null(strstr(p->ran.out, "  alice\n"));
    assert_null(strstr(admin_play_trail(p), PASSWORD));
    assert_null(strstr(admin_play_trail(p), "argon2"));
    assert_null(strstr(p->ran.out, "argon2"));
}

static void user_that_exists_is_refused(void **state)
{
    admin_play_t *p = *state;
    admin_play_user(p, "alice");
    admin_play_input(p, "admin user add ALICE --password-stdin", STR(PASSWORD "\n"), EXIT_REFUSED);
    assert_non_null(strstr(p->ran.err, "exists"));
}

static void user_name_that_cannot_be_is_refused(void **state)
{
    admin_play_t *p = *state;
    admin_play_input(p, "admin user add a/b --password-stdin", STR(PASSWORD "\n"), EXIT_REFUSED);
    assert_non_null(strstr(p->ran.err, "letters"));
    admin_play_refused(p, "admin user add --password-stdin", EXIT_USAGE, "who");
}

static void short_password_is_refused(void **state)
{
    admin_play_t *p = *state;
    admin_play_input(p, "admin user add alice --password-stdin", STR("short\n"), EXIT_REFUSED);
    assert_null(strstr(p->ran.err, "short\n"));
}

static void long_password_is_refused(void **state)
{
    admin_play_t *p = *state;
    char line[4096];
    memset(line, 'x', sizeof line);
    admin_play_input(p, "admin user add alice --password-stdin", str_of(line, sizeof line),
                     EXIT_REFUSED);
}

static void password_that_is_missing_is_refused(void **state)
{
    admin_play_t *p = *state;
    admin_play_input(p, "admin user add alice --password-stdin", STR(""), EXIT_USAGE);
    admin_play_input(p, "admin user add alice --password-stdin", STR("\n" PASSWORD "\n"),
                     EXIT_USAGE);
    admin_play_refused(p, "admin user add alice", EXIT_USAGE, "--password-stdin");
}

static void password_changes(void **state)
{
    admin_play_t *p = *state;
    admin_play_user(p, "alice");
    admin_play_store(p);
    ask_t before = {.kind = ASK_USER_BY_NAME, .key = STR("alice")};
    admin_play_ask(p, &before);
    size_t lines = admin_play_trail_lines(p);
    admin_play_input(p, "admin user password alice --password-stdin",
                     STR("another long passphrase\n"), EXIT_DONE);
    assert_int_equal(admin_play_trail_lines(p), lines + 1);
    assert_non_null(strstr(admin_play_trail(p), "password_set_by_admin"));
    ask_t after = {.kind = ASK_USER_BY_NAME, .key = STR("alice")};
    admin_play_ask(p, &after);
    assert_true(str_eq(before.u.user->id, after.u.user->id));
    assert_true(after.u.user->password_changed_at >= before.u.user->password_changed_at);
    admin_play_input(p, "admin user password bob --password-stdin", STR(PASSWORD "\n"),
                     EXIT_REFUSED);
}

/* Runs the command with a password that is typed two seconds after it began. */
enum { TYPING_S = 2 };
static int change_slowly(void *arg)
{
    int ends[2];
    if (pipe(ends) != 0)
        return 96;
    if (fork() == 0) {
        sleep(TYPING_S);
        ssize_t ignored = write(ends[1], PASSWORD "\n", sizeof PASSWORD);
        (void)ignored;
        _exit(0);
    }
    close(ends[1]);
    dup2(ends[0], 0);
    execl("/proc/self/exe", "warder", "--command", "admin", "user", "password", "alice",
          "--password-stdin", "--data", (const char *)arg, (char *)NULL);
    return 97;
}

/* Whoever signs in while the administrator types is out all the same. */
static void what_was_made_while_a_password_was_typed_ends(void **state)
{
    admin_play_t *p = *state;
    admin_play_user(p, "alice");
    admin_play_store(p);
    int64_t began = (int64_t)time(NULL);
    test_child(change_slowly, p->folder, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_DONE);
    ask_t list = {.kind = ASK_REVOCATIONS};
    admin_play_ask(p, &list);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.u.revoked[0].kind, REVOKED_SUBJECT);
    assert_in_range(list.u.revoked[0].at, began + TYPING_S, (int64_t)time(NULL));
}

static void user_is_disabled(void **state)
{
    admin_play_t *p = *state;
    admin_play_user(p, "alice");
    size_t lines = admin_play_trail_lines(p);
    admin_play_run(p, "admin user disable alice");
    assert_int_equal(admin_play_trail_lines(p), lines + 1);
    assert_non_null(strstr(admin_play_trail(p), "disabled_by_admin"));
    admin_play_run(p, "admin user list");
    assert_non_null(strstr(p->ran.out, "alice  disabled\n"));
    admin_play_refused(p, "admin user disable bob", EXIT_REFUSED, "'bob'");
}

static void groups_are_set_shown_and_taken_back(void **state)
{
    admin_play_t *p = *state;
    admin_play_input(p, "admin user add alice --password-stdin --group traders --group heads",
                     STR(PASSWORD "\n"), EXIT_DONE);
    admin_play_run(p, "admin user groups alice");
    assert_string_equal(p->ran.out, "heads\ntraders\n");
    size_t lines = admin_play_trail_lines(p);
    admin_play_run(p, "admin user groups alice a~b a~b c");
    assert_int_equal(admin_play_trail_lines(p), lines + 1);
    assert_non_null(strstr(admin_play_trail(p), "groups_set_by_admin"));
    admin_play_run(p, "admin user list");
    assert_non_null(strstr(p->ran.out, "  alice  in a b, c\n"));
    admin_play_run(p, "admin user groups alice --none");
    admin_play_run(p, "admin user groups alice");
    assert_string_equal(p->ran.out, "");
}

static void groups_that_cannot_be_are_refused(void **state)
{
    admin_play_t *p = *state;
    admin_play_user(p, "alice");
    admin_play_refused(p, "admin user groups alice a\"b", EXIT_REFUSED, "a group is named by");
    admin_play_refused(p, "admin user groups alice a --none", EXIT_USAGE, "--none");
    admin_play_refused(p, "admin user groups bob a", EXIT_REFUSED, "'bob'");
    admin_play_refused(p, "admin user groups", EXIT_USAGE, "say who");
    admin_play_input(p, "admin user add carol --password-stdin --group ~a", STR(PASSWORD "\n"),
                     EXIT_REFUSED);
    admin_play_refused(p, "admin user password alice --group a", EXIT_USAGE, "--group");
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(user_is_added_and_listed),
        PLAY_TEST(user_that_exists_is_refused),
        PLAY_TEST(user_name_that_cannot_be_is_refused),
        PLAY_TEST(short_password_is_refused),
        PLAY_TEST(long_password_is_refused),
        PLAY_TEST(password_that_is_missing_is_refused),
        PLAY_TEST(password_changes),
        PLAY_TEST(what_was_made_while_a_password_was_typed_ends),
        PLAY_TEST(user_is_disabled),
        PLAY_TEST(groups_are_set_shown_and_taken_back),
        PLAY_TEST(groups_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
