/* What the agent tells, on its thread: kept until the link's thread looks. */
#include "mcp_client/link_state.h"

#include <stdlib.h>

enum { HEAD_BYTES = 256 << 10 };

static void queue(link_exchange_t *x)
{
    mcp_link_t *l = x->link;
    if (x->queued)
        return; /* the link's thread has been told, and takes all that has come by then */
    x->queued = true;
    x->next_ready = NULL;
    *(l->ready ? &l->ready_last->next_ready : &l->ready) = x;
    l->ready_last = x;
    pthread_cond_broadcast(&l->changed);
}

static bool copy_challenges(arena_t *a, http_headers_t from, str_list_t *out)
{
    str_list_t values;
    if (http_headers_all(a, from, STR("WWW-Authenticate"), &values) != RC_OK)
        return false;
    str_t *copies = ARENA_ARRAY(a, values.n + 1, str_t);
    for (size_t i = 0; copies && i < values.n; i++) {
        copies[i] = arena_dup(a, values.v[i]);
        if (!copies[i].p)
            return false;
    }
    *out = (str_list_t){copies, values.n};
    return copies != NULL;
}

static bool copy_head(arena_t *a, const http_agent_head_t *from, link_head_t *out)
{
    const struct {
        str_t name;
        str_t *to;
    } WANTED[] = {
        {STR("Content-Type"), &out->content_type},
        {STR("Mcp-Session-Id"), &out->session},
        {STR("Location"), &out->location},
        {STR("DPoP-Nonce"), &out->nonce},
    };
    out->status = from->status;
    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        str_t value = http_headers_get(from->headers, WANTED[i].name);
        *WANTED[i].to = arena_dup(a, value);
        if (value.p && !WANTED[i].to->p)
            return false;
    }
    return copy_challenges(a, from->headers, &out->challenges);
}

static void on_head(void *ctx, const http_agent_head_t *head)
{
    link_exchange_t *x = ctx;
    link_head_t copy = {0};
    arena_t *a = arena_new(HEAD_BYTES);
    bool whole = a && copy_head(a, head, &copy);
    link_lock(x->link);
    x->a = a;
    x->head = copy;
    x->has_head = true;
    x->failed = x->failed || !whole;
    queue(x);
    link_unlock(x->link);
}

static bool keep(link_exchange_t *x, str_t bytes)
{
    if (x->in_n + bytes.n > x->in_cap) {
        size_t cap = 2 * (x->in_n + bytes.n);
        char *in = realloc(x->in, cap);
        if (!in)
            return false;
        x->in = in;
        x->in_cap = cap;
    }
    memcpy(x->in + x->in_n, bytes.p, bytes.n);
    x->in_n += bytes.n;
    return true;
}

static bool on_data(void *ctx, str_t bytes)
{
    link_exchange_t *x = ctx;
    link_lock(x->link);
    bool wanted = x->call && !x->failed && bytes.n > 0;
    x->paused = wanted && x->in_n > 0 && x->in_n + bytes.n > LIMIT_MCP_CLIENT_INBOX_BYTES;
    bool taken = !x->paused;
    if (wanted && taken)
        x->failed = !keep(x, bytes);
    if (wanted)
        queue(x);
    link_unlock(x->link);
    return taken;
}

static void on_end(void *ctx, http_agent_end_t end, str_t why)
{
    link_exchange_t *x = ctx;
    mcp_link_t *l = x->link;
    link_lock(l);
    x->ended = true;
    x->end = end;
    str_t part = str_first(why, sizeof x->why - 1);
    if (part.n > 0)
        memcpy(x->why, part.p, part.n);
    x->why[part.n] = 0;
    queue(x);
    link_unlock(l);
}

http_agent_events_t link_inbox(link_exchange_t *x)
{
    return (http_agent_events_t){on_head, on_data, on_end, x};
}
