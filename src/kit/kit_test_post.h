/* Tests only: a loop that runs what was posted to it when the test says so. */
#ifndef KIT_KIT_TEST_POST_H
#define KIT_KIT_TEST_POST_H

#include "core/ports.h"

#include <pthread.h>
#include <time.h>

enum { LOOP_POSTS = 64 };

typedef struct {
    pthread_mutex_t lock;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } v[LOOP_POSTS];
    size_t n, ran;
    rc_t refuse; /* RC_OK: takes posts */
} loop_t;

static inline rc_t loop_post(void *ctx, void (*fn)(void *arg), void *arg)
{
    loop_t *l = ctx;
    pthread_mutex_lock(&l->lock);
    rc_t rc = l->refuse;
    if (rc == RC_OK && l->n < LOOP_POSTS) {
        l->v[l->n].fn = fn;
        l->v[l->n++].arg = arg;
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}

static inline bool loop_step(loop_t *l)
{
    pthread_mutex_lock(&l->lock);
    bool some = l->ran < l->n;
    size_t i = some ? l->ran++ : 0;
    pthread_mutex_unlock(&l->lock);
    if (some)
        l->v[i].fn(l->v[i].arg);
    return some;
}

/* Runs posts until *flag is at least `want`, at most a minute. */
static inline bool loop_until(loop_t *l, const unsigned *flag, unsigned want)
{
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < 60000 && *flag < want; i++) {
        if (!loop_step(l))
            nanosleep(&pause, NULL);
    }
    return *flag >= want;
}

static inline post_port_t loop_port(loop_t *l)
{
    return (post_port_t){loop_post, l};
}

#endif
