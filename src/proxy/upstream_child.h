/* A protected server that speaks MCP on its standard streams, behind the port of upstream.h: it
 * looks as if it spoke Streamable HTTP. docs/STDIO.md tells how a child lives. */
#ifndef PROXY_UPSTREAM_CHILD_H
#define PROXY_UPSTREAM_CHILD_H

#include "conf/conf.h"
#include "core/log.h"
#include "core/ports.h"
#include "model/audit_event.h"
#include "proxy/child_spawner.h"
#include "proxy/upstream.h"

/** `upstream` and `directory` are copied; the rest is borrowed for the port's life. */
typedef struct {
    const conf_upstream_t *upstream;
    str_t directory; /* where children run, unless the settings name another: the data folder */
    const log_t *log;
    clock_port_t clock;
    random_port_t random;
    /** Takes an AUDIT_UPSTREAM event; on a thread of its own, must not block for long. May be NULL.
     */
    void (*audit)(void *ctx, const audit_event_t *e);
    void *audit_ctx;
    child_spawner_t *spawner; /* who starts the children; NULL: this process does */
} upstream_child_config_t;

/** Starts the thread that keeps the children, and a first child, which is asked for its era.
 * `port->free` ends all children: on a server
 *  that stops it waits for them, at most CHILD_STOP_MS and CHILD_TERM_MS; on one that goes on, as
 *  hooks->worker_exit has seen, the thread does that alone, and uses nothing that is borrowed.
 *  RC_CONFIG, RC_MEMORY, RC_IO: *why is one sentence, static. */
rc_t upstream_child_new(const upstream_child_config_t *config, upstream_port_t *port,
                        upstream_hooks_t *hooks, str_t *why) MUST_USE;
/** Whether the children of a port that was made here are those that `config` asks for: then it is
 * one more upstream's, sessions and all, until each of them has called port->free. What `config`
 * borrows is not looked at. */
bool upstream_child_take_on(const upstream_port_t *port, const upstream_child_config_t *config);

#endif
