#include "proxy/relay.h"

#include <time.h>

int64_t relay_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Nobody has an empty name: what is not known is left out. */
static str_t known(str_t s)
{
    return s.n > 0 ? s : STR_UNSET;
}

audit_event_t relay_event(const route_t *route, const relay_facts_t *f, audit_kind_t kind)
{
    bool tool = f->object == MCP_ON_TOOL;
    return (audit_event_t){
        .kind = kind,
        .user = known(f->who.subject),
        .issuer = known(f->who.issuer),
        .client = known(f->who.client),
        /* For `policy replay`, to which a token without a scope is another thing than no token. */
        .scope = kind == AUDIT_CALL_BEGIN && f->who.subject.n > 0 ? f->who.scope : STR_UNSET,
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
