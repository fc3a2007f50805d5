/* What upkeep of a PostgreSQL store shares: a connection of its own in one transaction. Internal to
 * the driver. */
#ifndef STORE_POSTGRES_UPKEEP_H
#define STORE_POSTGRES_UPKEEP_H

#include "core/buf.h"
#include "store/driver.h"
#include "store/postgres_pool.h"

typedef struct {
    store_t base;
    postgres_pool_t *pool;
    clock_port_t clock;
} postgres_store_t;

typedef struct {
    const postgres_store_t *store;
    PGconn *pg;
    arena_t *a; /* of the caller */
    str_t *why;
} postgres_work_t;

/** Connects and begins: a transaction of one moment's view, or one that writes. End with
 *  postgres_work_end, also after a failure. */
rc_t postgres_work_begin(postgres_work_t *w, bool writes) MUST_USE;
/** Commits after RC_OK, else gives up; closes. Gives `rc`, or the failure of the commit. */
rc_t postgres_work_end(postgres_work_t *w, rc_t rc) MUST_USE;
/** Sets *w->why by what the server said (`r` may be NULL), which is cleared. RC_CONFLICT: a row is
 *  there already; RC_MALFORMED: a text is none; RC_BUSY; RC_IO. */
rc_t postgres_work_failed(postgres_work_t *w, PGresult *r) MUST_USE;
/** Statements without results. */
rc_t postgres_work_run(postgres_work_t *w, const char *sql) MUST_USE;
/** The number that a query yields, 0 without a row; a "$1" in it is `arg`. */
rc_t postgres_work_number(postgres_work_t *w, const char *sql, int64_t arg, int64_t *out) MUST_USE;
/** As sqlite_work_walk: each record of a table, by key. */
typedef struct {
    rc_t (*row)(void *ctx, table_id_t table, const void *record);
    void *ctx;
    uint64_t *bad; /* counts the records of no valid form; NULL: such a record ends it */
} postgres_walk_t;
rc_t postgres_work_walk(postgres_work_t *w, table_id_t table, const postgres_walk_t *walk) MUST_USE;
/** "id,name": the first `n` columns of a table. */
void postgres_put_columns(buf_t *b, table_id_t table, int n);

rc_t postgres_dump(store_t *s, arena_t *a, const store_sink_t *sink, str_t *why);
rc_t postgres_fill(store_t *s, arena_t *a, const store_source_t *source, str_t *why);
rc_t postgres_stats(store_t *s, store_stats_t *out, arena_t *a, str_t *why);
rc_t postgres_check(store_t *s, arena_t *a, const store_finder_t *finder, str_t *why);
rc_t postgres_open_held(arena_t *a, const store_config_t *config, store_t **out,
                        store_hold_t **hold, str_t *why);
void postgres_release(store_hold_t *hold);
rc_t postgres_idle(const store_config_t *config, arena_t *a, bool *idle, str_t *why);

#endif
