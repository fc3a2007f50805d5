/* Threads for work that blocks or burns: password hashes, fetches. Bounded: full is an answer. */
#ifndef HTTP_POOL_H
#define HTTP_POOL_H

#include "core/ports.h"

typedef struct http_pool http_pool_t;

/** `threads` threads and at most `queue` waiting jobs. NULL without memory or threads. */
http_pool_t *http_pool_new(unsigned threads, size_t queue);
/** Runs work(arg) on a thread of the pool and then done(arg) on `back`'s loop. RC_BUSY: the queue
 * is full, nothing will run (answer 503 with Retry-After). Any thread. `back` must outlive the
 * pool; when its loop has ended, done does not run. */
rc_t http_pool_run(http_pool_t *p, post_port_t back, void (*work)(void *arg),
                   void (*done)(void *arg), void *arg) MUST_USE;
/** A job that owns something: `dropped` runs on the thread of http_pool_free, in place of both, if
 * it never ran. NULL: nothing is to be given back. */
typedef struct {
    void (*work)(void *arg);
    void (*done)(void *arg);
    void (*dropped)(void *arg);
    void *arg;
} http_job_t;
/** http_pool_run for such a job. */
rc_t http_pool_add(http_pool_t *p, post_port_t back, const http_job_t *job) MUST_USE;
/** Waits for running jobs, drops waiting ones without running them, ends the threads. NULL is
 *  fine. Call after http_server_join and before http_server_free. */
void http_pool_free(http_pool_t *p);

#endif
