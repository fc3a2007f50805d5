/* The gateway as an application of http/: every upstream of the settings behind its path. */
#ifndef PROXY_GATEWAY_H
#define PROXY_GATEWAY_H

#include "audit/audit.h"
#include "conf/conf.h"
#include "core/counters.h"
#include "http/server.h"
#include "proxy/access.h"
#include "proxy/child_spawner.h"
#include "proxy/credential.h"
#include "proxy/upstream.h"

typedef struct gateway gateway_t;

/** Borrowed for its life. */
typedef struct {
    audit_t *audit;
    http_pool_t *pool;
    http_fetch_port_t fetch;
    access_local_t local;
    access_spend_t spend; /* for all upstreams */
    rc_t (*sign)(void *ctx, arena_t *a, str_t typ, str_t claims, str_t *jwt);
    void *sign_ctx;
    str_t handle_key;     /* 32 bytes, for session and event ids; the same after a restart */
    str_t data;           /* folder for pins */
    bool durable;         /* events of calls are on the disk before what they record goes on */
    counters_t *counters; /* NULL: nothing is counted */
    const log_t *log;
    clock_port_t clock;
    random_port_t random;
    child_spawner_t *spawner; /* who starts children; NULL: this process does */
} gateway_config_t;

rc_t gateway_new(const gateway_config_t *config, gateway_t **out) MUST_USE;
/** Takes the upstreams of `conf` from the next request on; requests and streams under way end as
 *  they began. `conf` is borrowed until the next load has returned and its requests have ended;
 *  `release(ctx)` is then called, from any thread. RC_CONFIG: *why is one sentence, and nothing has
 *  changed. Any thread, one at a time. */
typedef struct {
    const conf_t *conf;
    str_t issuer; /* this server's public URL */
    void (*release)(void *ctx);
    void *ctx;
} gateway_settings_t;
rc_t gateway_load(gateway_t *g, arena_t *a, const gateway_settings_t *settings,
                  str_t *why) MUST_USE;
/** For http_server_config_t.mounts. */
http_mount_t gateway_mount(gateway_t *g);
/** Whether every upstream can answer. Any worker. */
bool gateway_ready(gateway_t *g);
/** What is no count, for metrics: Prometheus text into `b`. Any thread. */
void gateway_metrics(gateway_t *g, buf_t *b);
/** After the server has been joined. */
void gateway_free(gateway_t *g);

#endif
