/* What becomes of the pool's jobs: answered, sent again, or given up. */
#include "store/postgres_plan.h"
#include "store/postgres_thread.h"

static void tell(void *arg)
{
    postgres_job_t *job = arg;
    job->done(job);
    postgres_job_free(job);
}

/* The generation, where the job tells it: a question first, a change last. */
static bool read_generation(const postgres_job_t *job, uint64_t *out)
{
    size_t at = job->kind == POSTGRES_WRITE ? job->n_steps - 1 : 0;
    if (job->kind == POSTGRES_WRITE && job->steps[at].stmt != POSTGRES_GENERATION)
        return false;
    const PGresult *r = job->results ? job->results[at] : NULL;
    if (!r || PQntuples(r) < 1 || PQgetlength(r, 0, 0) != 8)
        return false;
    const unsigned char *p = (const unsigned char *)PQgetvalue(r, 0, 0);
    *out = 0;
    for (int i = 0; i < 8; i++)
        *out = *out << 8 | p[i];
    return true;
}

/* What was known when a job was sent is there when it is carried out, or is lost: another server
 * has taken over that had not all of it. What caches hold of it must go. */
static void go_back(postgres_pool_t *pool, uint64_t known, uint64_t generation)
{
    if (atomic_compare_exchange_strong(&pool->generation, &known, generation))
        LOG(pool->log, LOG_ERROR,
            "the database has lost what it committed last; look at how its servers replicate",
            LOG_I("generation", generation), LOG_I("known", known));
}

/* Before the job is handed back: whoever is told of a view asks for nothing older afterwards. */
static void note_generation(postgres_pool_t *pool, const postgres_job_t *job)
{
    uint64_t generation;
    if (job->rc != RC_OK || !read_generation(job, &generation))
        return;
    if (generation < job->known)
        go_back(pool, job->known, generation);
    postgres_pool_note_generation(pool, generation);
    pool->fresh_ms = pool->now_ms;
}

/* False: its loop takes nothing more just now. */
static bool post(postgres_pool_t *pool, postgres_job_t *job)
{
    /* Nobody may be left to empty that queue when all ends. */
    enum { PATIENCE_MS = 1000 };
    atomic_fetch_sub(&pool->waiting, 1); /* first: whoever is told counts no more */
    rc_t rc = job->back.post(job->back.ctx, tell, job);
    if (rc == RC_BUSY && (pool->stop_ms == 0 || pool->now_ms - pool->stop_ms < PATIENCE_MS)) {
        atomic_fetch_add(&pool->waiting, 1);
        return false;
    }
    if (rc != RC_OK)
        postgres_job_free(job);
    return true;
}

void postgres_job_deliver(postgres_pool_t *pool, postgres_job_t *job)
{
    note_generation(pool, job);
    if (job->probe) {
        postgres_job_free(job);
        return;
    }
    if (job->unsure && job->rc == RC_IO)
        atomic_fetch_add(&pool->unsure, 1);
    if (job->rc == RC_IO && pool->now_ms >= job->until_ms)
        atomic_fetch_add(&pool->timeouts, 1);
    if (!post(pool, job))
        postgres_queue_add(&pool->unposted, job);
}

void postgres_deliver_rest(postgres_pool_t *pool)
{
    postgres_queue_t rest = pool->unposted;
    if (!rest.first)
        return;
    postgres_queue_init(&pool->unposted);
    for (postgres_job_t *job = rest.first, *next; job; job = next) {
        next = job->next;
        if (!post(pool, job))
            postgres_queue_add(&pool->unposted, job);
    }
}

static void send_later(postgres_pool_t *pool, postgres_job_t *job)
{
    job->at_ms = pool->now_ms + postgres_yield_ms(job->tries, postgres_chance(&pool->chance));
    postgres_queue_add(&pool->later, job);
}

/* A job that was answered, or lost: on its way again, or back. */
static void go_on(postgres_pool_t *pool, postgres_job_t *job, postgres_next_t next)
{
    if (next == POSTGRES_ANSWERED || job->probe) {
        postgres_job_deliver(pool, job);
        return;
    }
    postgres_results_clear(job);
    atomic_fetch_add(&pool->retries, next != POSTGRES_ASK_WITNESS);
    if (next == POSTGRES_LATER)
        send_later(pool, job);
    else
        postgres_queue_add(&pool->ready, job);
}

static void heed(postgres_conn_t *c, postgres_trouble_t trouble)
{
    if (trouble == POSTGRES_UNPREPARED)
        c->prepared = false;
    else if (trouble != POSTGRES_FINE)
        c->lost = true;
}

void postgres_take_answers(postgres_pool_t *pool, postgres_conn_t *c)
{
    postgres_answer_t answer;
    postgres_job_t *job;
    while ((job = postgres_conn_next(c, &answer))) {
        c->heard_ms = pool->now_ms;
        heed(c, answer.trouble);
        go_on(pool, job, postgres_after_answer(job, &answer));
    }
}

/* In their order, before what came later. */
static void send_again(postgres_pool_t *pool, postgres_job_t *lost)
{
    postgres_queue_t again;
    postgres_queue_init(&again);
    for (postgres_job_t *job = lost, *next; job; job = next) {
        next = job->next;
        if (job->probe || postgres_after_loss(job, pool->now_ms) == POSTGRES_ANSWERED) {
            job->rc = RC_IO;
            postgres_job_deliver(pool, job);
            continue;
        }
        atomic_fetch_add(&pool->retries, 1);
        postgres_queue_add(&again, job);
    }
    postgres_queue_add_first(&pool->ready, again.first);
}

void postgres_conn_drop(postgres_pool_t *pool, postgres_conn_t *c)
{
    postgres_job_t *lost = postgres_conn_shed(c);
    postgres_conn_end(c);
    if (atomic_fetch_sub(&pool->up, 1) == 1)
        LOG(pool->log, LOG_WARN, "no connection to PostgreSQL is left",
            LOG_I("waiting", atomic_load(&pool->waiting)));
    send_again(pool, lost);
    postgres_connector_want(&pool->connector, 1);
}

static bool is_over(const postgres_job_t *job, int64_t now_ms)
{
    return job->until_ms <= now_ms;
}

static void give_up_all(postgres_pool_t *pool, postgres_job_t *jobs)
{
    for (postgres_job_t *job = jobs, *next; job; job = next) {
        next = job->next;
        postgres_give_up(job);
        postgres_job_deliver(pool, job);
    }
}

static void note_due(postgres_pool_t *pool, const postgres_job_t *jobs)
{
    for (; jobs; jobs = jobs->next)
        pool->due_ms = jobs->until_ms < pool->due_ms ? jobs->until_ms : pool->due_ms;
}

/* The server is silent past the time of a job: it is taken for gone. */
static void sweep_conn(postgres_pool_t *pool, postgres_conn_t *c)
{
    for (const postgres_job_t *job = c->first; job; job = job->next) {
        if (is_over(job, pool->now_ms))
            c->lost = true;
        else if (job->until_ms < pool->due_ms)
            pool->due_ms = job->until_ms;
    }
}

void postgres_sweep(postgres_pool_t *pool)
{
    if (pool->now_ms < pool->due_ms)
        return;
    give_up_all(pool, postgres_queue_pick(&pool->ready, is_over, pool->now_ms));
    give_up_all(pool, postgres_queue_pick(&pool->later, is_over, pool->now_ms));
    pool->due_ms = INT64_MAX;
    for (uint32_t i = 0; i < pool->settings.connections; i++) {
        if (pool->conns[i].pg)
            sweep_conn(pool, &pool->conns[i]);
    }
    note_due(pool, pool->ready.first);
    note_due(pool, pool->later.first);
}
