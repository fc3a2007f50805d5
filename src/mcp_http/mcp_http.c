#include "mcp_http/request.h"

#include "core/limits.h"

#include <stdlib.h>

enum { TICK_MS = 1000 };

/* The document at the root and at the path-inserted place (RFC 9728 section 3.1), with and without
 * a slash at the end, as clients build it. */
static void handle_metadata(http_exchange_t *x)
{
    const mcp_http_t *h = x->app;
    str_t path = str_trim(h->config.path, "/"), rest = str_trim(x->rest, "/");
    if (!h->identity.metadata.p || (rest.n > 0 && !str_eq(rest, path))) {
        http_reply_error(x, 404, STR("No resource has that path."));
        return;
    }
    http_reply(x, 200,
               HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                            {STR("Cache-Control"), STR("public, max-age=300")}),
               h->identity.metadata);
}

/* For load balancers: whether to send more. */
static void handle_health(http_exchange_t *x)
{
    const mcp_worker_t *w = x->worker;
    if (w->draining)
        http_reply_retry(x, 503, 0, STR("The server is going away."));
    else
        http_reply_json(x, 200, STR("{\"status\":\"ok\"}"));
}

static void make_routes(mcp_http_t *h)
{
    h->routes[0] = (http_route_t){
        .path = h->config.path,
        .methods = HTTP_M(GET) | HTTP_M(POST) | HTTP_M(DELETE),
        .handler = mcp_http_request_handle,
        .body_limit = MCP_MESSAGE_BYTES,
        .bodies = HTTP_BODY_JSON,
        .cors = HTTP_CORS_PUBLIC,
        /* The type of a body is judged after the token (401 before 4xx). */
        .flags = HTTP_ROUTE_NO_STORE | HTTP_ROUTE_ANY_TYPE | HTTP_ROUTE_NO_HEAD,
    };
    h->routes[1] = (http_route_t){
        .path = STR("/.well-known/oauth-protected-resource"),
        .methods = HTTP_M(GET),
        .handler = handle_metadata,
        .cors = HTTP_CORS_PUBLIC,
        .flags = HTTP_ROUTE_PREFIX,
    };
    h->routes[2] = (http_route_t){
        .path = STR("/healthz"),
        .methods = HTTP_M(GET),
        .handler = handle_health,
        .flags = HTTP_ROUTE_NO_STORE,
    };
    h->app =
        (http_app_t){.routes = {h->routes, MCP_ROUTES}, .ctx = h, .admit = mcp_http_request_admit};
}

mcp_http_t *mcp_http_new(warder_mcp_t *mcp, const mcp_http_config_t *config)
{
    mcp_http_t *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->mcp = mcp;
    h->config = *config;
    mcp_sessions_config_t s = {
        .max = config->max_sessions ? config->max_sessions : LIMIT_MCP_SESSIONS,
        .idle_ms = config->idle_ms ? config->idle_ms : LIMIT_MCP_SESSION_IDLE_MS,
        .clock = config->clock,
        .random = config->random,
    };
    h->sessions = mcp_sessions_new(&s);
    make_routes(h);
    if (h->sessions)
        return h;
    mcp_http_free(h);
    return NULL;
}

void mcp_http_protect(mcp_http_t *h, const mcp_identity_t *identity, mcp_access_port_t access,
                      mcp_audit_port_t audit)
{
    mcp_world_ports_t world = {
        .scopes = {access.covers, access.ctx},
        .audit = audit,
        .resource = identity->resource,
        .clock = h->config.clock,
        .random = h->config.random,
        .log = h->config.log,
    };
    h->identity = *identity;
    h->access = access;
    h->audit = audit;
    mcp_server_wire(h->mcp, &world);
}

const http_app_t *mcp_http_app(const mcp_http_t *h)
{
    return &h->app;
}

rc_t mcp_http_worker_init(void *app, http_worker_t *loop, void **worker)
{
    mcp_worker_t *w = calloc(1, sizeof *w);
    if (!w)
        return RC_MEMORY;
    w->h = app;
    w->loop = loop;
    if (loop) {
        w->back = http_worker_post(loop);
        w->timer = http_timer_start(loop, TICK_MS, TICK_MS, mcp_streams_tick, w);
    }
    if (loop && !w->timer) {
        free(w);
        return RC_MEMORY;
    }
    *worker = w;
    return RC_OK;
}

void mcp_http_worker_drain(void *app, void *worker)
{
    (void)app;
    mcp_streams_drain(worker);
}

void mcp_http_worker_exit(void *app, void *worker)
{
    (void)app;
    free(worker);
}

void mcp_http_free(mcp_http_t *h)
{
    if (!h)
        return;
    mcp_sessions_free(h->sessions);
    free(h);
}
