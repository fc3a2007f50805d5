#include "core/limits.h"
#include "mcp_server/config.h"
#include "mcp_server/rates.h"
#include "mcp_server/server_state.h"
#include "mcp_server/shares.h"
#include "mcp_server/tables.h"

#include <stdio.h>
#include <stdlib.h>

enum { SERVER_BYTES = 16 << 20 };

void mcp_say_why(char *why, size_t size, str_t sentence)
{
    if (why && size > 0)
        snprintf(why, size, "%" PRIstr, STR_ARG(sentence));
}

/* ---- made and unmade ---- */

static rc_t write_info(warder_mcp_t *m, str_t *why)
{
    TRY(mcp_config_info(m->arena, &m->config, false, &m->info));
    rc_t rc = mcp_config_info(m->arena, &m->config, true, &m->info_whole);
    if (rc == RC_CONFIG)
        *why = STR("The config's icons are no JSON list of objects with src: correct them.");
    return rc;
}

static rc_t fill(warder_mcp_t *m, arena_t *work, str_t *why)
{
    TRY(mcp_tables_copy_config(m->arena, &m->config));
    TRY(mcp_config_complete(&m->config, why));
    TRY(write_info(m, why));
    m->registry = mcp_registry_new(work, &m->config, why);
    if (!m->registry)
        return RC_CONFIG;
    m->scopes = arena_dup(m->arena, mcp_registry_scopes(m->registry));
    m->listeners = mcp_listeners_new();
    return m->scopes.p && m->listeners ? RC_OK : RC_MEMORY;
}

static warder_mcp_t *server_alloc(const warder_mcp_config_t *config)
{
    warder_mcp_t *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->arena = arena_new(SERVER_BYTES);
    if (!m->arena) {
        free(m);
        return NULL;
    }
    m->config = *config;
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->changing, NULL);
    return m;
}

warder_mcp_t *warder_mcp_new(const warder_mcp_config_t *config, char *why, size_t why_size)
{
    str_t said = STR_UNSET;
    arena_t *work = arena_new(MCP_WHY_BYTES);
    warder_mcp_t *m = work ? server_alloc(config) : NULL;
    rc_t rc = m ? fill(m, work, &said) : RC_MEMORY;
    if (rc != RC_OK) {
        mcp_say_why(why, why_size, said.p ? said : STR("There is not enough memory: make room."));
        warder_mcp_free(m);
        m = NULL;
    }
    arena_free(work);
    return m;
}

/* What a start makes. */
static void free_parts(warder_mcp_t *m)
{
    http_pool_free(m->pool);
    mcp_calls_free(m->rates);
    mcp_calls_free(m->request_rates);
    mcp_tasks_free(m->tasks);
    m->pool = NULL;
    m->rates = m->request_rates = NULL;
    m->tasks = NULL;
}

void warder_mcp_free(warder_mcp_t *m)
{
    if (!m)
        return;
    free_parts(m);
    mcp_listeners_free(m->listeners);
    mcp_shares_free(m->shares);
    mcp_registry_drop(m->registry);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->changing);
    arena_free(m->arena);
    free(m);
}

/* ---- started and stopped ---- */

void mcp_server_wire(warder_mcp_t *m, const mcp_world_ports_t *ports)
{
    m->world = *ports;
}

const mcp_world_ports_t *mcp_server_world(const warder_mcp_t *m)
{
    return &m->world;
}

static rc_t make_seal(warder_mcp_t *m)
{
    const random_port_t *r = &m->world.random;
    if (!m->config.state_secret)
        return r->fill(r->ctx, m->seal, sizeof m->seal);
    hmac_sha256(STR("warder mcp state"), str_c(m->config.state_secret), m->seal);
    return RC_OK;
}

rc_t mcp_server_start(warder_mcp_t *m)
{
    const warder_mcp_config_t *c = &m->config;
    mcp_tasks_config_t tasks = {.kept_ms = (int64_t)c->task_kept_s * 1000,
                                .clock = m->world.clock,
                                .random = m->world.random,
                                .listeners = m->listeners};
    TRY(make_seal(m));
    free_parts(m);
    m->stopping = false;
    /* What a call of an earlier start still takes is given back to the same. */
    if (!m->shares)
        m->shares = mcp_shares_new(m->world.random);
    m->rates = mcp_calls_new(c->calls_per_minute, m->world.clock, m->world.random);
    m->request_rates =
        mcp_calls_new(c->calls_per_minute * MCP_REQUESTS_A_CALL, m->world.clock, m->world.random);
    m->tasks = mcp_tasks_new(&tasks);
    m->pool = http_pool_new(c->threads, c->waiting);
    if (m->shares && m->rates && m->request_rates && m->tasks && m->pool)
        return RC_OK;
    free_parts(m);
    return RC_MEMORY;
}

void mcp_server_tick(warder_mcp_t *m)
{
    mcp_calls_expire(m);
    mcp_tasks_sweep(m->tasks);
}

static void refuse_from_now_on(warder_mcp_t *m)
{
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    pthread_mutex_unlock(&m->lock);
}

void mcp_server_stop(warder_mcp_t *m)
{
    warder_mcp_call_t *call;
    refuse_from_now_on(m);
    while ((call = mcp_listeners_take(m->listeners)) != NULL) {
        mcp_listen_end(call);
        mcp_call_drop(call);
    }
    if (!mcp_calls_stop(m))
        LOG(m->world.log, LOG_WARN, "a call was put off, and nobody has finished it");
    /* What the rest of a call needs, which waits for the trail, stays until the end. */
    http_pool_free(m->pool);
    m->pool = NULL;
}
