/* Keeping everybody else from a database, while another takes its place. */
#include "store/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct store_hold {
    sqlite3 *handle; /* NULL: the file is damaged, and nobody can use it */
    char *path;
    bool made; /* there was none: an empty file keeps its place */
};

/* In WAL mode everybody who has the database open holds a shared lock on its file. Its log is
 * brought over: what is put aside is one file. */
static const char ALONE[] = "PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM sqlite_master;"
                            "PRAGMA wal_checkpoint(TRUNCATE); BEGIN EXCLUSIVE";

static void end(store_hold_t *hold)
{
    sqlite3_close(hold->handle);
    free(hold->path);
    free(hold);
}

static store_hold_t *begin(str_t path)
{
    store_hold_t *hold = calloc(1, sizeof *hold);
    char *copy = strndup(path.p, path.n);
    if (!hold || !copy) {
        free(hold);
        free(copy);
        return NULL;
    }
    hold->path = copy;
    int fd = open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    hold->made = fd >= 0;
    if (hold->made)
        close(fd);
    return hold;
}

rc_t sqlite_hold(const store_config_t *config, arena_t *a, store_hold_t **out, str_t *why)
{
    *why = STR("the store has no memory");
    store_hold_t *hold = begin(config->path);
    if (!hold)
        return RC_MEMORY;
    int code = sqlite3_open_v2(hold->path, &hold->handle, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(hold->handle, ALONE, NULL, NULL, NULL);
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
        sqlite3_close(hold->handle);
        hold->handle = NULL;
        code = SQLITE_OK;
    }
    *out = hold;
    if (code == SQLITE_OK)
        return RC_OK;
    rc_t rc = sqlite_explain(a, hold->path, hold->handle, why);
    store_release(hold);
    return rc;
}

/* Whether the file that is held still stands under its name. */
static bool stands(const store_hold_t *hold)
{
    int moved = 0;
    sqlite3_file_control(hold->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return !moved;
}

void store_release(store_hold_t *hold)
{
    if (!hold)
        return;
    if (hold->made && hold->handle && stands(hold))
        unlink(hold->path);
    end(hold);
}
