#include "store/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    BUSY_MS = 5000,      /* an administrator's command beside the server holds the lock briefly */
    BUILT_SQL_MAX = 1024 /* the longest INSERT is about 400 bytes */
};

/* The database holds password hashes and private keys: its owner's alone, from its first byte. */
static rc_t make_private(arena_t *a, const char *path, str_t *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        *why = arena_printf(a,
                            "the database %s cannot be opened (%s); give the setting data a "
                            "folder that this user may write",
                            path, strerror(errno));
        return RC_IO;
    }
    close(fd);
    return RC_OK;
}

static rc_t execute(sqlite_db_t *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : RC_IO;
}

static rc_t set_up(sqlite_db_t *db, arena_t *a, const char *path, sqlite_role_t role, str_t *why)
{
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    /* WAL: readers never wait for the writer. FULL: a commit is on the disk when it returns.
     * Recursive triggers: a row that is replaced counts as deleted too. */
    const char *pragmas = role == SQLITE_WRITER
                              ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                "PRAGMA wal_autocheckpoint=4000; PRAGMA recursive_triggers=ON"
                              : "PRAGMA query_only=ON";
    if (execute(db, pragmas) != RC_OK) {
        *why = arena_printf(a,
                            "%s is not a database of Warder, or damaged (%s); restore it from a "
                            "backup or give the setting data another folder",
                            path, sqlite3_errmsg(db->handle));
        return RC_IO;
    }
    return role == SQLITE_WRITER ? sqlite_migrate(db, a, why) : RC_OK;
}

rc_t sqlite_db_open(sqlite_db_t *db, arena_t *a, const char *path, sqlite_role_t role, str_t *why)
{
    *db = (sqlite_db_t){0};
    bool in_memory = strcmp(path, ":memory:") == 0;
    if (role == SQLITE_WRITER && !in_memory)
        TRY(make_private(a, path, why));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK) {
        *why = arena_printf(a, "the database %s cannot be opened (%s)", path,
                            db->handle ? sqlite3_errmsg(db->handle) : "no memory");
        sqlite_db_close(db);
        return RC_IO;
    }
    rc_t rc = set_up(db, a, path, role, why);
    if (rc != RC_OK)
        sqlite_db_close(db);
    return rc;
}

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

/* "id, name, auth": the columns of a table in the order of its fields. */
static void list_columns(const table_t *t, char *out, size_t size)
{
    size_t n = 0;
    for (int i = 0; i < t->n_fields && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, i ? ", %s" : "%s", t->fields[i].column);
}

static sqlite3_stmt *prepare_write(sqlite_db_t *db, sqlite3_stmt **slot, const char *verb,
                                   table_id_t table)
{
    if (*slot)
        return *slot;
    const table_t *t = &TABLES[table];
    char columns[BUILT_SQL_MAX / 2], marks[BUILT_SQL_MAX / 4], sql[BUILT_SQL_MAX];
    list_columns(t, columns, sizeof columns);
    size_t n = 0;
    for (int i = 0; i < t->n_fields; i++)
        n += (size_t)snprintf(marks + n, sizeof marks - n, i ? ",?" : "?");
    snprintf(sql, sizeof sql, "%s INTO %s(%s) VALUES(%s)", verb, t->name, columns, marks);
    return prepare(db, slot, sql);
}

sqlite3_stmt *sqlite_insert(sqlite_db_t *db, table_id_t table)
{
    return prepare_write(db, &db->insert[table], "INSERT", table);
}

sqlite3_stmt *sqlite_put(sqlite_db_t *db, table_id_t table)
{
    return prepare_write(db, &db->put[table], "INSERT OR REPLACE", table);
}

sqlite3_stmt *sqlite_select(sqlite_db_t *db, table_id_t table)
{
    if (db->select[table])
        return db->select[table];
    const table_t *t = &TABLES[table];
    char columns[BUILT_SQL_MAX / 2], sql[BUILT_SQL_MAX];
    list_columns(t, columns, sizeof columns);
    snprintf(sql, sizeof sql, "SELECT %s FROM %s WHERE %s=?1", columns, t->name,
             t->fields[0].column);
    return prepare(db, &db->select[table], sql);
}

static rc_t failure(int code)
{
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return RC_MEMORY;
    case SQLITE_CONSTRAINT:
        return RC_CONFLICT;
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
        return RC_MEMORY;
    int code = sqlite3_step(s);
    if (changed)
        *changed = code == SQLITE_DONE ? sqlite3_changes(db->handle) : 0;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return code == SQLITE_DONE || code == SQLITE_ROW ? RC_OK : failure(code);
}

rc_t sqlite_run_fixed(sqlite_db_t *db, stmt_id_t id)
{
    return sqlite_run(db, sqlite_fixed(db, id), NULL);
}

rc_t sqlite_run_number(sqlite3_stmt *s, int64_t *out)
{
    if (!s)
        return RC_MEMORY;
    int code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    if (code == SQLITE_ROW)
        return RC_OK;
    return code == SQLITE_DONE ? RC_NOT_FOUND : failure(code);
}

rc_t sqlite_generation(sqlite_db_t *db, uint64_t *out)
{
    int64_t value = 0;
    TRY(sqlite_run_number(sqlite_fixed(db, STMT_GENERATION), &value));
    *out = (uint64_t)value;
    return RC_OK;
}
