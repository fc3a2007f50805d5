#include "tool_http/request.h"

static mcp_request_t *request_of(mcp_call_t *call)
{
    return call->x->user;
}

/* The tool ran: the call is an event, and only then an answer. */
static void finish(mcp_request_t *r, str_t body, str_t reason)
{
    if (!body.p) {
        mcp_refuse(r, MCP_ERROR_INTERNAL);
        return;
    }
    r->answer.status = 200;
    r->answer.body = body;
    mcp_event_begin(r, AUDIT_TOOL_CALL, true, reason);
    mcp_answer_audited(r);
}

void mcp_call_done(mcp_call_t *call, const mcp_tool_result_t *result)
{
    mcp_request_t *r = request_of(call);
    str_t answer = mcp_tool_answer(r->x->arena, result);
    str_t body = answer.p ? mcp_result(r->x->arena, r->message.id, answer) : STR_UNSET;
    finish(r, body, result->is_error ? STR("tool_error") : STR("ok"));
}

void mcp_call_failed(mcp_call_t *call, rc_t rc)
{
    mcp_request_t *r = request_of(call);
    LOG(r->m->config.log, LOG_ERROR, "tool failed", LOG_S("tool", r->plan.tool->name),
        LOG_S("rc", str_c(rc_name(rc))), LOG_S("request_id", r->x->request_id));
    mcp_refuse(r, rc == RC_BUSY ? MCP_ERROR_BUSY : MCP_ERROR_INTERNAL);
}

static const mcp_http_tool_t *tool_of(const mcp_request_t *r)
{
    const mcp_http_config_t *c = &r->m->config;
    size_t i = 0;
    while (&c->tools[i].tool != r->plan.tool)
        i++;
    return &c->tools[i];
}

void mcp_call_run(mcp_request_t *r)
{
    const mcp_http_tool_t *t = tool_of(r);
    const mcp_access_port_t *p = &r->m->access;
    if (t->tool.scope.p && !p->covers(p->ctx, r->who.scope, t->tool.scope)) {
        str_t challenge = p->insufficient(p->ctx, r->x->arena, &r->who, t->tool.scope);
        mcp_refuse_access(r, 403, challenge, STR("insufficient_scope"), STR("insufficient_scope"));
        return;
    }
    principal_t who = mcp_principal(r);
    uint32_t retry_after_s;
    if (!calls_take(r->m->calls, r->x->arena, &who, &retry_after_s)) {
        r->answer.retry_s = (int)retry_after_s;
        mcp_refuse(r, MCP_ERROR_TOO_MANY_CALLS);
        return;
    }
    r->call = (mcp_call_t){r->plan.arguments, r->who.subject, r->who.client, r->x};
    t->run(t->ctx, &r->call);
}
