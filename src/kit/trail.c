#include "kit/trail.h"

#include <stdlib.h>

typedef struct {
    void (*done)(void *arg, bool durable);
    void *arg;
} record_t;

static void on_written(void *ctx, rc_t rc)
{
    record_t r = *(record_t *)ctx;
    free(ctx);
    r.done(r.arg, rc == RC_OK);
}

static void record(void *ctx, post_port_t back, const audit_event_t *e,
                   void (*done)(void *arg, bool durable), void *arg)
{
    record_t *r = malloc(sizeof *r);
    if (!r) {
        done(arg, false);
        return;
    }
    *r = (record_t){done, arg};
    audit_append(ctx, back, e, on_written, r);
}

mcp_audit_port_t kit_trail_port(audit_t *t)
{
    return (mcp_audit_port_t){record, t};
}

rc_t kit_trail_open(arena_t *a, const char *folder, const log_t *log, audit_t **out, str_t *why)
{
    audit_config_t config = {arena_printf(a, "%s/audit.log", folder), log, clock_system()};
    *why = STR("there is not enough memory");
    return config.path.p ? audit_open(a, &config, out, why) : RC_MEMORY;
}
