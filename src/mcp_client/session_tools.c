#include "mcp_client/session_state.h"

enum { TABLE_BYTES = 2 * LIMIT_MCP_CLIENT_MESSAGE_ARENA_BYTES, CURSOR_BYTES = 65536 };

/* ---- the fields of a call ---- */

static mcp_params_t params_of(const mcp_client_t *c, str_t tool)
{
    for (size_t i = 0; tool.p && i < c->n_tools; i++) {
        if (str_eq(c->tools[i].name, tool))
            return c->tools[i].params;
    }
    return (mcp_params_t){NULL, 0};
}

static str_t tool_of(arena_t *a, const session_request_t *r)
{
    const json_t *params = NULL;
    if (!str_eq(r->method, STR("tools/call")) || !r->params.p ||
        mcp_link_parse(a, r->params, &params) != RC_OK)
        return STR_UNSET;
    return json_get_str(params, STR("name"));
}

rc_t session_send(mcp_client_t *c, mcp_link_message_t *message, const session_request_t *r)
{
    pthread_mutex_lock(&c->lock);
    bool none = c->n_tools == 0;
    pthread_mutex_unlock(&c->lock);
    if (none)
        return mcp_link_send(c->link, message);
    arena_t *a = arena_new(LIMIT_MCP_CLIENT_MESSAGE_ARENA_BYTES);
    if (!a)
        return RC_MEMORY;
    str_t tool = tool_of(a, r);
    /* The table may be replaced meanwhile; the link copies what it takes. */
    pthread_mutex_lock(&c->tabling);
    message->params = params_of(c, tool);
    rc_t rc = mcp_link_send(c->link, message);
    pthread_mutex_unlock(&c->tabling);
    arena_free(a);
    return rc;
}

/* ---- lists ---- */

typedef struct {
    const mcp_client_t *c;
    arena_t *a;
    buf_t b;
    json_writer_t w;
    size_t n;
    bool stateless, fields; /* some tool has some */
} list_t;

static rc_t add_tool(list_t *l, const json_t *tool)
{
    mcp_params_t params = {NULL, 0};
    str_t name = json_get_str(tool, STR("name"));
    if (!name.p || ++l->n > LIMIT_MCP_CLIENT_TOOLS)
        return name.p ? RC_LIMIT : RC_OK;
    rc_t rc =
        l->stateless ? mcp_params_read(l->a, json_get(tool, STR("inputSchema")), &params) : RC_OK;
    if (rc == RC_MALFORMED) {
        LOG(l->c->config.link.log, LOG_WARN, "tool left out: its x-mcp-header breaks the rules",
            LOG_S("tool", name));
        return RC_OK;
    }
    TRY(rc);
    l->fields = l->fields || params.n > 0;
    json_raw(&l->w, tool->raw);
    return l->b.failed;
}

/* Parameters with the cursor of the next page; unset: that was the last. */
static rc_t next_page(arena_t *a, const json_t *result, str_t *params)
{
    str_t cursor = json_get_str(result, STR("nextCursor"));
    *params = STR_UNSET;
    if (!cursor.p)
        return RC_OK;
    buf_t b = buf_new(a, 6 * cursor.n + CURSOR_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("cursor"), cursor);
    json_end_object(&w);
    return buf_done(&b, params);
}

static rc_t strange(mcp_client_failure_t *why, str_t detail)
{
    *why = (mcp_client_failure_t){.link = {.end = MCP_LINK_MALFORMED, .detail = detail}};
    return RC_NOT_FOUND;
}

static rc_t read_page(list_t *l, str_t result, str_t *params, mcp_client_failure_t *why)
{
    const json_t *root;
    TRY(mcp_link_parse(l->a, result, &root));
    const json_t *tools = json_get(root, STR("tools"));
    if (!json_is(tools, JSON_ARRAY))
        return strange(why, STR("the result of tools/list has no list of tools"));
    for (const json_t *t = tools->child; t; t = t->next) {
        rc_t rc = add_tool(l, t);
        if (rc == RC_LIMIT)
            return strange(why, STR("the server has too many tools"));
        TRY(rc);
    }
    return next_page(l->a, root, params);
}

static rc_t read_all(mcp_client_t *c, list_t *l, mcp_client_failure_t *why)
{
    str_t params = STR_UNSET, result;
    for (size_t page = 0; page < LIMIT_MCP_CLIENT_PAGES; page++) {
        TRY(mcp_client_request(c, l->a, STR("tools/list"), params, NULL, &result, why));
        TRY(read_page(l, result, &params, why));
        if (!params.p)
            return RC_OK;
    }
    return strange(why, STR("the list of tools does not end"));
}

/* ---- the table ---- */

static rc_t fill_table(arena_t *a, str_t text, session_tool_t **out, size_t *n)
{
    const json_t *tools;
    str_t copy = arena_dup(a, text);
    if (!copy.p)
        return RC_MEMORY;
    TRY(json_parse(a, copy, &(json_limits_t){SIZE_MAX, LIMIT_JSON_DEPTH, UINT32_MAX}, &tools));
    *out = ARENA_ARRAY(a, tools->count + 1, session_tool_t);
    if (!*out)
        return RC_MEMORY;
    for (const json_t *t = tools->child; t; t = t->next) {
        session_tool_t *tool = &(*out)[*n];
        tool->name = json_get_str(t, STR("name"));
        TRY(mcp_params_read(a, json_get(t, STR("inputSchema")), &tool->params));
        *n += tool->params.n > 0;
    }
    return RC_OK;
}

static rc_t set_table(mcp_client_t *c, str_t text, bool fields)
{
    size_t n = 0;
    session_tool_t *tools = NULL;
    arena_t *a = fields ? arena_new(TABLE_BYTES) : NULL;
    rc_t rc = !fields ? RC_OK : a ? fill_table(a, text, &tools, &n) : RC_MEMORY;
    if (rc != RC_OK) {
        arena_free(a);
        return rc;
    }
    pthread_mutex_lock(&c->tabling);
    pthread_mutex_lock(&c->lock);
    arena_t *before = c->tools_a;
    c->tools_a = a;
    c->tools = tools;
    c->n_tools = n;
    pthread_mutex_unlock(&c->lock);
    pthread_mutex_unlock(&c->tabling);
    arena_free(before);
    return RC_OK;
}

rc_t mcp_client_tools(mcp_client_t *c, arena_t *a, const json_t **out, mcp_client_failure_t *why)
{
    str_t text;
    list_t l = {.c = c, .a = a, .b = buf_new(a, LIMIT_MCP_CLIENT_MESSAGE_ARENA_BYTES)};
    l.w = json_writer(&l.b);
    l.w.buf = &l.b;
    l.stateless = mcp_client_version(c)->era == MCP_ERA_STATELESS;
    json_begin_array(&l.w);
    TRY(read_all(c, &l, why));
    json_end_array(&l.w);
    TRY(buf_done(&l.b, &text));
    TRY(set_table(c, text, l.fields));
    return json_parse(a, text, &(json_limits_t){SIZE_MAX, LIMIT_JSON_DEPTH, UINT32_MAX}, out);
}
