/* One connection of the pool: jobs go out one behind the other without waiting for answers
 * (pipeline mode), and are taken off as their answers come. Used by the pool's thread alone;
 * nothing here blocks. Internal to the driver. */
#ifndef STORE_POSTGRES_CONN_H
#define STORE_POSTGRES_CONN_H

#include "store/postgres_rules.h"

/* What the server of a connection knows of a statement. A text is sent with the first job that uses
 * it: most connections use few of them, and each costs both sides time and memory. */
typedef enum {
    POSTGRES_UNKNOWN,
    POSTGRES_TOLD, /* its text is on its way: whoever comes before the answer sends it as well */
    POSTGRES_KNOWN,
} postgres_known_t;

typedef struct {
    PGconn *pg;         /* NULL: there is none, the rest is meaningless then */
    bool prepared;      /* statements go by their names, once their texts have been sent */
    bool direct;        /* no proxy in between: the session's settings are ours */
    bool blocked;       /* the socket did not take all: to be flushed when it does */
    bool lost;          /* it is over: to be closed, after the answers that came before its end */
    bool dead;          /* lost, and no answer comes any more */
    bool was_end;       /* what libpq said last was the end of a statement */
    bool probing;       /* a probe is among the jobs */
    int64_t timeout_ms; /* of statements, where the session cannot keep it */
    int64_t heard_ms;   /* when the last answer came */

    uint8_t known[POSTGRES_STATEMENTS]; /* postgres_known_t */

    /* In flight, in the order of sending. */
    postgres_job_t *first, **last;
    unsigned depth;

    /* What has come of the first one so far. */
    size_t step;
    unsigned
        leading; /* statements of the pool that come before the job's own, still to be answered */
    postgres_answer_t answer;
} postgres_conn_t;

/** Takes over a connection that is in pipeline mode and does not block. */
void postgres_conn_begin(postgres_conn_t *c, PGconn *pg);
/** Closes. No job may be in flight. */
void postgres_conn_end(postgres_conn_t *c);

/** Sends the job, or its witness, as one transaction. The connection is lost where that fails, and
 *  the job is among those in flight all the same: postgres_conn_shed gives it back. */
void postgres_conn_send(postgres_conn_t *c, postgres_job_t *job, int64_t now_ms);
/** Sends on what the socket did not take before. */
void postgres_conn_flush(postgres_conn_t *c);
/** Reads what has come; then postgres_conn_next until NULL. */
void postgres_conn_read(postgres_conn_t *c);
/** The next job that is answered, off the connection, with what was said; NULL: none yet. */
postgres_job_t *postgres_conn_next(postgres_conn_t *c, postgres_answer_t *out);
/** Takes all jobs off a connection that is lost, in their order. */
postgres_job_t *postgres_conn_shed(postgres_conn_t *c);

/** The types of parameters by their letters (postgres_text_t), at most POSTGRES_ARGS_MAX; how many.
 */
int postgres_types(const char *letters, Oid *out);

/** Makes room for what is kept of a job while it is on its way. Before it is sent. RC_MEMORY. */
rc_t postgres_results_room(postgres_job_t *job) MUST_USE;
/** Forgets the results of a job, for another try. */
void postgres_results_clear(postgres_job_t *job);

/** What is sent before the statements of a job. */
typedef struct {
    const char *name; /* as a prepared statement; NULL: it is none */
    const char *sql;
} postgres_lead_t;
/** Where all statements of a job must see one moment. */
extern const postgres_lead_t POSTGRES_ONE_VIEW;
/** Whether this server only follows another. */
extern const postgres_lead_t POSTGRES_FOLLOWS;

#endif
