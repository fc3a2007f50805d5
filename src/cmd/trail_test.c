#include "cmd/trail.h"

#include "cmd/cmd_test_run.h"
#include "cmd/command.h"

#include "audit/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_BYTES = 16 << 20 };

typedef struct {
    char folder[64];
    arena_t *a;
    settings_t settings;
    log_t log;
    trail_owner_t owner;
    ran_t ran;
} world_t;

static int setup(void **state)
{
    static world_t w;
    memset(&w, 0, sizeof w);
    test_folder(w.folder);
    w.a = arena_new(ARENA_BYTES);
    w.log = (log_t){.write = NULL, .min = LOG_ERROR + 1};
    w.owner = TRAIL_OF_SERVER;
    w.settings.conf.data = str_c(w.folder);
    w.settings.conf.audit_file = arena_printf(w.a, "%s/audit.log", w.folder);
    w.settings.conf.audit_on_failure = STR("refuse");
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    arena_free(w->a);
    test_folder_remove(w->folder);
    return 0;
}

/* In a child, so that what it prints is kept: opens, writes one event, and closes. */
static int open_and_write(void *arg)
{
    world_t *w = arg;
    static const audit_event_t STARTED = {.kind = AUDIT_SERVER, .allowed = true};
    const audit_event_t *events[] = {&STARTED};
    audit_t *audit;
    int code = trail_open(w->a, &w->settings, NULL, w->owner, &audit);
    if (code != EXIT_DONE)
        return code;
    code = audit_write(audit, events, 1) == RC_OK ? EXIT_DONE : EXIT_FAILED;
    audit_close(audit);
    return code;
}

static void run(world_t *w, int code, const char *says)
{
    test_child(open_and_write, w, STR_UNSET, &w->ran);
    assert_int_equal(w->ran.code, code);
    assert_one_line(&w->ran);
    assert_non_null(strstr(w->ran.err, says));
}

static const char *path_of(world_t *w, const char *name)
{
    return arena_cstr(w->a, arena_printf(w->a, "%s/%s", w->folder, name));
}

static mode_t mode_of(world_t *w, const char *name)
{
    struct stat st;
    return stat(path_of(w, name), &st) == 0 ? st.st_mode & 0777 : 0;
}

static char *text_of(world_t *w, const char *name)
{
    char *text = arena_alloc(w->a, 65536);
    assert_true(test_read(path_of(w, name), text, 65536));
    return text;
}

static void verify(world_t *w, const char *says)
{
    char line[256];
    snprintf(line, sizeof line, "audit verify --closed --data %s", w->folder);
    test_command(line, STR_UNSET, &w->ran);
    assert_int_equal(w->ran.code, EXIT_DONE);
    assert_non_null(strstr(w->ran.out, says));
}

/* By as many checkpoints as there were: a server that finds lines without one may sign them before
 * or with its first own. */
static void verify_all_signed(world_t *w)
{
    char says[64];
    verify(w, "the chain holds: ");
    long n = strtol(strchr(w->ran.out, ':') + 1, NULL, 10);
    snprintf(says, sizeof says, "\nsigned: up to %ld, by ", n);
    assert_non_null(strstr(w->ran.out, says));
}

static void first_start_makes_the_key(void **state)
{
    world_t *w = *state;
    run(w, EXIT_DONE, "");
    assert_int_equal(mode_of(w, "audit-key.pem"), 0600);
    assert_int_equal(mode_of(w, "audit-key.pub.pem"), 0644);
    char *key = text_of(w, "audit-key.pem");
    run(w, EXIT_DONE, "");
    assert_string_equal(text_of(w, "audit-key.pem"), key);
    verify(w, "signed: up to 4, by 2 checkpoints");
}

static void command_makes_no_key(void **state)
{
    world_t *w = *state;
    w->owner = TRAIL_OF_COMMAND;
    run(w, EXIT_DONE, "");
    assert_int_equal(mode_of(w, "audit-key.pem"), 0);
    assert_null(strstr(text_of(w, "audit.log"), "checkpoint"));
    w->owner = TRAIL_OF_SERVER;
    run(w, EXIT_DONE, "");
    w->owner = TRAIL_OF_COMMAND;
    run(w, EXIT_DONE, "");
    verify_all_signed(w);
}

/* What the old key signed is still checked, by the half that was set aside. */
static void replaced_key_is_still_known(void **state)
{
    world_t *w = *state;
    run(w, EXIT_DONE, "");
    assert_int_equal(unlink(path_of(w, "audit-key.pem")), 0);
    run(w, EXIT_DONE, "");
    verify(w, "signed: up to 4, by 2 checkpoints");
}

/* Of one server alone lines are as they always were. */
static void lines_bear_the_name_of_a_node_among_others(void **state)
{
    char text[4096];
    world_t *w = *state;
    w->settings.conf.node = STR("west");
    run(w, EXIT_DONE, "");
    assert_true(test_read(arena_cstr(w->a, w->settings.conf.audit_file), text, sizeof text));
    assert_null(strstr(text, "west"));
    w->settings.node_is_given = true;
    run(w, EXIT_DONE, "");
    assert_true(test_read(arena_cstr(w->a, w->settings.conf.audit_file), text, sizeof text));
    assert_non_null(strstr(text, ",\"node\":\"west\",\"time\":"));
    verify_all_signed(w);
}

static void named_key_must_be_there(void **state)
{
    world_t *w = *state;
    w->settings.conf.audit_key_file = str_c(path_of(w, "mine.pem"));
    run(w, EXIT_SETTING, "mine.pem");
    assert_int_equal(mode_of(w, "mine.pem"), 0);
}

static void what_is_no_key_is_refused(void **state)
{
    world_t *w = *state;
    test_file(w->folder, "audit-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n");
    assert_int_equal(chmod(path_of(w, "audit-key.pem"), 0600), 0);
    run(w, EXIT_SETTING, "is no private Ed25519 or P-256 key");
}

static void key_that_others_can_read_is_refused(void **state)
{
    world_t *w = *state;
    run(w, EXIT_DONE, "");
    assert_int_equal(chmod(path_of(w, "audit-key.pem"), 0644), 0);
    run(w, EXIT_SETTING, "others can use the audit key");
}

static void foreign_public_half_is_not_overwritten(void **state)
{
    world_t *w = *state;
    test_file(w->folder, "audit-key.pub.pem", "notes");
    run(w, EXIT_FAILED, "is not the public half of");
    assert_string_equal(text_of(w, "audit-key.pub.pem"), "notes");
}

#define KEY_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        KEY_TEST(first_start_makes_the_key),
        KEY_TEST(command_makes_no_key),
        KEY_TEST(replaced_key_is_still_known),
        KEY_TEST(lines_bear_the_name_of_a_node_among_others),
        KEY_TEST(named_key_must_be_there),
        KEY_TEST(what_is_no_key_is_refused),
        KEY_TEST(key_that_others_can_read_is_refused),
        KEY_TEST(foreign_public_half_is_not_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
