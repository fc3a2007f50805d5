#include "mcp_http/request.h"

/* Where nothing is protected everybody is the same nobody. */
static const mcp_access_t NOBODY = {
    .allowed = true,
    .issuer = STR_INIT(""),
    .subject = STR_INIT(""),
    .client = STR_INIT(""),
    .scope = STR_INIT(""),
    .expires_at = INT64_MAX,
    .issued_at = -1,
};

static void set_caller(mcp_request_t *r, const mcp_access_t *who)
{
    r->who = *who;
    r->principal = (mcp_principal_t){who->issuer, who->subject, who->client};
    r->caller = (mcp_caller_t){
        .issuer = who->issuer,
        .subject = who->subject,
        .client = who->client,
        .scope = who->scope,
        .token_id = who->token_id,
        .address = r->x->client_text,
        .request_id = r->x->request_id,
        .everything = !r->h->access.check,
    };
}

static void on_verdict(void *arg, const mcp_access_t *verdict)
{
    mcp_request_t *r = arg;
    set_caller(r, verdict);
    if (verdict->allowed && r->x->method == HTTP_POST) {
        mcp_http_post(r);
        return;
    }
    if (verdict->allowed) {
        mcp_http_bare(r);
        return;
    }
    r->answer.status = verdict->status;
    r->answer.challenge = verdict->challenge;
    r->answer.retry_after_s = verdict->retry_after_s;
    mcp_http_refuse_access(r, verdict->error, verdict->reason, STR_UNSET);
}

static void drop_session(void *session)
{
    mcp_session_drop(session);
}

mcp_error_t mcp_http_request_session(mcp_request_t *r, str_t id)
{
    r->session = mcp_session_find(r->h->sessions, id, &r->principal);
    if (!r->session)
        return MCP_ERROR_UNKNOWN_SESSION;
    rc_t rc = arena_cleanup(r->x->arena, drop_session, r->session);
    return rc == RC_OK ? MCP_NO_ERROR : MCP_ERROR_INTERNAL;
}

void mcp_http_request_handle(http_exchange_t *x)
{
    mcp_http_t *h = x->app;
    mcp_request_t *r = ARENA_NEW(x->arena, mcp_request_t);
    mcp_place_t place = {h->identity.host, h->config.hosts, h->config.origins};
    if (!r) {
        http_reply_error(x, 500, STR("Out of memory."));
        return;
    }
    r->x = x;
    r->h = h;
    r->worker = x->worker;
    r->began_us = clock_micros();
    set_caller(r, &(mcp_access_t){0});
    mcp_error_t e = mcp_rule_place(x->headers, &place);
    if (e != MCP_NO_ERROR)
        mcp_http_refuse(r, e);
    else if (h->access.check)
        h->access.check(h->access.ctx, x, on_verdict, r);
    else
        on_verdict(r, &NOBODY);
}
