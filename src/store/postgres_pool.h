/* The connections of one process to its PostgreSQL server, and the one thread that serves them all.
 * Jobs of all workers go to the connection that has least to do, many at once on each (pipeline
 * mode). What it does about a server that is away:
 *   - connections are made anew, with growing pauses, beside the work, at every host at once;
 *   - while none is up, jobs fail at once (RC_IO), so that callers are told to come again;
 *   - a job whose connection was lost is sent again until its time is over. One that writes and may
 *     have been committed is sent again as well: where its preconditions then fail, its witness
 *     tells whether it was itself that was faster (RC_OK) or, for want of one, that nobody knows
 *     (RC_IO);
 *   - a server that is silent past a job's time is taken for gone: the connection is cut. What only
 *     waits for a lock is ended by the server before that, and answered RC_IO: it was undone.
 * Behind a proxy that pools transactions nothing is prepared, no session is relied upon, and each
 * connection carries one transaction at a time. Internal to the driver. */
#ifndef STORE_POSTGRES_POOL_H
#define STORE_POSTGRES_POOL_H

#include "store/postgres_job.h"

typedef struct postgres_pool postgres_pool_t;

/** Connects once, blocking, to see that all is well, brings the schema up to date, starts the
 * thread. *why as in store_open. */
rc_t postgres_pool_open(arena_t *a, const store_config_t *config, postgres_pool_t **out,
                        str_t *why) MUST_USE;
/** Waits for what is under way, each at most until its time is over, then ends the threads. No job
 * is pushed any more. */
void postgres_pool_close(postgres_pool_t *pool);

/** Takes the job: job->done will run, and then, or where its loop is gone, the pool frees it. Any
 *  thread. RC_BUSY: too many wait; RC_IO: no server is up; RC_MEMORY. The job is the caller's then.
 */
rc_t postgres_pool_push(postgres_pool_t *pool, postgres_job_t *job) MUST_USE;

/** The newest generation that anybody here has seen, or an older one of a server that took over and
 *  knows no newer; at most STORE_GENERATION_MS and a way to the
 *  server and back old, while it is asked for at least once a second; else up to a second older.
 *  Any thread, never waits. */
uint64_t postgres_pool_generation(postgres_pool_t *pool);
/** Tells it of one: the pool does so for each answer that bears one, before it hands that back. */
void postgres_pool_note_generation(postgres_pool_t *pool, uint64_t generation);

/** As store_health. */
void postgres_pool_health(postgres_pool_t *pool, store_health_t *out);

/** A connection for one who blocks (upkeep.h), with the settings of the pool. NULL: *why says it.
 */
PGconn *postgres_connect_once(arena_t *a, const store_config_t *config, str_t *why);
/** The same by the settings of an open pool. */
PGconn *postgres_pool_connect_once(const postgres_pool_t *pool, arena_t *a, str_t *why);

#endif
