/* What a server offers may change while it serves, and clients are told. */
#include "mcp_server/server_state.h"

static bool holds_scope(str_t scopes, str_t one)
{
    str_t have;
    while (str_split(&scopes, ' ', &have)) {
        if (str_eq(have, one))
            return true;
    }
    return false;
}

/* They only ever grow: whoever asked before holds a pointer into them, and a scope that comes again
 * takes no more memory. Unset without memory. Under `changing`. */
static str_t with_scopes(warder_mcp_t *m, str_t more)
{
    str_t one, all = m->scopes;
    while (all.p && str_split(&more, ' ', &one)) {
        if (one.n == 0 || holds_scope(all, one))
            continue;
        all = arena_printf(m->arena, "%" PRIstr "%s%" PRIstr, STR_ARG(all), all.n > 0 ? " " : "",
                           STR_ARG(one));
    }
    return all;
}

static void replace_registry(warder_mcp_t *m, const mcp_registry_t *r, str_t scopes)
{
    pthread_mutex_lock(&m->lock);
    const mcp_registry_t *old = m->registry;
    m->registry = r;
    m->scopes = scopes;
    pthread_mutex_unlock(&m->lock);
    mcp_registry_drop(old);
}

/* One table of a config, which `other` holds, in place of what was there. */
static void put_table(warder_mcp_config_t *c, mcp_kind_t kind, const warder_mcp_config_t *other)
{
    if (kind == MCP_TOOL) {
        c->tools = other->tools;
        c->tool_count = other->tool_count;
    } else if (kind == MCP_RESOURCE) {
        c->resources = other->resources;
        c->resource_count = other->resource_count;
    } else {
        c->prompts = other->prompts;
        c->prompt_count = other->prompt_count;
    }
}

/* Under `changing`, which is who alone replaces the registry. */
static bool change_table(warder_mcp_t *m, mcp_kind_t kind, const warder_mcp_config_t *other,
                         arena_t *work, str_t *why)
{
    warder_mcp_config_t tables = *mcp_registry_tables(m->registry);
    put_table(&tables, kind, other);
    mcp_registry_t *r = mcp_registry_new(work, &tables, why);
    if (!r)
        return false;
    str_t scopes = with_scopes(m, mcp_registry_scopes(r));
    if (scopes.p)
        replace_registry(m, r, scopes);
    else
        mcp_registry_drop(r);
    return scopes.p != NULL;
}

void warder_mcp_tools_changed(warder_mcp_t *m)
{
    mcp_listeners_tell(m->listeners, MCP_CHANGED_TOOLS, STR_UNSET,
                       STR("notifications/tools/list_changed"), STR("{}"));
}

void warder_mcp_resources_changed(warder_mcp_t *m)
{
    mcp_listeners_tell(m->listeners, MCP_CHANGED_RESOURCES, STR_UNSET,
                       STR("notifications/resources/list_changed"), STR("{}"));
}

void warder_mcp_prompts_changed(warder_mcp_t *m)
{
    mcp_listeners_tell(m->listeners, MCP_CHANGED_PROMPTS, STR_UNSET,
                       STR("notifications/prompts/list_changed"), STR("{}"));
}

static bool change(warder_mcp_t *m, mcp_kind_t kind, const warder_mcp_config_t *other, char *why,
                   size_t why_size)
{
    str_t said = STR("There is not enough memory: make room.");
    arena_t *work = arena_new(MCP_WHY_BYTES);
    pthread_mutex_lock(&m->changing);
    bool good = work && change_table(m, kind, other, work, &said);
    pthread_mutex_unlock(&m->changing);
    if (!good)
        mcp_say_why(why, why_size, said);
    arena_free(work);
    return good;
}

bool warder_mcp_set_tools(warder_mcp_t *m, const warder_mcp_tool_t *tools, size_t count, char *why,
                          size_t why_size)
{
    const warder_mcp_config_t other = {.tools = tools, .tool_count = count};
    if (!change(m, MCP_TOOL, &other, why, why_size))
        return false;
    warder_mcp_tools_changed(m);
    return true;
}

bool warder_mcp_set_resources(warder_mcp_t *m, const warder_mcp_resource_t *resources, size_t count,
                              char *why, size_t why_size)
{
    const warder_mcp_config_t other = {.resources = resources, .resource_count = count};
    if (!change(m, MCP_RESOURCE, &other, why, why_size))
        return false;
    warder_mcp_resources_changed(m);
    return true;
}

bool warder_mcp_set_prompts(warder_mcp_t *m, const warder_mcp_prompt_t *prompts, size_t count,
                            char *why, size_t why_size)
{
    const warder_mcp_config_t other = {.prompts = prompts, .prompt_count = count};
    if (!change(m, MCP_PROMPT, &other, why, why_size))
        return false;
    warder_mcp_prompts_changed(m);
    return true;
}

const char *warder_mcp_scopes(const warder_mcp_t *m)
{
    /* The lock is all of it that changes. */
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&m->lock;
    pthread_mutex_lock(lock);
    const char *scopes = m->scopes.p;
    pthread_mutex_unlock(lock);
    return scopes;
}

void warder_mcp_resource_updated(warder_mcp_t *m, const char *uri)
{
    enum { PARAMS_BYTES = 6 * MCP_NAME_BYTES + 64 };
    str_t params;
    arena_t *a = arena_new(2 * PARAMS_BYTES);
    if (!a)
        return;
    buf_t b = buf_new(a, PARAMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("uri"), str_c(uri));
    json_end_object(&w);
    if (buf_done(&b, &params) == RC_OK)
        mcp_listeners_tell(m->listeners, MCP_CHANGED_RESOURCE, str_c(uri),
                           STR("notifications/resources/updated"), params);
    arena_free(a);
}
