#include "mcp/rpc.h"

static const mcp_error_row_t ROWS[] = {
    {0, 200, STR_INIT("ok"), STR_INIT("")},
#define MCP_ERROR(name, code, status, reason, sentence)                                            \
    {code, status, STR_INIT(reason), STR_INIT(sentence)},
#include "mcp/errors.def"
#undef MCP_ERROR
};

enum {
    ENVELOPE_BYTES = 1024, /* what an answer holds around its result */
    /* JSON-RPC numbers should have no fraction, and JavaScript keeps 53 bits. */
    ID_BITS = 53,
};

const mcp_error_row_t *mcp_error_row(mcp_error_t e)
{
    return &ROWS[e];
}

static bool id_is_valid(const json_t *id)
{
    int64_t n;
    if (json_is(id, JSON_STRING))
        return id->raw.n <= MCP_ID_BYTES;
    if (!json_i64(id, &n))
        return false;
    return n <= (INT64_C(1) << ID_BITS) && n >= -(INT64_C(1) << ID_BITS);
}

static mcp_error_t read_response(const json_t *root, mcp_message_t *out)
{
    bool result = json_get(root, STR("result")) != NULL;
    bool error = json_get(root, STR("error")) != NULL;
    out->kind = MCP_RESPONSE;
    return out->id.p && result != error ? MCP_NO_ERROR : MCP_ERROR_BAD_RESPONSE;
}

static mcp_error_t read_call(const json_t *root, const json_t *method, mcp_message_t *out)
{
    out->method = json_is(method, JSON_STRING) ? method->str : STR_UNSET;
    if (out->method.n == 0 || out->method.n > MCP_METHOD_BYTES)
        return MCP_ERROR_BAD_METHOD;
    out->kind = out->id.p ? MCP_REQUEST : MCP_NOTIFICATION;
    out->params = json_get(root, STR("params"));
    if (out->params && !json_is(out->params, JSON_OBJECT))
        return MCP_ERROR_BAD_PARAMS;
    return MCP_NO_ERROR;
}

mcp_error_t mcp_message_of(const json_t *root, mcp_message_t *out)
{
    *out = (mcp_message_t){.id = STR_UNSET, .method = STR_UNSET};
    if (json_is(root, JSON_ARRAY))
        return MCP_ERROR_BATCH;
    if (!json_is(root, JSON_OBJECT))
        return MCP_ERROR_NOT_OBJECT;
    out->root = root;
    const json_t *id = json_get(root, STR("id"));
    if (id && !id_is_valid(id))
        return MCP_ERROR_BAD_ID;
    out->id = id ? id->raw : STR_UNSET;
    if (!str_eq(json_get_str(root, STR("jsonrpc")), STR("2.0")))
        return MCP_ERROR_BAD_VERSION;
    const json_t *method = json_get(root, STR("method"));
    return method ? read_call(root, method, out) : read_response(root, out);
}

mcp_error_t mcp_message_parse(arena_t *a, str_t body, mcp_message_t *out, rc_t *rc)
{
    static const json_limits_t LIMITS = {MCP_MESSAGE_BYTES, MCP_MESSAGE_DEPTH, MCP_MESSAGE_NODES};
    return mcp_message_parse_within(a, body, &LIMITS, out, rc);
}

mcp_error_t mcp_message_parse_within(arena_t *a, str_t body, const json_limits_t *limits,
                                     mcp_message_t *out, rc_t *rc)
{
    const json_t *root;
    *out = (mcp_message_t){.id = STR_UNSET, .method = STR_UNSET};
    *rc = json_parse(a, body, limits, &root);
    if (*rc == RC_OK)
        return mcp_message_of(root, out);
    rc_t failed = *rc;
    if (failed == RC_MEMORY)
        return MCP_ERROR_INTERNAL;
    *rc = RC_OK;
    return failed == RC_LIMIT ? MCP_ERROR_TOO_LARGE : MCP_ERROR_PARSE;
}

static json_writer_t begin(buf_t *b, str_t id)
{
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_member_str(&w, STR("jsonrpc"), STR("2.0"));
    if (!id.p)
        return w;
    json_key(&w, STR("id"));
    json_raw(&w, id);
    return w;
}

static str_t finish(json_writer_t *w)
{
    str_t out;
    json_end_object(w);
    return buf_done(w->buf, &out) == RC_OK ? out : STR_UNSET;
}

str_t mcp_result(arena_t *a, str_t id, str_t result)
{
    buf_t b = buf_new(a, result.n + ENVELOPE_BYTES);
    json_writer_t w = begin(&b, id);
    json_key(&w, STR("result"));
    json_raw(&w, result);
    return finish(&w);
}

str_t mcp_error(arena_t *a, str_t id, mcp_error_t e, str_t sentence, str_t data)
{
    const mcp_error_row_t *row = mcp_error_row(e);
    buf_t b = buf_new(a, data.n + 6 * sentence.n + ENVELOPE_BYTES);
    json_writer_t w = begin(&b, id);
    json_key(&w, STR("error"));
    json_begin_object(&w);
    json_member_int(&w, STR("code"), row->code);
    json_member_str(&w, STR("message"), sentence.p ? sentence : row->sentence);
    if (data.p) {
        json_key(&w, STR("data"));
        json_raw(&w, data);
    }
    json_end_object(&w);
    return finish(&w);
}
