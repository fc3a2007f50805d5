#include "store/store_test_util.h"

#include "store/postgres_test_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void test_loop_init(test_loop_t *l)
{
    *l = (test_loop_t){0};
    assert_int_equal(pthread_mutex_init(&l->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&l->filled, NULL), 0);
}

void test_loop_free(test_loop_t *l)
{
    pthread_cond_destroy(&l->filled);
    pthread_mutex_destroy(&l->lock);
}

static rc_t post(void *ctx, void (*fn)(void *), void *arg)
{
    test_loop_t *l = ctx;
    pthread_mutex_lock(&l->lock);
    bool fits = !l->gone && l->n < TEST_QUEUE;
    if (fits) {
        size_t at = (l->first + l->n++) % TEST_QUEUE;
        l->queue[at].fn = fn;
        l->queue[at].arg = arg;
    }
    pthread_cond_signal(&l->filled);
    pthread_mutex_unlock(&l->lock);
    return fits ? RC_OK : l->gone ? RC_IO : RC_BUSY;
}

post_port_t test_loop_port(test_loop_t *l)
{
    return (post_port_t){post, l};
}

void test_loop_step(test_loop_t *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->n == 0)
        pthread_cond_wait(&l->filled, &l->lock);
    void (*fn)(void *) = l->queue[l->first].fn;
    void *arg = l->queue[l->first].arg;
    l->first = (l->first + 1) % TEST_QUEUE;
    l->n--;
    pthread_mutex_unlock(&l->lock);
    fn(arg);
}

void test_done(void *ctx, rc_t rc, size_t failed)
{
    *(test_result_t *)ctx = (test_result_t){true, rc, failed};
}

store_conn_t *play_connect(store_t *store, test_loop_t *loop)
{
    store_conn_t *c;
    assert_int_equal(store_connect(store, test_loop_port(loop), &c), RC_OK);
    return c;
}

store_config_t play_config(const play_t *p)
{
    return (store_config_t){
        .driver = str_c(p->driver),
        .path = str_c(p->path),
        .postgres = {.conninfo = str_c(p->conninfo), .connections = 2, .wait_ms = TEST_SERVER_MS},
        .clock = clock_fake((clock_fake_t *)(uintptr_t)&p->clock)};
}

void play_twin(const play_t *p, play_t *twin)
{
    *twin = (play_t){
        .a = arena_new(64 << 20), .driver = p->driver, .conninfo = p->conninfo, .clock = p->clock};
    memcpy(twin->path, p->path, sizeof twin->path);
    test_loop_init(&twin->loop);
}

static void unlink_all(const play_t *p)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", "-lock"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0] && *p->dir; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", p->path, SUFFIXES[i]);
        unlink(path);
    }
}

void play_empty(const play_t *p)
{
    unlink_all(p);
    if (p->conninfo)
        pg_test_settle(p->conninfo);
}

void play_open(play_t *p)
{
    store_config_t config = play_config(p);
    str_t why = STR_UNSET;
    if (store_open(p->a, &config, &p->store, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    p->conn = play_connect(p->store, &p->loop);
}

void play_close(play_t *p)
{
    /* A test that fails while it is closed must not take its neighbours along. */
    if (!p->store)
        return;
    store_disconnect(p->conn);
    store_close(p->store);
    p->store = NULL;
}

static play_t *play_new(void)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(64 << 20);
    assert_non_null(p->a);
    p->clock.ms = (int64_t)TEST_NOW * 1000;
    test_loop_init(&p->loop);
    return p;
}

static int begin(void **state, const char *driver)
{
    play_t *p = play_new();
    p->driver = driver;
    snprintf(p->dir, sizeof p->dir, "/tmp/warder-store-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/db", p->dir);
    play_open(p);
    *state = p;
    return 0;
}

int play_begin_memory(void **state)
{
    return begin(state, "memory");
}

int play_begin_sqlite(void **state)
{
    return begin(state, "sqlite");
}

/* The test itself comes as *state. */
static int begin_on_server(void **state, const char *variable)
{
    play_t *p = play_new();
    p->driver = "postgres";
    p->test = (void (*)(void **)) * state;
    *state = p;
    if (!pg_test_has(variable))
        return 0;
    p->conninfo = pg_test_database(variable);
    pg_test_settle(p->conninfo);
    play_open(p);
    return 0;
}

int play_begin_postgres(void **state)
{
    return begin_on_server(state, "WARDER_TEST_POSTGRES");
}

int play_begin_pgbouncer(void **state)
{
    return begin_on_server(state, "WARDER_TEST_PGBOUNCER");
}

void play_where_served(void **state)
{
    play_t *p = *state;
    if (!p->conninfo)
        skip();
    p->test(state);
}

int play_end(void **state)
{
    play_t *p = *state;
    play_close(p);
    unlink_all(p);
    if (*p->dir)
        rmdir(p->dir);
    test_loop_free(&p->loop);
    arena_free(p->a);
    free(p);
    return 0;
}

effect_t *play_add(play_t *p, effect_kind_t kind)
{
    return effects_add(&p->effects, kind, TEST_NOW);
}

rc_t play_apply(play_t *p)
{
    test_result_t r = {0};
    store_apply(p->conn, &p->effects, test_done, &r);
    while (!r.done)
        test_loop_step(&p->loop);
    p->effects.n = 0;
    p->failed = r.failed;
    return r.rc;
}

rc_t play_ask_all(play_t *p, ask_t *asks, size_t n)
{
    test_result_t r = {0};
    store_ask(p->conn, p->a, asks, n, test_done, &r);
    while (!r.done)
        test_loop_step(&p->loop);
    return r.rc;
}

void play_ask(play_t *p, ask_t *ask)
{
    assert_int_equal(play_ask_all(p, ask, 1), RC_OK);
}

rc_t play_forget(play_t *p, store_forget_t *forget)
{
    test_result_t r = {0};
    forget->a = p->a;
    store_forget(p->conn, forget, test_done, &r);
    while (!r.done)
        test_loop_step(&p->loop);
    p->failed = r.failed;
    return r.rc;
}

rc_t play_expire(play_t *p, int64_t now, uint32_t limit)
{
    test_result_t r = {0};
    store_expire_t expire = {.now = now, .limit = limit, .held_ms = -1};
    store_expire(p->conn, &expire, test_done, &r);
    while (!r.done)
        test_loop_step(&p->loop);
    p->failed = r.failed;
    p->held_ms = expire.held_ms;
    return r.rc;
}
