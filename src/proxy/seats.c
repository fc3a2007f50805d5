#include "proxy/seats.h"

#include "core/map.h"
#include "jose/digest.h"

#include <pthread.h>
#include <stdlib.h>

enum { SEED_BYTES = 16, PARTS = 3 };

/* In `subjects`: digest of who -> number of seats, as a pointer's value. */
struct seats {
    pthread_mutex_t lock;
    map_t *subjects;
    size_t taken, max;
};

rc_t seats_new(random_port_t random, size_t max, seats_t **out)
{
    uint8_t seed[SEED_BYTES];
    seats_t *s = calloc(1, sizeof *s);
    *out = NULL;
    rc_t rc = s ? random.fill(random.ctx, seed, sizeof seed) : RC_MEMORY;
    if (rc == RC_OK) {
        s->max = max;
        s->subjects = map_new(seed, max);
        rc = s->subjects ? RC_OK : RC_MEMORY;
    }
    if (rc != RC_OK) {
        free(s);
        return rc;
    }
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return RC_OK;
}

void seats_free(seats_t *s)
{
    if (!s)
        return;
    map_free(s->subjects, NULL);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void make_key(str_t upstream, const gate_principal_t *who, uint8_t out[SHA256_BYTES])
{
    const str_t parts[PARTS] = {upstream, who->issuer, who->subject};
    uint8_t digests[PARTS][SHA256_BYTES];
    for (size_t i = 0; i < PARTS; i++)
        sha256(parts[i].p ? parts[i] : STR(""), digests[i]);
    sha256(str_of(digests, sizeof digests), out);
}

/* Under the lock. */
static rc_t take(seats_t *s, str_t key, int64_t per_subject)
{
    void *old;
    uintptr_t n = (uintptr_t)map_get(s->subjects, key);
    if (per_subject > 0 && n >= (uintptr_t)per_subject)
        return RC_LIMIT;
    if (s->taken >= s->max)
        return RC_BUSY;
    TRY(map_put(s->subjects, key, (void *)(n + 1), &old));
    s->taken++;
    return RC_OK;
}

rc_t seats_take(seats_t *s, str_t upstream, const gate_principal_t *who, int64_t per_subject)
{
    uint8_t key[SHA256_BYTES];
    make_key(upstream, who, key);
    pthread_mutex_lock(&s->lock);
    rc_t rc = take(s, str_of(key, sizeof key), per_subject);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* Under the lock. */
static void leave(seats_t *s, str_t key)
{
    void *old;
    uintptr_t n = (uintptr_t)map_get(s->subjects, key);
    if (n == 0)
        return;
    s->taken--;
    if (n == 1) {
        map_del(s->subjects, key);
        return;
    }
    rc_t replaces = map_put(s->subjects, key, (void *)(n - 1), &old); // takes no memory
    (void)replaces;
}

void seats_leave(seats_t *s, str_t upstream, const gate_principal_t *who)
{
    uint8_t key[SHA256_BYTES];
    make_key(upstream, who, key);
    pthread_mutex_lock(&s->lock);
    leave(s, str_of(key, sizeof key));
    pthread_mutex_unlock(&s->lock);
}
