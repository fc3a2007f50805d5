/* How a client begins: initialize, server/discover, and what both say of the server. */
#include "core/limits.h"
#include "mcp_server/server_state.h"

enum { DISCOVERY_BYTES = 1 << 20 };

bool mcp_call_offers(const warder_mcp_call_t *call, mcp_kind_t kind)
{
    bool either = kind == MCP_RESOURCE || kind == MCP_TEMPLATE;
    if (!either)
        return mcp_registry_list(call->registry, kind).n > 0;
    return mcp_registry_list(call->registry, MCP_RESOURCE).n > 0 ||
           mcp_registry_list(call->registry, MCP_TEMPLATE).n > 0;
}

/* A member that is an object of flags which are all true. */
static void write_flags(json_writer_t *w, str_t name, str_list_t flags)
{
    json_key(w, name);
    json_begin_object(w);
    for (size_t i = 0; i < flags.n; i++)
        json_member_bool(w, flags.v[i], true);
    json_end_object(w);
}

static void write_extensions(json_writer_t *w)
{
    json_key(w, STR("extensions"));
    json_begin_object(w);
    write_flags(w, STR("io.modelcontextprotocol/tasks"), (str_list_t){NULL, 0});
    json_end_object(w);
}

bool mcp_call_offers_tasks(const warder_mcp_call_t *call)
{
    static const unsigned MAY = WARDER_MCP_TASK | WARDER_MCP_TASK_ONLY;
    mcp_entries_t tools = mcp_registry_list(call->registry, MCP_TOOL);
    if (!str_eq(call->op.version->name, STR("2025-11-25")))
        return false;
    for (size_t i = 0; i < tools.n; i++) {
        if (tools.v[i].flags & MAY)
            return true;
    }
    return false;
}

bool mcp_call_may_list_tasks(const warder_mcp_call_t *call)
{
    return !call->who.everything || call->alone;
}

/* 2025-11-25, Tasks, "Server Capabilities". */
static void write_tasks(const warder_mcp_call_t *call, json_writer_t *w)
{
    json_key(w, STR("tasks"));
    json_begin_object(w);
    if (mcp_call_may_list_tasks(call))
        write_flags(w, STR("list"), (str_list_t){NULL, 0});
    write_flags(w, STR("cancel"), (str_list_t){NULL, 0});
    json_key(w, STR("requests"));
    json_begin_object(w);
    json_key(w, STR("tools"));
    json_begin_object(w);
    write_flags(w, STR("call"), (str_list_t){NULL, 0});
    json_end_object(w);
    json_end_object(w);
    json_end_object(w);
}

void mcp_capabilities_write(const warder_mcp_call_t *call, json_writer_t *w)
{
    static const str_t FLAGS[] = {STR_INIT("listChanged"), STR_INIT("subscribe")};
    json_key(w, STR("capabilities"));
    json_begin_object(w);
    if (mcp_call_offers(call, MCP_TOOL))
        write_flags(w, STR("tools"), (str_list_t){FLAGS, 1});
    if (mcp_call_offers(call, MCP_RESOURCE))
        write_flags(w, STR("resources"), (str_list_t){FLAGS, 2});
    if (mcp_call_offers(call, MCP_PROMPT))
        write_flags(w, STR("prompts"), (str_list_t){FLAGS, 1});
    if (mcp_registry_completes(call->registry))
        write_flags(w, STR("completions"), (str_list_t){NULL, 0});
    write_flags(w, STR("logging"), (str_list_t){NULL, 0});
    if (call->op.era == MCP_ERA_STATELESS)
        write_extensions(w);
    else if (mcp_call_offers_tasks(call))
        write_tasks(call, w);
    json_end_object(w);
}

/* A connection that has no session ids is initialized once; over HTTP another session is opened. */
static bool is_initialized(const mcp_incoming_t *in)
{
    return in->session && mcp_session_id(in->session).n == 0 && mcp_session_version(in->session);
}

mcp_verdict_t mcp_do_initialize(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_t result;
    if (is_initialized(in))
        return mcp_refuse(call, MCP_ERROR_INITIALIZED_TWICE);
    buf_t b = buf_new(call->arena, DISCOVERY_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("protocolVersion"), call->op.version->name);
    mcp_capabilities_write(call, &w);
    json_key(&w, STR("serverInfo"));
    json_raw(&w, call->m->info_whole);
    json_member_str(&w, STR("instructions"), str_c(call->m->config.instructions));
    json_end_object(&w);
    mcp_verdict_t v = mcp_answer_result(call, buf_done(&b, &result) == RC_OK ? result : STR_UNSET);
    v.opens = v.error == MCP_NO_ERROR;
    return v;
}

mcp_verdict_t mcp_do_ping(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    (void)in;
    return mcp_answer_result(call, STR("{}"));
}

mcp_verdict_t mcp_do_discover(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    str_t result;
    mcp_versions_t versions = mcp_versions();
    (void)in;
    buf_t b = buf_new(call->arena, DISCOVERY_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, STR("supportedVersions"));
    json_begin_array(&w);
    for (size_t i = 0; i < versions.n; i++)
        json_str(&w, versions.v[i].name);
    json_end_array(&w);
    mcp_capabilities_write(call, &w);
    json_member_str(&w, STR("instructions"), str_c(call->m->config.instructions));
    json_member_int(&w, STR("ttlMs"), mcp_list_fresh_ms(call->m));
    json_member_str(&w, STR("cacheScope"), STR("public"));
    json_end_object(&w);
    return mcp_answer_result(call, buf_done(&b, &result) == RC_OK ? result : STR_UNSET);
}
