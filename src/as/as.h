/* The authorization server's shell. It gathers facts, asks the pure rooms, makes their effects
 * durable, writes the audit event, and only then answers. One file an endpoint, named as its twin
 * in oauth/. */
#ifndef AS_AS_H
#define AS_AS_H

#include "as/backlog.h"
#include "as/lease.h"
#include "as/limits.h"
#include "as/pace.h"
#include "as/settled.h"
#include "as/snapshot.h"
#include "as/throttle.h"
#include "audit/audit.h"
#include "conf/conf.h"
#include "conf/conf_catalogue.h"
#include "core/log.h"
#include "core/ports.h"
#include "core/secret.h"
#include "http/fetch.h"
#include "http/pool.h"
#include "http/server.h"
#include "identity/password.h"
#include "identity/session.h"
#include "store/store.h"

enum { AS_WORKERS_MAX = 256 };

/** What all workers share. Read-only after the start, but for what locks itself: store, audit,
 *  pool, limits, throttle. */
typedef struct as {
    const conf_t *conf;
    oauth_settings_t oauth; /* with the issuer: the one string in metadata, `iss` and tokens */
    str_t default_resource; /* canonical; unset: the only one */
    conf_catalogue_t catalogue;
    str_list_t desktop_schemes; /* redirect_schemes with those of the catalogue */
    bool secure;                /* the issuer is https: __Host- cookies */
    identity_session_times_t session_times;
    identity_password_cost_t password_cost;
    store_t *store;
    audit_t *audit;
    http_pool_t *pool;
    http_pool_t *fetchers; /* whoever waits for hosts of others */
    http_fetch_port_t fetch;
    secret_t login_secret;      /* of this server at login_issuer; unset: none */
    struct as_fetched *fetched; /* documents of others (fetched.h); locks itself */
    as_limits_t *limits;
    as_throttle_t *throttle;
    as_kek_t kek;            /* what the store's keys are encrypted under; zero: nothing */
    const as_vault_t *vault; /* who opens them and signs; NULL: this process */
    const log_t *log;
    clock_port_t clock;
    random_port_t random;
    http_app_t app;
    struct as_worker *workers[AS_WORKERS_MAX]; /* by index; each is set by its own thread */
    str_t holder;        /* of leases: of this node; two processes have it while one takes over */
    str_t process;       /* of the lease on keys: of this process alone */
    str_t node_lease;    /* of this node's name; unset: none */
    struct {             /* of maintenance.c; the first worker's alone */
        arena_t *look;   /* of the look under way; NULL: none */
        uint64_t seen;   /* the store's generation at the last look that found nothing to do */
        int64_t next_at; /* when to look again though nothing changed; 0: no need */
        int64_t clocks_apart; /* ms, when that was said */
        int64_t wait_ms;      /* no look before that (monotonic): another node is at it */
        as_lease_t lease;
    } keys;
    struct { /* likewise */
        as_lease_t lease;
        as_pace_t pace;
        http_timer_t *pause; /* before the next batch; NULL: none was started */
        store_expire_t what; /* the batch under way */
        as_settled_t clock;
        bool running;
    } cleaning;
    struct {                 /* of forget.c; likewise */
        arena_t *a;          /* NULL: it is not under way */
        store_forget_t what; /* of the batch */
        http_timer_t *pause; /* before the next one; NULL: none was started */
        size_t looked;       /* at how many, in the last one */
        size_t unrecorded;   /* lines of the trail that are on their way, and one */
    } forgetting;
    as_lease_t name; /* node_lease; likewise */
    bool name_is_lost;
} as_t;

/** Whether the store's server cannot be reached. The driver has said so once: whoever fails for it
 *  does not say it again. */
static inline bool as_store_is_away(const as_t *as)
{
    store_health_t health;
    store_health(as->store, &health);
    return !health.up;
}

enum { AS_BACKLOG_ASK, AS_BACKLOG_APPLY, AS_BACKLOG_AUDIT, AS_BACKLOGS };

/** What one worker owns; only its thread. */
typedef struct as_worker {
    as_t *as;
    http_worker_t *loop; /* NULL under http/direct.h */
    post_port_t post;
    store_conn_t *store;
    as_snapshot_t *snapshot; /* current; replaced whole when the store's generation changes */
    bool snapshot_loading;
    int64_t snapshot_retry_at;              /* monotonic ms, after a failure */
    as_snapshot_waiter_t *snapshot_waiters; /* for the one that is loading */
    unsigned snapshot_rounds;               /* loads that they have waited for */
    as_backlog_t backlog[AS_BACKLOGS];      /* of decisions under way */
} as_worker_t;

#endif
