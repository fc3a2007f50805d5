/* The name of this node among those of one store: taken before the first request, kept by the
 * server's maintenance (as/maintenance.h). */
#ifndef CMD_NODE_H
#define CMD_NODE_H

#include "cmd/command.h"
#include "core/log.h"
#include "core/ports.h"
#include "store/store.h"

/** Borrowed for the call. */
typedef struct {
    str_t name; /* unset: nothing is taken */
    str_t data; /* the data folder, which is this node's alone */
    store_t *store;
    const log_t *log;
    clock_port_t clock;
    random_port_t random;
    bool takes_over;    /* from a server in the same folder, which is to end: both have the name */
    int64_t wait_ms;    /* for the end of one that has the name */
    refusal_t *refusal; /* command.h; NULL: standard error */
} node_config_t;

/** How long a start waits: a little longer than a name outlives a process that was killed. */
enum { NODE_WAIT_MS = 12000 };

typedef struct {
    str_t lease;  /* of the name; unset: none was taken */
    str_t holder; /* who holds it: this process, and after a crash the next one in its folder */
    int lock;     /* a file that is open as long as the process works in the folder; -1: none */
} node_t;

/** Takes the name; strings live in `a`. 0, or an exit code after saying why: another process works
 * in the data folder, or another node has the name, and was still there after the wait. */
int node_take(arena_t *a, const node_config_t *config, node_t *out);
/** Lets others into the folder; the lease is given up by who keeps it. */
void node_leave(node_t *node);

#endif
