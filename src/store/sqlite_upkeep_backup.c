/* Copying the database to a file while it is written. The copy is of one moment: a read transaction
 * is held open on the source, or each write by another process would make it begin again. It is one
 * file, private from its first byte, looked over and on the disk before it is called done. */
#include "store/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAGES_A_STEP = 256 /* a megabyte: nobody waits for it, and a stop is quick */ };

typedef struct {
    sqlite_work_t *work;
    const char *path;
    sqlite3 *copy;
} backup_t;

static rc_t say(backup_t *b, rc_t rc, const char *what, const char *reason)
{
    *b->work->why = arena_printf(b->work->a, "the backup %s %s: %s", b->path, what, reason);
    return rc;
}

static rc_t say_errno(backup_t *b)
{
    return say(b, RC_IO, "could not be written", strerror(errno));
}

static rc_t say_sqlite(backup_t *b)
{
    return say(b, RC_IO, "could not be written", sqlite3_errmsg(b->copy));
}

static rc_t make_file(backup_t *b)
{
    int fd = open(b->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return say(b, RC_CONFIG, "is not written", "the file exists; name a new one");
    if (fd < 0)
        return say_errno(b);
    close(fd);
    return RC_OK;
}

static rc_t copy_pages(backup_t *b)
{
    sqlite3_backup *run = sqlite3_backup_init(b->copy, "main", b->work->db->handle, "main");
    if (!run)
        return say_sqlite(b);
    int code = SQLITE_OK;
    while (code == SQLITE_OK)
        code = sqlite3_backup_step(run, PAGES_A_STEP);
    sqlite3_backup_finish(run);
    return code == SQLITE_DONE ? RC_OK : say_sqlite(b);
}

/* The copy is nobody's yet: no journal is needed, and a failure removes it whole. At the end its
 * mode is that of a database in one file. */
static rc_t fill_copy(backup_t *b)
{
    static const char BEFORE[] = "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF";
    if (sqlite3_open_v2(b->path, &b->copy, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(b->copy, BEFORE, NULL, NULL, NULL) != SQLITE_OK)
        return say_sqlite(b);
    TRY(copy_pages(b));
    if (sqlite3_exec(b->copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK)
        return say_sqlite(b);
    return RC_OK;
}

static rc_t look_over(backup_t *b)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(b->copy, "PRAGMA integrity_check(1)", -1, &s, NULL) != SQLITE_OK)
        return say_sqlite(b);
    int code = sqlite3_step(s);
    const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    rc_t rc = text && strcmp(text, "ok") == 0
                  ? RC_OK
                  : say(b, RC_IO, "would be damaged", text ? text : sqlite3_errmsg(b->copy));
    sqlite3_finalize(s);
    return rc;
}

static rc_t sync_path(backup_t *b, const char *path, int flags)
{
    int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say_errno(b);
    rc_t rc = fsync(fd) == 0 ? RC_OK : say_errno(b);
    close(fd);
    return rc;
}

/* Only after SQLite has closed the file: closing it would drop SQLite's locks on it. */
static rc_t keep(backup_t *b)
{
    const char *slash = strrchr(b->path, '/');
    str_t folder = slash == b->path ? STR("/")
                   : slash          ? str_of(b->path, (size_t)(slash - b->path))
                                    : STR(".");
    char *dir = arena_cstr(b->work->a, folder);
    if (!dir)
        return say(b, RC_MEMORY, "could not be written", "out of memory");
    TRY(sync_path(b, b->path, 0));
    return sync_path(b, dir, O_DIRECTORY);
}

static void remove_all(const backup_t *b)
{
    static const char *const SUFFIXES[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        str_t path = arena_printf(b->work->a, "%s%s", b->path, SUFFIXES[i]);
        if (str_is_set(path))
            unlink(path.p);
    }
}

static rc_t back_up(backup_t *b)
{
    int64_t ignored;
    /* Only a read takes hold of the view. */
    TRY(sqlite_work_number(b->work, "SELECT count(*) FROM sqlite_master", 0, &ignored));
    TRY(make_file(b));
    rc_t rc = fill_copy(b);
    if (rc == RC_OK)
        rc = look_over(b);
    sqlite3_close(b->copy);
    if (rc == RC_OK)
        rc = keep(b);
    if (rc != RC_OK)
        remove_all(b);
    return rc;
}

rc_t sqlite_backup(store_t *s, arena_t *a, const char *path, str_t *why)
{
    sqlite_work_t w = {.store = (sqlite_store_t *)s, .a = a, .why = why};
    backup_t b = {&w, path, NULL};
    *why = STR_UNSET;
    rc_t rc = sqlite_work_begin(&w, SQLITE_READER);
    if (rc == RC_OK)
        rc = back_up(&b);
    return sqlite_work_end(&w, rc);
}
