#include "audit/file.h"

#include "audit/hole.h"
#include "audit/rotated.h"
#include "core/limits.h"
#include "core/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SCRATCH_BYTES = 8 * LIMIT_AUDIT_LINE_BYTES,
    OPEN_TRIES = 50000, /* five seconds */
};

void audit_lock_pause(void)
{
    static const struct timespec SHORT = {0, 100000};
    nanosleep(&SHORT, NULL);
}

const audit_disk_t AUDIT_DISK = {write, fdatasync, ftruncate};

static void say(const audit_file_t *f, log_level_t level, str_t msg)
{
    log_field_t fields[] = {LOG_S("file", str_c(f->path)), LOG_I("seq", (int64_t)f->head.seq)};
    log_write(f->log, level, msg, fields, 2);
}

/* The same failure is told once a second: a full disk must not fill the log too. Leaves errno. */
static rc_t fail_errno(audit_file_t *f, const char *what)
{
    int saved = errno;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    bool again = f->said == what && f->said_at == now.tv_sec;
    f->said = what;
    f->said_at = now.tv_sec;
    if (!again)
        LOG(f->log, LOG_ERROR, "the audit trail failed", LOG_S("what", str_c(what)),
            LOG_S("file", str_c(f->path)), LOG_S("why", str_c(strerror(saved))));
    errno = saved;
    return RC_IO;
}

/* Never waits: a process that hangs with the lock must not hang the threads of this one. */
static rc_t take_lock(int fd)
{
    int got;
    do
        got = flock(fd, LOCK_EX | LOCK_NB);
    while (got != 0 && errno == EINTR);
    if (got == 0)
        return RC_OK;
    return errno == EWOULDBLOCK ? RC_BUSY : RC_IO;
}

/* All before a checkpoint was on the disk before that was written (audit_trail_checkpoint): who
 * writes zeros into the file must not have us put aside what proves what was there. */
static rc_t may_put_aside(audit_file_t *f, off_t at, off_t size)
{
    uint64_t seq;
    TRY(audit_hole_checkpoint(f->fd, at, size, &seq));
    f->is_cut_signed = seq > 0 && !f->mends_signed;
    return f->is_cut_signed ? RC_MALFORMED : RC_OK;
}

static rc_t put_aside(audit_file_t *f, off_t at, off_t size)
{
    char to[PATH_MAX];
    TRY(may_put_aside(f, at, size));
    int n = snprintf(to, sizeof to, "%s.lost", f->path);
    if (n >= (int)sizeof to || audit_hole_keep(f->fd, at, size, to) != RC_OK ||
        f->disk->truncate(f->fd, at) != 0)
        return fail_errno(f, "put aside what a loss of power left out of order");
    LOG(f->log, LOG_WARN,
        "a loss of power left zeros or lines out of order at the end of the audit trail; they were "
        "put aside, and nobody was told they stood",
        LOG_S("file", str_c(f->path)), LOG_S("aside", str_c(to)), LOG_I("bytes", size - at));
    return RC_OK;
}

/* A file that comes while this process runs was not there before a loss of power. */
static bool may_mend(const audit_file_t *f)
{
    return f->mends && f->size == 0;
}

/* A crash in the middle of a write leaves the front of a line, or zeros where bytes were to come.
 * Anything else is somebody's file, and not ours to cut. More than one line is kept. */
static rc_t mend_torn(audit_file_t *f, off_t end, off_t size)
{
    char first;
    TRY(audit_read_at(f->fd, &first, 1, end));
    if (first != '{' && first != '\0')
        return RC_MALFORMED;
    if (may_mend(f) && size - end > LIMIT_AUDIT_LINE_BYTES)
        return put_aside(f, end, size);
    LOG(f->log, LOG_WARN, "a torn last line was cut off the audit trail; nobody was told it stood",
        LOG_S("file", str_c(f->path)), LOG_I("bytes", size - end));
    return f->disk->truncate(f->fd, end) == 0 ? RC_OK : fail_errno(f, "truncate");
}

/* Lines behind a hole do not follow from what is left before it, and of zeros nobody can tell what
 * stood there: they are put aside. */
static rc_t mend_hole(audit_file_t *f, off_t *size)
{
    off_t at;
    TRY(audit_hole_find(f->fd, *size, f->scratch, &at));
    if (at < *size)
        TRY(put_aside(f, at, *size));
    *size = at;
    return RC_OK;
}

static rc_t read_tail(audit_file_t *f, off_t size, audit_end_t *end)
{
    if (may_mend(f))
        TRY(mend_hole(f, &size));
    TRY(audit_end_read(f->fd, size, f->scratch, end));
    return end->at < size ? mend_torn(f, end->at, size) : RC_OK;
}

/* What the first line tells of the whole file. One that tells no name goes on with the chain that
 * this process knows, if it knows one. */
static rc_t read_front(audit_file_t *f, off_t size, uint64_t *first)
{
    audit_front_t front;
    rc_t rc = audit_front_read(f->fd, size, f->scratch, &front);
    *first = front.seq;
    if (rc != RC_OK && rc != RC_MALFORMED)
        return rc;
    if (front.chain.known || f->head.seq == 0)
        f->chain = front.chain;
    f->began_ms = front.time_ms;
    return RC_OK;
}

/* A file in the place of the one before that begins with lines this process knows: the same up to
 * the last, or written anew. */
static rc_t is_copy(const audit_head_t *known, const audit_head_t *last)
{
    bool same = last->seq == known->seq && memcmp(last->hash, known->hash, SHA256_BYTES) == 0;
    return same ? RC_OK : RC_CONFLICT;
}

/* Whether what others wrote goes on from the last line that this process knows: behind that, or,
 * where the file was cut, from its beginning (as by copytruncate of logrotate). `first` is the
 * number of the first line of a file that is new to it. Who writes the lines before anew must not
 * have them signed. */
static rc_t goes_on(const audit_file_t *f, const audit_end_t *end, uint64_t first)
{
    off_t from = end->at < f->size ? 0 : f->size;
    if (f->size == 0)
        return first > 0 && first <= f->head.seq ? is_copy(&f->head, &end->head) : RC_OK;
    rc_t rc = RC_CONFLICT;
    if (end->at > from)
        rc = audit_follows(f->fd, from, end->at, f->scratch, &f->head);
    return rc == RC_MALFORMED ? RC_CONFLICT : rc;
}

/* From now on the chain goes on behind `end`, or, if that does not belong to it, from the line that
 * this process knows: so the gap shows for ever. */
static rc_t take_end(audit_file_t *f, const audit_end_t *end, uint64_t first)
{
    rc_t rc = goes_on(f, end, first);
    if (rc != RC_OK && rc != RC_CONFLICT)
        return rc;
    bool cut = end->at<f->size, more = end->at> f->size;
    f->size = end->at;
    if (cut)
        say(f, LOG_ERROR, STR("lines were cut off the audit trail"));
    else if (more && rc == RC_CONFLICT)
        say(f, LOG_ERROR,
            STR("lines of the audit trail do not follow those that were written "
                "before; check it by 'warder audit verify'"));
    if (rc == RC_CONFLICT)
        return RC_OK;
    f->head = end->head;
    f->at_checkpoint = end->is_checkpoint;
    return RC_OK;
}

/* Sees what other processes wrote since. Nothing is read while nobody did. */
static rc_t catch_up(audit_file_t *f)
{
    struct stat st;
    uint64_t first = 0;
    if (fstat(f->fd, &st) != 0)
        return fail_errno(f, "stat");
    if (st.st_size == f->size)
        return RC_OK;
    audit_end_t end = {.head = f->head, .is_checkpoint = f->at_checkpoint};
    rc_t rc = read_tail(f, st.st_size, &end);
    if (rc == RC_OK && f->size == 0 && end.at > 0)
        rc = read_front(f, end.at, &first);
    if (rc == RC_OK)
        rc = take_end(f, &end, first);
    if (rc != RC_OK)
        say(f, LOG_ERROR,
            STR("the end of the audit trail cannot be read; check it by "
                "'warder audit verify' and move the file away"));
    return rc;
}

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
    rc_t rc = take_lock(f->fd);
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
    rc_t rc = catch_up(&next);
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

/* Where nothing is at the path yet, the chain may go on from the file that was renamed last, by us
 * or by the usual name of rotated files; this process need not have had it open. RC_NOT_FOUND: it
 * does not. RC_BUSY must not pass for that: somebody is about to begin the new file. */
static rc_t move_to_rotated(audit_file_t *f)
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
    rc_t rc = move_to_rotated(f);
    if (rc != RC_NOT_FOUND)
        return rc;
    rc = move_to(f, f->path, O_CREAT, 0);
    if (rc == RC_IO)
        fail_errno(f, "open");
    if (rc == RC_OK && had_one)
        say(f, LOG_INFO, STR("the audit trail goes on in a new file"));
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

/* What most locks find, by one look: our file is at its path, and as long as we left it. */
static bool is_as_left(const audit_file_t *f)
{
    struct stat st;
    return stat(f->path, &st) == 0 && is_ours(f, &st) && st.st_size == f->size;
}

static rc_t follow_rename(audit_file_t *f)
{
    for (int i = 0; i < AUDIT_RENAMES_MAX; i++) {
        if (is_at_path(f))
            return RC_OK;
        TRY(move_on(f));
    }
    return RC_IO;
}

rc_t audit_file_lock(audit_file_t *f)
{
    if (f->broken)
        return RC_IO;
    rc_t rc = take_lock(f->fd);
    if (rc != RC_OK)
        return rc == RC_BUSY ? rc : fail_errno(f, "lock");
    if (is_as_left(f))
        return RC_OK;
    rc = catch_up(f);
    if (rc == RC_OK)
        rc = follow_rename(f);
    if (rc != RC_OK)
        audit_file_unlock(f);
    return rc == RC_MALFORMED ? RC_IO : rc;
}

rc_t audit_file_rotate(audit_file_t *f, const char *to)
{
    struct stat st;
    bool is_there = stat(to, &st) == 0;
    errno = is_there ? EEXIST : errno;
    /* The old file ends for good before a new one can follow from it: whatever is lost with the
     * power then is lost from the end. */
    if (!is_there && f->disk->sync(f->fd) != 0) {
        audit_file_break(f, "sync before the rotation; nothing more is recorded until a restart");
        return RC_IO;
    }
    if (is_there || rename(f->path, to) != 0)
        return fail_errno(f, "rename");
    return follow_rename(f); /* what failed is tried again by the next lock */
}

void audit_file_unlock(audit_file_t *f)
{
    flock(f->fd, LOCK_UN);
}

static bool write_once(audit_file_t *f, str_t lines)
{
    ssize_t n;
    do
        n = f->disk->write(f->fd, lines.p, lines.n);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && (size_t)n < lines.n)
        errno = ENOSPC;
    return n == (ssize_t)lines.n;
}

rc_t audit_file_write(audit_file_t *f, str_t lines, const audit_head_t *head)
{
    if (write_once(f, lines)) {
        f->size += (off_t)lines.n;
        f->head = *head;
        f->at_checkpoint = false;
        return RC_OK;
    }
    fail_errno(f, "write");
    if (f->disk->truncate(f->fd, f->size) != 0)
        audit_file_break(f, "remove what was half written; nothing more is recorded");
    return RC_IO;
}

void audit_file_break(audit_file_t *f, const char *what)
{
    f->broken = true;
    fail_errno(f, what);
}

audit_unsynced_t audit_file_unsynced(audit_file_t *f)
{
    audit_unsynced_t set = f->unsynced;
    set.current = f->fd;
    f->unsynced.n = 0;
    return set;
}

rc_t audit_unsynced_sync(const audit_disk_t *disk, audit_unsynced_t *set)
{
    rc_t rc = RC_OK;
    int error = 0;
    for (size_t i = 0; i < set->n; i++) {
        int fd = set->left[i].fd;
        if ((set->left[i].is_folder ? fsync(fd) : disk->sync(fd)) != 0 && rc == RC_OK) {
            error = errno;
            rc = RC_IO;
        }
        close(fd);
    }
    set->n = 0;
    if (rc == RC_OK)
        return set->current < 0 || disk->sync(set->current) == 0 ? RC_OK : RC_IO;
    errno = error;
    return rc;
}

static rc_t explain(arena_t *a, const audit_file_t *f, rc_t rc, str_t *why)
{
    if (rc == RC_MALFORMED && f->is_cut_signed) {
        *why = arena_printf(
            a,
            "'%s' has zeros where lines were, and lines behind them that a checkpoint signs: a "
            "loss of power leaves that on no disk that keeps what was synced, and somebody who "
            "writes into the file does. Keep a copy, "
            "look at it by 'warder audit verify', and start 'warder serve' once with --mend-audit, "
            "which puts those lines aside as '%s.lost.…' and records that; or move the file away",
            f->path, f->path);
        return RC_CONFIG;
    }
    if (rc == RC_MALFORMED) {
        *why = arena_printf(a,
                            "'%s' does not end like an audit trail; look at it by 'warder audit "
                            "verify' and move it away, or name another by --audit-file",
                            f->path);
        return RC_CONFIG;
    }
    if (rc == RC_MEMORY) {
        *why = STR("out of memory");
        return rc;
    }
    *why =
        arena_printf(a, "the audit trail '%s' cannot be opened: %s; name another by --audit-file",
                     f->path, strerror(errno));
    return errno == EIO || errno == EWOULDBLOCK ? RC_IO : RC_CONFIG;
}

/* A file with nothing whole in it may be the one that was begun when the power went: the chain goes
 * on from the one before. */
static rc_t find_end(audit_file_t *f)
{
    TRY(follow_rename(f));
    if (f->size > 0 || f->head.seq > 0)
        return RC_OK;
    rc_t rc = move_to_rotated(f);
    if (rc == RC_OK)
        return follow_rename(f);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Another process may be in the middle of a write. */
static rc_t find_file(audit_file_t *f)
{
    rc_t rc = find_end(f);
    for (int tries = OPEN_TRIES; rc == RC_BUSY && tries > 0; tries--) {
        audit_lock_pause();
        rc = find_end(f);
    }
    if (rc != RC_BUSY)
        return rc;
    errno = EWOULDBLOCK;
    return RC_IO;
}

rc_t audit_file_open(audit_file_t *f, arena_t *a, str_t *why)
{
    random_port_t random = random_system();
    f->disk = f->disk ? f->disk : &AUDIT_DISK;
    f->head.seq = 0;
    f->fd = -1;
    f->unsynced.n = 0;
    f->at_checkpoint = false;
    f->mends = true;
    f->scratch = arena_new(SCRATCH_BYTES);
    rc_t rc = f->scratch ? random.fill(random.ctx, f->head.hash, sizeof f->head.hash) : RC_MEMORY;
    bool no_random = rc == RC_IO;
    f->chain.known = true;
    memcpy(f->chain.bytes, f->head.hash, sizeof f->head.hash);
    if (rc == RC_OK)
        rc = find_file(f);
    f->mends = false;
    if (rc == RC_OK) {
        audit_file_unlock(f);
        return RC_OK;
    }
    rc = explain(a, f, rc, why);
    if (no_random)
        *why = STR("the system gives no random bytes (getrandom): nothing can be issued without");
    audit_file_close(f);
    return rc;
}

void audit_file_close(audit_file_t *f)
{
    for (size_t i = 0; i < f->unsynced.n; i++)
        close(f->unsynced.left[i].fd);
    if (f->fd >= 0)
        close(f->fd);
    arena_free(f->scratch);
}
