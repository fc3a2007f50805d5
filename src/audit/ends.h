/* The first and the last line of a file: what a writer must know of a trail that it did not write.
 * Internal to the room. */
#ifndef AUDIT_ENDS_H
#define AUDIT_ENDS_H

#include "audit/chain.h"
#include "core/arena.h"

#include <sys/types.h>

/** Reads exactly n bytes at `at`. RC_IO. */
rc_t audit_read_at(int fd, void *p, size_t n, off_t at) MUST_USE;

/** Where the last line before `end` starts, if a newline stands at end - 1; in general: the place
 *  behind the last newline of the bytes before `end`, or 0. */
rc_t audit_line_start(int fd, off_t end, off_t *start) MUST_USE;

/** Behind the last whole line. */
typedef struct {
    off_t at;           /* where it ends; 0: there is none, and what follows stays as it was */
    audit_head_t head;  /* of that line */
    bool is_checkpoint; /* it is one */
} audit_end_t;

/** The whole line from `start` to `end`. RC_MALFORMED: it is no line of a trail. The arena is
 * reset.
 */
rc_t audit_line_read(int fd, off_t start, off_t end, arena_t *scratch, audit_record_t *r) MUST_USE;
/** Of a file of `size` bytes. RC_MALFORMED: its last line is none of a trail. The arena is reset.
 */
rc_t audit_end_read(int fd, off_t size, arena_t *scratch, audit_end_t *out) MUST_USE;

/** RC_CONFLICT: the line that begins at `at` does not continue `head`: it has not the next number,
 * or not the hash. RC_MALFORMED: it is none of a trail. The arena is reset. */
rc_t audit_follows(int fd, off_t at, off_t size, arena_t *scratch,
                   const audit_head_t *head) MUST_USE;

typedef struct {
    uint64_t seq;
    int64_t time_ms;
    audit_name_t chain; /* of line 1, or of a checkpoint; else not known */
} audit_front_t;

/** RC_MALFORMED: the first line is none of a trail, or there is no whole one. */
rc_t audit_front_read(int fd, off_t size, arena_t *scratch, audit_front_t *out) MUST_USE;

#endif
