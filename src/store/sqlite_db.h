/* One SQLite connection with its statements. Internal to the driver. */
#ifndef STORE_SQLITE_DB_H
#define STORE_SQLITE_DB_H

#include "store/store.h"

#include <sqlite3.h>

/* How a member of a record stands in a column. */
typedef enum {
    FIELD_STR,
    FIELD_I64,
    FIELD_U32,
    FIELD_INT, /* an enum */
    FIELD_BOOL,
    FIELD_HASH,
    FIELD_BYTES,  /* a str_t of any bytes */
    FIELD_STRS,   /* str_list_t, as a JSON array */
    FIELD_SCOPES, /* scopes and n_scopes of a resource, as a JSON object */
} field_type_t;

typedef struct {
    const char *column;
    field_type_t type;
    size_t offset;
} field_t;

/* The tables, each for one kind of record. The first column is the key. */
typedef enum {
    TABLE_CLIENT,
    TABLE_USER,
    TABLE_SESSION,
    TABLE_INTERACTION,
    TABLE_CODE,
    TABLE_FAMILY,
    TABLE_REFRESH,
    TABLE_CONSENT,
    TABLE_RESOURCE,
    TABLE_KEY,
    TABLE_REGISTRATION_TOKEN,
    TABLE_COUNT,
} table_id_t;

typedef struct {
    const char *name;
    const field_t *fields;
    int n_fields;
    size_t size; /* of the record */
} table_t;

extern const table_t TABLES[TABLE_COUNT];

/* Statements that are written out (sqlite_statements.def) or built from a table's columns. */
typedef enum {
#define STATEMENT(name, sql) STMT_##name,
#include "store/sqlite_statements.def"
#undef STATEMENT
    STMT_COUNT
} stmt_id_t;

typedef struct {
    sqlite3 *handle;
    sqlite3_stmt *fixed[STMT_COUNT];
    sqlite3_stmt *insert[TABLE_COUNT];
    sqlite3_stmt *put[TABLE_COUNT];    /* insert or replace */
    sqlite3_stmt *select[TABLE_COUNT]; /* by key */
    bool generation_grew;              /* by effects applied since somebody set it false */
} sqlite_db_t;

typedef enum {
    SQLITE_WRITER, /* makes the file, migrates it */
    SQLITE_READER, /* can change nothing */
} sqlite_role_t;

/** Opens `path` and sets it up. RC_CONFIG or RC_IO: *why is one sentence with the mend, in `a`. */
rc_t sqlite_db_open(sqlite_db_t *db, arena_t *a, const char *path, sqlite_role_t role,
                    str_t *why) MUST_USE;
/** Finalizes all statements; a db of zeros is fine. */
void sqlite_db_close(sqlite_db_t *db);
/** Prepares lazily. NULL: the statement does not fit the schema (a bug) or no memory. The caller
 *  binds, steps and resets. */
sqlite3_stmt *sqlite_fixed(sqlite_db_t *db, stmt_id_t id);
sqlite3_stmt *sqlite_insert(sqlite_db_t *db, table_id_t table);
sqlite3_stmt *sqlite_put(sqlite_db_t *db, table_id_t table);
sqlite3_stmt *sqlite_select(sqlite_db_t *db, table_id_t table);

void sqlite_bind_str(sqlite3_stmt *s, int at, str_t v);
void sqlite_bind_hash(sqlite3_stmt *s, int at, const hash_t *v);
/** Steps a bound statement that yields no row, and resets it; *changed (may be NULL) counts the
 * rows it changed. NULL is RC_MEMORY; a row that exists already is RC_CONFLICT; a lock that
 * somebody holds too long is RC_BUSY. */
rc_t sqlite_run(sqlite_db_t *db, sqlite3_stmt *s, int *changed) MUST_USE;
/** Runs a statement that binds nothing. */
rc_t sqlite_run_fixed(sqlite_db_t *db, stmt_id_t id) MUST_USE;
/** The first column of the first row as a number: RC_NOT_FOUND without a row. Resets. */
rc_t sqlite_run_number(sqlite3_stmt *s, int64_t *out) MUST_USE;

/** Binds all columns of a record, in order. */
rc_t sqlite_bind_record(sqlite3_stmt *s, table_id_t table, const void *record) MUST_USE;
/** Reads the row under `s` into a record in the arena. */
rc_t sqlite_read_record(arena_t *a, sqlite3_stmt *s, table_id_t table, void **out) MUST_USE;

/** Brings the schema up to date. RC_CONFIG: the database is newer than this program. */
rc_t sqlite_migrate(sqlite_db_t *db, arena_t *a, str_t *why) MUST_USE;

/** Answers one question within an open read transaction. */
rc_t sqlite_answer(sqlite_db_t *db, arena_t *a, ask_t *ask) MUST_USE;
/** Applies the effects within the open transaction. Failure, with *failed as in store_done_t: roll
 *  back. */
rc_t sqlite_apply_effects(sqlite_db_t *db, const effects_t *effects, size_t *failed) MUST_USE;
/** The number behind store_generation, as it stands in the database. */
rc_t sqlite_generation(sqlite_db_t *db, uint64_t *out) MUST_USE;
/** Deletes what has expired. */
rc_t sqlite_expire(sqlite_db_t *db, int64_t now, uint32_t limit) MUST_USE;

#endif
