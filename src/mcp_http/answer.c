/* Answers that are no stream. */
#include "mcp_http/request.h"

enum { ERROR_BYTES = 512, RETRY_SECONDS = 1, RETRY_BYTES = 16 };

/* Who comes too early or too often learns when to come again (RFC 9110 section 15.6.4, RFC 6585
 * section 4). */
str_t mcp_http_retry_after(arena_t *a, int status, int seconds)
{
    if (status != 503 && status != 429)
        return STR_UNSET;
    buf_t b = buf_new(a, RETRY_BYTES);
    buf_u64(&b, seconds > 0 ? (uint64_t)seconds : RETRY_SECONDS);
    return b.failed == RC_OK ? buf_str(&b) : STR("1");
}

str_t mcp_http_oauth_body(arena_t *a, str_t error)
{
    buf_t b = buf_new(a, ERROR_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("error"), error);
    json_end_object(&w);
    return b.failed == RC_OK ? buf_str(&b) : STR("{}");
}

static void send(mcp_request_t *r)
{
    arena_t *a = r->x->arena;
    str_t type = r->answer.body.p ? STR("application/json") : STR_UNSET;
    http_reply(r->x, r->answer.status,
               HTTP_HEADERS({STR("Content-Type"), type}, {STR("Mcp-Session-Id"), r->answer.session},
                            {STR("WWW-Authenticate"), r->answer.challenge},
                            {STR("DPoP-Nonce"), r->who.nonce}, {STR("Allow"), r->answer.allow},
                            {STR("Retry-After"),
                             mcp_http_retry_after(a, r->answer.status, r->answer.retry_after_s)}),
               r->answer.body.p ? r->answer.body : STR(""));
}

/* What cannot be written down must not happen: the answer is held back. */
static void on_durable(void *arg, bool durable)
{
    mcp_request_t *r = arg;
    if (durable) {
        send(r);
        return;
    }
    LOG(r->h->config.log, LOG_ERROR, "audit failed; answer held back",
        LOG_S("request_id", r->x->request_id));
    http_reply_retry(r->x, 503, RETRY_SECONDS, STR("The audit trail cannot be written."));
}

/* Sends r->answer once the refusal is in the trail. */
static void send_refusal(mcp_request_t *r, str_t reason, str_t tool)
{
    mcp_audit_port_t audit = r->h->audit;
    audit_kind_t kind = tool.p ? AUDIT_TOOL_CALL : AUDIT_ACCESS;
    if (!audit.record) {
        send(r);
        return;
    }
    r->event = mcp_server_event(r->h->mcp, &r->caller, kind, false, reason);
    r->event.detail = r->who.detail;
    r->event.tool = tool;
    r->event.duration_us = clock_micros() - r->began_us;
    audit.record(audit.ctx, r->worker->back, &r->event, on_durable, r);
}

static str_t data_of(const mcp_request_t *r, mcp_error_t e)
{
    if (e != MCP_ERROR_UNSUPPORTED_VERSION)
        return STR_UNSET;
    str_t asked = http_header(r->x, STR("MCP-Protocol-Version"));
    return mcp_unsupported_data(r->x->arena, mcp_versions(), asked);
}

void mcp_http_refuse(mcp_request_t *r, mcp_error_t e)
{
    const mcp_error_row_t *row = mcp_error_row(e);
    r->answer.status = row->status;
    r->answer.body = mcp_error(r->x->arena, STR_UNSET, e, STR_UNSET, data_of(r, e));
    if (row->status == 405)
        r->answer.allow = STR("POST, OPTIONS");
    send_refusal(r, row->reason, STR_UNSET);
}

void mcp_http_refuse_access(mcp_request_t *r, str_t error, str_t reason, str_t tool)
{
    r->answer.body = mcp_http_oauth_body(r->x->arena, error.p ? error : STR("unauthorized"));
    send_refusal(r, reason, tool);
}

void mcp_http_refuse_scope(mcp_request_t *r, str_t needed, str_t tool)
{
    const mcp_access_port_t *p = &r->h->access;
    r->answer.status = 403;
    if (p->insufficient)
        r->answer.challenge = p->insufficient(p->ctx, r->x->arena, &r->who, needed);
    mcp_http_refuse_access(r, STR("insufficient_scope"), STR("insufficient_scope"), tool);
}

void mcp_http_answer_verdict(mcp_request_t *r, const mcp_verdict_t *v)
{
    r->answer.status = v->status;
    r->answer.body = v->body;
    r->answer.retry_after_s = v->retry_after_s;
    if (v->error == MCP_NO_ERROR)
        send(r);
    else
        send_refusal(r, mcp_error_row(v->error)->reason, v->tool);
}

void mcp_http_answer(mcp_request_t *r, int status, str_t body)
{
    r->answer.status = status;
    r->answer.body = body;
    send(r);
}
