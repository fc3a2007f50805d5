#include "live.h"

#include "articles_import.h"
#include "core/num.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static const str_t HOST = STR_INIT("www.alphavantage.co");
static const str_t SPENT = STR_INIT(
    "The day's budget of requests to the live news service is used up until midnight UTC.");
static const str_t CROWDED = STR_INIT("The live news service is busy; try again soon.");
static const str_t UNSOUND = STR_INIT("The live news could not be stored; try again later.");

/* A ticker that somebody asks about, or asked about. */
typedef struct {
    char ticker[ALPHA_TICKER_BYTES];
    size_t n;
    bool flying;     /* one thread asks the service; others wait for it */
    str_t why;       /* the last flight's failure; unset: none */
    int64_t why_ms;  /* when it was, by the clock that never goes back */
    int64_t used_ms; /* the longest unused place is given up */
} place_t;

struct live {
    live_config_t config;
    pthread_mutex_t lock; /* guards `place`; held for no fetch and no question to the store */
    pthread_cond_t landed;
    place_t place[LIVE_TICKERS];
};

live_t *live_new(const live_config_t *config)
{
    live_t *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->config = *config;
    l->config.cache_minutes =
        config->cache_minutes > 0 ? config->cache_minutes : LIVE_CACHE_MINUTES;
    l->config.budget = config->budget > 0 ? config->budget : LIVE_BUDGET;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->landed, NULL);
    return l;
}

void live_free(live_t *l)
{
    if (!l)
        return;
    pthread_cond_destroy(&l->landed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static int64_t mono(const live_t *l)
{
    return l->config.clock.mono_ms(l->config.clock.ctx);
}

/* --- places; under the lock --- */

static bool is_about(const place_t *p, str_t ticker)
{
    return str_eq(str_of(p->ticker, p->n), ticker);
}

/* That of the ticker, else a free one, else the longest unused; NULL: all are flying. */
static place_t *place_of(live_t *l, str_t ticker)
{
    place_t *best = NULL;
    for (size_t i = 0; i < LIVE_TICKERS; i++) {
        place_t *p = &l->place[i];
        if (p->n > 0 && is_about(p, ticker))
            return p;
        if (!p->flying && (!best || p->n == 0 || p->used_ms < best->used_ms))
            best = best && best->n == 0 ? best : p;
    }
    if (!best)
        return NULL;
    *best = (place_t){.n = ticker.n};
    memcpy(best->ticker, ticker.p, ticker.n);
    return best;
}

/* --- what the store remembers --- */

static str_t note_key(arena_t *a, str_t ticker)
{
    return arena_printf(a, "live:%" PRIstr, STR_ARG(ticker));
}

/* Unix time of the last good answer; 0: never. */
static rc_t last_answer(live_t *l, arena_t *a, str_t ticker, int64_t *out)
{
    str_t key = note_key(a, ticker), value;
    *out = 0;
    if (!key.p)
        return RC_MEMORY;
    TRY(articles_note(l->config.store, a, key, &value));
    if (value.p && !num_i64(value, 0, INT64_MAX, out))
        *out = 0;
    return RC_OK;
}

static bool is_fresh(const live_t *l, int64_t fetched)
{
    int64_t age = clock_seconds(&l->config.clock) - fetched;
    return fetched > 0 && age >= 0 && age < (int64_t)l->config.cache_minutes * 60;
}

/* --- one flight --- */

static str_t today(const live_t *l, char day[16])
{
    time_t t = clock_seconds(&l->config.clock);
    struct tm tm;
    gmtime_r(&t, &tm);
    return str_of(day, strftime(day, 16, "%Y%m%d", &tm));
}

static rc_t store_answer(live_t *l, arena_t *a, str_t ticker, const news_t *news)
{
    articles_import_t out;
    articles_from_t from = {STR("alphavantage"), HOST, HOST};
    int64_t now = clock_seconds(&l->config.clock);
    str_t key = note_key(a, ticker), value = arena_printf(a, "%lld", (long long)now);
    if (!key.p || !value.p)
        return RC_MEMORY;
    TRY(articles_import(l->config.store, news, &from, &out));
    return articles_set_note(l->config.store, key, value);
}

static rc_t fetch(live_t *l, arena_t *a, str_t ticker, str_t *why)
{
    alpha_answer_t answer;
    alpha_config_t config = {.key = l->config.key, .fetch = l->config.fetch, .log = l->config.log};
    rc_t rc = alpha_fetch(&config, a, ticker, &answer);
    *why = rc == RC_OK ? UNSOUND : answer.why;
    TRY(rc);
    TRY(store_answer(l, a, ticker, &answer.news));
    *why = STR_UNSET;
    return RC_OK;
}

/* Asks the service if it must be and may be. *why: a sentence, unset when all is fresh. */
static rc_t fly(live_t *l, arena_t *a, str_t ticker, str_t *why)
{
    char day[16];
    int64_t fetched;
    *why = UNSOUND;
    TRY(last_answer(l, a, ticker, &fetched));
    *why = STR_UNSET;
    if (is_fresh(l, fetched))
        return RC_OK;
    *why = UNSOUND;
    rc_t rc = articles_count(l->config.store, STR("live-budget"), today(l, day), l->config.budget);
    if (rc == RC_LIMIT) {
        *why = SPENT;
        return RC_OK;
    }
    TRY(rc);
    arena_t *own = arena_new(ALPHA_ARENA_BYTES);
    rc = own ? fetch(l, own, ticker, why) : RC_MEMORY;
    arena_free(own);
    return rc == RC_IO ? RC_OK : rc; /* the store still answers with what it has */
}

/* Takes off, or waits for who did; *why as fly. */
static rc_t ask(live_t *l, arena_t *a, str_t ticker, str_t *why)
{
    pthread_mutex_lock(&l->lock);
    place_t *p = place_of(l, ticker);
    bool waits = p && p->flying;
    while (p && p->flying && is_about(p, ticker))
        pthread_cond_wait(&l->landed, &l->lock);
    bool failed = p && is_about(p, ticker) && p->why.p && mono(l) - p->why_ms < LIVE_FAILED_MS;
    *why = !p ? CROWDED : failed ? p->why : STR_UNSET;
    bool leads = p && is_about(p, ticker) && !waits && !failed;
    if (leads)
        p->flying = true;
    pthread_mutex_unlock(&l->lock);
    if (!leads)
        return RC_OK;
    rc_t rc = fly(l, a, ticker, why);
    pthread_mutex_lock(&l->lock);
    p->flying = false;
    p->used_ms = mono(l);
    /* A spent budget is known without asking anybody, and may be a new day's any moment. */
    p->why = why->p == SPENT.p ? STR_UNSET : *why;
    p->why_ms = p->used_ms;
    pthread_cond_broadcast(&l->landed);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

rc_t live_ask(live_t *l, arena_t *a, str_t ticker, live_answer_t *out)
{
    int64_t fetched;
    str_t why;
    *out = (live_answer_t){.state = LIVE_NONE, .note = UNSOUND};
    if (ticker.n == 0 || ticker.n > ALPHA_TICKER_BYTES)
        return RC_LIMIT;
    rc_t rc = ask(l, a, ticker, &why);
    TRY(last_answer(l, a, ticker, &fetched));
    out->note = why.p ? why : SPENT;
    if (is_fresh(l, fetched)) {
        out->state = LIVE_FRESH;
        out->note = STR_UNSET;
    } else if (fetched > 0) {
        out->state = LIVE_STALE;
    }
    if (fetched == 0)
        return rc;
    time_t t = fetched;
    struct tm tm;
    char time[NEWS_TIME + 1];
    gmtime_r(&t, &tm);
    out->fetched = arena_dup(a, str_of(time, strftime(time, sizeof time, "%Y%m%dT%H%M%S", &tm)));
    return out->fetched.p ? rc : RC_MEMORY;
}
