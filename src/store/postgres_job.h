/* One call of the store as statements for a PostgreSQL server: what postgres_plan.h writes and
 * reads and what postgres_pool.h carries to a server and back. Internal to the driver.
 *
 * All statements of a job are sent at once (pipeline mode) and are one transaction: those between
 * two Syncs are, without a BEGIN of their own. A precondition that does not hold is an error of its
 * statement, which undoes the whole: a unique violation (23505), or a division by zero (22012), as
 * in WITH c AS (UPDATE code SET ... WHERE ... RETURNING 1) SELECT 1/count(*) FROM c What that means
 * stands beside the statement (postgres_statements.def). */
#ifndef STORE_POSTGRES_JOB_H
#define STORE_POSTGRES_JOB_H

#include "store/store.h"

#include <libpq-fe.h>

/* STATEMENT(NAME, refusal: NONE, CONFLICT or LIMIT, parameter types, sql). Types: one letter for
 * each parameter, t text, b bytea, i int8; in SQL $1, $2, … */
typedef enum {
#define STATEMENT(name, refusal, types, sql) POSTGRES_##name,
#include "store/postgres_statements.def"
#undef STATEMENT
    POSTGRES_STATEMENTS
} postgres_stmt_t;

/* What 23505 and 22012 of a statement mean. */
typedef enum { POSTGRES_NONE, POSTGRES_CONFLICT, POSTGRES_LIMIT } postgres_refusal_t;

typedef struct {
    const char *name; /* as a prepared statement */
    const char *sql;
    const char *types;
    postgres_refusal_t refusal;
} postgres_text_t;
extern const postgres_text_t POSTGRES_TEXTS[POSTGRES_STATEMENTS];

/** All families as a FROM has them, each with the end that an entry of the revocation list is still
 *  to bring it. */
extern const char POSTGRES_FAMILIES[];
/** Likewise all devices; and the codes that are still good or tell of replays. */
extern const char POSTGRES_DEVICES[];
extern const char POSTGRES_CODES[];

enum { POSTGRES_ARGS_MAX = 40 };

/* A parameter in the binary format. */
typedef struct {
    const char *p; /* NULL: SQL's NULL */
    int n;
} postgres_arg_t;

typedef struct {
    postgres_stmt_t stmt;
    const postgres_arg_t *args; /* as many as the statement has types */
    size_t part;                /* index of the effect, or of the question, that it is for */
} postgres_step_t;

typedef enum {
    POSTGRES_READ,      /* one statement, or several that need no common view */
    POSTGRES_READ_VIEW, /* several that must see one moment: REPEATABLE READ, READ ONLY */
    POSTGRES_WRITE,
} postgres_kind_t;

typedef struct postgres_job postgres_job_t;

/** Made by the driver, run by the pool. `a` holds the job, its steps and what they send, and ends
 *  with it; effects of a store_apply are borrowed. */
struct postgres_job {
    arena_t *a;
    postgres_kind_t kind;
    const postgres_step_t *steps;
    size_t n_steps;
    /* POSTGRES_WRITE: yields a row where these effects are in the database, which nobody but this
     * job can have put there; n 0: there is no such row. For a connection that was lost between the
     * commit and its answer. */
    postgres_step_t witness;
    size_t n_witness; /* 0 or 1 */

    /* The result. */
    rc_t rc;
    size_t failed;       /* as in store_done_t: `part` of the step that was refused */
    PGresult **results;  /* one a step, NULL where it was not reached, or where a witness answered;
                          * cleared with the job, after `done` */
    uint64_t generation; /* READ, READ_VIEW: as of the view, see postgres_plan_ask; else 0 */

    /** Called once, on the thread that `back` posts to, when the result is there. */
    post_port_t back;
    void (*done)(postgres_job_t *job);
    void *owner; /* the driver's */

    /* The pool's own. */
    postgres_job_t *next;
    int64_t until_ms; /* by the clock that never goes back */
    int64_t at_ms;    /* when it was sent; or, while it waits for another try, when that is due */
    unsigned tries;   /* how often it was sent */
    uint64_t known;   /* the newest generation that was known then */
    /* Statements that went out with it to be prepared, for it and all that come behind it. */
    postgres_stmt_t *texts;
    unsigned n_texts;
    bool unsure; /* it was sent whole once, and no answer came */
    bool asking; /* what is sent now is its witness */
    bool probe;  /* the pool asks whether a server is well */
};

#endif
