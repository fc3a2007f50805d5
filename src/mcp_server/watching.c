/* What clients want to hear of: levels of messages, resources/subscribe, subscriptions/listen. */
#include "core/limits.h"
#include "mcp_server/level.h"
#include "mcp_server/server_state.h"

enum { ACK_BYTES = 12 << 20 }; /* MCP_LISTEN_RESOURCES URIs of MCP_NAME_BYTES */

/* ---- logging/setLevel ---- */

/* What is remembered is remembered of a session. */
static mcp_verdict_t refuse_without_session(warder_mcp_call_t *call)
{
    return mcp_refuse(call, MCP_ERROR_SESSION_NEEDED);
}

mcp_verdict_t mcp_do_set_level(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    warder_mcp_level_t level;
    if (!in->session)
        return refuse_without_session(call);
    if (!mcp_level_read(json_get_str(call->op.message.params, STR("level")), &level))
        return mcp_refuse(call, MCP_ERROR_BAD_LEVEL);
    mcp_session_set_level(in->session, level);
    return mcp_answer_result(call, STR("{}"));
}

/* ---- resources/subscribe, resources/unsubscribe ---- */

mcp_verdict_t mcp_do_subscribe(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    if (!mcp_call_offers(call, MCP_RESOURCE))
        return mcp_refuse_method(call);
    if (!in->session)
        return refuse_without_session(call);
    mcp_error_t e = mcp_call_find_resource(call);
    if (e == MCP_ERROR_UNKNOWN_RESOURCE)
        return mcp_refuse_resource(call);
    if (e != MCP_NO_ERROR)
        return mcp_refuse(call, e);
    if (!mcp_server_grants(call->m, &call->who, call->entry->scope))
        return mcp_refuse_scope(call, call->entry->scope);
    rc_t rc = mcp_session_watch(in->session, call->op.name);
    if (rc != RC_OK)
        return mcp_refuse(call, rc == RC_LIMIT ? MCP_ERROR_TOO_MUCH_WATCHED : MCP_ERROR_INTERNAL);
    return mcp_answer_result(call, STR("{}"));
}

mcp_verdict_t mcp_do_unsubscribe(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    if (!mcp_call_offers(call, MCP_RESOURCE))
        return mcp_refuse_method(call);
    if (!in->session)
        return refuse_without_session(call);
    mcp_session_unwatch(in->session, call->op.name);
    return mcp_answer_result(call, STR("{}"));
}

/* ---- subscriptions/listen ---- */

/* The kinds of lists, by their member of the filter. */
static const struct {
    str_t member;
    mcp_changed_t what;
    mcp_kind_t kind;
} LISTS[] = {
    {STR_INIT("toolsListChanged"), MCP_CHANGED_TOOLS, MCP_TOOL},
    {STR_INIT("promptsListChanged"), MCP_CHANGED_PROMPTS, MCP_PROMPT},
    {STR_INIT("resourcesListChanged"), MCP_CHANGED_RESOURCES, MCP_RESOURCE},
};

static bool may_watch(warder_mcp_call_t *call, str_t uri)
{
    str_t values[MCP_TEMPLATE_VARIABLES];
    rc_t rc;
    const mcp_entry_t *e = mcp_registry_resource(call->arena, call->registry, uri, values, &rc);
    return e && mcp_server_grants(call->m, &call->who, e->scope);
}

static bool may_follow(warder_mcp_call_t *call, str_t id)
{
    str_t scope;
    mcp_principal_t who = mcp_caller_principal(&call->who);
    return mcp_task_scope(call->m->tasks, id, &who, call->op.era, call->arena, &scope) &&
           mcp_server_grants(call->m, &call->who, scope);
}

/* Those of `asked` that may be had, in `a`. */
static rc_t choose(warder_mcp_call_t *call, str_list_t asked,
                   bool (*good)(warder_mcp_call_t *call, str_t one), str_list_t *out)
{
    str_t *v = ARENA_ARRAY(call->arena, asked.n + 1, str_t);
    *out = (str_list_t){v, 0};
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < asked.n; i++) {
        if (good(call, asked.v[i]))
            v[out->n++] = asked.v[i];
    }
    return RC_OK;
}

static rc_t read_task_ids(warder_mcp_call_t *call, const json_t *list, str_list_t *out)
{
    *out = (str_list_t){NULL, 0};
    if (!list)
        return RC_OK;
    if (!json_is(list, JSON_ARRAY) || list->count > MCP_TASKS_PER_PRINCIPAL)
        return RC_MALFORMED;
    str_t *v = ARENA_ARRAY(call->arena, list->count + 1, str_t);
    if (!v)
        return RC_MEMORY;
    *out = (str_list_t){v, list->count};
    for (const json_t *id = list->child; id; id = id->next) {
        if (!json_is(id, JSON_STRING))
            return RC_MALFORMED;
        *v++ = id->str;
    }
    return RC_OK;
}

/* What of the filter is honored: what there is, and what the token may see. */
static rc_t read_wanted(warder_mcp_call_t *call, const json_t *filter, mcp_listening_t *what)
{
    str_list_t ids;
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++) {
        bool on = false;
        if (json_get_bool(filter, LISTS[i].member, &on) && on &&
            mcp_call_offers(call, LISTS[i].kind))
            what->wants |= LISTS[i].what;
    }
    TRY(choose(call, call->op.resources, may_watch, &what->uris));
    TRY(read_task_ids(call, json_get(filter, STR("taskIds")), &ids));
    TRY(choose(call, ids, may_follow, &what->tasks));
    what->wants |= what->uris.n > 0 ? MCP_CHANGED_RESOURCE : 0;
    what->wants |= what->tasks.n > 0 ? MCP_CHANGED_TASK : 0;
    return RC_OK;
}

static void write_subscription(json_writer_t *w, str_t id)
{
    json_key(w, STR("_meta"));
    json_begin_object(w);
    json_key(w, STR("io.modelcontextprotocol/subscriptionId"));
    json_raw(w, id);
    json_end_object(w);
}

static void write_honored(json_writer_t *w, const mcp_listening_t *what)
{
    json_key(w, STR("notifications"));
    json_begin_object(w);
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++) {
        if (what->wants & LISTS[i].what)
            json_member_bool(w, LISTS[i].member, true);
    }
    if (what->uris.n > 0)
        json_member_strs(w, STR("resourceSubscriptions"), what->uris);
    if (what->tasks.n > 0)
        json_member_strs(w, STR("taskIds"), what->tasks);
    json_end_object(w);
}

/* A notification of the subscription; `what` NULL leaves its filter out. Unset without memory. */
static str_t note(arena_t *a, str_t method, str_t id, const mcp_listening_t *what)
{
    str_t out;
    buf_t b = buf_new(a, ACK_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    json_member_str(&w, STR("method"), method);
    json_key(&w, STR("params"));
    json_begin_object(&w);
    write_subscription(&w, id);
    if (what) {
        write_honored(&w, what);
    } else {
        json_key(&w, STR("requestId"));
        json_raw(&w, id);
    }
    json_end_object(&w);
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

static void over(warder_mcp_call_t *call)
{
    if (mcp_listeners_remove(call->m->listeners, &call->listener))
        warder_mcp_finish(call, WARDER_MCP_DONE);
}

/* The function of a subscription: it stands in its listener until somebody ends it. */
static warder_mcp_next_t listen_run(warder_mcp_call_t *call, void *ctx)
{
    (void)ctx;
    mcp_listening_t what = {.subscription = call->op.message.id,
                            .who = mcp_caller_principal(&call->who),
                            .outbox = call->outbox,
                            .call = call,
                            .slot = &call->listener};
    const json_t *filter = json_get(call->op.message.params, STR("notifications"));
    mcp_listeners_t *l = call->m->listeners;
    if (!call->outbox || read_wanted(call, filter, &what) != RC_OK)
        return WARDER_MCP_FAIL;
    what.ack = note(call->arena, STR("notifications/subscriptions/acknowledged"),
                    call->op.message.id, &what);
    if (!what.ack.p)
        return WARDER_MCP_FAIL;
    if (!mcp_listeners_add(l, &what)) {
        call->ends = MCP_ERROR_TOO_MUCH_WATCHED;
        return WARDER_MCP_DONE;
    }
    call->spoke = true;
    /* Cancelled in between: whoever did it saw no listener. */
    bool gone = warder_mcp_cancelled(call) && mcp_listeners_remove(l, &call->listener);
    return gone ? WARDER_MCP_DONE : WARDER_MCP_LATER;
}

static const mcp_entry_t LISTEN = {.kind = MCP_KINDS,
                                   .name = STR_INIT("subscriptions/listen"),
                                   .scope = {NULL, 0},
                                   .flags = WARDER_MCP_QUICK,
                                   .run = listen_run,
                                   .listed = {NULL, 0},
                                   .mime_type = {NULL, 0}};

/* A client that is told that its subscription was cancelled, and then that it is complete, knows
 * both rules (2026-07-28, Cancellation, "Behavior Requirements"; Subscriptions, "Graceful
 * Closure"). */
void mcp_listen_end(warder_mcp_call_t *call)
{
    arena_t *a = arena_new(4 * MCP_ID_BYTES + 4096);
    str_t text = a ? note(a, STR("notifications/cancelled"), call->op.message.id, NULL) : STR_UNSET;
    mcp_out_t out = {.kind = MCP_OUT_MESSAGE, .text = text, .needed = STR_UNSET};
    rc_t rc = text.p && call->outbox ? mcp_outbox_put(call->outbox, &out) : RC_MEMORY;
    (void)rc; /* the completion says the same */
    arena_free(a);
    warder_mcp_finish(call, WARDER_MCP_DONE);
}

str_t mcp_listen_result(warder_mcp_call_t *call)
{
    str_t out;
    buf_t b = buf_new(call->arena, 8 * MCP_ID_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("resultType"), STR("complete"));
    write_subscription(&w, call->op.message.id);
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

mcp_verdict_t mcp_do_listen(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_list_t ids;
    const json_t *filter = json_get(call->op.message.params, STR("notifications"));
    const json_t *tasks = json_get(filter, STR("taskIds"));
    if (!json_is(filter, JSON_OBJECT) || read_task_ids(call, tasks, &ids) == RC_MALFORMED)
        return mcp_refuse(call, MCP_ERROR_BAD_FILTER);
    if (tasks && !mcp_call_has_tasks(call))
        return mcp_refuse_without_tasks(call);
    call->entry = &LISTEN;
    call->on_cancel = over;
    mcp_error_t e = mcp_call_begin(call, in);
    if (e != MCP_NO_ERROR)
        return mcp_refuse(call, e);
    return (mcp_verdict_t){.kind = MCP_RUNNING, .body = STR_UNSET, .needed = STR_UNSET};
}
