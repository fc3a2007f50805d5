/* The live source behind the store of articles: asks Alpha Vantage about a ticker when what the
 * store has of it is older than the cache allows, within a daily budget of requests, and imports
 * the answer. One flight for each ticker; what was fetched, and the budget, outlive a restart.
 *
 * Thread rule: any thread but an event loop's; a call may block for the length of a fetch. */
#ifndef SENTIMENT_LIVE_H
#define SENTIMENT_LIVE_H

#include "alpha.h"
#include "articles.h"

enum {
    LIVE_CACHE_MINUTES = 30, /* by default */
    LIVE_CACHE_LEAST = 15,
    LIVE_CACHE_MOST = 60,
    LIVE_BUDGET = 20, /* requests a day (UTC), by default: the free plan has 25 */
    LIVE_BUDGET_MOST = 100000,
    LIVE_TICKERS = 256,     /* remembered failures and flights at once */
    LIVE_FAILED_MS = 60000, /* a service that failed is not asked about a ticker again at once */
};

typedef struct live live_t;

typedef struct {
    secret_t key; /* borrowed for life; never in logs, notes or answers */
    http_fetch_port_t fetch;
    clock_port_t clock;
    const log_t *log;
    articles_t *store; /* borrowed for life */
    int cache_minutes; /* 0: LIVE_CACHE_MINUTES */
    int budget;        /* requests a day; 0: LIVE_BUDGET */
} live_config_t;

/** NULL without memory. */
live_t *live_new(const live_config_t *config);
/** After all calls have ended. NULL is fine. */
void live_free(live_t *l);

typedef enum {
    LIVE_FRESH, /* the store has what the service said within the cache's time */
    LIVE_STALE, /* it has what the service said earlier; `note` says why not newer */
    LIVE_NONE,  /* the service never answered about this ticker; `note` says why */
} live_state_t;

typedef struct {
    live_state_t state;
    str_t note;    /* one sentence of ours for people and models, static; unset with LIVE_FRESH */
    str_t fetched; /* news time of the last good answer, in the arena; unset with LIVE_NONE */
} live_answer_t;

/** Brings the store up to date about a ticker (checked by the caller as for alpha_fetch).
 * Afterwards ask the store. RC_MEMORY, RC_IO (of the store): the store still answers with what it
 * has. */
rc_t live_ask(live_t *l, arena_t *a, str_t ticker, live_answer_t *out) MUST_USE;

#endif
