/* Whether another process has the database open. */
#include "store/sqlite_gate.h"
#include "store/sqlite_store.h"

#include <errno.h>
#include <unistd.h>

/* In WAL mode everybody who has the database open holds a shared lock on its file; whoever wants it
 * alone gets it only where nobody else is. It is given back at once. */
static int take_alone(sqlite3 *handle)
{
    static const char SQL[] = "PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM sqlite_master";
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
    return rc;
}

/* Who keeps the gate shut replaces it. */
rc_t sqlite_idle(const store_config_t *config, arena_t *a, bool *idle, str_t *why)
{
    sqlite_gate_t gate;
    const char *path = arena_cstr(a, config->path);
    *idle = false;
    *why = STR("the store has no memory");
    if (!path)
        return RC_MEMORY;
    rc_t rc = sqlite_gate_take(&gate, a, path, SQLITE_GATE_PASS, 0, why);
    if (rc == RC_OK)
        rc = look(path, a, idle, why);
    sqlite_gate_leave(&gate);
    return rc == RC_BUSY ? RC_OK : rc;
}
