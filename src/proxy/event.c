#include "proxy/relay.h"

#include <time.h>

int64_t relay_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

audit_event_t relay_event(const route_t *route, const relay_facts_t *f, audit_kind_t kind)
{
    bool tool = f->object == MCP_ON_TOOL;
    return (audit_event_t){
        .kind = kind,
        .user = f->who.subject,
        .issuer = f->who.issuer,
        .client = f->who.client,
        .scope = kind == AUDIT_CALL_BEGIN ? f->who.scope : STR_UNSET, /* for `policy replay` */
        .resource = route->resource,
        .upstream = route->conf->path,
        .method = f->method,
        .tool = tool ? f->name : STR_UNSET,
        .object = tool ? STR_UNSET : f->name,
        .rule = f->rule,
        .trace = trace_id(&f->trace),
        .request_id = f->request_id,
    };
}
