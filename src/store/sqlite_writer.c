#include "store/sqlite_writer.h"

#include "core/limits.h"

#include <stdlib.h>
#include <time.h>

enum { BATCH_MAX = 512, LEAST_WAIT_MS = 100 };

static rc_t expire(sqlite_writer_t *w, sqlite_job_t *job)
{
    store_expire_t *e = job->expire;
    int64_t began = sqlite_mono_ms();
    rc_t rc = sqlite_expire(&w->db, e->now, e->limit, &job->failed);
    e->held_ms = sqlite_mono_ms() - began;
    return rc;
}

static rc_t carry_out(sqlite_writer_t *w, sqlite_job_t *job)
{
    if (job->effects)
        return sqlite_apply_effects(&w->db, job->effects, &job->failed);
    if (job->forget)
        return sqlite_forget(&w->db, job->forget, &job->failed);
    return expire(w, job);
}

static void complain(const sqlite_writer_t *w, rc_t rc)
{
    LOG(w->log, LOG_ERROR, "the store could not write", LOG_S("why", str_c(rc_name(rc))),
        LOG_S("sqlite", str_c(sqlite3_errmsg(w->db.handle))));
}

/* One job within the transaction: all of it or nothing. False: the transaction is lost. */
static bool run_job(sqlite_writer_t *w, sqlite_job_t *job)
{
    job->rc = sqlite_run_fixed(&w->db, STMT_SAVEPOINT);
    if (job->rc != RC_OK)
        return false;
    job->rc = carry_out(w, job);
    if (job->rc != RC_OK && job->rc != RC_CONFLICT && job->rc != RC_LIMIT)
        complain(w, job->rc);
    if (!sqlite_is_open(&w->db))
        return false;
    if (job->rc != RC_OK && sqlite_run_fixed(&w->db, STMT_ROLLBACK_TO) != RC_OK)
        return false;
    return sqlite_run_fixed(&w->db, STMT_RELEASE) == RC_OK;
}

/* Ends what a failure left open. Should this fail too, the next batch tries again. */
static void roll_back(sqlite_writer_t *w)
{
    rc_t ignored = sqlite_is_open(&w->db) ? sqlite_run_fixed(&w->db, STMT_ROLLBACK) : RC_OK;
    (void)ignored;
}

static void fail_all(sqlite_writer_t *w, sqlite_job_t *batch, rc_t rc)
{
    complain(w, rc);
    roll_back(w);
    for (sqlite_job_t *job = batch; job; job = job->next)
        job->rc = rc;
}

static void note_generation(sqlite_writer_t *w)
{
    uint64_t generation;
    if (!w->db.generation_grew)
        return;
    w->db.generation_grew = false;
    if (sqlite_generation(&w->db, &generation) == RC_OK)
        atomic_store(&w->generation, generation);
}

/* The lock is waited for until the one that waits longest has waited SQLITE_WAIT_MS. */
static rc_t begin(sqlite_writer_t *w, const sqlite_job_t *batch)
{
    int64_t left = batch->since + SQLITE_WAIT_MS - sqlite_mono_ms();
    w->db.wait_ms = left > LEAST_WAIT_MS ? left : LEAST_WAIT_MS;
    rc_t rc = sqlite_run_fixed(&w->db, STMT_BEGIN);
    w->db.wait_ms = SQLITE_WAIT_MS;
    return rc;
}

/* Somebody holds the lock: those who came later wait on, before all that came since. */
static void give_back_young(sqlite_writer_t *w, sqlite_job_t *batch)
{
    int64_t until = sqlite_mono_ms() - SQLITE_WAIT_MS;
    sqlite_job_t *last = batch;
    while (last->next && last->next->since <= until)
        last = last->next;
    sqlite_job_t *young = last->next, **end = &young;
    last->next = NULL;
    pthread_mutex_lock(&w->lock);
    for (; *end; end = &(*end)->next)
        w->waiting++;
    *end = w->first;
    if (!w->first)
        w->last = end == &young ? &w->first : end;
    w->first = young;
    pthread_mutex_unlock(&w->lock);
}

static void run_batch(sqlite_writer_t *w, sqlite_job_t *batch)
{
    roll_back(w);
    rc_t rc = begin(w, batch);
    if (rc == RC_BUSY)
        give_back_young(w, batch);
    if (rc != RC_OK) {
        fail_all(w, batch, rc);
        return;
    }
    for (sqlite_job_t *job = batch; job; job = job->next) {
        if (!run_job(w, job)) {
            fail_all(w, batch, job->rc == RC_MEMORY ? RC_MEMORY : RC_IO);
            return;
        }
    }
    rc = sqlite_run_fixed(&w->db, STMT_COMMIT);
    if (rc != RC_OK)
        fail_all(w, batch, rc);
    note_generation(w);
    /* Keys that went leave the files before anybody hears that they are gone. */
    if (w->db.keys_went && !w->db_lock)
        sqlite_log_look(&w->write_ahead, &w->db, w->log);
}

static void tell(void *arg)
{
    sqlite_job_t *job = arg;
    job->done(job->ctx, job->rc, job->failed);
    free(job);
}

/* The worker's queue is bounded and drains by itself; a loop that has ended wants no answer. */
static void post_back(sqlite_job_t *job)
{
    static const struct timespec SHORT = {0, 200000};
    rc_t rc;
    while ((rc = job->back.post(job->back.ctx, tell, job)) == RC_BUSY)
        nanosleep(&SHORT, NULL);
    if (rc != RC_OK)
        free(job);
}

/* Until a job comes, or it is over, or the log is to be looked after. */
static void wait_for_jobs(sqlite_writer_t *w)
{
    int64_t at = sqlite_log_look_at(&w->write_ahead, &w->db);
    struct timespec until = {at / 1000, at % 1000 * 1000000};
    while (!w->first && !w->stopping && (at == 0 || sqlite_mono_ms() < at)) {
        if (at == 0)
            pthread_cond_wait(&w->filled, &w->lock);
        else
            pthread_cond_timedwait(&w->filled, &w->lock, &until);
    }
}

/* Takes up to BATCH_MAX jobs, or none. False: it is over. */
static bool take_batch(sqlite_writer_t *w, sqlite_job_t **out)
{
    pthread_mutex_lock(&w->lock);
    wait_for_jobs(w);
    bool over = w->stopping && !w->first;
    sqlite_job_t *batch = w->first, **end = &w->first;
    for (size_t n = 0; *end && n < BATCH_MAX; n++) {
        end = &(*end)->next;
        w->waiting--;
    }
    w->first = *end;
    *end = NULL;
    if (!w->first)
        w->last = &w->first;
    pthread_mutex_unlock(&w->lock);
    *out = batch;
    return !over;
}

static void *write_until_stopped(void *arg)
{
    sqlite_writer_t *w = arg;
    sqlite_job_t *batch;
    while (take_batch(w, &batch)) {
        if (w->db_lock)
            pthread_mutex_lock(w->db_lock);
        if (batch)
            run_batch(w, batch);
        if (w->db_lock)
            pthread_mutex_unlock(w->db_lock);
        for (sqlite_job_t *job = batch, *next; job; job = next) {
            next = job->next;
            post_back(job);
        }
        if (!w->db_lock)
            sqlite_log_look(&w->write_ahead, &w->db, w->log);
    }
    return NULL;
}

/* Timed waits must not follow a clock that is set. */
static bool make_condition(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(cond, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return made;
}

rc_t sqlite_writer_start(sqlite_writer_t *w)
{
    uint64_t generation;
    TRY(sqlite_generation(&w->db, &generation));
    atomic_init(&w->generation, generation);
    w->last = &w->first;
    if (!w->db_lock)
        sqlite_log_follow(&w->db);
    if (pthread_mutex_init(&w->lock, NULL) != 0)
        return RC_MEMORY;
    if (!make_condition(&w->filled)) {
        pthread_mutex_destroy(&w->lock);
        return RC_MEMORY;
    }
    if (pthread_create(&w->thread, NULL, write_until_stopped, w) != 0) {
        pthread_cond_destroy(&w->filled);
        pthread_mutex_destroy(&w->lock);
        return RC_MEMORY;
    }
    return RC_OK;
}

void sqlite_writer_stop(sqlite_writer_t *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->filled);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->filled);
    pthread_mutex_destroy(&w->lock);
}

rc_t sqlite_writer_push(sqlite_writer_t *w, const sqlite_job_t *job)
{
    sqlite_job_t *copy = malloc(sizeof *copy);
    if (!copy)
        return RC_MEMORY;
    *copy = *job;
    copy->next = NULL;
    copy->since = sqlite_mono_ms();
    pthread_mutex_lock(&w->lock);
    bool fits = w->waiting < LIMIT_STORE_JOBS;
    if (fits) {
        *w->last = copy;
        w->last = &copy->next;
        w->waiting++;
        pthread_cond_signal(&w->filled);
    }
    pthread_mutex_unlock(&w->lock);
    if (!fits)
        free(copy);
    return fits ? RC_OK : RC_BUSY;
}
