/* The pool when its server is away: silent, shut down, no longer the one that is written to, and
 * one host of two. */
#include "store/postgres_test_world.h"

static void a_connection_that_may_not_write_any_more_is_made_anew(void **state)
{
    world_t *w = *state;
    world_open(w);
    fake_fail(&w->server, FAKE_ERROR, "CODE_CONSUME", "25006", 1);
    assert_int_equal(world_call(w).rc, RC_OK);
    assert_int_equal(world_health(w).reconnects, 1);
    assert_int_equal(world_commits(w), 1);
    assert_int_equal(world_health(w).unsure, 0);
}

static void a_server_that_shuts_down_is_left_and_its_jobs_are_sent_again(void **state)
{
    world_t *w = *state;
    world_open(w);
    fake_fail(&w->server, FAKE_FATAL, "CODE_CONSUME", "57P01", 1);
    assert_int_equal(world_call(w).rc, RC_OK);
    assert_int_equal(world_health(w).reconnects, 1);
    assert_int_equal(world_commits(w), 1);
}

static void when_one_connection_is_lost_the_others_are_tried(void **state)
{
    world_t *w = *state;
    w->connections = 4;
    world_open(w);
    atomic_store(&w->server.standby, true); /* as all of them would find */
    fake_fail(&w->server, FAKE_FATAL, "CODE_CONSUME", "57P01", 1);
    outcome_t out;
    world_push(w, &out);
    world_await_reconnects(w, 4, 900); /* before any is tried anyway */
    atomic_store(&w->server.standby, false);
    world_await(w, &out);
}

static void a_server_that_only_follows_is_left(void **state)
{
    world_t *w = *state;
    world_open(w);
    atomic_store(&w->server.standby, true);
    world_await_reconnects(w, 1, 60000);
    atomic_store(&w->server.standby, false);
}

static void a_silent_server_is_left_when_the_time_of_a_job_is_over(void **state)
{
    world_t *w = *state;
    w->wait_ms = 400;
    world_open(w);
    fake_fail(&w->server, FAKE_SILENCE, "CODE_CONSUME", NULL, 1);
    int64_t begun = test_now_ms();
    outcome_t out = world_call(w);
    assert_int_equal(out.rc, RC_IO);
    assert_true(test_now_ms() - begun >= 400 && test_now_ms() - begun < 10000);
    assert_int_equal(world_health(w).timeouts, 1);
    assert_int_equal(world_health(w).unsure, 1);
    world_await_up(w, 1);
    assert_int_equal(world_health(w).reconnects, 1);
    assert_int_equal(world_call(w).rc, RC_OK);
}

static void a_server_that_is_silent_while_nobody_asks_is_left_too(void **state)
{
    world_t *w = *state;
    w->wait_ms = 400;
    world_open(w);
    fake_fail(&w->server, FAKE_SILENCE, "follows", NULL, 1);
    world_await_reconnects(w, 1, 60000);
    assert_int_equal(world_health(w).reconnects, 1);
    assert_int_equal(world_call(w).rc, RC_OK);
}

static void a_server_that_takes_connections_and_says_nothing_holds_up_nobody(void **state)
{
    world_t *w = *state;
    w->connections = 2;
    world_open(w);
    atomic_store(&w->server.mute, true);
    fake_fail(&w->server, FAKE_FATAL, "CODE_CONSUME", "57P01", 1);
    int64_t begun = test_now_ms();
    assert_int_equal(world_call(w).rc, RC_OK); /* on the other one */
    for (int i = 0; i < 20; i++)
        assert_int_equal(world_call(w).rc, RC_OK);
    assert_true(test_now_ms() - begun < 1000);
    atomic_store(&w->server.mute, false);
    world_await_up(w, 2);
}

static void a_start_does_not_wait_long_for_a_server_that_is_silent(void **state)
{
    world_t *w = *state;
    str_t why;
    int64_t begun = test_now_ms();
    atomic_store(&w->server.mute, true);
    assert_int_equal(world_try_open(w, "connect_timeout=1", &why), RC_IO);
    assert_true(str_contains(why, STR("cannot be reached (no answer in time)")));
    assert_true(test_now_ms() - begun < 10000);
}

static void a_server_that_is_too_old_is_refused(void **state)
{
    world_t *w = *state;
    str_t why;
    atomic_store(&w->server.old, true);
    assert_int_equal(world_try_open(w, "", &why), RC_IO);
    assert_true(str_contains(why, STR("older than version 13 (12.22)")));
}

static void of_two_hosts_the_one_that_may_be_written_to_is_taken(void **state)
{
    world_t *w = *state;
    w->hosts = 2;
    w->connections = 2;
    atomic_store(&w->server.follower, true);
    world_open(w);
    assert_int_equal(world_call(w).rc, RC_OK);
    assert_int_equal(world_commits(w), 0);
    assert_int_equal(atomic_load(&w->other.commits), 1);
}

/* The old primary takes connections and is silent; the new one is there. */
static void a_host_that_is_silent_does_not_hold_up_the_way_to_the_next(void **state)
{
    world_t *w = *state;
    w->hosts = 2;
    w->connections = 2;
    atomic_store(&w->other.follower, true);
    world_open(w);
    assert_int_equal(world_call(w).rc, RC_OK);
    assert_int_equal(world_commits(w), 1);
    atomic_store(&w->server.mute, true);
    fake_cut_all(&w->server);
    test_pause_ms(1500);
    assert_false(world_health(w).up);
    atomic_store(&w->other.follower, false);
    int64_t begun = test_now_ms();
    while (!world_health(w).up && test_now_ms() < begun + 60000)
        test_pause_ms(2);
    print_message("back after %d ms\n", (int)(test_now_ms() - begun));
    assert_true(test_now_ms() - begun < 10000);
    assert_int_equal(world_call(w).rc, RC_OK);
    assert_int_equal(atomic_load(&w->other.commits), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_connection_that_may_not_write_any_more_is_made_anew),
        IN_WORLD(a_server_that_shuts_down_is_left_and_its_jobs_are_sent_again),
        IN_WORLD(when_one_connection_is_lost_the_others_are_tried),
        IN_WORLD(a_server_that_only_follows_is_left),
        IN_WORLD(a_silent_server_is_left_when_the_time_of_a_job_is_over),
        IN_WORLD(a_server_that_is_silent_while_nobody_asks_is_left_too),
        IN_WORLD(a_server_that_takes_connections_and_says_nothing_holds_up_nobody),
        IN_WORLD(a_start_does_not_wait_long_for_a_server_that_is_silent),
        IN_WORLD(a_server_that_is_too_old_is_refused),
        IN_WORLD(of_two_hosts_the_one_that_may_be_written_to_is_taken),
        IN_WORLD(a_host_that_is_silent_does_not_hold_up_the_way_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
