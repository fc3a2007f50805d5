#include "store/postgres_connector.h"

#include "store/postgres_rules.h"

#include <stdlib.h>
#include <time.h>

/* Whoever has another host than the one that was good before waits so long for who has it. */
enum { SECOND_CHOICE_MS = 250 };

/* What one thread knows. */
typedef struct {
    postgres_connector_t *c;
    unsigned group; /* hosts number group, group + groups, … are its own */
    unsigned groups;
    unsigned failures; /* in a row */
    uint64_t reached;  /* as of the last one */
    uint64_t chance;
} hand_t;

static struct timespec after(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (ms % 1000) * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* With the lock held: waits until something is wanted that nobody of the group works on; false: it
 * is over. */
static bool await_want(hand_t *h)
{
    postgres_connector_t *c = h->c;
    while (!atomic_load(&c->stopping) && c->wanted <= c->busy[h->group])
        pthread_cond_wait(&c->changed, &c->lock);
    return !atomic_load(&c->stopping);
}

/* With the lock held: waits so long, unless it is over. */
static void pause_for(postgres_connector_t *c, int64_t ms)
{
    struct timespec until = after(ms);
    int code = 0;
    while (code == 0 && !atomic_load(&c->stopping))
        code = pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

static int64_t pause_before(hand_t *h)
{
    const postgres_connector_t *c = h->c;
    if (h->reached != c->reached)
        h->failures = 0;
    h->reached = c->reached;
    if (h->failures > 0)
        return postgres_pause_ms(h->failures, postgres_chance(&h->chance));
    return !c->failing && c->best % h->groups != h->group ? SECOND_CHOICE_MS : 0;
}

/* Takes the next order; false: it is over. */
static bool begin(hand_t *h)
{
    postgres_connector_t *c = h->c;
    bool go = false;
    pthread_mutex_lock(&c->lock);
    while (!go && await_want(h)) {
        int64_t ms = pause_before(h);
        if (ms > 0)
            pause_for(c, ms);
        /* In the meantime others may have done it. */
        go = c->wanted > c->busy[h->group];
    }
    c->busy[h->group] += go;
    go = go && !atomic_load(&c->stopping);
    pthread_mutex_unlock(&c->lock);
    return go;
}

static str_t name_of(const postgres_connector_t *c, size_t host)
{
    const char *name = c->settings->hosts[host].host;
    return name ? str_c(name) : STR("");
}

static void note_failure(postgres_connector_t *c, const postgres_fault_t *fault, size_t host)
{
    pthread_mutex_lock(&c->lock);
    bool news = !c->failing && host == c->best && !atomic_load(&c->stopping);
    c->failing = c->failing || news;
    pthread_mutex_unlock(&c->lock);
    if (news)
        LOG(c->log, LOG_WARN, "a PostgreSQL server cannot be reached",
            LOG_S("host", name_of(c, host)), LOG_S("why", str_c(fault->why)));
}

static void note_success(postgres_connector_t *c, const postgres_link_t *link, size_t host)
{
    pthread_mutex_lock(&c->lock);
    bool news = c->failing || c->best != host;
    bool needed = c->wanted > 0;
    c->failing = false;
    c->best = host;
    c->reached++;
    if (needed) {
        c->wanted--;
        c->links[c->n_links++] = *link;
    }
    pthread_mutex_unlock(&c->lock);
    if (news)
        LOG(c->log, LOG_INFO, "a PostgreSQL server is reached", LOG_S("host", name_of(c, host)));
    if (needed)
        c->made(c->ctx);
    else
        PQfinish(link->pg);
}

/* Each host of the group once. */
static bool try_hosts(hand_t *h)
{
    postgres_connector_t *c = h->c;
    const postgres_settings_t *s = c->settings;
    for (size_t i = h->group; i < s->n_hosts && !atomic_load(&c->stopping); i += h->groups) {
        postgres_link_t link;
        postgres_fault_t fault;
        if (postgres_link(s, i, &c->stopping, &link, &fault)) {
            note_success(c, &link, i);
            return true;
        }
        note_failure(c, &fault, i);
    }
    return false;
}

static void end(hand_t *h, bool made)
{
    postgres_connector_t *c = h->c;
    h->failures = made ? 0 : h->failures + 1;
    pthread_mutex_lock(&c->lock);
    c->busy[h->group]--;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void *work(void *arg)
{
    hand_t h = *(hand_t *)arg;
    free(arg);
    while (begin(&h))
        end(&h, try_hosts(&h));
    return NULL;
}

static bool start_thread(postgres_connector_t *c, unsigned i)
{
    unsigned groups = (unsigned)c->settings->n_hosts;
    struct timespec now = after(0);
    hand_t *h = calloc(1, sizeof *h);
    if (!h)
        return false;
    h->c = c;
    h->groups = groups < POSTGRES_CONNECTORS_MAX ? groups : POSTGRES_CONNECTORS_MAX;
    h->group = i % h->groups;
    h->chance = (uint64_t)now.tv_nsec * (i + 1) + (uintptr_t)h;
    if (pthread_create(&c->threads[i], NULL, work, h) == 0) {
        c->n_threads++;
        return true;
    }
    free(h);
    return false;
}

static rc_t init_condition(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0)
        return RC_MEMORY;
    bool made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(cond, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return made ? RC_OK : RC_MEMORY;
}

static void free_all(postgres_connector_t *c)
{
    for (unsigned i = 0; i < c->n_links; i++)
        PQfinish(c->links[i].pg);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c->links);
}

rc_t postgres_connector_start(postgres_connector_t *c)
{
    /* Two at least, so that one connection that is slow to set up does not hold up the next. */
    size_t n = c->settings->n_hosts > 2 ? c->settings->n_hosts : 2;
    c->links = calloc(c->settings->connections, sizeof *c->links);
    if (!c->links)
        return RC_MEMORY;
    if (pthread_mutex_init(&c->lock, NULL) != 0 || init_condition(&c->changed) != RC_OK) {
        free(c->links);
        return RC_MEMORY;
    }
    for (unsigned i = 0; i < n && i < POSTGRES_CONNECTORS_MAX; i++) {
        if (!start_thread(c, i)) {
            postgres_connector_stop(c);
            return RC_MEMORY;
        }
    }
    return RC_OK;
}

void postgres_connector_stop(postgres_connector_t *c)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->stopping, true);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->n_threads; i++)
        pthread_join(c->threads[i], NULL);
    free_all(c);
}

void postgres_connector_want(postgres_connector_t *c, unsigned n)
{
    pthread_mutex_lock(&c->lock);
    c->wanted += n;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

bool postgres_connector_take(postgres_connector_t *c, postgres_link_t *out)
{
    pthread_mutex_lock(&c->lock);
    bool some = c->n_links > 0;
    if (some)
        *out = c->links[--c->n_links];
    pthread_mutex_unlock(&c->lock);
    return some;
}
