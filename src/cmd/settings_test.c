#include "cmd/cmd_test_run.h"

#include "cmd/command.h"
#include "cmd/settings.h"
#include "conf/conf_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    arena_t *a;
    char folder[64];
    option_t *rows;
    settings_t settings;
} play_t;

static const char *const VARIABLES[] = {"WARDER_CONFIG", "WARDER_LISTEN", "WARDER_LISTNE",
                                        "WARDER_DATA",   "WARDER_BUILD",  "WARDER_E2E_OUT",
                                        "WARDER_WORKERS"};

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(16 << 20);
    test_folder(p->folder);
    for (size_t i = 0; i < sizeof VARIABLES / sizeof *VARIABLES; i++)
        unsetenv(VARIABLES[i]);
    setenv("XDG_STATE_HOME", p->folder, 1);
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

/* Flags end with NULL. */
static int load(play_t *p, const char *const *flags)
{
    char *argv[16];
    int argc = 0;
    while (flags[argc]) {
        argv[argc] = arena_cstr(p->a, str_c(flags[argc]));
        argc++;
    }
    p->rows = settings_options(p->a);
    assert_non_null(p->rows);
    assert_true(options_parse(argc, argv, p->rows, NULL, 0, NULL));
    return settings_load(p->a, p->rows, &p->settings);
}

#define LOAD(p, ...) load((p), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

typedef struct {
    play_t *p;
    const char *const *flags;
} job_t;

static int load_in_child(void *arg)
{
    job_t *job = arg;
    int code = load(job->p, job->flags);
    return code == EXIT_DONE ? settings_make_data(job->p->a, &job->p->settings) : code;
}

static void refused(play_t *p, const char *const *flags, int code, const char *says)
{
    job_t job = {p, flags};
    ran_t ran;
    test_child(load_in_child, &job, STR_UNSET, &ran);
    assert_int_equal(ran.code, code);
    assert_one_line(&ran);
    assert_non_null(strstr(ran.err, says));
}

static void is(str_t value, const char *expected)
{
    assert_true(str_eq(value, str_c(expected)));
}

static void flag_beats_environment_beats_file(void **state)
{
    play_t *p = *state;
    const char *file = test_file(p->folder, "w.yaml", "listen: 127.0.0.1:1\nworkers: 3\n");
    assert_int_equal(LOAD(p, "--config", file), EXIT_DONE);
    is(p->settings.conf.listen, "127.0.0.1:1");
    setenv("WARDER_LISTEN", "127.0.0.1:2", 1);
    assert_int_equal(LOAD(p, "--config", file), EXIT_DONE);
    is(p->settings.conf.listen, "127.0.0.1:2");
    assert_int_equal(LOAD(p, "--config", file, "--listen", "127.0.0.1:3"), EXIT_DONE);
    is(p->settings.conf.listen, "127.0.0.1:3");
    assert_int_equal(p->settings.conf.workers, 3);
}

static int warn_in_child(void *arg)
{
    job_t *job = arg;
    const log_t log = log_stderr(LOG_WARN);
    int code = load(job->p, job->flags);
    settings_warn(&job->p->settings, &log);
    return code;
}

/* How many lines there are, the last of which says the setting and the mend. */
static void warned(play_t *p, const char *const *flags, size_t lines, const char *setting,
                   const char *mend)
{
    job_t job = {p, flags};
    ran_t ran;
    size_t n = 0;
    test_child(warn_in_child, &job, STR_UNSET, &ran);
    assert_int_equal(ran.code, EXIT_DONE);
    for (const char *c = ran.err; *c; c++)
        n += *c == '\n';
    assert_int_equal(n, lines);
    if (!strstr(ran.err, setting) || !strstr(ran.err, mend))
        fail_msg("'%s', '%s' are not in: %s", setting, mend, ran.err);
}

#define WARNED(p, lines, setting, mend, ...)                                                       \
    warned((p), (const char *const[]){__VA_ARGS__, NULL}, (lines), (setting), (mend))

static void settings_that_do_nothing_are_warned_of(void **state)
{
    play_t *p = *state;
    WARNED(p, 1, "\"setting\":\"login_client_id\"", "set login_issuer too", "--login-client-id",
           "c");
    WARNED(p, 0, "", "", "--login-client-id", "c", "--login-issuer", "https://op.test");
    WARNED(p, 1, "\"setting\":\"postgres\"", "set store to postgres", "--postgres", "host=db.test");
    WARNED(p, 1, "\"setting\":\"postgres\"", "", "--postgres", "host=db.test", "--store", "memory");
    WARNED(p, 0, "", "", "--postgres", "host=db.test", "--store", "postgres");
    WARNED(p, 0, "", "", "--data", "/d");
}

static void file_is_named_by_the_environment(void **state)
{
    play_t *p = *state;
    setenv("WARDER_CONFIG", test_file(p->folder, "w.yaml", "workers: 5\n"), 1);
    assert_int_equal(LOAD(p), EXIT_DONE);
    assert_int_equal(p->settings.conf.workers, 5);
}

static void data_folder_follows_the_machine(void **state)
{
    play_t *p = *state;
    char *home = getenv("HOME") ? arena_cstr(p->a, str_c(getenv("HOME"))) : NULL;
    setenv("XDG_STATE_HOME", "/state", 1);
    assert_int_equal(LOAD(p), EXIT_DONE);
    is(p->settings.conf.data, "/state/warder");
    is(p->settings.conf.audit_file, "/state/warder/audit.log");
    is(p->settings.database, "/state/warder/warder.db");
    assert_true(p->settings.conf.workers >= 1);
    setenv("XDG_STATE_HOME", "relative", 1); /* to be ignored, says the specification */
    setenv("HOME", "/home/u", 1);
    assert_int_equal(LOAD(p), EXIT_DONE);
    is(p->settings.conf.data, "/home/u/.local/state/warder");
    unsetenv("HOME");
    assert_int_equal(LOAD(p), EXIT_DONE);
    is(p->settings.conf.data, "warder-data");
    if (home)
        setenv("HOME", home, 1);
}

static void audit_file_may_stand_elsewhere(void **state)
{
    play_t *p = *state;
    assert_int_equal(LOAD(p, "--data", "/d", "--audit-file", "/log/a"), EXIT_DONE);
    is(p->settings.conf.audit_file, "/log/a");
    is(p->settings.database, "/d/warder.db");
}

static void node_is_called_as_it_is_told_or_as_its_host(void **state)
{
    play_t *p = *state;
    assert_int_equal(LOAD(p), EXIT_DONE);
    assert_true(conf_is_node_name(p->settings.conf.node));
    assert_false(p->settings.node_is_given);
    assert_int_equal(LOAD(p, "--node", "west-2"), EXIT_DONE);
    is(p->settings.conf.node, "west-2");
    assert_true(p->settings.node_is_given);
}

static void unknown_variable_is_refused_with_the_mend(void **state)
{
    setenv("WARDER_LISTNE", "127.0.0.1:1", 1);
    refused(*state, (const char *const[]){NULL}, EXIT_SETTING, "'listen'");
}

static void variables_of_the_tests_are_no_settings(void **state)
{
    setenv("WARDER_BUILD", "/b", 1);
    setenv("WARDER_E2E_OUT", "/o", 1);
    assert_int_equal(LOAD((play_t *)*state), EXIT_DONE);
}

static void missing_file_is_refused(void **state)
{
    refused(*state, (const char *const[]){"--config", "/nowhere/w.yaml", NULL}, EXIT_SETTING,
            "/nowhere/w.yaml");
}

static void wrong_value_is_refused(void **state)
{
    refused(*state, (const char *const[]){"--workers", "many", NULL}, EXIT_SETTING, "workers");
}

static void data_folder_is_made_for_its_owner(void **state)
{
    play_t *p = *state;
    struct stat st;
    const char *data = arena_cstr(p->a, arena_printf(p->a, "%s/a/b", p->folder));
    assert_int_equal(LOAD(p, "--data", data), EXIT_DONE);
    assert_int_equal(settings_make_data(p->a, &p->settings), EXIT_DONE);
    assert_int_equal(stat(data, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(settings_make_data(p->a, &p->settings), EXIT_DONE);
}

static void data_that_is_a_file_is_refused(void **state)
{
    play_t *p = *state;
    const char *file = test_file(p->folder, "file", "x");
    refused(p, (const char *const[]){"--data", file, NULL}, EXIT_SETTING, "not a folder");
}

static void data_below_a_file_is_refused(void **state)
{
    play_t *p = *state;
    const char *file = test_file(p->folder, "file", "x");
    const char *below = arena_cstr(p->a, arena_printf(p->a, "%s/data", file));
    refused(p, (const char *const[]){"--data", below, NULL}, EXIT_SETTING, "--data");
}

static void flags_have_dashes(void **state)
{
    play_t *p = *state;
    assert_string_equal(settings_flag(p->a, STR("code_lifetime")), "code-lifetime");
    assert_int_equal(LOAD(p, "--code-lifetime", "30"), EXIT_DONE);
    assert_int_equal(p->settings.conf.code_lifetime, 30);
}

int main(void)
{
#define PLAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        PLAY_TEST(flag_beats_environment_beats_file),
        PLAY_TEST(settings_that_do_nothing_are_warned_of),
        PLAY_TEST(file_is_named_by_the_environment),
        PLAY_TEST(data_folder_follows_the_machine),
        PLAY_TEST(audit_file_may_stand_elsewhere),
        PLAY_TEST(node_is_called_as_it_is_told_or_as_its_host),
        PLAY_TEST(unknown_variable_is_refused_with_the_mend),
        PLAY_TEST(variables_of_the_tests_are_no_settings),
        PLAY_TEST(missing_file_is_refused),
        PLAY_TEST(wrong_value_is_refused),
        PLAY_TEST(data_folder_is_made_for_its_owner),
        PLAY_TEST(data_that_is_a_file_is_refused),
        PLAY_TEST(data_below_a_file_is_refused),
        PLAY_TEST(flags_have_dashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
