#include "store/postgres_rules.h"

/* Errors, by their whole code or by their class (the first two), that say more than that a
 * statement failed. What ends the connection is in the row of `fatal` anyway. */
static const struct {
    const char *sqlstate;
    postgres_trouble_t trouble;
} TROUBLES[] = {
    {"26", POSTGRES_UNPREPARED},    /* the prepared statement does not exist */
    {"42P05", POSTGRES_UNPREPARED}, /* it does, and not by us: a proxy that hides well */
    {"0A000", POSTGRES_STALE},      /* a cached plan must not change its result type */
    {"25006", POSTGRES_READ_ONLY},  /* read-only transaction: a standby, or fenced */
    {"25", POSTGRES_STALE},         /* a transaction that is not in the state it must be in */
    {"08", POSTGRES_GONE},          /* connection exceptions, also a proxy's */
    {"40003", POSTGRES_GONE}, /* nobody knows whether it was committed: distributed services */
    {"57P01", POSTGRES_GONE}, /* the administrator shuts down, or ends this one */
    {"57P02", POSTGRES_GONE}, /* another process of the server crashed */
    {"57P03", POSTGRES_GONE}, /* it cannot connect now */
    {"57P05", POSTGRES_GONE}, /* the session was idle for too long */
};

postgres_trouble_t postgres_trouble(const char *sqlstate, bool fatal)
{
    if (!sqlstate || fatal)
        return POSTGRES_GONE;
    for (size_t i = 0; i < sizeof TROUBLES / sizeof TROUBLES[0]; i++) {
        if (strncmp(sqlstate, TROUBLES[i].sqlstate, strlen(TROUBLES[i].sqlstate)) == 0)
            return TROUBLES[i].trouble;
    }
    return POSTGRES_FINE;
}

void postgres_give_up(postgres_job_t *job)
{
    job->rc = RC_IO;
    job->failed = 0;
}

static postgres_next_t again(postgres_job_t *job, postgres_next_t how)
{
    if (job->tries < POSTGRES_SENDS_MAX)
        return how;
    postgres_give_up(job);
    return POSTGRES_ANSWERED;
}

/* The job may have been carried out by an earlier sending, and this one failed: on what that did,
 * or on anything else. */
static postgres_next_t doubt(postgres_job_t *job)
{
    if (job->n_witness > 0) {
        job->asking = true;
        return again(job, POSTGRES_ASK_WITNESS);
    }
    postgres_give_up(job);
    return POSTGRES_ANSWERED;
}

/* It gave way to another, who is done by now or soon. */
static postgres_next_t after_busy(postgres_job_t *job)
{
    postgres_next_t next = again(job, POSTGRES_LATER);
    if (next == POSTGRES_ANSWERED && !job->unsure)
        job->rc = RC_BUSY;
    return next;
}

static postgres_next_t after_witness(postgres_job_t *job, const postgres_answer_t *answer)
{
    if (answer->rc == RC_BUSY)
        return after_busy(job);
    postgres_give_up(job);
    if (answer->rc == RC_OK && answer->found) {
        job->rc = RC_OK;
        job->unsure = false;
    }
    return POSTGRES_ANSWERED;
}

postgres_next_t postgres_after_answer(postgres_job_t *job, const postgres_answer_t *answer)
{
    /* A proxy may tell of the end of a server and keep its own connection. */
    if (answer->trouble == POSTGRES_GONE)
        job->unsure = job->unsure || job->kind == POSTGRES_WRITE;
    if (answer->trouble != POSTGRES_FINE)
        return again(job, POSTGRES_AGAIN);
    if (job->asking)
        return after_witness(job, answer);
    if (answer->rc == RC_BUSY)
        return after_busy(job);
    if (answer->rc != RC_OK && job->unsure)
        return doubt(job);
    job->rc = answer->rc;
    job->failed = answer->part;
    job->unsure = false;
    return POSTGRES_ANSWERED;
}

postgres_next_t postgres_after_loss(postgres_job_t *job, int64_t now_ms)
{
    job->unsure = job->unsure || job->kind == POSTGRES_WRITE;
    if (now_ms < job->until_ms)
        return again(job, POSTGRES_AGAIN);
    postgres_give_up(job);
    return POSTGRES_ANSWERED;
}

/* Between a half of `most` and `most`, so that those who failed together do not come together. */
static int64_t jitter(int64_t most, uint32_t chance)
{
    return most - (int64_t)(chance % (uint32_t)(most / 2 + 1));
}

int64_t postgres_pause_ms(unsigned failures, uint32_t chance)
{
    int64_t most = POSTGRES_PAUSE_FIRST_MS;
    for (unsigned i = 1; i < failures && most < POSTGRES_PAUSE_MOST_MS; i++)
        most *= 2;
    return jitter(most < POSTGRES_PAUSE_MOST_MS ? most : POSTGRES_PAUSE_MOST_MS, chance);
}

int64_t postgres_yield_ms(unsigned tries, uint32_t chance)
{
    return jitter((int64_t)2 << (tries < 6 ? tries : 6), chance);
}

uint32_t postgres_chance(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}
