/* A PostgreSQL server for tests, and jobs that are run on one connection, blocking: what the pool
 * does, without it. */
#ifndef STORE_POSTGRES_TEST_RUN_H
#define STORE_POSTGRES_TEST_RUN_H

#include "store/store_test_util.h"

#include "store/postgres_plan.h"

/** Whether the environment names a server by `variable`, WARDER_TEST_POSTGRES or
 *  WARDER_TEST_PGBOUNCER; says so where not. */
bool pg_test_has(const char *variable);
/** The conninfo of a database there that this process made for itself, and drops at its end. */
const char *pg_test_database(const char *variable);
/** A connection to a database that is empty but for its schema; skips the test where there is no
 *  server. */
PGconn *pg_test_begin(void);
/** Connects; asserts. */
PGconn *pg_test_connect(const char *conninfo);
/** Runs SQL that must succeed; the first column of the first row as a number, or 0. */
int64_t pg_test_sql(PGconn *pg, const char *sql);
/** Brings the schema up and empties all tables. */
void pg_test_settle(const char *conninfo);

/** Runs the job until it is done: again after a serialization failure. */
rc_t pg_test_run(PGconn *pg, postgres_job_t *job);
rc_t pg_test_ask(PGconn *pg, arena_t *a, ask_t *asks, size_t n);
rc_t pg_test_apply(PGconn *pg, const effects_t *effects, size_t *failed);
rc_t pg_test_expire(PGconn *pg, int64_t now, uint32_t limit, size_t *deleted);

#endif
