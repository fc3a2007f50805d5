/* What functions read of their call. */
#include "core/b64.h"
#include "mcp_server/call.h"
#include "mcp_server/server_state.h"

static const json_t *argument(const warder_mcp_call_t *call, const char *path)
{
    return *path ? json_path(call->arguments, str_c(path)) : call->arguments;
}

const char *warder_mcp_string(const warder_mcp_call_t *call, const char *path)
{
    const json_t *v = argument(call, path);
    return json_is(v, JSON_STRING) ? arena_cstr(call->arena, v->str) : NULL;
}

bool warder_mcp_number(const warder_mcp_call_t *call, const char *path, double *out)
{
    return json_f64(argument(call, path), out);
}

const void *warder_mcp_bytes(const warder_mcp_call_t *call, const char *path, size_t *n)
{
    const json_t *v = argument(call, path);
    str_t bytes;
    *n = 0;
    if (!json_is(v, JSON_STRING) || b64_decode(call->arena, v->str, &bytes) != RC_OK)
        return NULL;
    *n = bytes.n;
    return bytes.n > 0 ? bytes.p : "";
}

/* To a schema 1.0 and 1e3 are integers too (2020-12 validation, section 6.1.1). */
bool warder_mcp_integer(const warder_mcp_call_t *call, const char *path, int64_t *out)
{
    enum { EXACT_BITS = 53 };
    const json_t *v = argument(call, path);
    if (json_i64(v, out))
        return true;
    double d;
    if (!json_f64(v, &d) || d < -(double)(1ll << EXACT_BITS) || d > (double)(1ll << EXACT_BITS))
        return false;
    int64_t whole = (int64_t)d;
    if ((double)whole != d)
        return false;
    *out = whole;
    return true;
}

bool warder_mcp_boolean(const warder_mcp_call_t *call, const char *path, bool *out)
{
    const json_t *v = argument(call, path);
    if (!json_is(v, JSON_TRUE) && !json_is(v, JSON_FALSE))
        return false;
    *out = v->type == JSON_TRUE;
    return true;
}

size_t warder_mcp_count(const warder_mcp_call_t *call, const char *path)
{
    const json_t *v = argument(call, path);
    return json_is(v, JSON_ARRAY) || json_is(v, JSON_OBJECT) ? v->count : 0;
}

const char *warder_mcp_json(const warder_mcp_call_t *call, const char *path)
{
    const json_t *v = argument(call, path);
    if (v)
        return arena_cstr(call->arena, v->raw);
    return *path ? NULL : "{}";
}

const char *warder_mcp_meta(const warder_mcp_call_t *call, const char *key)
{
    const json_t *v = json_get(json_get(call->op.message.params, STR("_meta")), str_c(key));
    return v ? arena_cstr(call->arena, v->raw) : NULL;
}

/* Never NULL: what is not there is empty. */
static const char *text_of(const warder_mcp_call_t *call, str_t s)
{
    const char *c = str_is_set(s) ? arena_cstr(call->arena, s) : NULL;
    return c ? c : "";
}

const char *warder_mcp_name(const warder_mcp_call_t *call)
{
    return text_of(call, call->op.name);
}

const char *warder_mcp_subject(const warder_mcp_call_t *call)
{
    return text_of(call, call->who.subject);
}

const char *warder_mcp_client(const warder_mcp_call_t *call)
{
    return text_of(call, call->who.client);
}

const char *warder_mcp_issuer(const warder_mcp_call_t *call)
{
    return text_of(call, call->who.issuer);
}

bool warder_mcp_granted(const warder_mcp_call_t *call, const char *scope)
{
    const mcp_scope_port_t *scopes = &call->m->world.scopes;
    if (call->who.everything || !scope || !*scope)
        return true;
    return scopes->covers && scopes->covers(scopes->ctx, call->who.scope, str_c(scope));
}

const char *warder_mcp_revision(const warder_mcp_call_t *call)
{
    const mcp_version_t *version = call->op.version;
    return text_of(call, version ? version->name : STR_UNSET);
}
