/* Guarded fetch of documents that strangers name: client metadata, key sets; and, under the same
 * guard, the one form that is posted (a code to a token endpoint). */
#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H

#include "core/arena.h"

/** What to get. Zero limits take the defaults (LIMIT_HTTP_FETCH_BYTES, LIMIT_HTTP_FETCH_MS). */
typedef struct {
    str_t url;                /* https; http only to a loopback host of private_hosts */
    str_t accept;             /* unset: application/json */
    size_t max_bytes;         /* of the body */
    int64_t timeout_ms;       /* for everything, name look-up included */
    str_list_t private_hosts; /* development and tests (core/host_list.h): these hosts may have
                               * special addresses; everybody else stays refused */
    str_t form;               /* set: a POST of this form, else a GET */
    str_t authorization;      /* the header's value, a secret; unset: none is sent */
} http_fetch_request_t;

/** Why there is no answer. The words are for the audit, not for strangers: they would map the inner
 *  network. */
typedef enum {
    HTTP_FETCH_OK,
    HTTP_FETCH_BAD_URL,  /* not https (or loopback http), userinfo, fragment */
    HTTP_FETCH_SPECIAL,  /* the name resolves to a special-purpose address */
    HTTP_FETCH_REDIRECT, /* a 3xx came; never followed */
    HTTP_FETCH_TOO_LONG,
    HTTP_FETCH_TIMEOUT,
    HTTP_FETCH_TLS,    /* certificate or handshake */
    HTTP_FETCH_FAILED, /* no name, no connection, protocol error */
} http_fetch_verdict_t;

/** The answer, in the caller's arena. status and below are set only with HTTP_FETCH_OK, which says
 *  that an answer came, of any status but 3xx. */
typedef struct {
    http_fetch_verdict_t verdict;
    int status;
    str_t content_type;  /* unset when absent, as the following */
    str_t cache_control; /* of several fields: all, with commas between, as the following */
    str_t etag, age, date, expires, vary;
    str_t body;
} http_fetch_result_t;

/** Blocking: call it on a pool (pool.h). Any thread. RC_MEMORY or RC_IO only for machine failure.
 */
typedef struct {
    rc_t (*get)(void *ctx, arena_t *a, const http_fetch_request_t *req, http_fetch_result_t *out);
    void *ctx;
} http_fetch_port_t;

/** The real one, over libcurl: no redirects, cookies, credentials, proxies or netrc; every address
 *  is judged at connect time, after resolution, so that DNS cannot rebind. */
http_fetch_port_t http_fetch_curl(void);

/** A double that answers from a table (tests). An URL that is not in it is HTTP_FETCH_FAILED. */
typedef struct {
    const char *url;
    int status;
    const char *content_type;
    const char *body;
    http_fetch_verdict_t verdict;
    const char *cache_control;
} http_fetch_fake_row_t;
typedef struct {
    const http_fetch_fake_row_t *rows;
    size_t n;
    unsigned calls;                      /* counted; one thread at a time */
    char form[1024], authorization[256]; /* of the last POST */
} http_fetch_fake_t;
http_fetch_port_t http_fetch_fake(http_fetch_fake_t *state);

/** The name of a verdict for logs and audit; static. */
str_t http_fetch_verdict_name(http_fetch_verdict_t v);
/** Whether `url` may be fetched at all, before any look-up: https, or http to a loopback host that
 *  is one of `private_hosts`; no userinfo, no fragment, no special address literal but of these.
 *  Pure. */
http_fetch_verdict_t http_fetch_check_url(str_t url, str_list_t private_hosts);

#endif
