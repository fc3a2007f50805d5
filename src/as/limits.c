#include "as/limits.h"

#include "core/limits.h"
#include "http/rate.h"

#include <pthread.h>
#include <stdlib.h>

struct as_limits {
    pthread_mutex_t lock;
    clock_port_t clock;
    http_rate_t *rates[AS_RATE_COUNT]; /* NULL: not limited */
};

/* A minute's worth may come at once; then one for each part of a minute. */
static rc_t new_rate(as_limits_t *l, as_rate_t rate, int64_t per_minute, random_port_t random)
{
    if (per_minute <= 0)
        return RC_OK;
    uint8_t seed[16];
    TRY(random.fill(random.ctx, seed, sizeof seed));
    int64_t refill_ms = 60000 / per_minute;
    http_rate_rule_t rule = {(uint32_t)per_minute, (uint32_t)(refill_ms > 0 ? refill_ms : 1)};
    l->rates[rate] = http_rate_new(seed, LIMIT_RATE_KEYS, rule);
    return l->rates[rate] ? RC_OK : RC_MEMORY;
}

rc_t as_limits_new(const conf_t *conf, clock_port_t clock, random_port_t random, as_limits_t **out)
{
    as_limits_t *l = calloc(1, sizeof *l);
    if (!l)
        return RC_MEMORY;
    *out = l;
    l->clock = clock;
    pthread_mutex_init(&l->lock, NULL);
    const int64_t per_minute[AS_RATE_COUNT] = {
        [AS_RATE_PAGE] = conf->page_requests_per_minute,
        [AS_RATE_REGISTER] = conf->registration_address_per_minute,
        [AS_RATE_REGISTER_ONE] = conf->registration_per_minute,
        [AS_RATE_REGISTER_KNOWN] = conf->registration_known_per_minute,
        [AS_RATE_TOKEN] = conf->token_requests_per_minute,
        [AS_RATE_CLIENT_FAILS] = conf->token_failures_per_minute,
        [AS_RATE_STRANGER] = conf->page_requests_per_minute,
        [AS_RATE_BEGIN] = conf->page_requests_per_minute,
        [AS_RATE_FETCH] = conf->fetches_per_minute,
        [AS_RATE_DEVICE] = conf->device_attempts_per_minute,
        [AS_RATE_FEED] = conf->revocation_polls_per_minute,
    };
    for (as_rate_t rate = AS_RATE_PAGE; rate < AS_RATE_COUNT; rate++)
        TRY(new_rate(l, rate, per_minute[rate], random));
    return RC_OK;
}

void as_limits_free(as_limits_t *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < AS_RATE_COUNT; i++)
        http_rate_free(l->rates[i]);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

bool as_limits_take(as_limits_t *l, as_rate_t rate, str_t key, uint32_t *retry_after)
{
    if (!l->rates[rate])
        return true;
    pthread_mutex_lock(&l->lock);
    bool taken = http_rate_take(l->rates[rate], key, l->clock.mono_ms(l->clock.ctx), retry_after);
    pthread_mutex_unlock(&l->lock);
    return taken;
}

bool as_limits_peek(as_limits_t *l, as_rate_t rate, str_t key, uint32_t *retry_after)
{
    if (!l->rates[rate])
        return true;
    pthread_mutex_lock(&l->lock);
    bool left = http_rate_peek(l->rates[rate], key, l->clock.mono_ms(l->clock.ctx), retry_after);
    pthread_mutex_unlock(&l->lock);
    return left;
}
