/* What the flags of a tool are to clients. */
#include "mcp_server/entry.h"

/* 2025-11-25, Tasks, "Tool-Level Negotiation". Said to all clients alike, whatever they speak:
 * whoever keeps a definition, to see whether it changes, is not to see one for each revision. */
static void write_execution(json_writer_t *w, unsigned flags)
{
    bool only = flags & WARDER_MCP_TASK_ONLY;
    if (!only && !(flags & WARDER_MCP_TASK))
        return;
    json_key(w, STR("execution"));
    json_begin_object(w);
    json_member_str(w, STR("taskSupport"), only ? STR("required") : STR("optional"));
    json_end_object(w);
}

static void write_annotations(json_writer_t *w, unsigned flags)
{
    bool read_only = flags & WARDER_MCP_READ_ONLY;
    json_key(w, STR("annotations"));
    json_begin_object(w);
    json_member_bool(w, STR("readOnlyHint"), read_only);
    /* The two are meaningful only for tools that change something. */
    if (!read_only) {
        json_member_bool(w, STR("destructiveHint"), flags & WARDER_MCP_DESTRUCTIVE);
        json_member_bool(w, STR("idempotentHint"), flags & WARDER_MCP_IDEMPOTENT);
    }
    json_member_bool(w, STR("openWorldHint"), flags & WARDER_MCP_OPEN_WORLD);
    json_end_object(w);
}

void mcp_entry_write_flags(json_writer_t *w, unsigned flags)
{
    write_annotations(w, flags);
    write_execution(w, flags);
}
