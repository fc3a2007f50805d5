#include "proxy/relay.h"

#include "gate/redact.h"
#include "jose/digest.h"

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

static str_t hash_arguments(const relay_t *r)
{
    uint8_t digest[SHA256_BYTES];
    const json_t *arguments = r->operation.arguments;
    if (!arguments)
        return STR_UNSET;
    sha256(arguments->raw, digest);
    buf_t b = buf_new(r->x->arena, 2 * SHA256_BYTES);
    buf_hex(&b, digest, sizeof digest);
    return buf_str(&b);
}

/* By opt-in; what is too long to be told is left out. */
static str_t tell_arguments(const relay_t *r)
{
    str_t out;
    const conf_upstream_t *conf = r->route->conf;
    const json_t *arguments = r->operation.arguments;
    if (!arguments || !conf->audit_arguments)
        return STR_UNSET;
    rc_t rc = gate_redact(r->x->arena, arguments, conf->redact, RELAY_BODY_BYTES, &out);
    return rc == RC_OK ? out : STR_UNSET;
}

audit_event_t relay_event_begin(const relay_t *r)
{
    audit_event_t e = relay_event(r->route, &r->facts, AUDIT_CALL_BEGIN);
    e.address = r->facts.address;
    e.token = r->facts.who.token;
    e.shadow = r->shadow;
    e.arguments_hash = hash_arguments(r);
    e.arguments = tell_arguments(r);
    e.bytes_in = r->facts.bytes_in;
    return e;
}
