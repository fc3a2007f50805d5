/* Makes connections on threads of its own, so that names that are looked up, TLS and servers that
 * are silent hold up no work. Each host is one thread's: one that swallows packets delays nobody
 * who could reach the next, and each is tried once a second at least. Internal to the driver. */
#ifndef STORE_POSTGRES_CONNECTOR_H
#define STORE_POSTGRES_CONNECTOR_H

#include "store/postgres_link.h"

#include <pthread.h>

enum { POSTGRES_CONNECTORS_MAX = 4 };

typedef struct postgres_connector {
    const postgres_settings_t *settings;
    const log_t *log;
    void (*made)(void *ctx); /* a connection waits to be taken; on any thread */
    void *ctx;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned wanted;                        /* still to be made */
    unsigned busy[POSTGRES_CONNECTORS_MAX]; /* threads of a group that make one */
    postgres_link_t *links;                 /* made, not yet taken; as many as were ever wanted */
    unsigned n_links;
    size_t best;      /* host that was reached last */
    uint64_t reached; /* how often one was */
    bool failing;     /* the last attempt failed at the best host; was logged */
    atomic_bool stopping;

    pthread_t threads[POSTGRES_CONNECTORS_MAX];
    unsigned n_threads;
} postgres_connector_t;

/** Starts the threads; the first four members are set, the rest is zero. RC_MEMORY. */
rc_t postgres_connector_start(postgres_connector_t *c) MUST_USE;
/** Ends them, and closes what was not taken. Waits for a look-up of a name that is under way. */
void postgres_connector_stop(postgres_connector_t *c);
/** Asks for `n` more; never more than settings->connections at once. */
void postgres_connector_want(postgres_connector_t *c, unsigned n);
/** The next one that is there. */
bool postgres_connector_take(postgres_connector_t *c, postgres_link_t *out);

#endif
