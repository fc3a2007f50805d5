#include "as/throttle.h"

#include "core/limits.h"

#include <pthread.h>
#include <stdlib.h>

struct as_throttle {
    pthread_mutex_t lock;
    clock_port_t clock;
    identity_throttle_t *table;
};

rc_t as_throttle_new(clock_port_t clock, random_port_t random, as_throttle_t **out)
{
    uint8_t seed[32];
    TRY(random.fill(random.ctx, seed, sizeof seed));
    as_throttle_t *t = calloc(1, sizeof *t);
    if (!t)
        return RC_MEMORY;
    t->clock = clock;
    t->table = identity_throttle_new(seed, LIMIT_THROTTLE_ROWS);
    pthread_mutex_init(&t->lock, NULL);
    *out = t;
    if (t->table)
        return RC_OK;
    as_throttle_free(t);
    *out = NULL;
    return RC_MEMORY;
}

void as_throttle_free(as_throttle_t *t)
{
    if (!t)
        return;
    identity_throttle_free(t->table);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

bool as_throttle_begin(as_throttle_t *t, const identity_throttle_who_t *who,
                       uint32_t *retry_after_s)
{
    pthread_mutex_lock(&t->lock);
    int64_t now_ms = t->clock.mono_ms(t->clock.ctx);
    bool may = identity_throttle_begin(t->table, who, now_ms, retry_after_s);
    pthread_mutex_unlock(&t->lock);
    return may;
}

void as_throttle_end(as_throttle_t *t, const identity_throttle_who_t *who, identity_attempt_t how)
{
    pthread_mutex_lock(&t->lock);
    identity_throttle_end(t->table, who, how, t->clock.mono_ms(t->clock.ctx));
    pthread_mutex_unlock(&t->lock);
}
