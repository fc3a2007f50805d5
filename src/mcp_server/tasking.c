/* The methods of tasks: of the extension of 2026-07-28, and those of 2025-11-25. */
#include "mcp_server/server_state.h"

enum { TASK_BYTES = 9 << 20 }; /* a task with the largest result */

/* Of a task the client may have more than one token, and a later one may cover less. */
static bool may_use(warder_mcp_call_t *call, str_t id, mcp_verdict_t *v)
{
    str_t scope;
    const mcp_principal_t who = mcp_caller_principal(&call->who);
    bool known = mcp_task_scope(call->m->tasks, id, &who, call->op.era, call->arena, &scope);
    if (known && mcp_server_grants(call->m, &call->who, scope))
        return true;
    *v = known ? mcp_refuse_scope(call, scope) : mcp_refuse(call, MCP_ERROR_UNKNOWN_TASK);
    return false;
}

static bool is_stateless(const warder_mcp_call_t *call)
{
    return call->op.era == MCP_ERA_STATELESS;
}

static mcp_verdict_t without_tasks(warder_mcp_call_t *call)
{
    return is_stateless(call) ? mcp_refuse_without_tasks(call) : mcp_refuse_method(call);
}

/* The id that is asked for. False: *v refuses. Clients declare the extension with each request
 * (SEP-2663, "Capability Negotiation"). */
static bool read_id(warder_mcp_call_t *call, str_t *id, mcp_verdict_t *v)
{
    *id = json_get_str(call->op.message.params, STR("taskId"));
    if (mcp_call_has_tasks(call) && id->p)
        return may_use(call, *id, v);
    *v = mcp_call_has_tasks(call) ? mcp_refuse(call, MCP_ERROR_BAD_TASK_ID) : without_tasks(call);
    return false;
}

static mcp_verdict_t show(warder_mcp_call_t *call, str_t id)
{
    str_t result;
    mcp_principal_t who = mcp_caller_principal(&call->who);
    mcp_task_form_t form = is_stateless(call) ? MCP_TASK_WHOLE : MCP_TASK_PLAIN;
    buf_t b = buf_new(call->arena, TASK_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    if (!mcp_task_show(call->m->tasks, id, &who, form, &w))
        return mcp_refuse(call, MCP_ERROR_UNKNOWN_TASK);
    json_end_object(&w);
    return mcp_answer_result(call, buf_done(&b, &result) == RC_OK ? result : STR_UNSET);
}

mcp_verdict_t mcp_do_task_get(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_t id;
    mcp_verdict_t v;
    (void)in;
    return read_id(call, &id, &v) ? show(call, id) : v;
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

static void wake(warder_mcp_call_t *call, str_t id)
{
    const mcp_task_t *task = mcp_task_handle(call->arena, id);
    if (task)
        mcp_task_wake(call->m->tasks, task);
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
    bool ended = !task;
    if (task) {
        mcp_call_abort(task);
        mcp_call_drop(task);
        wake(call, id);
    }
    if (is_stateless(call))
        return mcp_answer_result(call, STR("{}"));
    return ended ? mcp_refuse(call, MCP_ERROR_TASK_ENDED) : show(call, id);
}

/* ---- 2025-11-25 alone ---- */

/* The first of them that the token covers what the tool needs of; all are shown at once, as nobody
 * has more than MCP_TASKS_PER_PRINCIPAL. */
static rc_t write_list(warder_mcp_call_t *call, json_writer_t *w)
{
    str_list_t ids;
    str_t scope;
    const mcp_principal_t who = mcp_caller_principal(&call->who);
    mcp_tasks_t *tasks = call->m->tasks;
    TRY(mcp_tasks_of(tasks, &who, call->op.era, call->arena, &ids));
    for (size_t i = 0; i < ids.n; i++) {
        if (!mcp_task_scope(tasks, ids.v[i], &who, call->op.era, call->arena, &scope) ||
            !mcp_server_grants(call->m, &call->who, scope))
            continue;
        json_begin_object(w);
        (void)mcp_task_show(tasks, ids.v[i], &who, MCP_TASK_PLAIN, w);
        json_end_object(w);
    }
    return RC_OK;
}

mcp_verdict_t mcp_do_task_list(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_t result;
    (void)in;
    if (!mcp_call_has_tasks(call) || !mcp_call_may_list_tasks(call))
        return mcp_refuse_method(call);
    if (json_get(call->op.message.params, STR("cursor"))) /* there is no second page */
        return mcp_refuse(call, MCP_ERROR_BAD_CURSOR);
    buf_t b = buf_new(call->arena, TASK_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("tasks"));
    json_begin_array(&w);
    rc_t rc = write_list(call, &w);
    json_end_array(&w);
    json_end_object(&w);
    if (rc == RC_OK)
        rc = buf_done(&b, &result);
    return mcp_answer_result(call, rc == RC_OK ? result : STR_UNSET);
}

static void result_over(warder_mcp_call_t *call)
{
    if (mcp_task_unawait(call->m->tasks, call))
        warder_mcp_finish(call, WARDER_MCP_DONE);
}

/* Waits without a thread; what it comes to is read when the call ends (end.c). */
static warder_mcp_next_t result_run(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    mcp_task_await_t how = mcp_task_await(call->m->tasks, call);
    if (how == MCP_TASK_IS_CROWDED)
        call->ends = MCP_ERROR_TOO_MUCH_WATCHED;
    if (how != MCP_TASK_IS_AWAITED)
        return WARDER_MCP_DONE;
    /* Cancelled in between: whoever did it saw nobody wait. */
    bool gone = warder_mcp_cancelled(call) && mcp_task_unawait(call->m->tasks, call);
    return gone ? WARDER_MCP_DONE : WARDER_MCP_LATER;
}

/* Who comes back for the answer needs what its tool needs. */
static const mcp_entry_t *result_entry(warder_mcp_call_t *call, str_t id)
{
    const mcp_principal_t who = mcp_caller_principal(&call->who);
    mcp_entry_t *e = ARENA_NEW(call->arena, mcp_entry_t);
    str_t scope;
    if (!e || !mcp_task_scope(call->m->tasks, id, &who, call->op.era, call->arena, &scope))
        return NULL;
    *e = (mcp_entry_t){.kind = MCP_KINDS,
                       .name = STR("tasks/result"),
                       .scope = scope,
                       .flags = WARDER_MCP_QUICK,
                       .run = result_run};
    return e;
}

mcp_verdict_t mcp_do_task_result(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_t id;
    mcp_verdict_t v;
    if (!read_id(call, &id, &v))
        return v;
    call->entry = result_entry(call, id);
    call->awaits = mcp_task_handle(call->arena, id);
    call->on_cancel = result_over;
    if (!call->entry || !call->awaits)
        return mcp_refuse(call, MCP_ERROR_INTERNAL);
    mcp_error_t e = mcp_call_begin(call, in);
    if (e != MCP_NO_ERROR)
        return mcp_refuse(call, e);
    return (mcp_verdict_t){.kind = MCP_RUNNING, .body = STR_UNSET, .needed = STR_UNSET};
}
