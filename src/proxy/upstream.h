/* The port of a protected server: what the relay sends a planned request through. Two drivers: HTTP
 * (upstream_http.c) and a child process (upstream_child.c), which answers as an HTTP server would.
 */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include "gate/principal.h"
#include "http/exchange.h"
#include "http/outbound.h"
#include "mcp/operation.h"

/** One request, checked and decided. Everything lives until the first event or the cancel; who
 * needs more of it copies. */
typedef struct {
    http_method_t method;           /* POST; GET and DELETE in the handshake era only */
    const mcp_operation_t *message; /* of a POST; else NULL */
    const mcp_version_t *version;   /* never NULL */
    str_t body;                     /* of a POST: the bytes that were checked */
    str_t session;                  /* the upstream's own id; unset: none came */
    str_t last_event;               /* likewise, of a GET that resumes; unset */
    http_headers_t headers;         /* all that go on, identity and credential among them */
    const gate_principal_t *who;
} upstream_request_t;

typedef struct upstream_call upstream_call_t;

/** The methods run on a worker's thread; the events come on the same one, never from within a
 *  method. They are those of http/outbound.h: one head, pieces of the body, one end. An answer to a
 *  POST with a request is application/json or text/event-stream, as MCP says. */
typedef struct {
    rc_t (*start)(void *ctx, http_worker_t *loop, const upstream_request_t *request,
                  http_outbound_events_t events, upstream_call_t **out);
    void (*pause)(void *ctx, upstream_call_t *call);
    void (*resume)(void *ctx, upstream_call_t *call);
    /** The client is gone, or the stream has to end. No further event. What that means for the
     *  message is the era's: for the stateless one it is cancelled. */
    void (*cancel)(void *ctx, upstream_call_t *call);
    /** Whether it can answer now, for readiness: connects or looks at the child. */
    bool (*ready)(void *ctx);
    /** After the last worker has ended. */
    void (*free)(void *ctx);
    void *ctx;
} upstream_port_t;

/** A worker begins or ends: drivers keep their connections by worker. A worker whose init failed,
 * or was not called, is ended all the same. */
typedef struct {
    rc_t (*worker_init)(void *ctx, http_worker_t *loop);
    void (*worker_exit)(void *ctx, http_worker_t *loop);
} upstream_hooks_t;

#endif
