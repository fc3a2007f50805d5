/* The lists, page by page. */
#include "mcp_server/cursor.h"
#include "mcp_server/server_state.h"

enum {
    PAGE_BYTES = 1 << 20, /* a page ends early beyond it: clients read answers whole */
    LISTED_BYTES = PAGE_BYTES + (2 << 20),
};

typedef struct {
    mcp_kind_t kind;
    str_t member; /* of the result */
} list_t;

int64_t mcp_list_fresh_ms(const warder_mcp_t *m)
{
    return m->config.list_fresh_s < 0 ? 0 : (int64_t)m->config.list_fresh_s * 1000;
}

static bool is_shown(const warder_mcp_call_t *call, const mcp_entry_t *e)
{
    return call->m->config.list_all || mcp_server_grants(call->m, &call->who, e->scope);
}

/* What is shown to one token may not be kept for another; of all pages alike. */
static str_t cache_scope(const warder_mcp_call_t *call, mcp_kind_t kind)
{
    bool filtered = !call->m->config.list_all && mcp_registry_is_scoped(call->registry, kind);
    return filtered ? STR("private") : STR("public");
}

/* Writes the entries of a page that begins at row `from`; where the next one begins, or the end. */
static size_t write_page(const warder_mcp_call_t *call, mcp_kind_t kind, size_t from,
                         json_writer_t *w)
{
    mcp_entries_t all = mcp_registry_list(call->registry, kind);
    unsigned left = call->m->config.page;
    size_t i = from;
    for (; i < all.n; i++) {
        if (!is_shown(call, &all.v[i]))
            continue;
        if (left == 0 || w->buf->n > PAGE_BYTES)
            break;
        json_raw(w, all.v[i].listed);
        left--;
    }
    return i;
}

static mcp_verdict_t answer_page(warder_mcp_call_t *call, const list_t *list, size_t from)
{
    str_t result;
    buf_t b = buf_new(call->arena, LISTED_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_key(&w, list->member);
    json_begin_array(&w);
    size_t next = write_page(call, list->kind, from, &w);
    json_end_array(&w);
    if (next < mcp_registry_list(call->registry, list->kind).n) {
        str_t cursor =
            mcp_cursor_write(call->arena, call->m->seal, call->registry, list->kind, next);
        if (!cursor.p)
            buf_fail(&b, RC_MEMORY);
        json_member_str(&w, STR("nextCursor"), cursor);
    }
    if (call->op.era == MCP_ERA_STATELESS) {
        json_member_int(&w, STR("ttlMs"), mcp_list_fresh_ms(call->m));
        json_member_str(&w, STR("cacheScope"), cache_scope(call, list->kind));
    }
    json_end_object(&w);
    return mcp_answer_result(call, buf_done(&b, &result) == RC_OK ? result : STR_UNSET);
}

static mcp_verdict_t answer_list(warder_mcp_call_t *call, const list_t *list)
{
    const json_t *cursor = json_get(call->op.message.params, STR("cursor"));
    size_t from = 0;
    if (!mcp_call_offers(call, list->kind))
        return mcp_refuse_method(call);
    bool good =
        !cursor || (json_is(cursor, JSON_STRING) &&
                    mcp_cursor_read(call->m->seal, call->registry, list->kind, cursor->str, &from));
    return good ? answer_page(call, list, from) : mcp_refuse(call, MCP_ERROR_BAD_CURSOR);
}

mcp_verdict_t mcp_do_list_tools(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    (void)in;
    return answer_list(call, &(list_t){MCP_TOOL, STR("tools")});
}

mcp_verdict_t mcp_do_list_resources(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    (void)in;
    return answer_list(call, &(list_t){MCP_RESOURCE, STR("resources")});
}

mcp_verdict_t mcp_do_list_templates(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    (void)in;
    return answer_list(call, &(list_t){MCP_TEMPLATE, STR("resourceTemplates")});
}

mcp_verdict_t mcp_do_list_prompts(warder_mcp_call_t *call, const mcp_incoming_t *in)
{
    (void)in;
    return answer_list(call, &(list_t){MCP_PROMPT, STR("prompts")});
}
