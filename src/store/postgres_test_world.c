#include "store/postgres_test_world.h"

#include "store/postgres_plan.h"

#include <stdlib.h>
#include <time.h>

int64_t test_now_ms(void)
{
    return clock_micros() / 1000;
}

void test_pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000l}, NULL);
}

int world_begin(void **state)
{
    world_t *w = calloc(1, sizeof *w);
    fake_start(&w->server);
    fake_start(&w->other);
    w->hosts = 1;
    w->a = arena_new(1 << 20);
    w->connections = 1;
    w->wait_ms = WORLD_WAIT_MS;
    test_loop_init(&w->loop);
    *state = w;
    return 0;
}

int world_end(void **state)
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

store_health_t world_health(const world_t *w)
{
    store_health_t h;
    postgres_pool_health(w->pool, &h);
    return h;
}

void world_await_up(const world_t *w, uint32_t connections)
{
    int64_t until = test_now_ms() + 60000;
    while (world_health(w).connections != connections && test_now_ms() < until)
        test_pause_ms(2);
    assert_int_equal(world_health(w).connections, connections);
}

rc_t world_try_open(world_t *w, const char *more, str_t *why)
{
    str_t hosts = w->hosts == 2 ? arena_printf(w->a, "host=127.0.0.1,127.0.0.1 port=%d,%d",
                                               w->server.port, w->other.port)
                                : arena_printf(w->a, "host=127.0.0.1 port=%d", w->server.port);
    store_config_t config = {
        .postgres = {.conninfo =
                         arena_printf(w->a, "%s sslmode=disable user=x dbname=x %s", hosts.p, more),
                     .connections = w->connections,
                     .wait_ms = w->wait_ms}};
    return postgres_pool_begin(w->a, &config, false, &w->pool, why);
}

void world_open(world_t *w)
{
    str_t why = STR_UNSET;
    if (world_try_open(w, "", &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    world_await_up(w, w->connections);
}

static void note(postgres_job_t *job)
{
    outcome_t *out = job->owner;
    *out = (outcome_t){true, job->rc, job->failed, job->tries};
}

/* A job of as many statements, each for an effect of its own; the first is CODE_CONSUME. */
postgres_job_t *world_job(world_t *w, outcome_t *out, size_t n)
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

void world_push(world_t *w, outcome_t *out)
{
    postgres_job_t *job = world_job(w, out, 2);
    assert_int_equal(postgres_pool_push(w->pool, job), RC_OK);
}

outcome_t world_await(world_t *w, const outcome_t *out)
{
    while (!out->done)
        test_loop_step(&w->loop);
    return *out;
}

outcome_t world_call(world_t *w)
{
    outcome_t out;
    world_push(w, &out);
    return world_await(w, &out);
}

int world_commits(world_t *w)
{
    return atomic_load(&w->server.commits);
}

void world_await_reconnects(const world_t *w, uint64_t reconnects, int ms)
{
    int64_t until = test_now_ms() + ms;
    while (world_health(w).reconnects < reconnects && test_now_ms() < until)
        test_pause_ms(2);
    assert_true(world_health(w).reconnects >= reconnects);
}
