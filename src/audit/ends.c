#include "audit/ends.h"

#include "audit/checkpoint.h"
#include "core/limits.h"

#include <errno.h>
#include <unistd.h>

enum { BLOCK_BYTES = 4096 };

rc_t audit_read_at(int fd, void *p, size_t n, off_t at)
{
    char *to = p;
    while (n > 0) {
        ssize_t got = pread(fd, to, n, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return RC_IO;
        to += got;
        at += got;
        n -= (size_t)got;
    }
    return RC_OK;
}

rc_t audit_line_start(int fd, off_t end, off_t *start)
{
    char block[BLOCK_BYTES];
    while (end > 0) {
        size_t n = end < BLOCK_BYTES ? (size_t)end : BLOCK_BYTES;
        TRY(audit_read_at(fd, block, n, end - (off_t)n));
        const char *hit = memrchr(block, '\n', n);
        if (hit) {
            *start = end - (off_t)n + (hit - block) + 1;
            return RC_OK;
        }
        end -= (off_t)n;
    }
    *start = 0;
    return RC_OK;
}

/* The whole line at [start, end). RC_MALFORMED: it is no line of a trail. */
static rc_t read_line(int fd, off_t start, off_t end, arena_t *scratch, audit_record_t *r,
                      str_t *line)
{
    if (end - start > LIMIT_AUDIT_LINE_BYTES)
        return RC_MALFORMED;
    arena_reset(scratch);
    size_t n = (size_t)(end - start);
    char *bytes = arena_alloc(scratch, n);
    if (!bytes)
        return RC_MEMORY;
    TRY(audit_read_at(fd, bytes, n, start));
    *line = str_of(bytes, n);
    return audit_record_read(scratch, *line, r);
}

rc_t audit_line_read(int fd, off_t start, off_t end, arena_t *scratch, audit_record_t *r)
{
    str_t line;
    return read_line(fd, start, end, scratch, r, &line);
}

rc_t audit_end_read(int fd, off_t size, arena_t *scratch, audit_end_t *out)
{
    off_t start, end;
    audit_record_t r;
    str_t line;
    TRY(audit_line_start(fd, size, &end));
    out->at = end;
    if (end == 0)
        return RC_OK;
    TRY(audit_line_start(fd, end - 1, &start));
    TRY(read_line(fd, start, end, scratch, &r, &line));
    out->head.seq = r.seq;
    sha256(line, out->head.hash);
    out->is_checkpoint = str_eq(r.event, audit_kind_name(AUDIT_CHECKPOINT));
    return RC_OK;
}

/* Where the line that begins at `start` ends. */
static rc_t line_end(int fd, off_t start, off_t size, off_t *end)
{
    char block[BLOCK_BYTES];
    for (off_t at = start; at < size && at - start <= LIMIT_AUDIT_LINE_BYTES;) {
        size_t n = size - at < BLOCK_BYTES ? (size_t)(size - at) : BLOCK_BYTES;
        TRY(audit_read_at(fd, block, n, at));
        const char *hit = memchr(block, '\n', n);
        if (hit) {
            *end = at + (hit - block) + 1;
            return RC_OK;
        }
        at += (off_t)n;
    }
    return RC_MALFORMED;
}

rc_t audit_front_read(int fd, off_t size, arena_t *scratch, audit_front_t *out)
{
    off_t end;
    audit_record_t r;
    audit_checkpoint_t checkpoint;
    str_t line;
    *out = (audit_front_t){0};
    TRY(line_end(fd, 0, size, &end));
    TRY(read_line(fd, 0, end, scratch, &r, &line));
    out->seq = r.seq;
    out->time_ms = audit_time_parse(r.time);
    if (r.seq == 1) {
        out->chain.known = true;
        memcpy(out->chain.bytes, r.prev, sizeof r.prev);
    } else if (audit_checkpoint_read(&r, &checkpoint)) {
        out->chain = checkpoint.chain;
    }
    return RC_OK;
}

rc_t audit_follows(int fd, off_t at, off_t size, arena_t *scratch, const audit_head_t *head)
{
    off_t end;
    audit_record_t r;
    str_t line;
    TRY(line_end(fd, at, size, &end));
    TRY(read_line(fd, at, end, scratch, &r, &line));
    bool next = r.seq == head->seq + 1 && memcmp(r.prev, head->hash, sizeof r.prev) == 0;
    return next ? RC_OK : RC_CONFLICT;
}
