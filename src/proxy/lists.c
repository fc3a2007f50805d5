#include "proxy/relay.h"

#include "mcp/list.h"

bool lists_concern(const relay_t *r)
{
    bool list = r->facts.kind == MCP_REQUEST && r->facts.message &&
                mcp_list_kind(r->facts.method) != MCP_LIST_NONE;
    return list && r->route->conf->lists != CONF_LISTS_PASS;
}

typedef struct {
    const relay_t *r;
    arena_t *a;
} judge_t;

static mcp_item_verdict_t judge(void *ctx, const mcp_item_t *item)
{
    const judge_t *j = ctx;
    const route_t *route = j->r->route;
    if (gate_policy_shows(j->a, route->policy, &j->r->facts.who, item))
        return MCP_ITEM_KEEP;
    return route->conf->lists == CONF_LISTS_MARK ? MCP_ITEM_MARK : MCP_ITEM_DROP;
}

rc_t lists_rewrite(arena_t *a, const relay_t *r, str_t response, str_t *out)
{
    judge_t j = {r, a};
    mcp_list_judge_t with = {judge, &j, true};
    return mcp_list_rewrite(a, mcp_list_kind(r->facts.method), response, with, out);
}
