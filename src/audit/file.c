#include "audit/file_parts.h"

#include "core/limits.h"
#include "core/ports.h"

#include <errno.h>
#include <fcntl.h>
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

rc_t audit_file_take_lock(int fd)
{
    int got;
    do
        got = flock(fd, LOCK_EX | LOCK_NB);
    while (got != 0 && errno == EINTR);
    if (got == 0)
        return RC_OK;
    return errno == EWOULDBLOCK ? RC_BUSY : RC_IO;
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
        audit_file_say(f, LOG_ERROR, STR("lines were cut off the audit trail"));
    else if (more && rc == RC_CONFLICT)
        audit_file_say(f, LOG_ERROR,
                       STR("lines of the audit trail do not follow those that were written "
                           "before; check it by 'warder audit verify'"));
    if (rc == RC_CONFLICT)
        return RC_OK;
    f->head = end->head;
    f->at_checkpoint = end->is_checkpoint;
    return RC_OK;
}

rc_t audit_file_catch_up(audit_file_t *f)
{
    struct stat st;
    uint64_t first = 0;
    if (fstat(f->fd, &st) != 0)
        return audit_file_fail(f, "stat");
    if (st.st_size == f->size)
        return RC_OK;
    audit_end_t end = {.head = f->head, .is_checkpoint = f->at_checkpoint};
    rc_t rc = audit_file_read_tail(f, st.st_size, &end);
    if (rc == RC_OK && f->size == 0 && end.at > 0)
        rc = read_front(f, end.at, &first);
    if (rc == RC_OK)
        rc = take_end(f, &end, first);
    if (rc != RC_OK)
        audit_file_say(f, LOG_ERROR,
                       STR("the end of the audit trail cannot be read; check it by "
                           "'warder audit verify' and move the file away"));
    return rc;
}

rc_t audit_file_lock(audit_file_t *f)
{
    if (f->broken)
        return RC_IO;
    rc_t rc = audit_file_take_lock(f->fd);
    if (rc != RC_OK)
        return rc == RC_BUSY ? rc : audit_file_fail(f, "lock");
    if (audit_file_is_as_left(f))
        return RC_OK;
    rc = audit_file_catch_up(f);
    if (rc == RC_OK)
        rc = audit_file_follow_rename(f);
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
        return audit_file_fail(f, "rename");
    return audit_file_follow_rename(f); /* what failed is tried again by the next lock */
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
    audit_file_fail(f, "write");
    if (f->disk->truncate(f->fd, f->size) != 0)
        audit_file_break(f, "remove what was half written; nothing more is recorded");
    return RC_IO;
}

void audit_file_break(audit_file_t *f, const char *what)
{
    f->broken = true;
    audit_file_fail(f, what);
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
    TRY(audit_file_follow_rename(f));
    if (f->size > 0 || f->head.seq > 0)
        return RC_OK;
    rc_t rc = audit_file_move_to_rotated(f);
    if (rc == RC_OK)
        return audit_file_follow_rename(f);
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
