#include "store/postgres_conn.h"

#include "store/postgres_plan.h"

#include <stdio.h>
#include <string.h>

/* A setting of the transaction that a rollback ends as well, and that needs no BEGIN: an error
 * would leave such a block open, for whatever is sent behind it. */
const postgres_lead_t POSTGRES_ONE_VIEW = {"warder_one_view",
                                           "SET transaction_isolation = 'repeatable read'"};
/* Each statement sees what others have done until then: after a wait for a lock, too. A session of
 * ours says so once; behind a proxy it is the role's or the database's own setting that counts. */
static const postgres_lead_t OWN_VIEWS = {NULL, "SET transaction_isolation = 'read committed'"};
const postgres_lead_t POSTGRES_FOLLOWS = {"warder_follows", "SELECT pg_is_in_recovery()"};

enum { OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25 };

void postgres_conn_begin(postgres_conn_t *c, PGconn *pg)
{
    c->pg = pg;
    c->blocked = c->lost = c->dead = c->was_end = c->probing = false;
    c->first = NULL;
    c->last = &c->first;
    c->depth = 0;
    c->step = 0;
    c->leading = 0;
    c->answer = (postgres_answer_t){0};
    memset(c->known, POSTGRES_UNKNOWN, sizeof c->known);
}

void postgres_conn_end(postgres_conn_t *c)
{
    PQfinish(c->pg);
    c->pg = NULL;
}

rc_t postgres_results_room(postgres_job_t *job)
{
    job->results = ARENA_ARRAY(job->a, job->n_steps, PGresult *);
    job->texts = ARENA_ARRAY(job->a, job->n_steps, postgres_stmt_t);
    return job->results && job->texts ? RC_OK : RC_MEMORY;
}

void postgres_results_clear(postgres_job_t *job)
{
    for (size_t i = 0; job->results && i < job->n_steps; i++) {
        PQclear(job->results[i]);
        job->results[i] = NULL;
    }
}

static int send_lead(postgres_conn_t *c, const postgres_lead_t *lead)
{
    if (c->prepared && lead->name)
        return PQsendQueryPrepared(c->pg, lead->name, 0, NULL, NULL, NULL, 1);
    return PQsendQueryParams(c->pg, lead->sql, 0, NULL, NULL, NULL, NULL, 1);
}

/* Behind a proxy no session keeps settings, so each write brings them: what waits for a lock must
 * end by itself, as nobody can tell it to, and what is answered must be durable. */
static int send_settings(postgres_conn_t *c)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT set_config('statement_timeout', '%lld', true), CASE "
             "current_setting('synchronous_commit') WHEN 'off' THEN "
             "set_config('synchronous_commit', 'on', true) END",
             (long long)c->timeout_ms);
    return PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 0);
}

int postgres_types(const char *letters, Oid *out)
{
    int n = 0;
    for (; letters[n]; n++)
        out[n] = letters[n] == 'i' ? OID_INT8 : letters[n] == 'b' ? OID_BYTEA : OID_TEXT;
    return n;
}

static bool goes_by_name(const postgres_conn_t *c, const postgres_job_t *job, postgres_stmt_t stmt)
{
    unsigned i = 0;
    if (!c->prepared || c->known[stmt] == POSTGRES_KNOWN)
        return c->prepared;
    while (i < job->n_texts && job->texts[i] != stmt)
        i++;
    return i < job->n_texts;
}

static int send_step(postgres_conn_t *c, const postgres_job_t *job, const postgres_step_t *step)
{
    const postgres_text_t *text = &POSTGRES_TEXTS[step->stmt];
    const char *values[POSTGRES_ARGS_MAX];
    int lengths[POSTGRES_ARGS_MAX], formats[POSTGRES_ARGS_MAX];
    Oid types[POSTGRES_ARGS_MAX];
    int n = postgres_types(text->types, types);
    for (int i = 0; i < n; i++) {
        values[i] = step->args[i].p;
        lengths[i] = step->args[i].n;
        formats[i] = 1;
    }
    if (goes_by_name(c, job, step->stmt))
        return PQsendQueryPrepared(c->pg, text->name, n, values, lengths, formats, 1);
    return PQsendQueryParams(c->pg, text->sql, n, types, values, lengths, formats, 1);
}

static bool brings_settings(const postgres_conn_t *c, const postgres_job_t *job)
{
    return job->kind == POSTGRES_WRITE && !job->asking && !c->direct;
}

/* In the job's own transaction: where the server refuses one, nothing of the job is done. */
static bool send_texts(postgres_conn_t *c, postgres_job_t *job, const postgres_step_t *steps,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        postgres_stmt_t stmt = steps[i].stmt;
        const postgres_text_t *text = &POSTGRES_TEXTS[stmt];
        Oid types[POSTGRES_ARGS_MAX];
        if (c->known[stmt] != POSTGRES_UNKNOWN)
            continue;
        if (!PQsendPrepare(c->pg, text->name, text->sql, postgres_types(text->types, types), types))
            return false;
        c->known[stmt] = POSTGRES_TOLD;
        job->texts[job->n_texts++] = stmt;
    }
    return true;
}

/* How many statements stand before the job's own. */
static unsigned leads(const postgres_conn_t *c, const postgres_job_t *job)
{
    return job->n_texts + (job->probe ? 1u : 0) + (job->kind == POSTGRES_READ_VIEW ? 1u : 0) +
           (brings_settings(c, job) ? 2u : 0);
}

static bool send_leads(postgres_conn_t *c, const postgres_job_t *job)
{
    if (job->kind == POSTGRES_READ_VIEW && !send_lead(c, &POSTGRES_ONE_VIEW))
        return false;
    if (brings_settings(c, job) && !(send_lead(c, &OWN_VIEWS) && send_settings(c)))
        return false;
    return !job->probe || send_lead(c, &POSTGRES_FOLLOWS);
}

static bool send_all(postgres_conn_t *c, postgres_job_t *job)
{
    const postgres_step_t *steps = job->asking ? &job->witness : job->steps;
    size_t n = job->asking ? 1 : job->n_steps;
    if (!send_leads(c, job) || (c->prepared && !send_texts(c, job, steps, n)))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!send_step(c, job, &steps[i]))
            return false;
    }
    return PQpipelineSync(c->pg) == 1;
}

/* Makes the next job in flight the one whose answer comes. */
static void turn_to_first(postgres_conn_t *c)
{
    c->step = 0;
    c->answer = (postgres_answer_t){0};
    if (!c->first)
        c->last = &c->first;
    else
        c->leading = leads(c, c->first);
}

void postgres_conn_flush(postgres_conn_t *c)
{
    int rest = PQflush(c->pg);
    c->blocked = rest == 1;
    c->lost = c->lost || rest < 0;
}

void postgres_conn_send(postgres_conn_t *c, postgres_job_t *job, int64_t now_ms)
{
    job->next = NULL;
    job->at_ms = now_ms;
    job->tries++;
    job->n_texts = 0;
    *c->last = job;
    c->last = &job->next;
    c->probing = c->probing || job->probe;
    /* A job that went out in part would become one with the next: nothing more goes out here. */
    if (!send_all(c, job))
        c->lost = true;
    else
        postgres_conn_flush(c);
    if (c->depth++ == 0)
        turn_to_first(c);
}

void postgres_conn_read(postgres_conn_t *c)
{
    /* What came before the end is still good: postgres_conn_next reads it. */
    if (PQconsumeInput(c->pg) == 0)
        c->lost = true;
}

static postgres_stmt_t statement_of(const postgres_conn_t *c, size_t *part)
{
    const postgres_job_t *job = c->first;
    if (job->asking)
        return job->witness.stmt;
    /* Behind the last: the error is the commit's. */
    size_t step = c->step < job->n_steps ? c->step : job->n_steps - 1;
    *part = job->steps[step].part;
    return job->steps[step].stmt;
}

static void take_error(postgres_conn_t *c, const PGresult *r)
{
    postgres_answer_t *answer = &c->answer;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    postgres_trouble_t trouble =
        postgres_trouble(state, severity && strcmp(severity, "ERROR") != 0);
    if (trouble == POSTGRES_GONE)
        c->lost = true;
    if (!state)
        c->dead = true;
    if (answer->rc != RC_OK || answer->trouble != POSTGRES_FINE)
        return;
    answer->trouble = trouble;
    answer->rc = postgres_refusal(statement_of(c, &answer->part), state);
}

static void take_rows(postgres_conn_t *c, PGresult *r)
{
    postgres_job_t *job = c->first;
    bool own = c->leading == 0;
    if (!own && job->probe && PQntuples(r) == 1 && *PQgetvalue(r, 0, 0) != 0)
        c->answer.trouble = POSTGRES_READ_ONLY;
    if (own && job->asking)
        c->answer.found = PQntuples(r) > 0;
    if (own && !job->asking && c->step < job->n_steps && !job->results[c->step])
        job->results[c->step] = r;
    else
        PQclear(r);
}

/* The texts come last of what leads. */
static void end_text(postgres_conn_t *c)
{
    const postgres_job_t *job = c->first;
    bool good = c->answer.rc == RC_OK && c->answer.trouble == POSTGRES_FINE;
    if (c->leading > 0 && c->leading <= job->n_texts)
        c->known[job->texts[job->n_texts - c->leading]] = good ? POSTGRES_KNOWN : POSTGRES_UNKNOWN;
}

/* Each statement yields a result, and a NULL that ends it. More of them come when all is over. */
static void end_statement(postgres_conn_t *c)
{
    if (c->was_end)
        c->dead = c->lost = true;
    end_text(c);
    if (c->leading > 0)
        c->leading--;
    else
        c->step++;
}

/* Whether `r` ends the job. Takes `r` over. */
static bool take(postgres_conn_t *c, PGresult *r)
{
    ExecStatusType status = r ? PQresultStatus(r) : PGRES_EMPTY_QUERY;
    if (!r)
        end_statement(c);
    c->was_end = !r;
    if (!r)
        return false;
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        take_rows(c, r);
    else if (status == PGRES_FATAL_ERROR) {
        take_error(c, r);
        PQclear(r);
    } else
        PQclear(r); /* PGRES_PIPELINE_ABORTED, of statements behind an error; PGRES_PIPELINE_SYNC */
    return status == PGRES_PIPELINE_SYNC;
}

static postgres_job_t *take_off(postgres_conn_t *c)
{
    postgres_job_t *job = c->first;
    c->first = job->next;
    job->next = NULL;
    c->depth--;
    c->probing = c->probing && !job->probe;
    return job;
}

postgres_job_t *postgres_conn_next(postgres_conn_t *c, postgres_answer_t *out)
{
    bool ended = false;
    while (c->first && !ended && !c->dead && !PQisBusy(c->pg))
        ended = take(c, PQgetResult(c->pg));
    if (!ended)
        return NULL;
    *out = c->answer;
    postgres_job_t *job = take_off(c);
    turn_to_first(c);
    return job;
}

postgres_job_t *postgres_conn_shed(postgres_conn_t *c)
{
    postgres_job_t *all = c->first;
    for (postgres_job_t *job = all; job; job = job->next)
        postgres_results_clear(job);
    c->first = NULL;
    c->depth = 0;
    c->probing = false;
    turn_to_first(c);
    return all;
}
