#include "cmd/cmd_test_run.h"

#include "cmd/command.h"
#include "cmd/kek.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="
#define OTHER "ABECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="

/* What a process is given, and what it finds. */
typedef struct {
    arena_t *a;
    char folder[64];
    settings_t settings;
    as_kek_t kek;
    ran_t ran;
} play_t;

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(1 << 20);
    test_folder(p->folder);
    p->settings.conf.key_file = STR("");
    unsetenv("WARDER_KEY");
    unsetenv("CREDENTIALS_DIRECTORY");
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    test_folder_remove(p->folder);
    arena_free(p->a);
    free(p);
    return 0;
}

static int load_in_child(void *arg)
{
    play_t *p = arg;
    return kek_load(p->a, &p->settings, &p->kek);
}

static void refused(play_t *p, int code, const char *says)
{
    test_child(load_in_child, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, code);
    assert_one_line(&p->ran);
    if (!strstr(p->ran.err, says))
        fail_msg("'%s' is not in: %s", says, p->ran.err);
}

static const char *key_file(play_t *p, const char *text, mode_t mode)
{
    const char *path = test_file(p->folder, "warder-key", text);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void set_file(play_t *p, const char *text, mode_t mode)
{
    p->settings.conf.key_file = arena_dup(p->a, str_c(key_file(p, text, mode)));
}

static void is_loaded(play_t *p)
{
    assert_int_equal(kek_load(p->a, &p->settings, &p->kek), EXIT_DONE);
    assert_int_equal(p->kek.key.n, 32);
    assert_int_equal((uint8_t)p->kek.key.p[31], 0xff);
}

static void nothing_given_is_no_key(void **state)
{
    play_t *p = *state;
    assert_int_equal(kek_load(p->a, &p->settings, &p->kek), EXIT_DONE);
    assert_false(str_is_set(p->kek.key));
}

static void file_of_the_owner_or_a_group_is_read(void **state)
{
    set_file(*state, TEXT "\n", 0600);
    is_loaded(*state);
    set_file(*state, TEXT "\n", 0400);
    is_loaded(*state);
}

/* attack case: OPS-020 */
static void file_that_others_can_use_is_refused(void **state)
{
    static const mode_t MODES[] = {0644, 0604, 0601, 0620, 0602, 0640, 0440};
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        set_file(*state, TEXT, MODES[i]);
        refused(*state, EXIT_SETTING, "run: chmod 600");
    }
}

/* As secrets are mounted: of root, for the group of the service. attack case: OPS-020 */
static void file_of_another_may_be_read_by_a_group(void **state)
{
    play_t *p = *state;
    set_file(p, TEXT "\n", 0440);
    char *path = arena_cstr(p->a, p->settings.conf.key_file);
    if (chown(path, 1, (gid_t)-1) != 0)
        skip(); /* only root can give a file away */
    is_loaded(p);
    assert_int_equal(chmod(path, 0444), 0);
    refused(p, EXIT_SETTING, "run: chmod 600");
}

static void file_that_is_none_is_refused(void **state)
{
    play_t *p = *state;
    p->settings.conf.key_file = STR("/nonexistent/key");
    refused(p, EXIT_SETTING, "the key file '/nonexistent/key' cannot be read: No such file");
    p->settings.conf.key_file = str_c(p->folder);
    refused(p, EXIT_SETTING, "is no regular file");
}

static void file_without_a_key_is_refused(void **state)
{
    set_file(*state, "a passphrase", 0600);
    refused(*state, EXIT_SETTING, "holds no key of 32 bytes; make one with: head -c 32");
    assert_null(strstr(((play_t *)*state)->ran.err, "passphrase"));
}

static void credential_is_read_whatever_its_mode(void **state)
{
    play_t *p = *state;
    key_file(p, TEXT, 0444);
    setenv("CREDENTIALS_DIRECTORY", p->folder, 1);
    is_loaded(p);
}

static void folder_without_the_credential_is_no_key(void **state)
{
    play_t *p = *state;
    setenv("CREDENTIALS_DIRECTORY", p->folder, 1);
    nothing_given_is_no_key(state);
}

static void variable_is_read_and_gone(void **state)
{
    setenv("WARDER_KEY", TEXT, 1);
    const char *where = getenv("WARDER_KEY");
    is_loaded(*state);
    assert_null(getenv("WARDER_KEY"));
    for (size_t i = 0; i < sizeof TEXT; i++)
        assert_int_equal(where[i], 0);
}

static void variable_without_a_key_is_refused(void **state)
{
    setenv("WARDER_KEY", "secret", 1);
    refused(*state, EXIT_SETTING, "the variable WARDER_KEY holds no key of 32 bytes");
    assert_null(strstr(((play_t *)*state)->ran.err, "secret"));
}

static void two_keys_are_refused(void **state)
{
    play_t *p = *state;
    set_file(p, TEXT, 0600);
    setenv("WARDER_KEY", OTHER, 1);
    refused(p, EXIT_SETTING, "given more than once");
    unsetenv("WARDER_KEY");
    setenv("CREDENTIALS_DIRECTORY", p->folder, 1);
    refused(p, EXIT_SETTING, "given more than once");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_given_is_no_key),
        TEST(file_of_the_owner_or_a_group_is_read),
        TEST(file_that_others_can_use_is_refused),
        TEST(file_of_another_may_be_read_by_a_group),
        TEST(file_that_is_none_is_refused),
        TEST(file_without_a_key_is_refused),
        TEST(credential_is_read_whatever_its_mode),
        TEST(folder_without_the_credential_is_no_key),
        TEST(variable_is_read_and_gone),
        TEST(variable_without_a_key_is_refused),
        TEST(two_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
