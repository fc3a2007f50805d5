#include "tool_http/request.h"

#include "core/limits.h"

#include <stdlib.h>

/* The document at the root and at the path-inserted place (RFC 9728 section 3.1), with and without
 * a slash at the end, as clients build it. */
static void handle_metadata(http_exchange_t *x)
{
    const mcp_http_t *m = x->app;
    str_t path = str_trim(m->config.path, "/"), rest = str_trim(x->rest, "/");
    if (rest.n > 0 && !str_eq(rest, path)) {
        http_reply_error(x, 404, STR("No resource has that path."));
        return;
    }
    http_reply(x, 200,
               HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                            {STR("Cache-Control"), STR("public, max-age=300")}),
               m->identity.metadata);
}

static const mcp_tool_t **tool_table(const mcp_http_config_t *c)
{
    const mcp_tool_t **t = calloc(c->tool_count + 1, sizeof *t);
    for (size_t i = 0; t && i < c->tool_count; i++)
        t[i] = &c->tools[i].tool;
    return t;
}

static void make_routes(mcp_http_t *m)
{
    http_route_t endpoint = {
        .path = m->config.path,
        .methods = HTTP_M(GET) | HTTP_M(POST) | HTTP_M(DELETE),
        .handler = mcp_request_handle,
        .body_limit = MCP_MESSAGE_BYTES,
        .bodies = HTTP_BODY_JSON,
        .cors = HTTP_CORS_PUBLIC,
        /* The type of a body is judged after the token (401 before 4xx). */
        .flags = HTTP_ROUTE_NO_STORE | HTTP_ROUTE_ANY_TYPE,
    };
    http_route_t metadata = {
        .path = STR("/.well-known/oauth-protected-resource"),
        .methods = HTTP_M(GET),
        .handler = handle_metadata,
        .cors = HTTP_CORS_PUBLIC,
        .flags = HTTP_ROUTE_PREFIX,
    };
    m->routes[0] = endpoint;
    m->routes[1] = metadata;
    m->app = (http_app_t){.routes = {m->routes, 2}, .ctx = m};
}

mcp_http_t *mcp_http_new(const mcp_http_config_t *config)
{
    mcp_http_t *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->config = *config;
    sessions_config_t s = {
        .max = config->max_sessions ? config->max_sessions : LIMIT_MCP_SESSIONS,
        .idle_ms = config->idle_ms ? config->idle_ms : LIMIT_MCP_SESSION_IDLE_MS,
        .clock = config->clock,
        .random = config->random,
    };
    uint32_t calls =
        config->calls_per_minute ? config->calls_per_minute : LIMIT_MCP_CALLS_PER_MINUTE;
    m->sessions = sessions_new(&s);
    m->calls = calls_new(calls, config->clock, config->random);
    m->tools = tool_table(config);
    make_routes(m);
    if (m->sessions && m->calls && m->tools)
        return m;
    mcp_http_free(m);
    return NULL;
}

void mcp_http_protect(mcp_http_t *m, const mcp_identity_t *identity, mcp_access_port_t access,
                      mcp_audit_port_t audit)
{
    m->identity = *identity;
    m->access = access;
    m->audit = audit;
}

const http_app_t *mcp_http_app(const mcp_http_t *m)
{
    return &m->app;
}

rc_t mcp_http_worker_init(void *app, http_worker_t *loop, void **worker)
{
    mcp_worker_t *w = calloc(1, sizeof *w);
    if (!w)
        return RC_MEMORY;
    w->m = app;
    w->loop = loop;
    *worker = w;
    return RC_OK;
}

void mcp_http_worker_drain(void *app, void *worker)
{
    (void)app;
    mcp_stream_drain(worker);
}

void mcp_http_worker_exit(void *app, void *worker)
{
    (void)app;
    free(worker);
}

void mcp_http_free(mcp_http_t *m)
{
    if (!m)
        return;
    sessions_free(m->sessions);
    calls_free(m->calls);
    free(m->tools);
    free(m);
}
