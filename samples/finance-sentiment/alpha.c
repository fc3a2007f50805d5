#include "alpha.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { URL_BYTES = 512, KEY_BYTES = 128 };

static const str_t BUSY = STR_INIT("The live news service is busy; try again soon.");

typedef struct waiter {
    alpha_t *s;
    struct entry *entry;
    post_port_t back;
    void (*done)(void *arg, const alpha_answer_t *answer);
    void *arg;
    struct waiter *next;
} waiter_t;

/* One answer, or the flight that will bring it. Shared by the cache and those who read it. Written
 * by the pool's thread while it flies, and never again. */
typedef struct entry {
    alpha_t *s;
    arena_t *arena;
    alpha_answer_t answer;
    char ticker[ALPHA_TICKER_BYTES];
    size_t ticker_n;
    int64_t fetched_ms;
    unsigned refs;      /* under the lock */
    waiter_t *waiters;  /* under the lock; only while it flies */
    struct entry *next; /* of the flights, under the lock */
} entry_t;

struct alpha {
    alpha_config_t config;
    pthread_mutex_t lock; /* guards `cache`, `flights`, and what entries say is under it */
    entry_t *cache[ALPHA_CACHE];
    entry_t *flights;
};

alpha_t *alpha_new(const alpha_config_t *config)
{
    alpha_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = *config;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void entry_free(entry_t *e)
{
    if (!e)
        return;
    while (e->waiters) {
        waiter_t *w = e->waiters;
        e->waiters = w->next;
        free(w);
    }
    arena_free(e->arena);
    free(e);
}

void alpha_free(alpha_t *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < ALPHA_CACHE; i++)
        entry_free(s->cache[i]);
    while (s->flights) { /* the pool ended before they began */
        entry_t *e = s->flights;
        s->flights = e->next;
        entry_free(e);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static entry_t *entry_new(alpha_t *s, str_t ticker)
{
    entry_t *e = ticker.n <= ALPHA_TICKER_BYTES ? calloc(1, sizeof *e) : NULL;
    if (!e)
        return NULL;
    e->arena = arena_new(ALPHA_ARENA_BYTES);
    if (!e->arena) {
        free(e);
        return NULL;
    }
    e->s = s;
    memcpy(e->ticker, ticker.p, ticker.n);
    e->ticker_n = ticker.n;
    return e;
}

static bool is_about(const entry_t *e, str_t ticker)
{
    return str_eq(str_of(e->ticker, e->ticker_n), ticker);
}

/* --- the cache; all under the lock --- */

static bool is_fresh(const alpha_t *s, const entry_t *e)
{
    int64_t age = s->config.clock.mono_ms(s->config.clock.ctx) - e->fetched_ms;
    return age < (e->answer.rc == RC_OK ? ALPHA_CACHE_MS : ALPHA_FAILED_MS);
}

static entry_t *cache_get(alpha_t *s, str_t ticker)
{
    for (size_t i = 0; i < ALPHA_CACHE; i++) {
        entry_t *e = s->cache[i];
        if (e && is_about(e, ticker) && is_fresh(s, e))
            return e;
    }
    return NULL;
}

/* The place of the same ticker, else a free one, else the oldest. */
static size_t cache_place(const alpha_t *s, const entry_t *e)
{
    size_t place = 0;
    for (size_t i = 0; i < ALPHA_CACHE; i++) {
        const entry_t *other = s->cache[i];
        if (other && is_about(other, str_of(e->ticker, e->ticker_n)))
            return i;
        const entry_t *best = s->cache[place];
        if (best && (!other || other->fetched_ms < best->fetched_ms))
            place = i;
    }
    return place;
}

static void drop(entry_t *e)
{
    if (e && --e->refs == 0)
        entry_free(e);
}

static void cache_put(alpha_t *s, entry_t *e)
{
    size_t place = cache_place(s, e);
    drop(s->cache[place]);
    s->cache[place] = e;
    e->refs++;
}

/* Gives a reference back; the last one frees. */
static void release(alpha_t *s, entry_t *e)
{
    pthread_mutex_lock(&s->lock);
    drop(e);
    pthread_mutex_unlock(&s->lock);
}

/* --- one fetch --- */

/* The address with the key in it; wiped after the call. */
static str_t make_url(const alpha_config_t *c, str_t ticker, char url[URL_BYTES])
{
    buf_t b = buf_fixed(url, URL_BYTES);
    str_t out;
    buf_put(&b, STR("https://www.alphavantage.co/query?function=NEWS_SENTIMENT&sort=LATEST&limit="
                    "200&tickers="));
    buf_percent(&b, ticker);
    buf_put(&b, STR("&apikey="));
    buf_percent(&b, c->key.hidden);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static rc_t judge(const alpha_config_t *c, arena_t *a, const http_fetch_result_t *r, news_t *out,
                  str_t *why)
{
    news_verdict_t verdict;
    *why = STR("The live news service cannot be reached; try again later.");
    if (r->verdict != HTTP_FETCH_OK || r->status != 200)
        return RC_IO;
    TRY(c->unscored ? news_read(a, r->body, out, &verdict) : news_parse(a, r->body, out, &verdict));
    *why = verdict == NEWS_REFUSED
               ? STR("The live news service refused: its call limit is used up, or its key or the "
                     "ticker is not valid.")
               : STR("The live news service gave an answer that cannot be read.");
    return verdict == NEWS_OK ? RC_OK : RC_IO;
}

/* `scratch` holds the bytes of the answer, and whatever the fetch keeps of the address. */
static rc_t fetch(const alpha_config_t *c, arena_t *a, arena_t *scratch, str_t ticker,
                  alpha_answer_t *out)
{
    char url[URL_BYTES];
    http_fetch_result_t r;
    http_fetch_request_t req = {.url = make_url(c, ticker, url),
                                .max_bytes = ALPHA_FETCH_BYTES,
                                .timeout_ms = ALPHA_FETCH_MS};
    out->why = STR("The live news service is not set up: its key is too long.");
    rc_t rc = req.url.p ? c->fetch.get(c->fetch.ctx, scratch, &req, &r) : RC_IO;
    secret_wipe(url, sizeof url);
    TRY(rc);
    rc = judge(c, a, &r, &out->news, &out->why);
    if (rc != RC_OK)
        LOG(c->log, LOG_WARN, "live news failed", LOG_S("ticker", ticker),
            LOG_S("fetch", http_fetch_verdict_name(r.verdict)), LOG_S("why", out->why));
    return rc;
}

rc_t alpha_fetch(const alpha_config_t *c, arena_t *a, str_t ticker, alpha_answer_t *out)
{
    arena_t *scratch = arena_new(2 * ALPHA_FETCH_BYTES + KEY_BYTES);
    *out = (alpha_answer_t){.rc = RC_MEMORY, .why = BUSY};
    if (!scratch)
        return RC_MEMORY;
    out->rc = fetch(c, a, scratch, ticker, out);
    arena_free(scratch);
    return out->rc;
}

/* --- one flight --- */

static void deliver(void *arg)
{
    waiter_t *w = arg;
    w->done(w->arg, &w->entry->answer);
    release(w->s, w->entry);
    free(w);
}

static void unlink_flight(alpha_t *s, const entry_t *e)
{
    entry_t **at = &s->flights;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
}

/* Each waiter is told on its own loop; one whose loop has ended is forgotten. */
static void tell(alpha_t *s, waiter_t *w)
{
    const struct timespec pause = {0, 1000000};
    rc_t rc;
    while ((rc = w->back.post(w->back.ctx, deliver, w)) == RC_BUSY)
        nanosleep(&pause, NULL);
    if (rc == RC_OK)
        return;
    release(s, w->entry);
    free(w);
}

static void work(void *arg)
{
    entry_t *e = arg;
    alpha_t *s = e->s;
    const clock_port_t *c = &s->config.clock;
    rc_t rc = alpha_fetch(&s->config, e->arena, str_of(e->ticker, e->ticker_n), &e->answer);
    e->fetched_ms = c->mono_ms(c->ctx);
    pthread_mutex_lock(&s->lock);
    unlink_flight(s, e);
    waiter_t *waiters = e->waiters;
    e->waiters = NULL;
    if (rc == RC_OK || rc == RC_IO)
        cache_put(s, e);
    pthread_mutex_unlock(&s->lock);
    while (waiters) {
        waiter_t *w = waiters;
        waiters = w->next;
        tell(s, w);
    }
}

static void nothing(void *arg)
{
    (void)arg;
}

/* Under the lock. */
static rc_t join(entry_t *e, waiter_t *w)
{
    w->entry = e;
    w->next = e->waiters;
    e->waiters = w;
    e->refs++;
    return RC_OK;
}

/* Under the lock; the pool's thread will want it only afterwards. */
static rc_t take_off(alpha_t *s, str_t ticker, waiter_t *w)
{
    entry_t *e = entry_new(s, ticker);
    if (!e)
        return RC_MEMORY;
    if (http_pool_run(s->config.pool, w->back, work, nothing, e) != RC_OK) {
        entry_free(e);
        return RC_BUSY;
    }
    e->next = s->flights;
    s->flights = e;
    return join(e, w);
}

/* A cached answer with a reference in *hit, or a place among those who wait for one. */
static rc_t board(alpha_t *s, str_t ticker, waiter_t *w, entry_t **hit)
{
    *hit = cache_get(s, ticker);
    if (*hit) {
        (*hit)->refs++;
        return RC_OK;
    }
    for (entry_t *e = s->flights; e; e = e->next) {
        if (is_about(e, ticker))
            return join(e, w);
    }
    return take_off(s, ticker, w);
}

void alpha_ask(alpha_t *s, str_t ticker, post_port_t back,
               void (*done)(void *arg, const alpha_answer_t *answer), void *arg)
{
    entry_t *hit = NULL;
    rc_t rc = RC_MEMORY;
    waiter_t *w = calloc(1, sizeof *w);
    if (w) {
        *w = (waiter_t){.s = s, .back = back, .done = done, .arg = arg};
        pthread_mutex_lock(&s->lock);
        rc = board(s, ticker, w, &hit);
        pthread_mutex_unlock(&s->lock);
    }
    if (rc == RC_OK && !hit)
        return;
    free(w);
    done(arg, hit ? &hit->answer : &(alpha_answer_t){.rc = rc, .why = BUSY});
    if (hit)
        release(s, hit);
}
