/* From one server to the next, without a moment in which nobody listens: the running one answers at
 * a Unix socket in its data folder, gives its listening sockets to whoever is of the same user, and
 * drains once that one says that it serves. What connects meanwhile waits at sockets that both
 * have.
 *
 * That way round, and not by an exec of the running process: it has given up to run programs, and
 * the new one is started by whoever may start services, with the environment that is meant for it.
 */
#ifndef CMD_HANDOVER_H
#define CMD_HANDOVER_H

#include "core/arena.h"
#include "core/log.h"
#include "core/ports.h"

#include <sys/types.h>

enum {
    HANDOVER_SOCKETS_MAX = 200, /* the kernel passes 253 at once */
    HANDOVER_START_S = 60,      /* from the sockets to the word that they are in use */
};

/** Listening sockets, owned. */
typedef struct {
    int main[HANDOVER_SOCKETS_MAX];
    size_t n_main;
    int metrics;
    bool has_metrics;
    int peer; /* whom to tell when they are in use; -1: nobody */
} sockets_t;

void sockets_init(sockets_t *s);
/** Closes them, but not the peer. */
void sockets_close(sockets_t *s);

typedef struct handover handover_t;

/** Listens at `path`, in place of who listened there. RC_IO, RC_MEMORY, RC_LIMIT: the path is too
 *  long for a socket. */
rc_t handover_listen(const char *path, const log_t *log, clock_port_t clock,
                     handover_t **out) MUST_USE;
/** Whether the next server serves (its process in *pid). Gives `own` to whoever asks, one at a
 *  time, and for HANDOVER_START_S at most; never waits. */
bool handover_look(handover_t *h, const sockets_t *own, pid_t *pid);
/** NULL is fine. */
void handover_free(handover_t *h);

/** Asks the server at `path` for its sockets. RC_NOT_FOUND: there is none. RC_BUSY: it gave them to
 *  another a moment ago. RC_LIMIT: it did not answer within five seconds. RC_IO: it does not give
 *  them. */
rc_t handover_ask(const char *path, sockets_t *out) MUST_USE;
/** Says that they are in use; the other one drains. RC_CONFLICT: it did not wait so long, and goes
 *  on: this one must not serve. Without a peer, and where the other has ended: RC_OK. */
rc_t handover_done(sockets_t *s) MUST_USE;

/** Those of the service manager (sd_listen_fds(3)): the one that is named metrics in LISTEN_FDNAMES
 *  is of metrics_listen, the others of listen. RC_NOT_FOUND: there are none; RC_LIMIT: too many. */
rc_t sockets_of_manager(sockets_t *out) MUST_USE;

#endif
