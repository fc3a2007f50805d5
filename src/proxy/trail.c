#include "proxy/trail.h"

static rc_t write_audit(void *ctx, const audit_event_t *const *events, size_t n)
{
    return audit_write(ctx, events, n);
}

static void append_audit(void *ctx, post_port_t back, const audit_event_t *e, audit_done_t done,
                         void *done_ctx)
{
    audit_append(ctx, back, e, done, done_ctx);
}

trail_port_t trail_audit(audit_t *audit, bool durable)
{
    return (trail_port_t){write_audit, durable ? append_audit : NULL, audit};
}

static void flush(void *arg)
{
    trail_flush(arg);
}

void trail_init(trail_t *t, trail_port_t port, http_worker_t *loop)
{
    *t = (trail_t){.port = port, .loop = loop, .deferred = {.fn = flush, .arg = t}};
    t->last = &t->first;
}

static void queue(trail_t *t, trail_item_t *item)
{
    item->next = NULL;
    *t->last = item;
    t->last = &item->next;
    if (t->loop)
        http_worker_defer(t->loop, &t->deferred);
}

/* Without memory the trail says so at once: the item waits for its turn all the same. */
static void on_appended(void *ctx, rc_t rc)
{
    trail_item_t *item = ctx;
    if (!item->trail->appending) {
        item->done(item->arg, rc);
        return;
    }
    item->failed = rc;
    queue(item->trail, item);
}

void trail_put(trail_t *t, trail_item_t *item)
{
    item->trail = t;
    item->failed = RC_OK;
    if (item->silent || !t->port.append || !t->loop) {
        queue(t, item);
        return;
    }
    t->appending = true;
    t->port.append(t->port.ctx, http_worker_post(t->loop), &item->event, on_appended, item);
    t->appending = false;
}

/* Takes up to TRAIL_BATCH items off the queue. */
static size_t take(trail_t *t, trail_item_t *items[TRAIL_BATCH])
{
    size_t n = 0;
    for (; t->first && n < TRAIL_BATCH; n++) {
        items[n] = t->first;
        t->first = t->first->next;
    }
    if (!t->first)
        t->last = &t->first;
    return n;
}

static rc_t write_items(trail_t *t, trail_item_t *const *items, size_t n)
{
    const audit_event_t *events[TRAIL_BATCH];
    size_t some = 0;
    for (size_t i = 0; i < n; i++) {
        if (!items[i]->silent && items[i]->failed == RC_OK)
            events[some++] = &items[i]->event;
    }
    return some > 0 ? t->port.write(t->port.ctx, events, some) : RC_OK;
}

static rc_t result_of(const trail_item_t *item, rc_t written)
{
    if (item->silent)
        return RC_OK;
    return item->failed != RC_OK ? item->failed : written;
}

void trail_flush(trail_t *t)
{
    trail_item_t *items[TRAIL_BATCH];
    size_t n;
    while ((n = take(t, items)) > 0) {
        rc_t rc = write_items(t, items, n);
        for (size_t i = 0; i < n; i++)
            items[i]->done(items[i]->arg, result_of(items[i], rc));
    }
}
