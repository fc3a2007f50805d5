/* The authorization server as an application of http/: made once, served by every worker. */
#ifndef AS_APP_H
#define AS_APP_H

#include "as/as.h"
#include "http/fetch.h"

/** What it is made of; borrowed for its life. */
typedef struct {
    const conf_t *conf;
    store_t *store;
    audit_t *audit;
    http_pool_t *pool;
    http_pool_t *fetchers; /* for documents of others: slow hosts must not keep passwords waiting */
    http_fetch_port_t fetch;
    const log_t *log;
    clock_port_t clock;
    random_port_t random;
    secret_t login_secret;   /* of this server at login_issuer; unset: none */
    as_kek_t kek;            /* zero: the keys of the store are plain */
    const as_vault_t *vault; /* who opens them and signs; NULL: this process */
    str_t holder;            /* of leases: of this node alone; unset: made at random */
    str_t node_lease;        /* to be kept, and taken by `holder` already; unset: none */
} as_config_t;

/** RC_MEMORY, or what the random port answers. The settings must have been checked. */
rc_t as_new(arena_t *a, const as_config_t *config, as_t **out) MUST_USE;
/** All its routes; static. */
const http_routes_t *as_routes(void);
/** Tells it its public URL, checked: before the workers start. */
void as_identify(as_t *as, str_t issuer);
/** After the server has been joined. NULL is fine. */
void as_free(as_t *as);
/** For http_server_config_t. The first worker also keeps house (maintenance.h). */
rc_t as_worker_init(void *app, http_worker_t *loop, void **worker);
void as_worker_exit(void *app, void *worker);
/** For tests without a loop: a worker whose completions come through `post`. */
rc_t as_worker_new(as_t *as, post_port_t post, as_worker_t **out) MUST_USE;
void as_worker_free(as_worker_t *w);

#endif
