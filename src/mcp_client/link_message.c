/* Messages of the server: in a body, in an event, one by one or in a batch. */
#include "mcp_client/link_state.h"

bool link_is_id(mcp_link_t *l, str_t mine, const json_t *theirs)
{
    const json_t *v;
    if (theirs && str_eq(mine, theirs->raw))
        return true;
    if (!json_is(theirs, JSON_STRING) || json_parse(l->scratch, mine, NULL, &v) != RC_OK)
        return false;
    return json_is(v, JSON_STRING) && str_eq(v->str, theirs->str);
}

/* Only what was asked is answered; of the standing stream nothing (MCP 2025-11-25, Streamable HTTP,
 * "Listening for Messages from the Server"). */
bool link_is_answer(const link_call_t *c, const mcp_message_t *m)
{
    return c->kind == LINK_SEND && c->tag &&
           link_is_id(c->link, c->id, json_get(m->root, STR("id")));
}

static bool is_live(const link_exchange_t *x, const link_call_t *c)
{
    link_lock(x->link);
    bool live = x->call == c && c->listed;
    link_unlock(x->link);
    return live;
}

static void give(link_call_t *c, const mcp_message_t *m)
{
    const mcp_link_events_t *e = &c->link->config.events;
    e->message(e->ctx, c->kind == LINK_SEND ? c->tag : 0, m);
}

/* Revisions that had batches, or did not say that they had none: a client must take one there (MCP
 * 2025-03-26, Base Protocol, "Batching"). */
static bool may_batch(const link_call_t *c)
{
    str_t name = c->version ? c->version->name : STR_UNSET;
    return c->kind == LINK_STREAM || str_eq(name, STR("2025-03-26")) ||
           str_eq(name, STR("2024-11-05"));
}

/* The messages of a body or an event: one, or those of a batch. NULL: it is none of both. */
const json_t *link_read_messages(const link_call_t *c, str_t text)
{
    const json_t *root;
    mcp_message_t m;
    arena_reset(c->link->scratch);
    if (mcp_link_parse(c->link->scratch, text, &root) != RC_OK)
        return NULL;
    bool batch = json_is(root, JSON_ARRAY);
    const json_t *first = batch ? root->child : root;
    for (const json_t *v = first; v; v = batch ? v->next : NULL) {
        if (mcp_message_of(v, &m) != MCP_NO_ERROR)
            return NULL;
    }
    return !batch || may_batch(c) ? first : NULL;
}

/* On the stream of 2024-11-05 stand the answers to all. */
static void on_answer(link_call_t *c, const mcp_message_t *m)
{
    link_call_t *asker = c->kind == LINK_STREAM ? link_asker_of(c, m) : NULL;
    link_call_t *own = asker ? asker : c;
    if (!link_is_answer(own, m))
        LOG(c->link->config.log, LOG_WARN, "answer to nobody", LOG_S("method", c->method));
    else if (link_take_away(own, true))
        give(own, m);
    link_call_drop(asker);
}

static void give_other(link_call_t *c, const mcp_message_t *m)
{
    if (c->kind == LINK_STREAM)
        link_on_progress(c, m);
    give(c, m);
}

static void give_those(link_call_t *c, const json_t *first, bool answers)
{
    mcp_message_t m;
    for (const json_t *v = first; v; v = v->next) {
        (void)mcp_message_of(v, &m);
        if (m.kind == MCP_RESPONSE && answers)
            on_answer(c, &m);
        else if (m.kind != MCP_RESPONSE && !answers)
            give_other(c, &m);
    }
}

/* Answers come last: nothing is told of a request that has its answer. */
void link_on_messages(link_call_t *c, const json_t *first)
{
    give_those(c, first, false);
    give_those(c, first, true);
}

static void on_message(link_exchange_t *x, link_call_t *c, str_t text)
{
    const json_t *first = link_read_messages(c, text);
    if (!first) {
        link_fail_with(c, MCP_LINK_MALFORMED, x->head.status,
                       STR("an event holds no message of JSON-RPC"));
        return;
    }
    link_on_messages(c, first);
}

static void on_event(link_exchange_t *x, link_call_t *c, const mcp_sse_event_t *e)
{
    c->resumes = 0;
    if (e->retry_ms >= 0)
        c->retry_ms = e->retry_ms;
    if (e->id.p) {
        memcpy(c->event_id, e->id.p, e->id.n);
        c->event_id_n = e->id.n;
    }
    if (c->kind == LINK_STREAM && str_eq(e->event, STR("endpoint")))
        link_on_endpoint(c, e->data);
    bool message = !e->event.p || e->event.n == 0 || str_eq(e->event, STR("message"));
    if (message && e->data.n > 0)
        on_message(x, c, e->data);
}

void link_on_events(link_exchange_t *x, link_call_t *c, str_t bytes)
{
    mcp_sse_event_t e;
    rc_t rc = RC_OK;
    mcp_sse_step_t step = MCP_SSE_EVENT;
    while (step == MCP_SSE_EVENT && is_live(x, c)) {
        step = mcp_sse_next(&x->sse, &bytes, &e, &rc);
        if (step == MCP_SSE_EVENT)
            on_event(x, c, &e);
    }
    if (step == MCP_SSE_BAD)
        link_fail_with(c, MCP_LINK_MALFORMED, x->head.status,
                       STR("the event stream cannot be read"));
}
