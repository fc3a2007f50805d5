/* From what a function has said to the result of its method. */
#include "mcp_server/said.h"
#include "mcp_server/server_state.h"

static const log_t *log_of(const warder_mcp_call_t *call)
{
    return call->m->world.log;
}

/* Everything was said well, and the content is one whole JSON list from here on. */
static rc_t close_content(warder_mcp_call_t *call, str_t *content)
{
    TRY(call->said.failed);
    json_end_array(&call->said.w);
    return buf_done(&call->said.content, content);
}

/* *out unset: there is none. */
static rc_t close_structured(warder_mcp_call_t *call, str_t *out)
{
    *out = call->said.structured_raw;
    struct warder_json *s = &call->said.structured;
    if (!s->begun)
        return RC_OK;
    TRY(buf_done(&s->buf, out));
    return s->w.depth == 0 ? RC_OK : RC_MALFORMED;
}

/* What differs from the schema that clients were shown never goes out (2025-11-25 and 2026-07-28,
 * "Output Schema"). */
static rc_t check_structured(warder_mcp_call_t *call, str_t structured)
{
    const mcp_schema_t *schema = call->entry->output;
    if (!schema || (call->said.is_error && !str_is_set(structured)))
        return RC_OK;
    if (!str_is_set(structured)) {
        LOG(log_of(call), LOG_ERROR, "a tool with an output schema gave no structured content",
            LOG_S("tool", call->entry->name));
        return RC_MALFORMED;
    }
    arena_t *a = arena_new(MCP_SAID_TREE_BYTES);
    const json_t *v = NULL;
    mcp_schema_fault_t fault = {0};
    bool fits = false;
    rc_t rc = a ? json_parse(a, structured, &MCP_SAID_LIMITS, &v) : RC_MEMORY;
    if (rc == RC_OK)
        rc = mcp_schema_check(a, schema, v, &fits, &fault);
    if (rc == RC_OK && !fits) {
        LOG(log_of(call), LOG_ERROR, "structured content does not fit the output schema",
            LOG_S("tool", call->entry->name), LOG_S("fault", fault.sentence));
        rc = RC_MALFORMED;
    }
    arena_free(a);
    return rc;
}

/* A name that was said twice is refused here. */
static rc_t close_meta(warder_mcp_call_t *call)
{
    struct warder_json *meta = &call->said.meta;
    str_t text;
    if (!meta->begun)
        return RC_OK;
    json_end_object(&meta->w);
    TRY(buf_done(&meta->buf, &text));
    TRY(mcp_said_check(text, true));
    call->said.meta_members = str_of(text.p + 1, text.n - 2);
    return RC_OK;
}

/* Results of 2026-07-28 get it where their own is put in (verdict.c), but for those that a task
 * keeps. */
static rc_t write_meta(warder_mcp_call_t *call, json_writer_t *w)
{
    TRY(close_meta(call));
    str_t members = call->said.meta_members;
    bool related = call->task && call->op.era == MCP_ERA_HANDSHAKE;
    if (related) {
        json_key(w, STR("_meta"));
        json_raw(w, mcp_task_meta(call->arena, mcp_task_id(call->task), members));
        return RC_OK;
    }
    if (!str_is_set(members) || (call->op.era == MCP_ERA_STATELESS && !call->task))
        return RC_OK;
    json_key(w, STR("_meta"));
    json_raw(w, str_of(members.p - 1, members.n + 2));
    return RC_OK;
}

/* Clients that read no structured content get the same as text. */
static rc_t write_tool(warder_mcp_call_t *call, json_writer_t *w)
{
    str_t structured, content;
    TRY(close_structured(call, &structured));
    TRY(check_structured(call, structured));
    if (str_is_set(structured) && call->said.blocks == 0) {
        json_begin_object(&call->said.w);
        json_member_str(&call->said.w, STR("type"), STR("text"));
        json_member_str(&call->said.w, STR("text"), structured);
        json_end_object(&call->said.w);
    }
    TRY(close_content(call, &content));
    json_key(w, STR("content"));
    json_raw(w, content);
    if (str_is_set(structured)) {
        json_key(w, STR("structuredContent"));
        json_raw(w, structured);
    }
    if (call->said.is_error)
        json_member_bool(w, STR("isError"), true);
    return RC_OK;
}

static rc_t write_resource(warder_mcp_call_t *call, json_writer_t *w)
{
    str_t contents;
    TRY(close_content(call, &contents));
    json_key(w, STR("contents"));
    json_raw(w, contents);
    if (call->op.era != MCP_ERA_STATELESS)
        return RC_OK;
    json_member_int(w, STR("ttlMs"), (int64_t)call->said.fresh_s * 1000);
    /* Who keeps it for others cannot ask what they may see. */
    bool for_all = call->said.for_all && !call->entry->scope.p;
    json_member_str(w, STR("cacheScope"), for_all ? STR("public") : STR("private"));
    return RC_OK;
}

static rc_t write_prompt(warder_mcp_call_t *call, json_writer_t *w)
{
    str_t messages;
    const json_t *listed = NULL;
    TRY(close_content(call, &messages));
    TRY(json_parse(call->arena, call->entry->listed, NULL, &listed));
    json_member_str(w, STR("description"), json_get_str(listed, STR("description")));
    json_key(w, STR("messages"));
    json_raw(w, messages);
    return RC_OK;
}

static rc_t write_completion(warder_mcp_call_t *call, json_writer_t *w)
{
    mcp_said_t *said = &call->said;
    TRY(said->failed);
    size_t shown = said->suggested < MCP_SUGGESTIONS ? said->suggested : MCP_SUGGESTIONS;
    json_key(w, STR("completion"));
    json_begin_object(w);
    json_member_strs(w, STR("values"), (str_list_t){said->suggestions, shown});
    json_member_int(w, STR("total"), (int64_t)said->suggested);
    json_member_bool(w, STR("hasMore"), shown < said->suggested);
    json_end_object(w);
    return RC_OK;
}

static rc_t write_result(warder_mcp_call_t *call, json_writer_t *w)
{
    if (str_is_set(call->completing))
        return write_completion(call, w);
    if (call->entry->kind == MCP_TOOL)
        return write_tool(call, w);
    if (call->entry->kind == MCP_PROMPT)
        return write_prompt(call, w);
    return write_resource(call, w);
}

str_t mcp_call_result(warder_mcp_call_t *call)
{
    enum { FRAME_BYTES = 4096 + MCP_META_BYTES };
    buf_t b = buf_new(call->arena, MCP_SAID_BYTES + FRAME_BYTES);
    json_writer_t w = json_writer(&b);
    str_t out = STR_UNSET;
    if (call->entry->kind == MCP_KINDS)
        return mcp_listen_result(call);
    json_begin_object(&w);
    rc_t rc = write_result(call, &w);
    if (rc == RC_OK)
        rc = write_meta(call, &w);
    json_end_object(&w);
    if (rc == RC_OK)
        rc = buf_done(&b, &out);
    if (rc == RC_OK)
        return out;
    LOG(log_of(call), LOG_ERROR, "what a function said is no answer", LOG_S("name", call->op.name),
        LOG_S("failure", str_c(rc_name(rc))));
    return STR_UNSET;
}
