/* What nobody uses any more. */
#include "store/postgres_effects.h"

rc_t postgres_plan_forget(postgres_job_t *job, const store_forget_t *f)
{
    postgres_plan_t plan = postgres_plan_of(job, POSTGRES_WRITE);
    const postgres_values_t values = VALUES(VALUE_I(f->now), VALUE_I(f->before), VALUE_I(f->limit));
    TRY(postgres_add(&plan, POSTGRES_FORGET_CONSENTS, values));
    return postgres_add(&plan, POSTGRES_FORGET_CLIENTS, values);
}

static rc_t read_text(arena_t *a, postgres_cell_t at, str_t *out)
{
    *out = STR_UNSET;
    if (PQgetisnull(at.r, at.row, at.column))
        return RC_OK;
    *out = arena_dup(a, str_of(PQgetvalue(at.r, at.row, at.column),
                               (size_t)PQgetlength(at.r, at.row, at.column)));
    return str_is_set(*out) ? RC_OK : RC_MEMORY;
}

static rc_t read_row(arena_t *a, const PGresult *r, int row, store_forgotten_t *out)
{
    TRY(read_text(a, (postgres_cell_t){r, row, 1}, &out->client_id));
    TRY(read_text(a, (postgres_cell_t){r, row, 2}, &out->user_id));
    return read_text(a, (postgres_cell_t){r, row, 3}, &out->resource);
}

/* A row of NULLs where nothing was deleted. */
static rc_t read_rows(arena_t *a, const PGresult *r, store_forgotten_t *gone, size_t *n)
{
    for (int row = 0; row < PQntuples(r); row++) {
        TRY(read_row(a, r, row, &gone[*n]));
        *n += str_is_set(gone[*n].client_id);
    }
    return RC_OK;
}

rc_t postgres_read_forgotten(const postgres_job_t *job, store_forget_t *f, size_t *looked)
{
    size_t room = 1;
    *looked = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        int64_t n = 0;
        if (!job->results[i] || PQnfields(job->results[i]) != 4)
            return RC_IO;
        TRY(postgres_read_number((postgres_cell_t){job->results[i], 0, 0}, &n));
        *looked += (size_t)n;
        room += (size_t)PQntuples(job->results[i]);
    }
    store_forgotten_t *gone = ARENA_ARRAY(f->a, room, store_forgotten_t);
    if (!gone)
        return RC_MEMORY;
    f->gone = gone;
    f->n = 0;
    for (size_t i = 0; i < job->n_steps; i++)
        TRY(read_rows(f->a, job->results[i], gone, &f->n));
    return RC_OK;
}
