/* Moving, saving and looking over a whole store: what `warder store` does. Each call blocks, on a
 * connection of its own, beside a server that may be running, and speaks of all tables (tables.h).
 * `why`, where there is one, is one sentence with the mend, in `a`. */
#ifndef STORE_UPKEEP_H
#define STORE_UPKEEP_H

#include "store/store.h"
#include "store/tables.h"

/** Takes one record after the other, table by table in the order of table_id_t, within a table by
 *  key. `record` is of that table's type and lives until the call returns. A failure ends the dump
 *  and is its result. */
typedef struct {
    rc_t (*row)(void *ctx, table_id_t table, const void *record);
    void *ctx;
    uint64_t *revocation; /* gets, before the first row, the newest number ever given to a
                           * revocation, also to one that is forgotten */
} store_sink_t;

/** Gives one record after the other, in the order in which a dump gave them; RC_NOT_FOUND after the
 *  last. A record lives until the next call. Any other failure ends the filling and is its result,
 *  with the source's own sentence in *why, if it sets one. */
typedef struct {
    rc_t (*next)(void *ctx, table_id_t *table, const void **record);
    void *ctx;
    const uint64_t *revocation; /* read after the last record: the numbers of revocations go on
                                 * above it */
} store_source_t;

/** All records as they stood at one moment, whatever is written meanwhile. Leases are left out:
 * they are of processes of this store. */
rc_t store_dump(store_t *s, arena_t *a, const store_sink_t *sink, str_t *why) MUST_USE;

/** Fills an empty store, in one step: all records or none. RC_CONFLICT: it holds records already;
 *  a schema just made and leases do not count. RC_MALFORMED: a record comes twice, or is of no
 *  table. The numbers of revocations go on above source->revocation and the highest that came.
 *  What an entry of the revocation list about its client, or about all, is of ends: grants, codes
 *  and approvals. */
rc_t store_fill(store_t *s, arena_t *a, const store_source_t *source, str_t *why) MUST_USE;

/** Rows and bytes (with indexes) of each table; bytes are 0 where the driver cannot tell. */
typedef struct {
    struct {
        uint64_t rows, bytes;
    } table[TABLE_COUNT];
    uint64_t bytes;      /* of the whole store */
    uint64_t generation; /* as store_generation */
    uint64_t revocation; /* the newest number of a revocation; 0: there was none */
    int64_t oldest;      /* when the oldest grant that lives was made; 0: there is none */
    int schema;          /* version of the schema */
} store_stats_t;
rc_t store_stats(store_t *s, store_stats_t *out, arena_t *a, str_t *why) MUST_USE;

/** Looks for what cannot be: damaged pages, records without what they belong to, two current keys
 * of a use, counts that are wrong, what has no valid form. Calls `found` with one sentence each.
 *  RC_OK also where something was found. */
typedef struct {
    void (*found)(void *ctx, str_t sentence);
    void *ctx;
} store_finder_t;
rc_t store_check(store_t *s, arena_t *a, const store_finder_t *finder, str_t *why) MUST_USE;

/** Copies the store, as it stands at one moment, to the new file `path` (mode 0600), while it is in
 *  use. RC_CONFIG: the driver has no files, or the file exists. */
rc_t store_backup(store_t *s, arena_t *a, const char *path, str_t *why) MUST_USE;

/** Whether nobody else has the store open, to be asked before it is opened here. RC_OK: *idle says,
 *  after a moment's wait for commands that end by themselves; where it is not, *why names who has
 * it open ("process 4711 (warder)", "node a"), or is unset where nobody can tell. A store that does
 * not exist is idle. Drivers that cannot tell say RC_CONFIG. */
rc_t store_idle(const store_config_t *config, arena_t *a, bool *idle, str_t *why) MUST_USE;

/** Keeps everybody else from opening the store until store_release: who wants to waits before it
 *  has opened anything, and then opens whatever has its place. So it is with a store that does not
 *  exist or is damaged, too. Not while this process has it open. RC_BUSY: another process has, also
 *  after a moment's wait, and *why names it as store_idle does; RC_CONFIG: the driver has no files.
 *  *out is NULL after every failure. */
typedef struct store_hold store_hold_t;
rc_t store_hold(const store_config_t *config, arena_t *a, store_hold_t **out, str_t *why) MUST_USE;
/** Of store_hold: whether there is a file that is held. */
bool store_hold_is_there(const store_hold_t *hold);
/** Whether what is held has a record in it (leases do not count), or may have one, being damaged.
 */
bool store_hold_is_full(const store_hold_t *hold);
/** Opens it, and keeps everybody else from writing to it until *hold is released: who starts
 * meanwhile waits, and fails if it takes long. Close the store before. The same otherwise. */
rc_t store_open_held(arena_t *a, const store_config_t *config, store_t **out, store_hold_t **hold,
                     str_t *why) MUST_USE;
/** NULL is fine. */
void store_release(store_hold_t *hold);

#endif
