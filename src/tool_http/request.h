/* One request on the MCP endpoint, from its head to its audited answer. Private to the room. */
#ifndef TOOL_HTTP_REQUEST_H
#define TOOL_HTTP_REQUEST_H

#include "mcp/plan.h"
#include "tool_http/calls.h"
#include "tool_http/mcp_http.h"
#include "tool_http/session.h"

struct mcp_http {
    mcp_http_config_t config;
    mcp_identity_t identity;
    mcp_access_port_t access;
    mcp_audit_port_t audit;
    sessions_t *sessions;
    calls_t *calls;
    const mcp_tool_t **tools; /* the tools of the config, for mcp_plan */
    http_route_t routes[2];
    http_app_t app;
};

/** What one worker has open. */
typedef struct mcp_stream mcp_stream_t;
typedef struct {
    mcp_http_t *m;
    http_worker_t *loop;
    mcp_stream_t *streams;
    bool draining;
} mcp_worker_t;

/** Lives in the exchange's arena. */
typedef struct mcp_request {
    http_exchange_t *x;
    mcp_http_t *m;
    mcp_access_t who;
    mcp_message_t message;
    mcp_plan_t plan;
    str_t session; /* the header; unset when absent */
    int64_t began_ms;
    mcp_call_t call;
    audit_event_t event; /* borrowed by the audit until it is durable */
    /* the answer that waits for the audit */
    struct {
        int status;
        str_t body;
        str_t challenge; /* unset: none */
        int retry_s;     /* of a 429 or 503; 0: RETRY_SECONDS of answer.c */
    } answer;
} mcp_request_t;

/** The handler of every method on the endpoint. */
void mcp_request_handle(http_exchange_t *x);
/** Reads Mcp-Session-Id into r->session and checks it and MCP-Protocol-Version. */
mcp_error_t mcp_check_headers(mcp_request_t *r);
/** Goes on after the verdict, by method. */
void mcp_post(mcp_request_t *r);
void mcp_stream_get(mcp_request_t *r);
void mcp_stream_drain(mcp_worker_t *w);
/** The tool of a planned call; runs it once its scope is granted. */
void mcp_call_run(mcp_request_t *r);

/* Answers. Each ends the request. */
/** An error, written to the audit as a refusal before it goes out. */
void mcp_refuse(mcp_request_t *r, mcp_error_t e);
/** Refused credentials or scope: OAuth's own answer (RFC 6750 section 3). */
void mcp_refuse_access(mcp_request_t *r, int status, str_t challenge, str_t error, str_t reason);
/** A good answer that is no event: body is JSON, or unset for `status` without a body. */
void mcp_answer(mcp_request_t *r, int status, str_t body);
/** Sends r->answer once r->event is durable. */
void mcp_answer_audited(mcp_request_t *r);
/** The blank event of this request with who and where filled in. */
void mcp_event_begin(mcp_request_t *r, audit_kind_t kind, bool allowed, str_t reason);
principal_t mcp_principal(const mcp_request_t *r);

#endif
