/* Questions and effects as statements of PostgreSQL, and rows as records. No connection here but
 * for what prepares a database. Internal to the driver. */
#ifndef STORE_POSTGRES_PLAN_H
#define STORE_POSTGRES_PLAN_H

#include "store/postgres_job.h"
#include "store/upkeep.h"

/** A job with an arena of its own; NULL: no memory. */
postgres_job_t *postgres_job_new(void);
/** Clears the results and ends the arena. */
void postgres_job_free(postgres_job_t *job);

/** The statements that answer `asks`: the first yields the store's generation, and the kind is
 *  READ_VIEW where more than one moment would show. RC_MEMORY. */
rc_t postgres_plan_ask(postgres_job_t *job, const ask_t *asks, size_t n) MUST_USE;
/** Reads the results into the asks, into `a`, and job->generation. RC_IO: not what this program
 *  writes. On the caller's thread. */
rc_t postgres_read_answers(postgres_job_t *job, arena_t *a, ask_t *asks, size_t n) MUST_USE;

/** The statements that carry out `effects`, and the witness. RC_MALFORMED: a text that is not UTF-8
 *  or has a NUL. */
rc_t postgres_plan_apply(postgres_job_t *job, const effects_t *effects) MUST_USE;

/** The statements that delete at most `limit` rows that have expired; each yields how many. Then
 *  those that end families which a revocation ended; the reading gives `limit` where more wait. */
rc_t postgres_plan_expire(postgres_job_t *job, int64_t now, uint32_t limit) MUST_USE;
rc_t postgres_read_expired(const postgres_job_t *job, uint32_t limit, size_t *deleted) MUST_USE;

/** The statements that delete what nobody uses any more, and their answer, into f->a. On the
 *  caller's thread. */
rc_t postgres_plan_forget(postgres_job_t *job, const store_forget_t *f) MUST_USE;
rc_t postgres_read_forgotten(const postgres_job_t *job, store_forget_t *f, size_t *looked) MUST_USE;

/** One statement that yields the generation, and its reading. */
rc_t postgres_plan_generation(postgres_job_t *job) MUST_USE;
rc_t postgres_read_generation(const postgres_job_t *job, uint64_t *out) MUST_USE;

/** What an error of `stmt` means: RC_CONFLICT or RC_LIMIT by the statement's refusal, else RC_BUSY
 *  where the same again may succeed at once (40001, 40P01), else RC_IO. `sqlstate` NULL: RC_IO. */
rc_t postgres_refusal(postgres_stmt_t stmt, const char *sqlstate);

/** Brings the schema up to date, on a connection of nobody else, while other nodes, also of an
 * older version, are at work. Blocks. RC_CONFIG: another program's database, or one that this
 * program is too old for; RC_IO. */
rc_t postgres_migrate(PGconn *pg, arena_t *a, str_t *why) MUST_USE;

#endif
