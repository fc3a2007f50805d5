/* The pool's thread: waits for sockets and for work, gives work to connections. */
#include "store/postgres_thread.h"

#include "core/ports.h"
#include "store/postgres_plan.h"

#include <unistd.h>

enum {
    ASKED_MS = 1000, /* the generation is followed closely so long after somebody asked */
    PROBE_MS = 1000, /* how often a connection is tried anyway: the one that was silent longest */
    POST_RETRY_MS = 1,
};

void postgres_pool_wake(postgres_pool_t *pool, postgres_job_t *job)
{
    uint64_t one = 1;
    pthread_mutex_lock(&pool->lock);
    if (job)
        postgres_queue_add(&pool->inbox, job);
    bool first = !pool->woken;
    pool->woken = true;
    pthread_mutex_unlock(&pool->lock);
    /* The counter cannot be full: the next one is written when this was read. */
    ssize_t ignored = first ? write(pool->wake_fd, &one, sizeof one) : 0;
    (void)ignored;
}

static bool is_up(const postgres_conn_t *c)
{
    return c->pg && !c->lost;
}

static void take_inbox(postgres_pool_t *pool)
{
    uint64_t count;
    ssize_t ignored = pool->polled[0].revents ? read(pool->wake_fd, &count, sizeof count) : 0;
    (void)ignored;
    pthread_mutex_lock(&pool->lock);
    postgres_job_t *jobs = pool->inbox.first;
    postgres_queue_init(&pool->inbox);
    pool->woken = false;
    if (pool->stopping && pool->stop_ms == 0)
        pool->stop_ms = pool->now_ms;
    pthread_mutex_unlock(&pool->lock);
    for (postgres_job_t *next; jobs; jobs = next) {
        next = jobs->next;
        if (jobs->until_ms < pool->due_ms)
            pool->due_ms = jobs->until_ms;
        postgres_queue_add(&pool->ready, jobs);
    }
}

void postgres_pool_take_link(postgres_pool_t *pool, const postgres_link_t *link)
{
    postgres_conn_t *c = pool->conns;
    while (c->pg)
        c++;
    if (c->heard_ms > 0)
        atomic_fetch_add(&pool->reconnects, 1);
    postgres_conn_begin(c, link->pg);
    c->prepared = link->prepared;
    c->direct = link->direct;
    c->timeout_ms = postgres_statement_ms(&pool->settings);
    c->heard_ms = pool->now_ms;
    atomic_fetch_add(&pool->up, 1);
}

static void take_links(postgres_pool_t *pool)
{
    postgres_link_t link;
    while (postgres_connector_take(&pool->connector, &link))
        postgres_pool_take_link(pool, &link);
}

/* Whoever waits for an answer is answered by another connection, as long as there is one. */
static unsigned cost(const postgres_pool_t *pool, const postgres_conn_t *c)
{
    int64_t since = c->depth == 0                   ? pool->now_ms
                    : c->first->at_ms > c->heard_ms ? c->first->at_ms
                                                    : c->heard_ms;
    bool stalled = c->blocked || pool->now_ms - since > POSTGRES_STALLED_MS;
    return c->depth + (stalled ? POSTGRES_DEPTH : 0);
}

/* A proxy takes a server back at the end of a transaction, whatever was sent behind it: answers to
 * that then reach nobody, or, after our end, whoever has the server next. One at a time there. */
static bool is_full(const postgres_conn_t *c)
{
    return c->depth >= (c->direct ? POSTGRES_DEPTH : 1);
}

static postgres_conn_t *least_busy(const postgres_pool_t *pool)
{
    postgres_conn_t *best = NULL;
    unsigned least = 0;
    for (uint32_t i = 0; i < pool->settings.connections; i++) {
        postgres_conn_t *c = &pool->conns[i];
        if (!is_up(c) || is_full(c))
            continue;
        unsigned here = cost(pool, c);
        if (!best || here < least) {
            best = c;
            least = here;
        }
    }
    return best;
}

static void send(const postgres_pool_t *pool, postgres_conn_t *c, postgres_job_t *job)
{
    job->known = atomic_load(&pool->generation);
    postgres_conn_send(c, job, pool->now_ms);
}

static void send_ready(postgres_pool_t *pool)
{
    postgres_conn_t *c;
    while (pool->ready.first && (c = least_busy(pool)))
        send(pool, c, postgres_queue_take(&pool->ready));
}

static bool is_due(const postgres_job_t *job, int64_t now_ms)
{
    return job->at_ms <= now_ms;
}

static void probe(postgres_pool_t *pool, postgres_conn_t *c)
{
    postgres_job_t *job = c->probing ? NULL : postgres_job_new();
    if (!job)
        return;
    if (postgres_plan_generation(job) != RC_OK || postgres_results_room(job) != RC_OK) {
        postgres_job_free(job);
        return;
    }
    job->probe = true;
    /* Nobody waits for it, and on an idle connection nothing holds it up. */
    job->until_ms = pool->now_ms + pool->settings.wait_ms / (c->depth == 0 ? 2 : 1);
    if (job->until_ms < pool->due_ms)
        pool->due_ms = job->until_ms;
    send(pool, c, job);
}

/* Lost connections are closed; whether the others still lead to a server that may be written to is
 * tried at once: where it failed over, they may hang until their time is over. */
static void drop_lost(postgres_pool_t *pool)
{
    bool any = false;
    for (uint32_t i = 0; i < pool->settings.connections; i++) {
        postgres_conn_t *c = &pool->conns[i];
        if (!c->pg || !c->lost)
            continue;
        postgres_take_answers(pool, c);
        postgres_conn_drop(pool, c);
        any = true;
    }
    for (uint32_t i = 0; any && i < pool->settings.connections; i++) {
        if (is_up(&pool->conns[i]) && !is_full(&pool->conns[i]))
            probe(pool, &pool->conns[i]);
    }
}

static int64_t next_probe_ms(const postgres_pool_t *pool)
{
    bool asked = pool->now_ms - atomic_load(&pool->asked_ms) < ASKED_MS;
    int64_t fresh = pool->fresh_ms > pool->probed_ms ? pool->fresh_ms : pool->probed_ms;
    int64_t follow = fresh + STORE_GENERATION_MS / 2;
    int64_t anyway = pool->probed_ms + PROBE_MS;
    return asked && follow < anyway ? follow : anyway;
}

/* One connection in turn: the one that said nothing for longest, idle if there is one. */
static void probe_when_due(postgres_pool_t *pool)
{
    if (pool->now_ms < next_probe_ms(pool))
        return;
    postgres_conn_t *best = NULL;
    for (uint32_t i = 0; i < pool->settings.connections; i++) {
        postgres_conn_t *c = &pool->conns[i];
        if (!is_up(c) || c->probing || is_full(c))
            continue;
        bool better = !best || (c->depth == 0) > (best->depth == 0) ||
                      ((c->depth == 0) == (best->depth == 0) && c->heard_ms < best->heard_ms);
        best = better ? c : best;
    }
    pool->probed_ms = pool->now_ms;
    if (best)
        probe(pool, best);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int timeout_of(const postgres_pool_t *pool)
{
    int64_t until = sooner(pool->due_ms, next_probe_ms(pool));
    for (const postgres_job_t *job = pool->later.first; job; job = job->next)
        until = sooner(until, job->at_ms);
    if (pool->unposted.first)
        until = sooner(until, pool->now_ms + POST_RETRY_MS);
    for (uint32_t i = 0; i < pool->settings.connections; i++) {
        if (pool->conns[i].pg && pool->conns[i].lost)
            return 0;
    }
    int64_t left = until - clock_micros() / 1000;
    return left <= 0 ? 0 : left > PROBE_MS ? PROBE_MS : (int)left;
}

static nfds_t list_sockets(postgres_pool_t *pool)
{
    nfds_t n = 1;
    pool->polled[0] = (struct pollfd){.fd = pool->wake_fd, .events = POLLIN};
    for (uint32_t i = 0; i < pool->settings.connections; i++) {
        const postgres_conn_t *c = &pool->conns[i];
        if (c->pg)
            pool->polled[n++] = (struct pollfd){.fd = PQsocket(c->pg),
                                                .events = c->blocked ? POLLIN | POLLOUT : POLLIN};
    }
    return n;
}

static void serve_sockets(postgres_pool_t *pool)
{
    const struct pollfd *p = &pool->polled[1];
    for (uint32_t i = 0; i < pool->settings.connections; i++) {
        postgres_conn_t *c = &pool->conns[i];
        if (!c->pg)
            continue;
        short came = (p++)->revents;
        if (came & POLLOUT)
            postgres_conn_flush(c); /* where it would block, libpq reads as well */
        if (came & ~POLLOUT)
            postgres_conn_read(c);
        if (came)
            postgres_take_answers(pool, c);
    }
}

static void work(postgres_pool_t *pool)
{
    take_links(pool);
    postgres_sweep(pool);
    drop_lost(pool);
    postgres_job_t *due = postgres_queue_pick(&pool->later, is_due, pool->now_ms);
    postgres_queue_add_first(&pool->ready, due);
    send_ready(pool);
    probe_when_due(pool);
    postgres_deliver_rest(pool);
}

static bool is_finished(const postgres_pool_t *pool)
{
    return pool->stop_ms > 0 && atomic_load(&pool->waiting) == 0;
}

static void close_all(postgres_pool_t *pool)
{
    for (uint32_t i = 0; i < pool->settings.connections; i++) {
        postgres_conn_t *c = &pool->conns[i];
        if (!c->pg)
            continue;
        for (postgres_job_t *job = postgres_conn_shed(c), *next; job; job = next) {
            next = job->next;
            postgres_job_free(job); /* probes */
        }
        postgres_conn_end(c);
    }
}

void *postgres_pool_serve(void *arg)
{
    postgres_pool_t *pool = arg;
    while (!is_finished(pool)) {
        nfds_t n = list_sockets(pool);
        if (poll(pool->polled, n, timeout_of(pool)) < 0)
            pool->polled[0].revents = 0, n = 0; /* a signal */
        pool->now_ms = clock_micros() / 1000;
        if (n > 0)
            serve_sockets(pool);
        take_inbox(pool);
        work(pool);
    }
    close_all(pool);
    return NULL;
}
