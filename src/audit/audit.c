/* The queue and the one thread that writes: all events that wait become one write and one sync. */
#include "audit/audit.h"

#include "audit/chain.h"
#include "audit/file.h"
#include "core/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

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
    audit_file_t file; /* the thread's alone */
    char *batch;       /* LIMIT_AUDIT_BATCH_BYTES */
    clock_port_t clock;
    const log_t *log;

    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t filled;
    job_t *first, **last;
    size_t waiting; /* bytes */
    bool stopping;
};

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

/* Takes all that waits; NULL: it is over. */
static job_t *take_all(audit_t *t)
{
    pthread_mutex_lock(&t->lock);
    while (!t->first && !t->stopping)
        pthread_cond_wait(&t->filled, &t->lock);
    job_t *jobs = t->first;
    t->first = NULL;
    t->last = &t->first;
    t->waiting = 0;
    pthread_mutex_unlock(&t->lock);
    return jobs;
}

/* Writes as many lines from the front as one batch holds; returns the jobs that are left over. */
static job_t *write_lines(job_t *jobs, buf_t *b, audit_head_t *head)
{
    job_t **at = &jobs;
    while (*at && b->max - b->n >= LIMIT_AUDIT_LINE_BYTES) {
        audit_line_write(b, head, str_of((*at)->body, (*at)->n));
        at = &(*at)->next;
    }
    job_t *left = *at;
    *at = NULL;
    return left;
}

static rc_t write_batch(audit_t *t, job_t *jobs, job_t **left)
{
    *left = NULL;
    TRY(audit_file_lock(&t->file));
    audit_head_t head = t->file.head;
    buf_t b = buf_fixed(t->batch, LIMIT_AUDIT_BATCH_BYTES);
    str_t lines;
    *left = write_lines(jobs, &b, &head);
    rc_t rc = buf_done(&b, &lines);
    if (rc == RC_OK)
        rc = audit_file_write(&t->file, lines, &head);
    audit_file_unlock(&t->file);
    return rc;
}

static void *write_until_stopped(void *arg)
{
    audit_t *t = arg;
    job_t *jobs;
    while ((jobs = take_all(t))) {
        for (job_t *left; jobs; jobs = left) {
            rc_t rc = write_batch(t, jobs, &left);
            post_all(jobs, rc);
        }
    }
    return NULL;
}

static rc_t start(audit_t *t)
{
    t->last = &t->first;
    if (pthread_mutex_init(&t->lock, NULL) != 0)
        return RC_MEMORY;
    if (pthread_cond_init(&t->filled, NULL) != 0) {
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
static void log_head(const audit_t *t, str_t msg)
{
    char text[LIMIT_AUDIT_TEXT_BYTES];
    buf_t b = buf_fixed(text, sizeof text);
    audit_head_write(&b, &t->file.head);
    log_field_t fields[] = {LOG_S("file", str_c(t->path)), LOG_S("head", buf_str(&b))};
    log_write(t->log, LOG_INFO, msg, fields, 2);
}

static void release(audit_t *t)
{
    free(t->batch);
    free(t->path);
    free(t);
}

static audit_t *make(const audit_config_t *config)
{
    audit_t *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->path = strndup(config->path.p, config->path.n);
    t->batch = malloc(LIMIT_AUDIT_BATCH_BYTES);
    t->clock = config->clock;
    t->log = config->log;
    t->file = (audit_file_t){.path = t->path, .log = t->log};
    if (t->path && t->batch)
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
    rc_t rc = audit_file_open(&(*out)->file, a, why);
    if (rc == RC_OK && start(*out) != RC_OK) {
        audit_file_close(&(*out)->file);
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
    audit_file_close(&t->file);
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
        done(ctx, rc);
        return;
    }
    job->next = NULL;
    job->back = back;
    job->done = done;
    job->ctx = ctx;
    job->rc = RC_BUSY; /* unless it is taken: then it is the writing thread's */
    if (push(t, job) == RC_BUSY && back.post(back.ctx, tell, job) != RC_OK)
        tell(job);
}
