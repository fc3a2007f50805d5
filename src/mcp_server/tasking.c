/* The methods of tasks. */
#include "mcp_server/server_state.h"

enum { TASK_BYTES = 9 << 20 }; /* a task with the largest result */

/* Of a task the client may have more than one token, and a later one may cover less. */
static bool may_use(warder_mcp_call_t *call, str_t id, mcp_verdict_t *v)
{
    str_t scope;
    const mcp_principal_t who = mcp_caller_principal(&call->who);
    bool known = mcp_task_scope(call->m->tasks, id, &who, call->arena, &scope);
    if (known && mcp_server_grants(call->m, &call->who, scope))
        return true;
    *v = known ? mcp_refuse_scope(call, scope) : mcp_refuse(call, MCP_ERROR_UNKNOWN_TASK);
    return false;
}

/* The id that is asked for. False: *v refuses. Clients declare the extension with each request
 * (SEP-2663, "Capability Negotiation"). */
static bool read_id(warder_mcp_call_t *call, str_t *id, mcp_verdict_t *v)
{
    *id = json_get_str(call->op.message.params, STR("taskId"));
    if (mcp_call_has_tasks(call) && id->p)
        return may_use(call, *id, v);
    *v = id->p || !mcp_call_has_tasks(call) ? mcp_refuse_without_tasks(call)
                                            : mcp_refuse(call, MCP_ERROR_BAD_TASK_ID);
    return false;
}

mcp_verdict_t mcp_do_task_get(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_t id, result;
    mcp_verdict_t v;
    mcp_principal_t who = mcp_caller_principal(&call->who);
    (void)in;
    if (!read_id(call, &id, &v))
        return v;
    buf_t b = buf_new(call->arena, TASK_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    if (!mcp_task_show(call->m->tasks, id, &who, &w))
        return mcp_refuse(call, MCP_ERROR_UNKNOWN_TASK);
    json_end_object(&w);
    return mcp_answer_result(call, buf_done(&b, &result) == RC_OK ? result : STR_UNSET);
}

/* Each answer is the result of a request, so an object. */
static bool are_objects(const json_t *responses)
{
    if (!json_is(responses, JSON_OBJECT))
        return false;
    for (const json_t *r = responses->child; r; r = r->next) {
        if (!json_is(r, JSON_OBJECT))
            return false;
    }
    return true;
}

mcp_verdict_t mcp_do_task_update(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_t id;
    mcp_verdict_t v;
    warder_mcp_call_t *task;
    mcp_principal_t who = mcp_caller_principal(&call->who);
    const json_t *responses = json_get(call->op.message.params, STR("inputResponses"));
    (void)in;
    if (!read_id(call, &id, &v))
        return v;
    if (!are_objects(responses))
        return mcp_refuse(call, MCP_ERROR_BAD_INPUT_RESPONSES);
    if (!mcp_task_call(call->m->tasks, id, &who, &task))
        return mcp_refuse(call, MCP_ERROR_UNKNOWN_TASK);
    for (const json_t *r = responses->child; task && r; r = r->next)
        mcp_call_answered(task, r->key, r);
    if (task)
        mcp_call_drop(task);
    return mcp_answer_result(call, STR("{}"));
}

mcp_verdict_t mcp_do_task_cancel(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_t id;
    mcp_verdict_t v;
    warder_mcp_call_t *task;
    mcp_principal_t who = mcp_caller_principal(&call->who);
    (void)in;
    if (!read_id(call, &id, &v))
        return v;
    if (!mcp_task_cancel(call->m->tasks, id, &who, &task))
        return mcp_refuse(call, MCP_ERROR_UNKNOWN_TASK);
    if (task) {
        mcp_call_abort(task);
        mcp_call_drop(task);
    }
    return mcp_answer_result(call, STR("{}"));
}
