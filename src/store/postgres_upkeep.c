/* One transaction of upkeep: its own connection, its failures in words, and the rows of a table as
 * they come, never a table at once. */
#include "store/postgres_upkeep.h"

#include "store/postgres_effects.h"
#include "store/postgres_job.h"

enum { RECORD_BYTES = 16 << 20, SQL_BYTES = 4096 };

/* Upkeep reads and writes for as long as it takes, and lets its connection wait for who takes the
 * records. Not all servers know a limit of transactions. */
#define AS_LONG_AS_IT_TAKES                                                                        \
    "; SET LOCAL statement_timeout=0; SET LOCAL idle_in_transaction_session_timeout=0; "           \
    "SELECT set_config('transaction_timeout', '0', true) WHERE "                                   \
    "current_setting('transaction_timeout', true) IS NOT NULL"
static const char READS[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" AS_LONG_AS_IT_TAKES;
static const char WRITES[] =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout='10s'" AS_LONG_AS_IT_TAKES;

rc_t postgres_work_begin(postgres_work_t *w, bool writes)
{
    w->pg = postgres_pool_connect_once(w->store->pool, w->a, w->why);
    if (!w->pg)
        return RC_IO;
    return postgres_work_run(w, writes ? WRITES : READS);
}

rc_t postgres_work_end(postgres_work_t *w, rc_t rc)
{
    if (!w->pg)
        return rc;
    if (rc == RC_OK)
        rc = postgres_work_run(w, "COMMIT");
    /* The end of a connection is the end of what was not committed. */
    PQfinish(w->pg);
    w->pg = NULL;
    return rc;
}

static rc_t kind_of(const char *state)
{
    static const struct {
        const char *state;
        rc_t rc;
    } KINDS[] = {{"23505", RC_CONFLICT}, {"22021", RC_MALFORMED}, {"23502", RC_MALFORMED},
                 {"40001", RC_BUSY},     {"40P01", RC_BUSY},      {"55P03", RC_BUSY}};
    for (size_t i = 0; state && i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (strcmp(state, KINDS[i].state) == 0)
            return KINDS[i].rc;
    return RC_IO;
}

rc_t postgres_work_failed(postgres_work_t *w, PGresult *r)
{
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    str_t said = str_trim(str_c(text ? text : PQerrorMessage(w->pg)), " \n");
    *w->why = arena_printf(w->a, "the PostgreSQL database %s failed: %" PRIstr, PQdb(w->pg),
                           STR_ARG(said));
    rc_t rc = kind_of(r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL);
    PQclear(r);
    return rc;
}

static bool went_well(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

rc_t postgres_work_run(postgres_work_t *w, const char *sql)
{
    PGresult *r = PQexec(w->pg, sql);
    if (!went_well(r))
        return postgres_work_failed(w, r);
    PQclear(r);
    return RC_OK;
}

rc_t postgres_work_number(postgres_work_t *w, const char *sql, int64_t arg, int64_t *out)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((uint64_t)arg >> (56 - 8 * i));
    const char *values[] = {(const char *)bytes};
    const int lengths[] = {sizeof bytes}, formats[] = {1};
    const Oid types[] = {20 /* int8 */};
    int n = strstr(sql, "$1") ? 1 : 0;
    PGresult *r = PQexecParams(w->pg, sql, n, types, values, lengths, formats, 1);
    *out = 0;
    if (!went_well(r))
        return postgres_work_failed(w, r);
    rc_t rc = PQntuples(r) > 0 && !PQgetisnull(r, 0, 0)
                  ? postgres_read_number((postgres_cell_t){r, 0, 0}, out)
                  : RC_OK;
    PQclear(r);
    if (rc != RC_OK)
        *w->why = STR("the PostgreSQL server gave no number where one was asked for");
    return rc;
}

void postgres_put_columns(buf_t *b, table_id_t table, int n)
{
    for (int i = 0; i < n; i++) {
        if (i > 0)
            buf_char(b, ',');
        buf_put(b, str_c(TABLES[table].fields[i].column));
    }
}

static rc_t not_understood(postgres_work_t *w, table_id_t table)
{
    *w->why = arena_printf(w->a,
                           "the store holds a record of the table %s that this program does not "
                           "understand; run 'warder store check'",
                           TABLES[table].name);
    return RC_IO;
}

static rc_t one_row(postgres_work_t *w, arena_t *scratch, PGresult *r, table_id_t table,
                    const postgres_walk_t *walk)
{
    void *record;
    arena_reset(scratch);
    rc_t rc = postgres_read_record(scratch, (postgres_cell_t){r, 0, 0}, table, &record);
    if (rc == RC_OK && record)
        return walk->row(walk->ctx, table, record);
    if (rc != RC_OK && rc != RC_IO)
        return rc;
    if (!walk->bad)
        return not_understood(w, table);
    ++*walk->bad;
    return RC_OK;
}

/* Row by row, until the result that says that there are no more. */
static rc_t take_rows(postgres_work_t *w, arena_t *scratch, table_id_t table,
                      const postgres_walk_t *walk)
{
    rc_t rc = RC_OK;
    PGresult *r;
    while (rc == RC_OK && (r = PQgetResult(w->pg))) {
        if (PQresultStatus(r) == PGRES_SINGLE_TUPLE)
            rc = one_row(w, scratch, r, table, walk);
        else if (!went_well(r))
            return postgres_work_failed(w, r);
        PQclear(r);
    }
    return rc;
}

/* What ended is written as ended, also where only an entry of the list says so yet: what reads the
 * records need not know that. */
static void put_source(buf_t *b, table_id_t table)
{
    static const char *const SOURCES[TABLE_COUNT] = {[TABLE_FAMILY] = POSTGRES_FAMILIES,
                                                     [TABLE_DEVICE] = POSTGRES_DEVICES,
                                                     [TABLE_CODE] = POSTGRES_CODES};
    if (SOURCES[table])
        buf_fmt(b, " FROM %s AS records ORDER BY ", SOURCES[table]);
    else
        buf_fmt(b, " FROM \"%s\" ORDER BY ", TABLES[table].name);
}

rc_t postgres_work_walk(postgres_work_t *w, table_id_t table, const postgres_walk_t *walk)
{
    char sql[SQL_BYTES];
    buf_t b = buf_fixed(sql, sizeof sql);
    buf_put(&b, STR("SELECT "));
    postgres_put_columns(&b, table, TABLES[table].n_fields);
    put_source(&b, table);
    postgres_put_columns(&b, table, TABLES[table].n_key);
    buf_char(&b, '\0');
    arena_t *scratch = arena_new(RECORD_BYTES);
    *w->why = STR("out of memory");
    if (!scratch)
        return RC_MEMORY;
    rc_t rc;
    if (!PQsendQueryParams(w->pg, sql, 0, NULL, NULL, NULL, NULL, 1) ||
        !PQsetSingleRowMode(w->pg)) {
        rc = postgres_work_failed(w, NULL);
    } else {
        *w->why = STR_UNSET;
        rc = take_rows(w, scratch, table, walk);
    }
    arena_free(scratch);
    return rc;
}

static rc_t dump_all(postgres_work_t *w, const store_sink_t *sink)
{
    int64_t newest;
    const postgres_walk_t walk = {sink->row, sink->ctx, NULL};
    TRY(postgres_work_number(w, "SELECT value FROM meta WHERE name='revocation'", 0, &newest));
    if (sink->revocation)
        *sink->revocation = (uint64_t)newest;
    for (int t = 0; t < TABLE_COUNT; t++) {
        if (t != TABLE_LEASE)
            TRY(postgres_work_walk(w, (table_id_t)t, &walk));
    }
    return RC_OK;
}

rc_t postgres_dump(store_t *s, arena_t *a, const store_sink_t *sink, str_t *why)
{
    postgres_work_t w = {.store = (postgres_store_t *)s, .a = a, .why = why};
    *why = STR_UNSET;
    rc_t rc = postgres_work_begin(&w, false);
    if (rc == RC_OK)
        rc = dump_all(&w, sink);
    return postgres_work_end(&w, rc);
}
