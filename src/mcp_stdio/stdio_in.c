/* From a line of the host to the server. */
#include "mcp_stdio/stdio_state.h"

enum { REFUSAL_BYTES = 4096 };

/* An error without the arena of a call. `id` unset: no request could be read. */
static void refuse(mcp_stdio_t *s, str_t id, mcp_error_t e)
{
    arena_t *a = arena_new(REFUSAL_BYTES);
    str_t text = a ? mcp_error(a, id, e, STR_UNSET, STR_UNSET) : STR_UNSET;
    if (text.p)
        mcp_stdio_put(s, text);
    else
        s->failed = RC_MEMORY;
    arena_free(a);
}

/* What initialize said holds for the stream from now on. */
static mcp_error_t begin_session(mcp_stdio_t *s, const mcp_operation_t *op)
{
    const json_t *capabilities = json_get(op->message.params, STR("capabilities"));
    switch (
        mcp_session_begin(s->session, op->version, capabilities ? capabilities->raw : STR_UNSET)) {
    case RC_OK:
        return MCP_NO_ERROR;
    case RC_CONFLICT:
        return MCP_ERROR_INITIALIZED_TWICE;
    case RC_LIMIT:
        return MCP_ERROR_TOO_LARGE;
    default:
        return MCP_ERROR_INTERNAL;
    }
}

static void answer(mcp_stdio_t *s, const mcp_operation_t *op, const mcp_verdict_t *v)
{
    /* Notifications and responses are not answered, not even with an error (JSON-RPC 2.0, 4.1). */
    if (op->message.kind != MCP_REQUEST)
        return;
    if (v->body.p)
        mcp_stdio_put(s, v->body);
    else
        refuse(s, op->message.id, MCP_ERROR_INTERNAL);
}

static void refuse_read(mcp_stdio_t *s, warder_mcp_call_t *call, const mcp_operation_t *op,
                        mcp_error_t e)
{
    mcp_verdict_t v = mcp_server_refuse(call, op, e);
    answer(s, op, &v);
}

/* The call goes on; nobody could be told of its end without a lane. */
static void run(mcp_stdio_t *s, warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    if (mcp_lane_open(s, call, in->outbox, in->operation) == RC_OK)
        return;
    mcp_call_cancel(call);
    refuse(s, in->operation->message.id, MCP_ERROR_INTERNAL);
}

static void act(mcp_stdio_t *s, warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    const mcp_operation_t *op = in->operation;
    mcp_verdict_t v = mcp_server_handle(call, in);
    mcp_error_t e = v.opens ? begin_session(s, op) : MCP_NO_ERROR;
    if (e != MCP_NO_ERROR)
        refuse_read(s, call, op, e);
    else if (v.kind == MCP_RUNNING)
        run(s, call, in);
    else if (v.kind != MCP_ACCEPTED)
        answer(s, op, &v);
}

static void hand_in(mcp_stdio_t *s, warder_mcp_call_t *call, mcp_operation_t *op)
{
    const mcp_version_t *agreed = mcp_session_version(s->session);
    if (op->era == MCP_ERA_HANDSHAKE && agreed && !str_eq(op->message.method, STR("initialize")))
        op->version = agreed;
    mcp_incoming_t in = {.operation = op,
                         .who = {.everything = true},
                         .session = s->session,
                         .outbox = mcp_outbox_new(false),
                         .back = mcp_posts_port(s->posts)};
    if (in.outbox)
        act(s, call, &in);
    else
        refuse_read(s, call, op, MCP_ERROR_INTERNAL);
    mcp_outbox_drop(in.outbox);
}

/* The same in both eras: one channel, so the id says which (2026-07-28, stdio, "Cancellation"). */
static bool is_cancel(mcp_stdio_t *s, const mcp_operation_t *op)
{
    if (op->message.kind != MCP_NOTIFICATION ||
        !str_eq(op->message.method, STR("notifications/cancelled")))
        return false;
    const json_t *id = json_get(op->message.params, STR("requestId"));
    if (id)
        mcp_lane_cancel(s, id->raw);
    return true;
}

static str_t id_of(mcp_id_scan_t *scan, str_t text)
{
    mcp_id_scan(scan, text);
    return mcp_id_scanned(scan);
}

static void take_message(mcp_stdio_t *s, warder_mcp_call_t *call, str_t line)
{
    rc_t rc;
    mcp_operation_t *op = ARENA_NEW(mcp_call_arena(call), mcp_operation_t);
    str_t kept = arena_dup(mcp_call_arena(call), line);
    if (!op || !kept.p) {
        refuse(s, STR_UNSET, MCP_ERROR_INTERNAL);
        return;
    }
    mcp_error_t e = mcp_operation_read_line(mcp_call_arena(call), kept, op, &rc);
    if (e == MCP_ERROR_TOO_LARGE) /* it has more values than are read */
        refuse(s, id_of(&(mcp_id_scan_t){0}, kept), e);
    else if (e != MCP_NO_ERROR)
        refuse_read(s, call, op, e);
    else if (is_cancel(s, op))
        return;
    else if (op->message.kind == MCP_REQUEST && s->lane_count >= MCP_STDIO_OPEN)
        refuse_read(s, call, op, MCP_ERROR_BUSY);
    else
        hand_in(s, call, op);
}

static void take_line(mcp_stdio_t *s, str_t line)
{
    warder_mcp_call_t *call = mcp_call_new(s->m);
    if (!call) {
        refuse(s, STR_UNSET, MCP_ERROR_INTERNAL);
        return;
    }
    take_message(s, call, line);
    mcp_call_drop(call);
}

static void take_step(mcp_stdio_t *s, mcp_line_step_t step, str_t line)
{
    if (step == MCP_LINE_WHOLE)
        take_line(s, line);
    else if (step == MCP_LINE_TOO_LONG)
        refuse(s, line, MCP_ERROR_TOO_LARGE);
    else if (step == MCP_LINE_LOST)
        refuse(s, STR_UNSET, MCP_ERROR_INTERNAL);
}

void mcp_stdio_take(mcp_stdio_t *s, str_t piece)
{
    mcp_line_step_t step;
    str_t line = STR_UNSET;
    while ((step = mcp_line_next(&s->line, &piece, &line)) != MCP_LINE_MORE)
        take_step(s, step, line);
}

void mcp_stdio_take_last(mcp_stdio_t *s)
{
    str_t line = STR_UNSET;
    take_step(s, mcp_line_last(&s->line, &line), line);
}
