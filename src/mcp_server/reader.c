/* Who reads an outbox: wakes, taking out, coming and going. */
#include "mcp_server/outbox_state.h"

#include <stdlib.h>

static void drop_reader(mcp_reader_t *r)
{
    if (atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    mcp_outbox_drop(r->outbox);
    free(r);
}

/* Wakes. A reader that was replaced is woken once more, so that its stream ends. */

static void on_wake(void *arg)
{
    mcp_reader_t *r = arg;
    pthread_mutex_lock(&r->outbox->lock);
    r->posted = false;
    void (*wake)(void *) = r->how.wake; /* NULL: detached */
    void *ctx = r->how.ctx;
    pthread_mutex_unlock(&r->outbox->lock);
    if (wake)
        wake(ctx);
    drop_reader(r);
}

/* The reader to be posted to, held for that; NULL: none, or it will look anyway. Under the lock. */
mcp_reader_t *outbox_due(mcp_reader_t *r)
{
    if (!r || r->posted)
        return NULL;
    r->posted = true;
    atomic_fetch_add(&r->refs, 1);
    return r;
}

/* Not under the lock. A loop that is gone needs no wake; one whose queue is full gets the next. */
void outbox_post(mcp_reader_t *r)
{
    if (!r || r->how.back.post(r->how.back.ctx, on_wake, r) == RC_OK)
        return;
    pthread_mutex_lock(&r->outbox->lock);
    r->posted = false;
    pthread_mutex_unlock(&r->outbox->lock);
    drop_reader(r);
}

/* Taking out */

/* The oldest of those that are kept goes. */
static void forget_first(mcp_outbox_t *o)
{
    outbox_message_t *m = o->first;
    o->first = m->next;
    if (o->waiting == &m->next)
        o->waiting = &o->first;
    if (o->last == &m->next)
        o->last = &o->first;
    o->dropped = m->out.number;
    o->kept_count--;
    o->kept_bytes -= m->out.text.n;
    outbox_release(m);
}

static bool is_kept_one(const mcp_outbox_t *o)
{
    return o->waiting != &o->first;
}

static void forget_surplus(mcp_outbox_t *o)
{
    while (is_kept_one(o) &&
           (!o->kept || o->kept_count > MCP_OUTBOX_KEPT || o->kept_bytes > MCP_OUTBOX_KEPT_BYTES))
        forget_first(o);
}

/* The first that waits, which is kept from now on as far as there is room. A LET_GO never is: who
 * comes back must not be sent away again. */
static outbox_message_t *next_waiting(mcp_outbox_t *o)
{
    outbox_message_t *m = *o->waiting;
    if (!m)
        return NULL;
    o->wait_count--;
    o->wait_bytes -= m->out.text.n;
    if (m->out.kind == MCP_OUT_LET_GO) {
        *o->waiting = m->next;
        if (o->last == &m->next)
            o->last = o->waiting;
        return m;
    }
    m->refs++;
    o->waiting = &m->next;
    o->kept_count++;
    o->kept_bytes += m->out.text.n;
    forget_surplus(o);
    return m;
}

static bool take_locked(mcp_reader_t *r, mcp_out_t *out)
{
    if (r->outbox->reader != r)
        return false;
    if (!r->again) {
        outbox_release(r->held);
        r->held = next_waiting(r->outbox);
    }
    r->again = false;
    if (r->held)
        *out = r->held->out;
    return r->held != NULL;
}

bool mcp_reader_take(mcp_reader_t *r, mcp_out_t *out)
{
    pthread_mutex_lock(&r->outbox->lock);
    bool some = take_locked(r, out);
    pthread_mutex_unlock(&r->outbox->lock);
    return some;
}

void mcp_reader_untake(mcp_reader_t *r)
{
    pthread_mutex_lock(&r->outbox->lock);
    r->again = r->held != NULL;
    pthread_mutex_unlock(&r->outbox->lock);
}

bool mcp_reader_is_replaced(mcp_reader_t *r)
{
    pthread_mutex_lock(&r->outbox->lock);
    bool replaced = r->outbox->reader != r;
    pthread_mutex_unlock(&r->outbox->lock);
    return replaced;
}

/* Coming and going */

/* All that is here waits, from behind `after` on; what the client has is forgotten. */
static void rewind_to(mcp_outbox_t *o, uint64_t after)
{
    while (is_kept_one(o) && o->first->out.number <= after)
        forget_first(o);
    o->waiting = &o->first;
    o->wait_count += o->kept_count;
    o->wait_bytes += o->kept_bytes;
    o->kept_count = o->kept_bytes = 0;
}

/* A LET_GO was meant for the reader before. */
static void drop_let_go(mcp_outbox_t *o)
{
    outbox_message_t **at = o->waiting;
    while (*at) {
        outbox_message_t *m = *at;
        if (m->out.kind != MCP_OUT_LET_GO) {
            at = &m->next;
            continue;
        }
        *at = m->next;
        o->wait_count--;
        outbox_release(m);
    }
    o->last = at;
}

/* What waits and the client says to have was taken by a reader who never told: it went out. */
static void skip_known(mcp_outbox_t *o, uint64_t after)
{
    while (*o->waiting && (*o->waiting)->out.number <= after) {
        outbox_message_t *m = next_waiting(o);
        outbox_release(m);
    }
}

static rc_t place(mcp_outbox_t *o, uint64_t after)
{
    if (after == MCP_OUTBOX_UNTAKEN || !o->kept)
        return RC_OK;
    if (after > o->number || after < o->dropped)
        return RC_NOT_FOUND;
    rewind_to(o, after);
    skip_known(o, after);
    return RC_OK;
}

/* What a reader took and could not send waits for the next one. */
static void give_back(mcp_outbox_t *o, mcp_reader_t *r)
{
    if (!r || !r->again)
        return;
    r->again = false;
    outbox_message_t **at = &o->first;
    while (at != o->waiting && *at != r->held)
        at = &(*at)->next;
    if (at == o->waiting)
        return;
    for (outbox_message_t *m = *at; m != *o->waiting; m = m->next) {
        o->kept_count--;
        o->kept_bytes -= m->out.text.n;
        o->wait_count++;
        o->wait_bytes += m->out.text.n;
    }
    o->waiting = at;
}

/* The old one is woken to learn it. */
static rc_t attach_locked(mcp_outbox_t *o, mcp_reader_t *r, mcp_reader_t **old)
{
    give_back(o, o->reader);
    TRY(place(o, r->how.after));
    if (o->met)
        drop_let_go(o);
    *old = outbox_due(o->reader);
    o->reader = r;
    o->met = true;
    return RC_OK;
}

rc_t mcp_outbox_attach(mcp_outbox_t *o, const mcp_reading_t *how, mcp_reader_t **out)
{
    mcp_reader_t *r = calloc(1, sizeof *r);
    if (!r)
        return RC_MEMORY;
    atomic_init(&r->refs, 1);
    r->how = *how;
    r->outbox = mcp_outbox_hold(o);
    mcp_reader_t *old = NULL, *woken = NULL;
    pthread_mutex_lock(&o->lock);
    rc_t rc = attach_locked(o, r, &old);
    if (rc == RC_OK && *o->waiting)
        woken = outbox_due(r);
    pthread_mutex_unlock(&o->lock);
    outbox_post(old);
    if (rc != RC_OK) {
        drop_reader(r);
        return rc;
    }
    *out = r;
    outbox_post(woken);
    return RC_OK;
}

void mcp_reader_detach(mcp_reader_t *r)
{
    if (!r)
        return;
    mcp_outbox_t *o = r->outbox;
    pthread_mutex_lock(&o->lock);
    r->how.wake = NULL;
    if (o->reader == r) {
        give_back(o, r);
        o->reader = NULL;
        o->left = !o->kept;
    }
    outbox_release(r->held);
    r->held = NULL;
    pthread_mutex_unlock(&o->lock);
    drop_reader(r);
}
