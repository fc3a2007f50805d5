#include "http/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
    http_job_t what;
    post_port_t back;
} job_t;

struct http_pool {
    pthread_mutex_t lock; /* guards everything below but `threads` */
    pthread_cond_t some;
    bool ending;
    size_t first, count, cap;
    unsigned running; /* threads, set at the start */
    pthread_t *threads;
    job_t jobs[];
};

static bool take(http_pool_t *p, job_t *out)
{
    pthread_mutex_lock(&p->lock);
    while (!p->count && !p->ending)
        pthread_cond_wait(&p->some, &p->lock);
    bool some = !p->ending;
    if (some) {
        *out = p->jobs[p->first];
        p->first = (p->first + 1) % p->cap;
        p->count--;
    }
    pthread_mutex_unlock(&p->lock);
    return some;
}

/* A result must not get lost: while the loop's queue is full, this thread waits, which in turn
 * fills the pool and slows the callers down. */
static void hand_back(const job_t *job)
{
    const struct timespec pause = {0, 1000000};
    while (job->back.post(job->back.ctx, job->what.done, job->what.arg) == RC_BUSY)
        nanosleep(&pause, NULL);
}

static void *pool_main(void *arg)
{
    job_t job;
    while (take(arg, &job)) {
        job.what.work(job.what.arg);
        hand_back(&job);
    }
    return NULL;
}

http_pool_t *http_pool_new(unsigned threads, size_t queue)
{
    http_pool_t *p = calloc(1, sizeof *p + queue * sizeof *p->jobs);
    if (!p || queue == 0) {
        free(p);
        return NULL;
    }
    p->cap = queue;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->some, NULL);
    p->threads = calloc(threads ? threads : 1, sizeof *p->threads);
    while (p->threads && p->running < threads &&
           pthread_create(&p->threads[p->running], NULL, pool_main, p) == 0)
        p->running++;
    if (p->running == threads && threads)
        return p;
    http_pool_free(p);
    return NULL;
}

rc_t http_pool_run(http_pool_t *p, post_port_t back, void (*work)(void *arg),
                   void (*done)(void *arg), void *arg)
{
    const http_job_t job = {work, done, NULL, arg};
    return http_pool_add(p, back, &job);
}

rc_t http_pool_add(http_pool_t *p, post_port_t back, const http_job_t *job)
{
    pthread_mutex_lock(&p->lock);
    bool room = p->count < p->cap && !p->ending;
    if (room)
        p->jobs[(p->first + p->count++) % p->cap] = (job_t){*job, back};
    pthread_cond_signal(&p->some);
    pthread_mutex_unlock(&p->lock);
    return room ? RC_OK : RC_BUSY;
}

static void drop(const job_t *job)
{
    if (job->what.dropped)
        job->what.dropped(job->what.arg);
}

void http_pool_free(http_pool_t *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->some);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->running; i++)
        pthread_join(p->threads[i], NULL);
    for (size_t i = 0; i < p->count; i++)
        drop(&p->jobs[(p->first + i) % p->cap]);
    pthread_cond_destroy(&p->some);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
}
