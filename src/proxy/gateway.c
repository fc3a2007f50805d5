#include "proxy/gateway.h"

#include "proxy/relay.h"

#include <stdlib.h>

enum { AWAY_MS = 10000 }; /* that an upstream counts as away after it could not be reached */

static void handle_metadata(http_exchange_t *x)
{
    relay_worker_t *w = x->worker;
    relay_view_t *v = relay_view_take(w);
    const route_t *r = v ? route_find_metadata(v->set, x->path) : NULL;
    str_t body = r ? arena_dup(x->arena, r->ports->metadata(r->access)) : STR_UNSET;
    if (v)
        relay_view_leave(w, v);
    if (!body.p) {
        http_reply_error(x, 404, STR("No resource has that path."));
        return;
    }
    http_reply(x, 200,
               HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                            {STR("Cache-Control"), STR("public, max-age=300")}),
               body);
}

/* What no upstream has is left to the applications beside this one. */
static bool claims(void *worker, str_t path)
{
    relay_worker_t *w = worker;
    relay_view_t *v = relay_view_take(w);
    if (!v)
        return true; /* out of memory: 503, not 404 */
    bool known = route_find(v->set, path) || route_find_metadata(v->set, path);
    relay_view_leave(w, v);
    return known;
}

/* Paths come out of the settings and change with them, so the table takes every path there is, and
 * the upstream is looked up behind it. */
static void make_app(gateway_t *g)
{
    g->routes[0] = (http_route_t){
        .path = STR("/.well-known/oauth-protected-resource"),
        .methods = HTTP_M(GET),
        .handler = handle_metadata,
        .cors = HTTP_CORS_PUBLIC,
        .flags = HTTP_ROUTE_PREFIX,
    };
    g->routes[1] = (http_route_t){
        .path = STR("/"),
        .methods = HTTP_M(GET) | HTTP_M(POST) | HTTP_M(DELETE),
        .handler = relay_handle,
        .body_limit = RELAY_BODY_BYTES,
        .cors = HTTP_CORS_PUBLIC,
        /* The type of a body is judged after the token (401 before 4xx). */
        .flags = HTTP_ROUTE_PREFIX | HTTP_ROUTE_ANY_TYPE | HTTP_ROUTE_NO_HEAD,
    };
    g->app =
        (http_app_t){.routes = {g->routes, 2}, .ctx = g, .admit = relay_admit, .claims = claims};
}

static rc_t open_pins(gateway_t *g)
{
    enum { SENTENCE_BYTES = 4096 };
    str_t why = STR("out of memory");
    arena_t *a = arena_new(SENTENCE_BYTES);
    pins_config_t config = {g->config.data, g->config.log, g->config.clock};
    rc_t rc = a ? pins_new(a, &config, &g->pins, &why) : RC_MEMORY;
    if (rc != RC_OK)
        LOG(g->config.log, LOG_ERROR, "the pins cannot be opened", LOG_S("why", why));
    arena_free(a);
    return rc;
}

rc_t gateway_new(const gateway_config_t *config, gateway_t **out)
{
    gateway_t *g = calloc(1, sizeof *g);
    *out = NULL;
    if (!g)
        return RC_MEMORY;
    g->config = *config;
    pthread_mutex_init(&g->lock, NULL);
    make_app(g);
    rc_t rc = tolls_new(config->random, &g->tolls);
    if (rc == RC_OK)
        rc = seats_new(config->random, SEATS_MAX, &g->seats);
    if (rc == RC_OK)
        rc = params_new(config->random, &g->params);
    if (rc == RC_OK && config->data.p)
        rc = open_pins(g);
    if (rc != RC_OK) {
        gateway_free(g);
        return rc;
    }
    g->trail = trail_audit(config->audit, config->durable);
    *out = g;
    return RC_OK;
}

void gateway_install(gateway_t *g, route_set_t *set)
{
    pthread_mutex_lock(&g->lock);
    route_set_t *old = g->set;
    g->set = set;
    atomic_fetch_add(&g->generation, 1);
    pthread_mutex_unlock(&g->lock);
    route_set_drop(old);
}

http_mount_t gateway_mount(gateway_t *g)
{
    return (http_mount_t){&g->app, relay_worker_init, relay_worker_drain, relay_worker_exit};
}

route_set_t *gateway_hold(gateway_t *g)
{
    pthread_mutex_lock(&g->lock);
    route_set_t *set = g->set;
    if (set)
        route_set_hold(set);
    pthread_mutex_unlock(&g->lock);
    return set;
}

static bool is_ready(const gateway_t *g, const route_t *r)
{
    int64_t now = g->config.clock.mono_ms(g->config.clock.ctx);
    int64_t away = atomic_load_explicit(&r->state->away_ms, memory_order_relaxed);
    bool answers = away == 0 || now - away > AWAY_MS;
    return answers && r->ports->ready(r->access) && r->upstream.ready(r->upstream.ctx);
}

bool gateway_ready(gateway_t *g)
{
    route_set_t *set = gateway_hold(g);
    bool ready = set != NULL;
    for (size_t i = 0; set && i < set->n; i++)
        ready &= is_ready(g, &set->v[i]);
    route_set_drop(set);
    return ready;
}

static void put_label(buf_t *b, str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_char(b, '\\');
        buf_char(b, s.p[i]);
    }
}

void gateway_metrics(gateway_t *g, buf_t *b)
{
    route_set_t *set = gateway_hold(g);
    if (!set)
        return;
    buf_put(b, STR("# HELP warder_upstream_ready Whether the protected server behind a path can "
                   "answer\n# TYPE warder_upstream_ready gauge\n"));
    for (size_t i = 0; i < set->n; i++) {
        buf_put(b, STR("warder_upstream_ready{path=\""));
        put_label(b, set->v[i].conf->path);
        buf_put(b, is_ready(g, &set->v[i]) ? STR("\"} 1\n") : STR("\"} 0\n"));
    }
    route_set_drop(set);
}

void gateway_free(gateway_t *g)
{
    if (!g)
        return;
    route_set_drop(g->set);
    tolls_free(g->tolls);
    seats_free(g->seats);
    params_free(g->params);
    pins_free(g->pins);
    pthread_mutex_destroy(&g->lock);
    free(g);
}
