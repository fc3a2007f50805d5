/* Keeping everybody else from a database, while another takes its place. */
#include "store/sqlite_gate.h"
#include "store/sqlite_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    store_hold_t base;
    sqlite_gate_t gate; /* before those who do not have it open yet */
    sqlite3 *handle;    /* NULL: there is none, or it is damaged and nobody can use it */
    bool damaged;
} sqlite_hold_t;

/* In WAL mode everybody who has the database open holds a shared lock on its file. Its log is
 * brought over: what is put aside is one file. */
static const char ALONE[] = "PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM sqlite_master;"
                            "PRAGMA wal_checkpoint(TRUNCATE); BEGIN EXCLUSIVE";

static rc_t take_alone(sqlite_hold_t *hold, arena_t *a, const char *path, str_t *why)
{
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return RC_OK;
    int code = sqlite3_open_v2(path, &hold->handle, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(hold->handle, SQLITE_ALONE_WAIT_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(hold->handle, ALONE, NULL, NULL, NULL);
    hold->damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    if (hold->damaged) {
        sqlite3_close(hold->handle);
        hold->handle = NULL;
    }
    return code == SQLITE_OK || hold->damaged ? RC_OK : sqlite_explain(a, path, hold->handle, why);
}

/* Before SQLite opens anything, so that it drops no lock of this process. */
static void let_go(sqlite_hold_t *hold)
{
    sqlite3_close(hold->handle);
    hold->handle = NULL;
}

void sqlite_release(store_hold_t *base)
{
    sqlite_hold_t *hold = (sqlite_hold_t *)base;
    let_go(hold);
    sqlite_gate_leave(&hold->gate);
    free(hold);
}

static rc_t hold_path(sqlite_hold_t *hold, arena_t *a, const char *path, str_t *why)
{
    rc_t rc = sqlite_gate_take(&hold->gate, a, path, SQLITE_GATE_SHUT, SQLITE_GATE_WAIT_MS, why);
    if (rc == RC_BUSY)
        *why = sqlite_gate_holder(a, path);
    if (rc != RC_OK)
        return rc;
    rc = take_alone(hold, a, path, why);
    if (rc == RC_BUSY)
        *why = sqlite_lock_holder(a, path);
    return rc;
}

rc_t sqlite_hold(const store_config_t *config, arena_t *a, store_hold_t **out, str_t *why)
{
    *why = STR("the store has no memory");
    *out = NULL;
    sqlite_hold_t *hold = calloc(1, sizeof *hold);
    const char *path = arena_cstr(a, config->path);
    if (!hold || !path) {
        free(hold);
        return RC_MEMORY;
    }
    hold->base.driver = &STORE_SQLITE;
    hold->gate.fd = -1;
    rc_t rc = hold_path(hold, a, path, why);
    if (rc != RC_OK)
        sqlite_release(&hold->base);
    else
        *out = &hold->base;
    return rc;
}

/* The gate alone keeps others out while this process has it open. */
rc_t sqlite_open_held(arena_t *a, const store_config_t *config, store_t **out, store_hold_t **hold,
                      str_t *why)
{
    TRY(sqlite_hold(config, a, hold, why));
    let_go((sqlite_hold_t *)*hold);
    rc_t rc = sqlite_open_behind_gate(a, config, out, why);
    if (rc != RC_OK) {
        sqlite_release(*hold);
        *hold = NULL;
    }
    return rc;
}

bool store_hold_is_there(const store_hold_t *base)
{
    const sqlite_hold_t *hold = (const sqlite_hold_t *)base;
    return hold->handle || hold->damaged;
}

/* A table that an older schema does not have is empty. */
static bool has_rows(sqlite3 *handle, table_id_t table)
{
    char sql[64];
    sqlite3_stmt *s = NULL;
    snprintf(sql, sizeof sql, "SELECT 1 FROM %s LIMIT 1", TABLES[table].name);
    int code = sqlite3_prepare_v2(handle, sql, -1, &s, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    sqlite3_finalize(s);
    return code != SQLITE_DONE && code != SQLITE_ERROR;
}

bool store_hold_is_full(const store_hold_t *base)
{
    const sqlite_hold_t *hold = (const sqlite_hold_t *)base;
    bool full = hold->damaged;
    for (int t = 0; t < TABLE_COUNT && hold->handle && !full; t++)
        full = t != TABLE_LEASE && has_rows(hold->handle, (table_id_t)t);
    return full;
}
