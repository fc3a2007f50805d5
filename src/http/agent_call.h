/* One request of an agent, from its thread's point of view. Internal to the room. */
#ifndef HTTP_AGENT_CALL_H
#define HTTP_AGENT_CALL_H

#include "core/buf.h"
#include "core/limits.h"
#include "http/agent.h"
#include "http/agent_proxy.h"

enum { HTTP_AGENT_WHY = 256 }; /* CURL_ERROR_SIZE */

/** What all calls of an agent share; never changed. NULL: not set. */
typedef struct {
    char *ca_file, *user_agent;
    http_proxy_vars_t proxies;
    int64_t connect_ms;
} http_agent_settings_t;

/** Copies into `a`. RC_CONFIG: the CA file cannot be read, or holds no certificate; RC_MEMORY. */
rc_t http_agent_settings_read(arena_t *a, const http_agent_config_t *config,
                              http_agent_settings_t *out) MUST_USE;

/** What other threads want of a call. */
enum { HTTP_CALL_START = 1, HTTP_CALL_CANCEL = 2, HTTP_CALL_RESUME = 4 };

typedef struct http_agent_call http_agent_call_t;
struct http_agent_call {
    /* Under the lock of the agent. */
    http_agent_call_t *next, *prev; /* of all calls */
    http_agent_call_t *next_wanted;
    unsigned wanted;

    uint64_t id;
    http_agent_events_t events;
    arena_t *arena;
    void *easy;  /* of libcurl; NULL: it will not be asked */
    void *lines; /* likewise, the header fields to send */
    http_reach_t reach;
    size_t max_body;
    int64_t head_ms, total_ms; /* none: below 0 */
    bool is_proxied;           /* the socket leads to a proxy */
    bool is_repeatable;        /* may be sent twice (RFC 9110 section 9.2.2) */

    /* From here on of the agent's thread. */
    bool is_added;             /* to libcurl's set */
    bool was_sent;             /* or begun to be */
    bool is_barred;            /* an address was out of reach */
    bool has_head;             /* and told it */
    bool is_paused;            /* data() said: not now */
    int64_t head_by, total_by; /* on the clock that never goes back; INT64_MAX: no limit */
    int64_t left_ms;           /* of the total, while paused */
    size_t head_bytes, body_bytes;
    buf_t head;
    http_agent_end_t fault; /* why it was given up here; DONE: it was not */
    char why[HTTP_AGENT_WHY];
    char error[HTTP_AGENT_WHY]; /* what libcurl says */
};

/** Makes a call with copies of everything. RC_MALFORMED, RC_MEMORY, RC_IO. Any thread. */
rc_t http_call_new(const http_agent_settings_t *settings, const http_agent_request_t *request,
                   http_agent_events_t events, http_agent_call_t **out) MUST_USE;
/** Ends libcurl's part, which must be out of its set, and wipes what was sent. */
void http_call_free(http_agent_call_t *c);

/** Sets the times from `now`. */
void http_call_begin(http_agent_call_t *c, int64_t now);
/** When it is to be given up; INT64_MAX: never. */
int64_t http_call_due(const http_agent_call_t *c);
void http_call_pause(http_agent_call_t *c, int64_t now);
void http_call_unpause(http_agent_call_t *c, int64_t now);
/** Gives the call up: the first reason counts. */
void http_call_fail(http_agent_call_t *c, http_agent_end_t end, const char *why);

/** A line of a head, the empty one included; false: the call has failed. Lines behind the head
 *  (trailers) count for its bound and are dropped. */
bool http_call_line(http_agent_call_t *c, str_t line);

/** The end that a result of libcurl (CURLcode) means, with its sentence in c->why. */
http_agent_end_t http_call_end(http_agent_call_t *c, int code);

#endif
