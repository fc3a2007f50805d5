/* One request on the MCP endpoint, from its head to its answer or its stream. Private to the room.
 */
#ifndef MCP_HTTP_REQUEST_H
#define MCP_HTTP_REQUEST_H

#include "mcp_http/event.h"
#include "mcp_http/mcp_http.h"
#include "mcp_http/rules.h"

enum {
    MCP_ROUTES = 3,
    MCP_STRANGER_BYTES = 64 << 10, /* of a body that is read before its token is judged */
};

struct mcp_http {
    warder_mcp_t *mcp;
    mcp_http_config_t config;
    mcp_identity_t identity;
    mcp_access_port_t access;
    mcp_audit_port_t audit;
    mcp_sessions_t *sessions;
    http_route_t routes[MCP_ROUTES];
    http_app_t app;
};

/** What one worker has open. */
typedef struct mcp_stream mcp_stream_t;
typedef struct {
    mcp_http_t *h;
    http_worker_t *loop; /* NULL under http/direct.h */
    post_port_t back;    /* of the loop; who runs without one sets their own */
    http_timer_t *timer;
    mcp_stream_t *streams;
    bool draining;
    int64_t drain_ms; /* when that began */
} mcp_worker_t;

/** Lives in the exchange's arena. */
typedef struct {
    http_exchange_t *x;
    mcp_http_t *h;
    mcp_worker_t *worker;
    int64_t began_us;
    mcp_access_t who;
    mcp_caller_t caller;
    mcp_principal_t principal;
    bool early, here, decided; /* the head is here alone; the body, too; the token was judged */
    bool takes_stream;
    /* of a POST */
    warder_mcp_call_t *call; /* dropped with the exchange's arena, as the session */
    mcp_operation_t operation;
    mcp_session_t *session; /* NULL: none */
    mcp_outbox_t *outbox;   /* held; NULL: none */
    /* the answer that waits for the trail */
    audit_event_t event;
    struct {
        int status;
        str_t body;                      /* unset: none */
        str_t challenge, session, allow; /* fields; unset: left out */
        int retry_after_s;               /* with 429 and 503 */
    } answer;
} mcp_request_t;

/** Judges the token of a large body before that is read; true: go on. */
bool mcp_http_request_admit(http_exchange_t *x);
/** The handler of every method on the endpoint. */
void mcp_http_request_handle(http_exchange_t *x);
/** Goes on after the verdict, by method. */
void mcp_http_post(mcp_request_t *r);
void mcp_http_bare(mcp_request_t *r);
/** The session of that id, live and the caller's own, into r->session. */
mcp_error_t mcp_http_request_session(mcp_request_t *r, str_t id);

/* answer.c. Each ends the request. */
/** An error, written to the trail as a refusal before it goes out. */
void mcp_http_refuse(mcp_request_t *r, mcp_error_t e);
/** Refused credentials or scope: OAuth's own answer (RFC 6750 section 3). */
void mcp_http_refuse_access(mcp_request_t *r, str_t error, str_t reason, str_t tool);
/** A scope is missing: 403 and the challenge for it. `tool` for the trail; may be unset. */
void mcp_http_refuse_scope(mcp_request_t *r, str_t needed, str_t tool);
/** What the server said at once; with an error it is written to the trail first. */
void mcp_http_answer_verdict(mcp_request_t *r, const mcp_verdict_t *v);
/** An answer that is no event: body is JSON, or unset. */
void mcp_http_answer(mcp_request_t *r, int status, str_t body);
/** Seconds for Retry-After with 429 and 503, in `a`; else unset. */
str_t mcp_http_retry_after(arena_t *a, int status, int seconds);
/** {"error": error}, in `a`. */
str_t mcp_http_oauth_body(arena_t *a, str_t error);

/* stream.c: exchanges that wait for an outbox. */
/** The answer to a call that runs; takes r->outbox. */
void mcp_stream_of_call(mcp_request_t *r);
/** A GET's; takes the reference. `after` as of mcp_outbox_attach. */
void mcp_stream_of_get(mcp_request_t *r, mcp_outbox_t *o, uint64_t stream, uint64_t after);
/** Once a second. */
void mcp_streams_tick(void *worker);
void mcp_streams_drain(mcp_worker_t *w);

#endif
