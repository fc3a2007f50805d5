/* What upkeep shares: a connection of its own in one transaction, and the rows of a table. */
#include "store/sqlite_store.h"

#include "store/sqlite_sql.h"

#include <stdio.h>

enum { RECORD_BYTES = 16 << 20 /* one record with its lists */, NUMBER_SQL = 64 };

static rc_t open_own(sqlite_work_t *w, sqlite_role_t role)
{
    if (w->store->in_memory) {
        pthread_mutex_lock(&w->store->memory_lock);
        w->db = &w->store->writer.db;
        return RC_OK;
    }
    TRY(sqlite_db_open(&w->own, w->a, w->store->path, role, w->why));
    w->db = &w->own;
    return RC_OK;
}

rc_t sqlite_work_begin(sqlite_work_t *w, sqlite_role_t role)
{
    TRY(open_own(w, role));
    rc_t rc = sqlite_run_fixed(w->db, role == SQLITE_WRITER ? STMT_BEGIN : STMT_BEGIN_READ);
    return rc == RC_OK ? RC_OK : sqlite_work_failed(w);
}

rc_t sqlite_work_failed(sqlite_work_t *w)
{
    rc_t rc = sqlite_failure(w->db);
    rc_t said = sqlite_explain(w->a, w->store->path, w->db->handle, w->why);
    return rc == RC_CONFLICT ? rc : said;
}

rc_t sqlite_work_end(sqlite_work_t *w, rc_t rc)
{
    if (!w->db)
        return rc;
    if (rc == RC_OK && sqlite_run_fixed(w->db, STMT_COMMIT) != RC_OK)
        rc = sqlite_work_failed(w);
    rc_t ignored = sqlite_is_open(w->db) ? sqlite_run_fixed(w->db, STMT_ROLLBACK) : RC_OK;
    (void)ignored;
    if (w->store->in_memory)
        pthread_mutex_unlock(&w->store->memory_lock);
    else
        sqlite_db_close(&w->own);
    w->db = NULL;
    return rc;
}

rc_t sqlite_work_number(sqlite_work_t *w, const char *sql, int64_t arg, int64_t *out)
{
    sqlite3_stmt *s = NULL;
    *out = 0;
    int code = sqlite3_prepare_v2(w->db->handle, sql, -1, &s, NULL);
    if (code == SQLITE_OK && sqlite3_bind_parameter_count(s) > 0)
        code = sqlite3_bind_int64(s, 1, arg);
    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    rc_t rc = code == SQLITE_ROW || code == SQLITE_DONE ? RC_OK : sqlite_work_failed(w);
    sqlite3_finalize(s);
    return rc;
}

static rc_t not_understood(sqlite_work_t *w, table_id_t table)
{
    *w->why = arena_printf(w->a,
                           "the database %s holds a record of the table %s that this program does "
                           "not understand; run 'warder store check'",
                           w->store->path, TABLES[table].name);
    return RC_IO;
}

static rc_t one_row(sqlite_work_t *w, arena_t *scratch, sqlite3_stmt *s, table_id_t table,
                    const sqlite_walk_t *walk)
{
    void *record;
    arena_reset(scratch);
    rc_t rc = sqlite_read_record(scratch, s, table, &record);
    if (rc == RC_OK)
        return walk->row(walk->ctx, table, record);
    if (rc != RC_IO)
        return rc;
    if (!walk->bad)
        return not_understood(w, table);
    ++*walk->bad;
    return RC_OK;
}

static rc_t walk_rows(sqlite_work_t *w, arena_t *scratch, sqlite3_stmt *s, table_id_t table,
                      const sqlite_walk_t *walk)
{
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW)
        TRY(one_row(w, scratch, s, table, walk));
    return code == SQLITE_DONE ? RC_OK : sqlite_work_failed(w);
}

/* Rows that are read while this runs are in the order of an index: nothing is sorted in memory. */
rc_t sqlite_work_walk(sqlite_work_t *w, table_id_t table, const sqlite_walk_t *walk)
{
    char sql[SQLITE_SQL_MAX];
    sqlite3_stmt *s = NULL;
    arena_t *scratch = arena_new(RECORD_BYTES);
    sqlite_sql_walk(table, sql, sizeof sql);
    if (!scratch) {
        *w->why = STR("out of memory");
        return RC_MEMORY;
    }
    int code = sqlite3_prepare_v2(w->db->handle, sql, -1, &s, NULL);
    rc_t rc = code == SQLITE_OK ? walk_rows(w, scratch, s, table, walk) : sqlite_work_failed(w);
    sqlite3_finalize(s);
    arena_free(scratch);
    return rc;
}

static rc_t dump_all(sqlite_work_t *w, const store_sink_t *sink)
{
    int64_t newest;
    const sqlite_walk_t walk = {sink->row, sink->ctx, NULL};
    TRY(sqlite_work_number(w, "SELECT seq FROM sqlite_sequence WHERE name='revoked'", 0, &newest));
    if (sink->revocation)
        *sink->revocation = (uint64_t)newest;
    for (int t = 0; t < TABLE_COUNT; t++) {
        if (t != TABLE_LEASE)
            TRY(sqlite_work_walk(w, (table_id_t)t, &walk));
    }
    return RC_OK;
}

rc_t sqlite_dump(store_t *s, arena_t *a, const store_sink_t *sink, str_t *why)
{
    sqlite_work_t w = {.store = (sqlite_store_t *)s, .a = a, .why = why};
    *why = STR_UNSET;
    rc_t rc = sqlite_work_begin(&w, SQLITE_READER);
    if (rc == RC_OK)
        rc = dump_all(&w, sink);
    return sqlite_work_end(&w, rc);
}
