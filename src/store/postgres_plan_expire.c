/* What has expired, in small batches. */
#include "store/postgres_effects.h"

#include "core/limits.h"

#include <stdlib.h>

/* Those that delete; in this order, for a family outlives its refresh tokens. */
static const postgres_stmt_t ALL[] = {
    POSTGRES_EXPIRE_SESSION,      POSTGRES_EXPIRE_INTERACTION,
    POSTGRES_EXPIRE_CODE,         POSTGRES_EXPIRE_REFRESH,
    POSTGRES_EXPIRE_FAMILY,       POSTGRES_EXPIRE_CLIENT,
    POSTGRES_EXPIRE_PUSHED,       POSTGRES_EXPIRE_REGISTRATION_TOKEN,
    POSTGRES_EXPIRE_DEVICE,       POSTGRES_EXPIRE_SPENT,
    POSTGRES_EXPIRE_ACCESS_TOKEN, POSTGRES_EXPIRE_REVOKED,
};
enum { N_ALL = sizeof ALL / sizeof ALL[0], FIRST = 1 /* behind what begins */ };

/* Last, for it may take a number for a revocation, which others then wait for. */
static rc_t end_again(postgres_plan_t *plan, int64_t now)
{
    TRY(postgres_add(plan, POSTGRES_AGAIN_CODES, VALUES(VALUE_I(now))));
    TRY(postgres_add(plan, POSTGRES_AGAIN_DEVICES, NO_VALUES));
    TRY(postgres_add(plan, POSTGRES_AGAIN_FAMILIES_ALL, VALUES(VALUE_I(now))));
    TRY(postgres_add(plan, POSTGRES_AGAIN_FAMILIES_CLIENT,
                     VALUES(VALUE_I(now + POSTGRES_REVOKED_S))));
    return postgres_add(plan, POSTGRES_REVOKED_FOLD_LAST,
                        VALUES(VALUE_I(POSTGRES_REVOKED_S), VALUE_I(LIMIT_REVOCATIONS_PERSON)));
}

rc_t postgres_plan_expire(postgres_job_t *job, int64_t now, uint32_t limit)
{
    postgres_plan_t plan = postgres_plan_of(job, POSTGRES_WRITE);
    TRY(postgres_add(&plan, POSTGRES_EXPIRE_BEGIN, VALUES(VALUE_I(limit))));
    for (size_t i = 0; i < N_ALL; i++)
        TRY(postgres_add(&plan, ALL[i], VALUES(VALUE_I(now))));
    return end_again(&plan, now);
}

/* Whether a statement ended as many families as go in a step. */
static bool ended_many(const postgres_job_t *job, size_t step)
{
    const PGresult *r = job->results[step];
    const postgres_stmt_t stmt = job->steps[step].stmt;
    if (stmt != POSTGRES_AGAIN_FAMILIES_ALL && stmt != POSTGRES_AGAIN_FAMILIES_CLIENT)
        return false;
    return r && atoi(PQcmdTuples((PGresult *)(uintptr_t)r)) >= POSTGRES_AT_ONCE;
}

rc_t postgres_read_expired(const postgres_job_t *job, uint32_t limit, size_t *deleted)
{
    *deleted = 0;
    for (size_t i = FIRST; i < FIRST + N_ALL; i++) {
        int64_t n = 0;
        TRY(postgres_read_number((postgres_cell_t){job->results[i], 0, 0}, &n));
        *deleted += (size_t)n;
    }
    for (size_t i = FIRST + N_ALL; i < job->n_steps; i++)
        if (ended_many(job, i))
            *deleted = limit; /* more wait */
    return RC_OK;
}
