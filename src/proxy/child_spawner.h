/* Who starts children in the server's name, where the server itself may start nothing: a process of
 * its own, forked before the server locks itself down. It takes no command lines, only the digest
 * of one, and runs what its own reading of the settings has under that digest: whoever takes over
 * the server still cannot choose the command, as long as the settings file, the program and the
 * child's directory are none that the server may write. */
#ifndef PROXY_CHILD_SPAWNER_H
#define PROXY_CHILD_SPAWNER_H

#include "jose/digest.h"
#include "proxy/child_process.h"

typedef struct {
    uint8_t b[SHA256_BYTES];
} child_digest_t;

/** In the spawner's process: what has that digest, valid until the next call; false: nothing. */
typedef struct {
    bool (*find)(void *ctx, const child_digest_t *digest, conf_child_t *child, str_t *directory);
    void *ctx;
    void (*begin)(void *ctx); /* the first in that process */
} child_commands_t;

/** Of what child_launch uses. */
child_digest_t child_digest(const conf_child_t *child, str_t directory);

/** Forks it; with one thread only. It ends with this process, and its children with it. RC_IO,
 *  RC_MEMORY. */
rc_t child_spawner_new(child_commands_t commands, child_spawner_t **out) MUST_USE;
/** Ends it, with all that it has started. NULL is fine. */
void child_spawner_free(child_spawner_t *s);

/** As child_launch, child_process_signal and child_collect. Any thread; waits until it is done.
 *  RC_CONFIG: no such command stands in the settings. */
rc_t child_spawner_launch(child_spawner_t *s, const conf_child_t *child, str_t directory,
                          const int streams[3], pid_t *pid, int *exit, int *error) MUST_USE;
void child_spawner_signal(child_spawner_t *s, pid_t pid, int signal);
int child_spawner_collect(child_spawner_t *s, pid_t pid);

/* Between the two halves; both sides are of one program. */

typedef enum { SPAWN_LAUNCH = 1, SPAWN_SIGNAL, SPAWN_COLLECT } spawn_what_t;
enum { SPAWN_STREAMS = 3, SPAWN_CHILDREN_MAX = 4096 };

typedef struct {
    uint32_t what; /* spawn_what_t */
    int32_t pid;   /* of the last two */
    int32_t signal;
    child_digest_t digest; /* of the first, whose descriptors come along */
} spawn_request_t;

typedef struct {
    int32_t rc; /* rc_t */
    int32_t pid, error, status;
} spawn_answer_t;

/** One packet with up to SPAWN_STREAMS descriptors. */
bool spawn_send(int fd, const void *p, size_t n, const int *fds, size_t n_fds);
/** A packet of just n bytes; *n_fds becomes how many descriptors came, which are the caller's. More
 *  of them than SPAWN_STREAMS, or another length, is false, and none are left open. */
bool spawn_receive(int fd, void *p, size_t n, int fds[SPAWN_STREAMS], size_t *n_fds);
/** child_spawner_serve.c: the life of the spawner's process. */
void spawn_serve(int fd, child_commands_t commands);

#endif
