/* The driver on PostgreSQL: each call becomes a job of statements (postgres_plan.h) for the pool of
 * connections that all workers share (postgres_pool.h). */
#include "store/postgres_plan.h"
#include "store/postgres_upkeep.h"

#include <stdlib.h>

typedef struct {
    store_conn_t base;
    postgres_pool_t *pool;
    post_port_t post;
} postgres_store_conn_t;

/* Whose call a job is. In the job's arena. */
typedef struct {
    store_done_t done;
    void *ctx;
    arena_t *a; /* ask: for the answers */
    ask_t *asks;
    size_t n; /* asks */
    store_expire_t *expire;
    int64_t began_us; /* expire */
    store_forget_t *forget;
} call_t;

static rc_t open_store(arena_t *a, const store_config_t *config, store_t **out, str_t *why)
{
    *why = STR("the store has no memory");
    postgres_store_t *s = calloc(1, sizeof *s);
    if (!s)
        return RC_MEMORY;
    s->base.driver = &STORE_POSTGRES;
    s->clock = config->clock;
    rc_t rc = postgres_pool_open(a, config, &s->pool, why);
    if (rc != RC_OK)
        free(s);
    else
        *out = &s->base;
    return rc;
}

static void close_store(store_t *base)
{
    postgres_store_t *s = (postgres_store_t *)base;
    postgres_pool_close(s->pool);
    free(s);
}

static rc_t connect_worker(store_t *base, post_port_t post, store_conn_t **out)
{
    postgres_store_conn_t *c = calloc(1, sizeof *c);
    if (!c)
        return RC_MEMORY;
    c->base.driver = base->driver;
    c->pool = ((postgres_store_t *)base)->pool;
    c->post = post;
    *out = &c->base;
    return RC_OK;
}

static void disconnect_worker(store_conn_t *base)
{
    free(base);
}

/* NULL: no memory. */
static postgres_job_t *begin(const postgres_store_conn_t *c, void (*done)(postgres_job_t *job),
                             const call_t *call)
{
    postgres_job_t *job = postgres_job_new();
    call_t *copy = job ? ARENA_NEW(job->a, call_t) : NULL;
    if (!copy) {
        if (job)
            postgres_job_free(job);
        return NULL;
    }
    *copy = *call;
    job->back = c->post;
    job->done = done;
    job->owner = copy;
    return job;
}

/* Sends the job on its way, if planning it went well; else the call is answered here. */
static void push(postgres_pool_t *pool, postgres_job_t *job, rc_t rc, const call_t *call)
{
    bool wanted = rc == RC_OK && job->n_steps > 0;
    if (wanted)
        rc = postgres_pool_push(pool, job);
    if (wanted && rc == RC_OK)
        return;
    if (job)
        postgres_job_free(job);
    call->done(call->ctx, rc, 0);
}

static void end_ask(postgres_job_t *job)
{
    const call_t *call = job->owner;
    rc_t rc = job->rc;
    if (rc == RC_OK)
        rc = postgres_read_answers(job, call->a, call->asks, call->n);
    call->done(call->ctx, rc, 0);
}

static void ask(store_conn_t *base, arena_t *a, ask_t *asks, size_t n, store_done_t done, void *ctx)
{
    const postgres_store_conn_t *c = (const postgres_store_conn_t *)base;
    const call_t call = {.done = done, .ctx = ctx, .a = a, .asks = asks, .n = n};
    postgres_job_t *job = begin(c, end_ask, &call);
    push(c->pool, job, job ? postgres_plan_ask(job, asks, n) : RC_MEMORY, &call);
}

static void end_apply(postgres_job_t *job)
{
    const call_t *call = job->owner;
    call->done(call->ctx, job->rc, job->failed);
}

static bool changes_generation(const postgres_job_t *job)
{
    bool changes = false;
    for (size_t i = 0; i < job->n_steps; i++)
        changes = changes || job->steps[i].stmt == POSTGRES_GENERATION_NEXT;
    return changes;
}

/* Lets a job that changes the generation tell the new one, so that its own process knows it when
 * the call is answered. */
static rc_t tell_generation(postgres_job_t *job)
{
    if (!changes_generation(job))
        return RC_OK;
    postgres_step_t *steps = ARENA_ARRAY(job->a, job->n_steps + 1, postgres_step_t);
    if (!steps)
        return RC_MEMORY;
    memcpy(steps, job->steps, job->n_steps * sizeof *steps);
    steps[job->n_steps] = (postgres_step_t){.stmt = POSTGRES_GENERATION};
    job->steps = steps;
    job->n_steps++;
    return RC_OK;
}

static void apply(store_conn_t *base, const effects_t *effects, store_done_t done, void *ctx)
{
    const postgres_store_conn_t *c = (const postgres_store_conn_t *)base;
    const call_t call = {.done = done, .ctx = ctx};
    postgres_job_t *job = begin(c, end_apply, &call);
    rc_t rc = job ? postgres_plan_apply(job, effects) : RC_MEMORY;
    if (rc == RC_OK)
        rc = tell_generation(job);
    push(c->pool, job, rc, &call);
}

static void end_expire(postgres_job_t *job)
{
    const call_t *call = job->owner;
    size_t deleted = 0;
    rc_t rc =
        job->rc == RC_OK ? postgres_read_expired(job, call->expire->limit, &deleted) : job->rc;
    call->expire->held_ms = (clock_micros() - call->began_us) / 1000;
    call->done(call->ctx, rc, deleted);
}

static void expire(store_conn_t *base, store_expire_t *what, store_done_t done, void *ctx)
{
    const postgres_store_conn_t *c = (const postgres_store_conn_t *)base;
    const call_t call = {.done = done, .ctx = ctx, .expire = what, .began_us = clock_micros()};
    postgres_job_t *job = begin(c, end_expire, &call);
    push(c->pool, job, job ? postgres_plan_expire(job, what->now, what->limit) : RC_MEMORY, &call);
}

static void end_forget(postgres_job_t *job)
{
    const call_t *call = job->owner;
    size_t looked = 0;
    rc_t rc = job->rc == RC_OK ? postgres_read_forgotten(job, call->forget, &looked) : job->rc;
    call->done(call->ctx, rc, looked);
}

static void forget(store_conn_t *base, store_forget_t *what, store_done_t done, void *ctx)
{
    const postgres_store_conn_t *c = (const postgres_store_conn_t *)base;
    const call_t call = {.done = done, .ctx = ctx, .forget = what};
    postgres_job_t *job = begin(c, end_forget, &call);
    push(c->pool, job, job ? postgres_plan_forget(job, what) : RC_MEMORY, &call);
}

static uint64_t generation(store_conn_t *base)
{
    return postgres_pool_generation(((postgres_store_conn_t *)base)->pool);
}

static void health(store_t *base, store_health_t *out)
{
    postgres_pool_health(((postgres_store_t *)base)->pool, out);
}

const store_driver_t STORE_POSTGRES = {
    .name = "postgres",
    .shared = true,
    .open = open_store,
    .close = close_store,
    .connect = connect_worker,
    .disconnect = disconnect_worker,
    .ask = ask,
    .apply = apply,
    .generation = generation,
    .expire = expire,
    .forget = forget,
    .health = health,
    .dump = postgres_dump,
    .fill = postgres_fill,
    .stats = postgres_stats,
    .check = postgres_check,
    .open_held = postgres_open_held,
    .release = postgres_release,
    .idle = postgres_idle,
};
