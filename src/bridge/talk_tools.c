#include "bridge/talk_do.h"

#include <stdlib.h>

enum { HEADER_MISMATCH = -32020, MAX_PAGES = 32 };

typedef struct tool {
    struct tool *next;
    str_t name;
    mcp_params_t params;
} tool_t;

struct talk_tools {
    arena_t *a;
    tool_t *first;
};

talk_tools_t *talk_tools_new(void)
{
    talk_tools_t *tools = calloc(1, sizeof *tools);
    if (!tools)
        return NULL;
    tools->a = arena_new(LIMIT_BRIDGE_TOOLS_BYTES);
    if (tools->a)
        return tools;
    free(tools);
    return NULL;
}

void talk_tools_free(talk_tools_t *tools)
{
    if (!tools)
        return;
    arena_free(tools->a);
    free(tools);
}

mcp_params_t talk_tools_of(const talk_t *t, const json_t *params)
{
    str_t name = json_get_str(params, STR("name"));
    for (const tool_t *tool = t->tools->first; tool; tool = tool->next) {
        if (str_eq(tool->name, name))
            return tool->params;
    }
    return (mcp_params_t){NULL, 0};
}

static bool copy_path(arena_t *a, str_list_t from, str_list_t *to)
{
    str_t *v = ARENA_ARRAY(a, from.n, str_t);
    for (size_t i = 0; v && i < from.n; i++)
        v[i] = arena_dup(a, from.v[i]);
    *to = (str_list_t){v, from.n};
    return v && (from.n == 0 || str_is_set(v[from.n - 1]));
}

static bool copy_params(arena_t *a, mcp_params_t from, mcp_params_t *to)
{
    mcp_param_t *v = ARENA_ARRAY(a, from.n, mcp_param_t);
    for (size_t i = 0; v && i < from.n; i++) {
        v[i].header = arena_dup(a, from.v[i].header);
        if (!copy_path(a, from.v[i].path, &v[i].path))
            return false;
    }
    *to = (mcp_params_t){v, from.n};
    return v && str_is_set(v[from.n - 1].header);
}

/* A table that is full forgets no tool: the server refuses a call without its fields, and says so.
 */
static void remember(talk_tools_t *tools, str_t name, mcp_params_t params)
{
    tool_t *tool = params.n ? ARENA_NEW(tools->a, tool_t) : NULL;
    if (!tool)
        return;
    tool->name = arena_dup(tools->a, name);
    if (!str_is_set(tool->name) || !copy_params(tools->a, params, &tool->params))
        return;
    tool->next = tools->first;
    tools->first = tool;
}

typedef struct {
    talk_step_t *s;
    json_writer_t *w;
    bool old;
    bool changed;
} listing_t;

/* 2025-11-25 knows schemas of results that are objects, and no others. */
static bool has_new_schema(const json_t *tool)
{
    const json_t *schema = json_get(tool, STR("outputSchema"));
    return schema && !str_eq(json_get_str(schema, STR("type")), STR("object"));
}

static rc_t take_tool(listing_t *l, const json_t *tool)
{
    static const str_t NEW[] = {STR_INIT("outputSchema")};
    mcp_params_t params = {NULL, 0};
    str_t name = json_get_str(tool, STR("name"));
    const json_t *schema = json_get(tool, STR("inputSchema"));
    rc_t rc = json_is(schema, JSON_OBJECT) ? mcp_params_read(l->s->a, schema, &params) : RC_OK;
    if (rc == RC_MALFORMED) {
        LOG(l->s->t->config.log, LOG_WARN, "a tool is left out: its x-mcp-header is wrong",
            LOG_S("tool", name));
        l->changed = true;
        return RC_OK;
    }
    TRY(rc);
    if (str_is_set(name))
        remember(l->s->t->tools, name, params);
    if (!l->old || !has_new_schema(tool)) {
        json_raw(l->w, tool->raw);
        return RC_OK;
    }
    l->changed = true;
    json_begin_object(l->w);
    json_members_but(l->w, tool, TALK_NAMES(NEW));
    json_end_object(l->w);
    return RC_OK;
}

rc_t talk_tools_learn(talk_step_t *s, const json_t *result, bool first, bool old, str_t *out)
{
    static const str_t LIST[] = {STR_INIT("tools")};
    const json_t *tools = json_get(result, STR("tools"));
    *out = result->raw;
    if (!json_is(tools, JSON_ARRAY))
        return RC_OK;
    if (first) {
        arena_reset(s->t->tools->a);
        s->t->tools->first = NULL;
    }
    buf_t b = talk_buf(s->a, result->raw.n);
    json_writer_t w = json_writer(&b);
    listing_t l = {.s = s, .w = &w, .old = old};
    json_begin_object(&w);
    json_members_but(&w, result, TALK_NAMES(LIST));
    json_key(&w, STR("tools"));
    json_begin_array(&w);
    for (const json_t *tool = tools->child; tool; tool = tool->next)
        TRY(take_tool(&l, tool));
    json_end_array(&w);
    json_end_object(&w);
    str_t written;
    TRY(buf_done(&b, &written));
    if (l.changed)
        *out = written;
    return RC_OK;
}

static rc_t list(talk_step_t *s, talk_call_t *behind, const json_t *meta, str_t cursor)
{
    static const str_t NOT_OURS[] = {STR_INIT("progressToken")};
    talk_call_t *c;
    str_t line;
    buf_t b = talk_buf(s->a, meta->raw.n + cursor.n);
    json_writer_t w = talk_begin_request(&b, s->t->last_tag + 1, STR("tools/list"));
    json_member_str(&w, STR("cursor"), cursor);
    json_key(&w, STR("_meta"));
    json_begin_object(&w);
    json_members_but(&w, meta, TALK_NAMES(NOT_OURS));
    json_end_object(&w);
    TRY(talk_end_request(&w, &line));
    TRY(talk_call_new(s, TALK_CALL_TOOLS, line, &c));
    c->behind = behind;
    c->version = mcp_versions_stateless().v;
    return talk_call_send(s, c);
}

/* The _meta that goes along with the call: its own, or what the bridge puts in its place. */
static rc_t meta_of(talk_step_t *s, const talk_call_t *c, const json_t **out)
{
    const json_t *root;
    if (str_is_set(s->t->meta))
        return mcp_link_parse(s->a, s->t->meta, out);
    TRY(mcp_link_parse(s->a, c->line, &root));
    *out = talk_meta_of(json_get(root, STR("params")));
    return *out ? RC_OK : RC_MALFORMED;
}

rc_t talk_tools_relist(talk_step_t *s, talk_call_t *c, const mcp_message_t *m, bool *again)
{
    int64_t code = 0;
    const json_t *meta;
    bool is_call = c->method && str_eq(c->method->name, STR("tools/call"));
    json_get_i64(json_get(m->root, STR("error")), STR("code"), &code);
    *again = is_call && code == HEADER_MISMATCH && !c->relisted;
    if (!*again)
        return RC_OK;
    c->relisted = true;
    c->tag = 0;
    TRY(meta_of(s, c, &meta));
    return list(s, c, meta, STR_UNSET);
}

rc_t talk_tools_listed(talk_step_t *s, talk_call_t *c, const mcp_message_t *m)
{
    str_t ignored;
    const json_t *meta, *result = json_get(m->root, STR("result"));
    talk_call_t *behind = c->behind;
    unsigned page = c->rounds;
    talk_call_drop(s->t, c);
    if (!behind)
        return RC_OK;
    if (json_is(result, JSON_OBJECT))
        TRY(talk_tools_learn(s, result, page == 0, false, &ignored));
    str_t cursor = json_get_str(result, STR("nextCursor"));
    if (!str_is_set(cursor) || page + 1 >= MAX_PAGES)
        return talk_call_send(s, behind);
    TRY(meta_of(s, behind, &meta));
    TRY(list(s, behind, meta, cursor));
    for (talk_call_t *next = s->t->calls; next; next = next->next) {
        if (next->behind == behind)
            next->rounds = page + 1;
    }
    return RC_OK;
}
