#include "trail.h"

/* In the exchange's arena, which lives until the answer. */
typedef struct {
    void (*done)(void *arg, bool durable);
    void *arg;
} record_t;

static void on_written(void *ctx, rc_t rc)
{
    const record_t *r = ctx;
    r->done(r->arg, rc == RC_OK);
}

static void record(void *ctx, http_exchange_t *x, const audit_event_t *e,
                   void (*done)(void *arg, bool durable), void *arg)
{
    const trail_t *t = ctx;
    record_t *r = ARENA_NEW(x->arena, record_t);
    if (!r) {
        done(arg, false);
        return;
    }
    *r = (record_t){done, arg};
    audit_append(t->audit, t->back(x), e, on_written, r);
}

mcp_audit_port_t trail_port(trail_t *t)
{
    return (mcp_audit_port_t){record, t};
}
