#include "cmd/once.h"

void once_init(once_t *o)
{
    *o = (once_t){0};
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->filled, NULL);
}

static rc_t once_post(void *ctx, void (*fn)(void *), void *arg)
{
    once_t *o = ctx;
    rc_t rc = RC_BUSY;
    pthread_mutex_lock(&o->lock);
    if (o->n < sizeof o->queue / sizeof o->queue[0]) {
        o->queue[o->n].fn = fn;
        o->queue[o->n].arg = arg;
        o->n++;
        rc = RC_OK;
    }
    pthread_cond_signal(&o->filled);
    pthread_mutex_unlock(&o->lock);
    return rc;
}

post_port_t once_port(once_t *o)
{
    return (post_port_t){once_post, o};
}

void once_done(void *ctx, rc_t rc, size_t failed)
{
    *(once_result_t *)ctx = (once_result_t){true, rc, failed};
}

void once_wait(once_t *o, const once_result_t *result)
{
    pthread_mutex_lock(&o->lock);
    while (!result->done) {
        while (o->n == 0)
            pthread_cond_wait(&o->filled, &o->lock);
        void (*fn)(void *) = o->queue[0].fn;
        void *arg = o->queue[0].arg;
        o->n--;
        memmove(&o->queue[0], &o->queue[1], o->n * sizeof o->queue[0]);
        pthread_mutex_unlock(&o->lock);
        fn(arg);
        pthread_mutex_lock(&o->lock);
    }
    pthread_mutex_unlock(&o->lock);
}
