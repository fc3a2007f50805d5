/* The end of a call: its answer is made, the call is written down, and only then the answer goes
 * out. */
#include "mcp_server/life.h"
#include "mcp_server/said.h"

enum { FRAME_BYTES = 64 << 10, SPARE_BYTES = 2 * MCP_SAID_BYTES + FRAME_BYTES };

/* What a call comes to: a result, or an error of the protocol. */
typedef struct {
    str_t result; /* its members, JSON object; unset: an error */
    int code, status, retry_after_s;
    str_t sentence, data; /* data: JSON or unset */
    str_t needed;
    str_t reason;
} ending_t;

static ending_t error_of(mcp_error_t e)
{
    const mcp_error_row_t *row = mcp_error_row(e);
    return (ending_t){.code = row->code,
                      .status = row->status,
                      .retry_after_s = row->status == 503 ? 1 : 0,
                      .sentence = row->sentence,
                      .reason = row->reason};
}

/* The exchange itself is sound, so it is HTTP 200: of other statuses clients tell their callers
 * that the transport has failed, and lose the error. */
static ending_t broken(void)
{
    ending_t e = error_of(MCP_ERROR_INTERNAL);
    e.status = 200;
    return e;
}

static ending_t result_of(str_t result, str_t reason)
{
    if (!result.p)
        return broken();
    return (ending_t){.result = result, .status = 200, .reason = reason};
}

static bool is_tool(const warder_mcp_call_t *call)
{
    return call->entry->kind == MCP_TOOL && !str_is_set(call->completing);
}

/* In words for a model where a tool's result can hold them; clients of 2026-07-28 have a code. */
static ending_t missing(warder_mcp_call_t *call)
{
    const char *path = call->questions.missing;
    bool stateless = call->op.era == MCP_ERA_STATELESS;
    str_t sentence = arena_printf(
        call->spare, "This needs the client's capability %s, which it has not declared.", path);
    if (is_tool(call) && !stateless) {
        mcp_said_reset(call);
        warder_mcp_error(call, sentence.p ? sentence.p : "");
        return result_of(mcp_call_result(call), STR("missing_capability"));
    }
    ending_t e = error_of(MCP_ERROR_MISSING_CAPABILITY);
    e.status = stateless ? e.status : 200;
    e.data = stateless ? mcp_capability_needed(call->spare, path) : STR_UNSET;
    if (sentence.p)
        e.sentence = sentence;
    return e;
}

static ending_t lacking_scope(warder_mcp_call_t *call)
{
    ending_t e = error_of(MCP_ERROR_INSUFFICIENT_SCOPE);
    str_t sentence =
        arena_printf(call->spare, "This needs the scope %" PRIstr ".", STR_ARG(call->said.needed));
    e.needed = call->said.needed;
    if (sentence.p)
        e.sentence = sentence;
    return e;
}

static ending_t own_error(const warder_mcp_call_t *call)
{
    return (ending_t){.code = call->said.error_code,
                      .status = 200,
                      .sentence = call->said.error_message.p ? call->said.error_message : STR(""),
                      .data = call->said.error_data,
                      .reason = STR("protocol_error")};
}

static ending_t refused(warder_mcp_call_t *call)
{
    ending_t e = error_of(call->ends);
    if (call->ends != MCP_ERROR_QUESTION_REFUSED)
        return e;
    str_t sentence = arena_printf(call->spare, "The client refused %" PRIstr ".",
                                  STR_ARG(call->questions.refused));
    if (sentence.p)
        e.sentence = sentence;
    return e;
}

/* What clients are not told. */
static ending_t internal(const warder_mcp_call_t *call)
{
    LOG(call->m->world.log, LOG_ERROR, "a function failed", LOG_S("name", call->op.name),
        LOG_S("failure", str_c(rc_name(call->said.failed))));
    return broken();
}

/* The error that a task came to. */
static ending_t error_in(warder_mcp_call_t *call, str_t body)
{
    const json_t *root;
    int64_t code = 0;
    if (json_parse(call->arena, body, &MCP_SAID_LIMITS, &root) != RC_OK ||
        !json_get_i64(root, STR("code"), &code))
        return broken();
    const json_t *data = json_get(root, STR("data"));
    return (ending_t){.code = (int)code,
                      .status = 200,
                      .sentence = json_get_str(root, STR("message")),
                      .data = data ? data->raw : STR_UNSET,
                      .reason = STR("protocol_error")};
}

/* "Exactly what the underlying request would have returned" (2025-11-25, Tasks, "Result
 * Retrieval"). */
static ending_t outcome(warder_mcp_call_t *call)
{
    mcp_task_status_t status;
    str_t body;
    if (!mcp_task_outcome(call->m->tasks, call->awaits, call->arena, &status, &body))
        return error_of(MCP_ERROR_UNKNOWN_TASK);
    if (status == MCP_TASK_CANCELLED)
        return error_of(MCP_ERROR_TASK_CANCELLED);
    return status == MCP_TASK_FAILED ? error_in(call, body) : result_of(body, STR("ok"));
}

static ending_t decide(warder_mcp_call_t *call, warder_mcp_next_t next)
{
    if (call->ends != MCP_NO_ERROR)
        return refused(call);
    if (call->awaits)
        return outcome(call);
    if (next == WARDER_MCP_FAIL || call->said.failed != RC_OK)
        return internal(call);
    if (str_is_set(call->said.needed))
        return lacking_scope(call);
    if (next == WARDER_MCP_ASK && call->questions.missing)
        return missing(call);
    if (next == WARDER_MCP_ASK)
        return result_of(mcp_questions_result(call), STR("input_required"));
    if (call->said.error_code != 0)
        return own_error(call);
    return result_of(mcp_call_result(call), call->said.is_error ? STR("tool_error") : STR("ok"));
}

static void write_error(json_writer_t *w, const ending_t *e)
{
    json_begin_object(w);
    json_member_int(w, STR("code"), e->code);
    json_member_str(w, STR("message"), e->sentence);
    if (e->data.p) {
        json_key(w, STR("data"));
        json_raw(w, e->data);
    }
    json_end_object(w);
}

static str_t error_text(warder_mcp_call_t *call, const ending_t *e)
{
    str_t out;
    buf_t b = buf_new(call->spare, MCP_SAID_BYTES + FRAME_BYTES);
    json_writer_t w = json_writer(&b);
    if (call->task) {
        write_error(&w, e);
    } else {
        json_begin_object(&w);
        json_member_str(&w, STR("jsonrpc"), STR("2.0"));
        json_key(&w, STR("id"));
        json_raw(&w, call->op.message.id);
        json_key(&w, STR("error"));
        write_error(&w, e);
        json_end_object(&w);
    }
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

/* What a task comes to is shown by tasks/get, without an envelope. */
static str_t text_of(warder_mcp_call_t *call, const ending_t *e)
{
    if (!e->result.p)
        return error_text(call, e);
    return call->task ? e->result : mcp_answer_result(call, e->result).body;
}

static void set_answer(warder_mcp_call_t *call, const ending_t *e)
{
    call->answer = (mcp_out_t){.kind = MCP_OUT_ANSWER,
                               .text = text_of(call, e),
                               .status = e->status,
                               .needed = e->needed,
                               .retry_after_s = e->retry_after_s};
    call->ends_well = e->result.p != NULL;
}

/* Without memory even for an error the stream ends without an answer. */
static str_t make_answer(warder_mcp_call_t *call, warder_mcp_next_t next)
{
    if (atomic_load(&call->cancelled))
        return STR("cancelled");
    call->spare = arena_new(SPARE_BYTES);
    if (!call->spare)
        return STR("internal_error");
    ending_t e = decide(call, next);
    set_answer(call, &e);
    if (call->answer.text.p)
        return e.reason;
    e = broken();
    set_answer(call, &e);
    return e.reason;
}

/* Going out */

static void deliver_task(warder_mcp_call_t *call)
{
    mcp_task_status_t status = call->ends_well ? MCP_TASK_COMPLETED : MCP_TASK_FAILED;
    if (call->ends_well && call->said.is_error && call->op.era == MCP_ERA_HANDSHAKE)
        status = MCP_TASK_FLAWED;
    if (atomic_load(&call->cancelled))
        status = MCP_TASK_CANCELLED;
    mcp_task_set(call->m->tasks, call->task, status, call->answer.text);
    mcp_task_wake(call->m->tasks, call->task);
}

static void deliver(warder_mcp_call_t *call, mcp_outbox_t *outbox)
{
    if (call->task) {
        deliver_task(call);
        return;
    }
    bool some = call->answer.text.p && !atomic_load(&call->cancelled);
    if (!some || mcp_outbox_put(outbox, &call->answer) != RC_OK)
        mcp_outbox_end(outbox);
}

/* On whatever thread the trail has: nothing here needs the transport's, which may be gone. */
static void on_recorded(void *arg, bool durable)
{
    warder_mcp_call_t *call = arg;
    mcp_call_state_t from;
    if (!life_step(call, MCP_CALL_RECORDED, &from))
        return;
    if (!durable && call->answer.text.p) {
        ending_t e = error_of(MCP_ERROR_NOT_RECORDED);
        set_answer(call, &e);
    }
    mcp_outbox_t *outbox;
    life_leave(call, &outbox);
    deliver(call, outbox);
    mcp_outbox_drop(outbox);
    life_over(call);
}

static rc_t post_here(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
    return RC_OK;
}

static void record(warder_mcp_call_t *call, str_t reason)
{
    static const post_port_t HERE = {post_here, NULL};
    const mcp_audit_port_t *audit = &call->m->world.audit;
    bool allowed = !str_eq(reason, STR("insufficient_scope"));
    audit_event_t *e = &call->event;
    *e = mcp_server_event(call->m, &call->who, AUDIT_TOOL_CALL, allowed, reason);
    e->method = call->op.message.method;
    if (call->op.object == MCP_ON_TOOL)
        e->tool = call->op.name;
    else
        e->object = call->op.name;
    e->duration_us = clock_micros() - call->began_us;
    if (audit->record)
        audit->record(audit->ctx, HERE, e, on_recorded, call);
    else
        on_recorded(call, true);
}

void life_end(warder_mcp_call_t *call, warder_mcp_next_t next)
{
    record(call, make_answer(call, next));
}

void life_refuse(warder_mcp_call_t *call)
{
    mcp_call_state_t from;
    mcp_outbox_t *outbox;
    life_step(call, MCP_CALL_RETURNS, &from);
    life_step(call, MCP_CALL_RECORDED, &from);
    life_leave(call, &outbox);
    mcp_outbox_drop(outbox);
    life_over(call);
}
