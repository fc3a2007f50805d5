/* What the running server is made of. Private to the files serve*.c: serve.c has the order of the
 * steps, the others the steps. */
#ifndef CMD_SERVE_H
#define CMD_SERVE_H

#include "as/app.h"
#include "as/local.h"
#include "cmd/handover.h"
#include "cmd/kek.h"
#include "cmd/node.h"
#include "cmd/ops.h"
#include "cmd/prepare.h"
#include "cmd/sandbox.h"
#include "cmd/settings.h"
#include "cmd/signer_process.h"
#include "cmd/trail.h"
#include "http/fetch.h"
#include "proxy/gateway.h"

#include <pthread.h>

typedef struct {
    arena_t *a;
    const option_t *rows;       /* of the command line, for reloads */
    settings_t settings;        /* as the server started; what needs a restart keeps these values */
    const settings_t *in_force; /* these, or those of the last reload */
    as_kek_t kek;
    secret_t login_secret;
    log_t log;
    counters_t *counters;
    store_t *store;
    node_t node;
    audit_t *audit;
    http_pool_t *pool, *fetchers;
    http_proxies_t proxies;
    as_t *as;
    as_local_t *local;
    gateway_t *gateway;
    str_t handle_key; /* of the gateway */
    ops_t *ops;
    signer_process_t *signer;        /* NULL: this process signs */
    bool signer_lost;                /* it is gone, and the server ends */
    child_spawner_t *spawner;        /* NULL: this process starts the children */
    sockets_t inherited;             /* from a server that is to end, or from the service manager */
    handover_t *handover;            /* to the next server; NULL: none can come */
    bool came_late;                  /* the server before did not wait so long, and goes on */
    http_server_t *server, *metrics; /* metrics: NULL without metrics_listen */
    str_t address; /* http:// or https:// and where it listens, with the real port */
    str_t issuer, setup_link;
    uint64_t audit_failures; /* at the last look, for readiness */
    pthread_mutex_t audit_lock;
} serve_t;

log_level_t serve_log_level(str_t word);
prepare_t serve_prepare(serve_t *s);

/** The client secret of login_client_secret_file; unset: none is named, or no login_issuer. 0, or
 * an exit code after saying why. */
int serve_load_login_secret(arena_t *a, const settings_t *settings, secret_t *out);

/* serve_sandbox.c */
/** Forks the process that starts children, which the sandbox forbids to this one. `mask`: their
 *  umask. */
int serve_start_spawner(serve_t *s, mode_t mask);
/** For good. Before there are threads, and after all that is read once. */
int serve_enter_sandbox(serve_t *s);

/* serve_signer.c */
/** Forks the process that signs and reads the key for the keys; where the settings want none, reads
 *  the key itself. */
int serve_start_signer(serve_t *s);
/** Who opens keys for this process; NULL: itself. */
const as_vault_t *serve_vault(const serve_t *s);
/** The settings as the sandbox counts files: without those that the signing process alone reads. */
settings_t serve_without_keys(const serve_t *s);
/** Says where the keys are, and warns where the server, or a program that it starts, may read them
 *  all the same. */
void serve_say_signer(const serve_t *s, const sandbox_plan_t *plan, const sandbox_state_t *state);
/** Ends the server once the signing process is gone. */
void serve_watch_signer(serve_t *s);

/* serve_rooms.c: what has threads or files. Each step answers 0, or an exit code after saying why.
 */
int serve_open_rooms(serve_t *s);
/** The node's name, where it must differ from others'. */
int serve_take_name(serve_t *s);
/** Whoever has a thread goes first. */
void serve_close_rooms(serve_t *s);

/* serve_handover.c */
/** Sockets that listen already, if there are some: of the service manager, or, where the command
 * line says so, of the server that runs on the same data folder. */
int serve_inherit(serve_t *s);
/** All workers accept: the one before may go, and the next server may come. False: the one before
 * goes on, and this one ends. */
bool serve_taken_over(serve_t *s);
/** For http_server_config_t.look: whether the next server is ready. */
bool serve_look(void *serve);

/* serve_listen.c: the listeners. */
int serve_make_server(serve_t *s);
/** That others reach it under a URL of theirs; 0, or an exit code after saying what is missing. */
int serve_check_reach(const conf_t *conf);
/** Knows under which URL others reach it. */
int serve_choose_issuer(serve_t *s);
int serve_make_metrics(serve_t *s);
/** The certificate of `settings`; NULL in *out: none is set. `refusal` as in command_refuse. */
int serve_load_tls(arena_t *a, const settings_t *settings, const log_t *log, http_tls_t **out);

/* serve_gateway.c: the protected servers. */
int serve_make_gateway(serve_t *s);
/** Gives them to the gateway, which borrows `conf` until `release(ctx)`; not called after a
 * failure. RC_CONFIG: *why is one sentence. */
typedef struct {
    const conf_t *conf;
    void (*release)(void *ctx);
    void *ctx;
} serve_upstreams_t;
rc_t serve_load_gateway(serve_t *s, arena_t *a, const serve_upstreams_t *upstreams, str_t *why);
/** Puts their resources into the store, and those of the settings. */
rc_t serve_put_resources(serve_t *s, arena_t *a, const conf_t *conf);

/* serve_reload.c */
/** SIGHUP: the settings anew. */
void serve_reload(void *serve);

#endif
