/* From a message to its method; and what is no request. */
#include "mcp_server/rates.h"
#include "mcp_server/server_state.h"

#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_LEVEL        "io.modelcontextprotocol/logLevel"

bool mcp_server_grants(const warder_mcp_t *m, const mcp_caller_t *who, str_t scope)
{
    const mcp_scope_port_t *p = &m->world.scopes;
    if (!scope.p || who->everything)
        return true;
    return p->covers && p->covers(p->ctx, who->scope, scope);
}

mcp_principal_t mcp_caller_principal(const mcp_caller_t *who)
{
    return (mcp_principal_t){who->issuer, who->subject, who->client};
}

bool mcp_call_has_tasks(const warder_mcp_call_t *call)
{
    const json_t *extensions = json_get(call->capabilities, STR("extensions"));
    if (call->op.era == MCP_ERA_HANDSHAKE)
        return mcp_call_offers_tasks(call);
    return json_is(json_get(extensions, STR("io.modelcontextprotocol/tasks")), JSON_OBJECT);
}

/* ---- a message comes in ---- */

static bool copy(arena_t *a, str_t *s)
{
    bool set = s->p != NULL;
    *s = arena_dup(a, *s);
    return !set || s->p;
}

static bool copy_caller(warder_mcp_call_t *call, const mcp_caller_t *who)
{
    mcp_caller_t *w = &call->who;
    *w = *who;
    str_t *const parts[] = {&w->issuer,   &w->subject, &w->client,    &w->scope,
                            &w->token_id, &w->address, &w->request_id};
    bool good = true;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        good &= copy(call->arena, parts[i]);
    return good;
}

/* A string or an integer, no longer than an id: it comes back with each message. A client that
 * names something else wants no progress. */
static const json_t *token_of(const json_t *meta)
{
    const json_t *token = json_get(meta, STR("progressToken"));
    bool good = json_is(token, JSON_STRING) || json_is(token, JSON_NUMBER);
    return good && token->raw.n <= MCP_ID_BYTES ? token : NULL;
}

static const mcp_registry_t *current_registry(warder_mcp_t *m)
{
    pthread_mutex_lock(&m->lock);
    const mcp_registry_t *r = mcp_registry_hold(m->registry);
    pthread_mutex_unlock(&m->lock);
    return r;
}

/* In the handshake era the session knows what each request says of itself in the other one. */
static void fill_call(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    const json_t *meta = json_get(call->op.message.params, STR("_meta"));
    const mcp_version_t *version = in->session ? mcp_session_version(in->session) : NULL;
    bool initializes = str_eq(call->op.message.method, STR("initialize"));
    call->registry = current_registry(call->m);
    call->began_us = clock_micros();
    call->level = STR_UNSET;
    call->progress_token = token_of(meta);
    if (call->op.era == MCP_ERA_STATELESS) {
        call->capabilities = json_get(meta, STR(META_CAPABILITIES));
        call->level = json_get_str(meta, STR(META_LEVEL));
        return;
    }
    call->capabilities = in->session ? mcp_session_capabilities(in->session) : NULL;
    call->alone = in->session && mcp_session_id(in->session).n == 0;
    if (version && !initializes)
        call->op.version = version;
}

/* Over standard streams nothing of the handshake era but initialize and ping may come before the
 * former; over HTTP a request without a session is served where it needs none, as each bears its
 * token (2025-11-25, Lifecycle, "Initialization"). */
static bool comes_too_early(const warder_mcp_call_t *call, const mcp_incoming_t *in,
                            const mcp_method_t *method)
{
    bool handshake = call->op.era == MCP_ERA_HANDSHAKE;
    return handshake && !method->early && in->session && !mcp_session_version(in->session);
}

/* What runs no function costs, too. Who may do everything may also ask as often as they like. */
static bool asks_too_often(warder_mcp_call_t *call, const mcp_method_t *method, mcp_verdict_t *v)
{
    uint32_t retry_after_s = 0;
    const mcp_principal_t who = mcp_caller_principal(&call->who);
    if (method->uncounted || call->who.everything ||
        mcp_calls_take(call->m->request_rates, call->arena, &who, &retry_after_s))
        return false;
    *v = mcp_refuse(call, MCP_ERROR_TOO_MANY_REQUESTS);
    v->retry_after_s = (int)retry_after_s;
    return true;
}

static mcp_verdict_t handle_request(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    const mcp_method_t *method = mcp_method_find(call->op.era, call->op.message.method);
    if (!method)
        return mcp_refuse_method(call);
    if (comes_too_early(call, in, method))
        return mcp_refuse(call, MCP_ERROR_NOT_INITIALIZED);
    mcp_verdict_t v;
    return asks_too_often(call, method, &v) ? v : method->handle(call, in);
}

mcp_verdict_t mcp_server_handle(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    call->op = *in->operation;
    fill_call(call, in);
    if (!copy_caller(call, &in->who))
        return mcp_refuse(call, MCP_ERROR_INTERNAL);
    if (call->op.message.kind == MCP_REQUEST)
        return handle_request(call, in);
    return mcp_server_notified(call, in);
}

mcp_verdict_t mcp_server_refuse(warder_mcp_call_t *call, const mcp_operation_t *op, mcp_error_t e)
{
    call->op = *op;
    str_t data = e == MCP_ERROR_UNSUPPORTED_VERSION
                     ? mcp_unsupported_data(call->arena, op->offered, op->asked)
                     : STR_UNSET;
    return mcp_answer_error(call, e, STR_UNSET, data);
}

audit_event_t mcp_server_event(const warder_mcp_t *m, const mcp_caller_t *who, audit_kind_t kind,
                               bool allowed, str_t reason)
{
    return (audit_event_t){
        .kind = kind,
        .allowed = allowed,
        .reason = reason,
        .issuer = who->issuer,
        .user = who->subject,
        .client = who->client,
        .resource = m->world.resource,
        .scope = who->scope,
        .token = who->token_id,
        .address = who->address,
        .request_id = who->request_id,
    };
}

/* ---- what is no request ---- */

/* Notes of clients of 2026-07-28 over HTTP name nothing that is here: there a closed stream is what
 * cancels (2026-07-28, Cancellation). */
static void cancelled(const warder_mcp_call_t *note, const mcp_incoming_t *in)
{
    const json_t *id = json_get(note->op.message.params, STR("requestId"));
    warder_mcp_call_t *call = in->session && id ? mcp_session_call(in->session, id->raw) : NULL;
    if (!call)
        return;
    mcp_call_cancel(call);
    mcp_call_drop(call);
}

/* From now on the client may be told what changed (2025-11-25, Lifecycle, "Initialization"). */
static void initialized(const warder_mcp_call_t *note, const mcp_incoming_t *in)
{
    if (!in->session || !mcp_session_version(in->session))
        return;
    mcp_listening_t what = {
        .wants =
            MCP_CHANGED_TOOLS | MCP_CHANGED_PROMPTS | MCP_CHANGED_RESOURCES | MCP_CHANGED_RESOURCE,
        .subscription = STR_UNSET,
        .ack = STR_UNSET,
        .who = mcp_caller_principal(&note->who),
        .session = in->session,
        .outbox = mcp_session_general(in->session),
    };
    mcp_listeners_add(note->m->listeners, &what);
}

/* An answer makes the function run again, so its token must cover what the call needs: it may cover
 * less than the one the call began with. Unset: it does. */
static str_t lacking(warder_mcp_call_t *note, const mcp_incoming_t *in)
{
    warder_mcp_call_t *call =
        in->session ? mcp_session_asked(in->session, note->op.message.id) : NULL;
    if (!call)
        return STR_UNSET;
    str_t scope = call->entry->scope;
    bool covers = mcp_server_grants(note->m, &note->who, scope);
    scope = covers ? STR_UNSET : arena_dup(note->arena, scope);
    mcp_call_drop(call);
    return covers || scope.p ? scope : STR("");
}

static void answered(warder_mcp_call_t *note, const mcp_incoming_t *in)
{
    str_t key;
    const json_t *result = json_get(note->op.message.root, STR("result"));
    warder_mcp_call_t *call =
        in->session ? mcp_session_answered(in->session, note->arena, note->op.message.id, &key)
                    : NULL;
    if (!call)
        return;
    mcp_call_answered(call, key, result);
    mcp_call_drop(call);
}

mcp_verdict_t mcp_server_notified(warder_mcp_call_t *note, const mcp_incoming_t *in)
{
    str_t method = note->op.message.method;
    bool responds = note->op.message.kind == MCP_RESPONSE;
    str_t needed = responds ? lacking(note, in) : STR_UNSET;
    if (needed.p)
        return mcp_refuse_scope(note, needed);
    if (responds)
        answered(note, in);
    else if (str_eq(method, STR("notifications/cancelled")))
        cancelled(note, in);
    else if (str_eq(method, STR("notifications/initialized")))
        initialized(note, in);
    return (mcp_verdict_t){
        .kind = MCP_ACCEPTED, .status = 202, .body = STR_UNSET, .needed = STR_UNSET};
}
