/* What machines that watch over this one ask: is it alive, can it answer, and how does it do. */
#ifndef CMD_OPS_H
#define CMD_OPS_H

#include "audit/audit.h"
#include "core/counters.h"
#include "http/app.h"
#include "http/pool.h"
#include "store/store.h"

typedef struct ops ops_t;

/** A part that has to work, by the name that strangers may read. */
typedef struct {
    const char *name;
    bool (*works)(void *ctx);
    void *ctx;
    bool on_worker; /* it never blocks, and belongs on a worker; else on a thread of the pool */
} ops_part_t;

enum { OPS_PARTS_MAX = 6 };

/** Borrowed. */
typedef struct {
    http_pool_t *pool;
    clock_port_t clock;
    counters_t *counters;
    audit_t *audit;
    store_t *store; /* NULL: nothing of it is counted */
    ops_part_t parts[OPS_PARTS_MAX];
    size_t n_parts;
    /* more metrics behind those; NULL: none */
    void (*metrics)(void *ctx, buf_t *b);
    void *metrics_ctx;
} ops_config_t;

/** NULL without memory. */
ops_t *ops_new(const ops_config_t *config);
/** After the servers and the pool. NULL is fine. */
void ops_free(ops_t *o);
/** /readyz, for the listener that everybody reaches. */
const http_app_t *ops_app(const ops_t *o);
/** /metrics, /healthz and /readyz, for a listener of their own. */
const http_app_t *ops_own_app(const ops_t *o);
/** The routes of ops_app. */
const http_routes_t *ops_routes(void);

#endif
