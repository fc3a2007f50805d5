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
    ALPHA_CACHE = 64,            /* answers */
    ALPHA_CACHE_MS = 10 * 60000, /* the free plan has 25 calls a day */
    ALPHA_FETCH_BYTES = 4 << 20, /* 50 articles have about 200 KB, 1000 about 3 MB */
    ALPHA_FETCH_MS = 15000,
    ALPHA_ARENA_BYTES = 64 << 20,
};

typedef struct alpha alpha_t;

typedef struct {
    secret_t key; /* borrowed for the life of the source */
    http_fetch_port_t fetch;
    http_pool_t *pool; /* borrowed */
    clock_port_t clock;
    const log_t *log;
} alpha_config_t;

/** NULL without memory. Any thread may ask. */
alpha_t *alpha_new(const alpha_config_t *config);
/** After the pool has ended. */
void alpha_free(alpha_t *s);

typedef struct {
    rc_t rc;     /* RC_OK; RC_BUSY: pool full; RC_IO: no usable answer, `why` says so */
    str_t why;   /* one sentence of ours, static; never a word of the service */
    news_t news; /* valid during the callback */
} alpha_answer_t;

/** Asks for the news of a ticker (already checked: letters, digits and . : - only). done(arg,
 *  answer) runs exactly once: at once from the cache, else later on `back`'s loop. */
void alpha_ask(alpha_t *s, str_t ticker, post_port_t back,
               void (*done)(void *arg, const alpha_answer_t *answer), void *arg);
/** One blocking fetch without pool and cache (the work of alpha_ask; for tests). */
rc_t alpha_fetch(const alpha_config_t *config, arena_t *a, str_t ticker, news_t *out,
                 str_t *why) MUST_USE;

#endif
