/* One SQLite connection with its statements. Internal to the driver. */
#ifndef STORE_SQLITE_DB_H
#define STORE_SQLITE_DB_H

#include "store/store.h"
#include "store/tables.h"

#include <sqlite3.h>

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
    sqlite3_stmt *put[TABLE_COUNT];    /* insert, or update what this program knows */
    sqlite3_stmt *select[TABLE_COUNT]; /* by key */
    bool generation_grew;              /* by effects applied since somebody set it false */
    bool keys_went;                    /* likewise: what was deleted must leave the files */
    int log_pages;                     /* in the log after the last commit here; the writer's */
    int64_t wait_ms;                   /* for a lock that another connection holds */
    int64_t wait_end;                  /* of the wait that goes on; monotonic ms */
} sqlite_db_t;

enum { SQLITE_WAIT_MS = 5000 /* an administrator's command beside the server is brief */ };

typedef enum {
    SQLITE_WRITER, /* makes the file, migrates it */
    SQLITE_READER, /* can change nothing */
} sqlite_role_t;

/** Opens `path` (":memory:" for one that is not shared) and sets it up. Any failure: *why is one
 *  sentence with the mend, in `a`. */
rc_t sqlite_db_open(sqlite_db_t *db, arena_t *a, const char *path, sqlite_role_t role,
                    str_t *why) MUST_USE;
/** Whether another file has taken the place of the one that is open: what is written would go to a
 *  file that nobody opens again, and into the log of the other. */
bool sqlite_was_replaced(const sqlite_db_t *db);
/** Milliseconds of the clock that never goes back. */
int64_t sqlite_mono_ms(void);
/** Finalizes all statements; a db of zeros is fine. */
void sqlite_db_close(sqlite_db_t *db);
/** Sets *why to one sentence with the mend for the last failure on `handle` (NULL: no memory). */
rc_t sqlite_explain(arena_t *a, const char *path, sqlite3 *handle, str_t *why) MUST_USE;

/** Prepares lazily. NULL: no memory, or the disk failed; sqlite_failure tells. The caller binds,
 *  steps and ends with sqlite_done. */
sqlite3_stmt *sqlite_fixed(sqlite_db_t *db, stmt_id_t id);
sqlite3_stmt *sqlite_insert(sqlite_db_t *db, table_id_t table);
sqlite3_stmt *sqlite_put(sqlite_db_t *db, table_id_t table);
sqlite3_stmt *sqlite_select(sqlite_db_t *db, table_id_t table);

/* What a fixed statement is bound to, in order of its parameters. */
typedef struct {
    enum { SQLITE_ARG_STR, SQLITE_ARG_BYTES, SQLITE_ARG_HASH, SQLITE_ARG_I64 } type;
    str_t s;
    const hash_t *hash;
    int64_t i;
} sqlite_arg_t;
typedef struct {
    const sqlite_arg_t *v;
    int n;
} sqlite_args_t;

#define ARG_S(value) ((sqlite_arg_t){.type = SQLITE_ARG_STR, .s = (value)})
#define ARG_B(value) ((sqlite_arg_t){.type = SQLITE_ARG_BYTES, .s = (value)})
#define ARG_H(value) ((sqlite_arg_t){.type = SQLITE_ARG_HASH, .hash = (value)})
#define ARG_I(value) ((sqlite_arg_t){.type = SQLITE_ARG_I64, .i = (value)})
#define ARGS(...)                                                                                  \
    ((sqlite_args_t){(const sqlite_arg_t[]){__VA_ARGS__},                                          \
                     sizeof((const sqlite_arg_t[]){__VA_ARGS__}) / sizeof(sqlite_arg_t)})

/** Binds all of `args` (borrowed until sqlite_done): `s` again, or NULL as sqlite_fixed. A bound
 *  value that got lost would ask for NULL, so none may fail unseen. */
sqlite3_stmt *sqlite_bind(sqlite3_stmt *s, sqlite_args_t args);
/** Resets and forgets what was bound. NULL is fine. */
void sqlite_done(sqlite3_stmt *s);
/** Why the last call on `db` failed: RC_CONFLICT for a row that exists already, RC_BUSY for a lock
 *  that somebody holds too long, RC_MEMORY, else RC_IO. Never RC_OK. */
rc_t sqlite_failure(const sqlite_db_t *db);
/** Steps a bound statement that yields no row, and ends it; *changed (may be NULL) counts the rows
 *  it changed. NULL: the failure of making it. */
rc_t sqlite_run(sqlite_db_t *db, sqlite3_stmt *s, int *changed) MUST_USE;
/** Runs a statement that binds nothing. */
rc_t sqlite_run_fixed(sqlite_db_t *db, stmt_id_t id) MUST_USE;
/** The first column of the first row as a number: RC_NOT_FOUND without a row. Ends it. */
rc_t sqlite_run_number(sqlite_db_t *db, sqlite3_stmt *s, int64_t *out) MUST_USE;
/** Whether a transaction is open; some failures (full disk, no memory) end it by themselves. */
bool sqlite_is_open(const sqlite_db_t *db);

/** Binds all columns of a record, in order. The record is borrowed until sqlite_done. */
rc_t sqlite_bind_record(sqlite3_stmt *s, table_id_t table, const void *record) MUST_USE;
/** Reads the row under `s` into a record in the arena. */
rc_t sqlite_read_record(arena_t *a, sqlite3_stmt *s, table_id_t table, void **out) MUST_USE;

/** Brings the schema up to date. RC_CONFIG: the database is newer than this program, or another
 *  program's. */
rc_t sqlite_migrate(sqlite_db_t *db, arena_t *a, const char *path, str_t *why) MUST_USE;

/** Answers one question within an open read transaction. */
rc_t sqlite_answer(sqlite_db_t *db, arena_t *a, ask_t *ask) MUST_USE;
/** Applies the effects within the open transaction. Failure, with *failed as in store_done_t: roll
 *  back. */
rc_t sqlite_apply_effects(sqlite_db_t *db, const effects_t *effects, size_t *failed) MUST_USE;
/** The number behind store_generation, as it stands in the database. */
rc_t sqlite_generation(sqlite_db_t *db, uint64_t *out) MUST_USE;
/** Deletes what nobody uses any more; *looked as the `failed` of store_forget. */
rc_t sqlite_forget(sqlite_db_t *db, store_forget_t *forget, size_t *looked) MUST_USE;
/** Deletes what has expired. */
rc_t sqlite_expire(sqlite_db_t *db, int64_t now, uint32_t limit, size_t *deleted) MUST_USE;

#endif
