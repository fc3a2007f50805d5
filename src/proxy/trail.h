/* The way of call events into the audit trail: what one turn of a worker's loop decides is written
 * by one write at its end, and only then goes on. */
#ifndef PROXY_TRAIL_H
#define PROXY_TRAIL_H

#include "audit/audit.h"
#include "http/server.h"

/** Where events go: audit.h, or a test. */
typedef struct {
    /** As audit_write. */
    rc_t (*write)(void *ctx, const audit_event_t *const *events, size_t n);
    /** As audit_append; NULL: events are written, and on the disk a moment later. */
    void (*append)(void *ctx, post_port_t back, const audit_event_t *e, audit_done_t done,
                   void *done_ctx);
    void *ctx;
} trail_port_t;

/** The port over audit.h; `durable`: each event is on the disk before it goes on. */
trail_port_t trail_audit(audit_t *audit, bool durable);

/** One event on its way; embed it. It and all it names must stay until done(arg, rc) has begun,
 *  which is called once, and never from within trail_put. RC_OK: the event is written; else it is
 *  not, or nobody can tell. */
typedef struct trail_item {
    struct trail_item *next;
    struct trail *trail;
    audit_event_t event;
    bool silent; /* there is no event: done(arg, RC_OK) in its turn */
    rc_t failed;
    void (*done)(void *arg, rc_t rc);
    void *arg;
} trail_item_t;

enum { TRAIL_BATCH = 256 }; /* events of one write */

/** Of one worker; its thread only. */
typedef struct trail {
    trail_port_t port;
    http_worker_t *loop; /* NULL (tests): items wait for trail_flush */
    http_deferred_t deferred;
    trail_item_t *first, **last;
    bool appending;
} trail_t;

void trail_init(trail_t *t, trail_port_t port, http_worker_t *loop);
/** Queues it for the end of this turn. */
void trail_put(trail_t *t, trail_item_t *item);
/** Writes what waits now, also what is queued meanwhile. */
void trail_flush(trail_t *t);

#endif
