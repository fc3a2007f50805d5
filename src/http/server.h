/* The server: worker threads, each with its own loop and its own listening socket. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "core/counters.h"
#include "core/log.h"
#include "core/ports.h"
#include "http/app.h"
#include "http/tls.h"

typedef struct http_server http_server_t;
typedef struct http_timer http_timer_t;

/** All times in milliseconds; 0 takes the default of http_server_defaults. */
typedef struct {
    int64_t header_ms; /* from the first byte of a request to the end of its head */
    int64_t body_ms;   /* from there to the end of the body */
    int64_t idle_ms;   /* between requests */
    int64_t write_ms;  /* without the client taking a byte */
    int64_t drain_ms;  /* from stop to the cut */
    int64_t
        grace_ms; /* from stop to the end of idle connections, which may send one more request */
} http_times_t;

/** One of several applications behind one listener: the first whose table knows the path gets the
 *  request, also when it does not take the method; the first of all answers what nobody knows. The
 *  exchange's `app` and `worker`, and the hooks around its handler, are those of the chosen one. A
 *  last mount may take everything by a row "/" with HTTP_ROUTE_PREFIX. The hooks may be NULL. */
typedef struct {
    const http_app_t *app;
    /* On each worker's thread, before it accepts; *worker becomes x->worker of this application. */
    rc_t (*worker_init)(void *app_ctx, http_worker_t *loop, void **worker);
    /* The server drains: end long streams. */
    void (*worker_drain)(void *app_ctx, void *worker);
    /* After the worker's last exchange; the last application first. */
    void (*worker_exit)(void *app_ctx, void *worker);
} http_mount_t;

enum { HTTP_MOUNTS_MAX = 4 };

typedef struct {
    str_t host;    /* an IPv4 or IPv6 address to listen on */
    uint16_t port; /* 0: the system picks one, the same for all workers */
    /* Sockets that listen already, at host and port: of the service manager, or of a server that is
     * to end. Workers share them where they are more; borrowed for http_server_new. */
    const int *sockets;
    size_t socket_count;
    bool shared; /* another server accepts at them as well: as after http_server_hand_over, until
                    http_server_keep */
    unsigned workers;
    /* Of one worker, fewer if the limit of open files is low. Beyond, the one that has been idle
     * longest is closed; where none is idle, the new one gets a 503. */
    unsigned max_connections;
    unsigned max_per_address; /* connections of one rate key to one worker; proxies are exempt */
    http_times_t times;
    http_proxies_t proxies;
    const http_app_t *app; /* with the hooks below; or `mounts` */
    const http_mount_t *mounts;
    size_t mount_count;
    http_tls_t *tls; /* counted by the server; NULL: plain */
    clock_port_t clock;
    random_port_t random;
    const log_t *log;
    /* On each worker's thread, before it accepts; *worker becomes x->worker. May be NULL. */
    rc_t (*worker_init)(void *app_ctx, http_worker_t *loop, void **worker);
    /* The server drains: end long streams. May be NULL. */
    void (*worker_drain)(void *app_ctx, void *worker);
    /* After the worker's last exchange. May be NULL. */
    void (*worker_exit)(void *app_ctx, void *worker);
    /* All workers accept; on the thread of http_server_run. May be NULL. */
    void (*ready)(void *ready_ctx);
    void *ready_ctx;
    /* SIGHUP came; on the thread of http_server_run, with ready_ctx. NULL: the signal is not looked
     * at. */
    void (*reload)(void *ready_ctx);
    /* Called several times a second on the thread of http_server_run, with ready_ctx. True: others
     * take the connections from now on, as after http_server_hand_over. May be NULL. */
    bool (*look)(void *ready_ctx);
    counters_t *counters; /* borrowed; NULL: nothing is counted */
} http_server_config_t;

/** A config with every limit and time at its default, system ports, 1 worker on 127.0.0.1:0. */
http_server_config_t http_server_defaults(void);
/** Copies the config, checks the routes and binds all sockets. RC_CONFIG, RC_IO (address in use),
 *  RC_MEMORY; *why is then one sentence (static). */
rc_t http_server_new(const http_server_config_t *config, http_server_t **out, str_t *why) MUST_USE;
/** The port all workers listen on. */
uint16_t http_server_port(const http_server_t *s);
/** The listening sockets, at most `max`; the server's, until it is stopped. Returns how many there
 *  are. */
size_t http_server_sockets(const http_server_t *s, int *out, size_t max);
/** Starts the workers and returns when all have run their worker_init; on failure none runs. Sets
 *  SIGPIPE to be ignored. */
rc_t http_server_start(http_server_t *s) MUST_USE;
/** Begins to drain: no new connections but those that wait to be taken, idle ones close after
 * grace_ms, open exchanges may end within drain_ms. A request that comes meanwhile is answered,
 * with `Connection: close`. Any thread; not from a signal handler. */
void http_server_stop(http_server_t *s);
/** The same where another process accepts on the same sockets: what waits there is left to it, and
 *  idle connections stay for most of drain_ms, so that as few as can be are closed while their
 * client is about to send. */
void http_server_hand_over(http_server_t *s);
/** From now on nobody else accepts at the sockets. */
void http_server_keep(http_server_t *s);
/** Waits for all workers to end. */
void http_server_join(http_server_t *s);
/** start, ready, then waits for SIGTERM or SIGINT, stop, join: the whole life of a daemon, on the
 *  main thread. SIGINT during the drain cuts at once, SIGTERM changes nothing any more. SIGHUP
 * calls `reload` meanwhile, twenty times a second at most. Whoever made threads before must have
 * blocked these signals before that, or one of them takes the signal and the process ends. */
rc_t http_server_run(http_server_t *s) MUST_USE;
/** After join (or without start). The post ports of the workers end here, so end pools first. */
void http_server_free(http_server_t *s);

/** Hands work to a worker from any thread (bounded by LIMIT_HTTP_POSTS). Valid until
 *  http_server_free. */
post_port_t http_worker_post(http_worker_t *w);
/** Where this worker counts; its thread only. NULL: nothing is counted (also: without a worker). */
counter_block_t *http_worker_counters(const http_worker_t *w);
unsigned http_worker_index(const http_worker_t *w);
/** Whether another server has taken over (http_server_hand_over): what is not this one's any more
 * must not be given away. */
bool http_worker_is_handed_over(const http_worker_t *w);
/** The loop's own monotonic time, cheap. */
int64_t http_worker_now_ms(const http_worker_t *w);
/** New connections use this certificate from now on, open ones keep theirs; the server counts it
 *  for itself. Any thread. For a server that began with one: NULL would mean plain. */
void http_server_set_tls(http_server_t *s, http_tls_t *tls);

/** Something that is to run once at the end of this turn of the loop, when all that came in has
 * been looked at and before it sleeps: work that is cheaper for many at once. Embed it. */
typedef struct http_deferred {
    struct http_deferred *next;
    void (*fn)(void *arg);
    void *arg;
    bool queued;
} http_deferred_t;
/** Queues it, unless it is queued already. What is queued meanwhile still runs in this turn; what
 * is queued when the worker ends runs before worker_exit. It must not go away while it is queued.
 * The worker's thread only. */
void http_worker_defer(http_worker_t *w, http_deferred_t *d);

/** Calls fn(arg) on the worker after first_ms and then every repeat_ms (0: once). On the worker's
 *  thread only. NULL without memory. Timers end with the worker. */
http_timer_t *http_timer_start(http_worker_t *w, int64_t first_ms, int64_t repeat_ms,
                               void (*fn)(void *arg), void *arg);
/** Ends a timer, also one that has run once; NULL is fine. The worker's thread only. */
void http_timer_stop(http_timer_t *t);

#endif
