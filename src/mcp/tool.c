#include "mcp/tool.h"

static void write_annotations(json_writer_t *w, const mcp_tool_t *t)
{
    json_key(w, STR("annotations"));
    json_begin_object(w);
    json_member_bool(w, STR("readOnlyHint"), t->read_only);
    /* The two hints are meaningful only for tools that change something. */
    if (!t->read_only) {
        json_member_bool(w, STR("destructiveHint"), true);
        json_member_bool(w, STR("idempotentHint"), t->idempotent);
    }
    json_member_bool(w, STR("openWorldHint"), t->open_world);
    json_end_object(w);
}

static void write_tool(json_writer_t *w, const mcp_tool_t *t)
{
    json_begin_object(w);
    json_member_str(w, STR("name"), t->name);
    json_member_str(w, STR("title"), t->title);
    json_member_str(w, STR("description"), t->description);
    json_key(w, STR("inputSchema"));
    json_raw(w, t->input_schema);
    if (t->output_schema.p) {
        json_key(w, STR("outputSchema"));
        json_raw(w, t->output_schema);
    }
    write_annotations(w, t);
    json_end_object(w);
}

static str_t done(const buf_t *b)
{
    str_t out;
    return buf_done(b, &out) == RC_OK ? out : STR_UNSET;
}

str_t mcp_tools_list(arena_t *a, const mcp_tool_t *const *tools, size_t n)
{
    buf_t b = buf_new(a, MCP_TOOL_LIST_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("tools"));
    json_begin_array(&w);
    for (size_t i = 0; i < n; i++)
        write_tool(&w, tools[i]);
    json_end_array(&w);
    json_end_object(&w);
    return done(&b);
}

str_t mcp_tool_answer(arena_t *a, const mcp_tool_result_t *r)
{
    buf_t b = buf_new(a, MCP_TOOL_RESULT_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("content"));
    json_begin_array(&w);
    json_begin_object(&w);
    json_member_str(&w, STR("type"), STR("text"));
    json_member_str(&w, STR("text"), r->text.p ? r->text : STR(""));
    json_end_object(&w);
    json_end_array(&w);
    if (r->structured.p && !r->is_error) {
        json_key(&w, STR("structuredContent"));
        json_raw(&w, r->structured);
    }
    if (r->is_error)
        json_member_bool(&w, STR("isError"), true);
    json_end_object(&w);
    return done(&b);
}

str_t mcp_initialize_answer(arena_t *a, const mcp_server_info_t *info, str_t version)
{
    buf_t b = buf_new(a, MCP_TOOL_LIST_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("protocolVersion"), version);
    json_key(&w, STR("capabilities"));
    json_begin_object(&w);
    json_key(&w, STR("tools"));
    json_begin_object(&w);
    json_end_object(&w);
    json_end_object(&w);
    json_key(&w, STR("serverInfo"));
    json_begin_object(&w);
    json_member_str(&w, STR("name"), info->name);
    json_member_str(&w, STR("title"), info->title);
    json_member_str(&w, STR("version"), info->version);
    json_end_object(&w);
    json_member_str(&w, STR("instructions"), info->instructions);
    json_end_object(&w);
    return done(&b);
}
