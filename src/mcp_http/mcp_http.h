/* A server of MCP over Streamable HTTP (2025-11-25, Transports; 2026-07-28, Streamable HTTP), both
 * eras on one endpoint. Give it the server, say who it is and who protects it, and serve its
 * application.
 *
 *     mcp_http_t *h = mcp_http_new(mcp, &config);
 *     mcp_http_protect(h, &identity, access, audit);
 *     ... mcp_server_start(mcp); serve mcp_http_app(h) with the three hooks of workers ...
 *     http_server_stop(s); mcp_server_settle(mcp, ms); mcp_server_stop(mcp); http_server_join(s);
 *
 * The end, in that order: the first begins to drain, so that nothing new comes in; the second lets
 * calls end by themselves; the third cancels the others and ends subscriptions with their
 * completion; the last waits for what is on its way out. */
#ifndef MCP_HTTP_MCP_HTTP_H
#define MCP_HTTP_MCP_HTTP_H

#include "http/app.h"
#include "http/server.h"
#include "mcp_http/ports.h"
#include "mcp_server/server.h"

typedef struct mcp_http mcp_http_t;

typedef struct {
    str_t path;          /* of the endpoint, e.g. "/mcp"; "/" for a resource without a path */
    str_list_t origins;  /* of browser pages that may call, beside loopback ones */
    str_list_t hosts;    /* names in Host, beside loopback ones and the resource's own */
    size_t max_sessions; /* 0: LIMIT_MCP_SESSIONS */
    int64_t idle_ms;     /* of a session; 0: LIMIT_MCP_SESSION_IDLE_MS */
    clock_port_t clock;
    random_port_t random;
    const log_t *log;
} mcp_http_config_t;

/** What the server is to the outside; borrowed. */
typedef struct {
    str_t resource; /* its identifier, for the trail */
    str_t host;     /* the host of it, for the Host check; unset: only those of the config */
    str_t metadata; /* the protected resource metadata document (RFC 9728), JSON; unset: there is
                       none, nothing is protected */
} mcp_identity_t;

/** A transport for `mcp`; the config is copied, what it points at and `mcp` are borrowed. NULL
 *  without memory or randomness. */
mcp_http_t *mcp_http_new(warder_mcp_t *mcp, const mcp_http_config_t *config);
/** Tells it who it is and who protects it, and wires the server (mcp_server_wire). Once, before
 *  http_server_start. A zero `access` lets everybody use everything; a zero `audit` writes nothing.
 */
void mcp_http_protect(mcp_http_t *h, const mcp_identity_t *identity, mcp_access_port_t access,
                      mcp_audit_port_t audit);
/** The application to serve: the endpoint, /.well-known/oauth-protected-resource where there is a
 *  document, and /healthz. */
const http_app_t *mcp_http_app(const mcp_http_t *h);
/** For http_server_config_t or a mount: worker_init, worker_drain and worker_exit. */
rc_t mcp_http_worker_init(void *app, http_worker_t *loop, void **worker);
void mcp_http_worker_drain(void *app, void *worker);
void mcp_http_worker_exit(void *app, void *worker);
/** After the server has been joined and mcp_server_stop. NULL is fine. */
void mcp_http_free(mcp_http_t *h);

#endif
