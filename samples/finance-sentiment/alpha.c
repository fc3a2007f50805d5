#include "alpha.h"

#include <pthread.h>
#include <stdlib.h>

enum { TICKER_BYTES = 32, URL_BYTES = 512 };

/* One cached answer; shared by those who read it and the cache. */
typedef struct {
    arena_t *arena;
    news_t news;
    char ticker[TICKER_BYTES];
    size_t ticker_n;
    int64_t fetched_ms;
    unsigned refs; /* under the lock */
} entry_t;

struct alpha {
    alpha_config_t config;
    pthread_mutex_t lock; /* guards `cache` and the refs of its entries */
    entry_t *cache[ALPHA_CACHE];
};

typedef struct {
    alpha_t *s;
    entry_t *entry;
    rc_t rc;
    str_t why;
    void (*done)(void *arg, const alpha_answer_t *answer);
    void *arg;
} job_t;

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
    arena_free(e->arena);
    free(e);
}

void alpha_free(alpha_t *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < ALPHA_CACHE; i++)
        entry_free(s->cache[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static entry_t *entry_new(str_t ticker)
{
    entry_t *e = calloc(1, sizeof *e);
    arena_t *a = e ? arena_new(ALPHA_ARENA_BYTES) : NULL;
    if (!a || ticker.n > sizeof e->ticker) {
        arena_free(a);
        free(e);
        return NULL;
    }
    e->arena = a;
    e->refs = 1;
    memcpy(e->ticker, ticker.p, ticker.n);
    e->ticker_n = ticker.n;
    return e;
}

/* Gives a reference back; the last one frees. */
static void release(alpha_t *s, entry_t *e)
{
    pthread_mutex_lock(&s->lock);
    bool last = --e->refs == 0;
    pthread_mutex_unlock(&s->lock);
    if (last)
        entry_free(e);
}

static bool is_fresh(const alpha_t *s, const entry_t *e)
{
    return s->config.clock.mono_ms(s->config.clock.ctx) - e->fetched_ms < ALPHA_CACHE_MS;
}

static entry_t *cache_get(alpha_t *s, str_t ticker)
{
    entry_t *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < ALPHA_CACHE && !found; i++) {
        entry_t *e = s->cache[i];
        if (e && str_eq(str_of(e->ticker, e->ticker_n), ticker) && is_fresh(s, e))
            found = e;
    }
    if (found)
        found->refs++;
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* The place of the same ticker, else a free one, else the oldest. */
static size_t cache_place(const alpha_t *s, const entry_t *e)
{
    size_t place = 0;
    for (size_t i = 0; i < ALPHA_CACHE; i++) {
        const entry_t *other = s->cache[i];
        if (!other)
            return i;
        if (str_eq(str_of(other->ticker, other->ticker_n), str_of(e->ticker, e->ticker_n)))
            return i;
        if (other->fetched_ms < s->cache[place]->fetched_ms)
            place = i;
    }
    return place;
}

static void cache_put(alpha_t *s, entry_t *e)
{
    pthread_mutex_lock(&s->lock);
    size_t place = cache_place(s, e);
    entry_t *old = s->cache[place];
    s->cache[place] = e;
    e->refs++;
    bool last = old && --old->refs == 0;
    pthread_mutex_unlock(&s->lock);
    if (last)
        entry_free(old);
}

/* The address with the key in it, which is wiped after the call. */
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

static rc_t judge(arena_t *a, const http_fetch_result_t *r, news_t *out, str_t *why)
{
    news_verdict_t verdict;
    *why = STR("The live news service cannot be reached; try again later.");
    if (r->verdict != HTTP_FETCH_OK || r->status != 200)
        return RC_IO;
    TRY(news_parse(a, r->body, out, &verdict));
    *why = verdict == NEWS_REFUSED
               ? STR("The live news service refused: its call limit is used up, or its key or the "
                     "ticker is not valid.")
               : STR("The live news service gave an answer that cannot be read.");
    return verdict == NEWS_OK ? RC_OK : RC_IO;
}

rc_t alpha_fetch(const alpha_config_t *c, arena_t *a, str_t ticker, news_t *out, str_t *why)
{
    char url[URL_BYTES];
    http_fetch_result_t r;
    http_fetch_request_t req = {.url = make_url(c, ticker, url),
                                .max_bytes = ALPHA_FETCH_BYTES,
                                .timeout_ms = ALPHA_FETCH_MS};
    *why = STR("The live news service is not set up: its key is too long.");
    rc_t rc = req.url.p ? c->fetch.get(c->fetch.ctx, a, &req, &r) : RC_CONFIG;
    secret_wipe(url, sizeof url);
    if (rc != RC_OK)
        return rc;
    rc = judge(a, &r, out, why);
    if (rc != RC_OK)
        LOG(c->log, LOG_WARN, "live news failed",
            LOG_S("verdict", http_fetch_verdict_name(r.verdict)), LOG_I("status", r.status),
            LOG_S("why", *why));
    return rc;
}

static void work(void *arg)
{
    job_t *j = arg;
    const clock_port_t *c = &j->s->config.clock;
    entry_t *e = j->entry;
    j->rc = alpha_fetch(&j->s->config, e->arena, str_of(e->ticker, e->ticker_n), &e->news, &j->why);
    e->fetched_ms = c->mono_ms(c->ctx);
    if (j->rc == RC_OK)
        cache_put(j->s, e);
}

static void deliver(void *arg)
{
    job_t *j = arg;
    alpha_answer_t answer = {.rc = j->rc, .why = j->why};
    if (j->rc == RC_OK)
        answer.news = j->entry->news;
    j->done(j->arg, &answer);
    release(j->s, j->entry);
    free(j);
}

static void fail(void (*done)(void *arg, const alpha_answer_t *answer), void *arg, rc_t rc)
{
    alpha_answer_t answer = {.rc = rc, .why = STR("The server is busy; try again soon.")};
    done(arg, &answer);
}

void alpha_ask(alpha_t *s, str_t ticker, post_port_t back,
               void (*done)(void *arg, const alpha_answer_t *answer), void *arg)
{
    entry_t *hit = cache_get(s, ticker);
    if (hit) {
        alpha_answer_t answer = {.news = hit->news};
        done(arg, &answer);
        release(s, hit);
        return;
    }
    job_t *j = calloc(1, sizeof *j);
    entry_t *e = j ? entry_new(ticker) : NULL;
    if (!e) {
        free(j);
        fail(done, arg, RC_MEMORY);
        return;
    }
    *j = (job_t){.s = s, .entry = e, .done = done, .arg = arg};
    if (http_pool_run(s->config.pool, back, work, deliver, j) == RC_OK)
        return;
    entry_free(e);
    free(j);
    fail(done, arg, RC_BUSY);
}
