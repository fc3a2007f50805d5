#include "mcp_server/rates.h"

#include "core/limits.h"
#include "http/rate.h"

#include <pthread.h>
#include <stdlib.h>

enum { MINUTE_MS = 60000 };

struct mcp_calls {
    pthread_mutex_t lock;
    clock_port_t clock;
    http_rate_t *rate;
};

mcp_calls_t *mcp_calls_new(uint32_t per_minute, clock_port_t clock, random_port_t random)
{
    uint8_t seed[16];
    uint32_t refill_ms = MINUTE_MS / per_minute;
    http_rate_rule_t rule = {per_minute, refill_ms > 0 ? refill_ms : 1};
    mcp_calls_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->clock = clock;
    if (random.fill(random.ctx, seed, sizeof seed) == RC_OK)
        c->rate = http_rate_new(seed, LIMIT_RATE_KEYS, rule);
    if (!c->rate) {
        free(c);
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void mcp_calls_free(mcp_calls_t *c)
{
    if (!c)
        return;
    http_rate_free(c->rate);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* No name holds a NUL (rs/token.c), so two principals never share a key. */
static str_t key_of(arena_t *a, const mcp_principal_t *who)
{
    str_t out;
    buf_t b = buf_new(a, who->issuer.n + who->subject.n + who->client.n + 2);
    buf_put(&b, who->issuer);
    buf_char(&b, '\0');
    buf_put(&b, who->subject);
    buf_char(&b, '\0');
    buf_put(&b, who->client);
    return buf_done(&b, &out) == RC_OK ? out : STR("");
}

bool mcp_calls_take(mcp_calls_t *c, arena_t *a, const mcp_principal_t *who, uint32_t *retry_after_s)
{
    str_t key = key_of(a, who);
    pthread_mutex_lock(&c->lock);
    bool taken = http_rate_take(c->rate, key, c->clock.mono_ms(c->clock.ctx), retry_after_s);
    pthread_mutex_unlock(&c->lock);
    return taken;
}
