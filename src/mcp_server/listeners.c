#include "mcp_server/listeners.h"

#include "core/limits.h"
#include "mcp_server/server.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    LISTENER_BYTES = 16 << 20, /* MCP_LISTEN_RESOURCES of MCP_NAME_BYTES each, and what is around */
    FRAME_BYTES = 4096,        /* around the params of a notification */
};

struct mcp_listener {
    mcp_listener_t *next, **link;
    arena_t *a;
    mcp_listening_t what;
};

struct mcp_listeners {
    pthread_mutex_t lock;
    mcp_listener_t *first;
    size_t n;
};

mcp_listeners_t *mcp_listeners_new(void)
{
    mcp_listeners_t *l = calloc(1, sizeof *l);
    if (l)
        pthread_mutex_init(&l->lock, NULL);
    return l;
}

/* Whom it held may go with it, and take locks then: under none. */
static void listener_free(mcp_listener_t *which)
{
    if (which->what.call)
        mcp_call_drop(which->what.call);
    if (which->what.session)
        mcp_session_drop(which->what.session);
    mcp_outbox_drop(which->what.outbox);
    arena_free(which->a);
}

static void free_all(mcp_listener_t *first)
{
    while (first) {
        mcp_listener_t *next = first->next;
        listener_free(first);
        first = next;
    }
}

void mcp_listeners_free(mcp_listeners_t *l)
{
    if (!l)
        return;
    free_all(l->first);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- come and gone; under the lock ---- */

static void link_in(mcp_listeners_t *l, mcp_listener_t *which)
{
    which->next = l->first;
    which->link = &l->first;
    if (l->first)
        l->first->link = &which->next;
    l->first = which;
    l->n++;
    if (which->what.slot)
        *which->what.slot = which;
}

static void unlink_from(mcp_listeners_t *l, mcp_listener_t *which)
{
    *which->link = which->next;
    if (which->next)
        which->next->link = which->link;
    l->n--;
    if (which->what.slot)
        *which->what.slot = NULL;
}

/* Sessions that have ended, for free_all. Their stream tells: asking the session itself would count
 * as a use of it. */
static mcp_listener_t *prune(mcp_listeners_t *l)
{
    mcp_listener_t *dead = NULL, *next;
    for (mcp_listener_t *i = l->first; i; i = next) {
        next = i->next;
        if (!i->what.session || !mcp_outbox_ended(i->what.outbox))
            continue;
        unlink_from(l, i);
        i->next = dead;
        dead = i;
    }
    return dead;
}

static bool is_same(const mcp_principal_t *a, const mcp_principal_t *b)
{
    return str_eq(a->issuer, b->issuer) && str_eq(a->subject, b->subject) &&
           str_eq(a->client, b->client);
}

static bool is_subscription(const mcp_listening_t *what)
{
    return what->call != NULL;
}

/* Sessions and subscriptions are counted apart: who has many of one may still have the other. */
static bool has_room(const mcp_listeners_t *l, const mcp_listening_t *what)
{
    size_t own = 0;
    for (const mcp_listener_t *i = l->first; i; i = i->next) {
        if (is_subscription(&i->what) != is_subscription(what))
            continue;
        if (!is_subscription(what) && i->what.session == what->session)
            return false;
        own += is_same(&i->what.who, &what->who);
    }
    return own < MCP_LISTENERS_PER_PRINCIPAL && l->n < LIMIT_MCP_LISTENERS;
}

static bool acknowledge(const mcp_listening_t *what)
{
    mcp_out_t out = {.kind = MCP_OUT_MESSAGE, .text = what->ack, .needed = STR_UNSET};
    return !what->ack.p || mcp_outbox_put(what->outbox, &out) == RC_OK;
}

/* ---- copies ---- */

static bool copy(arena_t *a, str_t *s)
{
    bool set = s->p != NULL;
    *s = arena_dup(a, *s);
    return !set || s->p;
}

static bool copy_list(arena_t *a, str_list_t *list)
{
    str_t *v = ARENA_ARRAY(a, list->n + 1, str_t);
    bool good = v != NULL;
    for (size_t i = 0; good && i < list->n; i++) {
        v[i] = list->v[i];
        good = copy(a, &v[i]);
    }
    list->v = v;
    return good;
}

static bool copy_texts(mcp_listener_t *which)
{
    mcp_listening_t *w = &which->what;
    arena_t *a = which->a;
    return copy_list(a, &w->uris) && copy_list(a, &w->tasks) && copy(a, &w->subscription) &&
           copy(a, &w->who.issuer) && copy(a, &w->who.subject) && copy(a, &w->who.client);
}

static mcp_listener_t *listener_new(const mcp_listening_t *what)
{
    arena_t *a = arena_new(LISTENER_BYTES);
    mcp_listener_t *which = a ? ARENA_NEW(a, mcp_listener_t) : NULL;
    if (which)
        *which = (mcp_listener_t){.a = a, .what = *what};
    if (!which || !copy_texts(which)) {
        arena_free(a);
        return NULL;
    }
    which->what.ack = STR_UNSET;
    mcp_outbox_hold(what->outbox);
    if (what->session)
        mcp_session_hold(what->session);
    if (what->call)
        mcp_call_hold(what->call);
    return which;
}

/* ---- for others ---- */

mcp_listener_t *mcp_listeners_add(mcp_listeners_t *l, const mcp_listening_t *what)
{
    mcp_listener_t *which = listener_new(what);
    if (!which)
        return NULL;
    pthread_mutex_lock(&l->lock);
    mcp_listener_t *dead = prune(l);
    bool good = has_room(l, what) && acknowledge(what);
    if (good)
        link_in(l, which);
    pthread_mutex_unlock(&l->lock);
    free_all(dead);
    if (good)
        return which;
    listener_free(which);
    return NULL;
}

bool mcp_listeners_remove(mcp_listeners_t *l, mcp_listener_t **slot)
{
    pthread_mutex_lock(&l->lock);
    mcp_listener_t *which = *slot;
    if (which)
        unlink_from(l, which);
    pthread_mutex_unlock(&l->lock);
    if (which)
        listener_free(which);
    return which != NULL;
}

warder_mcp_call_t *mcp_listeners_take(mcp_listeners_t *l)
{
    pthread_mutex_lock(&l->lock);
    mcp_listener_t *which = l->first;
    while (which && !which->what.call)
        which = which->next;
    if (which)
        unlink_from(l, which);
    pthread_mutex_unlock(&l->lock);
    if (!which)
        return NULL;
    warder_mcp_call_t *call = which->what.call;
    which->what.call = NULL;
    listener_free(which);
    return call;
}

static bool wants(const mcp_listener_t *which, mcp_changed_t what, str_t name)
{
    const mcp_listening_t *w = &which->what;
    if (!(w->wants & what))
        return false;
    if (what == MCP_CHANGED_TASK)
        return str_list_has(w->tasks, name);
    if (what != MCP_CHANGED_RESOURCE)
        return true;
    return w->subscription.p ? str_list_has(w->uris, name) : mcp_session_watches(w->session, name);
}

/* Each message of a subscription says whose it is (2026-07-28, "Receiving Notifications"). */
static str_t message_for(arena_t *a, const mcp_listener_t *which, str_t method, str_t params)
{
    str_t id = which->what.subscription;
    str_t members = str_of(params.p + 1, params.n - 2);
    if (!id.p)
        return arena_printf(
            a, "{\"jsonrpc\":\"2.0\",\"method\":\"%" PRIstr "\",\"params\":%" PRIstr "}",
            STR_ARG(method), STR_ARG(params));
    return arena_printf(a,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"%" PRIstr "\",\"params\":{\"_meta\":{"
                        "\"io.modelcontextprotocol/subscriptionId\":%" PRIstr "}%s%" PRIstr "}}",
                        STR_ARG(method), STR_ARG(id), members.n > 0 ? "," : "", STR_ARG(members));
}

/* Who cannot be told for want of memory or reading looks when the list is stale. */
static void tell_one(const mcp_listener_t *which, str_t method, str_t params)
{
    arena_t *a = arena_new(params.n + FRAME_BYTES);
    str_t text = a ? message_for(a, which, method, params) : STR_UNSET;
    mcp_out_t out = {.kind = MCP_OUT_MESSAGE, .text = text, .needed = STR_UNSET};
    rc_t rc = text.p ? mcp_outbox_put(which->what.outbox, &out) : RC_MEMORY;
    (void)rc;
    arena_free(a);
}

void mcp_listeners_tell(mcp_listeners_t *l, mcp_changed_t what, str_t name, str_t method,
                        str_t params)
{
    pthread_mutex_lock(&l->lock);
    mcp_listener_t *dead = prune(l);
    for (mcp_listener_t *i = l->first; i; i = i->next) {
        if (wants(i, what, name))
            tell_one(i, method, params);
    }
    pthread_mutex_unlock(&l->lock);
    free_all(dead);
}

bool mcp_listeners_any(mcp_listeners_t *l, mcp_changed_t what, str_t name)
{
    bool any = false;
    pthread_mutex_lock(&l->lock);
    for (mcp_listener_t *i = l->first; i && !any; i = i->next)
        any = wants(i, what, name);
    pthread_mutex_unlock(&l->lock);
    return any;
}
