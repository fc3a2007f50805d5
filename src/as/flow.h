/* The way of every request that decides something:
 *
 *   gather facts (store_ask) -> decide (a pure room) -> apply effects (store_apply, one
 *   transaction) -> write the audit event (durable) -> answer
 *
 * A conflict on apply means that somebody was faster: the facts are gathered anew and the decision
 * is made again, a bounded number of times. When store or audit fail, the answer is 503. */
#ifndef AS_FLOW_H
#define AS_FLOW_H

#include "as/as.h"
#include "as/fetched.h"
#include "oauth/client_document.h"
#include "oauth/spent.h"

typedef struct as_flow as_flow_t;
typedef void (*as_step_t)(as_flow_t *f);

enum { AS_ASKS_MAX = 12, AS_HEADERS_MAX = 12, AS_FLOW_DOCUMENTS_MAX = 4 };

/** A document of somebody else, fetched under guard between the facts and the decision. */
typedef struct {
    str_t url;
    const as_fetched_kind_t *kind;
    enum { AS_FLOW_DOCUMENT_WANTED, AS_FLOW_DOCUMENT_COMING, AS_FLOW_DOCUMENT_THERE } state;
    bool again; /* it is fetched once more, or was */
    as_fetched_ask_t ask;
    bool waited;    /* it did not come out of the cache */
    bool temporary; /* body unset: because its host did not answer, or too many are waiting */
    str_t body;     /* unset: it cannot be had, or does not fit its kind */
    str_t why;      /* body unset: a word for the audit, never for strangers */
    const http_fetch_result_t *result; /* NULL: nothing was fetched */
} as_flow_document_t;

/** An answer that waits until what it says is durable. Lives in the flow's arena. */
typedef struct {
    int status;
    http_header_t headers[AS_HEADERS_MAX];
    size_t n_headers;
    str_t body;
} as_answer_t;

struct as_flow {
    as_worker_t *w;
    http_exchange_t *x;
    arena_t *a;              /* the exchange's */
    as_snapshot_t *snapshot; /* held until the exchange ends */
    as_snapshot_wait_t wait;
    int64_t now;              /* seconds */
    void *own;                /* the endpoint's */
    struct as_client *asking; /* who asks, where the endpoint authenticates clients (client.h) */

    as_step_t decide;
    ask_t asks[AS_ASKS_MAX];
    size_t n_asks;
    size_t n_answered; /* of them */
    unsigned rounds;
    bool full;    /* a quota was reached (RC_LIMIT on apply): decide once more, knowing that */
    hash_t spent; /* a one-time name that SPEND found used (RC_CONFLICT): likewise; zero: none */

    /* The request's client: as_flow_client. */
    str_t client_id;                /* unset: none was named */
    const client_t *client;         /* NULL: unknown */
    oauth_reason_t client_reason;   /* why its document makes none (OAUTH_CLIENT_ID_*,
                                     * OAUTH_CLIENT_DOCUMENT_*); OAUTH_FINE: it is no matter of one */
    str_t client_detail;            /* of that, for the audit alone; unset: none */
    oauth_reason_t *client_refusal; /* where client_reason goes, too, when it is not OAUTH_FINE;
                                     * NULL: nowhere */
    bool wants_client_keys;
    str_t client_jwks; /* after as_flow_client_keys: a JWK Set as JSON; unset: it has none, or */
    str_t client_jwks_why; /* they cannot be had: a word for the audit */
    as_flow_document_t *client_document, *client_key_set;
    const ask_t *client_row;
    const oauth_client_document_t *client_read; /* what client_document says */
    as_flow_document_t documents[AS_FLOW_DOCUMENTS_MAX];
    size_t n_documents;
    const spent_t *spend; /* spent with whatever is decided; NULL: nothing */

    effects_t effects;
    audit_event_t event;
    bool has_event;
    as_answer_t answer;
};

/** A flow for `x` with `own` zeroed of `own_size` bytes; NULL: no memory, x is answered. */
as_flow_t *as_flow_new(http_exchange_t *x, size_t own_size);
/** The same, and then `read`: it fills f->own from the request and adds the first questions. NULL:
 *  one of both failed, x is answered. */
as_flow_t *as_flow_read(http_exchange_t *x, size_t own_size, rc_t (*read)(as_flow_t *f));
/** The text of the parameters: the body of a POST, else the query; "" when there are none. */
str_t as_flow_parameters(const as_flow_t *f);
/** Adds a question for the next as_flow_gather, to be filled by the caller. */
ask_t *as_flow_ask(as_flow_t *f, ask_kind_t kind);
/** Answers the questions that are new and goes on with `decide`. After a conflict in as_flow_finish
 *  all questions are asked again, of one view, and the last `decide` runs again. */
void as_flow_gather(as_flow_t *f, as_step_t decide);
/** The same, but asks all questions again, of one view: what was known before a wait is old. */
void as_flow_gather_again(as_flow_t *f, as_step_t decide);

/** Names the request's client: from the next as_flow_gather on, f->client is its record and
 *  f->client_reason says why a document makes none. An https URL is resolved by its document, all
 *  other ids by the store, or by themselves where they hold their registration (client_source.c).
 *  Once a flow. */
void as_flow_client(as_flow_t *f, str_t client_id);
/** Where that client authenticates by private_key_jwt, its keys are at hand, too, from the next
 *  as_flow_gather on: f->client_jwks. */
void as_flow_client_keys(as_flow_t *f);
/** A key that was named is not among them. True: as_flow_gather, then decide again, by what is
 *  published now. False: it would change nothing. */
bool as_flow_client_keys_again(as_flow_t *f) MUST_USE;
/** Any other document, from the next as_flow_gather on. The same URL and kind give the same one;
 *  AS_FLOW_DOCUMENTS_MAX of them in all, with those of the client. */
as_flow_document_t *as_flow_fetch(as_flow_t *f, str_t url, const as_fetched_kind_t *kind);
/** As as_flow_client_keys_again, for `d`. */
bool as_flow_fetch_again(as_flow_document_t *d) MUST_USE;

/** What is known of one-time names. */
oauth_spent_t as_flow_seen(const as_flow_t *f);
/** Carries the verdict out: effects, event, answer. f must not be used afterwards. */
void as_flow_finish(as_flow_t *f);
/** The end of a step: as_flow_finish when `rc` is RC_OK, else as_flow_fail. */
void as_flow_settle(as_flow_t *f, rc_t rc);
/** Out of memory, or a room failed: 503, nothing remembered. */
void as_flow_fail(as_flow_t *f, rc_t rc);

/** Takes over the effects of a verdict, and its event (NULL: none). */
void as_flow_take(as_flow_t *f, const effects_t *effects, const audit_event_t *event);
void as_flow_answer(as_flow_t *f, int status, str_t body);
void as_flow_answer_json(as_flow_t *f, int status, str_t body);
/** Adds a header to the answer; an unset value adds none. */
void as_flow_header(as_flow_t *f, str_t name, str_t value);
/** All values of the request's header of that name, in order, in the arena. */
rc_t as_flow_headers_of(as_flow_t *f, str_t name, str_list_t *out) MUST_USE;

#endif
