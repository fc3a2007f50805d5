/* GET and DELETE: requests without a message, of the handshake era. */
#include "mcp_http/request.h"

#include "core/limits.h"

/* As of a POST, for mcp/operation.h. */
static mcp_error_t check_version(const mcp_request_t *r)
{
    mcp_field_t v[LIMIT_HTTP_HEADERS];
    mcp_fields_t fields = {v, 0};
    const mcp_version_t *version;
    http_headers_t h = r->x->headers;
    for (size_t i = 0; i < h.n && fields.n < LIMIT_HTTP_HEADERS; i++)
        v[fields.n++] = (mcp_field_t){h.v[i].name, h.v[i].value};
    return mcp_operation_read_bare(fields, &version);
}

/* The token that comes back may cover less than the one the call began with. */
static bool may_read(const mcp_request_t *r, str_t scope)
{
    const mcp_access_port_t *p = &r->h->access;
    return !scope.p || r->caller.everything ||
           (p->covers && p->covers(p->ctx, r->who.scope, scope));
}

static void resume(mcp_request_t *r, str_t event_id)
{
    uint64_t stream, after;
    mcp_outbox_t *o = mcp_session_stream(r->session, event_id, &stream, &after);
    if (!o) {
        mcp_http_refuse(r, MCP_ERROR_BAD_EVENT_ID);
        return;
    }
    if (may_read(r, mcp_outbox_scope(o))) {
        mcp_stream_of_get(r, o, stream, after);
        return;
    }
    str_t scope = arena_dup(r->x->arena, mcp_outbox_scope(o));
    mcp_outbox_drop(o);
    mcp_http_refuse_scope(r, scope.p ? scope : STR(""), STR_UNSET);
}

static void act(mcp_request_t *r, const mcp_bare_t *b)
{
    switch (b->kind) {
    case MCP_BARE_END:
        mcp_session_end(r->session);
        mcp_http_answer(r, 204, STR_UNSET);
        return;
    case MCP_BARE_RESUME:
        resume(r, b->event);
        return;
    default:
        mcp_stream_of_get(r, mcp_outbox_hold(mcp_session_general(r->session)), 0,
                          MCP_OUTBOX_UNTAKEN);
    }
}

static mcp_error_t check(mcp_request_t *r, mcp_bare_t *b)
{
    mcp_error_t e = check_version(r);
    if (e != MCP_NO_ERROR)
        return e;
    *b = mcp_rule_bare(r->x->method, r->x->headers);
    if (b->kind == MCP_BARE_REFUSED)
        return b->error;
    if (r->worker->draining && b->kind != MCP_BARE_END)
        return MCP_ERROR_BUSY;
    return mcp_http_request_session(r, b->session);
}

void mcp_http_bare(mcp_request_t *r)
{
    mcp_bare_t b;
    mcp_error_t e = check(r, &b);
    if (e != MCP_NO_ERROR)
        mcp_http_refuse(r, e);
    else
        act(r, &b);
}
