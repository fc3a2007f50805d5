/* A child as the system sees it: started with nothing of ours, limited, ended with all that it has
 * started. One thread, which must live as long as its children: the kernel ends them with it. */
#ifndef PROXY_CHILD_PROCESS_H
#define PROXY_CHILD_PROCESS_H

#include <sys/types.h>

#include "conf/conf.h"

/** Descriptors are owned; -1: closed. `in` is what we write to. They do not block. */
typedef struct {
    pid_t pid;
    int exit; /* readable once it has ended (pidfd_open(2)) */
    int in, out, err;
} child_process_t;

/**
 * Starts the command in a session of its own, in `directory`, with PATH, HOME, LANG, TMPDIR and
 * what is configured as its whole environment, no descriptor beside its three, all signals at their
 * defaults, no new privileges, no core file, and SIGKILL when this thread ends. Of memory it may
 * have conf->memory_mb that are private and writable (RLIMIT_DATA; 0: any): a limit of the address
 * space (RLIMIT_AS) would stop runtimes that reserve far more than they use. RC_IO: *why is one
 * sentence, static, and *error the errno; RC_MEMORY.
 */
rc_t child_process_start(const conf_child_t *conf, str_t directory, child_process_t *out,
                         str_t *why, int *error) MUST_USE;
/** To it and to all that it has started and that is still in its group. */
void child_process_signal(const child_process_t *p, int signal);
/** After `exit` became readable: ends what is left of its group, then takes its status
 * (waitpid(2)).
 */
int child_process_reap(child_process_t *p);

#endif
