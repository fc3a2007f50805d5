#include "store/postgres_test_run.h"

#include "store/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SERVERS = 2, AGAIN = 20 };

/* What this process has made on each server. */
static struct {
    const char *variable;
    char name[32], conninfo[512];
} databases[SERVERS];
static size_t n_databases;
static pid_t owner;

bool pg_test_has(const char *variable)
{
    const char *conninfo = getenv(variable);
    bool has = conninfo && *conninfo;
    if (!has)
        print_message("skipped: %s names no server; script/postgres run starts one\n", variable);
    return has;
}

PGconn *pg_test_connect(const char *conninfo)
{
    PGconn *pg = PQconnectdb(conninfo);
    if (PQstatus(pg) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(pg));
    PQclear(PQexec(pg, "SET client_min_messages=warning"));
    return pg;
}

int64_t pg_test_sql(PGconn *pg, const char *sql)
{
    PGresult *r = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    int64_t n = PQntuples(r) > 0 && PQnfields(r) > 0 ? atoll(PQgetvalue(r, 0, 0)) : 0;
    PQclear(r);
    return n;
}

static void administer(const char *variable, const char *verb, const char *name, const char *end)
{
    char sql[96];
    PGconn *pg = pg_test_connect(getenv(variable));
    snprintf(sql, sizeof sql, "%s %s%s", verb, name, end);
    pg_test_sql(pg, sql);
    PQfinish(pg);
}

/* By the process that made them, not by those that it forked. */
static void drop_all(void)
{
    while (n_databases > 0 && owner == getpid()) {
        n_databases--;
        administer(databases[n_databases].variable, "DROP DATABASE", databases[n_databases].name,
                   " WITH (FORCE)");
    }
}

const char *pg_test_database(const char *variable)
{
    for (size_t i = 0; i < n_databases; i++)
        if (strcmp(databases[i].variable, variable) == 0)
            return databases[i].conninfo;
    assert_true(n_databases < SERVERS);
    if (n_databases == 0)
        atexit(drop_all);
    owner = getpid();
    size_t i = n_databases++;
    databases[i].variable = variable;
    char name[sizeof databases[i].name];
    snprintf(name, sizeof name, "warder_%d_%zu", (int)owner, i);
    memcpy(databases[i].name, name, sizeof name);
    snprintf(databases[i].conninfo, sizeof databases[i].conninfo, "%s dbname=%s", getenv(variable),
             name);
    administer(variable, "CREATE DATABASE", name, "");
    return databases[i].conninfo;
}

/* Deleting few rows is quicker than to truncate. */
void pg_test_settle(const char *conninfo)
{
    str_t why = STR_UNSET;
    arena_t *a = arena_new(1 << 16);
    PGconn *pg = pg_test_connect(conninfo);
    if (postgres_migrate(pg, a, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    for (table_id_t i = 0; i < TABLE_COUNT; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "DELETE FROM \"%s\"", TABLES[i].name);
        pg_test_sql(pg, sql);
    }
    pg_test_sql(pg, "UPDATE quota SET value=0 WHERE value<>0;"
                    "UPDATE meta SET value=1 WHERE name='generation' AND value<>1;"
                    "UPDATE meta SET value=0 WHERE name='revocation' AND value<>0");
    PQfinish(pg);
    arena_free(a);
}

PGconn *pg_test_begin(void)
{
    static const char SERVER[] = "WARDER_TEST_POSTGRES";
    if (!pg_test_has(SERVER))
        skip();
    pg_test_settle(pg_test_database(SERVER));
    return pg_test_connect(pg_test_database(SERVER));
}

static int send_step(PGconn *pg, const postgres_step_t *step)
{
    const postgres_text_t *text = &POSTGRES_TEXTS[step->stmt];
    const char *values[POSTGRES_ARGS_MAX];
    int lengths[POSTGRES_ARGS_MAX], formats[POSTGRES_ARGS_MAX], n = 0;
    Oid types[POSTGRES_ARGS_MAX];
    for (; text->types[n]; n++) {
        values[n] = step->args[n].p;
        lengths[n] = step->args[n].n;
        formats[n] = 1;
        types[n] = text->types[n] == 't' ? 25 : text->types[n] == 'b' ? 17 : 20;
    }
    return PQsendQueryParams(pg, text->sql, n, types, values, lengths, formats, 1);
}

static int send_plain(PGconn *pg, const char *sql)
{
    return PQsendQueryParams(pg, sql, 0, NULL, NULL, NULL, NULL, 1);
}

/* The result of one statement, and its end. */
static PGresult *take(PGconn *pg)
{
    PGresult *r = PQgetResult(pg);
    PGresult *end = r ? PQgetResult(pg) : NULL;
    assert_null(end);
    return r;
}

static rc_t meaning_of(const PGresult *r, const postgres_step_t *step)
{
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return RC_OK;
    rc_t rc = postgres_refusal(step->stmt, PQresultErrorField(r, PG_DIAG_SQLSTATE));
    if (rc == RC_IO)
        print_message("%s: %s", POSTGRES_TEXTS[step->stmt].name, PQresultErrorMessage(r));
    return rc;
}

static void take_all(PGconn *pg, postgres_job_t *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        job->results[i] = take(pg);
        if (job->rc != RC_OK)
            continue;
        job->rc = meaning_of(job->results[i], &job->steps[i]);
        job->failed = job->steps[i].part;
    }
}

static void forget(postgres_job_t *job)
{
    for (size_t i = 0; job->results && i < job->n_steps; i++)
        PQclear(job->results[i]);
    job->rc = RC_OK;
    job->failed = 0;
}

static void run_once(PGconn *pg, postgres_job_t *job)
{
    bool view = job->kind == POSTGRES_READ_VIEW;
    forget(job);
    job->results = ARENA_ARRAY(job->a, job->n_steps, PGresult *);
    assert_int_equal(PQenterPipelineMode(pg), 1);
    if (view)
        send_plain(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    for (size_t i = 0; i < job->n_steps; i++)
        assert_int_equal(send_step(pg, &job->steps[i]), 1);
    if (view)
        send_plain(pg, "COMMIT");
    assert_int_equal(PQpipelineSync(pg), 1);
    if (view)
        PQclear(take(pg));
    take_all(pg, job);
    if (view)
        PQclear(take(pg));
    PGresult *sync = PQgetResult(pg);
    assert_int_equal(PQresultStatus(sync), PGRES_PIPELINE_SYNC);
    PQclear(sync);
    assert_int_equal(PQexitPipelineMode(pg), 1);
}

rc_t pg_test_run(PGconn *pg, postgres_job_t *job)
{
    for (int i = 0; i < AGAIN; i++) {
        run_once(pg, job);
        if (job->rc != RC_BUSY)
            break;
    }
    return job->rc;
}

rc_t pg_test_ask(PGconn *pg, arena_t *a, ask_t *asks, size_t n)
{
    postgres_job_t *job = postgres_job_new();
    rc_t rc = postgres_plan_ask(job, asks, n);
    if (rc == RC_OK)
        rc = pg_test_run(pg, job);
    if (rc == RC_OK)
        rc = postgres_read_answers(job, a, asks, n);
    postgres_job_free(job);
    return rc;
}

rc_t pg_test_apply(PGconn *pg, const effects_t *effects, size_t *failed)
{
    postgres_job_t *job = postgres_job_new();
    rc_t rc = postgres_plan_apply(job, effects);
    if (rc == RC_OK && job->n_steps)
        rc = pg_test_run(pg, job);
    *failed = job->failed;
    postgres_job_free(job);
    return rc;
}

rc_t pg_test_expire(PGconn *pg, int64_t now, uint32_t limit, size_t *deleted)
{
    postgres_job_t *job = postgres_job_new();
    rc_t rc = postgres_plan_expire(job, now, limit);
    if (rc == RC_OK)
        rc = pg_test_run(pg, job);
    if (rc == RC_OK)
        rc = postgres_read_expired(job, limit, deleted);
    postgres_job_free(job);
    return rc;
}
