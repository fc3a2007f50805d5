#include "audit/hole.h"

#include "audit/checkpoint.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536 };

/* The place of the first `c` from `from` on, or `size`. */
static rc_t find_byte(int fd, off_t from, off_t size, char c, off_t *at)
{
    char block[BLOCK_BYTES];
    for (*at = from; *at < size;) {
        size_t n = size - *at < BLOCK_BYTES ? (size_t)(size - *at) : BLOCK_BYTES;
        TRY(audit_read_at(fd, block, n, *at));
        const char *hit = memchr(block, c, n);
        *at += hit ? hit - block : (off_t)n;
        if (hit)
            return RC_OK;
    }
    return RC_OK;
}

/* Somebody's own file is not ours to cut. */
static rc_t is_of_a_trail(int fd, off_t at, arena_t *scratch)
{
    audit_end_t end;
    char first;
    if (at > 0)
        return audit_end_read(fd, at, scratch, &end);
    TRY(audit_read_at(fd, &first, 1, 0));
    return first == '{' || first == '\0' ? RC_OK : RC_MALFORMED;
}

rc_t audit_hole_find(int fd, off_t size, arena_t *scratch, off_t *at)
{
    off_t zero, newline, from = size > AUDIT_HOLE_BYTES ? size - AUDIT_HOLE_BYTES : 0;
    *at = size;
    TRY(find_byte(fd, from, size, '\0', &zero));
    TRY(find_byte(fd, zero, size, '\n', &newline));
    if (newline == size)
        return RC_OK;
    off_t start;
    TRY(audit_line_start(fd, zero, &start));
    rc_t rc = is_of_a_trail(fd, start, scratch);
    if (rc == RC_OK)
        *at = start;
    return rc == RC_MALFORMED ? RC_OK : rc;
}

rc_t audit_hole_checkpoint(int fd, off_t at, off_t size, arena_t *scratch, uint64_t *seq)
{
    *seq = 0;
    for (off_t newline; at < size; at = newline + 1) {
        audit_record_t r;
        audit_checkpoint_t checkpoint;
        TRY(find_byte(fd, at, size, '\n', &newline));
        if (newline == size)
            return RC_OK;
        rc_t rc = audit_line_read(fd, at, newline + 1, scratch, &r);
        if (rc == RC_OK && audit_checkpoint_read(&r, &checkpoint))
            *seq = r.seq;
        if (rc != RC_OK && rc != RC_MALFORMED)
            return rc;
    }
    return RC_OK;
}

static rc_t copy(int fd, off_t at, off_t size, int to)
{
    char block[BLOCK_BYTES];
    for (size_t n; at < size; at += (off_t)n) {
        n = size - at < BLOCK_BYTES ? (size_t)(size - at) : BLOCK_BYTES;
        TRY(audit_read_at(fd, block, n, at));
        if (write(to, block, n) != (ssize_t)n)
            return RC_IO;
    }
    return fdatasync(to) == 0 ? RC_OK : RC_IO;
}

rc_t audit_hole_keep(int fd, off_t at, off_t size, const char *to)
{
    int out = open(to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
    if (out < 0)
        return RC_IO;
    rc_t rc = copy(fd, at, size, out);
    return close(out) == 0 ? rc : RC_IO;
}
