#include "cmd/cmd_test_run.h"

#include "as/maintenance.h"
#include "cmd/node.h"

#include <stdlib.h>

enum { WAIT_MS = 600 };

typedef struct {
    arena_t *a;
    char folder[2][64];
    log_t log;
    store_t *store;
    clock_fake_t fake;
    node_config_t config;
    node_t node[2];
    refusal_t refusal;
} play_t;

/* The clock of the day stands where it is put; the one to wait by goes on. */
static int64_t now_ms(void *ctx)
{
    play_t *p = ctx;
    clock_port_t fake = clock_fake(&p->fake);
    return fake.now_ms(fake.ctx);
}

static int64_t mono_ms(void *ctx)
{
    (void)ctx;
    clock_port_t real = clock_system();
    return real.mono_ms(real.ctx);
}

static int setup(void **state)
{
    str_t why;
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(4 << 20);
    test_folder(p->folder[0]);
    test_folder(p->folder[1]);
    p->log = log_stderr(LOG_ERROR);
    p->fake.ms = 1700000000000;
    const store_config_t store = {.driver = STR("sqlite"),
                                  .path = arena_printf(p->a, "%s/warder.db", p->folder[0]),
                                  .log = &p->log,
                                  .clock = clock_system()};
    assert_int_equal(store_open(p->a, &store, &p->store, &why), RC_OK);
    p->config = (node_config_t){.name = STR("west"),
                                .data = str_c(p->folder[0]),
                                .store = p->store,
                                .log = &p->log,
                                .clock = {now_ms, mono_ms, p},
                                .random = random_system(),
                                .wait_ms = WAIT_MS};
    p->refusal.a = p->a;
    p->config.refusal = &p->refusal;
    p->node[0].lock = p->node[1].lock = -1;
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    node_leave(&p->node[0]);
    node_leave(&p->node[1]);
    store_close(p->store);
    test_folder_remove(p->folder[0]);
    test_folder_remove(p->folder[1]);
    arena_free(p->a);
    free(p);
    return 0;
}

static int take(play_t *p, int who)
{
    return node_take(p->a, &p->config, &p->node[who]);
}

static void refused(play_t *p, int code, const char *says)
{
    node_t another;
    assert_int_equal(node_take(p->a, &p->config, &another), code);
    node_leave(&another);
    if (!str_contains(p->refusal.why, str_c(says)))
        fail_msg("%" PRIstr, STR_ARG(p->refusal.why));
}

/* Without a word to anybody, as one that is killed. */
static void die(play_t *p, int who)
{
    node_leave(&p->node[who]);
}

static void nobody_needs_a_name_alone(void **state)
{
    play_t *p = *state;
    p->config.name = STR_UNSET;
    assert_int_equal(take(p, 0), EXIT_DONE);
    assert_false(str_is_set(p->node[0].lease));
    assert_int_equal(p->node[0].lock, -1);
}

static void two_nodes_of_one_name_are_found_out(void **state)
{
    play_t *p = *state;
    assert_int_equal(take(p, 0), EXIT_DONE);
    assert_true(str_eq(p->node[0].lease, STR("node:west")));
    p->config.data = str_c(p->folder[1]);
    refused(p, EXIT_SETTING, "another node called 'west' is at work");
    p->config.name = STR("east");
    assert_int_equal(take(p, 1), EXIT_DONE);
}

static void two_servers_in_one_folder_are_found_out(void **state)
{
    play_t *p = *state;
    assert_int_equal(take(p, 0), EXIT_DONE);
    refused(p, EXIT_SETTING, "another server works in the data folder");
}

static void who_takes_over_has_the_name_as_well(void **state)
{
    play_t *p = *state;
    p->config.wait_ms = 0;
    assert_int_equal(take(p, 0), EXIT_DONE);
    p->config.takes_over = true;
    assert_int_equal(take(p, 1), EXIT_DONE);
    assert_true(str_eq(p->node[0].holder, p->node[1].holder));
    node_leave(&p->node[0]);
    p->config.takes_over = false;
    refused(p, EXIT_SETTING, "another server works in the data folder");
}

static void the_next_one_in_the_folder_of_a_dead_one_need_not_wait(void **state)
{
    play_t *p = *state;
    assert_int_equal(take(p, 0), EXIT_DONE);
    die(p, 0);
    p->config.wait_ms = 0;
    assert_int_equal(take(p, 1), EXIT_DONE);
}

static void the_name_of_a_dead_one_elsewhere_is_free_after_its_lease(void **state)
{
    play_t *p = *state;
    assert_int_equal(take(p, 0), EXIT_DONE);
    die(p, 0);
    p->config.data = str_c(p->folder[1]);
    p->config.wait_ms = 0;
    p->fake.ms += AS_NODE_LEASE_S * 1000 - 1000;
    refused(p, EXIT_SETTING, "another node called 'west' is at work");
    p->fake.ms += 1000;
    assert_int_equal(take(p, 0), EXIT_DONE);
}

static void a_damaged_lock_file_is_written_anew(void **state)
{
    play_t *p = *state;
    test_file(p->folder[0], "node.lock", "not sixteen bytes in hexadecimal");
    assert_int_equal(take(p, 0), EXIT_DONE);
    assert_false(str_starts(p->node[0].holder, STR("not")));
}

static void a_folder_that_cannot_be_written_is_refused(void **state)
{
    play_t *p = *state;
    p->config.data = STR("/nowhere");
    refused(p, EXIT_FAILED, "/nowhere/node.lock");
}

int main(void)
{
#define PLAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        PLAY_TEST(nobody_needs_a_name_alone),
        PLAY_TEST(two_nodes_of_one_name_are_found_out),
        PLAY_TEST(two_servers_in_one_folder_are_found_out),
        PLAY_TEST(who_takes_over_has_the_name_as_well),
        PLAY_TEST(the_next_one_in_the_folder_of_a_dead_one_need_not_wait),
        PLAY_TEST(the_name_of_a_dead_one_elsewhere_is_free_after_its_lease),
        PLAY_TEST(a_damaged_lock_file_is_written_anew),
        PLAY_TEST(a_folder_that_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
