/* One request and its answer. An exchange belongs to one worker thread; all calls are made there.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "core/arena.h"
#include "http/forwarded.h"
#include "http/router.h"

typedef struct http_worker http_worker_t;

/**
 * What a handler gets, read-only but for `user` and `label`. All slices live until the exchange
 * ends, that is until http_reply or http_stream_end has been called and the last byte is written. A
 * handler may return first and answer later on the same loop; it must answer exactly once, always,
 * even when the client is gone (the answer then goes nowhere).
 */
struct http_exchange {
    http_method_t method;
    str_t target;   /* as received */
    str_t path;     /* percent-decoded, no dot segments, no encoded slash */
    str_t raw_path; /* as received */
    str_t rest;     /* on a PREFIX route: the decoded path behind the prefix, "" or "/..." */
    str_t query;    /* raw, behind '?'; unset when absent (form_parse reads it) */
    http_headers_t headers;
    str_t body;     /* complete and within the route's limit; empty, never unset */
    unsigned media; /* HTTP_BODY_FORM or _JSON when the body was declared so, else 0 */
    arena_t *arena; /* LIMIT_REQUEST_ARENA_BYTES; ends with the exchange */
    http_client_t client;
    str_t client_text;         /* canonical spelling of the client's address */
    str_t rate_key;            /* IPv4 /32 or IPv6 /64, binary */
    str_t request_id;          /* 128 random bits, hexadecimal */
    const http_route_t *route; /* NULL in hooks when no route matched */
    void *app;                 /* http_app_t.ctx */
    void *worker;              /* what the worker_init hook made */
    http_worker_t *loop; /* for http_worker_post and timers (server.h); NULL under http/direct.h */
    void *user;          /* the handler's own */
    str_t label;         /* likewise: what metrics count it under, out of a table or the settings;
                          * unset: the path of its route */
};

/** The first header of that name, any case; unset when absent. */
str_t http_header(const http_exchange_t *x, str_t name);

/**
 * Answers. `body` must stay valid until the exchange ends: in x->arena, static, or kept alive by an
 * arena_cleanup. `headers` are copied. Content-Length, Date, Connection, nosniff, and the CORS and
 * no-store fields of the route are added here; do not pass them. NO_STORE wins over a Cache-Control
 * that is passed. A header with CR, LF, NUL or another control byte, a
 * non-ASCII byte, a bad name, or one that frames the message, turns the answer into a bare 500:
 * never a split one. x must not be used afterwards.
 */
void http_reply(http_exchange_t *x, int status, http_headers_t headers, str_t body);
/** http_reply with Content-Type: application/json. */
void http_reply_json(http_exchange_t *x, int status, str_t body);
/** The plain error of API routes: {"error": …, "error_description": sentence} with the status's
 *  usual code; page routes go through the page_error hook. `sentence` is our own text. */
void http_reply_error(http_exchange_t *x, int status, str_t sentence);
/** 429 or 503 with Retry-After in seconds. */
void http_reply_retry(http_exchange_t *x, int status, uint32_t after_s, str_t sentence);
/** 304 when If-None-Match names `etag` (quoted, as sent), else 200 with ETag. RFC 9110 13.1.2. */
void http_reply_cached(http_exchange_t *x, str_t etag, http_headers_t headers, str_t body);

/** Called once from the loop, if the client goes away before the answer is complete; the exchange
 *  stays valid until it is answered, which `gone` itself may do. NULL forgets. Not called when a
 *  stream call has said RC_IO. */
void http_exchange_on_gone(http_exchange_t *x, void (*gone)(void *ctx, http_exchange_t *x),
                           void *ctx);
bool http_exchange_is_gone(const http_exchange_t *x);

/** Called whenever a stream that answered RC_BUSY has room again, and when its client is gone and
 * no on_gone is set: the next write then says RC_IO. */
typedef struct {
    void (*writable)(void *ctx, http_exchange_t *x);
    void *ctx;
} http_stream_events_t;

/** Sends the head of an answer of unknown length (chunked; to an HTTP/1.0 client it ends with the
 *  connection). RC_IO: the client is gone; RC_MALFORMED: a bad header,
 * nothing was sent. In both cases the exchange still wants its answer or its end. */
rc_t http_stream_begin(http_exchange_t *x, int status, http_headers_t headers,
                       http_stream_events_t events) MUST_USE;
/** Queues bytes (copied) and sends what the socket takes. RC_BUSY: nothing was taken, more than
 *  LIMIT_HTTP_STREAM_BYTES wait; writable() will come. RC_LIMIT: the piece alone is too long.
 * RC_IO: the client is gone. */
rc_t http_stream_write(http_exchange_t *x, str_t bytes) MUST_USE;
/** For a stream that may idle for hours: gives back the buffers of the request and x->arena with
 * all that lives in it (cleanups run). Of x only `app`, `worker`, `loop`, `user`, `route`,
 * `client`, `client_text`, `rate_key`, `request_id` and `arena` (now NULL) may be read afterwards;
 * the stream's own memory is the caller's. After http_stream_begin has gone well. What the client
 * sends meanwhile is dropped, and the connection then ends with the stream, or at once if it is
 * more than a request's worth. */
void http_stream_slim(http_exchange_t *x);
/** Bytes that were queued and that the client has not taken. */
size_t http_stream_unsent(const http_exchange_t *x);
/** Ends the stream; x must not be used afterwards. */
void http_stream_end(http_exchange_t *x);
/** Cuts the connection in the middle: the client sees that the answer is incomplete. */
void http_stream_abort(http_exchange_t *x);

#endif
