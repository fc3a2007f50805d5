/* Two ways into the trail: durable events wait in a queue for the one thread that writes and syncs
 * them together; written ones go in at once, and that thread syncs them a little later. */
#include "audit/audit.h"

#include "audit/chain.h"
#include "audit/trail.h"
#include "core/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    SYNC_MS = 100,
    CHECKPOINT_S = 300,
    LOOK_MS = 1000, /* between two looks whether the file is to be rotated */
    EXPIRE_MS = 600000,
    BATCH_EVENTS = 1024,
};

/* One event that waits, its members written out by the caller's thread already. */
typedef struct job {
    struct job *next;
    post_port_t back;
    audit_done_t done;
    void *ctx;
    rc_t rc;
    size_t n;
    char body[];
} job_t;

struct audit {
    char *path;
    audit_trail_t trail;
    clock_port_t clock;
    const log_t *log;
    int64_t sync_ms, checkpoint_ms;
    bool lenient;

    int64_t look_at, checkpoint_at, expire_at; /* the thread's alone; of the monotonic clock */
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t filled;
    job_t *first, **last;
    size_t waiting; /* bytes */
    bool stopping;
    _Atomic int64_t sync_at; /* of the monotonic clock; INT64_MAX: nothing waits for a sync */

    atomic_bool dirty; /* lines were written since the last sync began */
    atomic_uint_fast64_t events, failures;
    atomic_int_fast64_t said_at; /* when a lost event was logged last */
};

static int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What the caller hears of `n` events. With a lenient trail a failure is told to the log, once a
 * second, and to the metrics, and nobody else. */
static rc_t outcome(audit_t *t, rc_t rc, size_t n)
{
    if (rc == RC_OK) {
        atomic_fetch_add(&t->events, n);
        return rc;
    }
    uint64_t lost = atomic_fetch_add(&t->failures, n) + n;
    if (!t->lenient)
        return rc;
    int64_t now = mono_ms(), said = atomic_load(&t->said_at);
    if (now - said >= 1000 && atomic_compare_exchange_strong(&t->said_at, &said, now))
        LOG(t->log, LOG_ERROR, "events are not recorded, and answered all the same",
            LOG_S("why", str_c(rc_name(rc))), LOG_I("lost", (int64_t)lost));
    return RC_OK;
}

static size_t job_bytes(const job_t *job)
{
    return sizeof *job + job->n;
}

static void tell(void *arg)
{
    job_t *job = arg;
    job->done(job->ctx, job->rc);
    free(job);
}

/* The worker's queue is bounded and drains by itself; a loop that has ended wants no answer. */
static void post_back(job_t *job)
{
    static const struct timespec SHORT = {0, 200000};
    rc_t rc;
    while ((rc = job->back.post(job->back.ctx, tell, job)) == RC_BUSY)
        nanosleep(&SHORT, NULL);
    if (rc != RC_OK)
        free(job);
}

static void post_all(job_t *batch, rc_t rc)
{
    for (job_t *next; batch; batch = next) {
        next = batch->next;
        batch->rc = rc;
        post_back(batch);
    }
}

static void wait_until(audit_t *t, int64_t at_ms)
{
    struct timespec until = {at_ms / 1000, at_ms % 1000 * 1000000};
    pthread_cond_timedwait(&t->filled, &t->lock, &until);
}

/* Takes all that waits; NULL: a sync or housekeeping is due. False: it is over. */
static bool take_all(audit_t *t, job_t **jobs)
{
    pthread_mutex_lock(&t->lock);
    while (!t->first && !t->stopping && mono_ms() < t->sync_at && mono_ms() < t->look_at)
        wait_until(t, t->sync_at < t->look_at ? t->sync_at : t->look_at);
    *jobs = t->first;
    bool over = t->stopping && !t->first;
    t->first = NULL;
    t->last = &t->first;
    t->waiting = 0;
    pthread_mutex_unlock(&t->lock);
    return !over;
}

/* Before the sync begins: what is written meanwhile asks for the next one. */
static void expect_sync(audit_t *t)
{
    pthread_mutex_lock(&t->lock);
    t->sync_at = INT64_MAX;
    atomic_store(&t->dirty, false);
    pthread_mutex_unlock(&t->lock);
}

static rc_t sync_all(audit_t *t)
{
    expect_sync(t);
    return audit_trail_sync(&t->trail);
}

/* As many from the front as one batch holds; *left is the rest. */
static size_t collect(job_t *jobs, str_t bodies[BATCH_EVENTS], job_t **left)
{
    size_t n = 0, bytes = 0;
    job_t **at = &jobs;
    while (*at && n < BATCH_EVENTS) {
        bytes += (*at)->n + AUDIT_LINE_FRAME;
        if (n > 0 && bytes > LIMIT_AUDIT_BATCH_BYTES)
            break;
        bodies[n++] = str_of((*at)->body, (*at)->n);
        at = &(*at)->next;
    }
    *left = *at;
    *at = NULL;
    return n;
}

static void write_batch(audit_t *t, job_t *jobs, job_t **left)
{
    str_t bodies[BATCH_EVENTS];
    size_t n = collect(jobs, bodies, left);
    rc_t rc = audit_trail_write(&t->trail, bodies, n, AUDIT_WAIT_EVER);
    if (rc == RC_OK)
        rc = sync_all(t);
    post_all(jobs, outcome(t, rc, n));
}

/* The first line since a sync began says when the next one is due. */
static void ask_for_sync(audit_t *t)
{
    if (atomic_exchange(&t->dirty, true))
        return;
    pthread_mutex_lock(&t->lock);
    t->sync_at = mono_ms() + t->sync_ms;
    pthread_cond_signal(&t->filled);
    pthread_mutex_unlock(&t->lock);
}

/* What failed here was logged, and is tried again. */
static rc_t keep_house(audit_t *t)
{
    int64_t now = mono_ms();
    if (now < t->look_at)
        return RC_OK;
    t->look_at = now + LOOK_MS;
    TRY(audit_trail_rotate(&t->trail));
    rc_t rc = now >= t->checkpoint_at ? audit_trail_checkpoint(&t->trail) : RC_NOT_FOUND;
    if (rc == RC_OK)
        t->checkpoint_at = now + t->checkpoint_ms;
    else if (rc != RC_NOT_FOUND)
        return rc;
    if (now < t->expire_at)
        return RC_OK;
    t->expire_at = now + EXPIRE_MS;
    return audit_trail_expire(&t->trail);
}

static void *write_until_stopped(void *arg)
{
    audit_t *t = arg;
    job_t *jobs;
    while (take_all(t, &jobs)) {
        for (job_t *left; jobs; jobs = left)
            write_batch(t, jobs, &left);
        uint64_t before = audit_trail_checkpoints(&t->trail);
        if (keep_house(t) != RC_OK || audit_trail_checkpoints(&t->trail) != before)
            ask_for_sync(t);
        if (mono_ms() >= t->sync_at)
            sync_all(t);
    }
    rc_t rc = audit_trail_checkpoint(&t->trail);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        log_write(t->log, LOG_ERROR, STR("the end of the audit trail is not signed"), NULL, 0);
    sync_all(t);
    return NULL;
}

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

static rc_t start(audit_t *t)
{
    t->last = &t->first;
    t->sync_at = INT64_MAX;
    if (pthread_mutex_init(&t->lock, NULL) != 0)
        return RC_MEMORY;
    if (!make_condition(&t->filled)) {
        pthread_mutex_destroy(&t->lock);
        return RC_MEMORY;
    }
    if (pthread_create(&t->thread, NULL, write_until_stopped, t) != 0) {
        pthread_cond_destroy(&t->filled);
        pthread_mutex_destroy(&t->lock);
        return RC_MEMORY;
    }
    return RC_OK;
}

/* An end of the chain in the log, which usually leaves the machine, is an anchor to verify by. */
static void log_head(audit_t *t, str_t msg)
{
    char text[LIMIT_AUDIT_TEXT_BYTES];
    buf_t b = buf_fixed(text, sizeof text);
    audit_head_t head = audit_trail_head(&t->trail);
    audit_head_write(&b, &head);
    log_field_t fields[] = {LOG_S("file", str_c(t->path)), LOG_S("head", buf_str(&b))};
    log_write(t->log, LOG_INFO, msg, fields, 2);
}

static void release(audit_t *t)
{
    free(t->path);
    free(t);
}

static audit_t *make(const audit_config_t *config)
{
    audit_t *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->path = strndup(config->path.p, config->path.n);
    t->clock = config->clock;
    t->log = config->log;
    t->sync_ms = config->sync_ms > 0 ? config->sync_ms : SYNC_MS;
    t->checkpoint_ms = (config->checkpoint_s > 0 ? config->checkpoint_s : CHECKPOINT_S) * 1000;
    t->lenient = config->lenient;
    t->said_at = INT64_MIN / 2;
    if (t->path)
        return t;
    release(t);
    return NULL;
}

rc_t audit_open(arena_t *a, const audit_config_t *config, audit_t **out, str_t *why)
{
    *why = STR("out of memory");
    *out = make(config);
    if (!*out)
        return RC_MEMORY;
    const audit_trail_config_t trail = {.path = (*out)->path,
                                        .log = config->log,
                                        .clock = config->clock,
                                        .signer = config->signer,
                                        .rotate_bytes = config->rotate_bytes,
                                        .rotate_s = config->rotate_s,
                                        .keep_s = config->keep_s,
                                        .node = config->node,
                                        .mends_signed = config->mends_signed};
    rc_t rc = audit_trail_open(&(*out)->trail, &trail, a, why);
    if (rc == RC_OK && start(*out) != RC_OK) {
        audit_trail_close(&(*out)->trail);
        *why = STR("no thread for the audit trail; allow the process more threads");
        rc = RC_MEMORY;
    }
    if (rc != RC_OK) {
        release(*out);
        *out = NULL;
        return rc;
    }
    log_head(*out, STR("the audit trail is open"));
    return RC_OK;
}

void audit_close(audit_t *t)
{
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->filled);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->filled);
    pthread_mutex_destroy(&t->lock);
    log_head(t, STR("the audit trail is closed"));
    audit_trail_close(&t->trail);
    release(t);
}

static rc_t job_new(const audit_event_t *e, int64_t now_ms, job_t **out)
{
    str_t body;
    size_t bound = audit_body_bound(e);
    job_t *job = malloc(sizeof *job + bound);
    if (!job)
        return RC_MEMORY;
    buf_t b = buf_fixed(job->body, bound);
    rc_t rc = audit_body_write(&b, e, now_ms, &body);
    if (rc != RC_OK) {
        free(job);
        return rc;
    }
    job->n = body.n;
    memmove(job->body, body.p, body.n);
    job_t *smaller = realloc(job, job_bytes(job));
    *out = smaller ? smaller : job;
    return RC_OK;
}

static rc_t push(audit_t *t, job_t *job)
{
    pthread_mutex_lock(&t->lock);
    bool fits = t->waiting + job_bytes(job) <= LIMIT_AUDIT_QUEUE_BYTES;
    if (fits) {
        *t->last = job;
        t->last = &job->next;
        t->waiting += job_bytes(job);
        pthread_cond_signal(&t->filled);
    }
    pthread_mutex_unlock(&t->lock);
    return fits ? RC_OK : RC_BUSY;
}

void audit_append(audit_t *t, post_port_t back, const audit_event_t *e, audit_done_t done,
                  void *ctx)
{
    job_t *job;
    rc_t rc = job_new(e, t->clock.now_ms(t->clock.ctx), &job);
    if (rc != RC_OK) {
        done(ctx, outcome(t, rc, 1));
        return;
    }
    job->next = NULL;
    job->back = back;
    job->done = done;
    job->ctx = ctx;
    if (push(t, job) == RC_OK)
        return;
    job->rc = outcome(t, RC_BUSY, 1);
    if (back.post(back.ctx, tell, job) != RC_OK)
        tell(job);
}

/* Bodies one behind the other in `b`. */
static rc_t write_bodies(buf_t *b, const audit_event_t *const *events, size_t n, int64_t now_ms,
                         str_t *bodies)
{
    for (size_t i = 0; i < n; i++) {
        buf_t one = buf_fixed(b->p + b->n, b->max - b->n);
        TRY(audit_body_write(&one, events[i], now_ms, &bodies[i]));
        b->n += one.n;
    }
    return RC_OK;
}

static rc_t write_events(audit_t *t, const audit_event_t *const *events, size_t n)
{
    size_t bound = n * sizeof(str_t);
    for (size_t i = 0; i < n; i++)
        bound += audit_body_bound(events[i]);
    str_t *bodies = malloc(bound);
    if (!bodies)
        return RC_MEMORY;
    buf_t b = buf_fixed(bodies + n, bound - n * sizeof(str_t));
    rc_t rc = write_bodies(&b, events, n, t->clock.now_ms(t->clock.ctx), bodies);
    if (rc == RC_OK)
        rc = audit_trail_write(&t->trail, bodies, n, LIMIT_AUDIT_LOCK_MS);
    free(bodies);
    return rc;
}

rc_t audit_write(audit_t *t, const audit_event_t *const *events, size_t n)
{
    if (n == 0)
        return RC_OK;
    rc_t rc = write_events(t, events, n);
    if (rc == RC_OK)
        ask_for_sync(t);
    return outcome(t, rc, n);
}

audit_counts_t audit_counts(audit_t *t)
{
    return (audit_counts_t){.events = atomic_load(&t->events),
                            .failures = atomic_load(&t->failures),
                            .checkpoints = audit_trail_checkpoints(&t->trail)};
}
