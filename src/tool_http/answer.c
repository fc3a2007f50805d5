#include "tool_http/request.h"

enum { ERROR_BYTES = 512, RETRY_SECONDS = 1, RETRY_BYTES = 16 };

principal_t mcp_principal(const mcp_request_t *r)
{
    return (principal_t){r->who.issuer, r->who.subject, r->who.client};
}

void mcp_event_begin(mcp_request_t *r, audit_kind_t kind, bool allowed, str_t reason)
{
    r->event = (audit_event_t){
        .kind = kind,
        .allowed = allowed,
        .reason = reason,
        .detail = r->who.detail,
        .user = r->who.subject,
        .client = r->who.client,
        .resource = r->m->identity.resource,
        .scope = r->who.scope,
        .tool = r->plan.tool_name,
        .token = r->who.token_id,
        .address = r->x->client_text,
        .request_id = r->x->request_id,
    };
    const clock_port_t *c = &r->m->config.clock;
    r->event.duration_us = (c->mono_ms(c->ctx) - r->began_ms) * 1000;
}

/* Who comes too early or too often learns when to come again (RFC 9110 section 15.6.4, RFC 6585
 * section 4). */
static str_t retry_after(const mcp_request_t *r)
{
    if (r->answer.status != 503 && r->answer.status != 429)
        return STR_UNSET;
    buf_t b = buf_new(r->x->arena, RETRY_BYTES);
    buf_u64(&b, r->answer.retry_s > 0 ? (uint64_t)r->answer.retry_s : RETRY_SECONDS);
    return b.failed == RC_OK ? buf_str(&b) : STR("1");
}

static void send(mcp_request_t *r)
{
    if (!r->answer.body.p) {
        http_reply(r->x, r->answer.status, HTTP_HEADERS({STR("DPoP-Nonce"), r->who.nonce}),
                   STR(""));
        return;
    }
    http_reply(r->x, r->answer.status,
               HTTP_HEADERS({STR("Content-Type"), STR("application/json")},
                            {STR("WWW-Authenticate"), r->answer.challenge},
                            {STR("DPoP-Nonce"), r->who.nonce},
                            {STR("Retry-After"), retry_after(r)}),
               r->answer.body);
}

/* What cannot be written down must not happen: the answer is held back. */
static void on_durable(void *arg, bool durable)
{
    mcp_request_t *r = arg;
    if (durable) {
        send(r);
        return;
    }
    LOG(r->m->config.log, LOG_ERROR, "audit failed; answer held back",
        LOG_S("request_id", r->x->request_id));
    http_reply_retry(r->x, 503, RETRY_SECONDS, STR("The audit trail cannot be written."));
}

void mcp_answer_audited(mcp_request_t *r)
{
    r->m->audit.record(r->m->audit.ctx, r->x, &r->event, on_durable, r);
}

void mcp_answer(mcp_request_t *r, int status, str_t body)
{
    r->answer.status = status;
    r->answer.body = body;
    send(r);
}

void mcp_refuse(mcp_request_t *r, mcp_error_t e)
{
    const mcp_error_row_t *row = mcp_error_row(e);
    str_t data =
        e == MCP_ERROR_UNSUPPORTED_VERSION
            ? mcp_unsupported_data(r->x->arena, mcp_versions_handshake(), r->plan.asked_version)
            : STR_UNSET;
    r->answer.status = row->status;
    r->answer.body = mcp_error(r->x->arena, r->message.id, e, STR_UNSET, data);
    mcp_event_begin(r, r->plan.tool_name.p ? AUDIT_TOOL_CALL : AUDIT_ACCESS, false, row->reason);
    mcp_answer_audited(r);
}

void mcp_refuse_access(mcp_request_t *r, int status, str_t challenge, str_t error, str_t reason)
{
    buf_t b = buf_new(r->x->arena, ERROR_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("error"), error.p ? error : STR("unauthorized"));
    json_end_object(&w);
    r->answer.status = status;
    r->answer.body = buf_str(&b);
    r->answer.challenge = challenge;
    r->answer.retry_s = r->who.retry_after_s;
    mcp_event_begin(r, r->plan.tool_name.p ? AUDIT_TOOL_CALL : AUDIT_ACCESS, false, reason);
    mcp_answer_audited(r);
}
