/* One request to Alpha Vantage's NEWS_SENTIMENT (live.h says when). The key is a secret: it is in
 * the request and nowhere else, and the service's own words, which may repeat it, are never passed
 * on. Any thread but an event loop's. */
#ifndef SENTIMENT_ALPHA_H
#define SENTIMENT_ALPHA_H

#include "core/log.h"
#include "core/secret.h"
#include "http/fetch.h"
#include "news.h"

enum {
    ALPHA_TICKER_BYTES = 20,
    ALPHA_FETCH_BYTES = 4 << 20, /* 50 articles have about 200 KB, 1000 about 3 MB */
    ALPHA_FETCH_MS = 15000,
    ALPHA_ARENA_BYTES = 16 << 20, /* what is kept of one answer; 200 articles take about 1 MB */
};

typedef struct {
    secret_t key; /* borrowed */
    http_fetch_port_t fetch;
    const log_t *log;
} alpha_config_t;

typedef struct {
    rc_t rc;     /* RC_OK; else `why` says it: RC_IO no usable answer, RC_MEMORY */
    str_t why;   /* one sentence of ours, static; never a word of the service */
    news_t news; /* without scores */
} alpha_answer_t;

/** Asks for the newest news of a ticker (checked by the caller: at most ALPHA_TICKER_BYTES letters,
 *  digits and . : - only), and blocks until they are here. They are in `a`. Returns out->rc. */
rc_t alpha_fetch(const alpha_config_t *config, arena_t *a, str_t ticker,
                 alpha_answer_t *out) MUST_USE;

#endif
