#include "mcp_http/request.h"

#include "core/num.h"

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

static void refuse(mcp_request_t *r)
{
    const mcp_access_t *who = &r->who;
    r->answer.status = who->status;
    r->answer.challenge = who->challenge;
    r->answer.retry_after_s = who->retry_after_s;
    mcp_http_refuse_access(r, who->error, who->reason, STR_UNSET);
}

/* With the body, if there is one. */
static void go_on(mcp_request_t *r)
{
    if (!r->who.allowed)
        refuse(r);
    else if (r->x->method == HTTP_POST)
        mcp_http_post(r);
    else
        mcp_http_bare(r);
}

static void on_verdict(void *arg, const mcp_access_t *verdict)
{
    mcp_request_t *r = arg;
    set_caller(r, verdict);
    r->decided = true;
    if (r->here)
        go_on(r);
    else if (!verdict->allowed)
        refuse(r);
    else if (!r->early) /* keys were fetched, and nobody reads its body any more */
        http_reply_retry(r->x, 503, 1, STR("The server is busy: try again soon."));
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

/* NULL: it was answered, as there is no memory. */
static mcp_request_t *begin(http_exchange_t *x)
{
    mcp_request_t *r = ARENA_NEW(x->arena, mcp_request_t);
    if (!r) {
        http_reply_error(x, 500, STR("Out of memory."));
        return NULL;
    }
    r->x = x;
    r->h = x->app;
    r->worker = x->worker;
    r->began_us = clock_micros();
    set_caller(r, &(mcp_access_t){0});
    return r;
}

static void judge(mcp_request_t *r)
{
    mcp_http_t *h = r->h;
    mcp_place_t place = {h->identity.host, h->config.hosts, h->config.origins};
    mcp_error_t e = mcp_rule_place(r->x->headers, &place);
    if (e != MCP_NO_ERROR)
        mcp_http_refuse(r, e);
    else if (h->access.check)
        h->access.check(h->access.ctx, r->x, on_verdict, r);
    else
        on_verdict(r, &NOBODY);
}

/* Strangers cost the room of their bodies, each for as long as it is on its way: small ones are
 * bounded by the number of connections, large ones are judged before. To answer them ends the
 * connection, as what comes then is not read. */
static bool has_large_body(const http_exchange_t *x)
{
    uint64_t n;
    str_t length = http_header(x, STR("Content-Length"));
    if (!length.p)
        return http_header(x, STR("Transfer-Encoding")).p != NULL;
    return !num_u64(length, UINT64_MAX, &n) || n > MCP_STRANGER_BYTES;
}

bool mcp_http_request_admit(http_exchange_t *x)
{
    if (x->route->handler != mcp_http_request_handle || !has_large_body(x))
        return true;
    mcp_request_t *r = begin(x);
    if (!r)
        return false;
    x->user = r;
    r->early = true;
    judge(r);
    r->early = false;
    return r->decided && r->who.allowed;
}

void mcp_http_request_handle(http_exchange_t *x)
{
    mcp_request_t *r = x->user ? x->user : begin(x);
    if (!r)
        return;
    r->here = true;
    if (r->decided)
        go_on(r);
    else
        judge(r);
}
