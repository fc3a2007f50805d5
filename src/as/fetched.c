#include "as/fetched.h"

#include "core/limits.h"
#include "core/map.h"
#include "http/freshness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { DOCUMENT_ARENA_BYTES = 1 << 20, JUDGE_ARENA_BYTES = 8 << 20 };

typedef struct {
    as_fetched_document_t base;
    arena_t *arena; /* holds it */
    atomic_uint refs;
} document_t;

/* A row of the cache; also a link of the list from the last used to the longest unused. */
typedef struct row {
    document_t *document;
    int64_t fresh_until, tried_at; /* monotonic ms */
    struct row *newer, *older;
    size_t n_key;
    char key[];
} row_t;

/* A fetch under way. */
typedef struct flight {
    as_fetched_t *cache;
    const as_fetched_kind_t *kind;
    as_fetched_ask_t *waiters;
    struct flight *next;
    size_t n_from, n_key;
    char from[HTTP_ADDR_KEY];
    char key[]; /* the kind's mark, and the URL */
} flight_t;

struct as_fetched {
    as_fetched_config_t config;
    pthread_mutex_t lock; /* guards everything below; held for no fetch */
    map_t *rows;          /* key -> row_t */
    row_t *newest, *oldest;
    flight_t *flights;
    size_t n_waiters;
};

void as_fetched_release(as_fetched_document_t *d)
{
    document_t *document = (document_t *)d;
    if (d && atomic_fetch_sub(&document->refs, 1) == 1)
        arena_free(document->arena);
}

static as_fetched_document_t *hold(document_t *d)
{
    atomic_fetch_add(&d->refs, 1);
    return &d->base;
}

static int64_t mono(const as_fetched_t *c)
{
    return c->config.clock.mono_ms(c->config.clock.ctx);
}

static str_t key_of(const flight_t *f)
{
    return str_of(f->key, f->n_key);
}

/* ---- the cache; all of it under the lock ---- */

static void unlink_row(as_fetched_t *c, row_t *r)
{
    *(r->newer ? &r->newer->older : &c->newest) = r->older;
    *(r->older ? &r->older->newer : &c->oldest) = r->newer;
    r->newer = r->older = NULL;
}

static void link_newest(as_fetched_t *c, row_t *r)
{
    r->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = r;
    c->newest = r;
}

static void row_free(void *row)
{
    as_fetched_release(&((row_t *)row)->document->base);
    free(row);
}

static void drop(as_fetched_t *c, row_t *r)
{
    map_del(c->rows, str_of(r->key, r->n_key));
    unlink_row(c, r);
    row_free(r);
}

/* What is fresh, NULL when there is none, or when it is time to look again. */
static as_fetched_document_t *look_up(as_fetched_t *c, str_t key, bool again)
{
    row_t *r = map_get(c->rows, key);
    if (!r)
        return NULL;
    if (mono(c) >= r->fresh_until) {
        drop(c, r);
        return NULL;
    }
    if (again && mono(c) - r->tried_at >= LIMIT_FETCHED_AGAIN_MS) {
        r->tried_at = mono(c);
        return NULL;
    }
    unlink_row(c, r);
    link_newest(c, r);
    return hold(r->document);
}

static void keep(as_fetched_t *c, str_t key, document_t *d, int64_t keep_ms)
{
    row_t *old = map_get(c->rows, key), *r = malloc(sizeof *r + key.n);
    void *replaced;
    if (old)
        drop(c, old);
    if (map_count(c->rows) >= LIMIT_FETCHED_DOCUMENTS)
        drop(c, c->oldest);
    if (!r)
        return;
    *r = (row_t){
        .document = d,
        .fresh_until = d->base.fetched_at + keep_ms,
        .tried_at = d->base.fetched_at,
        .n_key = key.n,
    };
    memcpy(r->key, key.p, key.n);
    hold(d);
    if (map_put(c->rows, key, r, &replaced) == RC_OK)
        link_newest(c, r);
    else
        row_free(r);
}

/* ---- a thread of the pool ---- */

/* HTTP's word, within our bounds; what HTTP forbids to keep is not kept at all. */
static int64_t keep_ms(const as_fetched_t *c, const http_fetch_result_t *r)
{
    int64_t s = http_freshness(r, clock_seconds(&c->config.clock));
    if (s == HTTP_FRESHNESS_UNSAID)
        s = LIMIT_FETCHED_UNSAID_S;
    if (s > LIMIT_FETCHED_MOST_S)
        s = LIMIT_FETCHED_MOST_S;
    if (s > 0 && s < LIMIT_FETCHED_LEAST_S)
        s = LIMIT_FETCHED_LEAST_S;
    return s * 1000;
}

static bool judge(const flight_t *f, const http_fetch_result_t *r)
{
    arena_t *a = arena_new(JUDGE_ARENA_BYTES);
    bool fits = a && r->verdict == HTTP_FETCH_OK &&
                f->kind->fits(a, f->cache->config.settings, str_skip(key_of(f), 1), r);
    arena_free(a);
    return fits;
}

static document_t *fetch(const flight_t *f)
{
    const as_fetched_config_t *config = &f->cache->config;
    const http_fetch_request_t req = {
        .url = str_skip(key_of(f), 1),
        .max_bytes = f->kind->max_bytes,
        .private_hosts = config->settings->private_hosts,
    };
    arena_t *a = arena_new(DOCUMENT_ARENA_BYTES);
    document_t *d = a ? ARENA_NEW(a, document_t) : NULL;
    if (!d) {
        arena_free(a);
        return NULL;
    }
    d->arena = a;
    atomic_init(&d->refs, 1);
    if (config->fetch.get(config->fetch.ctx, a, &req, &d->base.result) != RC_OK)
        d->base.result = (http_fetch_result_t){.verdict = HTTP_FETCH_FAILED};
    d->base.fetched_at = mono(f->cache);
    d->base.fits = judge(f, &d->base.result);
    return d;
}

/* Under the lock. Whoever asks from now on begins a flight of its own. */
static as_fetched_ask_t *take_waiters(as_fetched_t *c, flight_t *f)
{
    flight_t **at = &c->flights;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    for (const as_fetched_ask_t *w = f->waiters; w; w = w->next)
        c->n_waiters--;
    return f->waiters;
}

/* An answer must not get lost: while the loop's queue is full, this thread waits. */
static void hand_back(const as_fetched_ask_t *w)
{
    const struct timespec pause = {0, 1000000};
    while (w->back.post(w->back.ctx, w->done, w->arg) == RC_BUSY)
        nanosleep(&pause, NULL);
}

static void fly(void *arg)
{
    flight_t *f = arg;
    as_fetched_t *c = f->cache;
    document_t *d = fetch(f);
    int64_t ms = d && d->base.fits ? keep_ms(c, &d->base.result) : 0;
    pthread_mutex_lock(&c->lock);
    if (ms > 0)
        keep(c, key_of(f), d, ms);
    as_fetched_ask_t *waiters = take_waiters(c, f);
    pthread_mutex_unlock(&c->lock);
    while (waiters) {
        as_fetched_ask_t *w = waiters;
        waiters = w->next;
        w->document = d ? hold(d) : NULL;
        hand_back(w);
    }
    as_fetched_release(d ? &d->base : NULL);
    free(f);
}

/* ---- everybody ---- */

static void landed(void *arg)
{
    (void)arg;
}

static flight_t *flight_of(as_fetched_t *c, str_t key)
{
    flight_t *f = c->flights;
    while (f && !str_eq(key_of(f), key))
        f = f->next;
    return f;
}

/* Under the lock. */
static bool may_start(const as_fetched_t *c, str_t from)
{
    size_t n = 0;
    for (const flight_t *f = c->flights; f; f = f->next)
        n += str_eq(str_of(f->from, f->n_from), from);
    return from.n == 0 || n < LIMIT_FETCHED_EACH;
}

/* Under the lock. The pool takes the lock only on its threads. */
static bool start(as_fetched_t *c, as_fetched_ask_t *ask, str_t key)
{
    str_t from = str_first(ask->from, HTTP_ADDR_KEY);
    flight_t *f = may_start(c, from) ? malloc(sizeof *f + key.n) : NULL;
    if (!f)
        return false;
    *f =
        (flight_t){.cache = c, .kind = ask->kind, .waiters = ask, .n_from = from.n, .n_key = key.n};
    if (from.n > 0)
        memcpy(f->from, from.p, from.n);
    memcpy(f->key, key.p, key.n);
    if (http_pool_run(c->config.pool, ask->back, fly, landed, f) != RC_OK) {
        free(f);
        return false;
    }
    f->next = c->flights;
    c->flights = f;
    return true;
}

/* Under the lock: into a flight, under way or new. */
static bool board(as_fetched_t *c, as_fetched_ask_t *ask, str_t key)
{
    if (c->n_waiters >= LIMIT_FETCHED_WAITERS)
        return false;
    flight_t *f = flight_of(c, key);
    ask->next = f ? f->waiters : NULL;
    if (f)
        f->waiters = ask;
    else if (!start(c, ask, key))
        return false;
    c->n_waiters++;
    return true;
}

bool as_fetched_get(as_fetched_t *c, as_fetched_ask_t *ask)
{
    char key[LIMIT_URL_BYTES + 1];
    ask->document = NULL;
    if (ask->url.n >= sizeof key)
        return true;
    key[0] = ask->kind->mark;
    memcpy(key + 1, ask->url.p, ask->url.n);
    str_t k = str_of(key, ask->url.n + 1);
    pthread_mutex_lock(&c->lock);
    ask->document = look_up(c, k, ask->again);
    bool answered = ask->document || ask->kept_only || !board(c, ask, k);
    pthread_mutex_unlock(&c->lock);
    return answered;
}

rc_t as_fetched_new(const as_fetched_config_t *config, as_fetched_t **out)
{
    uint8_t seed[16];
    *out = NULL;
    TRY(config->random.fill(config->random.ctx, seed, sizeof seed));
    as_fetched_t *c = calloc(1, sizeof *c);
    map_t *rows = c ? map_new(seed, LIMIT_FETCHED_DOCUMENTS) : NULL;
    if (!rows) {
        free(c);
        return RC_MEMORY;
    }
    c->config = *config;
    c->rows = rows;
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return RC_OK;
}

void as_fetched_free(as_fetched_t *c)
{
    if (!c)
        return;
    while (c->flights) { /* that the pool dropped */
        flight_t *f = c->flights;
        c->flights = f->next;
        free(f);
    }
    map_free(c->rows, row_free);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
