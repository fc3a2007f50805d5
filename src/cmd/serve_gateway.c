#include "cmd/serve.h"

#include "as/spend.h"
#include "cmd/upstreams.h"

/* The gateway is made before the server knows its name, and so before there is a `local`. */
static int64_t get_own(void *ctx, str_t url, char *body, size_t cap)
{
    const serve_t *s = ctx;
    return as_local_get(s->local, url, body, cap);
}

static rc_t sign_own(void *ctx, arena_t *a, str_t typ, str_t claims, str_t *jwt)
{
    const serve_t *s = ctx;
    return as_local_sign(s->local, a, typ, claims, jwt);
}

static void spend_for_all(void *ctx, http_worker_t *loop, arena_t *a, const access_proof_t *proof,
                          void (*done)(void *arg, rc_t rc), void *arg)
{
    const serve_t *s = ctx;
    const as_spend_t what = {proof->name, proof->forget_at, done, arg};
    as_worker_t *w = as_worker_of(s->as, loop);
    if (w)
        as_spend(w, a, &what);
    else
        done(arg, RC_IO);
}

/* Nobody waits for a server that is known to be away. */
static bool store_works(void *ctx)
{
    const serve_t *s = ctx;
    store_health_t health;
    store_health(s->store, &health);
    return health.up && as_local_store_answers(s->local);
}

/* Whether every event since the last look could be written. */
static bool audit_works(void *ctx)
{
    serve_t *s = ctx;
    uint64_t failures = audit_counts(s->audit).failures;
    pthread_mutex_lock(&s->audit_lock);
    bool works = failures == s->audit_failures;
    s->audit_failures = failures;
    pthread_mutex_unlock(&s->audit_lock);
    return works;
}

static bool upstreams_work(void *ctx)
{
    const serve_t *s = ctx;
    return gateway_ready(s->gateway);
}

static void put_metrics(void *ctx, buf_t *b)
{
    const serve_t *s = ctx;
    gateway_metrics(s->gateway, b);
}

static ops_t *make_ops(serve_t *s)
{
    const ops_config_t config = {
        .pool = s->pool,
        .clock = clock_system(),
        .counters = s->counters,
        .audit = s->audit,
        .store = s->store,
        .parts = {{"store", store_works, s, false},
                  {"audit", audit_works, s, false},
                  {"upstreams", upstreams_work, s, true}},
        .n_parts = 3,
        .metrics = put_metrics,
        .metrics_ctx = s,
    };
    return ops_new(&config);
}

int serve_make_gateway(serve_t *s)
{
    const prepare_t prepare = serve_prepare(s);
    int code = prepare_keys(&prepare, STR("handles of the gateway"), &s->handle_key);
    if (code != EXIT_DONE)
        return code;
    const bool for_all = str_eq(s->settings.conf.dpop_replay, STR("store"));
    const gateway_config_t config = {
        .spend = {for_all ? spend_for_all : NULL, s},
        .audit = s->audit,
        .pool = s->fetchers,
        .fetch = http_fetch_curl(),
        .local = {get_own, s},
        .sign = sign_own,
        .sign_ctx = s,
        .handle_key = s->handle_key,
        .data = s->settings.conf.data,
        .durable = str_eq(s->settings.conf.audit_calls, STR("durable")),
        .counters = s->counters,
        .log = &s->log,
        .clock = clock_system(),
        .random = random_system(),
        .spawner = s->spawner,
    };
    rc_t rc = gateway_new(&config, &s->gateway);
    s->ops = rc == RC_OK ? make_ops(s) : NULL;
    return s->ops ? EXIT_DONE
                  : command_fail(EXIT_FAILED, "cannot start the gateway: %s", rc_name(rc));
}

rc_t serve_load_gateway(serve_t *s, arena_t *a, const serve_upstreams_t *upstreams, str_t *why)
{
    const gateway_settings_t settings = {.conf = upstreams->conf,
                                         .issuer = s->issuer,
                                         .release = upstreams->release,
                                         .ctx = upstreams->ctx};
    *why = STR("out of memory");
    TRY(gateway_load(s->gateway, a, &settings, why));
    (void)gateway_ready(s->gateway); /* has keys fetched before the first call needs them */
    return RC_OK;
}

rc_t serve_put_resources(serve_t *s, arena_t *a, const conf_t *conf)
{
    size_t n;
    const conf_resource_t *resources;
    prepare_t prepare = serve_prepare(s);
    prepare.a = a;
    TRY(upstreams_resources(a, conf, s->issuer, &resources, &n));
    return prepare_resources(&prepare, resources, n);
}
