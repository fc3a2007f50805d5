/* The statements of one connection, and what their failures mean. */
#include "store/sqlite_db.h"

#include "store/driver.h"
#include "store/sqlite_sql.h"

static void finalize_all(sqlite3_stmt **v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sqlite3_finalize(v[i]);
}

void sqlite_db_close(sqlite_db_t *db)
{
    finalize_all(db->fixed, STMT_COUNT);
    finalize_all(db->insert, TABLE_COUNT);
    finalize_all(db->put, TABLE_COUNT);
    finalize_all(db->select, TABLE_COUNT);
    sqlite3_close(db->handle);
    *db = (sqlite_db_t){0};
}

static sqlite3_stmt *prepare(sqlite_db_t *db, sqlite3_stmt **slot, const char *sql)
{
    if (!*slot)
        sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    return *slot;
}

sqlite3_stmt *sqlite_fixed(sqlite_db_t *db, stmt_id_t id)
{
    static const char *const SQL[STMT_COUNT] = {
#define STATEMENT(name, sql) [STMT_##name] = sql,
#include "store/sqlite_statements.def"
#undef STATEMENT
    };
    return prepare(db, &db->fixed[id], SQL[id]);
}

/* Builds the statement of a table where it is not there yet. */
static sqlite3_stmt *prepare_built(sqlite_db_t *db, sqlite3_stmt **slot, table_id_t table,
                                   void (*build)(table_id_t, char *, size_t))
{
    char sql[SQLITE_SQL_MAX];
    if (*slot)
        return *slot;
    build(table, sql, sizeof sql);
    return prepare(db, slot, sql);
}

sqlite3_stmt *sqlite_insert(sqlite_db_t *db, table_id_t table)
{
    return prepare_built(db, &db->insert[table], table, sqlite_sql_insert);
}

sqlite3_stmt *sqlite_put(sqlite_db_t *db, table_id_t table)
{
    return prepare_built(db, &db->put[table], table, sqlite_sql_put);
}

sqlite3_stmt *sqlite_select(sqlite_db_t *db, table_id_t table)
{
    return prepare_built(db, &db->select[table], table, sqlite_sql_select);
}

sqlite3_stmt *sqlite_bind(sqlite3_stmt *s, sqlite_args_t args)
{
    for (int i = 0; i < args.n && s; i++) {
        const sqlite_arg_t *arg = &args.v[i];
        int code;
        if (arg->type == SQLITE_ARG_I64)
            code = sqlite3_bind_int64(s, i + 1, arg->i);
        else if (arg->type == SQLITE_ARG_HASH)
            code = sqlite3_bind_blob(s, i + 1, arg->hash->b, sizeof arg->hash->b, SQLITE_STATIC);
        else if (arg->type == SQLITE_ARG_BYTES)
            code = sqlite3_bind_blob64(s, i + 1, arg->s.p, arg->s.n, SQLITE_STATIC);
        else
            code = sqlite3_bind_text64(s, i + 1, arg->s.p, arg->s.n, SQLITE_STATIC, SQLITE_UTF8);
        if (code != SQLITE_OK)
            return NULL;
    }
    return s;
}

void sqlite_done(sqlite3_stmt *s)
{
    if (!s)
        return;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

rc_t sqlite_failure(const sqlite_db_t *db)
{
    int code = sqlite3_extended_errcode(db->handle);
    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
        return RC_CONFLICT;
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return RC_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return RC_BUSY;
    default:
        return RC_IO;
    }
}

rc_t sqlite_run(sqlite_db_t *db, sqlite3_stmt *s, int *changed)
{
    if (!s)
        return sqlite_failure(db);
    int code = sqlite3_step(s);
    rc_t rc = code == SQLITE_DONE || code == SQLITE_ROW ? RC_OK : sqlite_failure(db);
    if (changed)
        *changed = code == SQLITE_DONE ? sqlite3_changes(db->handle) : 0;
    sqlite_done(s);
    return rc;
}

rc_t sqlite_run_fixed(sqlite_db_t *db, stmt_id_t id)
{
    return sqlite_run(db, sqlite_fixed(db, id), NULL);
}

rc_t sqlite_run_number(sqlite_db_t *db, sqlite3_stmt *s, int64_t *out)
{
    if (!s)
        return sqlite_failure(db);
    int code = sqlite3_step(s);
    rc_t rc = code == SQLITE_ROW ? RC_OK : code == SQLITE_DONE ? RC_NOT_FOUND : sqlite_failure(db);
    if (rc == RC_OK)
        *out = sqlite3_column_int64(s, 0);
    sqlite_done(s);
    return rc;
}

bool sqlite_is_open(const sqlite_db_t *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

rc_t sqlite_generation(sqlite_db_t *db, uint64_t *out)
{
    int64_t value = 0;
    TRY(sqlite_run_number(db, sqlite_fixed(db, STMT_GENERATION), &value));
    *out = (uint64_t)value;
    return RC_OK;
}
