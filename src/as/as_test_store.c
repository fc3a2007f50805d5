/* The double of a store: passes on to the real one, fails and waits as it is told. */
#include "as/as_test_world.h"

#include <stdlib.h>

typedef struct {
    store_conn_t base;
    world_t *w;
    store_conn_t *real;
} faulty_conn_t;

static rc_t connect_faulty(store_t *base, post_port_t post, store_conn_t **out)
{
    faulty_store_t *s = (faulty_store_t *)base;
    faulty_conn_t *c = calloc(1, sizeof *c);
    if (!c)
        return RC_MEMORY;
    c->base.driver = &WORLD_FAULTY;
    c->w = s->w;
    rc_t rc = store_connect(s->w->store, post, &c->real);
    if (rc != RC_OK) {
        free(c);
        return rc;
    }
    s->w->behind = c->real;
    *out = &c->base;
    return RC_OK;
}

static void disconnect_faulty(store_conn_t *base)
{
    faulty_conn_t *c = (faulty_conn_t *)base;
    store_disconnect(c->real);
    free(c);
}

static void ask(store_conn_t *base, arena_t *a, ask_t *asks, size_t n, store_done_t done, void *ctx)
{
    faulty_conn_t *c = (faulty_conn_t *)base;
    faults_t *f = &c->w->faults;
    f->asks++;
    if (f->ask == RC_OK || f->ask_ok > 0) {
        f->ask_ok -= f->ask != RC_OK;
        if (c->w->asked)
            c->w->asked(c->w, asks, n);
        store_ask(c->real, a, asks, n, done, ctx);
        return;
    }
    done(ctx, f->ask, 0);
}

static bool fails(faults_t *f)
{
    if (f->apply == RC_OK)
        return false;
    if (f->apply_ok > 0) {
        f->apply_ok--;
        return false;
    }
    return true;
}

static void apply(store_conn_t *base, const effects_t *effects, store_done_t done, void *ctx)
{
    faulty_conn_t *c = (faulty_conn_t *)base;
    world_t *w = c->w;
    faults_t *f = &w->faults;
    void (*race)(world_t *) = f->race;
    f->race = NULL;
    f->applies++;
    if (race)
        race(w);
    if (f->hold) {
        assert_true(w->n_held < W_HELD_MAX);
        w->held[w->n_held++] = (held_t){effects, done, ctx};
        return;
    }
    if (!fails(f)) {
        if (w->applied)
            w->applied(w, effects);
        store_apply(c->real, effects, done, ctx);
        return;
    }
    rc_t rc = f->apply;
    if (f->times > 0 && --f->times == 0)
        f->apply = RC_OK;
    done(ctx, rc, 0);
}

static uint64_t generation(store_conn_t *base)
{
    return store_generation(((faulty_conn_t *)base)->real);
}

/* What a batch held up is told as ordered, and not as this machine happened to be. */
static void expired(void *ctx, rc_t rc, size_t deleted)
{
    faulty_store_t *s = ctx;
    s->expire->held_ms = s->w->faults.held_ms;
    s->expire_done(s->expire_ctx, rc, deleted);
}

static void expire(store_conn_t *base, store_expire_t *what, store_done_t done, void *ctx)
{
    faulty_conn_t *c = (faulty_conn_t *)base;
    faults_t *f = &c->w->faults;
    int64_t us = clock_micros(), pause = us - c->w->faulty.expired_us;
    if (f->expires > 0 && (f->least_pause_us == 0 || pause < f->least_pause_us))
        f->least_pause_us = pause;
    c->w->faulty.expired_us = us;
    f->most = what->limit > f->most ? what->limit : f->most;
    f->expires++;
    c->w->faulty.expire = what;
    c->w->faulty.expire_done = done;
    c->w->faulty.expire_ctx = ctx;
    atomic_fetch_add(&c->w->ms, f->waits_ms);
    store_expire(c->real, what, expired, &c->w->faulty);
}

static void forget(store_conn_t *base, store_forget_t *what, store_done_t done, void *ctx)
{
    store_forget(((faulty_conn_t *)base)->real, what, done, ctx);
}

static void health(store_t *base, store_health_t *out)
{
    out->up = !((faulty_store_t *)base)->w->faults.away;
}

const store_driver_t WORLD_FAULTY = {
    .name = "faulty",
    .connect = connect_faulty,
    .disconnect = disconnect_faulty,
    .ask = ask,
    .apply = apply,
    .generation = generation,
    .expire = expire,
    .forget = forget,
    .health = health,
};

typedef struct {
    bool done;
    rc_t rc;
    store_done_t next;
    void *next_ctx;
} settled_t;

static void settled(void *ctx, rc_t rc, size_t failed)
{
    settled_t *s = ctx;
    s->done = true;
    s->rc = rc;
    if (s->next)
        s->next(s->next_ctx, rc, failed);
}

static rc_t apply_and_wait(world_t *w, store_conn_t *conn, const effects_t *effects, settled_t *s)
{
    store_apply(conn, effects, settled, s);
    while (!s->done)
        assert_true(world_pump(w, 10000));
    return s->rc;
}

rc_t world_apply(world_t *w, store_conn_t *conn, const effects_t *effects)
{
    settled_t s = {0};
    return apply_and_wait(w, conn, effects, &s);
}

void world_release(world_t *w, size_t i)
{
    assert_true(i < w->n_held && w->held[i].effects);
    held_t *h = &w->held[i];
    settled_t s = {.next = h->done, .next_ctx = h->ctx};
    const effects_t *effects = h->effects;
    h->effects = NULL;
    apply_and_wait(w, w->behind, effects, &s);
}

void world_put(world_t *w, effect_kind_t kind, const void *record)
{
    effects_t effects = {.n = 0};
    effects_add(&effects, kind, atomic_load(&w->ms) / 1000)->u.client = record;
    assert_ok(world_apply(w, w->admin, &effects));
}

void world_put_key(world_t *w, effect_kind_t kind, str_t key)
{
    effects_t effects = {.n = 0};
    effects_add(&effects, kind, atomic_load(&w->ms) / 1000)->u.key = key;
    assert_ok(world_apply(w, w->admin, &effects));
}

static void looked(void *ctx, rc_t rc, size_t failed)
{
    (void)failed;
    *(rc_t *)ctx = rc;
}

ask_t world_look(world_t *w, ask_t question)
{
    rc_t rc = RC_BUSY;
    store_ask(w->admin, w->a, &question, 1, looked, &rc);
    assert_ok(rc);
    return question;
}
