/* A worker: one thread, one loop, one listening socket. Internal to the room's uv files. */
#ifndef HTTP_UV_WORKER_H
#define HTTP_UV_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "core/map.h"
#include "http/conn.h"
#include "http/outbound.h"
#include "http/overload.h"

/* Deadlines are looked at this often; they are seconds, so this is exact enough. */
enum { HTTP_TICK_MS = 100 };

typedef struct {
    void (*fn)(void *arg);
    void *arg;
} http_post_t;

typedef struct http_socket http_socket_t;

struct http_worker {
    http_server_t *server;
    unsigned index;
    pthread_t thread;
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_async_t wake;
    uv_timer_t tick;
    uv_prepare_t before_sleep; /* these two run what was deferred */
    uv_check_t after_poll;
    uv_idle_t awake; /* while requests wait */
    http_turn_t turn;
    http_deferred_t *deferred, **deferred_end;
    http_timer_t *timers;
    http_outbound_t *outbounds;
    http_hub_t hub;
    map_t *addresses; /* rate key -> number of connections, as a pointer's value */
    http_socket_t *sockets;
    unsigned socket_count;
    unsigned leaving;       /* of them, those that say goodbye */
    int spare;              /* a descriptor to give up for a goodbye when there are none; -1 */
    bool accept_due;        /* a connection waits for the memory of its socket */
    int64_t drain_until_ms; /* 0: not draining */
    bool cut;
    size_t initialized; /* applications whose worker_init went well: their other hooks are due */

    atomic_int stop;      /* 0 run, 1 drain, 2 cut */
    pthread_mutex_t lock; /* guards the queue below */
    http_post_t *posts;
    size_t post_first, post_count;
    bool closed; /* nothing can be posted any more */
};

struct http_server {
    http_server_config_t config;
    http_mount_t mounts[HTTP_MOUNTS_MAX]; /* of the config, or its one application */
    size_t mount_count;
    uint16_t port;
    unsigned count;
    http_worker_t *workers;
    int *listeners; /* sockets, bound; -1 once handed to a worker */
    int *sockets;   /* the same, as they are until the workers drain */
    bool started;
    atomic_bool handed_over; /* another server has the sockets, too; set before a drain begins */

    pthread_mutex_t tls_lock; /* guards the next one */
    http_tls_t *tls;          /* of new connections; NULL: plain */

    pthread_mutex_t lock; /* guards the two below */
    pthread_cond_t changed;
    unsigned ready, ended;
    rc_t init_rc; /* the first failure of a worker's start */
};

/** The thread of a worker (arg: its http_worker_t). */
void *http_worker_main(void *arg);
/** Asks a worker to drain (1) or to cut (2). Any thread. */
void http_worker_stop(http_worker_t *w, int how);
/** Creates the loop, the queue and the handles that other threads may use; undone by _close. */
rc_t http_worker_open(http_worker_t *w, http_server_t *s, unsigned index) MUST_USE;
void http_worker_close(http_worker_t *w);

/* outbound.c */
/** Deadlines of requests that this worker sent. */
void http_outbound_tick(http_worker_t *w);
/** Ends what is open and closes all connections; their owners still free them. */
void http_outbound_end_all(http_worker_t *w);

/* uv_timer.c */
void http_worker_run_deferred(http_worker_t *w);
void http_worker_close_timers(http_worker_t *w);

/* uv_server.c */
/** The certificate for a new connection, counted for the caller; NULL: plain. Any thread. */
http_tls_t *http_server_tls(http_server_t *s);

/* uv_socket.c */
/** Takes one connection from the listener. */
void http_socket_accept(http_worker_t *w);
/** Takes all that wait there. */
void http_socket_accept_rest(http_worker_t *w);
/** There are no descriptors: makes room, or turns one connection away. */
void http_socket_shed(http_worker_t *w);
/** Deadlines of sockets that say goodbye. */
void http_socket_tick(http_worker_t *w);
/** Breaks all sockets without a word. */
void http_socket_cut_all(http_worker_t *w);

#endif
