/* Reads the lines of a trail from the disk, beside those who write it. One thread. */
#ifndef AUDIT_READER_H
#define AUDIT_READER_H

#include "audit/tail.h"

#include <sys/types.h>

typedef struct {
    const char *path; /* borrowed */
    int fd;
    off_t at;      /* of the next byte to be read */
    off_t stop_at; /* nothing behind it is read; -1: no end */
    char *bytes;   /* owned: [used, filled) waits */
    size_t used, filled;
    bool ended; /* the path leads to another file, and this one grows no more */
} audit_reader_t;

/** RC_NOT_FOUND, RC_IO, RC_MEMORY; errno says more. */
rc_t audit_reader_open(audit_reader_t *r, const char *path) MUST_USE;
void audit_reader_close(audit_reader_t *r);
/** Takes the size while no write is under way, and stops there: what follows is the trail as it
 *  stood at this moment, however long reading takes. */
rc_t audit_reader_freeze(audit_reader_t *r) MUST_USE;
/** Goes back to the first line. */
void audit_reader_rewind(audit_reader_t *r);
/** Goes to the last `n` lines that the filter takes. */
rc_t audit_reader_seek_last(audit_reader_t *r, const audit_filter_t *filter, arena_t *scratch,
                            uint64_t n) MUST_USE;
/** The next line with its newline, valid until the next call. RC_NOT_FOUND: no further whole line
 *  at present; *line is what stands there without an end, maybe empty. RC_LIMIT: the line is longer
 *  than any event; *line is its beginning, what follows comes as if it were another. RC_IO. */
rc_t audit_reader_line(audit_reader_t *r, str_t *line) MUST_USE;
/** After RC_NOT_FOUND: looks whether the file was renamed away. Once all of it is read, goes on
 * with the one that now stands at the path. RC_OK: call audit_reader_line again. RC_NOT_FOUND:
 * nothing new; wait. RC_IO. */
rc_t audit_reader_follow(audit_reader_t *r) MUST_USE;

#endif
