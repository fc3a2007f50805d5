/* The one thread that writes: all jobs that wait become one transaction, each behind a savepoint of
 * its own, with one sync of the disk. Internal to the driver. */
#ifndef STORE_SQLITE_WRITER_H
#define STORE_SQLITE_WRITER_H

#include "store/sqlite_log.h"

#include <pthread.h>
#include <stdatomic.h>

/* One call that waits. Made by sqlite_writer_push, freed after `done`. */
typedef struct sqlite_job {
    struct sqlite_job *next;
    const effects_t *effects; /* NULL: forget or expire */
    store_forget_t *forget;   /* NULL: expire */
    store_expire_t *expire;
    post_port_t back;
    store_done_t done;
    void *ctx;
    int64_t since; /* it waits; monotonic ms */
    rc_t rc;
    size_t failed;
} sqlite_job_t;

typedef struct {
    sqlite_db_t db;
    pthread_mutex_t *db_lock; /* held while db is used; NULL: db is this thread's alone */
    const log_t *log;
    atomic_uint_fast64_t generation; /* as of the last commit here */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    sqlite_job_t *first, **last;
    size_t waiting;
    bool stopping;

    sqlite_log_t write_ahead; /* the thread's alone */
} sqlite_writer_t;

/** Starts the thread; w->db is open, db_lock and log are set, the rest is zero. */
rc_t sqlite_writer_start(sqlite_writer_t *w) MUST_USE;
/** Ends it after all that waits is written. */
void sqlite_writer_stop(sqlite_writer_t *w);
/** Queues a copy of `job`; its `done` runs on the thread of `back`. RC_BUSY: too many wait. */
rc_t sqlite_writer_push(sqlite_writer_t *w, const sqlite_job_t *job) MUST_USE;

#endif
