/* Opening a database: private from its first byte, in WAL mode, and a sentence for each way in
 * which that can fail. */
#include "store/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int code;
    rc_t rc;
    const char *mend;
} refusal_t;

static const refusal_t REFUSALS[] = {
    {SQLITE_NOTADB, RC_CONFIG,
     "it is not a database of Warder; give the setting data another folder"},
    {SQLITE_CORRUPT, RC_IO, "it is damaged; restore it from a backup"},
    {SQLITE_READONLY, RC_IO, "it cannot be written; let this user write the file and its folder"},
    {SQLITE_CANTOPEN, RC_IO, "it cannot be opened; let this user write the file and its folder"},
    {SQLITE_PERM, RC_IO, "it cannot be opened; let this user write the file and its folder"},
    {SQLITE_FULL, RC_IO, "the disk is full; make room"},
    {SQLITE_BUSY, RC_BUSY, "another program holds it; end that program first"},
    {SQLITE_NOMEM, RC_MEMORY, "there is no memory; give the program more"},
    {SQLITE_OK, RC_IO, "the disk failed; look into the system's log, then try again"},
};

rc_t sqlite_explain(arena_t *a, const char *path, sqlite3 *handle, str_t *why)
{
    int code = handle ? sqlite3_errcode(handle) & 0xff : SQLITE_NOMEM;
    const refusal_t *row = REFUSALS;
    while (row->code != code && row->code != SQLITE_OK)
        row++;
    *why = arena_printf(a, "the database %s cannot be used (%s): %s", path,
                        handle ? sqlite3_errmsg(handle) : "out of memory", row->mend);
    return row->rc;
}

static rc_t explain_errno(arena_t *a, const char *path, str_t *why)
{
    *why = arena_printf(a,
                        "the database %s cannot be opened (%s); give the setting data a folder "
                        "that this user may write",
                        path, strerror(errno));
    return RC_IO;
}

/* The database holds password hashes and private keys: its owner's alone, from its first byte. A
 * file that exists is not opened here: closing it would drop the locks that this process holds on
 * it elsewhere (POSIX advisory locks belong to the process). */
static rc_t make_private(arena_t *a, const char *path, str_t *why)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return RC_OK;
    }
    if (errno != EEXIST || lstat(path, &st) != 0)
        return explain_errno(a, path, why);
    if (!S_ISREG(st.st_mode)) {
        *why = arena_printf(a,
                            "the database %s is not a plain file; give the setting data a folder "
                            "of its own",
                            path);
        return RC_CONFIG;
    }
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
        return explain_errno(a, path, why);
    if ((st.st_mode & 077) != 0 && chmod(path, st.st_mode & 0700) != 0) {
        *why = arena_printf(a,
                            "the database %s can be read by others, and cannot be closed to them "
                            "from here (%s); run chmod 600 on it",
                            path, strerror(errno));
        return RC_CONFIG;
    }
    return RC_OK;
}

static void sleep_1ms(void)
{
    static const struct timespec MS = {0, 1000000};
    nanosleep(&MS, NULL);
}

int64_t sqlite_mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A short, even pace: SQLite's own back-off would starve beside a writer that is never idle. The
 * end goes by the clock: on a busy machine a pause takes longer than it should. */
static int wait_for_lock(void *ctx, int tries)
{
    sqlite_db_t *db = ctx;
    int64_t now = sqlite_mono_ms();
    if (tries == 0)
        db->wait_end = now + db->wait_ms;
    if (now >= db->wait_end)
        return 0;
    sleep_1ms();
    return 1;
}

/* SQLite gives up at once when two processes change the mode of a new file together, so the wait is
 * here. It says the mode first and writes it then, when the statement ends: that can still fail.
 * False: failed, or the file system cannot do it (the mode stays another). */
static bool set_wal(sqlite3 *handle, bool in_memory)
{
    for (int64_t until = sqlite_mono_ms() + SQLITE_WAIT_MS; sqlite_mono_ms() < until;) {
        sqlite3_stmt *s = NULL;
        int code = sqlite3_prepare_v2(handle, "PRAGMA journal_mode=WAL", -1, &s, NULL);
        if (code == SQLITE_OK)
            code = sqlite3_step(s);
        const char *mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
        bool set = mode && strcmp(mode, in_memory ? "memory" : "wal") == 0;
        int end = sqlite3_finalize(s);
        if (code != SQLITE_BUSY && end != SQLITE_BUSY)
            return set && end == SQLITE_OK;
        sleep_1ms();
    }
    return false;
}

/* FULL: a commit is on the disk when it returns. Recursive triggers: a row that is replaced counts
 * as deleted too. Scratch stays in memory: no copy of a secret in a temporary file. The writer
 * looks after the log by itself (sqlite_log.h); what it leaves of it is no larger than this. */
static const char WRITER_PRAGMAS[] = "PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;"
                                     "PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0;"
                                     "PRAGMA journal_size_limit=67108864";
static const char READER_PRAGMAS[] = "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY";

static rc_t set_up_writer(sqlite_db_t *db, arena_t *a, const char *path, str_t *why)
{
    /* WAL: readers never wait for the writer. */
    if (!set_wal(db->handle, strcmp(path, ":memory:") == 0)) {
        if (sqlite3_errcode(db->handle) != SQLITE_OK)
            return sqlite_explain(a, path, db->handle, why);
        *why = arena_printf(a,
                            "the database %s is on a file system without shared memory; give the "
                            "setting data a folder on a local disk",
                            path);
        return RC_CONFIG;
    }
    sqlite3_busy_handler(db->handle, wait_for_lock, db);
    if (sqlite3_exec(db->handle, WRITER_PRAGMAS, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_explain(a, path, db->handle, why);
    return sqlite_migrate(db, a, path, why);
}

static rc_t set_up(sqlite_db_t *db, arena_t *a, const char *path, sqlite_role_t role, str_t *why)
{
    if (role == SQLITE_WRITER)
        return set_up_writer(db, a, path, why);
    sqlite3_busy_handler(db->handle, wait_for_lock, db);
    if (sqlite3_exec(db->handle, READER_PRAGMAS, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_explain(a, path, db->handle, why);
    return RC_OK;
}

static rc_t open_once(sqlite_db_t *db, arena_t *a, const char *path, sqlite_role_t role, str_t *why)
{
    *db = (sqlite_db_t){.wait_ms = SQLITE_WAIT_MS};
    if (role == SQLITE_WRITER && strcmp(path, ":memory:") != 0)
        TRY(make_private(a, path, why));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    rc_t rc = sqlite3_open_v2(path, &db->handle, flags, NULL) == SQLITE_OK
                  ? set_up(db, a, path, role, why)
                  : sqlite_explain(a, path, db->handle, why);
    if (rc != RC_OK)
        sqlite_db_close(db);
    return rc;
}

bool sqlite_was_replaced(const sqlite_db_t *db)
{
    int moved = 0;
    return sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
           moved;
}

/* Programs of before know no gate (sqlite_gate.h), and may have replaced it meanwhile. */
rc_t sqlite_db_open(sqlite_db_t *db, arena_t *a, const char *path, sqlite_role_t role, str_t *why)
{
    enum { TRIES = 3 };
    rc_t rc = open_once(db, a, path, role, why);
    for (int i = 1; rc == RC_OK && sqlite_was_replaced(db); i++) {
        sqlite_db_close(db);
        *why = arena_printf(a, "the database %s was replaced while it was opened; try again", path);
        rc = i < TRIES ? open_once(db, a, path, role, why) : RC_BUSY;
    }
    return rc;
}
