/* What functions say as JSON: structured content, and _meta. */
#include "mcp_server/said.h"

/* A second beginning is a document out of place, which the writer refuses. */
warder_json_t *warder_mcp_structured(warder_mcp_call_t *call)
{
    warder_json_t *w = &call->said.structured;
    w->begun = true;
    if (str_is_set(call->said.structured_raw))
        buf_fail(&w->buf, RC_MALFORMED);
    json_begin_object(&w->w);
    return w;
}

/* A key in a list, or none in an object, is misuse, which the writer refuses. */
static void key_of(warder_json_t *w, const char *key)
{
    if (key)
        json_key(&w->w, str_c(key));
}

void warder_json_object(warder_json_t *w, const char *key)
{
    key_of(w, key);
    json_begin_object(&w->w);
}

void warder_json_list(warder_json_t *w, const char *key)
{
    key_of(w, key);
    json_begin_array(&w->w);
}

void warder_json_end(warder_json_t *w)
{
    if (w->w.object >> w->w.depth & 1)
        json_end_object(&w->w);
    else
        json_end_array(&w->w);
}

void warder_json_string(warder_json_t *w, const char *key, const char *value)
{
    if (!value)
        return;
    key_of(w, key);
    json_str(&w->w, str_c(value));
}

void warder_json_integer(warder_json_t *w, const char *key, int64_t value)
{
    key_of(w, key);
    json_int(&w->w, value);
}

void warder_json_number(warder_json_t *w, const char *key, double value)
{
    key_of(w, key);
    json_double(&w->w, value);
}

void warder_json_boolean(warder_json_t *w, const char *key, bool value)
{
    key_of(w, key);
    json_bool(&w->w, value);
}

void warder_json_null(warder_json_t *w, const char *key)
{
    key_of(w, key);
    json_null(&w->w);
}

void warder_json_raw(warder_json_t *w, const char *key, const char *json)
{
    str_t text = str_c(json ? json : "");
    rc_t rc = mcp_said_check(text, false);
    if (rc != RC_OK)
        buf_fail(&w->buf, rc);
    key_of(w, key);
    json_raw(&w->w, text);
}

/* The prefix of the protocol's own names; the server says of itself under it (2026-07-28,
 * "Per-response protocol fields"). */
static bool is_protocols(const char *key)
{
    return str_starts(str_c(key), STR("io.modelcontextprotocol/"));
}

void warder_mcp_set_meta(warder_mcp_call_t *call, const char *key, const char *json)
{
    struct warder_json *meta = &call->said.meta;
    if (!key || !*key || is_protocols(key)) {
        mcp_said_fail(call, RC_MALFORMED);
        return;
    }
    if (!meta->begun)
        json_begin_object(&meta->w);
    meta->begun = true;
    warder_json_raw(meta, key, json);
}

void warder_mcp_structured_json(warder_mcp_call_t *call, const char *json)
{
    str_t text = str_c(json ? json : "");
    rc_t rc = mcp_said_check(text, true);
    if (call->said.structured.begun || str_is_set(call->said.structured_raw))
        rc = RC_MALFORMED;
    mcp_said_fail(call, rc);
    if (rc != RC_OK)
        return;
    call->said.structured_raw = arena_dup(call->arena, text);
    if (!str_is_set(call->said.structured_raw))
        mcp_said_fail(call, RC_MEMORY);
}
