#include "as/as_test_world.h"

#include "as/as_test_served.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ARENA_BYTES = 256 << 20, AS_ARENA_BYTES = 4 << 20 };

const identity_password_cost_t WORLD_COST = {1, 8192};

static const char SETTINGS[] = "public_url: " W_ISSUER "\n"
                               "registration: open\n"
                               "registration_per_minute: 100000\n"
                               "registration_address_per_minute: 100000\n"
                               "resources:\n"
                               "  - uri: " W_RESOURCE "\n"
                               "    name: Files\n"
                               "    scopes:\n"
                               "      files:read: Read files\n"
                               "      files:write: Change files\n"
                               "    default_scopes: [files:read]\n";

void world_assert_str(str_t left, str_t right, const char *file, int line)
{
    if (str_eq(left, right))
        return;
    print_error("\"%" PRIstr "\" is not \"%" PRIstr "\"\n", STR_ARG(left), STR_ARG(right));
    _fail(file, line);
}

/* Ports. */

static int64_t now_ms(void *ctx)
{
    return atomic_load(&((world_t *)ctx)->ms);
}

static int64_t mono_ms(void *ctx)
{
    return now_ms(ctx) - W_START_S * 1000LL + 1000000;
}

clock_port_t world_clock(world_t *w)
{
    return (clock_port_t){now_ms, mono_ms, w};
}

void world_pass_ms(world_t *w, int64_t ms)
{
    atomic_fetch_add(&w->ms, ms);
}

void world_pass(world_t *w, int64_t seconds)
{
    world_pass_ms(w, seconds * 1000);
}

/* SplitMix64: each byte differs, the same in each run. */
static rc_t fill(void *ctx, void *out, size_t n)
{
    world_t *w = ctx;
    uint8_t *p = out;
    if (atomic_load(&w->random_fails))
        return RC_IO;
    for (size_t i = 0; i < n; i++) {
        uint64_t z = atomic_fetch_add(&w->random, 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        p[i] = (uint8_t)(z >> 56);
    }
    return RC_OK;
}

random_port_t world_random(world_t *w)
{
    return (random_port_t){fill, w};
}

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    world_t *w = ctx;
    rc_t rc = RC_BUSY;
    pthread_mutex_lock(&w->lock);
    if (w->n_posts < W_POSTS_MAX && !w->posts_full) {
        w->posts[w->n_posts++] = (posted_t){fn, arg};
        rc = RC_OK;
    }
    pthread_cond_signal(&w->filled);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

post_port_t world_post_port(world_t *w)
{
    return (post_port_t){post, w};
}

static bool take_post(world_t *w, int64_t ms, posted_t *out)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int late = 0;
    pthread_mutex_lock(&w->lock);
    while (w->n_posts == 0 && late != ETIMEDOUT)
        late = pthread_cond_timedwait(&w->filled, &w->lock, &until);
    bool some = w->n_posts > 0;
    if (some) {
        *out = w->posts[0];
        memmove(&w->posts[0], &w->posts[1], --w->n_posts * sizeof w->posts[0]);
    }
    pthread_mutex_unlock(&w->lock);
    return some;
}

bool world_pump(world_t *w, int64_t ms)
{
    posted_t posted;
    if (!take_post(w, ms, &posted))
        return false;
    posted.fn(posted.arg);
    return true;
}

static void keep_line(void *ctx, str_t line)
{
    world_t *w = ctx;
    pthread_mutex_lock(&w->lock);
    size_t room = sizeof w->logged - w->n_logged;
    size_t n = line.n < room ? line.n : room;
    memcpy(w->logged + w->n_logged, line.p, n);
    w->n_logged += n;
    pthread_mutex_unlock(&w->lock);
}

bool world_logged(world_t *w, const char *text)
{
    pthread_mutex_lock(&w->lock);
    bool logged = str_contains(str_of(w->logged, w->n_logged), str_c(text));
    pthread_mutex_unlock(&w->lock);
    return logged;
}

static rc_t fetch(void *ctx, arena_t *a, const http_fetch_request_t *req, http_fetch_result_t *out)
{
    world_t *w = ctx;
    http_fetch_port_t fake = http_fetch_fake(&w->web);
    pthread_mutex_lock(&w->web_gate);
    pthread_mutex_unlock(&w->web_gate);
    return fake.get(fake.ctx, a, req, out);
}

/* The server. */

static void load(world_t *w, const char *key, const char *value)
{
    str_t why = STR("");
    const conf_value_t flag = {str_c(key), str_c(value)};
    const conf_sources_t sources = {.file_name = STR("test.yaml"),
                                    .file = str_c(SETTINGS),
                                    .flags = &flag,
                                    .n_flags = key ? 1 : 0};
    if (conf_load(w->a, &sources, &w->conf, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
}

static void start(world_t *w)
{
    const as_config_t config = {
        .conf = w->conf,
        .store = &w->faulty.base,
        .audit = w->audit,
        .pool = w->pool,
        .fetchers = w->fetchers,
        .fetch = {fetch, w},
        .log = &w->log,
        .clock = world_clock(w),
        .random = world_random(w),
    };
    w->as_arena = arena_new(AS_ARENA_BYTES);
    assert_non_null(w->as_arena);
    assert_ok(as_new(w->as_arena, &config, &w->as));
    as_identify(w->as, w->conf->public_url);
    w->as->password_cost = WORLD_COST;
    assert_ok(as_worker_new(w->as, world_post_port(w), &w->worker));
}

static void stop(world_t *w)
{
    for (size_t i = 0; i < W_FLIGHTS_MAX; i++) {
        http_direct_free(w->flights[i]);
        w->flights[i] = NULL;
    }
    as_worker_free(w->worker);
    as_free(w->as);
    arena_free(w->as_arena);
}

void world_restart(world_t *w, const char *key, const char *value)
{
    stop(w);
    load(w, key, value);
    start(w);
}

void world_open_store(world_t *w, store_t **store, store_conn_t **conn)
{
    str_t why = STR("");
    const store_config_t config = {
        .driver = w->driver,
        .path = arena_printf(w->a, "%s/as.db", w->folder),
        .log = &w->log,
        .clock = world_clock(w),
    };
    if (store_open(w->a, &config, store, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    assert_ok(store_connect(*store, world_post_port(w), conn));
}

static void open_rooms(world_t *w)
{
    str_t why = STR("");
    assert_non_null(mkdtemp(w->folder));
    w->trail = arena_printf(w->a, "%s/audit.log", w->folder);
    world_open_store(w, &w->store, &w->admin);
    w->faulty = (faulty_store_t){{&WORLD_FAULTY}, w};
    const audit_config_t audit = {w->trail, &w->log, world_clock(w)};
    if (audit_open(w->a, &audit, &w->audit, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    w->pool = http_pool_new(2, 4);
    w->fetchers = http_pool_new(1, 4); /* one: the double counts without a lock */
    assert_non_null(w->pool);
    assert_non_null(w->fetchers);
}

static int setup(void **state, str_t driver, void (*put_all)(world_t *w))
{
    static const uint8_t peer[4] = {192, 0, 2, 7};
    arena_t *a = arena_new(ARENA_BYTES);
    world_t *w = a ? ARENA_NEW(a, world_t) : NULL;
    if (!w)
        return -1;
    w->a = a;
    w->driver = driver;
    w->peer = http_addr_from_bytes(peer, sizeof peer);
    atomic_store(&w->ms, W_START_S * 1000LL);
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_init(&w->web_gate, NULL);
    pthread_cond_init(&w->filled, NULL);
    w->log = (log_t){.write = keep_line, .ctx = w, .min = LOG_INFO};
    snprintf(w->folder, sizeof w->folder, "/tmp/warder-as-test-XXXXXX");
    load(w, NULL, NULL);
    open_rooms(w);
    put_all(w);
    start(w);
    *state = w;
    return 0;
}

static void fill_nothing(world_t *w)
{
    (void)w;
}

int world_setup_empty(void **state)
{
    return setup(state, STR("memory"), fill_nothing);
}

int world_setup(void **state)
{
    return setup(state, STR("memory"), world_fill);
}

int world_setup_on_disk(void **state)
{
    return setup(state, STR("sqlite"), world_fill);
}

int world_teardown(void **state)
{
    static const char *const FILES[] = {"audit.log", "as.db", "as.db-wal", "as.db-shm",
                                        "as.db-lock"};
    world_t *w = *state;
    if (w->served) /* the test failed */
        world_serve_stop(w);
    http_pool_free(w->pool);
    http_pool_free(w->fetchers);
    if (w->audit)
        audit_close(w->audit);
    while (world_pump(w, 0)) {
    }
    stop(w);
    store_disconnect(w->admin);
    store_close(w->store);
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++)
        unlink(arena_cstr(w->a, arena_printf(w->a, "%s/%s", w->folder, FILES[i])));
    rmdir(w->folder);
    pthread_cond_destroy(&w->filled);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->web_gate);
    arena_free(w->a);
    return 0;
}
