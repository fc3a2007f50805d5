/* What the spawner runs: the commands of the settings file, as they stand there. */
#include "cmd/cmd_test_run.h"

#include "cmd/children.h"
#include "cmd/upstreams.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, ARENA_BYTES = 64 << 20 };

typedef struct {
    arena_t *a;
    char folder[64], file[96], data[96], work[96];
    option_t *rows;
    settings_t settings;
    child_spawner_t *spawner;
    child_process_t child;
    char out[4096];
    str_t why;
    int error;
} play_t;

/* The upstream of /a with this command and these members of `child`. */
static void write_file(play_t *p, const char *command, const char *child)
{
    char text[2048];
    snprintf(text, sizeof text,
             "data: %s\nupstreams:\n  - path: /a\n    command: [sh, -c, '%s']\n%s%s", p->data,
             command, *child ? "    child: " : "", child);
    test_file(p->folder, "warder.yaml", text);
}

static void read_settings(play_t *p)
{
    refusal_t refusal = {p->a, STR_UNSET};
    if (settings_load_again(p->a, p->rows, &p->settings, &refusal) != EXIT_DONE)
        fail_msg("%" PRIstr, STR_ARG(refusal.why));
}

/* The spawner knows the file as it is now. */
static void begin(play_t *p, const char *command, const char *child)
{
    char config[] = "--config";
    char *argv[] = {config, p->file};
    p->rows = settings_options(p->a);
    assert_true(options_parse(2, argv, p->rows, NULL, 0, NULL));
    write_file(p, command, child);
    read_settings(p);
    assert_int_equal(children_new(p->rows, &p->settings, 027, &p->spawner), RC_OK);
}

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(ARENA_BYTES);
    test_folder(p->folder);
    snprintf(p->file, sizeof p->file, "%s/warder.yaml", p->folder);
    snprintf(p->data, sizeof p->data, "%s/data", p->folder);
    snprintf(p->work, sizeof p->work, "%s/work", p->folder);
    assert_int_equal(mkdir(p->data, 0700), 0);
    assert_int_equal(mkdir(p->work, 0700), 0);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    child_spawner_free(p->spawner);
    rmdir(p->data);
    rmdir(p->work);
    test_folder_remove(p->folder);
    arena_free(p->a);
    free(p);
    return 0;
}

/* As the server asks for it: by its own reading of the settings. */
static rc_t start(play_t *p)
{
    conf_upstream_t u = p->settings.conf.upstreams[0];
    assert_true(upstreams_place(p->a, &p->settings, &u));
    return child_process_start(p->spawner, &u.child, u.child.directory, &p->child, &p->why,
                               &p->error);
}

/* All that it says until it ends; its status. */
static int hear(play_t *p)
{
    size_t n = 0;
    struct pollfd out = {.fd = p->child.out, .events = POLLIN};
    for (ssize_t got = 1; got > 0; n += (size_t)got) {
        assert_int_equal(poll(&out, 1, PATIENCE_MS), 1);
        got = read(p->child.out, p->out + n, sizeof p->out - 1 - n);
        assert_true(got >= 0);
    }
    p->out[n] = '\0';
    struct pollfd end = {.fd = p->child.exit, .events = POLLIN};
    assert_int_equal(poll(&end, 1, PATIENCE_MS), 1);
    int status = child_process_reap(&p->child);
    close(p->child.in);
    close(p->child.out);
    close(p->child.err);
    close(p->child.exit);
    return status;
}

static void runs(play_t *p)
{
    assert_int_equal(start(p), RC_OK);
    assert_int_equal(hear(p), 0);
}

static void is_refused(play_t *p)
{
    assert_int_equal(start(p), RC_IO);
    assert_int_equal(p->error, EPERM);
}

static void says(play_t *p, const char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s\n", line);
    if (!strstr(p->out, whole))
        fail_msg("no '%s' in '%s'", line, p->out);
}

static void its_environment_is_that_of_the_settings(void **state)
{
    play_t *p = *state;
    setenv("WARDER_TEST_SECRET", "hidden", 1);
    setenv("LANG", "C", 1);
    begin(p, "env; umask", "{environment: [\"A=b\", \"HOME=/elsewhere\"]}\n");
    unsetenv("WARDER_TEST_SECRET");
    runs(p);
    says(p, "A=b");
    says(p, "HOME=/elsewhere");
    says(p, "LANG=C");
    says(p, "0027"); /* the umask that was there before the server took its own */
    assert_null(strstr(p->out, "WARDER"));
}

/* A relative one counts from the folder of the settings file. */
static void its_directory_is_that_of_the_settings(void **state)
{
    play_t *p = *state;
    begin(p, "pwd", "{directory: work}\n");
    runs(p);
    says(p, p->work);
}

static void its_directory_is_the_data_folder_where_nothing_is_said(void **state)
{
    play_t *p = *state;
    begin(p, "pwd", "");
    runs(p);
    says(p, p->data);
}

static void a_directory_that_is_not_there_is_told(void **state)
{
    play_t *p = *state;
    begin(p, "pwd", "{directory: nowhere}\n");
    assert_int_equal(start(p), RC_IO);
    assert_int_equal(p->error, ENOENT);
    assert_true(str_eq(p->why, STR("the command does not start")));
}

static void its_limits_are_those_of_the_settings(void **state)
{
    play_t *p = *state;
    begin(p, "echo data $(ulimit -d) core $(ulimit -c)", "{memory_mb: 64}\n");
    runs(p);
    says(p, "data 65536 core 0");
}

static void a_program_that_is_not_there_is_told(void **state)
{
    play_t *p = *state;
    begin(p, "true", "");
    char text[512];
    snprintf(text, sizeof text,
             "data: %s\nupstreams:\n  - path: /a\n    command: [no-such-program-here]\n", p->data);
    test_file(p->folder, "warder.yaml", text);
    read_settings(p);
    assert_int_equal(start(p), RC_IO);
    assert_int_equal(p->error, ENOENT);
    assert_true(str_eq(p->why, STR("the command is not in PATH")));
}

/* Nobody but the keeper counts failures: the spawner starts it as often as it is asked. */
static void one_that_ends_at_once_can_be_started_again(void **state)
{
    play_t *p = *state;
    begin(p, "exit 7", "");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(start(p), RC_OK);
        int status = hear(p);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
}

/* attack case: OPS-019 */
static void what_stands_in_no_file_is_not_run(void **state)
{
    play_t *p = *state;
    begin(p, "true", "");
    str_t words[] = {STR("sh"), STR("-c"), STR("echo stolen")};
    conf_upstream_t u = p->settings.conf.upstreams[0];
    conf_upstream_t *v = ARENA_NEW(p->a, conf_upstream_t);
    u.child.command = (str_list_t){words, 3};
    *v = u;
    p->settings.conf.upstreams = v;
    is_refused(p);
    read_settings(p);
    v = ARENA_NEW(p->a, conf_upstream_t);
    *v = p->settings.conf.upstreams[0];
    v->child.directory = STR("/"); /* elsewhere */
    p->settings.conf.upstreams = v;
    is_refused(p);
    read_settings(p);
    runs(p);
}

/* The server has loaded it anew; children of before may have to start again meanwhile. */
static void a_changed_file_is_read_when_its_command_is_asked_for(void **state)
{
    play_t *p = *state;
    begin(p, "echo one", "");
    settings_t first = p->settings;
    write_file(p, "echo two", "{directory: work}\n");
    read_settings(p);
    runs(p);
    says(p, "two");
    settings_t second = p->settings;
    test_file(p->folder, "warder.yaml", "no_such_setting: 1\n");
    runs(p); /* a file that is refused changes nothing */
    says(p, "two");
    p->settings = first;
    runs(p);
    says(p, "one");
    for (int i = 0; i < 10; i++) {
        char command[32];
        snprintf(command, sizeof command, "echo more %d", i);
        write_file(p, command, "");
        read_settings(p);
        runs(p);
        says(p, command + 5);
    }
    p->settings = first; /* of the start: it is kept */
    runs(p);
    p->settings = second; /* too long ago, and not in the file any more */
    is_refused(p);
}

/* It needs a restart, so both sides go on with the one of the start. */
static void the_data_folder_of_the_start_stays(void **state)
{
    play_t *p = *state;
    begin(p, "echo one", "");
    str_t data = p->settings.conf.data;
    char text[512];
    snprintf(text, sizeof text, "data: %s\nupstreams:\n  - path: /a\n    command: [sh, -c, pwd]\n",
             p->work);
    test_file(p->folder, "warder.yaml", text);
    read_settings(p);
    p->settings.conf.data = data;
    runs(p);
    says(p, p->data);
}

int main(void)
{
#define PLAY(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        PLAY(its_environment_is_that_of_the_settings),
        PLAY(its_directory_is_that_of_the_settings),
        PLAY(its_directory_is_the_data_folder_where_nothing_is_said),
        PLAY(a_directory_that_is_not_there_is_told),
        PLAY(its_limits_are_those_of_the_settings),
        PLAY(a_program_that_is_not_there_is_told),
        PLAY(one_that_ends_at_once_can_be_started_again),
        PLAY(what_stands_in_no_file_is_not_run),
        PLAY(a_changed_file_is_read_when_its_command_is_asked_for),
        PLAY(the_data_folder_of_the_start_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
