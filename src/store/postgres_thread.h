/* The inside of the pool: what its thread and those who push share, and what is the thread's alone.
 * Internal to postgres_pool.c and postgres_thread*.c. */
#ifndef STORE_POSTGRES_THREAD_H
#define STORE_POSTGRES_THREAD_H

#include "store/postgres_conn.h"
#include "store/postgres_connector.h"
#include "store/postgres_pool.h"

#include <poll.h>

/* Jobs one behind the other. */
typedef struct {
    postgres_job_t *first, **last;
} postgres_queue_t;

void postgres_queue_init(postgres_queue_t *q);
void postgres_queue_add(postgres_queue_t *q, postgres_job_t *job);
/** Puts a chain of jobs before all others. */
void postgres_queue_add_first(postgres_queue_t *q, postgres_job_t *chain);
postgres_job_t *postgres_queue_take(postgres_queue_t *q);
/** Takes off all for which `picks` holds, in their order. */
postgres_job_t *postgres_queue_pick(postgres_queue_t *q,
                                    bool (*picks)(const postgres_job_t *job, int64_t now_ms),
                                    int64_t now_ms);

struct postgres_pool {
    arena_t *a; /* settings */
    const log_t *log;
    postgres_settings_t settings;
    postgres_connector_t connector;

    /* Anybody's. */
    pthread_mutex_t lock;
    postgres_queue_t inbox; /* under the lock, as the next two */
    bool woken;             /* a byte waits in wake_fd */
    bool stopping;
    int wake_fd;         /* eventfd */
    atomic_uint waiting; /* pushed and not yet posted back */
    atomic_uint up;      /* connections */
    atomic_uint_fast64_t generation, reconnects, retries, unsure, timeouts;
    atomic_int_fast64_t asked_ms; /* when the generation was asked for last */

    /* The thread's own. */
    pthread_t thread;
    postgres_conn_t *conns;    /* settings.connections of them */
    struct pollfd *polled;     /* wake_fd, then one each that is up */
    postgres_queue_t ready;    /* to be sent now */
    postgres_queue_t later;    /* to be sent at job->at_ms */
    postgres_queue_t unposted; /* done; the queue of their loop was full */
    int64_t now_ms;
    int64_t due_ms;   /* not before then is any job's time over */
    int64_t fresh_ms; /* when the generation was heard last */
    int64_t probed_ms;
    int64_t stop_ms; /* when it was told to stop; 0: not yet */
    uint64_t chance;
};

/** postgres_pool_open, which lets the database alone if `migrate` is false. */
rc_t postgres_pool_begin(arena_t *a, const store_config_t *config, bool migrate,
                         postgres_pool_t **out, str_t *why) MUST_USE;

/** Wakes the thread, with a job for it, or NULL. Any thread. */
void postgres_pool_wake(postgres_pool_t *pool, postgres_job_t *job);
/** The body of the thread; `arg` is the pool. */
void *postgres_pool_serve(void *arg);

/** Puts a new connection into an empty place. Before the thread runs, or on it. */
void postgres_pool_take_link(postgres_pool_t *pool, const postgres_link_t *link);

/* postgres_answers.c: what becomes of jobs. */

/** Hands the job back to who pushed it, with job->rc. */
void postgres_job_deliver(postgres_pool_t *pool, postgres_job_t *job);
/** Tries again those whose loop took nothing more. */
void postgres_deliver_rest(postgres_pool_t *pool);
/** Takes all answers that have come on a connection. */
void postgres_take_answers(postgres_pool_t *pool, postgres_conn_t *c);
/** Closes a connection, and asks for another. Its jobs are sent again, as far as they may. */
void postgres_conn_drop(postgres_pool_t *pool, postgres_conn_t *c);
/** Answers jobs whose time is over; a connection that holds one is dropped. */
void postgres_sweep(postgres_pool_t *pool);

#endif
