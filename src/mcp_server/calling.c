/* Methods that run a function of the owner: tools/call, resources/read, prompts/get, completion. */
#include "mcp_server/rates.h"
#include "mcp_server/server_state.h"

enum {
    WORK_BYTES = 6 * MCP_MESSAGE_BYTES, /* arguments of a template, each byte escaped */
    SENTENCE_BYTES = 16 << 10,
};

static const json_t NO_ARGUMENTS = {
    .type = JSON_OBJECT, .raw = STR_INIT("{}"), .str = {NULL, 0}, .key = {NULL, 0}};

static bool is_stateless(const warder_mcp_call_t *call)
{
    return call->op.era == MCP_ERA_STATELESS;
}

static str_t text_of(const buf_t *b)
{
    str_t out;
    return buf_done(b, &out) == RC_OK ? out : STR_UNSET;
}

/* ---- what all have in common ---- */

/* How often the principal calls. False: *v refuses. */
static bool take_rate(warder_mcp_call_t *call, mcp_verdict_t *v)
{
    uint32_t retry_after_s = 0;
    mcp_principal_t who = mcp_caller_principal(&call->who);
    if (mcp_calls_take(call->m->rates, call->arena, &who, &retry_after_s))
        return true;
    *v = mcp_refuse(call, MCP_ERROR_TOO_MANY_CALLS);
    v->retry_after_s = (int)retry_after_s;
    return false;
}

/* Scope first: who may not call learns nothing about arguments. False: *v refuses. */
static bool may_call(warder_mcp_call_t *call, mcp_verdict_t *v)
{
    if (!mcp_server_grants(call->m, &call->who, call->entry->scope)) {
        *v = mcp_refuse_scope(call, call->entry->scope);
        return false;
    }
    return take_rate(call, v);
}

static mcp_verdict_t begin(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    mcp_error_t e = mcp_call_begin(call, in);
    if (e != MCP_NO_ERROR)
        return mcp_refuse(call, e);
    return (mcp_verdict_t){.kind = MCP_RUNNING, .body = STR_UNSET, .needed = STR_UNSET};
}

/* ---- tools/call ---- */

/* Models mend what they are told of, so a misfit is a result (2025-11-25, Tools, "Error Handling").
 */
static mcp_verdict_t answer_misfit(warder_mcp_call_t *call, str_t sentence)
{
    buf_t b = buf_new(call->arena, SENTENCE_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("content"));
    json_begin_array(&w);
    json_begin_object(&w);
    json_member_str(&w, STR("type"), STR("text"));
    json_member_str(&w, STR("text"), sentence);
    json_end_object(&w);
    json_end_array(&w);
    json_member_bool(&w, STR("isError"), true);
    json_end_object(&w);
    mcp_verdict_t v = mcp_answer_result(call, text_of(&b));
    if (v.error == MCP_NO_ERROR)
        v.error = MCP_ERROR_INVALID_ARGUMENTS;
    return v;
}

/* False: *v is the answer. */
static bool arguments_fit(warder_mcp_call_t *call, mcp_verdict_t *v)
{
    mcp_schema_fault_t fault = {.sentence = STR_UNSET};
    bool fits = false;
    rc_t rc = mcp_schema_check(call->arena, call->entry->input, call->arguments, &fits, &fault);
    if (rc == RC_OK && fits)
        return true;
    if (rc != RC_OK && rc != RC_LIMIT)
        *v = mcp_refuse(call, MCP_ERROR_INTERNAL);
    else if (call->wants_task) /* a result would be taken for the task */
        *v = mcp_answer_error(call, MCP_ERROR_INVALID_ARGUMENTS,
                              rc == RC_OK ? fault.sentence : STR_UNSET, STR_UNSET);
    else if (rc == RC_OK && fault.sentence.p)
        *v = answer_misfit(call, fault.sentence);
    else
        *v = answer_misfit(call, mcp_error_row(MCP_ERROR_INVALID_ARGUMENTS)->sentence);
    return false;
}

/* False: *v refuses. */
static bool tasks_fit(warder_mcp_call_t *call, mcp_verdict_t *v)
{
    bool only = call->entry->flags & WARDER_MCP_TASK_ONLY;
    bool may = only || (call->entry->flags & WARDER_MCP_TASK);
    if (is_stateless(call)) {
        if (!only || mcp_call_has_tasks(call))
            return true;
        *v = mcp_refuse_without_tasks(call);
        return false;
    }
    if (call->wants_task ? may : !only)
        return true;
    *v = mcp_refuse(call, only ? MCP_ERROR_TASKS_NEEDED : MCP_ERROR_TASKS_FORBIDDEN);
    return false;
}

/* Of servers that declare no tasks the member is not looked at (2025-11-25, Tasks, "Task Support
 * and Handling"). False: *v refuses. */
static bool read_task(warder_mcp_call_t *call, mcp_verdict_t *v)
{
    const json_t *task = json_get(call->op.message.params, STR("task"));
    const json_t *ttl = json_get(task, STR("ttl"));
    double ms = 0;
    if (is_stateless(call) || !task || !mcp_call_offers_tasks(call))
        return true;
    bool good = json_is(task, JSON_OBJECT) &&
                (!ttl || json_is(ttl, JSON_NULL) || json_f64(ttl, &ms)) && ms >= 0;
    call->wants_task = good;
    call->task_ms = ms < (double)INT32_MAX ? (int64_t)ms : INT32_MAX;
    if (!good)
        *v = mcp_refuse(call, MCP_ERROR_BAD_TASK);
    return good;
}

mcp_verdict_t mcp_do_call_tool(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    mcp_verdict_t v;
    if (!mcp_call_offers(call, MCP_TOOL))
        return mcp_refuse_method(call);
    call->entry = mcp_registry_find(call->registry, MCP_TOOL, call->op.name);
    if (!call->entry)
        return mcp_refuse(call, MCP_ERROR_UNKNOWN_TOOL);
    call->arguments = call->op.arguments ? call->op.arguments : &NO_ARGUMENTS;
    if (!may_call(call, &v))
        return v;
    mcp_error_t e = in->has_fields
                        ? mcp_params_check(call->arena, in->fields, call->entry->params, &call->op)
                        : MCP_NO_ERROR;
    if (e != MCP_NO_ERROR)
        return mcp_refuse(call, e);
    if (!read_task(call, &v) || !tasks_fit(call, &v) || !arguments_fit(call, &v))
        return v;
    return begin(call, in);
}

/* ---- resources/read ---- */

mcp_verdict_t mcp_refuse_resource(warder_mcp_call_t *call)
{
    mcp_error_t e = is_stateless(call) ? MCP_ERROR_UNKNOWN_RESOURCE : MCP_ERROR_RESOURCE_NOT_FOUND;
    buf_t b = buf_new(call->arena, 6 * MCP_NAME_BYTES + SENTENCE_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("uri"), call->op.name);
    json_end_object(&w);
    return mcp_answer_error(call, e, STR_UNSET, text_of(&b));
}

/* The values of a template's variables are the arguments of its function. NULL: no memory, or a
 * value that is no text. */
static const json_t *arguments_of(arena_t *a, const mcp_uri_template_t *t, const str_t *values)
{
    const json_t *out = NULL;
    buf_t b = buf_new(a, WORK_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    for (size_t i = 0; i < t->n; i++)
        json_member_str(&w, t->names[i], values[i]);
    json_end_object(&w);
    str_t text = text_of(&b);
    return text.p && json_parse(a, text, NULL, &out) == RC_OK ? out : NULL;
}

mcp_error_t mcp_call_find_resource(warder_mcp_call_t *call)
{
    str_t values[MCP_TEMPLATE_VARIABLES];
    rc_t rc;
    const mcp_entry_t *e =
        mcp_registry_resource(call->arena, call->registry, call->op.name, values, &rc);
    if (rc != RC_OK)
        return MCP_ERROR_INTERNAL;
    if (!e)
        return MCP_ERROR_UNKNOWN_RESOURCE;
    call->arguments = &NO_ARGUMENTS;
    if (e->kind == MCP_TEMPLATE)
        call->arguments = arguments_of(call->arena, &e->template, values);
    call->entry = e;
    return call->arguments ? MCP_NO_ERROR : MCP_ERROR_UNKNOWN_RESOURCE;
}

mcp_verdict_t mcp_do_read_resource(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    mcp_verdict_t v;
    if (!mcp_call_offers(call, MCP_RESOURCE))
        return mcp_refuse_method(call);
    mcp_error_t e = mcp_call_find_resource(call);
    if (e == MCP_ERROR_UNKNOWN_RESOURCE)
        return mcp_refuse_resource(call);
    if (e != MCP_NO_ERROR)
        return mcp_refuse(call, e);
    return may_call(call, &v) ? begin(call, in) : v;
}

/* ---- prompts/get ---- */

/* The first argument that is required and absent; NULL: none is. */
static const char *missing_argument(const mcp_entry_t *e, const json_t *arguments)
{
    for (size_t i = 0; i < e->argument_count; i++) {
        const warder_mcp_argument_t *a = &e->arguments[i];
        if (a->required && !json_get(arguments, str_c(a->name)))
            return a->name;
    }
    return NULL;
}

/* Arguments of prompts are strings (GetPromptRequestParams). */
static bool are_strings(const json_t *arguments)
{
    for (const json_t *m = arguments->child; m; m = m->next) {
        if (!json_is(m, JSON_STRING))
            return false;
    }
    return true;
}

static mcp_verdict_t refuse_missing(warder_mcp_call_t *call, const char *name)
{
    str_t sentence =
        arena_printf(call->arena, "The argument \"%s\" is required, and missing.", name);
    return mcp_answer_error(call, MCP_ERROR_MISSING_ARGUMENT, sentence, STR_UNSET);
}

mcp_verdict_t mcp_do_get_prompt(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    mcp_verdict_t v;
    if (!mcp_call_offers(call, MCP_PROMPT))
        return mcp_refuse_method(call);
    call->entry = mcp_registry_find(call->registry, MCP_PROMPT, call->op.name);
    if (!call->entry)
        return mcp_refuse(call, MCP_ERROR_UNKNOWN_PROMPT);
    call->arguments = call->op.arguments ? call->op.arguments : &NO_ARGUMENTS;
    if (!may_call(call, &v))
        return v;
    if (!are_strings(call->arguments))
        return mcp_answer_error(call, MCP_ERROR_BAD_ARGUMENTS,
                                STR("Arguments of prompts are strings."), STR_UNSET);
    const char *missing = missing_argument(call->entry, call->arguments);
    return missing ? refuse_missing(call, missing) : begin(call, in);
}

/* ---- completion/complete ---- */

/* Of a template by its text; a URI that it makes will do. */
static mcp_error_t find_completed(warder_mcp_call_t *call)
{
    if (call->op.object == MCP_ON_PROMPT) {
        call->entry = mcp_registry_find(call->registry, MCP_PROMPT, call->op.name);
        return call->entry ? MCP_NO_ERROR : MCP_ERROR_UNKNOWN_PROMPT;
    }
    call->entry = mcp_registry_find(call->registry, MCP_TEMPLATE, call->op.name);
    return call->entry ? MCP_NO_ERROR : mcp_call_find_resource(call);
}

static bool has_argument(const mcp_entry_t *e, str_t name)
{
    if (e->kind == MCP_TEMPLATE)
        return str_list_has((str_list_t){e->template.names, e->template.n}, name);
    for (size_t i = 0; i < e->argument_count; i++) {
        if (str_eq(str_c(e->arguments[i].name), name))
            return true;
    }
    return false;
}

/* What is completed, and what is known already. */
static mcp_error_t read_completion(warder_mcp_call_t *call)
{
    const json_t *params = call->op.message.params;
    const json_t *argument = json_get(params, STR("argument"));
    const json_t *known = json_get(json_get(params, STR("context")), STR("arguments"));
    call->completing = json_get_str(argument, STR("name"));
    call->partial = json_get_str(argument, STR("value"));
    call->arguments = known ? known : &NO_ARGUMENTS;
    bool good = call->completing.p && call->partial.p && json_is(call->arguments, JSON_OBJECT) &&
                are_strings(call->arguments);
    return good ? MCP_NO_ERROR : MCP_ERROR_BAD_COMPLETION;
}

static mcp_verdict_t complete(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    mcp_error_t e = read_completion(call);
    if (e != MCP_NO_ERROR)
        return mcp_refuse(call, e);
    if (call->entry->kind == MCP_RESOURCE || !call->entry->complete)
        return mcp_answer_result(
            call, STR("{\"completion\":{\"values\":[],\"total\":0,\"hasMore\":false}}"));
    if (!has_argument(call->entry, call->completing))
        return mcp_answer_error(call, MCP_ERROR_BAD_COMPLETION, STR("There is no such argument."),
                                STR_UNSET);
    return begin(call, in);
}

mcp_verdict_t mcp_do_complete(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    mcp_verdict_t v;
    if (!mcp_registry_completes(call->registry))
        return mcp_refuse_method(call);
    mcp_error_t e = find_completed(call);
    if (e == MCP_ERROR_UNKNOWN_RESOURCE)
        return mcp_refuse_resource(call);
    if (e != MCP_NO_ERROR)
        return mcp_refuse(call, e);
    return may_call(call, &v) ? complete(call, in) : v;
}
