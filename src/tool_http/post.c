#include "tool_http/request.h"

static bool takes_json(const mcp_request_t *r)
{
    return http_media_accepts(http_header(r->x, STR("Accept")), STR("application/json"));
}

static mcp_error_t read_message(mcp_request_t *r)
{
    rc_t rc;
    if (!takes_json(r))
        return MCP_ERROR_NOT_ACCEPTABLE;
    if (!(r->x->media & HTTP_BODY_JSON))
        return MCP_ERROR_NOT_JSON;
    mcp_error_t e = mcp_message_parse(r->x->arena, r->x->body, &r->message, &rc);
    if (e != MCP_NO_ERROR)
        return e;
    r->plan = mcp_plan(&r->message, r->m->tools, r->m->config.tool_count);
    return MCP_NO_ERROR;
}

/* A session that is named must be live and the caller's own; initialize opens a new one. */
static mcp_error_t check_session(mcp_request_t *r)
{
    principal_t who = mcp_principal(r);
    if (r->plan.action == MCP_DO_INITIALIZE || !r->session.p)
        return MCP_NO_ERROR;
    return sessions_use(r->m->sessions, r->session, &who) ? MCP_NO_ERROR
                                                          : MCP_ERROR_UNKNOWN_SESSION;
}

static void answer_result(mcp_request_t *r, str_t result)
{
    str_t body = result.p ? mcp_result(r->x->arena, r->message.id, result) : STR_UNSET;
    if (body.p)
        mcp_answer(r, 200, body);
    else
        mcp_refuse(r, MCP_ERROR_INTERNAL);
}

static void do_initialize(mcp_request_t *r)
{
    char id[SESSION_ID_TEXT];
    arena_t *a = r->x->arena;
    principal_t who = mcp_principal(r);
    str_t result = mcp_initialize_answer(a, &r->m->config.info, r->plan.version->name);
    str_t body = result.p ? mcp_result(a, r->message.id, result) : STR_UNSET;
    rc_t rc = body.p ? sessions_open(r->m->sessions, &who, r->plan.version, id) : RC_MEMORY;
    if (rc != RC_OK) {
        mcp_refuse(r, rc == RC_BUSY ? MCP_ERROR_BUSY : MCP_ERROR_INTERNAL);
        return;
    }
    http_reply(r->x, 200,
               HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                            {STR("Mcp-Session-Id"), str_of(id, sizeof id)},
                            {STR("DPoP-Nonce"), r->who.nonce}),
               body);
}

static void act(mcp_request_t *r)
{
    switch (r->plan.action) {
    case MCP_DO_REFUSE:
        mcp_refuse(r, r->plan.error);
        return;
    case MCP_DO_ACCEPT:
        mcp_answer(r, 202, STR_UNSET);
        return;
    case MCP_DO_INITIALIZE:
        do_initialize(r);
        return;
    case MCP_DO_PING:
        answer_result(r, STR("{}"));
        return;
    case MCP_DO_LIST:
        answer_result(r, mcp_tools_list(r->x->arena, r->m->tools, r->m->config.tool_count));
        return;
    case MCP_DO_CALL:
        mcp_call_run(r);
        return;
    }
}

void mcp_post(mcp_request_t *r)
{
    mcp_error_t e = read_message(r);
    if (e == MCP_NO_ERROR)
        e = mcp_check_headers(r); /* after the message, so that the error answer can bear its id */
    if (e == MCP_NO_ERROR)
        e = check_session(r);
    if (e != MCP_NO_ERROR)
        mcp_refuse(r, e);
    else
        act(r);
}
