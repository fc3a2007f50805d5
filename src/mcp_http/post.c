/* A POST: one message of a client. */
#include "mcp_http/request.h"

static void drop_call(void *call)
{
    mcp_call_drop(call);
}

/* A call that ends with the exchange, unless the server holds it longer. */
static mcp_error_t make_call(mcp_request_t *r)
{
    r->call = mcp_call_new(r->h->mcp);
    if (!r->call)
        return MCP_ERROR_BUSY;
    rc_t rc = arena_cleanup(r->x->arena, drop_call, r->call);
    return rc == RC_OK ? MCP_NO_ERROR : MCP_ERROR_INTERNAL;
}

/* No other field says anything about a message (2026-07-28, "Request Metadata"). */
static bool is_mcp_field(str_t name)
{
    return name.n > 4 && str_eq_nocase(str_first(name, 4), STR("Mcp-"));
}

static rc_t copy_fields(arena_t *a, http_headers_t headers, mcp_fields_t *out)
{
    mcp_field_t *v = ARENA_ARRAY(a, headers.n + 1, mcp_field_t);
    if (!v)
        return RC_MEMORY;
    *out = (mcp_fields_t){v, 0};
    for (size_t i = 0; i < headers.n; i++) {
        if (!is_mcp_field(headers.v[i].name))
            continue;
        mcp_field_t copy = {arena_dup(a, headers.v[i].name), arena_dup(a, headers.v[i].value)};
        if (!copy.name.p || !copy.value.p)
            return RC_MEMORY;
        v[out->n++] = copy;
    }
    return RC_OK;
}

static mcp_error_t read_message(mcp_request_t *r, mcp_fields_t *fields)
{
    arena_t *a = mcp_call_arena(r->call);
    str_t body = arena_dup(a, r->x->body);
    rc_t rc = body.p ? copy_fields(a, r->x->headers, fields) : RC_MEMORY;
    if (rc != RC_OK)
        return MCP_ERROR_INTERNAL;
    return mcp_operation_read(a, *fields, body, &r->operation, &rc);
}

static bool is_request(const mcp_request_t *r, str_t method)
{
    const mcp_message_t *m = &r->operation.message;
    return m->kind == MCP_REQUEST && (!method.p || str_eq(m->method, method));
}

/* A session that is named must be live and the caller's own; initialize opens a new one. None has
 * to be named: each request bears its token, and what needs no client's capabilities needs no
 * session. */
static mcp_error_t find_session(mcp_request_t *r)
{
    str_t id;
    if (r->operation.era == MCP_ERA_STATELESS)
        return MCP_NO_ERROR;
    mcp_error_t e = mcp_rule_session(r->x->headers, &id);
    if (e != MCP_NO_ERROR || is_request(r, STR("initialize")))
        return e;
    return id.p ? mcp_http_request_session(r, id) : MCP_NO_ERROR;
}

static mcp_error_t check(mcp_request_t *r)
{
    mcp_error_t e = find_session(r);
    if (e != MCP_NO_ERROR || !is_request(r, STR_UNSET))
        return e;
    /* What is under way may end: answers to its questions still come in. */
    if (r->worker->draining)
        return MCP_ERROR_BUSY;
    if (is_request(r, STR("subscriptions/listen")) && !r->takes_stream)
        return MCP_ERROR_NOT_ACCEPTABLE;
    r->outbox = mcp_outbox_new(r->session != NULL);
    return r->outbox ? MCP_NO_ERROR : MCP_ERROR_BUSY;
}

static rc_t open_session(mcp_request_t *r)
{
    mcp_session_t *s = NULL;
    const json_t *c = json_get(r->operation.message.params, STR("capabilities"));
    TRY(mcp_session_open(r->h->sessions, &r->principal, r->operation.version,
                         c ? c->raw : STR_UNSET, &s));
    r->answer.session = arena_dup(r->x->arena, mcp_session_id(s));
    mcp_session_drop(s);
    return r->answer.session.p ? RC_OK : RC_MEMORY;
}

static mcp_error_t error_of_open(rc_t rc)
{
    switch (rc) {
    case RC_OK:
        return MCP_NO_ERROR;
    case RC_BUSY:
        return MCP_ERROR_BUSY;
    case RC_LIMIT:
        return MCP_ERROR_TOO_LARGE;
    default:
        return MCP_ERROR_INTERNAL;
    }
}

static void refuse_message(mcp_request_t *r, mcp_error_t e)
{
    mcp_verdict_t v = mcp_server_refuse(r->call, &r->operation, e);
    mcp_http_answer_verdict(r, &v);
}

static void answer(mcp_request_t *r, const mcp_verdict_t *v)
{
    mcp_error_t e = v->opens ? error_of_open(open_session(r)) : MCP_NO_ERROR;
    if (e != MCP_NO_ERROR)
        refuse_message(r, e);
    else
        mcp_http_answer_verdict(r, v);
}

static void act(mcp_request_t *r, const mcp_verdict_t *v)
{
    if (v->kind == MCP_RUNNING) {
        mcp_stream_of_call(r);
        return;
    }
    mcp_outbox_drop(r->outbox);
    switch (v->kind) {
    case MCP_SCOPE:
        mcp_http_refuse_scope(r, v->needed, v->tool);
        return;
    case MCP_ACCEPTED:
        mcp_http_answer(r, 202, STR_UNSET);
        return;
    default:
        answer(r, v);
    }
}

static void handle(mcp_request_t *r, mcp_fields_t fields)
{
    mcp_incoming_t in = {
        .operation = &r->operation,
        .fields = fields,
        .has_fields = true,
        .who = r->caller,
        .session = r->session,
        .outbox = r->outbox,
        .back = r->worker->back,
    };
    mcp_verdict_t v = mcp_server_handle(r->call, &in);
    act(r, &v);
}

void mcp_http_post(mcp_request_t *r)
{
    mcp_fields_t fields = {NULL, 0};
    mcp_error_t e = mcp_rule_post(r->x->headers, r->x->media, &r->takes_stream);
    if (e == MCP_NO_ERROR)
        e = make_call(r);
    if (e != MCP_NO_ERROR) {
        mcp_http_refuse(r, e);
        return;
    }
    e = read_message(r, &fields);
    if (e == MCP_NO_ERROR)
        e = check(r);
    if (e != MCP_NO_ERROR)
        refuse_message(r, e);
    else
        handle(r, fields);
}
