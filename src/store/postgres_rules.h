/* What the pool decides, apart from doing it: what an error means for its job and for the
 * connection, what becomes of a job, how long to wait. Internal to the driver. */
#ifndef STORE_POSTGRES_RULES_H
#define STORE_POSTGRES_RULES_H

#include "store/postgres_job.h"

enum {
    POSTGRES_DEPTH = 16, /* jobs in flight on one connection: hides the way there and back, and no
                          * more of them are hit when it is lost */
    POSTGRES_SENDS_MAX = 12, /* of one job, whatever the reasons: one that brings down a server
                              * must not bring down the next */
    POSTGRES_PAUSE_FIRST_MS = 50,
    POSTGRES_PAUSE_MOST_MS = 300,
    POSTGRES_STALLED_MS = 50, /* a connection whose first job takes longer gets no more, as long as
                               * others are there: it may wait for a lock */
};

/* What an error of a statement says beyond the job that it belongs to. */
typedef enum {
    POSTGRES_FINE,       /* nothing: it is the job's own, which was undone as a whole */
    POSTGRES_UNPREPARED, /* the server does not know our statements (a proxy gave another
                          * connection): the job was undone, the connection goes on without them */
    POSTGRES_STALE,      /* undone; the connection is to be made anew */
    POSTGRES_READ_ONLY,  /* undone; the server is no longer the one that is written to */
    POSTGRES_GONE,       /* nobody knows what became of the job; the connection is over */
} postgres_trouble_t;

/** `sqlstate` NULL: libpq's own error, about the connection. `fatal`: the server ended the
 *  connection with it. */
postgres_trouble_t postgres_trouble(const char *sqlstate, bool fatal);

/* What comes next for a job. */
typedef enum {
    POSTGRES_ANSWERED, /* job->rc is the answer */
    POSTGRES_AGAIN,    /* send it again now */
    POSTGRES_LATER,    /* send it again after postgres_yield_ms */
    POSTGRES_ASK_WITNESS,
} postgres_next_t;

/* What the server said of a job. */
typedef struct {
    postgres_trouble_t trouble;
    rc_t rc;     /* RC_OK, or postgres_refusal of the first error */
    size_t part; /* of the step that failed */
    bool found;  /* of a witness: there is a row */
} postgres_answer_t;

/** What becomes of a job that was answered; sets rc, failed, and what the next sending needs. */
postgres_next_t postgres_after_answer(postgres_job_t *job, const postgres_answer_t *answer);
/** What becomes of a job whose connection was lost with it. POSTGRES_ANSWERED or POSTGRES_AGAIN. */
postgres_next_t postgres_after_loss(postgres_job_t *job, int64_t now_ms);
/** The answer to a job whose time is over, or that cannot be sent again. */
void postgres_give_up(postgres_job_t *job);

/** How long to wait after so many failures in a row to connect (from 1): grows twofold, up to
 *  POSTGRES_PAUSE_MOST_MS, less up to a half by chance. */
int64_t postgres_pause_ms(unsigned failures, uint32_t chance);
/** How long a job that gave way to another waits before its next try. */
int64_t postgres_yield_ms(unsigned tries, uint32_t chance);
/** The next number of a generator that need not be secret. */
uint32_t postgres_chance(uint64_t *state);

#endif
