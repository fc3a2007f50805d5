/* How calls end, and when what ended too early is tried again. */
#include "mcp_client/link_state.h"

enum {
    RETRY_MS = 1000,      /* where the server says nothing */
    RETRY_LEAST_MS = 100, /* whatever it says */
    RETRY_SAID_MS = 3600000,
    RETRY_MOST_MS = 60000, /* however often it failed */
    STEADY_MS = 5000,      /* a stream that lasts so long may begin at once again */
    FIRST_TRIES = 3,       /* of a standing stream that never came */
    DOUBLINGS = 6,
};

/* ---- how a call ends ---- */

void link_cancel(mcp_link_t *l, uint64_t http)
{
    if (http)
        http_agent_cancel(l->config.agent, http);
}

bool link_take_away(link_call_t *c, bool drain)
{
    mcp_link_t *l = c->link;
    link_lock(l);
    bool listed = c->listed;
    uint64_t http = link_unlist(c, drain);
    link_unlock(l);
    link_cancel(l, http);
    return listed;
}

static void log_failure(const link_call_t *c, const mcp_link_failure_t *why)
{
    LOG(c->link->config.log, LOG_WARN, "mcp message not taken", LOG_S("method", c->method),
        LOG_I("status", why->status));
}

void link_fail(link_call_t *c, const mcp_link_failure_t *why)
{
    const mcp_link_events_t *e = &c->link->config.events;
    if (!link_take_away(c, false) || c->kind == LINK_DELETE)
        return;
    if (c->kind == LINK_STREAM)
        link_stream_ended(c, why);
    else if (c->kind == LINK_LISTEN)
        e->unheard(e->ctx, why);
    else if (c->tag)
        e->failed(e->ctx, c->tag, why);
    else
        log_failure(c, why);
}

void link_fail_with(link_call_t *c, mcp_link_end_t end, int status, str_t detail)
{
    link_fail(c, &(mcp_link_failure_t){.end = end, .status = status, .detail = detail});
}

void link_lose_session(link_call_t *c)
{
    mcp_link_t *l = c->link;
    const mcp_link_failure_t why = {.end = MCP_LINK_LOST, .status = 404};
    link_lock(l);
    bool current = str_eq(l->session, c->session);
    link_call_t *listener = current && l->listener != c ? l->listener : NULL;
    if (listener) {
        l->listener = NULL;
        listener->refs++;
    }
    uint64_t http = current ? link_forget_session(l) : 0;
    l->lost = l->lost || current;
    link_unlock(l);
    link_cancel(l, http);
    if (listener)
        link_fail(listener, &why);
    link_call_drop(listener);
    link_fail(c, &why);
}

/* ---- streams that end early ---- */

static int64_t within(int64_t v, int64_t least, int64_t most)
{
    int64_t low = v < least ? least : v;
    return low > most ? most : low;
}

/* What the server said, and longer the more often it brought nothing. */
static int64_t pause_of(const link_call_t *c)
{
    unsigned doublings = c->resumes < DOUBLINGS ? c->resumes : DOUBLINGS;
    int64_t said = within(c->retry_ms, RETRY_LEAST_MS, RETRY_SAID_MS);
    int64_t own = within((int64_t)RETRY_MS << doublings, RETRY_MS, RETRY_MOST_MS);
    if (c->retry_ms < 0)
        return own;
    return doublings > 0 && own > said ? own : said;
}

static void again_later(link_call_t *c)
{
    mcp_link_t *l = c->link;
    link_lock(l);
    uint64_t http = link_detach(c, false);
    c->state = LINK_WAITING;
    c->due = link_now() + pause_of(c) + 1; /* never earlier: both are rounded down */
    c->resumes++;
    c->resuming = c->kind == LINK_SEND;
    pthread_cond_broadcast(&l->changed);
    link_unlock(l);
    link_cancel(l, http);
}

static bool may_resume(const link_call_t *c)
{
    bool stateless = c->version && c->version->era == MCP_ERA_STATELESS;
    return c->kind == LINK_SEND && c->tag && !stateless && c->event_id_n > 0 &&
           c->resumes < LIMIT_MCP_CLIENT_RESUMES;
}

/* The standing stream comes back for ever, once it was there: it lives longer than tokens do. */
static bool may_listen_again(link_call_t *c)
{
    if (c->was_open && link_now() - c->opened_at >= STEADY_MS)
        c->resumes = c->tries = 0;
    return c->was_open || c->resumes < FIRST_TRIES;
}

void link_broke_off(link_call_t *c, const mcp_link_failure_t *why)
{
    bool again = c->kind == LINK_LISTEN ? may_listen_again(c) : may_resume(c);
    if (again)
        again_later(c);
    else
        link_fail(c, why);
}
