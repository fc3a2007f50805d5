#include "cmd/ops.h"

#include "core/json.h"
#include "http/server.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    METRICS_BYTES = 1 << 20,
    FRESH_MS = 1000, /* an answer counts so long, lest whoever asks keeps the store busy */
    NAMES_BYTES = 512
};

struct ops {
    ops_config_t config;
    http_app_t app, own_app;
    pthread_mutex_t lock; /* guards the two below */
    unsigned failed;      /* parts, as bits, at the last look */
    int64_t until_ms;     /* monotonic: what was seen then counts until now */
};

static int64_t mono(const ops_t *o)
{
    return o->config.clock.mono_ms(o->config.clock.ctx);
}

/* ---- ready ---- */

static void answer_ready(http_exchange_t *x, unsigned failed)
{
    const ops_t *o = x->app;
    buf_t b = buf_new(x->arena, NAMES_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("status"), failed ? STR("unavailable") : STR("ready"));
    if (failed) {
        json_key(&w, STR("failed"));
        json_begin_array(&w);
        for (size_t i = 0; i < o->config.n_parts; i++)
            if (failed & 1u << i)
                json_str(&w, str_c(o->config.parts[i].name));
        json_end_array(&w);
    }
    json_end_object(&w);
    str_t body;
    if (buf_done(&b, &body) != RC_OK)
        http_reply_error(x, 503, STR("out of memory"));
    else
        http_reply_json(x, failed ? 503 : 200, body);
}

static bool is_known(ops_t *o, unsigned *failed)
{
    pthread_mutex_lock(&o->lock);
    bool known = mono(o) < o->until_ms;
    *failed = o->failed;
    pthread_mutex_unlock(&o->lock);
    return known;
}

/* One look; in the exchange's arena. */
typedef struct {
    http_exchange_t *x;
    ops_t *ops;
    unsigned failed;
} look_t;

static void look_at(look_t *l, bool on_worker)
{
    for (size_t i = 0; i < l->ops->config.n_parts; i++) {
        const ops_part_t *part = &l->ops->config.parts[i];
        if (part->on_worker == on_worker && !part->works(part->ctx))
            l->failed |= 1u << i;
    }
}

static void work(void *arg)
{
    look_at(arg, false);
}

static void done(void *arg)
{
    look_t *l = arg;
    ops_t *o = l->ops;
    pthread_mutex_lock(&o->lock);
    o->failed = l->failed;
    o->until_ms = mono(o) + FRESH_MS;
    pthread_mutex_unlock(&o->lock);
    answer_ready(l->x, l->failed);
}

static void handle_ready(http_exchange_t *x)
{
    unsigned failed;
    ops_t *o = x->app;
    look_t *l = ARENA_NEW(x->arena, look_t);
    if (is_known(o, &failed)) {
        answer_ready(x, failed);
        return;
    }
    if (!l) {
        http_reply_retry(x, 503, 1, STR("out of memory"));
        return;
    }
    *l = (look_t){.x = x, .ops = o};
    look_at(l, true);
    if (!x->loop) { /* under http/direct.h */
        work(l);
        done(l);
        return;
    }
    if (http_pool_run(o->config.pool, http_worker_post(x->loop), work, done, l) != RC_OK)
        http_reply_retry(x, 503, 1, STR("too busy to look"));
}

/* ---- alive ---- */

static void handle_alive(http_exchange_t *x)
{
    http_reply_json(x, 200, STR("{\"status\":\"ok\"}"));
}

/* ---- metrics ---- */

static void put_count(buf_t *b, const char *metric, const char *help, uint64_t n)
{
    buf_fmt(b, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", metric, help, metric, metric,
            (unsigned long long)n);
}

static void put_audit(const ops_t *o, buf_t *b)
{
    audit_counts_t counts = audit_counts(o->config.audit);
    put_count(b, "warder_audit_events_total", "Events written to the audit trail", counts.events);
    put_count(b, "warder_audit_failures_total", "Events that could not be written",
              counts.failures);
    put_count(b, "warder_audit_checkpoints_total", "Checkpoints written to the audit trail",
              counts.checkpoints);
}

static void put_gauge(buf_t *b, const char *metric, const char *help, uint64_t n)
{
    buf_fmt(b, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", metric, help, metric, metric,
            (unsigned long long)n);
}

/* The same names whatever the driver, so that what watches need not know it. */
static void put_store(const ops_t *o, buf_t *b)
{
    store_health_t h;
    store_health(o->config.store, &h);
    put_gauge(b, "warder_store_up", "1: the store can be reached", h.up);
    put_gauge(b, "warder_store_connections", "Connections to the store's server", h.connections);
    put_gauge(b, "warder_store_connections_wanted", "Connections that there are to be",
              h.connections_wanted);
    put_gauge(b, "warder_store_waiting", "Calls that the store has not answered yet", h.waiting);
    put_count(b, "warder_store_reconnects_total", "Connections made anew for lost ones",
              h.reconnects);
    put_count(b, "warder_store_retries_total", "Calls that were sent again", h.retries);
    put_count(b, "warder_store_unsure_total", "Writes that nobody knows of whether they came about",
              h.unsure);
    put_count(b, "warder_store_timeouts_total", "Calls whose time was over", h.timeouts);
}

static void handle_metrics(http_exchange_t *x)
{
    const ops_t *o = x->app;
    str_t body;
    buf_t b = buf_new(x->arena, METRICS_BYTES);
    counters_write(o->config.counters, &b);
    if (o->config.audit)
        put_audit(o, &b);
    if (o->config.store)
        put_store(o, &b);
    if (o->config.metrics)
        o->config.metrics(o->config.metrics_ctx, &b);
    if (buf_done(&b, &body) != RC_OK)
        http_reply_error(x, 500, STR("out of memory"));
    else
        http_reply(
            x, 200,
            HTTP_HEADERS({STR("Content-Type"), STR("text/plain; version=0.0.4; charset=utf-8")}),
            body);
}

/* ---- life ---- */

static const http_route_t ROUTES[] = {
    {STR_INIT("/readyz"), HTTP_M(GET), handle_ready,
     .flags = HTTP_ROUTE_NO_STORE | HTTP_ROUTE_ALWAYS},
};
static const http_route_t OWN_ROUTES[] = {
    {STR_INIT("/readyz"), HTTP_M(GET), handle_ready,
     .flags = HTTP_ROUTE_NO_STORE | HTTP_ROUTE_ALWAYS},
    {STR_INIT("/healthz"), HTTP_M(GET), handle_alive,
     .flags = HTTP_ROUTE_NO_STORE | HTTP_ROUTE_ALWAYS},
    {STR_INIT("/metrics"), HTTP_M(GET), handle_metrics,
     .flags = HTTP_ROUTE_NO_STORE | HTTP_ROUTE_ALWAYS},
};
static const http_routes_t ALL = {ROUTES, sizeof ROUTES / sizeof ROUTES[0]};

ops_t *ops_new(const ops_config_t *config)
{
    ops_t *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->config = *config;
    o->app = (http_app_t){.routes = ALL, .ctx = o};
    o->own_app =
        (http_app_t){.routes = {OWN_ROUTES, sizeof OWN_ROUTES / sizeof OWN_ROUTES[0]}, .ctx = o};
    pthread_mutex_init(&o->lock, NULL);
    return o;
}

void ops_free(ops_t *o)
{
    if (!o)
        return;
    pthread_mutex_destroy(&o->lock);
    free(o);
}

const http_app_t *ops_app(const ops_t *o)
{
    return &o->app;
}

const http_app_t *ops_own_app(const ops_t *o)
{
    return &o->own_app;
}

const http_routes_t *ops_routes(void)
{
    return &ALL;
}
