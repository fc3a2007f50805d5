/* Documents of others, for all workers: fetched under guard on a bounded pool, one flight for each
 * URL however many ask, and kept as long as HTTP says, within LIMIT_FETCHED_*. What cannot be had,
 * and what does not fit its kind, is never kept. */
#ifndef AS_FETCHED_H
#define AS_FETCHED_H

#include "core/ports.h"
#include "http/addr.h"
#include "http/fetch.h"
#include "http/pool.h"
#include "oauth/settings.h"

typedef struct as_fetched as_fetched_t;

/** What kind of document is wanted. One URL may be asked for as several; they do not meet. */
typedef struct {
    char mark;        /* one letter, not that of another kind */
    size_t max_bytes; /* of the body */
    /* Whether the answer is one, and may be kept. On a thread of the pool; `a` ends after it. */
    bool (*fits)(arena_t *a, const oauth_settings_t *settings, str_t url,
                 const http_fetch_result_t *r);
} as_fetched_kind_t;

/** A set of public keys (RFC 7517): 200 and a JSON object with `keys`, at most LIMIT_JWKS_BYTES. */
extern const as_fetched_kind_t AS_FETCHED_KEYS;
/** A client's metadata document, at most LIMIT_CLIENT_DOCUMENT_BYTES. */
extern const as_fetched_kind_t AS_FETCHED_CLIENT;
/** The metadata of an OpenID provider: 200 and what identity/upstream.h takes. */
extern const as_fetched_kind_t AS_FETCHED_PROVIDER;
/** The metadata of a trusted issuer: 200, and they name the issuer whose metadata stand there, and
 *  where its keys are. */
extern const as_fetched_kind_t AS_FETCHED_ISSUER;

/** An answer, good or bad. Counted, read-only; any thread. */
typedef struct as_fetched_document {
    http_fetch_result_t result;
    bool fits;          /* it is of its kind */
    int64_t fetched_at; /* monotonic ms */
} as_fetched_document_t;
void as_fetched_release(as_fetched_document_t *d); /* NULL is fine */

/** A question. The first part is the caller's; it must live until done. */
typedef struct as_fetched_ask {
    str_t url;
    const as_fetched_kind_t *kind;
    bool kept_only; /* nothing is fetched: ask->document is NULL where nothing fresh is kept */
    bool again;     /* what is kept lacks something: fetch, but not within LIMIT_FETCHED_AGAIN_MS */
    str_t from; /* for whom, at most HTTP_ADDR_KEY bytes: no more than LIMIT_FETCHED_EACH at once;
                 * unset: not counted */
    post_port_t back;
    void (*done)(void *arg); /* on back's loop; not at all when that has ended */
    void *arg;

    as_fetched_document_t *document; /* the answer, to be released; NULL: too many are waiting */
    struct as_fetched_ask *next;     /* of the same flight */
} as_fetched_ask_t;

typedef struct {
    const oauth_settings_t *settings; /* borrowed; also names the private hosts */
    http_fetch_port_t fetch;
    http_pool_t *pool; /* its own: slow hosts must not keep passwords waiting */
    clock_port_t clock;
    random_port_t random;
} as_fetched_config_t;

/** RC_MEMORY, or what the random port answers. */
rc_t as_fetched_new(const as_fetched_config_t *config, as_fetched_t **out) MUST_USE;
/** After the pool has ended. NULL is fine. */
void as_fetched_free(as_fetched_t *c);
/** True: ask->document is the answer. False: done(arg) will run. Any thread. */
bool as_fetched_get(as_fetched_t *c, as_fetched_ask_t *ask) MUST_USE;

#endif
