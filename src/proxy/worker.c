#include "proxy/relay.h"

#include <stdlib.h>

/* Snapshots. A worker has the current one and those that its requests still use; drivers learn of
 * begin and end on the worker's own thread. */

static void end_routes(relay_worker_t *w, const route_set_t *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const route_t *r = &set->v[i];
        if (r->hooks.worker_exit)
            r->hooks.worker_exit(r->upstream.ctx, w->loop);
    }
}

static void end_view(relay_worker_t *w, relay_view_t *v)
{
    end_routes(w, v->set);
    route_set_drop(v->set);
    free(v);
}

static void drop_unused(relay_worker_t *w)
{
    relay_view_t **at = w->views ? &w->views->next : NULL;
    while (at && *at) {
        relay_view_t *v = *at;
        if (v->uses > 0) {
            at = &v->next;
            continue;
        }
        *at = v->next;
        end_view(w, v);
    }
}

static rc_t begin_routes(relay_worker_t *w, const route_set_t *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const route_t *r = &set->v[i];
        if (r->hooks.worker_init)
            TRY(r->hooks.worker_init(r->upstream.ctx, w->loop));
    }
    return RC_OK;
}

static rc_t begin_view(relay_worker_t *w)
{
    gateway_t *g = w->g;
    relay_view_t *v = calloc(1, sizeof *v);
    if (!v)
        return RC_MEMORY;
    pthread_mutex_lock(&g->lock);
    v->set = g->set;
    if (v->set)
        route_set_hold(v->set);
    unsigned generation = atomic_load(&g->generation);
    pthread_mutex_unlock(&g->lock);
    rc_t rc = v->set ? begin_routes(w, v->set) : RC_NOT_FOUND;
    if (rc != RC_OK) {
        if (v->set)
            end_routes(w, v->set);
        route_set_drop(v->set);
        free(v);
        return rc;
    }
    v->next = w->views;
    w->views = v;
    w->generation = generation;
    drop_unused(w);
    return RC_OK;
}

static bool is_current(const relay_worker_t *w)
{
    return w->views &&
           w->generation == atomic_load_explicit(&w->g->generation, memory_order_acquire);
}

relay_view_t *relay_view_take(relay_worker_t *w)
{
    /* Without memory for the new one the old one serves on. */
    if (!is_current(w) && begin_view(w) != RC_OK && !w->views)
        return NULL;
    w->views->uses++;
    return w->views;
}

void relay_view_leave(relay_worker_t *w, relay_view_t *v)
{
    v->uses--;
    if (v->uses == 0 && v != w->views)
        drop_unused(w);
}

/* Randomness costs a system call, so it is fetched for many requests. */
rc_t relay_random(relay_worker_t *w, uint8_t *out, size_t n)
{
    const random_port_t *random = &w->g->config.random;
    if (w->random_left < n) {
        TRY(random->fill(random->ctx, w->random, sizeof w->random));
        w->random_left = sizeof w->random;
    }
    memcpy(out, w->random + sizeof w->random - w->random_left, n);
    w->random_left -= n;
    return RC_OK;
}

/* One timer looks at all that is open. */
static void on_tick(void *arg)
{
    relay_worker_t *w = arg;
    int64_t now_s = clock_seconds(&w->g->config.clock);
    relay_call_t *next;
    for (relay_call_t *c = w->calls; c; c = next) {
        next = c->next;
        stream_tick(c, call_now(c), now_s);
    }
    if (!is_current(w) && begin_view(w) == RC_OK)
        drop_unused(w);
    if (w->g->pins)
        pins_tick(w->g->pins);
    relay_tell_turned(w, false);
}

void relay_worker_tick(relay_worker_t *w)
{
    on_tick(w);
}

static rc_t make_parts(relay_worker_t *w)
{
    static const http_rate_rule_t RULE = {RELAY_STRANGERS, RELAY_STRANGERS_MS};
    uint8_t seed[16];
    TRY(relay_random(w, seed, sizeof seed));
    w->strangers = http_rate_new(seed, LIMIT_RATE_KEYS, RULE);
    w->scratch = arena_new(RELAY_SCRATCH_BYTES);
    if (w->loop)
        w->timer = http_timer_start(w->loop, RELAY_TICK_MS, RELAY_TICK_MS, on_tick, w);
    return w->strangers && w->scratch && (!w->loop || w->timer) ? RC_OK : RC_MEMORY;
}

static void free_parts(relay_worker_t *w)
{
    http_rate_free(w->strangers);
    arena_free(w->scratch);
    free(w);
}

rc_t relay_worker_init(void *gateway, http_worker_t *loop, void **worker)
{
    gateway_t *g = gateway;
    relay_worker_t *w = calloc(1, sizeof *w);
    if (!w)
        return RC_MEMORY;
    w->g = g;
    w->loop = loop;
    trail_init(&w->trail, g->trail, loop);
    w->counts = counters_join(g->config.counters);
    rc_t rc = make_parts(w);
    if (rc == RC_OK) {
        *worker = w;
        return RC_OK;
    }
    http_timer_stop(w->timer);
    free_parts(w);
    return rc;
}

/* Streams that would never end by themselves are ended; calls may run on for the time of the drain.
 */
void relay_worker_drain(void *gateway, void *worker)
{
    relay_worker_t *w = worker;
    relay_call_t *next;
    (void)gateway;
    w->draining = true;
    for (relay_call_t *c = w->calls; c; c = next) {
        next = c->next;
        if (c->phase == CALL_ENDING)
            continue;
        if (relay_is_standing(&c->facts))
            stream_close(c, STR("draining"));
        else if (c->gone)
            call_drop(c, STR("server_ended"));
    }
}

/* No exchange is left: what is open are calls whose clients are gone. Nothing that waits for the
 * disk comes back to a loop that has ended. */
static void drop_calls(relay_worker_t *w)
{
    relay_call_t *next;
    w->trail.port.append = NULL;
    for (relay_call_t *c = w->calls; c; c = next) {
        next = c->next;
        if (c->phase != CALL_ENDING)
            call_drop(c, STR("server_ended"));
    }
    trail_flush(&w->trail);
    relay_tell_turned(w, true);
    while (w->calls)
        call_forget(w->calls);
}

void relay_worker_exit(void *gateway, void *worker)
{
    relay_worker_t *w = worker;
    (void)gateway;
    drop_calls(w);
    while (w->views) {
        relay_view_t *v = w->views;
        w->views = v->next;
        end_view(w, v);
    }
    while (w->spare) {
        relay_call_t *c = w->spare;
        w->spare = c->next;
        free(c);
    }
    free_parts(w);
}
