/* The pool against a server that goes wrong: cut before and after a commit, one that refuses, gives
 * way, forgets; and loops that take no answer. */
#include "store/postgres_test_world.h"

#include "store/postgres_plan.h"

#include <stdlib.h>

static void a_job_is_carried_out(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_int_equal(world_call(w).rc, RC_OK);
    assert_int_equal(world_commits(w), 1);
    assert_true(atomic_load(&w->server.named) >= 2);
    assert_true(atomic_load(&w->server.sessions) > 0);
    assert_int_equal(atomic_load(&w->server.locals), 0);
}

/* Two of the pool, two of the job, and that of a probe, which may have come between. */
static void a_text_goes_out_with_the_first_job_that_uses_it(void **state)
{
    world_t *w = *state;
    world_open(w);
    assert_int_equal(atomic_load(&w->server.named), 2);
    for (int i = 0; i < 10; i++)
        assert_int_equal(world_call(w).rc, RC_OK);
    assert_in_range(atomic_load(&w->server.named), 4, 5);
    assert_int_equal(atomic_load(&w->server.unnamed), 5); /* settings of the session */
    assert_int_equal(world_commits(w), 10);
}

static void behind_a_text_that_is_refused_nothing_is_done(void **state)
{
    world_t *w = *state;
    world_open(w);
    fake_fail(&w->server, FAKE_ERROR, "text:warder_session_delete", "42703", 1);
    assert_int_equal(world_call(w).rc, RC_IO);
    assert_int_equal(world_commits(w), 0);
    assert_int_equal(world_call(w).rc, RC_OK); /* it is sent anew */
    assert_int_equal(world_commits(w), 1);
    assert_int_equal(world_health(w).reconnects, 0);
}

static void a_text_that_gave_way_is_sent_again(void **state)
{
    world_t *w = *state;
    world_open(w);
    fake_fail(&w->server, FAKE_ERROR, "text:warder_code_consume", "40001", 2);
    outcome_t out = world_call(w);
    assert_int_equal(out.rc, RC_OK);
    assert_int_equal(out.tries, 3);
    assert_int_equal(world_commits(w), 1);
}

static void a_name_that_is_taken_is_not_used(void **state)
{
    world_t *w = *state;
    world_open(w);
    fake_fail(&w->server, FAKE_ERROR, "text:warder_code_consume", "42P05", 1);
    atomic_store(&w->server.unnamed, 0);
    outcome_t out = world_call(w);
    assert_int_equal(out.rc, RC_OK);
    assert_int_equal(out.tries, 2);
    assert_true(atomic_load(&w->server.unnamed) >= 2);
    assert_int_equal(world_commits(w), 1);
}

static void a_job_that_was_cut_before_it_was_done_is_sent_again(void **state)
{
    world_t *w = *state;
    world_open(w);
    fake_fail(&w->server, FAKE_CUT_BEFORE, "CODE_CONSUME", NULL, 1);
    outcome_t out = world_call(w);
    assert_int_equal(out.rc, RC_OK);
    assert_int_equal(out.tries, 2);
    assert_int_equal(world_commits(w), 1);
    assert_int_equal(world_health(w).unsure, 0);
    assert_int_equal(world_health(w).retries, 1);
}

/* The first sending was committed and cut; from then on it is refused. */
static outcome_t cut_after_commit(world_t *w, fake_fault_t cut)
{
    outcome_t out;
    world_open(w);
    fake_then(&w->server, FAKE_ERROR, "CODE_CONSUME", "22012", 1000);
    fake_fail(&w->server, cut, "SESSION_DELETE", NULL, 1);
    world_push(w, &out);
    return world_await(w, &out);
}

static void a_job_that_was_cut_after_its_commit_is_known_by_its_witness(void **state)
{
    world_t *w = *state;
    atomic_store(&w->server.witness, true);
    assert_int_equal(cut_after_commit(w, FAKE_CUT_AFTER).rc, RC_OK);
    assert_int_equal(world_commits(w), 1);
    assert_int_equal(world_health(w).unsure, 0);
}

static void a_job_whose_answer_was_cut_in_two_is_known_by_its_witness(void **state)
{
    world_t *w = *state;
    atomic_store(&w->server.witness, true);
    assert_int_equal(cut_after_commit(w, FAKE_CUT_WITHIN).rc, RC_OK);
    assert_int_equal(world_commits(w), 1);
}

static void without_its_witness_nobody_knows_of_a_job(void **state)
{
    world_t *w = *state;
    assert_int_equal(cut_after_commit(w, FAKE_CUT_AFTER).rc, RC_IO);
    assert_int_equal(world_health(w).unsure, 1);
}

/* A job of which one statement alone is a SESSION_TOUCH. */
static void push_touch(world_t *w, outcome_t *out)
{
    static const char BYTES[32];
    static const postgres_arg_t TOUCH[] = {{BYTES, 32}, {BYTES, 8}};
    postgres_job_t *job = world_job(w, out, 3);
    postgres_step_t *steps = ARENA_ARRAY(job->a, 3, postgres_step_t);
    memcpy(steps, job->steps, 3 * sizeof *steps);
    steps[1] = (postgres_step_t){POSTGRES_SESSION_TOUCH, TOUCH, 1};
    job->steps = steps;
    assert_int_equal(postgres_pool_push(w->pool, job), RC_OK);
}

static void a_refusal_is_of_its_own_job_in_a_pipeline(void **state)
{
    world_t *w = *state;
    outcome_t outs[POSTGRES_DEPTH * 2], bad;
    world_open(w);
    fake_fail(&w->server, FAKE_ERROR, "SESSION_TOUCH", "22012", 1);
    for (size_t i = 0; i < POSTGRES_DEPTH; i++)
        world_push(w, &outs[i]);
    push_touch(w, &bad);
    for (size_t i = POSTGRES_DEPTH; i < POSTGRES_DEPTH * 2; i++)
        world_push(w, &outs[i]);
    for (size_t i = 0; i < POSTGRES_DEPTH * 2; i++)
        assert_int_equal(world_await(w, &outs[i]).rc, RC_OK);
    assert_int_equal(world_await(w, &bad).rc, RC_CONFLICT);
    assert_int_equal(bad.failed, 1);
    assert_int_equal(world_commits(w), POSTGRES_DEPTH * 2);
    assert_int_equal(world_health(w).reconnects, 0);
}

static void answers_that_came_before_the_end_of_a_connection_count(void **state)
{
    enum { BEFORE = 10 };
    world_t *w = *state;
    outcome_t outs[BEFORE], last;
    world_open(w);
    fake_fail(&w->server, FAKE_FATAL, "SESSION_TOUCH", "57P01", 1);
    for (size_t i = 0; i < BEFORE; i++)
        world_push(w, &outs[i]);
    push_touch(w, &last);
    for (size_t i = 0; i < BEFORE; i++)
        assert_int_equal(world_await(w, &outs[i]).tries, 1);
    assert_int_equal(world_await(w, &last).tries, 2);
    assert_int_equal(last.rc, RC_OK);
    assert_int_equal(world_commits(w), BEFORE + 1);
}

static void a_job_larger_than_all_buffers_goes_out(void **state)
{
    enum { PARTS = 16, BYTES = 900000 };
    world_t *w = *state;
    outcome_t out, next;
    char *bytes = calloc(1, BYTES);
    const postgres_arg_t large[] = {{bytes, BYTES}};
    world_open(w);
    postgres_job_t *job = world_job(w, &out, PARTS);
    postgres_step_t *steps = ARENA_ARRAY(job->a, PARTS, postgres_step_t);
    for (size_t i = 0; i < PARTS; i++)
        steps[i] = (postgres_step_t){POSTGRES_SESSION_DELETE, large, i};
    job->steps = steps;
    assert_int_equal(postgres_pool_push(w->pool, job), RC_OK);
    world_push(w, &next);
    assert_int_equal(world_await(w, &out).rc, RC_OK);
    assert_int_equal(world_await(w, &next).rc, RC_OK);
    assert_int_equal(world_commits(w), 2);
    assert_int_equal(world_health(w).reconnects, 0);
    free(bytes);
}

static void a_server_that_forgot_our_statements_is_served_without(void **state)
{
    world_t *w = *state;
    world_open(w);
    fake_fail(&w->server, FAKE_ERROR, "warder_CODE_CONSUME", "26000", 1);
    atomic_store(&w->server.unnamed, 0);
    assert_int_equal(world_call(w).rc, RC_OK);
    assert_true(atomic_load(&w->server.unnamed) >= 2);
    assert_int_equal(world_health(w).reconnects, 0);
    assert_int_equal(world_commits(w), 1);
}

static void a_transaction_that_gave_way_is_tried_again(void **state)
{
    world_t *w = *state;
    world_open(w);
    fake_fail(&w->server, FAKE_ERROR, "CODE_CONSUME", "40001", 3);
    outcome_t out = world_call(w);
    assert_int_equal(out.rc, RC_OK);
    assert_int_equal(out.tries, 4);
    fake_fail(&w->server, FAKE_ERROR, "CODE_CONSUME", "40P01", 1000);
    out = world_call(w);
    assert_int_equal(out.rc, RC_BUSY);
    assert_int_equal(out.tries, POSTGRES_SENDS_MAX);
    assert_int_equal(world_commits(w), 1);
}

static void behind_a_proxy_nothing_is_prepared_and_no_session_is_set(void **state)
{
    world_t *w = *state;
    atomic_store(&w->server.proxy, true);
    world_open(w);
    assert_int_equal(world_call(w).rc, RC_OK);
    assert_int_equal(atomic_load(&w->server.named), 0);
    assert_int_equal(atomic_load(&w->server.sessions), 0);
    assert_int_equal(atomic_load(&w->server.locals), 1); /* so that what waits for a lock ends */
    assert_int_equal(world_commits(w), 1);
}

static void behind_a_proxy_one_transaction_is_under_way_at_a_time(void **state)
{
    world_t *w = *state;
    outcome_t outs[40];
    atomic_store(&w->server.proxy, true);
    w->connections = 2;
    world_open(w);
    for (size_t i = 0; i < 40; i++)
        world_push(w, &outs[i]);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(world_await(w, &outs[i]).rc, RC_OK);
    assert_int_equal(world_commits(w), 40);
    assert_int_equal(atomic_load(&w->server.early), 0);
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
    world_open(w);
    postgres_job_t *job = world_job(w, &out, 1);
    job->back = (post_port_t){refuse_post, &refused};
    assert_int_equal(postgres_pool_push(w->pool, job), RC_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(world_call(w).rc, RC_OK);
    int64_t until = test_now_ms() + 5000;
    while (atomic_load(&refused) < 10 && test_now_ms() < until)
        test_pause_ms(2);
    assert_true(atomic_load(&refused) >= 10);
    postgres_pool_close(w->pool); /* does not wait for it for ever */
    w->pool = NULL;
    assert_false(out.done);
}

static void what_would_not_fit_is_refused_at_once(void **state)
{
    world_t *w = *state;
    outcome_t out;
    world_open(w);
    atomic_store(&w->pool->waiting, 65536); /* as if so many were on their way */
    postgres_job_t *job = world_job(w, &out, 1);
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
    world_open(w);
    for (int i = 1; i <= 5; i++) {
        atomic_store(&w->server.generation, i);
        int64_t begun = test_now_ms();
        while (postgres_pool_generation(w->pool) != (uint64_t)i && test_now_ms() < begun + 3000)
            test_pause_ms(1);
        assert_int_equal(postgres_pool_generation(w->pool), i);
    }
    postgres_pool_note_generation(w->pool, 3); /* it never goes back */
    assert_int_equal(postgres_pool_generation(w->pool), 5);
}

static void await_generation(world_t *w, uint64_t generation)
{
    int64_t begun = test_now_ms();
    while (postgres_pool_generation(w->pool) != generation && test_now_ms() < begun + 3000)
        test_pause_ms(1);
    assert_int_equal(postgres_pool_generation(w->pool), generation);
}

/* As after a failover to a server that had not all: caches of what is lost are made anew. */
static void the_generation_goes_back_with_its_database(void **state)
{
    world_t *w = *state;
    world_open(w);
    atomic_store(&w->server.generation, 7);
    await_generation(w, 7);
    atomic_store(&w->server.generation, 5);
    await_generation(w, 5);
    atomic_store(&w->server.generation, 6);
    await_generation(w, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_job_is_carried_out),
        IN_WORLD(a_text_goes_out_with_the_first_job_that_uses_it),
        IN_WORLD(behind_a_text_that_is_refused_nothing_is_done),
        IN_WORLD(a_text_that_gave_way_is_sent_again),
        IN_WORLD(a_name_that_is_taken_is_not_used),
        IN_WORLD(a_job_that_was_cut_before_it_was_done_is_sent_again),
        IN_WORLD(a_job_that_was_cut_after_its_commit_is_known_by_its_witness),
        IN_WORLD(a_job_whose_answer_was_cut_in_two_is_known_by_its_witness),
        IN_WORLD(without_its_witness_nobody_knows_of_a_job),
        IN_WORLD(a_refusal_is_of_its_own_job_in_a_pipeline),
        IN_WORLD(answers_that_came_before_the_end_of_a_connection_count),
        IN_WORLD(a_job_larger_than_all_buffers_goes_out),
        IN_WORLD(a_server_that_forgot_our_statements_is_served_without),
        IN_WORLD(a_transaction_that_gave_way_is_tried_again),
        IN_WORLD(behind_a_proxy_nothing_is_prepared_and_no_session_is_set),
        IN_WORLD(behind_a_proxy_one_transaction_is_under_way_at_a_time),
        IN_WORLD(a_loop_that_takes_nothing_holds_up_no_other),
        IN_WORLD(what_would_not_fit_is_refused_at_once),
        IN_WORLD(the_generation_is_followed_while_it_is_asked_for),
        IN_WORLD(the_generation_goes_back_with_its_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
