#include "cmd/cmd_test_run.h"

#include "cmd/store_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct {
    arena_t *a;
    char folder[64];
    settings_t settings;
    refusal_t refusal;
    store_config_t made;
} play_t;

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(1 << 20);
    p->refusal = (refusal_t){p->a, STR_UNSET};
    p->settings = (settings_t){.database = STR("/d/warder.db"), .refusal = &p->refusal};
    p->settings.conf.store = STR("postgres");
    p->settings.conf.postgres = STR("host=h");
    p->settings.conf.postgres_connections = 3;
    p->settings.conf.postgres_timeout = 700;
    test_folder(p->folder);
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

static void write_password(play_t *p, const char *text, mode_t mode)
{
    const char *path = test_file(p->folder, "pw", text);
    assert_int_equal(chmod(path, mode), 0);
    p->settings.conf.postgres_password_file = str_c(arena_cstr(p->a, str_c(path)));
}

static void refused(play_t *p, const char *says)
{
    assert_int_equal(store_config_make(p->a, &p->settings, NULL, &p->made), EXIT_SETTING);
    if (!str_contains(p->refusal.why, str_c(says)))
        fail_msg("%" PRIstr, STR_ARG(p->refusal.why));
}

static void settings_reach_the_driver(void **state)
{
    play_t *p = *state;
    assert_int_equal(store_config_make(p->a, &p->settings, NULL, &p->made), EXIT_DONE);
    assert_true(str_eq(p->made.driver, STR("postgres")));
    assert_true(str_eq(p->made.postgres.conninfo, STR("host=h")));
    assert_int_equal(p->made.postgres.connections, 3);
    assert_int_equal(p->made.postgres.wait_ms, 700);
    assert_false(str_is_set(p->made.postgres.password));
}

static void a_password_is_its_file_without_the_line_feed(void **state)
{
    play_t *p = *state;
    write_password(p, " pass word \r\n", 0600);
    assert_int_equal(store_config_make(p->a, &p->settings, NULL, &p->made), EXIT_DONE);
    assert_true(str_eq(p->made.postgres.password, STR(" pass word ")));
}

static void a_password_that_others_can_read_is_refused(void **state)
{
    write_password(*state, "hush\n", 0644);
    refused(*state, "chmod 600");
}

static void a_password_file_that_is_empty_is_refused(void **state)
{
    write_password(*state, "\n", 0600);
    refused(*state, "is empty");
}

static void a_password_file_that_is_missing_is_refused(void **state)
{
    play_t *p = *state;
    p->settings.conf.postgres_password_file = STR("/nowhere/pw");
    refused(p, "cannot be read");
}

static void a_password_of_another_store_is_left_alone(void **state)
{
    play_t *p = *state;
    p->settings.conf.store = STR("sqlite");
    p->settings.conf.postgres_password_file = STR("/nowhere/pw");
    assert_int_equal(store_config_make(p->a, &p->settings, NULL, &p->made), EXIT_DONE);
    assert_true(str_eq(p->made.path, STR("/d/warder.db")));
}

int main(void)
{
#define PLAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        PLAY_TEST(settings_reach_the_driver),
        PLAY_TEST(a_password_is_its_file_without_the_line_feed),
        PLAY_TEST(a_password_that_others_can_read_is_refused),
        PLAY_TEST(a_password_file_that_is_empty_is_refused),
        PLAY_TEST(a_password_file_that_is_missing_is_refused),
        PLAY_TEST(a_password_of_another_store_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
