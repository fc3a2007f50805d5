/* The driver's own state, for its files. Internal to the driver. */
#ifndef STORE_SQLITE_STORE_H
#define STORE_SQLITE_STORE_H

#include "store/driver.h"
#include "store/sqlite_writer.h"

typedef struct {
    store_t base;
    sqlite_writer_t writer;
    pthread_mutex_t memory_lock;
    bool in_memory;
    clock_port_t clock;
    char *path;
} sqlite_store_t;

/* What upkeep works on: a connection of its own; on memory the only one there is, locked. */
typedef struct {
    sqlite_store_t *store;
    sqlite_db_t *db;
    sqlite_db_t own;
    arena_t *a; /* of the caller */
    str_t *why;
} sqlite_work_t;

/** Opens it and begins a transaction: of one moment's view, or for writing. End with
 *  sqlite_work_end, also after a failure. */
rc_t sqlite_work_begin(sqlite_work_t *w, sqlite_role_t role) MUST_USE;
/** Commits after RC_OK, else rolls back; gives `rc` or the failure of the commit. */
rc_t sqlite_work_end(sqlite_work_t *w, rc_t rc) MUST_USE;
/** Sets *w->why for the last failure of the database and gives its kind. */
rc_t sqlite_work_failed(sqlite_work_t *w) MUST_USE;
/** The first column of the first row of `sql`, which binds at most one number; 0 without a row. */
rc_t sqlite_work_number(sqlite_work_t *w, const char *sql, int64_t arg, int64_t *out) MUST_USE;
/** Calls `row` with each record of a table, by key; the record lives until the call returns.
 *  *bad (may be NULL: such a record ends it with RC_IO) counts the records of no valid form. */
typedef struct {
    rc_t (*row)(void *ctx, table_id_t table, const void *record);
    void *ctx;
    uint64_t *bad;
} sqlite_walk_t;
rc_t sqlite_work_walk(sqlite_work_t *w, table_id_t table, const sqlite_walk_t *walk) MUST_USE;

rc_t sqlite_dump(store_t *s, arena_t *a, const store_sink_t *sink, str_t *why);
rc_t sqlite_fill(store_t *s, arena_t *a, const store_source_t *source, str_t *why);
rc_t sqlite_stats(store_t *s, store_stats_t *out, arena_t *a, str_t *why);
rc_t sqlite_check(store_t *s, arena_t *a, const store_finder_t *finder, str_t *why);
rc_t sqlite_backup(store_t *s, arena_t *a, const char *path, str_t *why);
rc_t sqlite_hold(const store_config_t *config, arena_t *a, store_hold_t **out, str_t *why);
void sqlite_release(store_hold_t *hold);
/** As the driver's open, by who has the gate already. */
rc_t sqlite_open_behind_gate(arena_t *a, const store_config_t *config, store_t **out, str_t *why);
rc_t sqlite_open_held(arena_t *a, const store_config_t *config, store_t **out, store_hold_t **hold,
                      str_t *why);
rc_t sqlite_idle(const store_config_t *config, arena_t *a, bool *idle, str_t *why);

#endif
