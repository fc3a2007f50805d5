/* Whether another process has the database open. */
#include "store/sqlite_gate.h"
#include "store/sqlite_store.h"

#include <errno.h>
#include <unistd.h>

/* In WAL mode everybody who has the database open holds a shared lock on its file; whoever wants it
 * alone gets it only where nobody else is. It is given back at once. Commands that are just at work
 * end by themselves. */
static int take_alone(sqlite3 *handle)
{
    static const char SQL[] = "PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM sqlite_master";
    sqlite3_busy_timeout(handle, SQLITE_ALONE_WAIT_MS);
    return sqlite3_exec(handle, SQL, NULL, NULL, NULL);
}

static rc_t look(const char *path, arena_t *a, bool *idle, str_t *why)
{
    sqlite3 *handle = NULL;
    *idle = access(path, F_OK) != 0 && errno == ENOENT;
    if (*idle)
        return RC_OK;
    int code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK)
        code = take_alone(handle);
    /* What is damaged nobody uses: it is to be replaced. */
    bool damaged = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    *idle = code == SQLITE_OK || damaged;
    rc_t rc = *idle || code == SQLITE_BUSY ? RC_OK : sqlite_explain(a, path, handle, why);
    sqlite3_close(handle);
    if (rc == RC_OK && !*idle)
        *why = sqlite_lock_holder(a, path);
    return rc;
}

/* Who keeps the gate shut replaces it. While this looks, nobody comes in: else it would find one or
 * another for ever where programs start and end all the time. */
rc_t sqlite_idle(const store_config_t *config, arena_t *a, bool *idle, str_t *why)
{
    sqlite_gate_t gate;
    const char *path = arena_cstr(a, config->path);
    *idle = false;
    *why = STR("the store has no memory");
    if (!path)
        return RC_MEMORY;
    rc_t rc = sqlite_gate_take(&gate, a, path, SQLITE_GATE_LOOK, SQLITE_ALONE_WAIT_MS, why);
    if (rc == RC_OK)
        rc = look(path, a, idle, why);
    sqlite_gate_leave(&gate);
    if (rc != RC_BUSY)
        return rc;
    *why = sqlite_gate_holder(a, path);
    return RC_OK;
}
