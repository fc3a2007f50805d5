#include "cmd/cmd_test_run.h"

#include "cmd/command.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534, FLAGS_MAX = 12 };

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=\n"

typedef struct {
    char folder[64], file[128];
    const char *const *flags; /* end with NULL; "FILE" stands for `file` */
    bool as_nobody;
    ran_t ran;
} play_t;

static int setup(void **state)
{
    static play_t p;
    memset(&p, 0, sizeof p);
    test_folder(p.folder);
    assert_int_equal(chmod(p.folder, 0755), 0);
    unsetenv("WARDER_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
    setenv("XDG_STATE_HOME", p.folder, 1);
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    test_folder_remove(p->folder);
    return 0;
}

static void put(play_t *p, const char *text, mode_t mode)
{
    snprintf(p->file, sizeof p->file, "%s", test_file(p->folder, "secret", text));
    assert_int_equal(chmod(p->file, mode), 0);
}

static int check(void *arg)
{
    play_t *p = arg;
    char words[FLAGS_MAX][160], *argv[FLAGS_MAX + 1] = {0};
    int argc = 0;
    if (p->as_nobody &&
        (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0))
        return 96;
    for (; p->flags[argc]; argc++) {
        bool is_file = strcmp(p->flags[argc], "FILE") == 0;
        snprintf(words[argc], sizeof words[argc], "%s", is_file ? p->file : p->flags[argc]);
        argv[argc] = words[argc];
    }
    return CMD_CONFIG_CHECK.run(argc, argv);
}

static void run(play_t *p, const char *const *flags)
{
    p->flags = flags;
    test_child(check, p, STR_UNSET, &p->ran);
}

#define FLAGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define LOGIN                                                                                      \
    "--login-issuer", "https://op.test", "--login-client-id", "c", "--login-client-secret-file",   \
        "FILE"

static void is_good(play_t *p, const char *const *flags)
{
    run(p, flags);
    if (p->ran.code != EXIT_DONE)
        fail_msg("%d: %s", p->ran.code, p->ran.err);
    assert_string_equal(p->ran.out, "the settings are good\n");
}

static void is_refused(play_t *p, const char *const *flags, const char *says)
{
    run(p, flags);
    assert_int_equal(p->ran.code, EXIT_SETTING);
    assert_one_line(&p->ran);
    if (!strstr(p->ran.err, says))
        fail_msg("'%s' is not in: %s", says, p->ran.err);
}

static void key_file_of_roots_alone_is_read_before_run_as(void **state)
{
    play_t *p = *state;
    if (geteuid() != 0)
        skip();
    put(p, KEY, 0600);
    is_good(p, FLAGS("--key-file", "FILE", "--run-as", "nobody"));
    put(p, "no key\n", 0600);
    is_refused(p, FLAGS("--key-file", "FILE", "--run-as", "nobody"), "holds no key of 32 bytes");
}

/* The layout of a file of root's for the group of the account: a start takes it. */
static void files_are_looked_at_as_the_account_of_run_as(void **state)
{
    play_t *p = *state;
    const char *const *login = FLAGS(LOGIN, "--run-as", "nobody");
    if (geteuid() != 0)
        skip();
    put(p, KEY, 0640);
    assert_int_equal(chown(p->file, 0, NOBODY), 0);
    is_good(p, FLAGS("--key-file", "FILE", "--run-as", "nobody"));
    is_good(p, login);
    assert_int_equal(chmod(p->file, 0600), 0);
    is_refused(p, login, "cannot be read: Permission denied");
}

static void check_as_another_account_is_told_to_run_as_root(void **state)
{
    play_t *p = *state;
    if (geteuid() != 0)
        skip();
    put(p, KEY, 0600);
    p->as_nobody = true;
    is_refused(p, FLAGS("--key-file", "FILE", "--run-as", "nobody"), "run config check as root");
    is_refused(p, FLAGS("--audit-key-file", "FILE", "--run-as", "nobody"),
               "run config check as root");
    is_refused(p, FLAGS("--key-file", "FILE"), "cannot be read: Permission denied");
}

static void check_makes_no_data_folder(void **state)
{
    play_t *p = *state;
    char path[128];
    struct stat st;
    if (geteuid() != 0)
        skip();
    snprintf(path, sizeof path, "%s/data", p->folder);
    is_good(p, FLAGS("--data", path, "--run-as", "nobody"));
    assert_int_not_equal(stat(path, &st), 0);
}

static void account_of_run_as_must_be_there(void **state)
{
    if (geteuid() != 0)
        skip();
    is_refused(*state, FLAGS("--run-as", "no-such-account"), "there is no account of that name");
}

static void login_secret_is_read(void **state)
{
    play_t *p = *state;
    const char *const *login = FLAGS(LOGIN);
    put(p, "hush\n", 0600);
    is_good(p, login);
    put(p, "\n", 0600);
    is_refused(p, login, "is empty");
    put(p, "hush\n", 0644);
    is_refused(p, login, "others can use the client secret file");
}

static void key_given_twice_is_refused(void **state)
{
    play_t *p = *state;
    put(p, KEY, 0600);
    is_good(p, FLAGS("--key-file", "FILE"));
    setenv("WARDER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=", 1);
    is_refused(p, FLAGS("--key-file", "FILE"), "is given more than once");
    unsetenv("WARDER_KEY");
}

static void audit_key_is_read(void **state)
{
    play_t *p = *state;
    put(p, "no key\n", 0600);
    is_refused(p, FLAGS("--audit-key-file", "FILE"), "is no private Ed25519 or P-256 key in PEM");
    is_refused(p, FLAGS("--audit-key-file", "/nonexistent"), "cannot be read");
}

/* A start makes it, as the account that it serves as. */
static void public_half_that_could_not_be_made_is_told(void **state)
{
    static const char AUDIT_KEY[] =
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEIIAg5kp3/86iumBQKZN1zbTckMMtZWnB35/KcRCLRQTx\n"
        "-----END PRIVATE KEY-----\n";
    play_t *p = *state;
    const char *const *flags = FLAGS("--audit-key-file", "FILE", "--run-as", "nobody");
    if (geteuid() != 0)
        skip();
    put(p, AUDIT_KEY, 0600);
    run(p, flags);
    assert_int_equal(p->ran.code, EXIT_FAILED);
    assert_non_null(strstr(p->ran.err, "openssl pkey -in"));
    assert_int_equal(chmod(p->folder, 0777), 0);
    is_good(p, flags);
}

static void settings_that_do_nothing_are_good_and_warned_of(void **state)
{
    play_t *p = *state;
    is_good(p, FLAGS("--login-client-id", "c"));
    assert_non_null(strstr(p->ran.err, "\"setting\":\"login_client_id\""));
}

#define PLAY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY(key_file_of_roots_alone_is_read_before_run_as),
        PLAY(files_are_looked_at_as_the_account_of_run_as),
        PLAY(check_as_another_account_is_told_to_run_as_root),
        PLAY(check_makes_no_data_folder),
        PLAY(account_of_run_as_must_be_there),
        PLAY(login_secret_is_read),
        PLAY(key_given_twice_is_refused),
        PLAY(audit_key_is_read),
        PLAY(public_half_that_could_not_be_made_is_told),
        PLAY(settings_that_do_nothing_are_good_and_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
