/* The pool against a server that goes wrong in every way the protocol has: cut before and after a
 * commit, silent, no longer the one that is written to, behind a proxy. */
#include "store/store_test_util.h"

#include "store/postgres_plan.h"
#include "store/postgres_test_server.h"
#include "store/postgres_thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WAIT_MS = 3000 };

typedef struct {
    fake_t server;
    fake_t other; /* a second host, where `hosts` is 2 */
    int hosts;
    arena_t *a;
    postgres_pool_t *pool;
    test_loop_t loop;
    uint32_t connections;
    int64_t wait_ms;
} world_t;

/* What came of a job. */
typedef struct {
    bool done;
    rc_t rc;
    size_t failed;
    unsigned tries;
} outcome_t;

static int64_t now_ms(void)
{
    return clock_micros() / 1000;
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000l}, NULL);
}

static int begin(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    fake_start(&w->server);
    fake_start(&w->other);
    w->hosts = 1;
    w->a = arena_new(1 << 20);
    w->connections = 1;
    w->wait_ms = WAIT_MS;
    test_loop_init(&w->loop);
    *state = w;
    return 0;
}

static int end(void **state)
{
    world_t *w = *state;
    if (w->pool)
        postgres_pool_close(w->pool);
    fake_stop(&w->server);
    fake_stop(&w->other);
    test_loop_free(&w->loop);
    arena_free(w->a);
    free(w);
    return 0;
}

static store_health_t health(const world_t *w)
{
    store_health_t h;
    postgres_pool_health(w->pool, &h);
    return h;
}

static void await_up(const world_t *w, uint32_t connections)
{
    int64_t until = now_ms() + 10000;
    while (health(w).connections != connections && now_ms() < until)
        pause_ms(2);
    assert_int_equal(health(w).connections, connections);
}

static void open_pool(world_t *w)
{
    str_t why = STR_UNSET;
    str_t conninfo = arena_printf(w->a, "host=127.0.0.1 port=%d sslmode=disable user=x dbname=x",
                                  w->server.port);
    if (w->hosts == 2)
        conninfo = arena_printf(w->a, "host=127.0.0.1,127.0.0.1 port=%d,%d user=x dbname=x",
                                w->server.port, w->other.port);
    store_config_t config = {
        .postgres = {.conninfo = conninfo, .connections = w->connections, .wait_ms = w->wait_ms}};
    if (postgres_pool_begin(w->a, &config, false, &w->pool, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    await_up(w, w->connections);
}

static void note(postgres_job_t *job)
{
    outcome_t *out = job->owner;
    *out = (outcome_t){true, job->rc, job->failed, job->tries};
}

/* A job of as many statements, each for an effect of its own; the first is CODE_CONSUME. */
static postgres_job_t *job_of(world_t *w, outcome_t *out, size_t n)
{
    static const char BYTES[32];
    static const postgres_arg_t CODE[] = {{BYTES, 32}, {BYTES, 8}}, SESSION[] = {{BYTES, 32}};
    postgres_job_t *job = postgres_job_new();
    postgres_step_t *steps = ARENA_ARRAY(job->a, n, postgres_step_t);
    for (size_t i = 0; i < n; i++)
        steps[i] = i == 0 ? (postgres_step_t){POSTGRES_CODE_CONSUME, CODE, 0}
                          : (postgres_step_t){POSTGRES_SESSION_DELETE, SESSION, i};
    job->kind = POSTGRES_WRITE;
    job->steps = steps;
    job->n_steps = n;
    job->witness = (postgres_step_t){POSTGRES_WITNESS_SESSION, SESSION, 0};
    job->n_witness = 1;
    job->back = test_loop_port(&w->loop);
    job->done = note;
    job->owner = out;
    *out = (outcome_t){0};
    return job;
}

static void push(world_t *w, outcome_t *out)
{
    postgres_job_t *job = job_of(w, out, 2);
    assert_int_equal(postgres_pool_push(w->pool, job), RC_OK);
}

static outcome_t await(world_t *w, const outcome_t *out)
{
    while (!out->done)
        test_loop_step(&w->loop);
    return *out;
}

static outcome_t call(world_t *w)
{
    outcome_t out;
    push(w, &out);
    return await(w, &out);
}

static int commits(world_t *w)
{
    return atomic_load(&w->server.commits);
}

static void a_job_is_carried_out(void **state)
{
    world_t *w = *state;
    open_pool(w);
    assert_int_equal(call(w).rc, RC_OK);
    assert_int_equal(commits(w), 1);
    assert_true(atomic_load(&w->server.named) >= POSTGRES_STATEMENTS);
    assert_true(atomic_load(&w->server.sessions) > 0);
    assert_int_equal(atomic_load(&w->server.locals), 0);
}

static void a_job_that_was_cut_before_it_was_done_is_sent_again(void **state)
{
    world_t *w = *state;
    open_pool(w);
    fake_fail(&w->server, FAKE_CUT_BEFORE, "CODE_CONSUME", NULL, 1);
    outcome_t out = call(w);
    assert_int_equal(out.rc, RC_OK);
    assert_int_equal(out.tries, 2);
    assert_int_equal(commits(w), 1);
    assert_int_equal(health(w).unsure, 0);
    assert_int_equal(health(w).retries, 1);
}

/* The first sending was committed and cut; from then on it is refused. */
static outcome_t cut_after_commit(world_t *w, fake_fault_t cut)
{
    outcome_t out;
    open_pool(w);
    fake_then(&w->server, FAKE_ERROR, "CODE_CONSUME", "22012", 1000);
    fake_fail(&w->server, cut, "SESSION_DELETE", NULL, 1);
    push(w, &out);
    return await(w, &out);
}

static void a_job_that_was_cut_after_its_commit_is_known_by_its_witness(void **state)
{
    world_t *w = *state;
    atomic_store(&w->server.witness, true);
    assert_int_equal(cut_after_commit(w, FAKE_CUT_AFTER).rc, RC_OK);
    assert_int_equal(commits(w), 1);
    assert_int_equal(health(w).unsure, 0);
}

static void a_job_whose_answer_was_cut_in_two_is_known_by_its_witness(void **state)
{
    world_t *w = *state;
    atomic_store(&w->server.witness, true);
    assert_int_equal(cut_after_commit(w, FAKE_CUT_WITHIN).rc, RC_OK);
    assert_int_equal(commits(w), 1);
}

static void without_its_witness_nobody_knows_of_a_job(void **state)
{
    world_t *w = *state;
    assert_int_equal(cut_after_commit(w, FAKE_CUT_AFTER).rc, RC_IO);
    assert_int_equal(health(w).unsure, 1);
}

static void a_refusal_is_of_its_own_job_in_a_pipeline(void **state)
{
    world_t *w = *state;
    outcome_t outs[POSTGRES_DEPTH * 2], bad;
    open_pool(w);
    for (size_t i = 0; i < POSTGRES_DEPTH; i++)
        push(w, &outs[i]);
    fake_fail(&w->server, FAKE_ERROR, "SESSION_TOUCH", "22012", 1);
    postgres_job_t *job = job_of(w, &bad, 3);
    postgres_step_t *steps = ARENA_ARRAY(job->a, 3, postgres_step_t);
    memcpy(steps, job->steps, 3 * sizeof *steps);
    static const char BYTES[32];
    static const postgres_arg_t TOUCH[] = {{BYTES, 32}, {BYTES, 8}};
    steps[1] = (postgres_step_t){POSTGRES_SESSION_TOUCH, TOUCH, 1};
    job->steps = steps;
    assert_int_equal(postgres_pool_push(w->pool, job), RC_OK);
    for (size_t i = POSTGRES_DEPTH; i < POSTGRES_DEPTH * 2; i++)
        push(w, &outs[i]);
    for (size_t i = 0; i < POSTGRES_DEPTH * 2; i++)
        assert_int_equal(await(w, &outs[i]).rc, RC_OK);
    assert_int_equal(await(w, &bad).rc, RC_CONFLICT);
    assert_int_equal(bad.failed, 1);
    assert_int_equal(commits(w), POSTGRES_DEPTH * 2);
    assert_int_equal(health(w).reconnects, 0);
}

static void a_server_that_forgot_our_statements_is_served_without(void **state)
{
    world_t *w = *state;
    open_pool(w);
    fake_fail(&w->server, FAKE_ERROR, "warder_CODE_CONSUME", "26000", 1);
    atomic_store(&w->server.unnamed, 0);
    assert_int_equal(call(w).rc, RC_OK);
    assert_true(atomic_load(&w->server.unnamed) >= 2);
    assert_int_equal(health(w).reconnects, 0);
    assert_int_equal(commits(w), 1);
}

static void a_connection_that_may_not_write_any_more_is_made_anew(void **state)
{
    world_t *w = *state;
    open_pool(w);
    fake_fail(&w->server, FAKE_ERROR, "CODE_CONSUME", "25006", 1);
    assert_int_equal(call(w).rc, RC_OK);
    assert_int_equal(health(w).reconnects, 1);
    assert_int_equal(commits(w), 1);
    assert_int_equal(health(w).unsure, 0);
}

static void a_server_that_shuts_down_is_left_and_its_jobs_are_sent_again(void **state)
{
    world_t *w = *state;
    open_pool(w);
    fake_fail(&w->server, FAKE_FATAL, "CODE_CONSUME", "57P01", 1);
    assert_int_equal(call(w).rc, RC_OK);
    assert_int_equal(health(w).reconnects, 1);
    assert_int_equal(commits(w), 1);
}

static void when_one_connection_is_lost_the_others_are_tried(void **state)
{
    world_t *w = *state;
    w->connections = 4;
    open_pool(w);
    atomic_store(&w->server.standby, true); /* as all of them would find */
    fake_fail(&w->server, FAKE_FATAL, "CODE_CONSUME", "57P01", 1);
    outcome_t out;
    push(w, &out);
    int64_t until = now_ms() + 900; /* before any is tried anyway */
    while (health(w).reconnects < 4 && now_ms() < until)
        pause_ms(2);
    assert_true(health(w).reconnects >= 4);
    atomic_store(&w->server.standby, false);
    await(w, &out);
}

static void a_server_that_only_follows_is_left(void **state)
{
    world_t *w = *state;
    open_pool(w);
    atomic_store(&w->server.standby, true);
    int64_t until = now_ms() + 5000;
    while (health(w).reconnects == 0 && now_ms() < until)
        pause_ms(2);
    assert_true(health(w).reconnects > 0);
    atomic_store(&w->server.standby, false);
}

static void a_transaction_that_gave_way_is_tried_again(void **state)
{
    world_t *w = *state;
    open_pool(w);
    fake_fail(&w->server, FAKE_ERROR, "CODE_CONSUME", "40001", 3);
    outcome_t out = call(w);
    assert_int_equal(out.rc, RC_OK);
    assert_int_equal(out.tries, 4);
    fake_fail(&w->server, FAKE_ERROR, "CODE_CONSUME", "40P01", 1000);
    out = call(w);
    assert_int_equal(out.rc, RC_BUSY);
    assert_int_equal(out.tries, POSTGRES_SENDS_MAX);
    assert_int_equal(commits(w), 1);
}

static void a_silent_server_is_left_when_the_time_of_a_job_is_over(void **state)
{
    world_t *w = *state;
    w->wait_ms = 400;
    open_pool(w);
    fake_fail(&w->server, FAKE_SILENCE, "CODE_CONSUME", NULL, 1);
    int64_t begun = now_ms();
    outcome_t out = call(w);
    assert_int_equal(out.rc, RC_IO);
    assert_true(now_ms() - begun >= 400 && now_ms() - begun < 1400);
    assert_int_equal(health(w).timeouts, 1);
    assert_int_equal(health(w).unsure, 1);
    await_up(w, 1);
    assert_int_equal(health(w).reconnects, 1);
    assert_int_equal(call(w).rc, RC_OK);
}

static void a_server_that_is_silent_while_nobody_asks_is_left_too(void **state)
{
    world_t *w = *state;
    w->wait_ms = 400;
    open_pool(w);
    fake_fail(&w->server, FAKE_SILENCE, "follows", NULL, 1);
    int64_t until = now_ms() + 5000;
    while (health(w).reconnects == 0 && now_ms() < until)
        pause_ms(2);
    assert_int_equal(health(w).reconnects, 1);
    assert_int_equal(call(w).rc, RC_OK);
}

static void behind_a_proxy_nothing_is_prepared_and_no_session_is_set(void **state)
{
    world_t *w = *state;
    atomic_store(&w->server.proxy, true);
    open_pool(w);
    assert_int_equal(call(w).rc, RC_OK);
    assert_int_equal(atomic_load(&w->server.named), 0);
    assert_int_equal(atomic_load(&w->server.sessions), 0);
    assert_int_equal(atomic_load(&w->server.locals), 1); /* so that what waits for a lock ends */
    assert_int_equal(commits(w), 1);
}

static void a_server_that_takes_connections_and_says_nothing_holds_up_nobody(void **state)
{
    world_t *w = *state;
    w->connections = 2;
    open_pool(w);
    atomic_store(&w->server.mute, true);
    fake_fail(&w->server, FAKE_FATAL, "CODE_CONSUME", "57P01", 1);
    int64_t begun = now_ms();
    assert_int_equal(call(w).rc, RC_OK); /* on the other one */
    for (int i = 0; i < 20; i++)
        assert_int_equal(call(w).rc, RC_OK);
    assert_true(now_ms() - begun < 1000);
    atomic_store(&w->server.mute, false);
    await_up(w, 2);
}

static void of_two_hosts_the_one_that_may_be_written_to_is_taken(void **state)
{
    world_t *w = *state;
    w->hosts = 2;
    w->connections = 2;
    atomic_store(&w->server.follower, true);
    open_pool(w);
    assert_int_equal(call(w).rc, RC_OK);
    assert_int_equal(commits(w), 0);
    assert_int_equal(atomic_load(&w->other.commits), 1);
}

/* The old primary takes connections and is silent, the new one is there. */
static void a_host_that_is_silent_does_not_hold_up_the_way_to_the_next(void **state)
{
    world_t *w = *state;
    w->hosts = 2;
    w->connections = 2;
    atomic_store(&w->other.follower, true);
    open_pool(w);
    assert_int_equal(call(w).rc, RC_OK);
    assert_int_equal(commits(w), 1);
    atomic_store(&w->server.mute, true);
    fake_cut_all(&w->server);
    pause_ms(1500);
    assert_false(health(w).up);
    atomic_store(&w->other.follower, false);
    int64_t begun = now_ms();
    while (!health(w).up && now_ms() < begun + 10000)
        pause_ms(2);
    print_message("back after %d ms\n", (int)(now_ms() - begun));
    assert_true(now_ms() - begun < 2000);
    assert_int_equal(call(w).rc, RC_OK);
    assert_int_equal(atomic_load(&w->other.commits), 1);
}

static rc_t refuse_post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)fn;
    (void)arg;
    atomic_fetch_add((atomic_int *)ctx, 1);
    return RC_BUSY;
}

static void a_loop_that_takes_nothing_holds_up_no_other(void **state)
{
    world_t *w = *state;
    atomic_int refused = 0;
    outcome_t out;
    open_pool(w);
    postgres_job_t *job = job_of(w, &out, 1);
    job->back = (post_port_t){refuse_post, &refused};
    assert_int_equal(postgres_pool_push(w->pool, job), RC_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(call(w).rc, RC_OK);
    int64_t until = now_ms() + 5000;
    while (atomic_load(&refused) < 10 && now_ms() < until)
        pause_ms(2);
    assert_true(atomic_load(&refused) >= 10);
    postgres_pool_close(w->pool); /* does not wait for it for ever */
    w->pool = NULL;
    assert_false(out.done);
}

static void what_would_not_fit_is_refused_at_once(void **state)
{
    world_t *w = *state;
    outcome_t out;
    open_pool(w);
    atomic_store(&w->pool->waiting, 65536); /* as if so many were on their way */
    postgres_job_t *job = job_of(w, &out, 1);
    assert_int_equal(postgres_pool_push(w->pool, job), RC_BUSY);
    atomic_store(&w->pool->waiting, 0);
    atomic_store(&w->pool->up, 0);
    assert_int_equal(postgres_pool_push(w->pool, job), RC_IO);
    atomic_store(&w->pool->up, 1);
    postgres_job_free(job);
}

static void the_generation_is_followed_while_it_is_asked_for(void **state)
{
    world_t *w = *state;
    open_pool(w);
    for (int i = 1; i <= 5; i++) {
        atomic_store(&w->server.generation, i);
        int64_t begun = now_ms();
        while (postgres_pool_generation(w->pool) != (uint64_t)i && now_ms() < begun + 3000)
            pause_ms(1);
        assert_int_equal(postgres_pool_generation(w->pool), i);
    }
    postgres_pool_note_generation(w->pool, 3); /* it never goes back */
    assert_int_equal(postgres_pool_generation(w->pool), 5);
}

#define FAULT(test)                                                                                \
    {                                                                                              \
#test, test, begin, end, NULL                                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT(a_job_is_carried_out),
        FAULT(a_job_that_was_cut_before_it_was_done_is_sent_again),
        FAULT(a_job_that_was_cut_after_its_commit_is_known_by_its_witness),
        FAULT(a_job_whose_answer_was_cut_in_two_is_known_by_its_witness),
        FAULT(without_its_witness_nobody_knows_of_a_job),
        FAULT(a_refusal_is_of_its_own_job_in_a_pipeline),
        FAULT(a_server_that_forgot_our_statements_is_served_without),
        FAULT(a_connection_that_may_not_write_any_more_is_made_anew),
        FAULT(a_server_that_shuts_down_is_left_and_its_jobs_are_sent_again),
        FAULT(when_one_connection_is_lost_the_others_are_tried),
        FAULT(a_server_that_only_follows_is_left),
        FAULT(a_transaction_that_gave_way_is_tried_again),
        FAULT(a_silent_server_is_left_when_the_time_of_a_job_is_over),
        FAULT(a_server_that_is_silent_while_nobody_asks_is_left_too),
        FAULT(behind_a_proxy_nothing_is_prepared_and_no_session_is_set),
        FAULT(a_server_that_takes_connections_and_says_nothing_holds_up_nobody),
        FAULT(of_two_hosts_the_one_that_may_be_written_to_is_taken),
        FAULT(a_host_that_is_silent_does_not_hold_up_the_way_to_the_next),
        FAULT(a_loop_that_takes_nothing_holds_up_no_other),
        FAULT(what_would_not_fit_is_refused_at_once),
        FAULT(the_generation_is_followed_while_it_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
