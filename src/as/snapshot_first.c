/* The first snapshot of a worker, before its loop runs. */
#include "as/as.h"

#include <pthread.h>

/* Where the answer to one question is brought, for who does nothing but wait for it. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    void (*fn)(void *arg);
    void *arg;
} desk_t;

static rc_t bring(void *ctx, void (*fn)(void *arg), void *arg)
{
    desk_t *d = ctx;
    pthread_mutex_lock(&d->lock);
    d->fn = fn;
    d->arg = arg;
    pthread_cond_signal(&d->filled);
    pthread_mutex_unlock(&d->lock);
    return RC_OK;
}

static void take_answer(desk_t *d)
{
    pthread_mutex_lock(&d->lock);
    while (!d->fn)
        pthread_cond_wait(&d->filled, &d->lock);
    void (*fn)(void *arg) = d->fn;
    d->fn = NULL;
    pthread_mutex_unlock(&d->lock);
    fn(d->arg);
}

/* On a connection of its own: the worker's answers on its loop, which does not run yet. */
void as_snapshot_first(as_worker_t *w)
{
    desk_t desk = {.fn = NULL};
    store_conn_t *own = w->store;
    pthread_mutex_init(&desk.lock, NULL);
    pthread_cond_init(&desk.filled, NULL);
    if (store_connect(w->as->store, (post_port_t){bring, &desk}, &w->store) == RC_OK) {
        as_snapshot_refresh(w);
        while (w->snapshot_loading)
            take_answer(&desk);
        store_disconnect(w->store);
    }
    w->store = own;
    pthread_cond_destroy(&desk.filled);
    pthread_mutex_destroy(&desk.lock);
}
