/* What the running server may still do once it has read its settings: a filter of system calls, and
 * of files and ports (Landlock). For the process that speaks with strangers; commands of a person
 * have none. Entered before there are threads, and for good. */
#ifndef CMD_SANDBOX_H
#define CMD_SANDBOX_H

#include "cmd/settings.h"

enum { SANDBOX_PATHS_MAX = 256, SANDBOX_PORTS_MAX = 64 };

/** A file, or a folder with all that is in it. What does not exist is left out. */
typedef struct {
    const char *path;
    bool writes; /* files may be made, written and deleted there */
} sandbox_path_t;

/** All in the arena that it was made in. */
typedef struct {
    sandbox_path_t paths[SANDBOX_PATHS_MAX];
    size_t n_paths;
    uint16_t listen[SANDBOX_PORTS_MAX]; /* TCP ports that may be bound; no others */
    size_t n_listen;
    bool any_port; /* the system picks one, which the workers share: nothing can be named */
    uint16_t connect[SANDBOX_PORTS_MAX]; /* TCP ports that may be connected to; none: any */
    size_t n_connect;
    bool abstract; /* sockets of the abstract name space may be reached */
} sandbox_plan_t;

/** What came of it, for the log. */
typedef struct {
    int landlock;      /* version of Landlock's interface; 0: there is none */
    bool ports;        /* ports are bounded */
    bool system_calls; /* they are filtered */
} sandbox_state_t;

/** sandbox_plan.c: what these settings need, a reload included. RC_LIMIT: more than can be held;
 *  RC_MEMORY. */
rc_t sandbox_plan(arena_t *a, const settings_t *s, sandbox_plan_t *out) MUST_USE;
/** sandbox.c: locks this process down, and all threads that it will make. RC_IO: a part of it could
 *  not be had, and what *state names holds all the same. With one thread only. */
rc_t sandbox_enter(const sandbox_plan_t *plan, sandbox_state_t *state) MUST_USE;

/* The two parts, each for itself. */

/** sandbox_landlock.c: *version 0 where the kernel has none (RC_IO). */
rc_t sandbox_landlock(const sandbox_plan_t *plan, int *version) MUST_USE;
/** sandbox_seccomp.c */
rc_t sandbox_seccomp(void) MUST_USE;

/* For the signing process (signer_process.h), which has files, sockets and threads already. */

/** sandbox.c: no file and no port, for threads that are made from now on; with one thread only.
 *  RC_IO: this kernel has no Landlock. */
rc_t sandbox_signer_files(void) MUST_USE;
/** sandbox_signer_seccomp.c: its system calls, for all threads that there are. RC_IO, RC_MEMORY. */
rc_t sandbox_signer_seccomp(void) MUST_USE;

/** sandbox_plan.c: whether what the plan allows to be read has the file at `path` in it. */
bool sandbox_plan_reads(const sandbox_plan_t *plan, const char *path);

#endif
