/* A child as the system sees it: started with nothing of ours, limited, ended with all that it has
 * started. One thread, which must live as long as its children: the kernel ends them with it. */
#ifndef PROXY_CHILD_PROCESS_H
#define PROXY_CHILD_PROCESS_H

#include <sys/types.h>

#include "conf/conf.h"

typedef struct child_spawner child_spawner_t;

/** Descriptors are owned; -1: closed. `in` is what we write to. They do not block. */
typedef struct {
    child_spawner_t *spawner; /* whose child it is; NULL: ours */
    pid_t pid;
    int exit; /* readable once it has ended (pidfd_open(2)) */
    int in, out, err;
} child_process_t;

/**
 * Starts the command in a session of its own, in `directory`, with PATH, HOME, LANG, TMPDIR and
 * what is configured as its whole environment, no descriptor beside its three, all signals at their
 * defaults, no new privileges, no core file, and SIGKILL when this thread ends. Of memory it may
 * have conf->memory_mb that are private and writable (RLIMIT_DATA; 0: any): a limit of the address
 * space (RLIMIT_AS) would stop runtimes that reserve far more than they use. With a spawner it is
 * that one's child, and ends with that one. RC_IO: *why is one sentence, static, and *error the
 * errno; RC_MEMORY.
 */
rc_t child_process_start(child_spawner_t *spawner, const conf_child_t *conf, str_t directory,
                         child_process_t *out, str_t *why, int *error) MUST_USE;
/** To it and to all that it has started and that is still in its group. */
void child_process_signal(const child_process_t *p, int signal);
/** After `exit` became readable: ends what is left of its group, then takes its status
 * (waitpid(2)).
 */
int child_process_reap(child_process_t *p);

/* For whoever makes children in another's name. */

/** The process alone; `streams` become its three, and stay the caller's. *exit is owned by the
 *  caller. Errors as above, RC_NOT_FOUND: the command is not in PATH. */
rc_t child_launch(const conf_child_t *conf, str_t directory, const int streams[3], pid_t *pid,
                  int *exit, int *error) MUST_USE;
/** As child_process_reap, of a child of this process. */
int child_collect(pid_t pid);

#endif
