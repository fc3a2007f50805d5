/* Answers as JSON-RPC messages, with what every result has. */
#include "mcp_server/server_state.h"

enum { FRAME_BYTES = 256 };

static str_t text_of(const buf_t *b)
{
    str_t out;
    return buf_done(b, &out) == RC_OK ? out : STR_UNSET;
}

/* A call that ends may have used up its own arena. */
static arena_t *room_of(const warder_mcp_call_t *call)
{
    return call->spare ? call->spare : call->arena;
}

static str_t tool_of(const warder_mcp_call_t *call)
{
    return call->op.object == MCP_ON_TOOL ? call->op.name : STR_UNSET;
}

static mcp_verdict_t answer(warder_mcp_call_t *call, int status, str_t body, mcp_error_t e)
{
    return (mcp_verdict_t){.kind = MCP_ANSWERED,
                           .status = status,
                           .body = body,
                           .needed = STR_UNSET,
                           .error = e,
                           .tool = tool_of(call)};
}

mcp_verdict_t mcp_answer_error(warder_mcp_call_t *call, mcp_error_t e, str_t sentence, str_t data)
{
    str_t body = mcp_error(room_of(call), call->op.message.id, e, sentence, data);
    return answer(call, mcp_error_row(e)->status, body, e);
}

mcp_verdict_t mcp_refuse(warder_mcp_call_t *call, mcp_error_t e)
{
    return mcp_answer_error(call, e, STR_UNSET, STR_UNSET);
}

mcp_verdict_t mcp_refuse_method(warder_mcp_call_t *call)
{
    bool stateless = call->op.era == MCP_ERA_STATELESS;
    return mcp_refuse(call, stateless ? MCP_ERROR_NO_SUCH_METHOD : MCP_ERROR_UNKNOWN_METHOD);
}

mcp_verdict_t mcp_refuse_scope(warder_mcp_call_t *call, str_t needed)
{
    mcp_verdict_t v = mcp_refuse(call, MCP_ERROR_INSUFFICIENT_SCOPE);
    v.kind = MCP_SCOPE;
    v.needed = needed;
    return v;
}

mcp_verdict_t mcp_refuse_without_tasks(warder_mcp_call_t *call)
{
    static const str_t DATA = STR_INIT("{\"requiredCapabilities\":{\"extensions\":{"
                                       "\"io.modelcontextprotocol/tasks\":{}}}}");
    return mcp_answer_error(call, MCP_ERROR_MISSING_CAPABILITY, STR_UNSET, DATA);
}

static bool is_method(const warder_mcp_call_t *call, str_t method)
{
    return str_eq(call->op.message.method, method);
}

/* Every result of the stateless era says what it is and, but for subscriptions/listen, whose _meta
 * is its own, who made it (2026-07-28, "ResultType", "Per-response protocol fields"). */
static str_t stateless_result(warder_mcp_call_t *call, str_t result)
{
    bool typed = str_starts(result, STR("{\"resultType\":"));
    bool named = !is_method(call, STR("subscriptions/listen"));
    bool whole = is_method(call, STR("server/discover"));
    str_t info = whole ? call->m->info_whole : call->m->info;
    str_t members = str_of(result.p + 1, result.n - 2);
    str_t said = call->said.meta_members;
    buf_t b = buf_new(room_of(call), result.n + info.n + said.n + FRAME_BYTES);
    buf_char(&b, '{');
    buf_put(&b, typed ? members : STR("\"resultType\":\"complete\""));
    if (named) {
        buf_put(&b, STR(",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"));
        buf_put(&b, info);
        if (said.n > 0)
            buf_char(&b, ',');
        buf_put(&b, said);
        buf_char(&b, '}');
    }
    if (!typed && members.n > 0) {
        buf_char(&b, ',');
        buf_put(&b, members);
    }
    buf_char(&b, '}');
    return text_of(&b);
}

mcp_verdict_t mcp_answer_result(warder_mcp_call_t *call, str_t result)
{
    if (result.n >= 2 && call->op.era == MCP_ERA_STATELESS)
        result = stateless_result(call, result);
    str_t body = result.n >= 2 ? mcp_result(room_of(call), call->op.message.id, result) : STR_UNSET;
    return body.p ? answer(call, 200, body, MCP_NO_ERROR) : mcp_refuse(call, MCP_ERROR_INTERNAL);
}
