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

typedef struct as_flow as_flow_t;
typedef void (*as_step_t)(as_flow_t *f);

enum { AS_ASKS_MAX = 10, AS_HEADERS_MAX = 12 };

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
    int64_t now;             /* seconds */
    void *own;               /* the endpoint's */

    as_step_t decide;
    ask_t asks[AS_ASKS_MAX];
    size_t n_asks;
    size_t n_answered; /* of them */
    unsigned rounds;
    bool full; /* a quota was reached (RC_LIMIT on apply): decide once more, knowing that */
    hash_t
        spent; /* a one-time name that SPEND found used (RC_CONFLICT): the same; all zero: none */

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
