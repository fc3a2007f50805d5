#include "mcp_client/link_state.h"

#include <stdlib.h>

enum { DRAIN_MS = 1000 };

link_call_t *link_call_new(mcp_link_t *l, link_kind_t kind)
{
    link_call_t *c = calloc(1, sizeof *c);
    arena_t *a = c ? arena_new(LINK_CALL_ARENA_BYTES) : NULL;
    if (!a) {
        free(c);
        return NULL;
    }
    c->link = l;
    c->a = a;
    c->kind = kind;
    c->refs = 1;
    c->retry_ms = -1;
    return c;
}

void link_call_unref(link_call_t *c)
{
    if (--c->refs > 0)
        return;
    arena_free(c->why_a);
    arena_free(c->a);
    free(c);
}

void link_call_drop(link_call_t *c)
{
    if (!c)
        return;
    mcp_link_t *l = c->link;
    link_lock(l);
    link_call_unref(c);
    link_unlock(l);
}

void link_list(link_call_t *c)
{
    mcp_link_t *l = c->link;
    c->next = l->calls;
    l->calls = c;
    l->n_calls++;
    c->listed = true;
    c->refs++;
}

uint64_t link_cut(link_exchange_t *x)
{
    if (x->unwanted)
        return 0;
    x->unwanted = true;
    return x->started && !x->ended ? x->http : 0;
}

uint64_t link_detach(link_call_t *c, bool drain)
{
    link_exchange_t *x = c->x;
    if (!x)
        return 0;
    c->x = NULL;
    x->call = NULL;
    x->drain_due = link_now() + DRAIN_MS;
    return drain ? 0 : link_cut(x);
}

static void unlink_call(mcp_link_t *l, link_call_t *c)
{
    link_call_t **at = &l->calls;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    l->n_calls--;
}

uint64_t link_unlist(link_call_t *c, bool drain)
{
    mcp_link_t *l = c->link;
    if (!c->listed)
        return 0;
    unlink_call(l, c);
    c->listed = false;
    if (l->gate == c)
        l->gate = NULL;
    if (l->listener == c)
        l->listener = NULL;
    if (l->stream == c)
        l->stream = NULL;
    uint64_t cancel = link_detach(c, drain);
    pthread_cond_broadcast(&l->changed);
    link_call_unref(c);
    return cancel;
}

uint64_t link_forget_session(mcp_link_t *l)
{
    link_call_t *listener = l->listener;
    free((void *)(uintptr_t)l->session.p);
    l->session = STR_UNSET;
    return listener ? link_unlist(listener, false) : 0;
}
