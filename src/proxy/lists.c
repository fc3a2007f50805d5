#include "proxy/relay.h"

#include "mcp/list.h"

static bool has_pins(const relay_t *r)
{
    return r->w->g->pins && r->route->conf->pins != CONF_PINS_OFF;
}

static bool is_judged(const route_t *route, mcp_list_kind_t kind)
{
    if (kind == MCP_LIST_TOOLS)
        return true;
    return kind != MCP_LIST_NONE && route->conf->lists != CONF_LISTS_PASS;
}

static bool concerns(const route_t *route, const relay_asked_t *asked)
{
    return asked->id.p && is_judged(route, asked->list);
}

bool lists_concern(const relay_t *r)
{
    return concerns(r->route, &r->facts.asked);
}

bool lists_judge(const relay_call_t *c)
{
    return concerns(c->route, &c->facts.asked);
}

typedef struct {
    const relay_t *r;
    arena_t *a;
    pins_list_t *pins; /* NULL: of another list, or nobody pins */
    bool more;
} judge_t;

/* Whether a tool may be offered at all: its definition is trusted, and says in a way that can be
 * checked which arguments are repeated (MCP 2026-07-28, Tools, "x-mcp-header"). */
static bool may_be_offered(judge_t *j, const mcp_item_t *item)
{
    mcp_params_t params = {0};
    const json_t *schema = json_get(item->v, STR("inputSchema"));
    if (j->pins && pins_list_see(j->pins, item->v).withheld)
        return false;
    if (json_is(schema, JSON_OBJECT) && mcp_params_read(j->a, schema, &params) != RC_OK)
        return false;
    return params_learn(j->r->w->g->params, j->a, j->r->route->conf->path, item->name, params) ==
           RC_OK;
}

static mcp_item_verdict_t judge(void *ctx, const mcp_item_t *item)
{
    judge_t *j = ctx;
    const route_t *route = j->r->route;
    if (item->kind == MCP_LIST_TOOLS && !may_be_offered(j, item)) {
        counter_add(j->r->w->counts, COUNTER_WITHHELD, 1);
        return MCP_ITEM_DROP;
    }
    if (route->conf->lists == CONF_LISTS_PASS ||
        gate_policy_shows(j->a, route->policy, &j->r->facts.who, item))
        return MCP_ITEM_KEEP;
    counter_add(j->r->w->counts, COUNTER_WITHHELD, 1);
    return route->conf->lists == CONF_LISTS_MARK ? MCP_ITEM_MARK : MCP_ITEM_DROP;
}

static void end(void *ctx, bool more)
{
    ((judge_t *)ctx)->more = more;
}

static str_t describe(const pins_news_t *news)
{
    switch (news->state) {
    case GATE_PIN_NEW:
        return STR("definition_new");
    case GATE_PIN_GONE:
        return STR("definition_gone");
    case GATE_PIN_CHANGED:
    case GATE_PIN_SAME:
        break;
    }
    return STR("definition_changed");
}

/* What is new is in the trail before the list goes out. */
static rc_t tell(arena_t *a, const relay_t *r, pins_news_list_t news)
{
    const trail_port_t *trail = &r->w->trail.port;
    audit_event_t *events = ARENA_ARRAY(a, news.n, audit_event_t);
    const audit_event_t **list = ARENA_ARRAY(a, news.n, const audit_event_t *);
    if (news.n == 0)
        return RC_OK;
    if (!events || !list)
        return RC_MEMORY;
    for (size_t i = 0; i < news.n; i++) {
        list[i] = &events[i];
        events[i] = relay_event(r->route, &r->facts, AUDIT_DEFINITION);
        events[i].allowed = !news.v[i].withheld;
        events[i].reason = describe(&news.v[i]);
        events[i].tool = news.v[i].tool;
    }
    counter_add(r->w->counts, COUNTER_DEFINITIONS, (int64_t)news.n);
    return trail->write(trail->ctx, list, news.n);
}

/* Whether it asked for the first page; of what a resumed stream tells again nobody knows. */
static bool is_first(const relay_t *r)
{
    return r->facts.message && !json_get(r->operation.message.params, STR("cursor"));
}

static rc_t rewrite(arena_t *a, const relay_t *r, mcp_list_kind_t kind, str_t response, str_t *out)
{
    judge_t j = {.r = r, .a = a};
    bool narrows = r->route->conf->lists != CONF_LISTS_PASS;
    mcp_list_judge_t with = {judge, &j, narrows, end, r->facts.era == MCP_ERA_STATELESS};
    if (kind == MCP_LIST_TOOLS && has_pins(r)) {
        j.pins = pins_list_begin(r->w->g->pins, a, r->route->conf, is_first(r));
        if (!j.pins)
            return RC_MEMORY;
    }
    TRY(mcp_list_rewrite(a, kind, response, with, out));
    return j.pins ? tell(a, r, pins_list_end(j.pins, j.more)) : RC_OK;
}

rc_t lists_rewrite(arena_t *a, const relay_t *r, str_t response, str_t *out)
{
    return rewrite(a, r, r->facts.asked.list, response, out);
}

bool lists_hide(arena_t *a, const relay_call_t *c, str_t message)
{
    mcp_list_guess_t guess;
    return mcp_list_guess(a, message, &guess) != RC_OK || is_judged(c->route, guess.kind);
}
