/* A running child: its standard streams and its end, on the keeper's loop. */
#ifndef PROXY_CHILD_PIPES_H
#define PROXY_CHILD_PIPES_H

#include <uv.h>

#include "proxy/child_process.h"

enum {
    CHILD_STOP_MS = 2000,           /* from the closed standard input to SIGTERM */
    CHILD_TERM_MS = 2000,           /* from there to SIGKILL */
    CHILD_LAST_MS = 500,            /* for what it wrote before it ended */
    CHILD_INPUT_BYTES = 8 << 20,    /* that wait to be read by the child */
    CHILD_ENDLESS_BYTES = 64 << 20, /* of one line that is dropped; then the child is ended */
};

typedef struct child_pipes child_pipes_t;

/** All on the loop's thread; never from within a method. Pieces live for the call. */
typedef struct {
    void (*line)(void *ctx, str_t line);   /* of standard output, without its end; not empty */
    void (*too_long)(void *ctx);           /* a line was longer than `max_line` and is dropped */
    void (*error)(void *ctx, str_t piece); /* of standard error */
    void (*ended)(void *ctx, int status);  /* the process has ended; nothing more will be read */
    void (*closed)(void *ctx);             /* the last: the pipes are gone */
    void *ctx;
} child_pipes_events_t;

typedef struct {
    const conf_child_t *conf; /* borrowed for the call */
    str_t directory;
    size_t max_line;
    child_spawner_t *spawner; /* borrowed; NULL: children of this process */
} child_pipes_config_t;

/** Starts the process. Errors as child_process_start. */
rc_t child_pipes_start(uv_loop_t *loop, const child_pipes_config_t *config,
                       child_pipes_events_t events, child_pipes_t **out, str_t *why,
                       int *error) MUST_USE;
/** Writes a line and its end. RC_BUSY: the child does not read; RC_IO: it cannot any more;
 *  RC_MEMORY. */
rc_t child_pipes_write(child_pipes_t *p, str_t line) MUST_USE;
/** Whether standard output is read. */
void child_pipes_read(child_pipes_t *p, bool on);
/** Ends the child as MCP says for stdio: its standard input is closed, then SIGTERM, then SIGKILL.
 *  More than once is fine. */
void child_pipes_stop(child_pipes_t *p);
/** At once. */
void child_pipes_kill(child_pipes_t *p);
pid_t child_pipes_pid(const child_pipes_t *p);

#endif
