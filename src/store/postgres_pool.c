#include "core/limits.h"
#include "store/postgres_plan.h"
#include "store/postgres_thread.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    return clock_micros() / 1000;
}

static void wake(void *ctx)
{
    postgres_pool_wake(ctx, NULL);
}

static void free_pool(postgres_pool_t *pool)
{
    if (pool->conns && pool->conns[0].pg)
        postgres_conn_end(&pool->conns[0]);
    if (pool->wake_fd >= 0)
        close(pool->wake_fd);
    free(pool->conns);
    free(pool->polled);
    pthread_mutex_destroy(&pool->lock);
    arena_free(pool->a);
    free(pool);
}

static postgres_pool_t *new_pool(const store_config_t *config)
{
    postgres_pool_t *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pool->wake_fd = -1;
    pool->log = config->log;
    pool->a = arena_new(1 << 20);
    postgres_queue_init(&pool->inbox);
    postgres_queue_init(&pool->ready);
    postgres_queue_init(&pool->later);
    postgres_queue_init(&pool->unposted);
    pool->due_ms = INT64_MAX;
    pool->now_ms = pool->fresh_ms = pool->probed_ms = now_ms();
    pool->chance = (uint64_t)clock_micros() ^ (uintptr_t)pool;
    if (pool->a)
        return pool;
    free_pool(pool);
    return NULL;
}

static bool get_memory(postgres_pool_t *pool)
{
    pool->conns = calloc(pool->settings.connections, sizeof *pool->conns);
    pool->polled = calloc(pool->settings.connections + 1, sizeof *pool->polled);
    pool->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return pool->conns && pool->polled && pool->wake_fd >= 0;
}

static rc_t explain(arena_t *a, const postgres_fault_t *fault, str_t *why)
{
    *why = postgres_explain(a, fault);
    return RC_IO;
}

/* What caches made before the first answer are of. */
static rc_t read_generation(postgres_pool_t *pool, PGconn *pg, str_t *why)
{
    PGresult *r =
        PQexecParams(pg, POSTGRES_TEXTS[POSTGRES_GENERATION].sql, 0, NULL, NULL, NULL, NULL, 0);
    bool read = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;
    if (read)
        postgres_pool_note_generation(pool, strtoull(PQgetvalue(r, 0, 0), NULL, 10));
    else
        *why = STR("the database does not hold what this program wrote; restore it");
    PQclear(r);
    return read ? RC_OK : RC_IO;
}

static rc_t prepare_database(postgres_pool_t *pool, PGconn *pg, arena_t *a, str_t *why)
{
    TRY(postgres_migrate(pg, a, why));
    return read_generation(pool, pg, why);
}

static void take_first(postgres_pool_t *pool, const postgres_link_t *link, size_t host)
{
    pool->connector.best = host;
    postgres_pool_take_link(pool, link);
    if (!link->direct)
        LOG(pool->log, LOG_INFO, "a proxy stands before PostgreSQL: nothing is prepared",
            LOG_I("statement_ms", postgres_statement_ms(&pool->settings)));
}

/* The first connection looks after the database, and is there when calls begin; the others come
 * beside them. */
static rc_t connect_first(postgres_pool_t *pool, bool migrate, arena_t *a, str_t *why)
{
    size_t host;
    postgres_link_t link;
    postgres_fault_t fault = {0};
    PGconn *pg = postgres_link_plain(&pool->settings, &host, &fault);
    if (!pg)
        return explain(a, &fault, why);
    rc_t rc = migrate ? prepare_database(pool, pg, a, why) : RC_OK;
    if (rc != RC_OK) {
        PQfinish(pg);
        return rc;
    }
    bool up = postgres_link_of(&pool->settings, pg, &link, &fault);
    while (!up && ++host < pool->settings.n_hosts)
        up = postgres_link(&pool->settings, host, NULL, &link, &fault);
    if (!up)
        return explain(a, &fault, why);
    take_first(pool, &link, host);
    return RC_OK;
}

static rc_t start(postgres_pool_t *pool, str_t *why)
{
    postgres_connector_t *c = &pool->connector;
    *why = STR("the store has no memory or no thread; give the program more");
    c->settings = &pool->settings;
    c->log = pool->log;
    c->made = wake;
    c->ctx = pool;
    TRY(postgres_connector_start(c));
    if (pthread_create(&pool->thread, NULL, postgres_pool_serve, pool) != 0) {
        postgres_connector_stop(c);
        return RC_MEMORY;
    }
    postgres_connector_want(c, pool->settings.connections - 1);
    return RC_OK;
}

rc_t postgres_pool_begin(arena_t *a, const store_config_t *config, bool migrate,
                         postgres_pool_t **out, str_t *why)
{
    *why = STR("the store has no memory");
    postgres_pool_t *pool = new_pool(config);
    if (!pool)
        return RC_MEMORY;
    str_t inner = *why; /* settings live in the pool's arena, sentences in the caller's */
    rc_t rc = postgres_settings_read(pool->a, config, &pool->settings, &inner);
    if (rc != RC_OK)
        *why = arena_dup(a, inner);
    else if (!get_memory(pool))
        rc = RC_MEMORY;
    if (rc == RC_OK)
        rc = connect_first(pool, migrate, a, why);
    if (rc == RC_OK)
        rc = start(pool, why);
    if (rc != RC_OK)
        free_pool(pool);
    else
        *out = pool;
    return rc;
}

rc_t postgres_pool_open(arena_t *a, const store_config_t *config, postgres_pool_t **out, str_t *why)
{
    return postgres_pool_begin(a, config, true, out, why);
}

void postgres_pool_close(postgres_pool_t *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_mutex_unlock(&pool->lock);
    postgres_pool_wake(pool, NULL);
    pthread_join(pool->thread, NULL);
    postgres_connector_stop(&pool->connector);
    free_pool(pool);
}

rc_t postgres_pool_push(postgres_pool_t *pool, postgres_job_t *job)
{
    if (atomic_load(&pool->up) == 0)
        return RC_IO;
    TRY(postgres_results_room(job));
    if (atomic_fetch_add(&pool->waiting, 1) >= LIMIT_STORE_JOBS) {
        atomic_fetch_sub(&pool->waiting, 1);
        return RC_BUSY;
    }
    job->until_ms = now_ms() + pool->settings.wait_ms;
    job->tries = 0;
    job->unsure = job->asking = job->probe = false;
    postgres_pool_wake(pool, job);
    return RC_OK;
}

uint64_t postgres_pool_generation(postgres_pool_t *pool)
{
    int64_t now = now_ms();
    int64_t before = atomic_exchange(&pool->asked_ms, now);
    /* Who follows it keeps it fresh; the first to ask for a while wakes the thread. */
    if (now - before >= STORE_GENERATION_MS)
        postgres_pool_wake(pool, NULL);
    return atomic_load(&pool->generation);
}

void postgres_pool_note_generation(postgres_pool_t *pool, uint64_t generation)
{
    uint64_t known = atomic_load(&pool->generation);
    while (known < generation &&
           !atomic_compare_exchange_weak(&pool->generation, &known, generation))
        continue;
}

void postgres_pool_health(postgres_pool_t *pool, store_health_t *out)
{
    uint32_t up = atomic_load(&pool->up);
    *out = (store_health_t){.up = up > 0,
                            .connections = up,
                            .connections_wanted = pool->settings.connections,
                            .waiting = atomic_load(&pool->waiting),
                            .reconnects = atomic_load(&pool->reconnects),
                            .retries = atomic_load(&pool->retries),
                            .unsure = atomic_load(&pool->unsure),
                            .timeouts = atomic_load(&pool->timeouts)};
}

PGconn *postgres_connect_once(arena_t *a, const store_config_t *config, str_t *why)
{
    size_t host;
    postgres_settings_t settings;
    postgres_fault_t fault = {0};
    if (postgres_settings_read(a, config, &settings, why) != RC_OK)
        return NULL;
    PGconn *pg = postgres_link_plain(&settings, &host, &fault);
    if (!pg)
        *why = postgres_explain(a, &fault);
    return pg;
}

PGconn *postgres_pool_connect_once(const postgres_pool_t *pool, arena_t *a, str_t *why)
{
    size_t host;
    postgres_fault_t fault = {0};
    PGconn *pg = postgres_link_plain(&pool->settings, &host, &fault);
    if (!pg)
        *why = postgres_explain(a, &fault);
    return pg;
}
