#include "as/lease.h"

#include "as/as.h"

static int64_t mono(const as_worker_t *w)
{
    return w->as->clock.mono_ms(w->as->clock.ctx);
}

void as_lease_begin(as_lease_t *l, str_t name, str_t holder, int64_t length_s)
{
    *l = (as_lease_t){.record = {.name = name, .holder = holder}, .length = length_s};
}

static void taken(void *ctx, rc_t rc, size_t failed)
{
    as_lease_t *l = ctx;
    (void)failed;
    l->asking = false;
    if (rc == RC_OK)
        l->held_until = l->asked_at + l->length * 1000;
    else if (rc == RC_CONFLICT)
        l->held_until = 0;
    l->done(l->ctx, rc);
}

bool as_lease_take(as_worker_t *w, as_lease_t *l, as_lease_done_t done, void *ctx)
{
    int64_t now = clock_seconds(&w->as->clock);
    if (l->asking)
        return false;
    l->asking = true;
    l->asked_at = mono(w);
    l->done = done;
    l->ctx = ctx;
    l->record.until = now + l->length;
    l->taking.n = 0;
    effects_add(&l->taking, EFFECT_LEASE_TAKE, now)->u.lease = &l->record;
    store_apply(w->store, &l->taking, taken, l);
    return true;
}

bool as_lease_is_held(const as_worker_t *w, const as_lease_t *l)
{
    return mono(w) < l->held_until;
}

static void given_up(void *ctx, rc_t rc, size_t failed)
{
    (void)ctx;
    (void)rc;
    (void)failed;
}

void as_lease_give_up(as_worker_t *w, as_lease_t *l)
{
    int64_t now = clock_seconds(&w->as->clock);
    if (!as_lease_is_held(w, l))
        return;
    l->held_until = 0;
    l->end = l->record;
    l->end.until = now;
    l->giving_up.n = 0;
    effects_add(&l->giving_up, EFFECT_LEASE_TAKE, now)->u.lease = &l->end;
    store_apply(w->store, &l->giving_up, given_up, NULL);
}
