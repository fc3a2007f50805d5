#include "audit/hole.h"

#include "core/num.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHECKPOINT "\"event\":\"checkpoint\""

enum {
    BLOCK_BYTES = 65536,
    FRONT_BYTES = 144, /* of a line before its event, at most; no whole line is so short */
};

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

/* Zeros that nothing ends stand where a line was to come, or behind the front of one. */
static rc_t is_tail(int fd, off_t start)
{
    char first;
    TRY(audit_read_at(fd, &first, 1, start));
    return first == '{' || first == '\0' ? RC_OK : RC_MALFORMED;
}

rc_t audit_hole_find(int fd, off_t size, arena_t *scratch, off_t *at)
{
    off_t zero, newline, start, from = size > AUDIT_HOLE_BYTES ? size - AUDIT_HOLE_BYTES : 0;
    *at = size;
    TRY(find_byte(fd, from, size, '\0', &zero));
    if (zero == size)
        return RC_OK;
    TRY(find_byte(fd, zero, size, '\n', &newline));
    TRY(audit_line_start(fd, zero, &start));
    rc_t rc = is_of_a_trail(fd, start, scratch);
    if (rc == RC_OK && newline == size)
        rc = is_tail(fd, start);
    if (rc == RC_OK)
        *at = start;
    return rc == RC_MALFORMED ? RC_OK : rc;
}

/* The number of the line whose event stands at `at`, FRONT_BYTES into the file at least. Where that
 * is gone, *seq goes on by one. */
static rc_t read_number(int fd, off_t at, uint64_t *seq)
{
    char front[FRONT_BYTES];
    TRY(audit_read_at(fd, front, sizeof front, at - FRONT_BYTES));
    const char *brace = memrchr(front, '{', sizeof front);
    size_t skipped = brace ? (size_t)(brace - front) : sizeof front;
    str_t line = str_of(front + skipped, sizeof front - skipped), number;
    uint64_t read;
    bool there = str_starts(line, STR("{\"seq\":"));
    line = str_skip(line, there ? 7 : 0);
    number = str_first(line, str_find(line, ',', 0));
    *seq = there && num_u64(number, INT64_MAX, &read) && read > 0 ? read : *seq + 1;
    return RC_OK;
}

/* Where the next event of a checkpoint stands, from `from` on, or `size`. */
static rc_t find_checkpoint(int fd, off_t from, off_t size, off_t *at)
{
    static const size_t N = sizeof CHECKPOINT - 1;
    char block[BLOCK_BYTES];
    for (*at = from; size - *at >= (off_t)N; *at += (off_t)(BLOCK_BYTES - N)) {
        size_t n = size - *at < BLOCK_BYTES ? (size_t)(size - *at) : BLOCK_BYTES;
        TRY(audit_read_at(fd, block, n, *at));
        const char *hit = memmem(block, n, CHECKPOINT, N);
        if (hit) {
            *at += hit - block;
            return RC_OK;
        }
    }
    *at = size;
    return RC_OK;
}

rc_t audit_hole_checkpoint(int fd, off_t at, off_t size, uint64_t *seq)
{
    *seq = 0;
    for (off_t from = at + FRONT_BYTES, hit; from < size; from = hit + 1) {
        TRY(find_checkpoint(fd, from, size, &hit));
        if (hit < size)
            TRY(read_number(fd, hit, seq));
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
