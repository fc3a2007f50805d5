/* Connections to one origin and the calls on them. Internal to the room's outbound files. */
#ifndef HTTP_OUTBOUND_CONN_H
#define HTTP_OUTBOUND_CONN_H

#include "http/link.h"
#include "http/outbound.h"
#include "http/response.h"
#include "http/uv_dial.h"
#include "http/uv_worker.h"

/* One read at a time: more of it would wait behind a slow reader. */
enum { HTTP_OUT_READ_BYTES = 16384 };

/** The phases, in the order of an answer's life. */
typedef enum {
    HTTP_OUT_DIAL, /* not connected yet, or TLS is not greeted */
    HTTP_OUT_HEAD, /* the request is sent, or being sent */
    HTTP_OUT_BODY,
    HTTP_OUT_LAST,  /* the answer is complete, its end not told yet */
    HTTP_OUT_IDLE,  /* kept */
    HTTP_OUT_CLOSED /* to be freed */
} http_outbound_phase_t;

/** A head that did not come in one piece. */
typedef struct {
    http_response_t response;
    size_t have, cap;
    char bytes[];
} http_outbound_part_t;

typedef struct {
    http_link_t link; /* first: among the timed, the quiet or the idle ones */
    http_sink_t sink;
    http_wire_t *wire; /* NULL until connected */
    http_tcp_t *tcp;   /* below the wire */
    http_dial_t *dial;
    http_outbound_t *owner;
    http_outbound_call_t *call; /* NULL while idle */
    http_outbound_phase_t phase;
    bool running; /* a phase is being run: it frees the connection */
    bool kept;    /* this is not its first request */
    bool heard;   /* a byte of the current answer came */
    bool hurried; /* the first part of the current answer is acknowledged */
    bool sending; /* the wire still holds bytes of the request */
    bool close;   /* after this answer */
    bool quiet;   /* an event stream: it may idle as long as it likes */
    uint32_t keep_s;
    int64_t deadline_ms; /* monotonic; 0: none */
    str_t in;            /* read, not looked at yet: in the owner's buffer or in `held` */
    char *held;          /* what came before the reader paused */
    http_outbound_part_t *part;
    http_response_body_t body;
} http_outbound_conn_t;

struct http_outbound_call {
    http_link_t link; /* first: among the due ones, or alone */
    http_outbound_t *owner;
    http_outbound_conn_t *conn; /* NULL: it has ended, and its end is due */
    http_outbound_events_t events;
    http_method_t method;
    bool may_repeat;
    bool paused;
    unsigned interim;
    http_outbound_end_t how; /* without a connection */
    char *out;               /* the request, while it may still be needed */
    size_t out_n;
};

struct http_outbound {
    http_worker_t *loop;
    http_outbound_t *prev, *next; /* of the worker */
    http_outbound_config_t config;
    http_dial_to_t to;
    char *host; /* as NUL-terminated text */
    char host_field[280];
    http_link_t timed, quiet, idle, due;
    unsigned conns, idles, dues;
    bool ended;  /* nothing can be started any more */
    bool closed; /* the handle below is */
    bool freed;
    uv_timer_t soon; /* tells what is due from the loop */
    /* A head that comes in one piece is read right here. */
    http_response_t response;
    char read[HTTP_OUT_READ_BYTES];
};

/** A new connection that dials for `call`. RC_MEMORY; RC_IO: nothing to dial. */
rc_t http_outbound_conn_new(http_outbound_call_t *call) MUST_USE;
/** Puts `call` on a kept connection and sends its request. */
void http_outbound_conn_take(http_outbound_conn_t *c, http_outbound_call_t *call);
/** Goes on with what was read, after a pause. May free c. */
void http_outbound_conn_go_on(http_outbound_conn_t *c);
/** Closes and frees it, or has its run free it. Its call must be off it. */
void http_outbound_conn_close(http_outbound_conn_t *c);
/** Ends its call so, and closes it as above. */
void http_outbound_conn_fail(http_outbound_conn_t *c, http_outbound_end_t how);
/** The deadline has passed, or an address has not answered. May free c. */
void http_outbound_conn_tick(http_outbound_conn_t *c, int64_t now_ms);
/** From now; 0: none. Only what has one is looked at by the tick: ten thousand idle streams cost it
 *  nothing. */
void http_outbound_conn_deadline(http_outbound_conn_t *c, int64_t after_ms);
/** Its call pauses: no deadline meanwhile. */
void http_outbound_conn_paused(http_outbound_conn_t *c);

/* outbound_answer.c */
/** Runs the phases over c->in as far as they go, keeps what a pausing reader has not taken, and
 * frees the connection at its end. */
void http_outbound_answer_run(http_outbound_conn_t *c);

/* outbound.c */
/** Takes the call off its connection; its end comes from the loop. */
void http_outbound_call_fail(http_outbound_call_t *call, http_outbound_end_t how);
/** Has the loop look at the call. */
void http_outbound_call_due(http_outbound_call_t *call);
void http_outbound_call_free(http_outbound_call_t *call);
/** The request is not needed any more. */
void http_outbound_call_forget(http_outbound_call_t *call);

#endif
