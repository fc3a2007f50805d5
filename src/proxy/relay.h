/* One request on its way through the gateway, and what goes on with the upstream for it. Private to
 * the room.
 *
 *   relay_t       the request up to the upstream: a list of steps. Lives in the exchange's arena.
 *   relay_call_t  from there on: the answer, the stream, the end. Has memory of its own, as it may
 *                 outlive the arena (a slim stream) and the exchange (a call whose client is gone).
 */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include "core/limits.h"
#include "http/rate.h"
#include "mcp/list.h"
#include "mcp/outcome.h"
#include "mcp/sse.h"
#include "proxy/gateway.h"
#include "proxy/params.h"
#include "proxy/pins.h"
#include "proxy/relay_limits.h"
#include "proxy/route.h"
#include "proxy/seats.h"
#include "proxy/tolls.h"
#include "proxy/trace.h"
#include "proxy/trail.h"

#include <pthread.h>

typedef enum {
#define REASON(name, reason, status, code, sentence, rule) RELAY_##name,
#include "proxy/reasons.def"
#undef REASON
    RELAY_REASON_COUNT
} relay_reason_t;

/** A refusal as it goes out. Slices are static or live as long as the exchange. */
typedef struct {
    int status;
    int code;        /* JSON-RPC */
    str_t reason;    /* for the audit */
    str_t sentence;  /* for the client */
    str_t challenge; /* WWW-Authenticate; unset: none */
    str_t body;      /* instead of a JSON-RPC error; unset: that */
    str_t data;      /* of the JSON-RPC error, JSON; unset: none */
    uint32_t retry_s;
} relay_refusal_t;

relay_refusal_t relay_refusal(relay_reason_t reason);
relay_refusal_t relay_refusal_mcp(mcp_error_t e);

typedef struct relay_call relay_call_t;
typedef struct relay_view relay_view_t;

/** A snapshot as one worker sees it. */
struct relay_view {
    relay_view_t *next;
    route_set_t *set;
    size_t uses; /* requests and calls */
};

/** Requests that were answered without a line of their own. */
typedef struct {
    uint64_t n;
    int64_t since_ms; /* the first of them */
    char address[64]; /* of that; empty: there were several */
} relay_turned_t;

typedef struct {
    gateway_t *g;
    http_worker_t *loop; /* NULL under http/direct.h */
    trail_t trail;
    relay_view_t *views; /* the current one first */
    unsigned generation; /* of that */
    relay_call_t *calls; /* all that are open */
    size_t detached;
    size_t streams; /* open to clients */
    relay_call_t *spare;
    size_t spare_count;
    arena_t *scratch; /* for one event */
    http_rate_t *strangers;
    relay_turned_t turned;
    http_timer_t *timer;
    size_t random_left;
    uint8_t random[RELAY_RANDOM_BYTES];
    bool draining;
    counter_block_t *counts; /* NULL: nothing is counted */
} relay_worker_t;

struct gateway {
    gateway_config_t config;
    trail_port_t trail;
    tolls_t *tolls;
    seats_t *seats;
    params_t *params;
    pins_t *pins;         /* NULL: no folder for them */
    pthread_mutex_t lock; /* guards `set` */
    route_set_t *set;     /* NULL before the first load */
    atomic_uint generation;
    http_route_t routes[2];
    http_app_t app;
};

/** The request whose answer an exchange may bring, and no other. */
typedef struct {
    str_t id;             /* JSON; unset: none, as of a GET stream that takes up no other */
    mcp_list_kind_t list; /* that it asked for */
    bool is_private;      /* its result depends on who asks */
} relay_asked_t;

/** What events and refusals say of a request; slices live in the exchange's arena, or in `kept`. */
typedef struct {
    gate_principal_t who; /* after `kept`: without scope, acr and claims */
    str_t request_id, address;
    str_t method, name, rule;
    str_t id;      /* JSON-RPC; unset: none */
    str_t session; /* the upstream's own; unset: none */
    relay_asked_t asked;
    mcp_object_t object;
    mcp_message_kind_t kind;
    mcp_era_t era;
    bool message; /* a POST; else GET or DELETE */
    trace_t trace;
    int64_t began_us;
    int64_t bytes_in;
} relay_facts_t;

typedef struct {
    http_exchange_t *x;
    relay_worker_t *w;
    relay_view_t *view;
    const route_t *route;
    size_t step;
    bool running, due; /* within a step; its answer came meanwhile */
    relay_facts_t facts;
    const access_verdict_t *verdict; /* NULL before it is there */
    mcp_fields_t fields;
    mcp_operation_t operation;
    const mcp_version_t *version;
    gate_decision_t decision;
    str_t shadow;     /* unset: no shadow policy */
    str_t handle;     /* Mcp-Session-Id as it came, once it was opened */
    str_t last_event; /* the upstream's own */
    const credential_answer_t *credential;
    bool seated;
    relay_refusal_t refusal;
    trail_item_t item;
} relay_t;

typedef enum {
    STEP_ON,   /* go on with the next */
    STEP_WAIT, /* relay_resume will be called, or was */
    STEP_DONE, /* answered, refused or sent: the relay may be gone */
} relay_step_t;

/* relay.c */
/** The admit hook and the handler of the endpoint. */
bool relay_admit(http_exchange_t *x);
void relay_handle(http_exchange_t *x);
void relay_resume(relay_t *r);
relay_step_t relay_refuse(relay_t *r, const relay_refusal_t *refusal);
/** Writes down how many were turned away, once RELAY_TURNED_MS have passed since the first, or now.
 */
void relay_tell_turned(relay_worker_t *w, bool now);
relay_step_t relay_refuse_for(relay_t *r, relay_reason_t reason);
relay_step_t relay_refuse_mcp(relay_t *r, mcp_error_t e);

/* The steps. request.c: */
relay_step_t relay_check_host(relay_t *r);
relay_step_t relay_check_origin(relay_t *r);
relay_step_t relay_ask_access(relay_t *r);
relay_step_t relay_check_access(relay_t *r);
relay_step_t relay_read_bare(relay_t *r);
relay_step_t relay_read_message(relay_t *r);
/* decide.c: */
relay_step_t relay_decide(relay_t *r);
relay_step_t relay_pay_tolls(relay_t *r);
relay_step_t relay_check_definition(relay_t *r);
relay_step_t relay_open_session(relay_t *r);
relay_step_t relay_open_event(relay_t *r);
relay_step_t relay_take_seat(relay_t *r);
/* forward.c: */
relay_step_t relay_ask_credential(relay_t *r);
/** How many fields Connection names, and whether it names this one. */
size_t relay_hops(const relay_t *r);
bool relay_is_hop(const relay_t *r, str_t name);
relay_step_t relay_check_credential(relay_t *r);
relay_step_t relay_record(relay_t *r);
relay_step_t relay_send(relay_t *r);

/* The caller's token without its scheme; it was verified. */
str_t relay_own_token(const relay_t *r);

/* Whether it stays open by nature: the GET stream and subscriptions/listen. */
bool relay_is_standing(const relay_facts_t *f);

/* event.c */
/** The event of a message, with all that both begin and end say. */
audit_event_t relay_event(const route_t *route, const relay_facts_t *f, audit_kind_t kind);
/** That of its begin, let through or refused: also the caller's address and token, the shadow's
 *  verdict, the length, and of the arguments, if they were read, the hash and by opt-in the values.
 */
audit_event_t relay_event_begin(const relay_t *r);
int64_t relay_now_us(void);

/* asked.c */
/** What a message asks. Pure; borrows it. */
relay_asked_t asked_of(const mcp_operation_t *o);
/** The value of an event id as it goes out: the upstream's own with what was asked on that stream,
 * so that whoever takes the stream up again gets the answer to that alone, at any node and after a
 *  restart (MCP 2025-11-25, Streamable HTTP, "Resumability"). In `a`. RC_LIMIT: none or too long.
 */
rc_t asked_pack(arena_t *a, const relay_asked_t *asked, str_t event, str_t *out) MUST_USE;
/** The same back; slices borrow `packed`. False: it is none. */
bool asked_unpack(str_t packed, relay_asked_t *asked, str_t *event) MUST_USE;

/* answer.c */
/** {"jsonrpc":"2.0","id":…,"error":…}; unset without memory. */
str_t relay_error_body(arena_t *a, str_t id, const relay_refusal_t *refusal);
/** Answers a refusal that is in the trail. */
void relay_reply_refusal(http_exchange_t *x, str_t id, str_t nonce, const relay_refusal_t *refusal);

typedef enum {
    ANSWER_EMPTY,  /* a status without a body */
    ANSWER_JSON,   /* one message */
    ANSWER_EVENTS, /* an event stream */
    ANSWER_FAIL,   /* our own error */
} answer_shape_t;

typedef struct {
    int status;
    str_t content_type; /* unset: none */
    bool encoded;       /* it has a Content-Encoding */
    http_method_t method;
    mcp_message_kind_t kind; /* of a POST */
} answer_facts_t;

/** What becomes of an upstream's answer. With ANSWER_FAIL *why is the refusal. Pure. */
answer_shape_t answer_shape(const answer_facts_t *f, relay_refusal_t *why);
/** Whether a header of an upstream's answer may go on as it is. Session, caching and event ids are
 *  the caller's. Pure. */
bool answer_passes(str_t name);

/* call.c */
typedef enum {
    CALL_WAITING,  /* for the head of the answer */
    CALL_WHOLE,    /* keeps a JSON answer */
    CALL_RAW,      /* passes one on, in pieces */
    CALL_EVENTS,   /* passes events on */
    CALL_EMPTY,    /* waits for the end of an answer without a body */
    CALL_DETACHED, /* the client is gone, the call runs on */
    CALL_ENDING,   /* its end is on the way to the trail */
} call_phase_t;

typedef enum {
    FINISH_NONE,   /* no exchange is left */
    FINISH_REPLY,  /* the kept answer */
    FINISH_ERROR,  /* `failure` */
    FINISH_STREAM, /* the stream's end */
    FINISH_ABORT,  /* its cut */
} call_finish_t;

typedef struct {
    char *p; /* owned */
    size_t n, cap;
} call_bytes_t;

struct relay_call {
    relay_call_t *next, **link; /* in relay_worker_t.calls; next also while spare */
    relay_worker_t *w;
    relay_view_t *view;
    const route_t *route;
    http_exchange_t *x;        /* NULL: none is left */
    relay_t *r;                /* NULL: x's arena is given back, or x is */
    upstream_call_t *upstream; /* NULL: it has ended */
    relay_facts_t facts;
    char *kept;  /* owned; NULL: facts borrow the arena */
    str_t token; /* owned: of a stream, where introspection is asked about it again; else unset */
    int64_t check_ms;  /* when it is asked about */
    int64_t unsure_ms; /* since when nobody says what it is; 0: somebody did */
    call_phase_t phase;
    call_finish_t finish;
    bool gone;             /* the client is; the call waits for a head to detach */
    bool detached;         /* and is counted as such */
    bool seated;           /* holds a seat */
    bool paused;           /* the upstream is */
    bool ended;            /* the upstream's answer is complete; the client has not taken all */
    bool looked;           /* it may bring a list that is rewritten: needs the arena */
    bool events;           /* its answer is an event stream */
    bool answered;         /* and has brought the answer */
    bool resumable;        /* the client has an event id, by which it can take that up again */
    str_t settled;         /* static: why its request got an error of ours; unset: it did not */
    unsigned dropped;      /* answers to what was not asked */
    int status;            /* of the answer */
    http_header_t *fields; /* of it; in the arena */
    size_t n_fields;
    relay_refusal_t failure;
    mcp_outcome_kind_t outcome;
    int64_t code;           /* of an error */
    mcp_outcome_t *reading; /* owned: of a JSON answer, from its first byte on */
    mcp_sse_t sse;
    call_bytes_t held; /* the kept answer, or what the client has not taken */
    int64_t bytes_out;
    /* by the loop's clock: sent, last sign of the upstream, last write, detached */
    int64_t began_ms, last_ms, wrote_ms, gone_ms;
    uint32_t spread_ms;
    char detail[96];
    trail_item_t item;
};

/** Of r, which is decided and in the trail; takes over its seat. NULL without memory. */
relay_call_t *call_open(relay_t *r);
/** Cancels, records the end and then finishes. */
void call_end(relay_call_t *c, call_finish_t finish, str_t reason);
/** Cancels: nothing more comes of the upstream. */
void call_let_go(relay_call_t *c);
/** Ends with an error: an answer of ours, or a cut where the answer has begun. */
void call_refuse(relay_call_t *c, const relay_refusal_t *failure);
void call_fail(relay_call_t *c, relay_reason_t reason);
/** Ends without an answer that anybody gets. */
void call_drop(relay_call_t *c, str_t reason);
/** At the end of the worker: its end is on the way, and nobody will be told that it arrived. */
void call_forget(relay_call_t *c);
/** The client is gone: as the era says. */
void call_gone(relay_call_t *c);
/** The call runs on without the exchange, for the trail. */
void call_detach(relay_call_t *c);
/** Copies the facts out of the arena. RC_MEMORY. */
rc_t call_keep(relay_call_t *c) MUST_USE;
/** One stream to a client more, or less. */
void call_count_stream(relay_worker_t *w, int more);
/** Keeps bytes, at most `max` in all. RC_LIMIT, RC_MEMORY. */
rc_t call_hold(relay_call_t *c, str_t bytes, size_t max) MUST_USE;
/** How the message went, for the audit. */
str_t call_outcome(const relay_call_t *c);
/** Milliseconds of the loop. */
int64_t call_now(const relay_call_t *c);

/* json_answer.c: an answer that is one JSON message, which is read while it passes. */
/** Reads a piece; *bytes is what goes on, of which the worker's scratch may hold a copy. RC_MEMORY.
 */
rc_t json_read(relay_call_t *c, str_t *bytes) MUST_USE;
/** Whether it can still be the answer: asked before each piece goes out, so that nobody gets a
 * whole message that is not his. */
bool json_may_be_ours(const relay_call_t *c);
/** Whether what was read to its end is the answer. */
bool json_is_answer(const relay_call_t *c);
/** Ends with why it is not. */
void json_refuse(relay_call_t *c);
/** How it went, from what was read. */
void json_tell(relay_call_t *c);

/* pass.c */
/** For upstream_port_t.start. */
http_outbound_events_t call_events(relay_call_t *c);

/* stream.c */
/** The head of a streamed answer. False: the call is ended. */
bool stream_begin(relay_call_t *c, call_phase_t phase);
/** Sends; what the client cannot take is held, and the upstream waits. May end the call. */
void stream_write(relay_call_t *c, str_t bytes);
/** Passes events on. May end the call. */
void stream_pass(relay_call_t *c, str_t bytes);
/** Ends what stays open, as well as its era can. */
void stream_close(relay_call_t *c, str_t reason);
/** Ends once the client has taken everything. */
void stream_end(relay_call_t *c);
/** The upstream has ended its events, and so does the stream: a request that waits for an answer,
 *  and cannot take them up again, gets an error first. */
void stream_settle(relay_call_t *c);
/** The upstream has failed: the same with this reason, else as call_fail, and who can take up what
 *  is missing does so. */
void stream_fail(relay_call_t *c, relay_reason_t reason);
/** A look at an open call, once a second. */
void stream_tick(relay_call_t *c, int64_t now_ms, int64_t now_s);

/* lists.c */
/** Whether its answer is a list that must be looked at, and what is needed for that kept. */
bool lists_concern(const relay_t *r);
/** The same of a call, also of one whose request is gone. */
bool lists_judge(const relay_call_t *c);
/** The list as its caller may see it; in `a`. RC_MALFORMED, RC_MEMORY, RC_LIMIT: do not send. */
rc_t lists_rewrite(arena_t *a, const relay_t *r, str_t response, str_t *out) MUST_USE;
/** Whether an answer on a stream that was taken up again is a list to whoever reads it, although
 * none was asked for there: ids come back with clients that count badly. */
bool lists_hide(arena_t *a, const relay_call_t *c, str_t message);

/* gateway.c */
/** Takes the snapshot, which was held for it, from the next request on. Any thread. */
void gateway_install(gateway_t *g, route_set_t *set);
/** The snapshot of now, held for the caller; NULL: there is none yet. Any thread. */
route_set_t *gateway_hold(gateway_t *g);

/* worker.c */
rc_t relay_worker_init(void *gateway, http_worker_t *loop, void **worker);
void relay_worker_drain(void *gateway, void *worker);
void relay_worker_exit(void *gateway, void *worker);
/** The current snapshot, used once more; NULL: none was loaded, or no memory. */
relay_view_t *relay_view_take(relay_worker_t *w);
void relay_view_leave(relay_worker_t *w, relay_view_t *v);
/** What the timer does. */
void relay_worker_tick(relay_worker_t *w);
/** Random bytes out of a stock. */
rc_t relay_random(relay_worker_t *w, uint8_t *out, size_t n) MUST_USE;

#endif
