/* The live source: Alpha Vantage's NEWS_SENTIMENT, fetched on a pool, cached for a while. The key
 * is a secret: it is in the request and nowhere else, and the service's own words, which may repeat
 * it, are never passed on. */
#ifndef SENTIMENT_ALPHA_H
#define SENTIMENT_ALPHA_H

#include "core/log.h"
#include "core/ports.h"
#include "core/secret.h"
#include "http/fetch.h"
#include "http/pool.h"
#include "news.h"

enum {
    ALPHA_TICKER_BYTES = 20,
    ALPHA_CACHE = 64,            /* answers */
    ALPHA_CACHE_MS = 10 * 60000, /* the free plan has 25 calls a day */
    ALPHA_FAILED_MS = 60000,     /* a service that refuses is not asked again at once */
    ALPHA_FETCH_BYTES = 4 << 20, /* 50 articles have about 200 KB, 1000 about 3 MB */
    ALPHA_FETCH_MS = 15000,
    ALPHA_ARENA_BYTES = 16 << 20, /* what is kept of one answer; 200 articles take about 1 MB */
};

typedef struct alpha alpha_t;

typedef struct {
    secret_t key; /* borrowed for the life of the source */
    http_fetch_port_t fetch;
    http_pool_t *pool; /* borrowed */
    clock_port_t clock;
    const log_t *log;
    bool unscored; /* the store asks the engine itself */
} alpha_config_t;

/** NULL without memory. Any thread may ask. */
alpha_t *alpha_new(const alpha_config_t *config);
/** After the pool and the loops of all who asked have ended. NULL is fine. */
void alpha_free(alpha_t *s);

typedef struct {
    rc_t rc;   /* RC_OK; else `why` says it: RC_IO no usable answer, RC_BUSY pool full, RC_MEMORY */
    str_t why; /* one sentence of ours, static; never a word of the service */
    news_t news; /* valid during the callback */
} alpha_answer_t;

/** Asks for the news of a ticker (already checked: at most ALPHA_TICKER_BYTES letters, digits and
 *  . : - only). done(arg, answer) runs exactly once: at once from the cache, else later on `back`'s
 *  loop. Those who ask for a ticker that is being fetched wait for the same answer. */
void alpha_ask(alpha_t *s, str_t ticker, post_port_t back,
               void (*done)(void *arg, const alpha_answer_t *answer), void *arg);
/** One blocking fetch without pool and cache (the work of alpha_ask). The news are in `a`. Returns
 *  out->rc: RC_OK, RC_IO, RC_MEMORY. */
rc_t alpha_fetch(const alpha_config_t *config, arena_t *a, str_t ticker,
                 alpha_answer_t *out) MUST_USE;

#endif
