#include "mcp_http/readers.h"

#include <pthread.h>
#include <stdlib.h>

/* Thousands of streams may be open, and each has its own outbox. */
enum { BUCKETS = 256, POINTER_SHIFT = 6 };

struct mcp_readers {
    pthread_mutex_t lock;
    uint64_t turns;
    mcp_reader_t *lists[BUCKETS];
};

mcp_readers_t *mcp_readers_new(void)
{
    mcp_readers_t *r = calloc(1, sizeof *r);
    if (r)
        pthread_mutex_init(&r->lock, NULL);
    return r;
}

void mcp_readers_free(mcp_readers_t *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static mcp_reader_t **list_of(mcp_readers_t *r, const mcp_outbox_t *o)
{
    return &r->lists[((uintptr_t)o >> POINTER_SHIFT) % BUCKETS];
}

static void join(mcp_readers_t *r, mcp_reader_t *me)
{
    mcp_reader_t **list = list_of(r, me->outbox);
    me->turn = ++r->turns;
    me->next = *list;
    me->link = list;
    if (me->next)
        me->next->link = &me->next;
    *list = me;
}

/* What cannot be posted is found at the next tick. */
static void nudge(const mcp_reader_t *who)
{
    if (!who->back.post)
        return;
    rc_t ignored = who->back.post(who->back.ctx, who->look, who->arg);
    (void)ignored;
}

/* Tells those that came before; whether one of them still reads. */
static bool clear_way(mcp_readers_t *r, const mcp_reader_t *me)
{
    bool taken = false;
    for (mcp_reader_t *other = *list_of(r, me->outbox); other; other = other->next) {
        if (other == me || other->outbox != me->outbox)
            continue;
        taken |= other->reads;
        if (other->turn > me->turn || other->leaves)
            continue;
        other->leaves = true;
        nudge(other);
    }
    return !taken;
}

bool mcp_readers_claim(mcp_readers_t *r, mcp_reader_t *me)
{
    pthread_mutex_lock(&r->lock);
    if (!me->link)
        join(r, me);
    if (!me->reads)
        me->reads = !me->leaves && clear_way(r, me);
    bool reads = me->reads;
    pthread_mutex_unlock(&r->lock);
    return reads;
}

bool mcp_readers_must_leave(mcp_readers_t *r, const mcp_reader_t *me)
{
    pthread_mutex_lock(&r->lock);
    bool leaves = me->leaves;
    pthread_mutex_unlock(&r->lock);
    return leaves;
}

void mcp_readers_release(mcp_readers_t *r, mcp_reader_t *me)
{
    if (!me->link)
        return;
    pthread_mutex_lock(&r->lock);
    *me->link = me->next;
    if (me->next)
        me->next->link = me->link;
    for (mcp_reader_t *other = *list_of(r, me->outbox); other; other = other->next) {
        if (other->outbox == me->outbox)
            nudge(other);
    }
    me->link = NULL;
    pthread_mutex_unlock(&r->lock);
}
