/* What the connections of one worker share: free blocks and arenas, the date, random ids, the list
 * of connections. One thread. Internal to the room. */
#ifndef HTTP_HUB_H
#define HTTP_HUB_H

#include "core/log.h"
#include "core/ports.h"
#include "http/app.h"
#include "http/link.h"
#include "http/server.h"
#include "http/writer.h"

typedef struct http_conn http_conn_t;
typedef struct http_block http_block_t;
typedef struct http_call http_call_t;

/* Kept for reuse by one worker: enough for the requests in flight at once under load. */
enum {
    HTTP_HUB_ARENAS = 64,
    HTTP_HUB_BLOCKS = 64,
    HTTP_HUB_CALLS = 64,
    HTTP_HUB_IDS = 4096,
    HTTP_ID_TEXT = 32
};

/** One of the applications, and what its worker_init made of it for this worker. */
typedef struct {
    const http_app_t *app;
    void *worker; /* x->worker */
} http_hosted_t;

typedef struct {
    http_hosted_t apps[HTTP_MOUNTS_MAX]; /* the first that knows a path gets the request */
    size_t app_count;                    /* at least 1 */
    http_worker_t *loop;                 /* x->loop */
    http_times_t times;
    http_proxies_t proxies;
    clock_port_t clock;
    random_port_t random;
    const log_t *log;
    counter_block_t *counters; /* of the worker; NULL: nothing is counted */
    /* Requests that are whole and wait for their turn, the oldest first (overload.h). */
    http_link_t waiting;
    int64_t (*busy_ms)(http_worker_t *loop); /* work of this turn so far; NULL: nobody waits */

    bool draining;
    int64_t grace_ms;   /* of idle connections while draining */
    bool walking;       /* over conns: freeing waits */
    http_conn_t *conns; /* all open ones, and those whose exchange is not answered */
    size_t conn_count;
    http_conn_t *idle_first, *idle_last; /* those that wait for a request, oldest first */

    int64_t due_ms;        /* no deadline is earlier; a walk over all finds the next one */
    int64_t date_until_ms; /* monotonic */
    char date[HTTP_DATE_TEXT];
    size_t ids_left;
    uint8_t ids[HTTP_HUB_IDS];
    arena_t *arenas[HTTP_HUB_ARENAS];
    size_t arena_count;
    http_block_t *blocks;
    size_t block_count;
    http_call_t *calls;
    size_t call_count;
    char waste[4096]; /* what nobody will look at is read into here */
} http_hub_t;

int64_t http_hub_now(const http_hub_t *h);
/** The Date of this second; borrowed until the next call. */
str_t http_hub_date(http_hub_t *h);
/** 128 random bits as hexadecimal into `out`. */
rc_t http_hub_id(http_hub_t *h, char out[HTTP_ID_TEXT]) MUST_USE;
/** An empty arena of LIMIT_REQUEST_ARENA_BYTES; NULL without memory. Give back when done. */
arena_t *http_hub_arena(http_hub_t *h);
void http_hub_give_arena(http_hub_t *h, arena_t *a);
/** An uninitialized block; NULL without memory. */
http_block_t *http_hub_block(http_hub_t *h);
void http_hub_give_block(http_hub_t *h, http_block_t *b);
/** An empty exchange; NULL without memory. */
http_call_t *http_hub_call(http_hub_t *h);
void http_hub_give_call(http_hub_t *h, http_call_t *call);
/** A connection waits for a request from now on, or does not any more. Both may be said twice. */
void http_hub_idle(http_hub_t *h, http_conn_t *c);
void http_hub_busy(http_hub_t *h, http_conn_t *c);
/** Cuts the connection that has been idle longest, to make room; false: none is. */
bool http_hub_evict(http_hub_t *h);
/** Somebody is to be looked at by then. */
void http_hub_due(http_hub_t *h, int64_t at_ms);
/** Whether a request has to wait for its turn: others do, or this turn is long enough. */
bool http_hub_must_wait(const http_hub_t *h);
/** Serves those that wait, until the turn is long enough; false: none is left. */
bool http_hub_serve(http_hub_t *h);
/** Cuts what has waited too long; call a few times a second. */
void http_hub_tick(http_hub_t *h);
/** Connections close after their answer, idle ones after `grace_ms`, or after the answer to a
 * request that still comes. */
void http_hub_drain(http_hub_t *h, int64_t grace_ms);
/** Cuts every connection; exchanges that are not answered yet stay until they are. */
void http_hub_cut(http_hub_t *h);
/** Frees what is kept for reuse. No connection may be left. */
void http_hub_close(http_hub_t *h);

#endif
