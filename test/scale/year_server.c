/* The server's own figures: its log, its dead rows, its autovacuum, and what the tables would take
 * if they were written anew. */
#include "year_server.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOURS_A_DAY = 24, DAYS_A_WEEK = 7, SQL_BYTES = 160 };

struct year_server {
    PGconn *pg;
    double log, numbers; /* at the beginning of the day */
    year_server_week_t week;
};

static void fail(year_server_t *s)
{
    fprintf(stderr, "%s", PQerrorMessage(s->pg));
    exit(2);
}

static void run(year_server_t *s, const char *sql)
{
    PGresult *r = PQexec(s->pg, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        fail(s);
    PQclear(r);
}

static double ask(year_server_t *s, const char *sql)
{
    PGresult *r = PQexec(s->pg, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1)
        fail(s);
    double n = strtod(PQgetvalue(r, 0, 0), NULL);
    PQclear(r);
    return n;
}

static double log_now(year_server_t *s)
{
    return ask(s, "SELECT pg_current_wal_insert_lsn()-'0/0'::pg_lsn") / 1048576;
}

static double numbers_now(year_server_t *s)
{
    return ask(s, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text");
}

/* Autovacuum's own rules and thresholds hold; only its clock is made faster, as the year's is. */
static void hurry(year_server_t *s)
{
    static const char *const SETTINGS[] = {
        "ALTER SYSTEM SET autovacuum_naptime='1s'",
        "ALTER SYSTEM SET autovacuum_vacuum_cost_delay=0",
        "ALTER SYSTEM SET full_page_writes=on",
    };
    for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++)
        run(s, SETTINGS[i]);
    (void)ask(s, "SELECT pg_reload_conf()::int");
}

year_server_t *year_server_open(const char *driver, const char *conninfo)
{
    const char *whose = getenv("WARDER_YEAR_SERVER");
    year_server_t *s;
    if (strcmp(driver, "postgres") != 0 || !(s = calloc(1, sizeof *s)))
        return NULL;
    s->pg = PQconnectdb(conninfo ? conninfo : "");
    if (PQstatus(s->pg) != CONNECTION_OK)
        fail(s);
    if (whose && strcmp(whose, "own") == 0)
        hurry(s);
    return s;
}

void year_server_close(year_server_t *s)
{
    if (!s)
        return;
    PQfinish(s->pg);
    free(s);
}

/* The day that is over counts for its kind. */
static void end_day(year_server_t *s, int64_t day)
{
    double log = log_now(s), numbers = numbers_now(s);
    if (day % DAYS_A_WEEK == DAYS_A_WEEK - 1)
        s->week.log_whole_mib = log - s->log;
    else
        s->week.log_mib = log - s->log;
    s->week.transactions = numbers - s->numbers;
    s->log = log;
    s->numbers = numbers;
}

void year_server_hour(year_server_t *s, int64_t hour)
{
    if (!s)
        return;
    int64_t day = hour / HOURS_A_DAY;
    if (day % DAYS_A_WEEK == DAYS_A_WEEK - 1)
        run(s, "CHECKPOINT");
    if (hour % HOURS_A_DAY != 0)
        return;
    if (hour > 0)
        end_day(s, day - 1);
    s->log = log_now(s);
    s->numbers = numbers_now(s);
}

void year_server_week(year_server_t *s, year_server_week_t *out)
{
    *out = (year_server_week_t){0};
    if (!s)
        return;
    end_day(s, DAYS_A_WEEK - 1);
    s->week.dead = (uint64_t)ask(s, "SELECT sum(n_dead_tup) FROM pg_stat_user_tables");
    s->week.vacuums = (uint64_t)ask(s, "SELECT sum(autovacuum_count) FROM pg_stat_user_tables");
    *out = s->week;
}

void year_server_rewrite(year_server_t *s, uint64_t bytes[TABLE_COUNT])
{
    char sql[SQL_BYTES];
    for (int t = 0; t < TABLE_COUNT; t++) {
        snprintf(sql, sizeof sql, "VACUUM FULL \"%s\"", TABLES[t].name);
        run(s, sql);
        snprintf(sql, sizeof sql, "SELECT pg_total_relation_size('\"%s\"'::regclass)",
                 TABLES[t].name);
        bytes[t] = (uint64_t)ask(s, sql);
    }
}
