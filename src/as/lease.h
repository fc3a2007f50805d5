/* Leases of the store as the first worker holds them: what one of several nodes does for all of
 * them. They save work; what is done under one must be right when two believe to hold it. */
#ifndef AS_LEASE_H
#define AS_LEASE_H

#include "core/rc.h"
#include "model/effect.h"

struct as_worker;

typedef void (*as_lease_done_t)(void *ctx, rc_t rc);

/** Make by as_lease_begin. It must live as long as the store: what was asked last may be answered
 *  after the worker's end. */
typedef struct {
    lease_t record, end;
    effects_t taking, giving_up;
    int64_t length;     /* seconds */
    int64_t held_until; /* by the clock that never goes back, ms; 0: it is not held */
    int64_t asked_at;   /* by the same clock */
    bool asking;
    as_lease_done_t done;
    void *ctx;
} as_lease_t;

/** `name` and `holder` are borrowed. */
void as_lease_begin(as_lease_t *l, str_t name, str_t holder, int64_t length_s);
/** Takes it, or takes it again, for its length from now on. done gets RC_OK, RC_CONFLICT (another
 *  holds it), or what the store answers. False: a question is under way, and of this one nobody
 * will hear: `done` is not called. */
bool as_lease_take(struct as_worker *w, as_lease_t *l, as_lease_done_t done, void *ctx) MUST_USE;
/** Whether it is held for sure, as far as this process's own clock can tell. */
bool as_lease_is_held(const struct as_worker *w, const as_lease_t *l);
/** At the worker's end: lets others have it at once. Nobody waits for that. */
void as_lease_give_up(struct as_worker *w, as_lease_t *l);

#endif
