/* A server of MCP tools over Streamable HTTP (MCP 2025-11-25, Transports), protected as an OAuth
 * resource. Describe the tools, give it the two ports, and serve its application. */
#ifndef TOOL_HTTP_MCP_HTTP_H
#define TOOL_HTTP_MCP_HTTP_H

#include "core/json.h"
#include "core/log.h"
#include "core/ports.h"
#include "http/app.h"
#include "http/server.h"
#include "mcp/tool.h"
#include "tool_http/ports.h"

typedef struct mcp_http mcp_http_t;

/** One call of a tool. Everything lives until it is finished. */
typedef struct {
    const json_t *arguments; /* an object, or NULL when absent */
    str_t subject, client;   /* of the verified token */
    http_exchange_t *x;      /* its arena holds the answer; its loop takes completions */
} mcp_call_t;

/** A tool and the function behind it. `run` must finish the call exactly once, at once or later on
 *  the same worker. */
typedef struct {
    mcp_tool_t tool;
    void (*run)(void *ctx, mcp_call_t *call);
    void *ctx;
} mcp_http_tool_t;

/** Finishes a call with its result; `r` is copied, its slices must live in the exchange's arena or
 *  be static. Arguments that do not fit are a result with is_error (2025-11-25, "Error handling").
 */
void mcp_call_done(mcp_call_t *call, const mcp_tool_result_t *r);
/** Finishes a call that the machine failed: 503 for RC_BUSY, else 500. */
void mcp_call_failed(mcp_call_t *call, rc_t rc);

typedef struct {
    mcp_server_info_t info;
    const mcp_http_tool_t *tools; /* borrowed */
    size_t tool_count;
    str_t path;                /* of the endpoint, e.g. "/mcp"; "/" for a resource without a path */
    str_list_t origins;        /* of browser pages that may call, beside loopback ones */
    str_list_t hosts;          /* names in Host, beside loopback ones and the resource's own */
    uint32_t calls_per_minute; /* of tools, by one principal; 0: LIMIT_MCP_CALLS_PER_MINUTE */
    size_t max_sessions;       /* 0: LIMIT_MCP_SESSIONS */
    int64_t idle_ms;           /* of a session; 0: LIMIT_MCP_SESSION_IDLE_MS */
    clock_port_t clock;
    random_port_t random;
    const log_t *log;
} mcp_http_config_t;

/** A server; the config is copied, what it points at is borrowed. NULL without memory. */
mcp_http_t *mcp_http_new(const mcp_http_config_t *config);
/** What the server is to the outside; borrowed. */
typedef struct {
    str_t resource; /* its identifier, for the audit */
    str_t host;     /* the host of it, for the Host check */
    str_t metadata; /* the protected resource metadata document (RFC 9728), JSON */
} mcp_identity_t;

/** Tells it who it is and who protects it, before http_server_start. */
void mcp_http_protect(mcp_http_t *m, const mcp_identity_t *identity, mcp_access_port_t access,
                      mcp_audit_port_t audit);
/** The application to serve: routes, and hooks for the config of the server. */
const http_app_t *mcp_http_app(const mcp_http_t *m);
/** For http_server_config_t: worker_init, worker_drain and worker_exit of this application. */
rc_t mcp_http_worker_init(void *app, http_worker_t *loop, void **worker);
void mcp_http_worker_drain(void *app, void *worker);
void mcp_http_worker_exit(void *app, void *worker);
/** After the server has been joined. */
void mcp_http_free(mcp_http_t *m);

#endif
