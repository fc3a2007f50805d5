/* How a job is filled, and what concerns all of them. */
#include "store/postgres_effects.h"

#include "core/limits.h"

#include <assert.h>

postgres_job_t *postgres_job_new(void)
{
    arena_t *a = arena_new(LIMIT_POSTGRES_JOB_BYTES);
    postgres_job_t *job = a ? ARENA_NEW(a, postgres_job_t) : NULL;
    if (!job) {
        arena_free(a);
        return NULL;
    }
    job->a = a;
    return job;
}

void postgres_job_free(postgres_job_t *job)
{
    for (size_t i = 0; job->results && i < job->n_steps; i++)
        PQclear(job->results[i]);
    arena_free(job->a);
}

postgres_plan_t postgres_plan_of(postgres_job_t *job, postgres_kind_t kind)
{
    job->kind = kind;
    return (postgres_plan_t){.job = job};
}

/* A number on its way: eight bytes, the highest first. */
static rc_t write_number(arena_t *a, int64_t i, postgres_arg_t *out)
{
    char *p = arena_alloc(a, sizeof i);
    if (!p)
        return RC_MEMORY;
    for (int at = 0; at < 8; at++)
        p[at] = (char)((uint64_t)i >> (56 - 8 * at));
    *out = (postgres_arg_t){p, sizeof i};
    return RC_OK;
}

bool postgres_is_text(str_t s)
{
    return str_is_utf8(s) && str_find(s, '\0', 0) == s.n;
}

static rc_t write_value(arena_t *a, char type, const postgres_value_t *value, postgres_arg_t *out)
{
    assert((type == 'i') == (value->kind == POSTGRES_VALUE_NUMBER));
    if (type == 'i')
        return write_number(a, value->i, out);
    if (type == 't' && str_is_set(value->s) && !postgres_is_text(value->s))
        return RC_MALFORMED;
    *out = (postgres_arg_t){value->s.p, (int)value->s.n};
    return RC_OK;
}

rc_t postgres_make_step(arena_t *a, postgres_stmt_t stmt, postgres_values_t values,
                        postgres_step_t *out)
{
    const char *types = POSTGRES_TEXTS[stmt].types;
    assert(strlen(types) == values.n);
    postgres_arg_t *args = ARENA_ARRAY(a, values.n + 1, postgres_arg_t);
    if (!args)
        return RC_MEMORY;
    for (size_t i = 0; i < values.n; i++)
        TRY(write_value(a, types[i], &values.v[i], &args[i]));
    *out = (postgres_step_t){.stmt = stmt, .args = args};
    return RC_OK;
}

static rc_t make_room(postgres_plan_t *plan)
{
    enum { FIRST = 16 };
    if (plan->n < plan->room)
        return RC_OK;
    plan->room = plan->room ? 2 * plan->room : FIRST;
    postgres_step_t *steps = ARENA_ARRAY(plan->job->a, plan->room, postgres_step_t);
    if (!steps)
        return RC_MEMORY;
    if (plan->n)
        memcpy(steps, plan->steps, plan->n * sizeof *steps);
    plan->steps = steps;
    plan->job->steps = steps;
    return RC_OK;
}

rc_t postgres_add(postgres_plan_t *plan, postgres_stmt_t stmt, postgres_values_t values)
{
    TRY(make_room(plan));
    TRY(postgres_make_step(plan->job->a, stmt, values, &plan->steps[plan->n]));
    plan->steps[plan->n].part = plan->part;
    plan->job->n_steps = ++plan->n;
    return RC_OK;
}

rc_t postgres_add_record(postgres_plan_t *plan, postgres_stmt_t stmt, table_id_t table,
                         const void *record, postgres_values_t more)
{
    size_t n = (size_t)TABLES[table].n_fields;
    postgres_value_t values[POSTGRES_ARGS_MAX];
    assert(n + more.n <= POSTGRES_ARGS_MAX);
    TRY(postgres_write_record(plan->job->a, table, record, values));
    if (more.n)
        memcpy(values + n, more.v, more.n * sizeof *values);
    return postgres_add(plan, stmt, (postgres_values_t){values, n + more.n});
}

rc_t postgres_plan_generation(postgres_job_t *job)
{
    postgres_plan_t plan = postgres_plan_of(job, POSTGRES_READ);
    return postgres_add(&plan, POSTGRES_GENERATION, NO_VALUES);
}

rc_t postgres_read_generation(const postgres_job_t *job, uint64_t *out)
{
    int64_t value = 0;
    TRY(postgres_read_number((postgres_cell_t){job->results[0], 0, 0}, &value));
    *out = (uint64_t)value;
    return RC_OK;
}

rc_t postgres_refusal(postgres_stmt_t stmt, const char *sqlstate)
{
    str_t state = str_c(sqlstate);
    if (str_eq(state, STR("40001")) || str_eq(state, STR("40P01")))
        return RC_BUSY;
    bool refused = str_eq(state, STR("23505")) || str_eq(state, STR("22012"));
    if (!refused || POSTGRES_TEXTS[stmt].refusal == POSTGRES_NONE)
        return RC_IO;
    return POSTGRES_TEXTS[stmt].refusal == POSTGRES_LIMIT ? RC_LIMIT : RC_CONFLICT;
}
