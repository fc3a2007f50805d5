#include "proxy/upstream_child.h"

#include <stdlib.h>

#include "core/limits.h"
#include "proxy/child_keeper.h"
#include "proxy/child_thread.h"

enum {
    CALL_BYTES = 16 << 10,
    SETTINGS_BYTES = 1 << 20,
    MAX_CHILDREN = 16,
    MESSAGE_BYTES = 4 << 20,
    START_S = 30,
    STARTS_PER_MINUTE = 120,
};

/* A worker sets its own place, and reads no other. */
static child_desk_t *desk_of(child_keeper_t *k, http_worker_t *loop)
{
    unsigned i = http_worker_index(loop);
    if (i >= CHILD_DESKS_MAX)
        return NULL;
    if (!k->desks[i])
        k->desks[i] = child_desk_new(&k->inbox, http_worker_post(loop));
    return k->desks[i];
}

static rc_t read_request(upstream_call_t *call, const upstream_request_t *request)
{
    call->arena = arena_new(request->body.n * 2 + CALL_BYTES);
    return call->arena ? child_ask_read(call->arena, request, &call->ask) : RC_MEMORY;
}

static rc_t start(void *ctx, http_worker_t *loop, const upstream_request_t *request,
                  http_outbound_events_t events, upstream_call_t **out)
{
    child_desk_t *desk = desk_of(ctx, loop);
    upstream_call_t *call = desk ? calloc(1, sizeof *call) : NULL;
    if (!call)
        return RC_MEMORY;
    atomic_init(&call->refs, 1);
    call->desk = desk;
    call->out = events;
    rc_t rc = read_request(call, request);
    if (rc != RC_OK) {
        child_call_unref(call);
        return rc;
    }
    *out = call;
    child_call_send(call);
    return RC_OK;
}

static void pause_call(void *ctx, upstream_call_t *call)
{
    child_call_pause(call);
}

static void resume_call(void *ctx, upstream_call_t *call)
{
    child_call_resume(call);
}

static void cancel_call(void *ctx, upstream_call_t *call)
{
    child_call_cancel(call);
}

static bool is_ready(void *ctx)
{
    child_keeper_t *k = ctx;
    return atomic_load(&k->ready);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

/* A worker that ends takes no posts any more: so it is known whether the server stops or only has
 * other settings. */
static void worker_exit(void *ctx, http_worker_t *loop)
{
    child_keeper_t *k = ctx;
    post_port_t port = http_worker_post(loop);
    atomic_store(&k->running, port.post(port.ctx, do_nothing, NULL) != RC_IO);
}

/* The settings may be replaced while the children of the old ones still run. */
static rc_t copy_list(arena_t *a, str_list_t from, str_list_t *out)
{
    str_t *v = ARENA_ARRAY(a, from.n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < from.n; i++) {
        v[i] = arena_dup(a, from.v[i]);
        if (!v[i].p)
            return RC_MEMORY;
    }
    *out = (str_list_t){v, from.n};
    return RC_OK;
}

static void set_default(int64_t *value, int64_t otherwise)
{
    if (*value <= 0)
        *value = otherwise;
}

/* For who makes a child without the settings file. */
static void set_defaults(conf_child_t *c)
{
    set_default(&c->max_children, MAX_CHILDREN);
    set_default(&c->message_bytes, MESSAGE_BYTES);
    set_default(&c->start_s, START_S);
    set_default(&c->starts_per_minute, STARTS_PER_MINUTE);
}

static str_t directory_of(const upstream_child_config_t *config)
{
    str_t own = config->upstream->child.directory;
    return str_is_set(own) && own.n ? own : config->directory;
}

static rc_t copy_settings(child_keeper_t *k, const upstream_child_config_t *config)
{
    const conf_upstream_t *u = config->upstream;
    arena_t *a = k->settings;
    k->config = *config;
    k->config.upstream = NULL;
    k->conf = u->child;
    set_defaults(&k->conf);
    atomic_init(&k->refs, 1);
    TRY(copy_list(a, u->child.command, &k->conf.command));
    TRY(copy_list(a, u->child.environment, &k->conf.environment));
    k->directory = arena_dup(a, directory_of(config));
    k->path = arena_dup(a, u->path);
    return k->directory.p && k->path.p ? RC_OK : RC_MEMORY;
}

static rc_t make_tables(child_keeper_t *k)
{
    uint32_t starts = (uint32_t)k->conf.starts_per_minute;
    const http_rate_rule_t all = {starts, CHILD_MINUTE_MS / starts};
    const http_rate_rule_t each = {starts / 2, CHILD_MINUTE_MS / (starts / 2)};
    uint8_t seed[16];
    TRY(k->config.random.fill(k->config.random.ctx, seed, sizeof seed));
    k->starts = http_rate_new(seed, 1, all);
    k->starts_of = http_rate_new(seed, 1024, each);
    k->sessions = map_new(seed, LIMIT_MCP_SESSIONS);
    k->scratch = arena_new(CHILD_SCRATCH_BYTES + 4 * (size_t)k->conf.message_bytes);
    return k->starts && k->starts_of && k->sessions && k->scratch ? RC_OK : RC_MEMORY;
}

void child_keeper_free(child_keeper_t *k)
{
    for (size_t i = 0; i < CHILD_DESKS_MAX; i++)
        child_desk_free(k->desks[i]);
    http_rate_free(k->starts);
    http_rate_free(k->starts_of);
    map_free(k->sessions, NULL);
    arena_free(k->scratch);
    arena_free(k->settings);
    free(k->supported);
    pthread_mutex_destroy(&k->quiet_lock);
    pthread_cond_destroy(&k->changed);
    free(k);
}

static void free_port(void *ctx)
{
    child_keeper_t *k = ctx;
    if (atomic_fetch_sub(&k->refs, 1) == 1)
        child_thread_stop(k);
}

static rc_t make(child_keeper_t *k, const upstream_child_config_t *config)
{
    k->settings = arena_new(SETTINGS_BYTES);
    if (!k->settings)
        return RC_MEMORY;
    TRY(copy_settings(k, config));
    TRY(make_tables(k));
    return child_thread_start(k);
}

rc_t upstream_child_new(const upstream_child_config_t *config, upstream_port_t *port,
                        upstream_hooks_t *hooks, str_t *why)
{
    *why = STR("There is no memory to keep a child.");
    child_keeper_t *k = calloc(1, sizeof *k);
    if (!k)
        return RC_MEMORY;
    pthread_mutex_init(&k->quiet_lock, NULL);
    pthread_cond_init(&k->changed, NULL);
    rc_t rc = make(k, config);
    if (rc != RC_OK) {
        child_keeper_free(k);
        return rc;
    }
    *hooks = (upstream_hooks_t){NULL, worker_exit};
    *port = (upstream_port_t){start, pause_call, resume_call, cancel_call, is_ready, free_port, k};
    *why = STR_UNSET;
    return RC_OK;
}

/* ---- settings that leave it as it is ---- */

static bool is_same_list(str_list_t one, str_list_t other)
{
    if (one.n != other.n)
        return false;
    for (size_t i = 0; i < one.n; i++)
        if (!str_eq(one.v[i], other.v[i]))
            return false;
    return true;
}

/* All members that a child, or its keeper, is told of. */
static bool is_same_child(const conf_child_t *one, const conf_child_t *other)
{
    return one->shared == other->shared && one->max_children == other->max_children &&
           one->memory_mb == other->memory_mb && one->idle_s == other->idle_s &&
           one->message_bytes == other->message_bytes && one->start_s == other->start_s &&
           one->starts_per_minute == other->starts_per_minute &&
           is_same_list(one->command, other->command) &&
           is_same_list(one->environment, other->environment);
}

bool upstream_child_take_on(const upstream_port_t *port, const upstream_child_config_t *config)
{
    child_keeper_t *k = port->ctx;
    conf_child_t child = config->upstream->child;
    set_defaults(&child);
    if (!str_eq(k->path, config->upstream->path) || !str_eq(k->directory, directory_of(config)) ||
        !is_same_child(&k->conf, &child))
        return false;
    atomic_fetch_add(&k->refs, 1);
    return true;
}
