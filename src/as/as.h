/* The authorization server's shell. It gathers facts, asks the pure rooms, makes their effects
 * durable, writes the audit event, and only then answers. One file an endpoint, named as its twin
 * in oauth/. */
#ifndef AS_AS_H
#define AS_AS_H

#include "as/snapshot.h"
#include "audit/audit.h"
#include "conf/conf.h"
#include "core/log.h"
#include "core/ports.h"
#include "http/pool.h"
#include "http/server.h"
#include "identity/setup.h"
#include "as/limits.h"
#include "store/store.h"

/** What all workers share. Read-only after the start, but for what locks itself: store, audit,
 *  pool, limits, setup. */
typedef struct {
    const conf_t *conf;
    str_t issuer; /* public_url: the one string in metadata, `iss` and tokens */
    bool secure;  /* issuer is https: __Host- cookies */
    store_t *store;
    audit_t *audit;
    http_pool_t *pool;
    as_limits_t *limits;
    as_setup_t *setup;
    const log_t *log;
    clock_port_t clock;
    random_port_t random;
} as_t;

/** What one worker owns; only its thread. */
typedef struct as_worker {
    as_t *as;
    http_worker_t *loop;
    post_port_t post;
    store_conn_t *store;
    as_snapshot_t *snapshot; /* current; replaced whole when the store's generation changes */
} as_worker_t;

#endif
