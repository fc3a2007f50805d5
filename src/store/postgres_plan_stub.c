#include "store/postgres_plan.h"
postgres_job_t *postgres_job_new(void)
{
    return NULL;
}
void postgres_job_free(postgres_job_t *job)
{
    (void)job;
}
rc_t postgres_plan_ask(postgres_job_t *job, const ask_t *asks, size_t n)
{
    (void)job;
    (void)asks;
    (void)n;
    return RC_IO;
}
rc_t postgres_read_answers(postgres_job_t *job, arena_t *a, ask_t *asks, size_t n)
{
    (void)job;
    (void)a;
    (void)asks;
    (void)n;
    return RC_IO;
}
rc_t postgres_plan_apply(postgres_job_t *job, const effects_t *effects)
{
    (void)job;
    (void)effects;
    return RC_IO;
}
rc_t postgres_plan_expire(postgres_job_t *job, int64_t now, uint32_t limit)
{
    (void)job;
    (void)now;
    (void)limit;
    return RC_IO;
}
rc_t postgres_read_expired(const postgres_job_t *job, size_t *deleted)
{
    (void)job;
    (void)deleted;
    return RC_IO;
}
rc_t postgres_plan_generation(postgres_job_t *job)
{
    (void)job;
    return RC_IO;
}
rc_t postgres_read_generation(const postgres_job_t *job, uint64_t *out)
{
    (void)job;
    (void)out;
    return RC_IO;
}
rc_t postgres_refusal(postgres_stmt_t stmt, const char *sqlstate)
{
    (void)stmt;
    (void)sqlstate;
    return RC_IO;
}
rc_t postgres_migrate(PGconn *pg, arena_t *a, str_t *why)
{
    (void)pg;
    (void)a;
    (void)why;
    return RC_IO;
}
rc_t postgres_prepare_all(PGconn *pg)
{
    (void)pg;
    return RC_IO;
}
