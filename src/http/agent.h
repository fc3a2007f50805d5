/* Requests to servers that a person named, or that those servers name in turn: what a client needs.
 * One thread of its own drives them all, over libcurl. No redirect is followed, no cookie kept, no
 * netrc read, no credentials come from a URL. The variables https_proxy, http_proxy, all_proxy and
 * no_proxy count, as people behind a proxy expect. What may not be repeated (RFC 9110
 * section 9.2.2), as a POST, is sent once at most. */
#ifndef HTTP_AGENT_H
#define HTTP_AGENT_H

#include "core/arena.h"
#include "http/message.h"

typedef struct http_agent http_agent_t;

/** Which addresses a request may go to (http/addr.h), judged when it connects, after the look-up,
 * so that a name cannot be bound anew in between. Behind a proxy, which looks names up itself, only
 *  literal addresses can be judged. */
typedef enum {
    HTTP_REACH_PUBLIC,   /* no special-purpose address */
    HTTP_REACH_LOOPBACK, /* these, and loopback */
    HTTP_REACH_ANY,      /* and those of private networks */
} http_reach_t;

/** A zero takes the default in brackets. */
typedef struct {
    str_t ca_file;      /* PEM, in place of the system's authorities; unset: the system's */
    str_t user_agent;   /* sent where no header says another ["warder"] */
    int64_t connect_ms; /* look-up, connection, handshake [10000] */
} http_agent_config_t;

typedef struct {
    str_t method; /* "GET", "POST", "DELETE", "OPTIONS" … */
    str_t url;    /* https, or http; no userinfo; a fragment is left out */
    http_headers_t headers;
    str_t body; /* unset: none */
    http_reach_t reach;
    size_t max_body;  /* bytes of the answer's [LIMIT_HTTP_FETCH_BYTES]; SIZE_MAX: no bound */
    int64_t head_ms;  /* from the start to the head of the answer [30000]; -1: no limit */
    int64_t total_ms; /* for everything; [no limit when streamed, 30000 for http_ask] */
    bool first_event; /* of http_ask: a stream of events is whole with its first one */
} http_agent_request_t;

/** Why there is no (whole) answer. */
typedef enum {
    HTTP_AGENT_DONE,         /* the whole answer came, of any status */
    HTTP_AGENT_BAD_URL,      /* neither https nor http, userinfo, not a URL */
    HTTP_AGENT_OUT_OF_REACH, /* the address is one that this request may not go to */
    HTTP_AGENT_NO_NAME,      /* the host has no address */
    HTTP_AGENT_REFUSED,      /* no connection */
    HTTP_AGENT_TLS,          /* certificate or handshake; `why` tells */
    HTTP_AGENT_TOO_LONG,
    HTTP_AGENT_TIMEOUT,
    HTTP_AGENT_BROKEN, /* it closed early, or is no HTTP; what was asked for may have been done */
    HTTP_AGENT_CANCELLED,
} http_agent_end_t;
/** The name of an end, for people and JSON: "tls"; static. */
str_t http_agent_end_name(http_agent_end_t end);

/** Slices live for the call of head(). Of several header blocks (1xx) only the last one is told. */
typedef struct {
    int status;
    http_headers_t headers;
    str_t version; /* "HTTP/1.1" or "HTTP/1.0": no other is spoken */
} http_agent_head_t;

/** All are called on the agent's thread, and must not block for long. */
typedef struct {
    void (*head)(void *ctx, const http_agent_head_t *head); /* at most once */
    /** False: not now; the same piece comes again after http_agent_resume. */
    bool (*data)(void *ctx, str_t bytes);
    /** Once, the last; the call is gone then. `why`: one plain sentence, may be empty. */
    void (*end)(void *ctx, http_agent_end_t end, str_t why);
    void *ctx;
} http_agent_events_t;

/** Starts the thread. RC_CONFIG: the CA file cannot be read; RC_MEMORY, RC_IO. */
rc_t http_agent_new(const http_agent_config_t *config, http_agent_t **out) MUST_USE;
/** Ends what is open with HTTP_AGENT_CANCELLED, then the thread. Not on the agent's thread. NULL is
 *  fine. */
void http_agent_free(http_agent_t *agent);
/** Any thread. The request is copied; header fields whose value is unset are left out. Events may
 *  come before this returns. RC_MALFORMED: method or fields that would split the message, or frame
 *  it (Content-Length and the like), which the agent does; RC_MEMORY; RC_IO, as when the agent
 *  ends: nothing was sent, no event comes. */
rc_t http_agent_start(http_agent_t *agent, const http_agent_request_t *request,
                      http_agent_events_t events, uint64_t *call) MUST_USE;
/** Any thread; of a call that has ended already: nothing. `end` comes, with HTTP_AGENT_CANCELLED.
 */
void http_agent_cancel(http_agent_t *agent, uint64_t call);
void http_agent_resume(http_agent_t *agent, uint64_t call);

/** A whole answer, in the caller's arena. status and headers also with HTTP_AGENT_TOO_LONG where
 *  only what follows the head is that, body only with HTTP_AGENT_DONE; else 0 and nothing. */
typedef struct {
    http_agent_end_t end;
    str_t why; /* one plain sentence of the library about a failure; may be empty */
    int status;
    http_headers_t headers;
    str_t body;
} http_answer_t;

/** Asks and waits. Blocking, any thread but the agent's. RC_MALFORMED, RC_MEMORY and RC_IO as of
 *  http_agent_start; all that the world does is in `out`. */
typedef struct {
    rc_t (*ask)(void *ctx, arena_t *a, const http_agent_request_t *request, http_answer_t *out);
    void *ctx;
} http_ask_port_t;

http_ask_port_t http_agent_ask(http_agent_t *agent);

/** A double that answers from a script (tests): rows are tried in order, the first with this method
 *  and URL that is not used up answers. What is in no row is HTTP_AGENT_REFUSED. Reach, fields
 *  and max_body are judged as by the real one, but no name is looked up. One thread at a time. */
typedef struct {
    const char *method, *url;
    int status;
    const char *headers; /* "Name: value\n" each; NULL: none */
    const char *body;
    http_agent_end_t end;
    unsigned times; /* 0: as often as asked */
} http_ask_row_t;
enum { HTTP_ASK_FAKE_LOG = 64 };
typedef struct {
    const http_ask_row_t *rows;
    size_t n;
    unsigned used[HTTP_ASK_FAKE_LOG];
    /* What was asked, in order: "POST https://…\nName: value\n\nbody", malloc'ed. */
    char *asked[HTTP_ASK_FAKE_LOG];
    size_t n_asked;
} http_ask_fake_t;
http_ask_port_t http_ask_fake(http_ask_fake_t *state);
void http_ask_fake_clear(http_ask_fake_t *state);

#endif
