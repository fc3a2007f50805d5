/* From a file that was renamed to the one that continues its chain. */
#include "audit/file_parts.h"

#include "audit/rotated.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name in the folder outlives a crash of the machine too: the folder is synced with the next
 * lines. */
static rc_t keep_folder(audit_file_t *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    if (n >= sizeof folder)
        return RC_IO;
    if (n > 0) {
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return RC_IO;
    f->unsynced.left[f->unsynced.n].fd = fd;
    f->unsynced.left[f->unsynced.n++].is_folder = true;
    return RC_OK;
}

/* The lock goes at once: closing would free it only with the last descriptor. */
static void leave(audit_file_t *f, int fd)
{
    flock(fd, LOCK_UN);
    f->unsynced.left[f->unsynced.n].fd = fd;
    f->unsynced.left[f->unsynced.n++].is_folder = false;
}

/* Opens and locks the file at `path` in place of f's, whose lock may be held: RC_CONFLICT when it
 * is the very same file (locking it again would wait for ever). Nothing is known of it yet. */
static rc_t open_locked(audit_file_t *f, const char *path, int flags)
{
    struct stat st;
    f->size = 0;
    f->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | flags, 0600);
    if (f->fd < 0)
        return RC_IO;
    bool usable = fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode);
    bool same = usable && st.st_ino == f->ino && st.st_dev == f->dev;
    if (!usable || same) {
        close(f->fd);
        errno = EINVAL;
        return same ? RC_CONFLICT : RC_IO;
    }
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    rc_t rc = audit_file_take_lock(f->fd);
    if (rc != RC_OK)
        close(f->fd);
    return rc;
}

/* Leaves the file for the one at `path`. An empty one continues the chain; in one that has lines
 * somebody else has done that. RC_NOT_FOUND: its lines do not reach `least`. The lock of the old
 * file is held until then: whoever waits for it sees afterwards that the file has moved. */
static rc_t move_to(audit_file_t *f, const char *path, int flags, uint64_t least)
{
    audit_file_t next = *f;
    errno = EBUSY;
    if (f->unsynced.n + 2 > AUDIT_LEFT_MAX)
        return RC_IO;
    TRY(open_locked(&next, path, flags));
    rc_t rc = audit_file_catch_up(&next);
    f->is_cut_signed = next.is_cut_signed;
    if (rc == RC_OK && next.head.seq < least)
        rc = RC_NOT_FOUND;
    if (rc == RC_OK)
        rc = keep_folder(&next, path);
    if (rc != RC_OK) {
        close(next.fd);
        return rc;
    }
    if (f->fd >= 0)
        leave(&next, f->fd);
    *f = next;
    return RC_OK;
}

static bool has_lines(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0;
}

rc_t audit_file_move_to_rotated(audit_file_t *f)
{
    char path[PATH_MAX];
    uint64_t least = f->head.seq + 1;
    if (has_lines(f->path))
        return RC_NOT_FOUND;
    if (audit_rotated_newest(f->path, least, path, sizeof path)) {
        rc_t rc = move_to(f, path, 0, least);
        if (rc == RC_OK || rc == RC_BUSY)
            return rc;
    }
    int n = snprintf(path, sizeof path, "%s.1", f->path);
    if (n >= (int)sizeof path || !has_lines(path))
        return RC_NOT_FOUND;
    rc_t rc = move_to(f, path, 0, least);
    return rc == RC_OK || rc == RC_BUSY ? rc : RC_NOT_FOUND;
}

/* One file further, from the older to the newer: so nobody waits in a circle. */
static rc_t move_on(audit_file_t *f)
{
    bool had_one = f->fd >= 0;
    rc_t rc = audit_file_move_to_rotated(f);
    if (rc != RC_NOT_FOUND)
        return rc;
    rc = move_to(f, f->path, O_CREAT, 0);
    if (rc == RC_IO)
        audit_file_fail(f, "open");
    if (rc == RC_OK && had_one)
        audit_file_say(f, LOG_INFO, STR("the audit trail goes on in a new file"));
    return rc == RC_CONFLICT ? RC_OK : rc;
}

static bool is_ours(const audit_file_t *f, const struct stat *st)
{
    return st->st_ino == f->ino && st->st_dev == f->dev;
}

static bool is_at_path(const audit_file_t *f)
{
    struct stat st;
    return stat(f->path, &st) == 0 && is_ours(f, &st);
}

bool audit_file_is_as_left(const audit_file_t *f)
{
    struct stat st;
    return stat(f->path, &st) == 0 && is_ours(f, &st) && st.st_size == f->size;
}

rc_t audit_file_follow_rename(audit_file_t *f)
{
    for (int i = 0; i < AUDIT_RENAMES_MAX; i++) {
        if (is_at_path(f))
            return RC_OK;
        TRY(move_on(f));
    }
    return RC_IO;
}
