/* The driver on SQLite: the writer's connection for all changes, and a reader for each worker. On
 * memory there is one connection for both, behind a lock. */
#include "store/sqlite_gate.h"
#include "store/sqlite_store.h"

#include <stdlib.h>

typedef struct {
    store_conn_t base;
    sqlite_store_t *store;
    post_port_t post;
    sqlite_db_t own; /* a reader; unused on memory */
    uint64_t generation;
    int64_t generation_until; /* monotonic ms */
} sqlite_conn_t;

static void free_store(sqlite_store_t *s)
{
    sqlite_db_close(&s->writer.db);
    pthread_mutex_destroy(&s->memory_lock);
    free(s->path);
    free(s);
}

/* Once it is open, its lock keeps everybody from putting another in its place. */
static rc_t open_writer(sqlite_store_t *s, arena_t *a, bool passes, str_t *why)
{
    sqlite_gate_t gate = {-1};
    if (passes)
        TRY(sqlite_gate_take(&gate, a, s->path, SQLITE_GATE_PASS, SQLITE_GATE_WAIT_MS, why));
    rc_t rc = sqlite_db_open(&s->writer.db, a, s->path, SQLITE_WRITER, why);
    sqlite_gate_leave(&gate);
    return rc;
}

static rc_t start_writer(sqlite_store_t *s, arena_t *a, str_t *why)
{
    rc_t rc = sqlite_writer_start(&s->writer);
    if (rc == RC_MEMORY)
        *why = STR("the store has no memory or no thread; give the program more");
    else if (rc != RC_OK)
        rc = sqlite_explain(a, s->path, s->writer.db.handle, why);
    return rc;
}

typedef struct {
    const store_driver_t *driver;
    str_t path;
    bool passes; /* the gate */
} opening_t;

static rc_t open_store(arena_t *a, const store_config_t *config, opening_t how, store_t **out,
                       str_t *why)
{
    *why = STR("the store has no memory");
    sqlite_store_t *s = calloc(1, sizeof *s);
    if (!s)
        return RC_MEMORY;
    pthread_mutex_init(&s->memory_lock, NULL);
    s->base.driver = how.driver;
    s->clock = config->clock;
    s->in_memory = how.driver == &STORE_MEMORY;
    s->writer.db_lock = s->in_memory ? &s->memory_lock : NULL;
    s->writer.log = config->log;
    s->path = strndup(how.path.p, how.path.n);
    rc_t rc = s->path ? open_writer(s, a, how.passes, why) : RC_MEMORY;
    if (rc == RC_OK)
        rc = start_writer(s, a, why);
    if (rc != RC_OK) {
        free_store(s);
        return rc;
    }
    *out = &s->base;
    return RC_OK;
}

static rc_t open_path(arena_t *a, const store_config_t *config, bool passes, store_t **out,
                      str_t *why)
{
    /* SQLite would make a private database for each connection of these names. */
    if (str_is_empty(config->path) || str_eq(config->path, STR(":memory:"))) {
        *why = STR("the store sqlite needs the path of a file; give the setting data a folder");
        return RC_CONFIG;
    }
    return open_store(a, config, (opening_t){&STORE_SQLITE, config->path, passes}, out, why);
}

static rc_t open_file(arena_t *a, const store_config_t *config, store_t **out, str_t *why)
{
    return open_path(a, config, true, out, why);
}

rc_t sqlite_open_behind_gate(arena_t *a, const store_config_t *config, store_t **out, str_t *why)
{
    return open_path(a, config, false, out, why);
}

static rc_t open_memory(arena_t *a, const store_config_t *config, store_t **out, str_t *why)
{
    return open_store(a, config, (opening_t){&STORE_MEMORY, STR(":memory:"), false}, out, why);
}

static void close_store(store_t *base)
{
    sqlite_store_t *s = (sqlite_store_t *)base;
    sqlite_writer_stop(&s->writer);
    free_store(s);
}

static rc_t connect_worker(store_t *base, post_port_t post, store_conn_t **out)
{
    sqlite_store_t *s = (sqlite_store_t *)base;
    sqlite_conn_t *c = calloc(1, sizeof *c);
    if (!c)
        return RC_MEMORY;
    c->base.driver = base->driver;
    c->store = s;
    c->post = post;
    arena_t *a = arena_new(4096);
    str_t why;
    rc_t rc = !a             ? RC_MEMORY
              : s->in_memory ? RC_OK
                             : sqlite_db_open(&c->own, a, s->path, SQLITE_READER, &why);
    if (rc != RC_OK)
        free(c);
    else
        *out = &c->base;
    arena_free(a);
    return rc;
}

static void disconnect_worker(store_conn_t *base)
{
    sqlite_conn_t *c = (sqlite_conn_t *)base;
    if (!c->store->in_memory)
        sqlite_db_close(&c->own);
    free(c);
}

static sqlite_db_t *enter(sqlite_conn_t *c)
{
    if (!c->store->in_memory)
        return &c->own;
    pthread_mutex_lock(&c->store->memory_lock);
    return &c->store->writer.db;
}

static void leave(sqlite_conn_t *c)
{
    if (c->store->in_memory)
        pthread_mutex_unlock(&c->store->memory_lock);
}

/* A transaction that could not be ended would hold its old view forever. */
static rc_t begin_read(sqlite_db_t *db)
{
    if (sqlite_is_open(db))
        TRY(sqlite_run_fixed(db, STMT_ROLLBACK));
    return sqlite_run_fixed(db, STMT_BEGIN_READ);
}

static rc_t answer_all(sqlite_db_t *db, arena_t *a, ask_t *asks, size_t n, uint64_t *generation)
{
    TRY(begin_read(db));
    rc_t rc = sqlite_generation(db, generation);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = sqlite_answer(db, a, &asks[i]);
    rc_t end = sqlite_is_open(db) ? sqlite_run_fixed(db, STMT_COMMIT) : RC_OK;
    return rc != RC_OK ? rc : end;
}

static void ask(store_conn_t *base, arena_t *a, ask_t *asks, size_t n, store_done_t done, void *ctx)
{
    sqlite_conn_t *c = (sqlite_conn_t *)base;
    sqlite_db_t *db = enter(c);
    rc_t rc = answer_all(db, a, asks, n, &c->generation);
    c->generation_until = c->store->clock.mono_ms(c->store->clock.ctx) + STORE_GENERATION_MS;
    if (rc != RC_OK)
        LOG(c->store->writer.log, LOG_ERROR, "the store could not read",
            LOG_S("why", str_c(rc_name(rc))), LOG_S("sqlite", str_c(sqlite3_errmsg(db->handle))));
    leave(c);
    done(ctx, rc, 0);
}

static void push(sqlite_conn_t *c, const sqlite_job_t *job)
{
    rc_t rc = sqlite_writer_push(&c->store->writer, job);
    if (rc != RC_OK)
        job->done(job->ctx, rc, 0);
}

static void apply(store_conn_t *base, const effects_t *effects, store_done_t done, void *ctx)
{
    sqlite_conn_t *c = (sqlite_conn_t *)base;
    push(c, &(sqlite_job_t){.effects = effects, .back = c->post, .done = done, .ctx = ctx});
}

static void expire(store_conn_t *base, store_expire_t *what, store_done_t done, void *ctx)
{
    sqlite_conn_t *c = (sqlite_conn_t *)base;
    push(c, &(sqlite_job_t){.expire = what, .back = c->post, .done = done, .ctx = ctx});
}

static void forget(store_conn_t *base, store_forget_t *what, store_done_t done, void *ctx)
{
    sqlite_conn_t *c = (sqlite_conn_t *)base;
    push(c, &(sqlite_job_t){.forget = what, .back = c->post, .done = done, .ctx = ctx});
}

static uint64_t generation(store_conn_t *base)
{
    sqlite_conn_t *c = (sqlite_conn_t *)base;
    uint64_t here = atomic_load_explicit(&c->store->writer.generation, memory_order_relaxed);
    int64_t now = c->store->clock.mono_ms(c->store->clock.ctx);
    if (now >= c->generation_until) {
        sqlite_db_t *db = enter(c);
        rc_t ignored = sqlite_generation(db, &c->generation); /* asks again soon */
        leave(c);
        (void)ignored;
        c->generation_until = now + STORE_GENERATION_MS;
    }
    return here > c->generation ? here : c->generation;
}

const store_driver_t STORE_SQLITE = {
    .name = "sqlite",
    .open = open_file,
    .close = close_store,
    .connect = connect_worker,
    .disconnect = disconnect_worker,
    .ask = ask,
    .apply = apply,
    .generation = generation,
    .expire = expire,
    .forget = forget,
    .dump = sqlite_dump,
    .fill = sqlite_fill,
    .stats = sqlite_stats,
    .check = sqlite_check,
    .backup = sqlite_backup,
    .hold = sqlite_hold,
    .open_held = sqlite_open_held,
    .release = sqlite_release,
    .idle = sqlite_idle,
};
const store_driver_t STORE_MEMORY = {
    .name = "memory",
    .open = open_memory,
    .close = close_store,
    .connect = connect_worker,
    .disconnect = disconnect_worker,
    .ask = ask,
    .apply = apply,
    .generation = generation,
    .expire = expire,
    .forget = forget,
    .dump = sqlite_dump,
    .fill = sqlite_fill,
    .stats = sqlite_stats,
    .check = sqlite_check,
};
