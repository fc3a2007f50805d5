/* What a child writes to its standard error, as lines for the log: cut, cleaned and not too many.
 * Pure; one thread. */
#ifndef PROXY_CHILD_STDERR_H
#define PROXY_CHILD_STDERR_H

#include "core/str.h"

enum {
    CHILD_STDERR_LINE = 512,    /* bytes of a line that are logged */
    CHILD_STDERR_BURST = 100,   /* lines at once, */
    CHILD_STDERR_LINE_MS = 100, /* and then one in this time */
};

/** Zeroed is ready. */
typedef struct {
    char p[CHILD_STDERR_LINE];
    size_t n;
    bool cut; /* the line is longer than its room */
    bool set; /* the bucket below is filled */
    int64_t tokens, filled_ms;
    uint64_t dropped;
} child_stderr_t;

/** One line for the log, without control bytes and valid as UTF-8. `dropped` lines before it were
 * too many. */
typedef void (*child_stderr_line_t)(void *ctx, str_t line, bool cut, uint64_t dropped);
/** Takes a piece at `now_ms` (monotonic) and gives out the lines that are whole. */
void child_stderr_take(child_stderr_t *s, str_t piece, int64_t now_ms, child_stderr_line_t line,
                       void *ctx);
/** Gives out what has no line end, when the child is gone. */
void child_stderr_end(child_stderr_t *s, int64_t now_ms, child_stderr_line_t line, void *ctx);

#endif
