#include "tool_http/request.h"

#include "mcp/headers.h"

/* Whoever else reads the request may take the other one. */
static bool is_repeated(const mcp_request_t *r, str_t name)
{
    return http_headers_count(r->x->headers, name) > 1;
}

/* DNS rebinding: a page of a stranger must not reach a server on loopback through its own name. */
static mcp_error_t check_place(const mcp_request_t *r)
{
    const mcp_http_t *m = r->m;
    str_t host = http_header(r->x, STR("Host"));
    str_list_t own = {&m->identity.host, m->identity.host.p ? 1 : 0};
    if (!mcp_host_allowed(host, own) && !mcp_host_allowed(host, m->config.hosts))
        return MCP_ERROR_FOREIGN_HOST;
    str_t origin = http_header(r->x, STR("Origin"));
    bool allowed = mcp_origin_allowed(origin, m->config.origins) && !is_repeated(r, STR("Origin"));
    return allowed ? MCP_NO_ERROR : MCP_ERROR_FOREIGN_ORIGIN;
}

mcp_error_t mcp_check_headers(mcp_request_t *r)
{
    if (is_repeated(r, STR("Mcp-Session-Id")) || is_repeated(r, STR("MCP-Protocol-Version")))
        return MCP_ERROR_REPEATED_HEADER;
    r->session = http_header(r->x, STR("Mcp-Session-Id"));
    if (r->session.p && !mcp_session_id_is_valid(r->session))
        return MCP_ERROR_BAD_SESSION_ID;
    str_t version = http_header(r->x, STR("MCP-Protocol-Version"));
    if (mcp_header_version(version))
        return MCP_NO_ERROR;
    r->plan.asked_version = version;
    return MCP_ERROR_UNSUPPORTED_VERSION;
}

static void handle_delete(mcp_request_t *r)
{
    principal_t who = mcp_principal(r);
    if (!r->session.p)
        mcp_refuse(r, MCP_ERROR_SESSION_NEEDED);
    else if (!sessions_close(r->m->sessions, r->session, &who))
        mcp_refuse(r, MCP_ERROR_UNKNOWN_SESSION);
    else
        mcp_answer(r, 204, STR_UNSET);
}

static void dispatch(mcp_request_t *r)
{
    mcp_error_t e = r->x->method == HTTP_POST ? MCP_NO_ERROR : mcp_check_headers(r);
    if (e != MCP_NO_ERROR)
        mcp_refuse(r, e);
    else if (r->x->method == HTTP_POST)
        mcp_post(r);
    else if (r->x->method == HTTP_DELETE)
        handle_delete(r);
    else if (r->x->method == HTTP_GET)
        mcp_stream_get(r);
    else
        http_reply_error(r->x, 405, STR("A stream has no HEAD."));
}

static void on_verdict(void *arg, const mcp_access_t *verdict)
{
    mcp_request_t *r = arg;
    r->who = *verdict;
    if (verdict->allowed)
        dispatch(r);
    else
        mcp_refuse_access(r, verdict->status, verdict->challenge, verdict->error, verdict->reason);
}

void mcp_request_handle(http_exchange_t *x)
{
    mcp_http_t *m = x->app;
    mcp_request_t *r = ARENA_NEW(x->arena, mcp_request_t);
    if (!r) {
        http_reply_error(x, 500, STR("Out of memory."));
        return;
    }
    x->user = r;
    r->x = x;
    r->m = m;
    r->began_ms = m->config.clock.mono_ms(m->config.clock.ctx);
    mcp_error_t e = check_place(r);
    if (e != MCP_NO_ERROR)
        mcp_refuse(r, e);
    else
        m->access.check(m->access.ctx, x, on_verdict, r);
}
