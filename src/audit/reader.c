#include "audit/reader.h"

#include "core/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Holds the longest line and a byte, so that one that is longer still is noticed. */
enum { BUFFER_BYTES = 2 * LIMIT_AUDIT_LINE_BYTES };

static rc_t open_file(const char *path, int *fd)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*fd >= 0)
        return RC_OK;
    return errno == ENOENT ? RC_NOT_FOUND : RC_IO;
}

rc_t audit_reader_open(audit_reader_t *r, const char *path)
{
    *r = (audit_reader_t){.path = path, .fd = -1, .stop_at = -1};
    r->bytes = malloc(BUFFER_BYTES);
    if (!r->bytes)
        return RC_MEMORY;
    rc_t rc = open_file(path, &r->fd);
    if (rc != RC_OK)
        audit_reader_close(r);
    return rc;
}

void audit_reader_close(audit_reader_t *r)
{
    int saved = errno;
    if (r->fd >= 0)
        close(r->fd);
    free(r->bytes);
    *r = (audit_reader_t){.fd = -1};
    errno = saved;
}

/* Whoever holds the lock is in the middle of a write; waits for the end of that. */
static rc_t size_between_writes(int fd, off_t *size)
{
    struct stat st;
    while (flock(fd, LOCK_SH) != 0)
        if (errno != EINTR)
            return RC_IO;
    rc_t rc = fstat(fd, &st) == 0 ? RC_OK : RC_IO;
    flock(fd, LOCK_UN);
    *size = rc == RC_OK ? st.st_size : 0;
    return rc;
}

rc_t audit_reader_freeze(audit_reader_t *r)
{
    return size_between_writes(r->fd, &r->stop_at);
}

static rc_t read_at(const audit_reader_t *r, char *to, size_t n, off_t at, size_t *got)
{
    ssize_t count;
    if (r->stop_at >= 0 && at + (off_t)n > r->stop_at)
        n = at < r->stop_at ? (size_t)(r->stop_at - at) : 0;
    do
        count = pread(r->fd, to, n, at);
    while (count < 0 && errno == EINTR);
    *got = count < 0 ? 0 : (size_t)count;
    return count < 0 ? RC_IO : RC_OK;
}

void audit_reader_rewind(audit_reader_t *r)
{
    r->at = 0;
    r->used = r->filled = 0;
}

rc_t audit_reader_seek_last(audit_reader_t *r, const audit_filter_t *filter, arena_t *scratch,
                            uint64_t n)
{
    off_t end;
    TRY(size_between_writes(r->fd, &end));
    r->used = r->filled = 0;
    bool more = end > 0;
    while (more) {
        size_t got, want = end < BUFFER_BYTES ? (size_t)end : BUFFER_BYTES;
        off_t from = end - (off_t)want;
        TRY(read_at(r, r->bytes, want, from, &got));
        const char *newline = memrchr(r->bytes, '\n', got);
        size_t whole = newline ? (size_t)(newline - r->bytes) + 1 : 0;
        size_t start = audit_filter_back(filter, scratch, str_of(r->bytes, whole), from == 0, &n);
        /* A line that fills the whole window is none of ours: it is passed over. */
        bool stuck = n > 0 && start == whole;
        end = stuck ? from : from + (off_t)start;
        more = n > 0 && end > 0;
    }
    r->at = end;
    return RC_OK;
}

static rc_t fill(audit_reader_t *r, bool *grew)
{
    size_t got, held = r->filled - r->used;
    memmove(r->bytes, r->bytes + r->used, held);
    r->used = 0;
    r->filled = held;
    TRY(read_at(r, r->bytes + held, BUFFER_BYTES - held, r->at, &got));
    r->filled += got;
    r->at += (off_t)got;
    *grew = got > 0;
    return RC_OK;
}

rc_t audit_reader_line(audit_reader_t *r, str_t *line)
{
    for (bool grew = true; grew;) {
        str_t held = str_of(r->bytes + r->used, r->filled - r->used);
        size_t newline = str_find(held, '\n', 0);
        *line = str_first(held, newline + 1);
        if (newline < held.n) {
            r->used += newline + 1;
            return line->n > LIMIT_AUDIT_LINE_BYTES ? RC_LIMIT : RC_OK;
        }
        if (held.n > LIMIT_AUDIT_LINE_BYTES) {
            r->used = r->filled;
            return RC_LIMIT;
        }
        TRY(fill(r, &grew));
    }
    /* What has no end may be cut off before it gets one: it is read again next time. */
    *line = str_of(r->bytes + r->used, r->filled - r->used);
    r->at -= (off_t)line->n;
    r->used = r->filled = 0;
    return RC_NOT_FOUND;
}

static bool is_at_path(const audit_reader_t *r)
{
    struct stat here, there;
    return fstat(r->fd, &here) == 0 && stat(r->path, &there) == 0 && here.st_ino == there.st_ino &&
           here.st_dev == there.st_dev;
}

static bool was_emptied(const audit_reader_t *r)
{
    struct stat st;
    return fstat(r->fd, &st) == 0 && st.st_size < r->at;
}

/* Whoever writes compares path and file under the lock. So after the rename, once the lock was had
 * in between, this file grows no more; it is read to its end before it is left. */
rc_t audit_reader_follow(audit_reader_t *r)
{
    off_t size;
    int fd;
    if (was_emptied(r)) {
        r->at = 0;
        return RC_OK;
    }
    if (!r->ended) {
        if (is_at_path(r))
            return RC_NOT_FOUND;
        TRY(size_between_writes(r->fd, &size));
        r->ended = true;
        return RC_OK;
    }
    TRY(open_file(r->path, &fd));
    close(r->fd);
    r->fd = fd;
    r->at = 0;
    r->used = r->filled = 0;
    r->ended = false;
    return RC_OK;
}
