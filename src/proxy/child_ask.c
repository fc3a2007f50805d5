#include "proxy/child_ask.h"

str_t child_id_key(arena_t *a, str_t raw)
{
    static const json_limits_t LIMITS = {MCP_ID_BYTES, 1, 1};
    const json_t *v;
    int64_t n;
    if (!raw.p || json_parse(a, raw, &LIMITS, &v) != RC_OK)
        return STR_UNSET;
    if (json_is(v, JSON_STRING))
        return arena_printf(a, "s%" PRIstr, STR_ARG(v->str));
    return json_i64(v, &n) ? arena_printf(a, "i%lld", (long long)n) : STR_UNSET;
}

/* The same part of the copy. */
static rc_t move(str_t body, str_t text, str_t part, str_t *out)
{
    *out = STR_UNSET;
    if (!part.p)
        return RC_OK;
    if (part.p < body.p || part.p + part.n > body.p + body.n)
        return RC_MALFORMED;
    *out = str_of(text.p + (part.p - body.p), part.n);
    return RC_OK;
}

static rc_t move_id(str_t body, str_t text, const json_t *v, str_t *out)
{
    if (v && v->raw.n > MCP_ID_BYTES)
        return RC_LIMIT;
    return move(body, text, v ? v->raw : STR_UNSET, out);
}

static rc_t dup(arena_t *a, str_t from, str_t *out)
{
    *out = arena_dup(a, from);
    return out->p || !from.p ? RC_OK : RC_MEMORY;
}

static rc_t read_params(arena_t *a, str_t body, const mcp_message_t *m, child_ask_t *out)
{
    const json_t *meta = json_get(m->params, STR("_meta"));
    TRY(move_id(body, out->text, json_get(meta, STR("progressToken")), &out->token));
    if (str_eq(m->method, STR("notifications/cancelled")))
        TRY(move_id(body, out->text, json_get(m->params, STR("requestId")), &out->cancelled));
    if (str_eq(m->method, STR("initialize")))
        TRY(dup(a, json_get_str(m->params, STR("protocolVersion")), &out->asked));
    bool of_uri = str_eq(m->method, STR("resources/subscribe")) ||
                  str_eq(m->method, STR("resources/unsubscribe"));
    return of_uri ? dup(a, json_get_str(m->params, STR("uri")), &out->uri) : RC_OK;
}

static rc_t read_message(arena_t *a, const upstream_request_t *request, child_ask_t *out)
{
    const mcp_message_t *m = &request->message->message;
    out->kind = m->kind;
    out->stateless = request->message->era == MCP_ERA_STATELESS;
    TRY(dup(a, request->body, &out->text));
    TRY(move(request->body, out->text, m->id, &out->id));
    TRY(dup(a, m->method, &out->method));
    if (m->kind != MCP_RESPONSE)
        return read_params(a, request->body, m, out);
    out->key = child_id_key(a, m->id);
    return out->key.p ? RC_OK : RC_MALFORMED;
}

rc_t child_ask_read(arena_t *a, const upstream_request_t *request, child_ask_t *out)
{
    const gate_principal_t *w = request->who;
    *out = (child_ask_t){.http = request->method, .version = request->version->name};
    out->who =
        arena_printf(a, "%zu:%" PRIstr "%zu:%" PRIstr "%" PRIstr, w->issuer.n, STR_ARG(w->issuer),
                     w->subject.n, STR_ARG(w->subject), STR_ARG(w->client));
    if (!out->who.p)
        return RC_MEMORY;
    TRY(dup(a, request->session, &out->session));
    TRY(dup(a, request->last_event, &out->last_event));
    return request->message ? read_message(a, request, out) : RC_OK;
}
